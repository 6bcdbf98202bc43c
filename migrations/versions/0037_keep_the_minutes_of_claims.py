"""Keep start and end of a claim as one number in the index that free times are read from (SQLite).

A month of a clinic has thousands of claims: to work the number out from two texts each time took as long as to find
them. SQLite takes it from the index where the statement says it in the same words (booking/queries/the_book.py).
PostgreSQL has its moments as numbers, and does not take what is worked out from an index.
"""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

NAME = "ix_claim_read_alone"
COLUMNS = "resource_id, ends_at, starts_at, expires_at, visit_id"
SPAN = (
    "(unixepoch(starts_at) / 60) * 1000000000"
    " + ((unixepoch(ends_at) + 59 + (substr(ends_at, 21) > '000000')) / 60)"
)


def upgrade() -> None:
    _make(f"{COLUMNS}, {SPAN}")


def downgrade() -> None:
    _make(COLUMNS)


def _make(what: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP INDEX {NAME}")
        op.execute(f"CREATE INDEX {NAME} ON claim ({what})")
