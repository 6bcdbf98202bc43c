"""Find visits of a day, deeds about a thing and answers to review without reading all that a clinic ever had.

On SQLite a new visit looked through all bookings in the making, too: a row that others point to is checked against
them, and without an index that is a walk through the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_visit_location_id_day_starts_at": ("visit", ["location_id", "day", "starts_at"]),
    "ix_visit_day_starts_at": ("visit", ["day", "starts_at"]),
    "ix_visit_location_id_created_at": ("visit", ["location_id", "created_at"]),
    "ix_audit_row_thing_thing_id": ("audit_row", ["thing", "thing_id"]),
    "ix_screening_judged_at": ("screening", ["judged_at"]),
}
RARE = [(table, column) for table in ("call_request", "checkout") for column in ("client_id", "visit_id")]


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for table, column in RARE:
        has_one = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_{table}_{column}", table, [column], sqlite_where=has_one, postgresql_where=has_one
        )
    is_open = sa.text("done_at IS NULL")
    op.create_index(
        "ix_call_request_open", "call_request", ["asked_at"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index(
        "ix_intake_softens",
        "intake",
        ["signed_at"],
        sqlite_where=sa.text("softens = 1"),
        postgresql_where=sa.text("softens"),
    )


def downgrade() -> None:
    op.drop_index("ix_intake_softens", "intake")
    op.drop_index("ix_call_request_open", "call_request")
    for table, column in RARE:
        op.drop_index(f"ix_{table}_{column}", table)
    for name, (table, _columns) in INDEXES.items():
        op.drop_index(name, table)
