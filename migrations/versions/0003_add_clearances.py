"""Add clearances: letters of clinicians with their pages, what was verified from them, and which a judgement used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # ids of sealed rows are random and large
MOMENT = sa.DateTime(timezone=True)
SCREENING_BEFORE = (
    "id, client_id, judged_key, day, permits, service, mode, addons, areas, minutes, verdict, outcome,"
    " urgency, rules_version, question_version, intake_ids, door, visit_id, judged_at, by_user_id"
)
SCREENING = SCREENING_BEFORE + ", clearance_ids"
# Sealed columns are not named: they may be sealed anew when keys are changed. All others stay as written.
COLUMNS = {
    "clearance_letter": "id, client_id, sent_at, sent_by_id, source",
    "clearance_document": "id, letter_id, position, kind, size",
    "clearance": (
        "id, client_id, letter_id, intake_id, issued_on, ends_on, lapses_on, verified_at, verified_by_id"
    ),
}
# What is decided once: trigger, table, its columns, and the one that says that it was done.
ONCE = (
    ("ap_clearance_letter_decision", "clearance_letter", "decided_at, decided_by_id, decision", "decided_at"),
    ("ap_clearance_withdrawal", "clearance", "withdrawn_at, withdrawn_by_id", "withdrawn_at"),
)


def upgrade() -> None:
    make_tables()
    drop_guard("screening", "update")
    op.add_column("screening", sa.Column("clearance_ids", sa.JSON(), nullable=False, server_default="[]"))
    guard("ap_screening_update", "screening", f"UPDATE OF {SCREENING}")
    for table, columns in COLUMNS.items():
        guard(f"ap_{table}_update", table, f"UPDATE OF {columns}")
        guard(f"ap_{table}_delete", table, "DELETE")
    for name, table, columns, done in ONCE:
        guard(name, table, f"UPDATE OF {columns}", when=f"OLD.{done} IS NOT NULL")


def make_tables() -> None:
    op.create_table(
        "clearance_letter",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("sent_by_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name="fk_clearance_letter_client_id_client"),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name="fk_clearance_letter_decided_by_id_user"
        ),
        sa.ForeignKeyConstraint(["sent_by_id"], ["user.id"], name="fk_clearance_letter_sent_by_id_user"),
        sa.PrimaryKeyConstraint("id", name="pk_clearance_letter"),
    )
    op.create_index("ix_clearance_letter_client_id", "clearance_letter", ["client_id"])
    op.create_table(
        "clearance_document",
        sa.Column("letter_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["clearance_letter.id"], name="fk_clearance_document_letter_id_clearance_letter"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_clearance_document"),
    )
    op.create_index("ix_clearance_document_letter_id", "clearance_document", ["letter_id"])
    op.create_table(
        "clearance",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("letter_id", BIG, nullable=False),
        sa.Column("intake_id", BIG, nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("lapses_on", sa.Date(), nullable=False),
        sa.Column("verified_at", MOMENT, nullable=False),
        sa.Column("verified_by_id", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("statement_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("withdrawal_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name="fk_clearance_client_id_client"),
        sa.ForeignKeyConstraint(["intake_id"], ["intake.id"], name="fk_clearance_intake_id_intake"),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["clearance_letter.id"], name="fk_clearance_letter_id_clearance_letter"
        ),
        sa.ForeignKeyConstraint(["verified_by_id"], ["user.id"], name="fk_clearance_verified_by_id_user"),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["user.id"], name="fk_clearance_withdrawn_by_id_user"),
        sa.PrimaryKeyConstraint("id", name="pk_clearance"),
    )
    for column in ("client_id", "letter_id", "lapses_on"):
        op.create_index(f"ix_clearance_{column}", "clearance", [column])


def guard(name: str, table: str, event: str, *, when: str = "") -> None:
    """A trigger that refuses this."""
    if is_sqlite():
        condition = f" WHEN {when}" if when else ""
        body = f" BEGIN SELECT RAISE(ABORT, 'ap_{table}'); END"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table}{condition}{body}")
        return
    condition = f" WHEN ({when})" if when else ""
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION refuse_edit()"
    )


def drop_guard(table: str, event: str) -> None:
    op.execute(f"DROP TRIGGER ap_{table}_{event}" + ("" if is_sqlite() else f" ON {table}"))


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    for table in ("clearance", "clearance_document", "clearance_letter"):
        op.drop_table(table)  # its triggers go with it
    drop_guard("screening", "update")
    op.drop_column("screening", "clearance_ids")
    guard("ap_screening_update", "screening", f"UPDATE OF {SCREENING_BEFORE}")
