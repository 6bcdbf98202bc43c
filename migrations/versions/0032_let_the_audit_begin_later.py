"""Let the beginning of the audit go when its time is over: only by the pass that what is removed needs (0030)."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

SAYS = {"audit_row": "ap_audit_row", "audit_link": "ap_audit_link_delete"}


def upgrade() -> None:
    guard_deletes("refuse_delete", " WHERE NOT EXISTS (SELECT 1 FROM erasure_pass)")


def downgrade() -> None:
    guard_deletes("refuse_edit", "")


def guard_deletes(function: str, condition: str) -> None:
    """Refuse every delete of both tables: on PostgreSQL by FUNCTION, on SQLite where CONDITION holds."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, said in SAYS.items():
        name = f"ap_{table}_delete"
        op.execute(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}"))
        does = (
            f"BEGIN SELECT RAISE(ABORT, '{said}'){condition}; END"
            if sqlite
            else f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {table} {does}")
