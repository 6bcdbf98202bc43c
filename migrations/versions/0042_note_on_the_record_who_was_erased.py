"""Note on the record itself that somebody was erased: it takes nothing more, whichever form was still open.

A record that was joined with one of today since, or on which somebody is booked again, is somebody's: it stays open.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ERASED = """
UPDATE client SET erased_at =
  COALESCE((SELECT max(erasure.erased_at) FROM erasure WHERE erasure.client_id = client.id), created_at)
WHERE (name_key = '' OR EXISTS (
    SELECT 1 FROM erasure WHERE erasure.client_id = client.id AND erasure.erased_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM client AS came
                    WHERE came.merged_into_id = client.id AND came.merged_at > erasure.erased_at)))
  AND NOT EXISTS (SELECT 1 FROM visit WHERE visit.client_id = client.id
    AND visit.status IN ('held', 'pending', 'confirmed', 'suspended', 'arrived', 'in_session'))
"""


def upgrade() -> None:
    op.add_column("client", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(ERASED)


def downgrade() -> None:
    op.drop_column("client", "erased_at")
