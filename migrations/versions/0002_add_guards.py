"""Add the guards: no two claims overlap, what is signed or decided is never edited.

They are written by hand for each database. SQLite's triggers go when a table is rebuilt, so a later migration
that rebuilds one of these tables must end with `op.execute` of its guards again; the application refuses to
start without them (clinic/shared/guards.py holds their names).
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OVERLAP = """
CREATE TRIGGER ex_claim_overlap_{when} BEFORE {event} ON claim
BEGIN
  SELECT RAISE(ABORT, 'ex_claim_overlap') WHERE EXISTS (
    SELECT 1 FROM claim AS other
    WHERE other.resource_id = NEW.resource_id AND other.id IS NOT NEW.id
      AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at);
END
"""
# Sealed columns are not named: they may be sealed anew when keys are changed. All others stay as written.
COLUMNS = {
    "screening": (
        "id, client_id, judged_key, day, permits, service, mode, addons, areas, minutes, verdict, outcome,"
        " urgency, rules_version, question_version, intake_ids, door, visit_id, judged_at, by_user_id"
    ),
    "intake": (
        "id, client_id, version, kind, question_version, completed_on, answered_on, signed_at, source,"
        " recorded_by_id, softens"
    ),
    "softened_review": "id, intake_id, accepted, decided_at, decided_by_id",
    "status_change": "id, visit_id, status, at, by_user_id, reason",
    "audit_row": "sequence, at, by_user_id, deed, thing, thing_id, detail",
}


def upgrade() -> None:
    op.execute("INSERT INTO audit_counter (id, value) VALUES (1, 0)")
    if op.get_bind().dialect.name == "sqlite":
        guard_sqlite()
    else:
        guard_postgresql()


def guard_sqlite() -> None:
    op.execute(OVERLAP.format(when="insert", event="INSERT"))
    op.execute(OVERLAP.format(when="update", event="UPDATE OF resource_id, starts_at, ends_at"))
    for table, columns in COLUMNS.items():
        op.execute(
            f"CREATE TRIGGER ap_{table}_update BEFORE UPDATE OF {columns} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'ap_{table}'); END"
        )
        op.execute(
            f"CREATE TRIGGER ap_{table}_delete BEFORE DELETE ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'ap_{table}'); END"
        )


def guard_postgresql() -> None:
    op.execute(
        "ALTER TABLE claim ADD CONSTRAINT ex_claim_overlap EXCLUDE USING gist"
        " (int8range(resource_id, resource_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)"
    )
    op.execute(
        "CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'ap_%', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';"
        " END $$"
    )
    for table, columns in COLUMNS.items():
        op.execute(
            f"CREATE TRIGGER ap_{table}_update BEFORE UPDATE OF {columns} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
        )
        op.execute(
            f"CREATE TRIGGER ap_{table}_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_edit()"
        )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in COLUMNS:
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER ap_{table}_{event}" + ("" if sqlite else f" ON {table}"))
    if sqlite:
        op.execute("DROP TRIGGER ex_claim_overlap_insert")
        op.execute("DROP TRIGGER ex_claim_overlap_update")
    else:
        op.execute("DROP FUNCTION refuse_edit()")
        op.execute("ALTER TABLE claim DROP CONSTRAINT ex_claim_overlap")
    op.execute("DELETE FROM audit_counter")
