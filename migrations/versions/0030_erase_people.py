"""Give each person a key of their own, and let them be erased: only by a pass that the erasing transaction holds.

Rows that are never deleted may be deleted while a row stands in `erasure_pass`. It is written and removed by the
transaction that erases; no other one ever sees it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ERASABLE = (
    "screening", "intake", "softened_review", "status_change", "clearance", "clearance_letter", "clearance_document",
    "claim_history", "rest_pass", "bad_reaction", "session_note",
)  # fmt: skip
NOT_LET = "NOT EXISTS (SELECT 1 FROM erasure_pass)"
OPEN = sa.text("erased_at IS NULL AND withdrawn_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "person_key",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("ring", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_key")),
        sa.UniqueConstraint("client_id", "ring", name=op.f("uq_person_key_client_id")),
    )
    _add_erasure()
    op.create_table(
        "erasure_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_pass")),
    )
    op.create_table(
        "keeping_period",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_keeping_period")),
    )
    op.create_table(
        "keeping_confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("periods", sa.JSON(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.Column("confirmed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["user.id"], name=op.f("fk_keeping_confirmation_confirmed_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keeping_confirmation")),
    )
    _guard_deletes(erasable=True)


def _add_erasure() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("erased_at", MOMENT, nullable=True),
        sa.Column("erased_by_id", sa.Integer(), nullable=True),
        sa.Column("kept_until", sa.Date(), nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["user.id"], name=op.f("fk_erasure_asked_by_id_user")),
        sa.ForeignKeyConstraint(["erased_by_id"], ["user.id"], name=op.f("fk_erasure_erased_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_client_id"), "erasure", ["client_id"])
    op.create_index(
        "uq_erasure_open", "erasure", ["client_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )


def _guard_deletes(*, erasable: bool) -> None:
    """Every delete of these tables is refused; `erasable`: unless there is a pass."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if erasable and not sqlite:
        op.execute(
            "CREATE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {NOT_LET} THEN"
            " RAISE EXCEPTION 'ap_%', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';"
            " END IF; RETURN OLD; END $$"
        )
    for table in ERASABLE:
        name = f"ap_{table}_delete"
        op.execute(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}"))
        if sqlite:
            condition = f" WHERE {NOT_LET}" if erasable else ""
            does = f"BEGIN SELECT RAISE(ABORT, 'ap_{table}'){condition}; END"
        else:
            does = f"FOR EACH ROW EXECUTE FUNCTION {'refuse_delete' if erasable else 'refuse_edit'}()"
        op.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {table} {does}")
    if not erasable and not sqlite:
        op.execute("DROP FUNCTION refuse_delete()")


def downgrade() -> None:
    """What a person's key sealed cannot be read by the program before this one: `clinic keys` has no way back."""
    _guard_deletes(erasable=False)
    for table in ("keeping_confirmation", "keeping_period", "erasure_pass", "erasure", "person_key"):
        op.drop_table(table)
