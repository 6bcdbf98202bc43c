"""Add PINs of the team, when a handed-over device was last used, and how long drafts and idle devices last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
SETTINGS = (("draft_days", "30"), ("tablet_idle_minutes", "5"))


def upgrade() -> None:
    op.add_column("user", sa.Column("pin_hash", sa.String(), nullable=True))
    op.add_column("tablet_pass", sa.Column("seen_at", MOMENT, nullable=True))
    op.add_column("tablet_pass", sa.Column("signed_in_at", MOMENT, nullable=True))
    passes = sa.table(
        "tablet_pass", *(sa.column(one, MOMENT) for one in ("seen_at", "signed_in_at", "made_at"))
    )
    op.execute(passes.update().values(seen_at=passes.c.made_at, signed_in_at=passes.c.made_at))
    for name, value in SETTINGS:
        op.add_column("clinic", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text(value)))


def downgrade() -> None:
    for name, _value in reversed(SETTINGS):
        op.drop_column("clinic", name)
    op.drop_column("tablet_pass", "signed_in_at")
    op.drop_column("tablet_pass", "seen_at")
    op.drop_column("user", "pin_hash")
