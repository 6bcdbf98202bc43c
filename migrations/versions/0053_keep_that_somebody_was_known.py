"""Keep of somebody whose record was joined with one that waits that they were known before: what they say counts for
those who look like them as it did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

# Of records joined before this it is not noted. Those that staff made were known, nearly all of them.
WERE_KNOWN = """
UPDATE client SET was_proven = true
WHERE is_unproven AND created_by_id IS NOT NULL
  AND id IN (SELECT merged_into_id FROM client WHERE merged_into_id IS NOT NULL)
"""
INDEX = "ix_client_was_proven"


def upgrade() -> None:
    op.add_column("client", sa.Column("was_proven", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(WERE_KNOWN)
    op.create_index(
        INDEX,
        "client",
        ["was_proven"],
        sqlite_where=sa.text("was_proven = 1"),
        postgresql_where=sa.text("was_proven"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, table_name="client")
    op.drop_column("client", "was_proven")
