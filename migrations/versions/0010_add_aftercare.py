"""Add the mark of a visit whose person has still to say that the earlier answers are right, and bad reactions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WRITTEN_ONCE = (
    "id, client_id, visit_id, happened_on, recorded_at, recorded_by_id"  # the rest may be sealed anew
)


def upgrade() -> None:
    op.add_column("visit", sa.Column("to_reconfirm", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "bad_reaction",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", BIG, nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.Column("what_happened_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_bad_reaction_client_id_client")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user.id"], name=op.f("fk_bad_reaction_recorded_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bad_reaction")),
    )
    op.create_index(op.f("ix_bad_reaction_client_id"), "bad_reaction", ["client_id"])
    op.create_index(op.f("ix_bad_reaction_visit_id"), "bad_reaction", ["visit_id"])
    guard()


def guard() -> None:
    """What was recorded is never edited and never deleted."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'ap_bad_reaction'); END"
        if sqlite
        else "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
    )
    op.execute(
        f"CREATE TRIGGER ap_bad_reaction_update BEFORE UPDATE OF {WRITTEN_ONCE} ON bad_reaction {refusal}"
    )
    op.execute(f"CREATE TRIGGER ap_bad_reaction_delete BEFORE DELETE ON bad_reaction {refusal}")


def downgrade() -> None:
    op.drop_table("bad_reaction")
    op.drop_column("visit", "to_reconfirm")
