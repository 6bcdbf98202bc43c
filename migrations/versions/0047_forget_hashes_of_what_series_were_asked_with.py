"""Forget what a program asked when it booked a series or two people: the key under which that is done once ended in a
hash of the request alone, from which the words of a reason could be guessed. Repetitions are known by what they were
answered, which is kept for its own time.
"""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE series SET request_key = NULL WHERE request_key LIKE 'api:%:%:%'")
    op.execute("UPDATE couple SET request_key = NULL WHERE request_key LIKE 'api:%:%:%'")


def downgrade() -> None:
    """What was forgotten is nobody's to put back."""
