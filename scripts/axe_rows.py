"""The rows that `make axe` opens pages of: for a client and a therapist their own, else the first of each table."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.clients.models import ClientAccess
from clinic.intake.queries import consents_shown
from clinic.rules.visit_status import UPCOMING
from clinic.shared.database import db
from clinic.therapists.models import Therapist
from tests.architecture.doors import some_rows


def rows_of(app: Flask, kind: str) -> dict[str, int]:
    """Argument of a route → id; a coming visit of theirs stands for every visit."""
    coming = select(Visit).where(Visit.status.in_(UPCOMING)).order_by(Visit.starts_at)
    if kind == "client":
        coming = coming.where(Visit.client_id.in_(select(ClientAccess.client_id)))
    if kind == "therapist":
        coming = coming.where(
            Visit.therapist_id.in_(select(Therapist.id).where(Therapist.user_id.is_not(None)))
        )
    visit = db.session.scalars(coming.limit(1)).first()
    if visit is None or visit.client_id is None:
        return some_rows(app)
    consent = next(iter(consents_shown(visit.client_id)), None)
    own = {"visit_id": visit.id, "client_id": visit.client_id, "consent_id": consent.id if consent else 0}
    return {**some_rows(app), **own}
