"""Keep what entries in people's calendars are known by: it was the domain of the sender of mails, and when the owner
changed that every visit stood in each calendar twice. Those that are there now keep their name.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinic", sa.Column("calendar_domain", sa.String(), nullable=False, server_default=""))
    bind = op.get_bind()
    for row_id, sender in bind.execute(sa.text("SELECT id, mail_sender FROM clinic")).all():
        bind.execute(
            sa.text("UPDATE clinic SET calendar_domain = :domain WHERE id = :id"),
            {"domain": sender.rpartition("@")[2], "id": row_id},
        )


def downgrade() -> None:
    op.drop_column("clinic", "calendar_domain")
