"""Warning signs and weakened answers: nothing is booked until somebody who may judge it has looked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import checkout, visits
from clinic.clients.models import Client, ClientAccess
from clinic.intake import queries
from clinic.intake.models import HealthStop, Intake, SoftenedReview
from clinic.intake.services import intakes, reviews
from clinic.rules.errors import InvalidInput, MoveNotAllowed, NotFound
from clinic.rules.permissions import Permission, Role
from clinic.rules.visit_status import NEEDING_PERMIT, VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, person_with, staffed

pytestmark = pytest.mark.usefixtures("now")

LETTER = {"med_class": "anticoagulant", "medication": "warfarin", "stable_3_months": False, "bruising": False}
ONLY_CARE = {**LETTER, "stable_3_months": True}
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)


def declare(client: int, key: str, *, now: dt.datetime = NOW) -> HealthStop:
    """The client declares a warning sign."""
    intakes.raise_stop(
        client, w.answers(**{key: {}}), source="online", by=None, now=now,
        today=now.astimezone(ZoneInfo(w.ZONE)).date(),
    )  # fmt: skip
    return db.session.scalars(select(HealthStop).where(HealthStop.client_id == client)).one()


def by(clinic: Staffed) -> int:
    return clinic.world.desk_id


def permitted(client: int) -> list[str]:
    db.session.rollback()
    good = tuple(NEEDING_PERMIT)
    return list(
        db.session.scalars(select(Visit.status).where(Visit.client_id == client, Visit.status.in_(good)))
    )


def online(clinic: Staffed, client: int, when: dt.datetime, now: dt.datetime) -> object:
    """The online door: hold, choose the person, confirm."""
    user = factories.make_user(email=f"c{client}-{when:%d%H%M}@people.example", roles=[Role.CLIENT])
    user_id = user.id
    factories.save(ClientAccess(user_id=user_id, client_id=client, relation="self", since=NOW))
    token = checkout.hold_slot(
        None, w.choice("relaxation"), when, first_visit=False, user_id=user_id, now=now
    )
    checkout.choose_person(token, client, user_id=user_id, now=now)
    intakes.confirm_still_right(
        client, intakes.Signature("Pat"), source="online", by=None, now=now, today=w.TODAY
    )
    return checkout.confirm(token, user_id=user_id, now=now).status


def at_desk(
    clinic: Staffed, client: int, when: dt.datetime, now: dt.datetime, service: str = "relaxation"
) -> object:
    return visits.book_visit(
        w.choice(service), client, when, request_key=f"{client}-{when}-{now}", source="desk", by=by(clinic),
        now=now, reconfirmed=True,
    ).status  # fmt: skip


@pytest.mark.parametrize("door", [online, at_desk])
def test_a_warning_sign_stops_every_door_until_assessed_and_signed_anew(
    clinic: Staffed, door: Callable[[Staffed, int, dt.datetime, dt.datetime], object]
) -> None:
    client = w.person()
    w.sign(client, now=NOW - dt.timedelta(days=1))
    coming = w.at_desk(clinic.world, client, "relaxation").visit_id
    stop = declare(client, "rf_chest_pain_breathless")
    assert (stop.needs, permitted(client)) == ("review", [])
    assert w.statuses(client) == ["cancelled"]
    assert coming is not None
    refused = {None, VisitStatus.RELEASED}
    assert door(clinic, client, w.at(5), NOW) in refused
    # signing anew before anybody has looked changes nothing
    w.sign(client, now=NOW + MINUTE)
    assert door(clinic, client, w.at(6), NOW + MINUTE) in refused
    # looked at, but not signed anew: nothing yet, and "still right" about the old answers is no new intake
    reviews.end_stop(
        stop.id, "assessed", "Dr Lee on 9 June, heart is fine", by=by(clinic), now=NOW + 2 * MINUTE
    )
    assert door(clinic, client, w.at(7), NOW + 3 * MINUTE) in refused
    intakes.confirm_still_right(
        client, intakes.Signature("Pat"), source="online", by=None, now=NOW + 4 * MINUTE, today=w.TODAY
    )
    assert door(clinic, client, w.at(8), NOW + 5 * MINUTE) in refused
    w.sign(client, now=NOW + 6 * MINUTE)
    assert door(clinic, client, w.at(9), NOW + 7 * MINUTE) == VisitStatus.CONFIRMED
    assert permitted(client) == ["confirmed"]


def raise_unseen(client: int) -> None:
    """A warning sign straight into the table: the judging that follows a stop is left out."""
    with transaction() as session:
        row = HealthStop(
            client_id=client,
            raised_at=NOW,
            raised_on=w.TODAY,
            needs="review",
            urgency="emergency",
            source="online",
        )
        row.answers = w.answers(rf_chest_pain_breathless={})
        session.add(row)


def test_a_warning_sign_stops_moving_changing_and_coming_in(clinic: Staffed) -> None:
    """A visit that nobody could judge again in time (a merge, a fault) is stopped at the doors that remain."""
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "relaxation", when=w.at(0, 11)).visit_id
    assert visit_id is not None
    raise_unseen(client)
    visit = db.session.get_one(Visit, visit_id)
    for change in (
        {"starts_at": w.at(1)},
        {"choice": w.choice("swedish")},
        {"choice": w.choice("relaxation", minutes=90)},
    ):
        outcome = visits.change_visit(visit_id, revision=visit.revision, by=by(clinic), now=NOW, **change)
        db.session.rollback()
        assert outcome.visit_id is None
        assert (visit.status, visit.starts_at, visit.minutes) == ("confirmed", w.at(0, 11), 60)
    here = VisitStatus.ARRIVED
    stands = visits.mark_visit(visit_id, here, revision=visit.revision, by=by(clinic), now=w.at(0, 11))
    db.session.rollback()
    assert stands == visit.status == "cancelled", "as when the sign was judged at once"
    assert visit.permits is None
    with pytest.raises(MoveNotAllowed):
        visits.mark_visit(
            visit_id, VisitStatus.IN_SESSION, revision=visit.revision, by=by(clinic), now=w.at(0, 11)
        )
    db.session.rollback()
    assert visit.status == "cancelled"


def test_a_warning_sign_stops_a_start_too(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(clinic.world, client, "relaxation", when=w.at(0, 11)).visit_id
    assert visit_id is not None
    visit = db.session.get_one(Visit, visit_id)
    visits.mark_visit(visit_id, VisitStatus.ARRIVED, revision=visit.revision, by=by(clinic), now=w.at(0, 11))
    raise_unseen(client)
    stands = visits.mark_visit(
        visit_id, VisitStatus.IN_SESSION, revision=visit.revision, by=by(clinic), now=w.at(0, 11)
    )
    db.session.rollback()
    assert stands == visit.status == "cancelled"


def test_entered_in_error_still_wants_a_new_signature(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    stop = declare(client, "rf_chest_pain_breathless")
    reviews.end_stop(stop.id, "entered_in_error", "Ticked the wrong line", by=by(clinic), now=NOW + MINUTE)
    assert at_desk(clinic, client, w.at(5), NOW + 2 * MINUTE) is None
    w.sign(client, now=NOW + 3 * MINUTE)
    assert at_desk(clinic, client, w.at(5), NOW + 4 * MINUTE) == VisitStatus.CONFIRMED
    with pytest.raises(NotFound):
        reviews.end_stop(stop.id, "assessed", "a second time", by=by(clinic), now=NOW + 5 * MINUTE)


def test_fever_ends_with_a_new_answer_on_a_later_day(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    stop = declare(client, "fever")
    assert stop.needs == "new_answer"
    w.sign(client, now=NOW + dt.timedelta(hours=8))
    assert at_desk(clinic, client, w.at(5), NOW + dt.timedelta(hours=8)) is None
    tomorrow = NOW + dt.timedelta(days=1)
    w.sign(client, now=tomorrow)
    assert at_desk(clinic, client, w.at(5), tomorrow) == VisitStatus.CONFIRMED
    assert list(queries.open_stops()) == []


@pytest.mark.parametrize("note", ["", "    ", "ok"])
def test_a_review_without_a_reason_is_refused(clinic: Staffed, note: str) -> None:
    client = w.person()
    stop = declare(client, "rf_chest_pain_breathless")
    with pytest.raises(InvalidInput):
        reviews.end_stop(stop.id, "assessed", note, by=by(clinic), now=NOW)
    assert len(queries.open_stops()) == 1


def taken_back(clinic: Staffed) -> tuple[int, int]:
    """A client who needed a letter and then signs that it is not so; returns client and the newer intake."""
    client = w.person()
    w.sign(client, blood_thinners=LETTER)
    return client, w.sign(client, now=NOW + MINUTE)


def test_unticking_keeps_the_old_verdict_until_accepted(clinic: Staffed) -> None:
    client, newer = taken_back(clinic)
    assert at_desk(clinic, client, w.at(5), NOW + 2 * MINUTE) == VisitStatus.PENDING
    # saying the same again does not wash it away
    newest = w.sign(client, now=NOW + 3 * MINUTE)
    assert [row.id for row in queries.softened_to_review()] == [newest]
    assert w.statuses(client) == ["pending"]
    with pytest.raises(NotFound):
        reviews.review_softened(newer, True, "an older version", by=by(clinic), now=NOW + 4 * MINUTE)
    reviews.review_softened(newest, True, "Doctor stopped it", by=by(clinic), now=NOW + 4 * MINUTE)
    assert w.statuses(client) == ["confirmed"]
    assert [one.intake_id for one in queries.in_force(client)] == [newest]


def test_keeping_the_earlier_answers_keeps_them(clinic: Staffed) -> None:
    client, newer = taken_back(clinic)
    at_desk(clinic, client, w.at(5), NOW + 2 * MINUTE)
    reviews.review_softened(newer, False, "Could not reach the doctor", by=by(clinic), now=NOW + 3 * MINUTE)
    assert w.statuses(client) == ["pending"]
    waits = select(Visit.waiting_for).where(Visit.client_id == client)
    assert db.session.scalar(waits) == "clearance", (
        "by the earlier answers: for a letter, and not for a second look"
    )
    assert list(queries.softened_to_review()) == []
    assert len(queries.in_force(client)) == 2
    again = w.sign(client, now=NOW + 4 * MINUTE)
    assert [row.id for row in queries.softened_to_review()] == [again]


@pytest.mark.parametrize(
    ("service", "before", "meanwhile", "after"),
    [
        ("relaxation", "confirmed", "suspended", "confirmed"),
        ("decompression_vacuum", None, "pending", "cancelled"),
    ],
)
def test_after_a_look_the_earlier_answers_decide_by_themselves(
    clinic: Staffed, service: str, before: str | None, meanwhile: str, after: str
) -> None:
    """With care, or not at all; but nobody goes on waiting for a look that there was."""
    client = w.person(email="wait@people.example")
    declared = {"blood_thinners": ONLY_CARE} if before else {"clotting_tendency": {"type": "factor V Leiden"}}
    w.sign(client, **declared)
    if before:
        assert at_desk(clinic, client, w.at(5), NOW, service) == before
    newer = w.sign(client, now=NOW + MINUTE)
    if not before:
        assert at_desk(clinic, client, w.at(5), NOW + 2 * MINUTE, service) == meanwhile
    assert w.statuses(client) == [meanwhile]
    reviews.review_softened(newer, False, "They still take it", by=by(clinic), now=NOW + 3 * MINUTE)
    assert w.statuses(client) == [after]
    db.session.rollback()
    visit = db.session.scalars(select(Visit).where(Visit.client_id == client)).one()
    assert after == "cancelled" or (visit.waiting_for, visit.deadline_at) == (None, None)


def test_saying_more_needs_no_review(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    w.sign(client, now=NOW + MINUTE, blood_thinners=LETTER)
    assert list(queries.softened_to_review()) == []
    assert len(queries.in_force(client)) == 1


def test_the_pages_are_for_clinical_review_alone(clinic: Staffed) -> None:
    client, newer = taken_back(clinic)
    stop = declare(w.person(), "rf_chest_pain_breathless").id
    assert client
    pages = [
        "/reviews",
        f"/reviews/stops/{stop}",
        f"/reviews/answers/{newer}",
        "/reviews/stops/1",
        "/reviews/answers/1",
    ]
    wanted = {
        ME: [200, 200, 200, 404, 404],
        person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW): [200, 200, 200, 404, 404],
        person_with(Role.FRONT_DESK): [403] * 5,
        person_with(Role.OWNER): [403] * 5,
        person_with(Role.CLIENT): [403] * 5,
    }
    found = {}
    for email in wanted:
        browser = clinic.browser(email)
        found[email] = [browser.get(page).status_code for page in pages]
    assert found == wanted
    read = db.session.scalars(
        select(AuditRow.detail).where(AuditRow.deed == "answers.read").order_by(AuditRow.sequence)
    ).all()
    assert [one["door"] for one in read] == ["review stop", "review answers"] * 2


def test_ending_a_stop_on_the_page(clinic: Staffed) -> None:
    client = w.person()
    stop_id = declare(client, "rf_chest_pain_breathless").id
    browser = clinic.browser(ME)
    page = f"/reviews/stops/{stop_id}"
    shown = browser.get(page).text
    assert "chest" in shown.lower()
    name = db.session.get_one(Client, client).name
    assert name in shown
    assert "SignedIn(" not in shown
    wrong = [
        {},
        {"ending": "assessed", "reason": "It was nothing"},
        {"ending": "assessed", "assessed_by": "Dr Lee", "assessed_on": "2026-06-10", "reason": "Tomorrow"},
        {"ending": "assessed", "assessed_by": "Dr Lee", "assessed_on": "2026-06-01", "reason": "Before it"},
        {"ending": "entered_in_error", "reason": " "},
    ]
    for data in wrong:
        answer = browser.post(page, data=data)
        assert answer.status_code == 422, data
        assert data.get("reason", "").strip() in answer.text  # what was typed is kept
    assert db.session.get_one(HealthStop, stop_id).ended_at is None
    good = {
        "ending": "assessed",
        "assessed_by": "Dr Lee",
        "assessed_on": "2026-06-09",
        "reason": "Heart is fine",
    }
    assert browser.post(page, data=good).status_code == 303
    row = db.session.get_one(HealthStop, stop_id)
    assert (row.ending, row.note) == ("assessed", "Assessed by Dr Lee on 2026-06-09. Heart is fine")
    assert browser.post(page, data=good).status_code == 303  # a second time changes nothing
    assert "Nothing waits for you" in browser.get("/reviews").text


def test_deciding_on_the_page(clinic: Staffed) -> None:
    client, newer = taken_back(clinic)
    browser = clinic.browser(ME)
    page = f"/reviews/answers/{newer}"
    shown = browser.get(page).text
    assert "warfarin" in shown
    assert browser.post(page, data={"decision": "accept", "note": ""}).status_code == 422
    assert browser.post(page, data={"decision": "perhaps", "note": "Doctor stopped it"}).status_code == 422
    assert db.session.scalars(select(SoftenedReview)).all() == []
    assert browser.post(page, data={"decision": "accept", "note": "Doctor stopped it"}).status_code == 303
    row = db.session.scalars(select(SoftenedReview)).one()
    assert (row.intake_id, row.accepted, row.note) == (newer, True, "Doctor stopped it")
    assert [one.intake_id for one in queries.in_force(client)] == [newer]
    assert browser.get(page).status_code == 303  # dealt with: back to the list, kindly
    first = db.session.scalars(select(Intake.id).where(Intake.client_id == client, Intake.version == 1)).one()
    assert browser.get(f"/reviews/answers/{first}").status_code == 404
