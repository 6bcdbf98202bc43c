"""Note when an account was entered first: whoever signs in by mailed links alone is known to have entered it when their
sessions are removed after their time, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

# Whatever nobody does who has not entered it. The moment is not known: it was not before the account was made.
HAVE_ENTERED = """
UPDATE "user" SET entered_at = created_at
WHERE password_hash IS NOT NULL
   OR id IN (SELECT user_id FROM user_session)
   OR id IN (SELECT user_id FROM passkey)
   OR id IN (SELECT user_id FROM known_browser)
   OR id IN (SELECT by_user_id FROM audit_row WHERE by_user_id IS NOT NULL)
"""


def upgrade() -> None:
    op.add_column("user", sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(HAVE_ENTERED)


def downgrade() -> None:
    op.drop_column("user", "entered_at")
