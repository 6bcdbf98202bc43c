"""Add the quiet time, in which nobody is sent an offer of the waitlist by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, wall in (("quiet_from", "21:00:00.000000"), ("quiet_until", "08:00:00.000000")):
        column = sa.Column(name, sa.Time(), nullable=False, server_default=sa.text(f"'{wall}'"))
        op.add_column("clinic", column)


def downgrade() -> None:
    op.drop_column("clinic", "quiet_until")
    op.drop_column("clinic", "quiet_from")
