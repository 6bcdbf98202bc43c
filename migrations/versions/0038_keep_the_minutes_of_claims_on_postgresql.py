"""Keep start and end of a claim as one number in the index that free times are read from, on PostgreSQL as well.

It takes the number from the index where the statement says it in the same words and does not gather it with an
aggregate (`gathered`, shared/statements.py): a month of twenty therapists is read in two thirds of the time.
"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

NAME = "ix_claim_read_alone"
COLUMNS = "resource_id, ends_at, starts_at, expires_at, visit_id"
SPAN = (
    "(CAST(floor(date_part('epoch', timezone('UTC', starts_at)) / 60) AS bigint) * 1000000000"
    " + CAST(ceil(date_part('epoch', timezone('UTC', ends_at)) / 60) AS bigint))"
)


def upgrade() -> None:
    _make(f"{COLUMNS}, {SPAN}")


def downgrade() -> None:
    _make(COLUMNS)


def _make(what: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP INDEX {NAME}")
        op.execute(f"CREATE INDEX {NAME} ON claim ({what})")
