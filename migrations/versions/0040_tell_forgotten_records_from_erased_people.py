"""Tell destroyed keys of bookings that were given up from those of people who were erased, and let both make room.

Both stood there alike. On SQLite the number of a record that was forgotten went to the next one, whom a restore then
took for somebody who had been erased, and who got no key of their own. Numbers are not given twice any more
(clinic/booking/services/_forgetting.py). What was sealed without a person's key is sealed anew by `clinic keys reseal`.
"""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

FORGOTTEN = """
UPDATE person_key SET ring = 'forgotten ' || CAST(id AS VARCHAR)
WHERE length(wrapped) = 0 AND ring NOT LIKE 'erased%'
AND client_id NOT IN (SELECT client_id FROM erasure WHERE erased_at IS NOT NULL)
AND client_id NOT IN (SELECT id FROM client WHERE merged_into_id IS NOT NULL)
"""

DESTROYED = """
UPDATE person_key SET ring = 'destroyed ' || CAST(id AS VARCHAR)
WHERE length(wrapped) = 0 AND ring NOT LIKE 'erased%' AND ring NOT LIKE 'forgotten%'
"""


def upgrade() -> None:
    op.execute(FORGOTTEN)
    op.execute(DESTROYED)


def downgrade() -> None:
    """Nothing to do: the version before reads such a row as it reads any destroyed key."""
