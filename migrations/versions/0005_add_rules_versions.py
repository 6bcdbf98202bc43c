"""Add the clinic's own versions of the rules. They are never edited and never deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rules_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 1 AND previous = number - 1", name=op.f("ck_rules_version_order")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user.id"], name=op.f("fk_rules_version_made_by_id_user")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rules_version")),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'ap_rules_version'); END"
        if sqlite
        else "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
    )
    for event in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER ap_rules_version_{event} BEFORE {event.upper()} ON rules_version {refusal}"
        )


def downgrade() -> None:
    op.drop_table("rules_version")
