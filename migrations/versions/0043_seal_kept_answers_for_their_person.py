"""Note whom the kept answer of a program is about: it is sealed for them, and erased with them.

Refusals that were kept before, for two days at most, name nobody: they are deleted, and their repetition is judged anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


NAME = "fk_api_answer_client_id_client"


def upgrade() -> None:
    op.execute("DELETE FROM api_answer WHERE status >= 400")
    if op.get_bind().dialect.name == "sqlite":  # in one step, without building the table anew
        op.execute(
            f"ALTER TABLE api_answer ADD COLUMN client_id INTEGER CONSTRAINT {NAME} REFERENCES client (id)"
        )
    else:
        op.add_column("api_answer", sa.Column("client_id", sa.Integer(), nullable=True))
        op.create_foreign_key(NAME, "api_answer", "client", ["client_id"], ["id"])
    op.create_index(op.f("ix_api_answer_client_id"), "api_answer", ["client_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_api_answer_client_id"), "api_answer")
    op.drop_column("api_answer", "client_id")
