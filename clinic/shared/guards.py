"""The guards that the database itself must hold, by name. Without them the application refuses to start."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

APPEND_ONLY = (
    "screening", "intake", "softened_review", "status_change", "audit_row", "audit_link",
    "clearance", "clearance_letter",
    "clearance_document", "claim_history", "rest_pass", "question_set", "rules_version", "bad_reaction",
    "session_note",
)  # fmt: skip
OF_THEIR_OWN = frozenset(
    {
        "ap_clearance_withdrawal",
        "ap_clearance_letter_decision",
        "ap_screening_basis_update",
        "ap_intake_renewal_update",
        "ap_intake_asked_update",
        "ap_visit_as_judged_insert",
        "ap_visit_as_judged_update",
        "ap_visit_over",
        "ap_claim_kept",
    }
)
TRIGGERS = OF_THEIR_OWN | {f"ap_{table}_{event}" for table in APPEND_ONLY for event in ("update", "delete")}
OVERLAP = "ex_claim_overlap"
SQLITE_OVERLAP = frozenset({f"{OVERLAP}_insert", f"{OVERLAP}_update"})
POSTGRESQL_OVERLAP = frozenset({OVERLAP})


def missing_guards(session: Session) -> list[str]:
    """Names of guards that are not there, in order; empty when all is well."""
    if session.get_bind().dialect.name == "sqlite":
        there = set(session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
        return sorted((TRIGGERS | SQLITE_OVERLAP) - there)
    there = set(session.scalars(text("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'")))
    there |= set(session.scalars(text("SELECT conname FROM pg_constraint WHERE contype = 'x'")))
    return sorted((TRIGGERS | POSTGRESQL_OVERLAP) - there)
