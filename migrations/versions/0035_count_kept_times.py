"""Note of each booking in the making whose it is, as a keyed hash, so that nobody keeps a whole day's times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checkout", sa.Column("keeper_hash", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_checkout_keeper_hash", "checkout", ["keeper_hash"])


def downgrade() -> None:
    op.drop_index("ix_checkout_keeper_hash", "checkout")
    op.drop_column("checkout", "keeper_hash")
