"""Add what a chain needs: the history of claims, counts of requests by all hosts, and the way between places.

The claim of a visit that is done may leave the table once it stands in the history, which is never edited.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STANDING = "('held', 'pending', 'confirmed', 'arrived', 'in_session', 'suspended')"
SAME_SPAN = (
    "past.resource_id = OLD.resource_id AND past.starts_at = OLD.starts_at AND past.ends_at = OLD.ends_at"
)
# A claim is of a visit or of a couple: each is looked for through its own index.
BY_VISIT = "visit.id = OLD.visit_id", "past.visit_id = OLD.visit_id"
BY_COUPLE = "visit.couple_id = OLD.couple_id", "past.couple_id = OLD.couple_id"


def _kept(owner: tuple[str, str], *, but_in_history: bool) -> str:
    """Whether a visit needs the claim: it is ahead or going on, or it is done."""
    done = "visit.status = 'done'"
    if but_in_history:
        done += f" AND NOT EXISTS (SELECT 1 FROM claim_history past WHERE {owner[1]} AND {SAME_SPAN})"  # noqa: S608 - constants
    return f"EXISTS (SELECT 1 FROM visit WHERE {owner[0]} AND (visit.status IN {STANDING} OR ({done})))"  # noqa: S608 - constants


def _of_either(*, but_in_history: bool) -> str:
    of_visit, of_couple = (_kept(owner, but_in_history=but_in_history) for owner in (BY_VISIT, BY_COUPLE))
    return f"{of_visit} OR {of_couple}"


KEPT_BEFORE = _of_either(but_in_history=False)
KEPT_NOW = _of_either(but_in_history=True)
COLUMNS = "resource_id, visit_id, couple_id, starts_at, ends_at"


def upgrade() -> None:
    op.create_table(
        "claim_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("couple_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_history")),
    )
    op.create_index(op.f("ix_claim_history_visit_id"), "claim_history", ["visit_id"])
    has_one = sa.text("couple_id IS NOT NULL")
    op.create_index(
        op.f("ix_claim_history_couple_id"),
        "claim_history",
        ["couple_id"],
        sqlite_where=has_one,
        postgresql_where=has_one,
    )
    op.create_table(
        "request_count",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_count")),
    )
    op.add_column("clinic", sa.Column("travel_minutes", sa.Integer(), nullable=False, server_default="30"))
    for event in ("UPDATE", "DELETE"):
        _never(event)
    _keep_claims(KEPT_NOW)


def downgrade() -> None:
    _keep_claims(KEPT_BEFORE)
    op.execute(f"INSERT INTO claim ({COLUMNS}) SELECT {COLUMNS} FROM claim_history")  # noqa: S608 - our own words
    op.drop_column("clinic", "travel_minutes")
    op.drop_table("request_count")
    op.drop_table("claim_history")


def _never(event: str) -> None:
    name = f"ap_claim_history_{event.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON claim_history BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON claim_history FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
        )


def _keep_claims(still_held: str) -> None:
    """Guard the claims of visits anew, with another idea of what has to stay."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ap_claim_kept")
        op.execute(
            "CREATE TRIGGER ap_claim_kept BEFORE DELETE ON claim WHEN OLD.expires_at IS NULL"
            f" BEGIN SELECT RAISE(ABORT, 'ap_claim_kept') WHERE {still_held}; END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_unkept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF OLD.expires_at IS NULL AND ({still_held}) THEN"
        " RAISE EXCEPTION 'ap_claim_kept' USING ERRCODE = 'integrity_constraint_violation';"
        " END IF; RETURN OLD; END $$"
    )
