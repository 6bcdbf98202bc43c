"""Let a clinic write dates in English with the month first. Those whose phone numbers are of the United States do: what
they type into the search was read that way already.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinic", sa.Column("month_first", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE clinic SET month_first = (phone_region = 'US')")


def downgrade() -> None:
    op.drop_column("clinic", "month_first")
