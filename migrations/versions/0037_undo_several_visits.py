"""Name the deed that changed several visits at the desk, so that they are taken back together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("take_back", sa.Column("together", sa.String(), nullable=True))
    op.create_index(op.f("ix_take_back_together"), "take_back", ["together"])


def downgrade() -> None:
    op.drop_index(op.f("ix_take_back_together"), table_name="take_back")
    op.drop_column("take_back", "together")
