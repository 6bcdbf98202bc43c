"""Give the skills of therapists a first and a last day, and name the deed that changed several visits at the desk.

Skills that were there before have neither day: they stay good as they were.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("therapist_skill") as table:
        table.add_column(sa.Column("starts_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("ends_on", sa.Date(), nullable=True))
        table.create_check_constraint(op.f("ck_therapist_skill_order"), "ends_on >= starts_on")
    op.add_column("take_back", sa.Column("together", sa.String(), nullable=True))
    op.create_index(op.f("ix_take_back_together"), "take_back", ["together"])


def downgrade() -> None:
    op.drop_index(op.f("ix_take_back_together"), table_name="take_back")
    op.drop_column("take_back", "together")
    with op.batch_alter_table("therapist_skill") as table:
        table.drop_constraint(op.f("ck_therapist_skill_order"), type_="check")
        table.drop_column("ends_on")
        table.drop_column("starts_on")
