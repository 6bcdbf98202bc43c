"""Keep what a program asked for apart from the key it asked under, and rest that no person passed.

One key names one visit, whatever is asked for under it: the key alone is unique.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WRITTEN_ONCE = "id, visit_id, starts_at, passed, passed_at, passed_by_id"  # the rest may be sealed anew
OF_PROGRAMS = "SELECT id, request_key FROM visit WHERE request_key LIKE 'api:%:%:%' ORDER BY created_at, id"
TAKE_APART = (
    "UPDATE visit SET request_asked = :asked, request_key = :name WHERE id = :id"
    " AND NOT EXISTS (SELECT 1 FROM visit WHERE request_key = :name)"
)


def upgrade() -> None:
    op.add_column("visit", sa.Column("request_asked", sa.String(), nullable=True))
    visits = op.get_bind()
    for visit, key in visits.execute(sa.text(OF_PROGRAMS)).all():
        name, _, asked = key.rpartition(":")
        # Two requests of one key, as the earlier program let through: the first keeps it, the other its own longer one.
        visits.execute(sa.text(TAKE_APART), {"asked": asked, "name": name, "id": visit})
    let_programs_pass(True)


def let_programs_pass(may: bool) -> None:
    """Whether who passed the rest may be left open. SQLite makes the table anew for it, without its guards."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("rest_pass") as table:
        table.alter_column("passed_by_id", existing_type=sa.Integer(), nullable=may)
    if sqlite:
        guard()


def guard() -> None:
    """Who passed what is never edited and never deleted (SQLite)."""
    refusal = "BEGIN SELECT RAISE(ABORT, 'ap_rest_pass'); END"
    op.execute(f"CREATE TRIGGER ap_rest_pass_update BEFORE UPDATE OF {WRITTEN_ONCE} ON rest_pass {refusal}")
    op.execute(f"CREATE TRIGGER ap_rest_pass_delete BEFORE DELETE ON rest_pass {refusal}")


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    # What programs passed cannot be kept by the earlier program.
    if sqlite:
        op.execute("DROP TRIGGER ap_rest_pass_delete")
        op.execute("DELETE FROM rest_pass WHERE passed_by_id IS NULL")
    else:
        op.execute("ALTER TABLE rest_pass DISABLE TRIGGER ap_rest_pass_delete")
        op.execute("DELETE FROM rest_pass WHERE passed_by_id IS NULL")
        op.execute("ALTER TABLE rest_pass ENABLE TRIGGER ap_rest_pass_delete")
    let_programs_pass(False)
    op.execute(
        "UPDATE visit SET request_key = request_key || ':' || request_asked WHERE request_asked IS NOT NULL"
    )
    op.drop_column("visit", "request_asked")
