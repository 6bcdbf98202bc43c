"""Guard visits: one that stands is what its judgement judged, one that is over stays over, and its place is kept.

The foreign key to the screening (0001) holds client, day and permit; that the visit is also of the service, mode,
add-ons, areas and minutes that were judged is held here, and cannot be got round by an UPDATE.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STANDING = "('confirmed', 'arrived', 'in_session', 'done')"
OVER = "('cancelled', 'late_cancelled', 'released')"
JUDGED_COLUMNS = "status, screening_id, service_id, mode, addons, areas, minutes"
COMES_BACK = f"OLD.status IN {OVER} AND NEW.status NOT IN {OVER}"
AS_JUDGED = """
  SELECT 1 FROM screening JOIN service ON service.key = screening.service
  WHERE screening.id = NEW.screening_id AND service.id = NEW.service_id
    AND screening.minutes = NEW.minutes AND {same_mode}
    AND screening.addons{text} = NEW.addons{text} AND screening.areas{text} = NEW.areas{text}
"""
STILL_HELD = (
    "SELECT 1 FROM visit WHERE visit.id = OLD.visit_id AND visit.status IN"
    " ('held', 'pending', 'confirmed', 'arrived', 'in_session', 'done', 'suspended')"
)
PLPGSQL = (
    ("refuse_unlike_judged", f"NEW.status IN {STANDING} AND NOT EXISTS ({{as_judged}})", "visit_as_judged", "NEW"),
    ("refuse_unkept", f"OLD.expires_at IS NULL AND EXISTS ({STILL_HELD})", "claim_kept", "OLD"),
)  # fmt: skip


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        guard_sqlite()
    else:
        guard_postgresql()


def guard_sqlite() -> None:
    as_judged = AS_JUDGED.format(same_mode="screening.mode IS NEW.mode", text="")
    for event, what in (("insert", "INSERT"), ("update", f"UPDATE OF {JUDGED_COLUMNS}")):
        op.execute(
            f"CREATE TRIGGER ap_visit_as_judged_{event} BEFORE {what} ON visit WHEN NEW.status IN {STANDING}"
            f" BEGIN SELECT RAISE(ABORT, 'ap_visit_as_judged') WHERE NOT EXISTS ({as_judged}); END"
        )
    op.execute(
        f"CREATE TRIGGER ap_visit_over BEFORE UPDATE OF status ON visit WHEN {COMES_BACK}"
        " BEGIN SELECT RAISE(ABORT, 'ap_visit'); END"
    )
    op.execute(
        "CREATE TRIGGER ap_claim_kept BEFORE DELETE ON claim WHEN OLD.expires_at IS NULL"
        f" BEGIN SELECT RAISE(ABORT, 'ap_claim_kept') WHERE EXISTS ({STILL_HELD}); END"
    )


def guard_postgresql() -> None:
    as_judged = AS_JUDGED.format(same_mode="screening.mode IS NOT DISTINCT FROM NEW.mode", text="::text")
    for function, refused, name, row in PLPGSQL:
        op.execute(
            f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {refused.format(as_judged=as_judged)} THEN"
            f" RAISE EXCEPTION 'ap_{name}' USING ERRCODE = 'integrity_constraint_violation';"
            f" END IF; RETURN {row}; END $$"
        )
    for event, what in (("insert", "INSERT"), ("update", f"UPDATE OF {JUDGED_COLUMNS}")):
        op.execute(
            f"CREATE TRIGGER ap_visit_as_judged_{event} BEFORE {what} ON visit"
            " FOR EACH ROW EXECUTE FUNCTION refuse_unlike_judged()"
        )
    op.execute(
        f"CREATE TRIGGER ap_visit_over BEFORE UPDATE OF status ON visit FOR EACH ROW WHEN ({COMES_BACK})"
        " EXECUTE FUNCTION refuse_edit()"
    )
    op.execute(
        "CREATE TRIGGER ap_claim_kept BEFORE DELETE ON claim FOR EACH ROW EXECUTE FUNCTION refuse_unkept()"
    )


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table in (
        ("ap_visit_as_judged_insert", "visit"),
        ("ap_visit_as_judged_update", "visit"),
        ("ap_visit_over", "visit"),
        ("ap_claim_kept", "claim"),
    ):
        op.execute(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        for function, _refused, _name, _row in PLPGSQL:
            op.execute(f"DROP FUNCTION {function}()")
