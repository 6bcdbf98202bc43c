"""Add the gender of the therapist that was asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ASKED = ("visit", "waitlist_wish")


def upgrade() -> None:
    for table in ASKED:
        op.add_column(table, sa.Column("asked_gender", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in reversed(ASKED):
        op.drop_column(table, "asked_gender")
