"""Chain the audit: a link for each audit row, never edited. The worker makes the links of the rows that are there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_link",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_link")),
    )
    for event in ("UPDATE", "DELETE"):
        name = f"ap_audit_link_{event.lower()}"
        if op.get_bind().dialect.name == "sqlite":
            does = f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        else:
            does = "FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON audit_link {does}")


def downgrade() -> None:
    op.drop_table("audit_link")
