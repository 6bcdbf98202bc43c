"""Add the language of the clinic, and those that people have chosen for their mails."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinic", sa.Column("language", sa.String(), nullable=False, server_default="en"))
    op.add_column(
        "clinic", sa.Column("offers_languages", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    for table in ("user", "client"):
        op.add_column(table, sa.Column("language", sa.String(), nullable=True))


def downgrade() -> None:
    for table in ("client", "user"):
        op.drop_column(table, "language")
    op.drop_column("clinic", "offers_languages")
    op.drop_column("clinic", "language")
