"""Add the browsers an account was used in, locked screens, and links that confirm a new e-mail address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_browser",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("mark_hash", sa.String(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_known_browser_user_id_user"),
        sa.PrimaryKeyConstraint("user_id", "mark_hash", name="pk_known_browser"),
    )

    op.add_column("user_session", sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mailed_link", sa.Column("new_email", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("mailed_link", "new_email")
    op.drop_column("user_session", "locked_at")
    op.drop_table("known_browser")
