"""Nobody reviews a warning sign or weakened answers of themselves, or of somebody they act for."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from clinic.clients.models import ClientAccess
from clinic.intake.models import HealthStop, Intake, SoftenedReview
from clinic.intake.services import intakes, reviews
from clinic.rules.errors import InvalidInput
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize("relation", ["self", "parent"])
def test_nobody_reviews_their_own(world: w.World, relation: str) -> None:
    client = w.person()
    w.sign_answers(
        client,
        {"diabetes": {"status": "controlled", "complications": False, "insulin": False}},
        now=NOW - DAY,
    )
    weaker = w.sign(client)
    intakes.raise_stop(
        client,
        {"rf_chest_pain_breathless": {"present": True}},
        source="online",
        by=None,
        now=NOW,
        today=w.TODAY,
    )
    stop = db.session.scalars(select(HealthStop.id)).one()
    me = factories.make_user(email="me@clinic.example", roles=[Role.THERAPIST]).id
    factories.save(ClientAccess(user_id=me, client_id=client, relation=relation, since=NOW))
    with pytest.raises(InvalidInput, match="somebody else"):
        reviews.end_stop(stop, "assessed", "Dr Lee on 9 June", by=me, now=NOW)
    with pytest.raises(InvalidInput, match="somebody else"):
        reviews.review_softened(weaker, True, "asked on the phone", by=me, now=NOW)
    assert db.session.get_one(HealthStop, stop).ended_at is None
    assert db.session.get_one(Intake, weaker).softens
    assert db.session.scalars(select(SoftenedReview)).all() == []
    db.session.rollback()
    other = factories.make_user(email="other@clinic.example", roles=[Role.THERAPIST]).id
    reviews.review_softened(weaker, True, "asked on the phone", by=other, now=NOW)
    reviews.end_stop(stop, "assessed", "Dr Lee on 9 June", by=other, now=NOW)
