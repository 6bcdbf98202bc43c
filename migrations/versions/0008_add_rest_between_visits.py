"""Add the switch for the rest between visits, and the record of who passed it and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WRITTEN_ONCE = "id, visit_id, starts_at, passed, passed_at, passed_by_id"  # what is sealed may be sealed anew


def upgrade() -> None:
    op.add_column("clinic", sa.Column("minds_rest", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "rest_pass",
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed", sa.JSON(), nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed_by_id", sa.Integer(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["passed_by_id"], ["user.id"], name=op.f("fk_rest_pass_passed_by_id_user")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_rest_pass_visit_id_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rest_pass")),
    )
    op.create_index(op.f("ix_rest_pass_visit_id"), "rest_pass", ["visit_id"])
    guard()


def guard() -> None:
    """Who passed what is never edited and never deleted."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'ap_rest_pass'); END"
        if sqlite
        else "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
    )
    op.execute(f"CREATE TRIGGER ap_rest_pass_update BEFORE UPDATE OF {WRITTEN_ONCE} ON rest_pass {refusal}")
    op.execute(f"CREATE TRIGGER ap_rest_pass_delete BEFORE DELETE ON rest_pass {refusal}")


def downgrade() -> None:
    op.drop_table("rest_pass")
    op.drop_column("clinic", "minds_rest")
