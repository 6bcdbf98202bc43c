"""Seal what a check-in asked: which questions were put says what the person had declared.

The column in the clear stays for a moment, empty: a program of the version before may still be serving. What that one
writes there is emptied by the database.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from clinic.shared.keyring import Key, ring, sealed_by
from clinic.shared.person_keys import key_name

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

GUARD = "CREATE TRIGGER ap_intake_asked_update BEFORE UPDATE OF asked ON intake"
PLACE = {"table": "intake", "column": "asked_sealed"}


def upgrade() -> None:
    op.add_column("intake", sa.Column("asked_sealed", sa.LargeBinary(), nullable=True))
    drop_guard()
    seal()
    if is_sqlite():
        op.execute(f"{GUARD} WHEN NEW.asked IS NOT NULL BEGIN SELECT RAISE(ABORT, 'ap_intake'); END")
        op.execute(
            "CREATE TRIGGER intake_asked_insert AFTER INSERT ON intake WHEN NEW.asked IS NOT NULL"
            " BEGIN UPDATE intake SET asked = NULL WHERE id = NEW.id; END"
        )
        return
    op.execute(f"{GUARD} FOR EACH ROW WHEN (NEW.asked IS NOT NULL) EXECUTE FUNCTION refuse_edit()")
    op.execute(
        "CREATE FUNCTION empty_intake_asked() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN NEW.asked := NULL; RETURN NEW; END'"
    )
    op.execute(
        "CREATE TRIGGER intake_asked_insert BEFORE INSERT ON intake FOR EACH ROW"
        " WHEN (NEW.asked IS NOT NULL) EXECUTE FUNCTION empty_intake_asked()"
    )


def seal() -> None:
    """Under the key of each person; of somebody whose key was destroyed it is nobody's to read any more."""
    bind = op.get_bind()
    asked = bind.execute(sa.text("SELECT id, client_id, asked FROM intake WHERE asked IS NOT NULL")).all()
    keys = keys_of_people() if asked else {}
    for row_id, client_id, kept in asked:
        said = json.loads(kept) if isinstance(kept, str) else kept
        sealer = keys.get(client_id, ring())
        plain = json.dumps(said, ensure_ascii=False).encode()
        sealed = None if said is None or sealer is None else sealer.seal(plain, row_id=row_id, **PLACE)
        bind.execute(
            sa.text("UPDATE intake SET asked = NULL, asked_sealed = :sealed WHERE id = :id"),
            {"sealed": sealed, "id": row_id},
        )


def keys_of_people() -> dict[int, Key | None]:
    """Of each person who was asked something; None where it was destroyed. Of several keys the one counts that seals
    now, then the oldest that can be opened. One that a dropped key of the installation wrapped stands there for older
    backups: it is opened only where there is no other, and the migration ends with that."""
    found: dict[int, Key | None] = {}
    rows: Any = op.get_bind().execute(
        sa.text(
            "SELECT id, client_id, ring, wrapped FROM person_key"
            " WHERE client_id IN (SELECT client_id FROM intake WHERE asked IS NOT NULL) ORDER BY id"
        )
    )
    for key_id, client_id, _ring, wrapped in sorted(rows, key=last_resort):
        if client_id in found:
            continue
        found[client_id] = None
        if wrapped:
            secret = ring().open(bytes(wrapped), table="person_key", column="wrapped", row_id=key_id)
            found[client_id] = Key(key_name(key_id), secret)
    return found


def last_resort(row: Any) -> int:
    """How little it is to be used."""
    if row.ring == ring().current:
        return 0
    if not row.wrapped:
        return 2
    return 1 if sealed_by(bytes(row.wrapped)) in ring().keys else 3


def drop_guard() -> None:
    op.execute("DROP TRIGGER ap_intake_asked_update" + ("" if is_sqlite() else " ON intake"))


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    """What was asked is not kept then, as for answers from before 0006."""
    op.execute("DROP TRIGGER intake_asked_insert" + ("" if is_sqlite() else " ON intake"))
    drop_guard()
    if is_sqlite():
        op.execute(f"{GUARD} BEGIN SELECT RAISE(ABORT, 'ap_intake'); END")
    else:
        op.execute("DROP FUNCTION empty_intake_asked()")
        op.execute(f"{GUARD} FOR EACH ROW EXECUTE FUNCTION refuse_edit()")
    op.drop_column("intake", "asked_sealed")
