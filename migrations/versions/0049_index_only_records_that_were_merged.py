"""Index which record another was merged into for those that were merged alone.

Nearly nobody was: with everybody in it, SQLite took it for the way to all who were not, and left better ones aside.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

NAME, WAS_MERGED = "ix_client_merged_into_id", sa.text("merged_into_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index(op.f(NAME), table_name="client")
    op.create_index(
        op.f(NAME), "client", ["merged_into_id"], sqlite_where=WAS_MERGED, postgresql_where=WAS_MERGED
    )


def downgrade() -> None:
    op.drop_index(op.f(NAME), table_name="client")
    op.create_index(op.f(NAME), "client", ["merged_into_id"])
