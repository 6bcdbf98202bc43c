"""Keep which records a visit waits for, that were typed online for it under another name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "open_question",
        sa.Column("visit_id", BIG, nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_open_question_client_id_client")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_open_question_visit_id_visit")),
        sa.PrimaryKeyConstraint("visit_id", "client_id", name=op.f("pk_open_question")),
    )
    op.create_index(op.f("ix_open_question_client_id"), "open_question", ["client_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_open_question_client_id"), table_name="open_question")
    op.drop_table("open_question")
