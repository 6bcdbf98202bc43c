"""Forget in which language somebody wished to be written to, and whether they asked for a woman or a man, where they
were erased before erasing took both along.
"""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

# what erasing leaves of a record
ERASED = "first_name = 'Erased' AND last_name = '' AND born_on = '1900-01-01'"


def upgrade() -> None:
    theirs = f"client_id IN (SELECT id FROM client WHERE {ERASED})"  # noqa: S608 - constants
    op.execute(f"UPDATE visit SET asked_gender = '' WHERE asked_gender <> '' AND {theirs}")  # noqa: S608 - constants
    op.execute(f"UPDATE client SET language = NULL WHERE {ERASED}")  # noqa: S608 - constants
    op.execute("UPDATE \"user\" SET language = NULL WHERE email LIKE 'erased-%@erased.invalid'")


def downgrade() -> None:
    """What was forgotten is nobody's to put back."""
