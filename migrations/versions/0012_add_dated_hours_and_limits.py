"""Add hours of single days, a therapist's limits, online rules for new clients, and an index that answers alone.

The index on claims holds every column that free times ask for, so that they are read without the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OLD_INDEX = "ix_claim_resource_id_ends_at"
INDEX = "ix_claim_read_alone"


def upgrade() -> None:
    op.create_index(INDEX, "claim", ["resource_id", "ends_at", "starts_at", "expires_at", "visit_id"])
    op.drop_index(OLD_INDEX, table_name="claim")
    op.create_table(
        "dated_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapist.id"], name=op.f("fk_dated_hours_therapist_id_therapist")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_dated_hours_location_id_location")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_hours")),
    )
    op.create_index("ix_dated_hours_therapist_id_day", "dated_hours", ["therapist_id", "day"])
    op.create_table(
        "dated_opening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name=op.f("fk_dated_opening_location_id_location")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_opening")),
    )
    op.create_index("ix_dated_opening_location_id_day", "dated_opening", ["location_id", "day"])
    op.add_column("therapist", sa.Column("most_minutes_a_day", sa.Integer(), nullable=True))
    op.add_column("therapist", sa.Column("most_intense_minutes_a_day", sa.Integer(), nullable=True))
    for name in ("is_intense", "known_clients_only"):
        op.add_column("service", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE service SET is_intense = true WHERE key IN ('deep_tissue', 'sports')")
    op.add_column("clinic", sa.Column("new_lead_time_minutes", sa.Integer(), nullable=True))
    op.add_column("clinic", sa.Column("new_horizon_days", sa.Integer(), nullable=True))
    op.add_column("clinic", sa.Column("gaps", sa.String(), nullable=False, server_default="any"))


def downgrade() -> None:
    for name in ("gaps", "new_horizon_days", "new_lead_time_minutes"):
        op.drop_column("clinic", name)
    for name in ("known_clients_only", "is_intense"):
        op.drop_column("service", name)
    for name in ("most_intense_minutes_a_day", "most_minutes_a_day"):
        op.drop_column("therapist", name)
    op.drop_table("dated_opening")
    op.drop_table("dated_hours")
    op.create_index(OLD_INDEX, "claim", ["resource_id", "ends_at"])
    op.drop_index(INDEX, table_name="claim")
