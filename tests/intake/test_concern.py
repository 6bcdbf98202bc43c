"""Whose answers and letters a therapist opens under "Reviews": of those whom they treat, or of whom something waits."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from clinic.booking.services import restricting
from clinic.intake import queries as intake
from clinic.intake.services import clearances, letters, reviews
from clinic.records.queries import notes as written
from clinic.records.services import notes
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.therapists.models import TherapistRestriction
from tests.architecture.access_table import NEEDS
from tests.architecture.doors import doors
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, OTHER, Staffed, person_with, staffed
from tests.intake.test_reviews import declare, taken_back
from tests.records.test_notes import begun, client_of, user

pytestmark = pytest.mark.usefixtures("now")

HEART = {"heart_failure": {"worsening": False}}


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)


def pages_of(client: int) -> list[str]:
    return [f"/reviews/clients/{client}/questions", f"/reviews/clients/{client}/clearances"]


def opened(clinic: Staffed, email: str, client: int) -> list[int]:
    browser = clinic.browser(email)
    found = [browser.get(one) for one in pages_of(client)]
    assert [("eart failure" in one.text) for one in found] == [one.status_code == 200 for one in found]
    return [one.status_code for one in found]


def test_a_therapist_opens_those_whom_they_treat(clinic: Staffed) -> None:
    client = w.person()
    w.sign_answers(client, HEART)
    named = person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW)
    assert [opened(clinic, one, client) for one in (ME, OTHER, named)] == [[404, 404], [404, 404], [200, 200]]
    assert clinic.browser(ME).post(f"/reviews/clients/{client}/letters").status_code == 404
    w.at_desk(clinic.world, client, "relaxation", when=w.at(1), therapist_id=clinic.me)
    db.session.rollback()
    assert opened(clinic, ME, client) == [200, 200]


def test_what_waits_concerns_every_reviewer(clinic: Staffed) -> None:
    client = w.person()
    w.sign_answers(client, HEART)
    letters.send_letter(client, [], source="review", by=None, now=NOW)
    db.session.rollback()
    assert opened(clinic, OTHER, client) == [200, 200]


def test_an_ended_sign_is_closed_to_whom_it_does_not_concern(clinic: Staffed) -> None:
    client = w.person()
    stop = declare(client, "rf_chest_pain_breathless").id
    address = f"/reviews/stops/{stop}"
    assert clinic.browser(OTHER).get(address).status_code == 200, "it waits"
    reviews.end_stop(stop, "assessed", "Seen by a doctor on Monday", by=user(clinic.me), now=NOW)
    db.session.rollback()
    assert [
        clinic.browser(OTHER).get(address).status_code,
        clinic.browser(OTHER).post(address).status_code,
    ] == [
        404,
        404,
    ]


@pytest.mark.parametrize("what", ["letter", "sign"])
@pytest.mark.parametrize(
    ("later", "status"),
    [
        (dt.timedelta(0), 200),
        (dt.timedelta(days=29, hours=23), 200),
        (dt.timedelta(days=30), 404),
        (dt.timedelta(days=730), 404),
    ],
)
def test_whoever_decided_looks_at_it_again_for_as_long_as_after_a_visit(
    clinic: Staffed, what: str, later: dt.timedelta, status: int
) -> None:
    """Not for ever: what is answered years later is closed to whoever does not treat them."""
    client = w.person()
    w.sign_answers(client, HEART)
    if what == "letter":
        letter = letters.send_letter(client, [], source="review", by=None, now=NOW)
        clearances.refuse_letter(letter, "Not signed by the doctor", by=user(clinic.other), now=NOW)
        own = f"/reviews/letters/{letter}"
    else:
        stop = declare(client, "rf_chest_pain_breathless").id
        reviews.end_stop(stop, "assessed", "Seen by a doctor", by=user(clinic.other), now=NOW)
        own = f"/reviews/stops/{stop}"
    db.session.rollback()
    with time_machine.travel(NOW + later, tick=False):
        assert clinic.browser(OTHER).get(own).status_code == status
        assert [clinic.browser(OTHER).get(one).status_code for one in pages_of(client)] == [status, status]
        assert clinic.browser(ME).get(own).status_code == 404, "decided by somebody else"


def test_no_door_of_clinical_review_opens_whom_it_does_not_concern(clinic: Staffed) -> None:
    """Every route that asks for clinical review and names a row, also those that come later: a row of a client whom
    somebody else treats, and of whom nothing waits, looks like one that is not there."""
    client = client_of(clinic)
    visit = begun(clinic, client)
    w.sign_answers(client, HEART)
    stop = declare(client, "rf_chest_pain_breathless").id
    reviews.end_stop(stop, "assessed", "Seen by a doctor on Monday", by=user(clinic.me), now=NOW)
    letter = letters.send_letter(client, [], source="review", by=None, now=NOW)
    clearances.refuse_letter(letter, "Not signed by the doctor", by=user(clinic.me), now=NOW)
    more = restricting.ask_for_more_care(
        clinic.me, client, services=(), verdict="caution", reason="Was dizzy", until=None,
        by=user(clinic.me), now=NOW,
    )  # fmt: skip
    signed = intake.newest(client)
    assert signed is not None
    theirs = {
        "client_id": client, "other_id": w.person(), "stop_id": stop, "letter_id": letter, "restriction_id": more,
        "intake_id": signed.id, "visit_id": visit,
    }  # fmt: skip
    db.session.rollback()
    browser, leaks = clinic.browser(OTHER), {}
    for there, missing in zip(doors(clinic.app, rows=theirs), doors(clinic.app), strict=True):
        if there.address == missing.address or NEEDS[there.endpoint] is not Permission.CLINICAL_REVIEW:
            continue
        answers = [browser.open(one.address, method=one.method) for one in (there, missing)]
        if answers[0].status_code != answers[1].status_code:
            leaks[str(there)] = [one.status_code for one in answers]
    assert leaks == {}
    assert clinic.browser(ME).get(f"/reviews/letters/{letter}/recorded").status_code == 303
    db.session.rollback()
    assert db.session.get_one(TherapistRestriction, more).ended_at is None


def test_more_care_is_listed_to_whom_it_concerns(clinic: Staffed) -> None:
    """What a therapist asked for names a reason. Others of the team see it once they treat that client, too."""
    client = client_of(clinic)
    begun(clinic, client)
    more = restricting.ask_for_more_care(
        clinic.me, client, services=(), verdict="caution", reason="Was dizzy", until=None,
        by=user(clinic.me), now=NOW,
    )  # fmt: skip
    named = person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW)

    def seen() -> list[bool]:
        db.session.rollback()
        return [
            "Was dizzy" in clinic.browser(one).get("/reviews/more-care").text for one in (ME, OTHER, named)
        ]

    def is_over() -> bool:
        db.session.rollback()
        return db.session.get_one(TherapistRestriction, more).ended_at is not None

    assert seen() == [True, False, True]
    assert clinic.browser(OTHER).post(f"/reviews/more-care/{more}/end").status_code == 303
    assert not is_over()
    w.at_desk(clinic.world, client, "relaxation", when=w.at(1, 15), therapist_id=clinic.other)
    assert seen() == [True, True, True]
    clinic.browser(OTHER).post(f"/reviews/more-care/{more}/end")
    assert is_over()


def rows() -> int:
    db.session.rollback()
    reads = AuditRow.deed.in_(("health.read", "answers.read", "letter.read"))
    return len(db.session.scalars(select(AuditRow.sequence).where(reads)).all())


def test_a_page_shown_again_is_a_reading_too(clinic: Staffed) -> None:
    """The form was not right, and the answers, the notes or the letter stand there as the first time."""
    client = client_of(clinic)
    visit = begun(clinic, client)
    notes.write_note(visit, "Left shoulder", by=user(clinic.me), now=NOW)
    stop = declare(w.person(), "rf_chest_pain_breathless").id
    _client, newer = taken_back(clinic)
    letter = letters.send_letter(client, [], source="review", by=None, now=NOW)
    db.session.rollback()
    browser = clinic.browser(ME)
    for address in (
        f"/diary/visits/{visit}/notes",
        f"/diary/visits/{visit}/more-care",
        f"/reviews/stops/{stop}",
        f"/reviews/answers/{newer}",
        f"/reviews/letters/{letter}",
        f"/reviews/letters/{letter}/refuse",
    ):
        before = rows()
        assert browser.post(address, data={}).status_code == 422, address
        assert rows() == before + 1, address
    first = written.notes_of(visit)[0].id
    notes.write_note(visit, "Right shoulder", corrects_id=first, by=user(clinic.me), now=NOW)
    before = rows()
    again = browser.post(f"/diary/visits/{visit}/notes?correct={first}", data={"text": "Both"})
    assert (again.status_code, "Right shoulder" in again.text) == (409, True)
    assert rows() == before + 1
