"""Keep in which language, and in which words, the health questions were shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("shown_version", "shown_in"):
        op.add_column("intake", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    for name in ("shown_in", "shown_version"):
        op.drop_column("intake", name)
