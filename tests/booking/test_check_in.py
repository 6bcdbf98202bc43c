"""The check-in of the day, before anybody is marked as arrived: through each door, on both databases."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import CheckinLink, Screening, Visit
from clinic.booking.queries import check_ins
from clinic.booking.services import asking, people, visits
from clinic.booking.views.health_state import health_state
from clinic.clients.models import ClientAccess
from clinic.intake import queries as intake
from clinic.intake.models import HealthStop, Intake
from clinic.intake.services import checkins, intakes
from clinic.premises.models import Clinic
from clinic.rules.check_in import BEGUN, TOPICS
from clinic.rules.errors import CheckInNeeded, InvalidInput, MoveNotAllowed
from clinic.rules.permissions import Role
from clinic.rules.rule_table import TABLE
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.diary.staff import ME, staffed
from tests.intake import letters
from tests.web import Visitor

EARLIER = NOW - dt.timedelta(days=3)
SIGNED = intakes.Signature("Pat Number")
WARFARIN = {
    "med_class": "anticoagulant", "medication": "warfarin", "stable_3_months": True, "bruising": False,
}  # fmt: skip


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(check_in=True)


def booked(
    world: w.World, when: dt.datetime | None = None, service: str = "relaxation", **declared: Any
) -> tuple[int, int]:
    """A client who signed three days ago, and their confirmed visit (in an hour unless told)."""
    client = w.person(email="pat@people.example")
    w.sign_answers(client, declared, now=EARLIER)
    visit_id = w.at_desk(world, client, service, when=when or w.at(0, 10)).visit_id
    assert visit_id is not None
    return client, visit_id


def arrive(world: w.World, visit_id: int, now: dt.datetime = NOW) -> None:
    revision = visit_of(visit_id).revision
    visits.mark_visit(visit_id, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=now)


def check_in(client: int, said: Any = None, now: dt.datetime = NOW, **values: Any) -> checkins.CheckedIn:
    return checkins.take_check_in(
        client,
        said,
        SIGNED,
        source="online",
        by=None,
        now=now,
        today=now.astimezone(ZoneInfo(w.ZONE)).date(),
        **values,
    )


def kinds(client: int) -> list[tuple[int, str, bool]]:
    db.session.rollback()
    rows = db.session.scalars(select(Intake).where(Intake.client_id == client).order_by(Intake.version))
    return [(row.version, row.kind, row.softens) for row in rows]


# ── the service ───────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_arrives_without_the_check_in(world: w.World) -> None:
    client, visit_id = booked(world)
    for new in (VisitStatus.ARRIVED, VisitStatus.IN_SESSION):
        with pytest.raises(CheckInNeeded):
            visits.mark_visit(visit_id, new, revision=visit_of(visit_id).revision, by=world.desk_id, now=NOW)
    assert visit_of(visit_id).status == "confirmed"
    check_in(client)
    arrive(world, visit_id)
    assert visit_of(visit_id).status == "arrived"


def test_a_clinic_may_do_without(app: Flask) -> None:
    world = w.build(check_in=False)
    _client, visit_id = booked(world)
    arrive(world, visit_id)
    assert visit_of(visit_id).status == "arrived"


def test_nothing_has_changed_adds_a_version_and_keeps_the_age_of_the_full_intake(world: w.World) -> None:
    client, visit_id = booked(
        world, diabetes={"status": "controlled", "complications": False, "insulin": False}
    )
    result = check_in(client)
    assert kinds(client) == [(1, "full", False), (2, "checkin", False)]
    row = db.session.get_one(Intake, result.intake_id)
    first = db.session.scalars(select(Intake).where(Intake.version == 1)).one()
    assert (row.completed_on, row.answered_on) == (first.completed_on, w.TODAY)
    assert row.answers["diabetes"]["present"] is True
    assert row.signature["name"] == "Pat Number"
    judged = db.session.scalars(select(Screening).where(Screening.visit_id == visit_id)).all()
    assert sorted((one.door, one.intake_ids) for one in judged) == [
        ("answers", [row.id]), ("desk", [first.id])
    ]  # fmt: skip
    assert visit_of(visit_id).status == "confirmed"


def test_pressed_twice_it_is_one_version(world: w.World) -> None:
    client, _visit = booked(world)
    assert check_in(client) == check_in(client)
    assert [kind for _version, kind, _softens in kinds(client)] == ["full", "checkin"]


@pytest.mark.parametrize(
    ("signed_at", "counts"),
    [
        (w.at(-1, 9, 59), False),
        (w.at(-1, 10), True),
        (w.at(0, 9, 30), True),
    ],
    ids=["too early", "24 hours before", "on the day"],
)
def test_it_counts_from_24_hours_before_the_start(
    world: w.World, signed_at: dt.datetime, counts: bool
) -> None:
    client, visit_id = booked(world)
    check_in(client, now=signed_at)
    assert check_ins.is_on_file(visit_of(visit_id), w.at(0, 9, 45)) is counts


def test_a_full_intake_of_the_day_counts_and_still_right_or_an_old_paper_does_not(world: w.World) -> None:
    client, visit_id = booked(world)
    intakes.confirm_still_right(client, SIGNED, source="online", by=None, now=NOW, today=w.TODAY)
    assert not check_ins.is_on_file(visit_of(visit_id), NOW)
    for signed_on, counts in ((w.TODAY - dt.timedelta(days=2), False), (w.TODAY, True)):
        intakes.submit_intake(
            client, w.answers(), SIGNED, writer="user:1", source="paper", consents={}, by=None, now=NOW,
            today=signed_on,
        )  # fmt: skip
        assert check_ins.is_on_file(visit_of(visit_id), NOW) is counts


def test_alcohol_refuses_today_and_no_earlier_answer_is_lost(world: w.World) -> None:
    client, visit_id = booked(world)
    assert check_in(client, {"alcohol_drugs_today": {"present": True}}).urgency == ""
    assert visit_of(visit_id).status == "cancelled"
    with pytest.raises(MoveNotAllowed):
        arrive(world, visit_id)
    mails = [
        row.key.split(":")[0] for row in db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))
    ]
    assert mails[-1] == "visit_cannot_go_ahead"


def test_a_warning_sign_stops_everything_and_leaves_a_trace_without_detail(world: w.World) -> None:
    client, visit_id = booked(world)
    result = check_in(client, {"rf_chest_pain_breathless": {"present": True}})
    assert result == checkins.CheckedIn(None, "emergency")
    assert visit_of(visit_id).status == "cancelled"
    stop = db.session.scalars(select(HealthStop)).one()
    assert (stop.client_id, stop.needs, stop.source) == (client, "review", "online")
    assert [kind for _v, kind, _s in kinds(client)] == ["full"]
    trace = db.session.scalars(select(AuditRow).where(AuditRow.deed == "intake.stopped")).one()
    assert trace.detail == {"source": "online"}


def test_a_sign_that_only_both_answers_together_make_stops_too(world: w.World) -> None:
    """I02: a blood thinner told before, and an injury told today."""
    client, visit_id = booked(
        world,
        blood_thinners=WARFARIN,
    )  # fmt: skip
    result = check_in(
        client,
        {"acute_injury": {"present": True, "type": "bruise", "date": "2026-06-08", "site": ["left_knee"]}},
    )
    assert result.urgency == "same_day"
    assert visit_of(visit_id).status == "cancelled"


def test_a_new_medicine_is_judged_at_once(world: w.World) -> None:
    client, visit_id = booked(world, service="deep_tissue")
    check_in(client, {"blood_thinners": {"present": True, **WARFARIN}})  # fmt: skip
    assert visit_of(visit_id).status == "cancelled"


def test_something_bigger_needs_a_whole_new_form_at_once(world: w.World) -> None:
    client, visit_id = booked(world)
    check_in(client, {}, renewal=True)
    visit = visit_of(visit_id)
    assert (visit.status, visit.waiting_for) == ("suspended", "intake")
    later = w.at_desk(world, client, "relaxation", when=w.at(5))
    assert later.status == "pending"
    check_in(client, None, now=NOW + dt.timedelta(minutes=1))  # a later "nothing has changed" does not end it
    intakes.confirm_still_right(client, SIGNED, source="online", by=None, now=NOW, today=w.TODAY)
    assert visit_of(visit_id).status == "suspended"
    w.sign(client, now=NOW + dt.timedelta(minutes=5))
    assert visit_of(visit_id).status == "confirmed"


def test_at_the_start_there_is_time_left_to_fill_in_the_new_form(world: w.World) -> None:
    client, visit_id = booked(world)
    late = w.at(0, 10, 5)
    check_in(client, {}, renewal=True, now=late)
    assert visit_of(visit_id).deadline_at == late + dt.timedelta(minutes=30)


def test_changed_details_are_laid_over_and_both_count_until_reviewed(world: w.World) -> None:
    stable = {
        "med_class": "anticoagulant",
        "medication": "warfarin",
        "stable_3_months": False,
        "bruising": False,
    }
    client, visit_id = booked(world, service="relaxation", blood_thinners=stable)
    before = visit_of(visit_id).status
    check_in(client, {"blood_thinners": {"present": True, **stable, "stable_3_months": True}})
    assert kinds(client)[-1] == (2, "checkin", True)
    assert visit_of(visit_id).status == before


def test_without_an_intake_all_questions_are_asked_instead(world: w.World) -> None:
    client = w.person()
    with pytest.raises(InvalidInput):
        check_in(client)


# ── the mail ──────────────────────────────────────────────────────────────────────────────────────────────


def link_mails() -> list[OutgoingMail]:
    db.session.rollback()
    links = select(OutgoingMail).where(OutgoingMail.key.like("visit_check_in:%")).order_by(OutgoingMail.id)
    return list(db.session.scalars(links))


def test_the_link_is_mailed_once_from_24_hours_before_in_neutral_words(world: w.World) -> None:
    _client, visit_id = booked(world, w.at(2, 10), blood_thinners={
        "med_class": "single_antiplatelet", "medication": "aspirin", "stable_3_months": True, "bruising": False,
    })  # fmt: skip
    assert asking.ask_for_check_ins(w.at(1, 9, 59)) == 0
    assert asking.ask_for_check_ins(w.at(1, 10)) == 1
    assert asking.ask_for_check_ins(w.at(1, 11)) == 0
    mail = link_mails()
    assert len(mail) == 1
    assert "has anything changed?" in mail[0].subject
    assert "/check-in/" in mail[0].text
    for word in ("health", "medic", "thinner", "relax", "massage"):
        assert word not in (mail[0].subject + mail[0].text).lower()
    link = db.session.scalars(select(CheckinLink)).one()
    assert (link.visit_id, link.expires_at) == (visit_id, w.at(2, 10))
    assert link.token_hash not in mail[0].text


def test_who_answered_already_or_waits_is_not_asked(world: w.World) -> None:
    client, _visit_id = booked(world, w.at(1, 8))
    check_in(client)
    waiting = w.person(email="waits@people.example")
    w.at_desk(world, waiting, "relaxation", when=w.at(1, 8))
    assert asking.ask_for_check_ins(NOW) == 0
    assert link_mails() == []


def test_a_moved_visit_gets_a_new_link_and_the_old_one_opens_nothing(app: Flask, world: w.World) -> None:
    _client, visit_id = booked(world, w.at(1, 8))
    asking.ask_for_check_ins(NOW)
    first = key_of(link_mails()[0])
    visit = visit_of(visit_id)
    visits.change_visit(
        visit_id, revision=visit.revision, starts_at=w.at(1, 8, 30), by=world.desk_id, now=NOW
    )
    assert asking.ask_for_check_ins(NOW) == 1
    assert check_ins.visit_by_link(first, NOW) is None
    second = key_of(link_mails()[-1])
    assert check_ins.visit_by_link(second, NOW) is not None
    assert check_ins.visit_by_link(second, w.at(1, 8, 30)) is None  # it ends when the visit starts


def key_of(mail: OutgoingMail) -> str:
    found = re.search(r"/check-in/(\S+)", mail.text)
    assert found is not None
    return found[1]


# ── the pages ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def mailed(app: Flask, world: w.World, now: dt.datetime) -> tuple[FlaskClient, str, int, int]:
    """A browser without an account, the mailed address, the client and the visit."""
    client, visit_id = booked(
        world, w.at(1, 8), diabetes={"status": "controlled", "complications": False, "insulin": False}
    )
    asking.ask_for_check_ins(now)
    app.test_client_class = Visitor
    return app.test_client(), f"/check-in/{key_of(link_mails()[0])}", client, visit_id


@pytest.mark.parametrize("topic", ["1", "2", "8"])
def test_ticked_and_nothing_has_changed_is_asked_again(
    mailed: tuple[FlaskClient, str, int, int], world: w.World, topic: str
) -> None:
    """Both cannot be true: nothing is kept, the tick stays, and the visit waits for an answer."""
    browser, address, client, visit_id = mailed
    answer = browser.post(address, data={"step": "nothing", "topic": [topic]})
    assert answer.status_code == 422
    assert f'value="{topic}" checked' in answer.text
    assert "You ticked what has changed." in answer.text
    assert [kind for _v, kind, _s in kinds(client)] == ["full"]
    assert not check_ins.is_on_file(visit_of(visit_id), NOW)
    assert browser.post(address, data={"step": "nothing"}).status_code == 200


def test_three_taps_when_nothing_has_changed(mailed: tuple[FlaskClient, str, int, int]) -> None:
    browser, address, client, visit_id = mailed
    page = browser.get(address).text
    assert "Nothing has changed" in page
    assert "chest pain" in page
    assert "diabetes" not in page.lower()
    assert "This has been answered for the visit." not in page
    answer = browser.post(address, data={"step": "nothing"})
    assert "This has been answered for the visit." in browser.get(address).text
    assert "Thank you" in answer.text
    assert [kind for _v, kind, _s in kinds(client)] == ["full", "checkin"]
    assert check_ins.is_on_file(visit_of(visit_id), NOW)


def test_what_may_have_changed_is_read_in_ones_own_language(
    mailed: tuple[FlaskClient, str, int, int],
) -> None:
    """“Nothing has changed” is an answer to all of it: in German no question stands there in English."""
    browser, address, *_ = mailed
    english = {text for one in TOPICS for text in (one.title, one.detail) if text}
    english |= {one.question for one in TABLE.conditions.values()}
    german = {"Accept-Language": "de"}
    for page in (
        browser.get(address, headers=german),
        browser.post(address, data={"step": "changed"}, headers=german),
    ):
        assert english & set(re.findall(r">([^<>]+)<", page.text)) == set()
        assert "data-awaits-review" in page.text


def test_something_changed_opens_only_what_was_ticked(mailed: tuple[FlaskClient, str, int, int]) -> None:
    browser, address, client, visit_id = mailed
    assert "What has changed?" in browser.post(address, data={"step": "changed"}).text
    nothing = browser.post(address, data={"step": "chosen"})
    assert (nothing.status_code, "Tick what has changed" in nothing.text) == (422, True)
    page = browser.post(address, data={"step": "chosen", "topic": ["3", "7"]}).text
    assert 'name="c.fever"' in page
    assert 'name="c.alcohol_drugs_today"' in page
    assert 'name="c.pregnancy"' not in page
    half = browser.post(
        address, data={"step": "answered", "topic": ["3", "7"], "c.fever": "no", "c.contagious_illness": "no"}
    )
    assert half.status_code == 422
    assert kinds(client) == [(1, "full", False)]
    whole = {
        "step": "answered",
        "topic": ["3", "7"],
        "c.fever": "no",
        "c.contagious_illness": "no",
        "c.alcohol_drugs_today": "yes",
    }
    answer = browser.post(address, data=whole)
    assert "We have cancelled the visit" in answer.text
    assert "Book another day" in answer.text
    assert visit_of(visit_id).status == "cancelled"
    again = browser.get(address)
    assert (again.status_code, "This link has run out" in again.text) == (404, True)


def test_where_every_question_is_open_the_box_says_so_and_names_no_button_that_is_not_there(
    mailed: tuple[FlaskClient, str, int, int],
) -> None:
    browser, address, *_ = mailed
    page = browser.post(address, data={"step": "answered", "topic": ["4"]}).text
    assert "4 questions are still open" in page
    assert "Answer every question with yes, no or not sure." in page
    assert "None of these" not in page
    assert "data-rest-no" in page


def test_what_became_of_the_other_visits_is_said_too_and_not_when_they_are(
    world: w.World, mailed: tuple[FlaskClient, str, int, int]
) -> None:
    browser, address, client, _visit_id = mailed
    for days in (4, 9):
        assert w.at_desk(world, client, "swedish", when=w.at(days)).status == "confirmed"
    held = browser.post(address, data={"step": "chosen", "topic": "8"}).text
    assert "2 other coming visits are on hold too." in held
    assert "June 2026" in held
    assert "18 June" not in held


def test_a_warning_sign_says_that_the_other_visits_are_cancelled_too(
    world: w.World, mailed: tuple[FlaskClient, str, int, int]
) -> None:
    browser, address, client, _visit_id = mailed
    w.at_desk(world, client, "swedish", when=w.at(4))
    answer = browser.post(
        address, data={"step": "answered", "topic": ["1"], "c.rf_chest_pain_breathless": "yes"}
    )
    assert "Another coming visit is cancelled too" in answer.text


def test_a_warning_sign_with_half_typed_details_shows_the_urgent_page(
    mailed: tuple[FlaskClient, str, int, int],
) -> None:
    browser, address, _client, visit_id = mailed
    answer = browser.post(
        address, data={"step": "answered", "topic": ["1"], "c.rf_chest_pain_breathless": "yes"}
    )
    assert "Call the emergency number" in answer.text
    assert "We have cancelled your visit on" in answer.text
    assert "We have not booked a visit" not in answer.text
    assert visit_of(visit_id).status == "cancelled"


def test_something_bigger_is_one_tick_and_says_what_to_do(mailed: tuple[FlaskClient, str, int, int]) -> None:
    browser, address, _client, visit_id = mailed
    answer = browser.post(address, data={"step": "chosen", "topic": "8"})
    assert "answered anew" in answer.text
    assert visit_of(visit_id).waiting_for == "intake"


def test_a_made_up_or_expired_link_looks_the_same(mailed: tuple[FlaskClient, str, int, int]) -> None:
    browser, address, client, _visit_id = mailed
    made_up = browser.get("/check-in/nothing-here")
    with time_machine.travel(w.at(1, 8), tick=False):
        expired = browser.get(address)
        posted = browser.post(address, data={"step": "nothing"})
    assert (made_up.status_code, expired.status_code, posted.status_code) == (404, 404, 404)
    assert kinds(client) == [(1, "full", False)]


def test_the_visits_own_page_offers_it_from_24_hours_before(app: Flask, world: w.World) -> None:
    client, visit_id = booked(world, w.at(2, 10))
    user = make_person("own@people.example", Role.CLIENT)
    with transaction() as session:
        session.add(ClientAccess(user_id=user.id, client_id=client, relation="self", since=NOW))
    app.test_client_class = Visitor
    for moment, offered in ((w.at(1, 9), False), (w.at(1, 11), True)):
        with time_machine.travel(moment, tick=False):
            browser = browser_of(app, "own@people.example")
            assert ("Answer the check-in questions" in browser.get(f"/my/visits/{visit_id}").text) is offered
            page = browser.get(f"/my/visits/{visit_id}/check-in")
            assert page.status_code == (200 if offered else 303)
    with time_machine.travel(w.at(1, 11), tick=False):
        browser.post(f"/my/visits/{visit_id}/check-in", data={"step": "nothing"})
        assert "You have answered the check-in questions" in browser.get(f"/my/visits/{visit_id}").text
        other = make_person("other@people.example", Role.CLIENT)
        assert browser_of(app, other.email).get(f"/my/visits/{visit_id}/check-in").status_code == 404


def test_at_the_desk_arriving_leads_to_the_questions_and_back(
    app: Flask, world: w.World, now: dt.datetime
) -> None:
    client, visit_id = booked(
        world, diabetes={"status": "controlled", "complications": False, "insulin": False}
    )
    desk = desk_browser(app, world)
    revision = visit_of(visit_id).revision
    answer = desk.post(f"/desk/visits/{visit_id}/mark", data={"status": "arrived", "revision": revision})
    assert answer.location == f"/desk/visits/{visit_id}/check-in?then=arrived"
    page = desk.get(answer.location).text
    assert 'name="then" value="arrived"' in page
    assert f'href="/desk/visits/{visit_id}"' in page, "who came by mistake answers for nobody"
    assert "diabetes" not in page.lower()
    done = desk.post(f"/desk/visits/{visit_id}/check-in", data={"step": "nothing", "then": "arrived"})
    assert done.location == f"/desk/visits/{visit_id}"
    assert visit_of(visit_id).status == "arrived"
    row = db.session.scalars(select(Intake).where(Intake.client_id == client, Intake.version == 2)).one()
    assert (row.kind, row.source, row.recorded_by_id) == ("checkin", "desk", world.desk_id)


def test_at_the_desk_a_refusal_offers_another_day_and_names_no_reason(
    app: Flask, world: w.World, now: dt.datetime
) -> None:
    _client, visit_id = booked(world)
    desk = desk_browser(app, world)
    data = {"step": "answered", "topic": "7", "c.alcohol_drugs_today": "yes", "then": "arrived"}
    desk.post(f"/desk/visits/{visit_id}/check-in", data=data)
    assert visit_of(visit_id).status == "cancelled"
    page = desk.get(f"/desk/visits/{visit_id}").text
    assert "cannot go ahead today" in page
    assert "Book the next one" in page
    assert "alcohol" not in page.lower()


def test_a_therapist_starts_by_way_of_the_questions_and_only_for_their_own_visit(
    app: Flask, now: dt.datetime
) -> None:
    clinic = staffed(app)
    with transaction() as session:
        session.scalars(select(Clinic)).one().check_in_needed = True
    client = w.person()
    w.sign(client, now=EARLIER)
    mine = w.at_desk(clinic.world, client, "relaxation", when=w.at(0, 10), therapist_id=clinic.me).visit_id
    other = w.person()
    w.sign(other, now=EARLIER)
    theirs = w.at_desk(
        clinic.world, other, "relaxation", when=w.at(0, 10), therapist_id=clinic.other
    ).visit_id
    assert mine is not None
    browser = clinic.browser(ME)
    answer = browser.post(
        f"/diary/visits/{mine}/mark", data={"status": "in_session", "revision": visit_of(mine).revision}
    )
    assert answer.location == f"/diary/visits/{mine}/check-in?then=in_session"
    assert "Nothing has changed" in browser.get(answer.location).text
    browser.post(f"/diary/visits/{mine}/check-in", data={"step": "nothing", "then": "in_session"})
    assert visit_of(mine).status == "in_session"
    assert browser.get(f"/diary/visits/{theirs}/check-in").status_code == 404
    assert browser.post(f"/diary/visits/{theirs}/check-in", data={"step": "nothing"}).status_code == 404


def test_a_visit_says_how_its_health_questions_stand(world: w.World) -> None:
    client, visit_id = booked(world, w.at(3, 10))
    opens = w.at(2, 10)
    with time_machine.travel(opens - dt.timedelta(minutes=1), tick=False):
        state = health_state(visit_of(visit_id))
    assert (state.signed_on, state.asks_again_at, state.check_in) == (dt.date(2026, 6, 6), opens, "")
    with time_machine.travel(opens, tick=False):
        state = health_state(visit_of(visit_id))
        assert (state.asks_again_at, state.check_in) == (None, "open")
        check_in(client, now=opens)
        assert health_state(visit_of(visit_id)).check_in == "done"


@pytest.mark.parametrize(
    ("answers", "instead"),
    [
        (
            {
                "topic": "6", "c.pregnancy": "yes", "f.pregnancy.status": "confirmed", "f.pregnancy.weeks": "20",
                "f.pregnancy.high_risk": "no", "f.pregnancy.complication": "none", "c.rf_pregnancy_warning": "no",
            },
            True,
        ),
        ({"topic": "7", "c.alcohol_drugs_today": "yes"}, False),
    ],
)  # fmt: skip
def test_who_cannot_have_this_visit_is_shown_what_is_safe_instead(
    app: Flask, world: w.World, now: dt.datetime, answers: dict[str, str], instead: bool
) -> None:
    """What would be unsafe however it is given that day is not offered: then another day is."""
    _client, visit_id = booked(world, w.at(1, 8), service="deep_tissue")
    asking.ask_for_check_ins(now)
    app.test_client_class = Visitor
    browser, address = app.test_client(), f"/check-in/{key_of(link_mails()[0])}"
    page = browser.post(address, data={"step": "answered", **answers}).text
    assert visit_of(visit_id).status == "cancelled"
    assert ("Good for you instead" in page) is instead
    assert ("Relaxation" in page) is instead
    assert "Book another day" in page
    told = "Pregnant" if instead else "Alcohol"
    assert f"You told us: {told}" in page, "what they have just said, to whoever has just said it"
    if instead:
        held = re.search(r'action="(/book/relaxation[^"]*)"', page)
        assert held, "a button books it"


def test_whoever_holds_only_the_link_reads_nothing_of_earlier_answers(
    app: Flask, world: w.World, now: dt.datetime
) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client, now=NOW - dt.timedelta(days=3), heart_failure=letters.HEART)
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(1, 8)).visit_id
    assert visit_id is not None
    (letter,) = letters.verify(client, letters.reviewer(), "heart_failure", services=("relaxation",))
    assert (letter > 0, visit_of(visit_id).status) == (True, "confirmed")
    asking.ask_for_check_ins(now)
    app.test_client_class = Visitor
    browser, address = app.test_client(), f"/check-in/{key_of(link_mails()[0])}"
    answers = dict.fromkeys((f"c.{one}" for one in TOPICS[4].asks), "no")
    answers |= {"topic": TOPICS[4].key, "c.blood_thinners": "yes"}
    typed = {
        "f.blood_thinners.med_class": "anticoagulant", "f.blood_thinners.stable_3_months": "no",
        "f.blood_thinners.bruising": "no",
    }  # fmt: skip
    with time_machine.travel(now + dt.timedelta(minutes=5), tick=False):
        page = browser.post(address, data={"step": "answered", **answers, **typed}).text
    assert visit_of(visit_id).status == "suspended"
    assert "We need a letter from your doctor first" in page
    assert "You told us: Blood thinner" in page
    assert "eart" not in page.split("<main")[1]


LATE_DOORS = ("mail", "link", "own", "desk", "diary")
WAYS = [(door, deed) for door in LATE_DOORS for deed in ("cancelled", "moved", "merged")] + [
    (door, "begun")
    for door in ("mail", "link", "own")  # staff may ask whoever comes late
]


class Late:
    """A check-in that is open on a screen, of a visit of this afternoon; another visit is booked for later."""

    def __init__(self, app: Flask, world: w.World, door: str) -> None:
        self.world = world
        self.client, self.visit = booked(world, w.at(0, 15))
        key = next(
            found[1]
            for text in db.session.scalars(select(OutgoingMail.text))
            if (found := re.search(r"/visit/([\w-]{20,})", text))
        )
        other = w.at_desk(world, self.client, "deep_tissue", when=w.at(4)).visit_id
        assert other is not None
        self.other = other
        asking.ask_for_check_ins(NOW)
        app.test_client_class = Visitor
        self.browser, self.address = app.test_client(), f"/check-in/{key_of(link_mails()[0])}"
        if door == "link":
            self.address = f"/visit/{key}/check-in"
        elif door == "own":
            user = make_person("me@people.example", Role.CLIENT)
            with transaction() as session:
                session.add(ClientAccess(user_id=user.id, client_id=self.client, relation="self", since=NOW))
            self.browser = browser_of(app, "me@people.example")
            self.address = f"/my/visits/{self.visit}/check-in"
        elif door == "desk":
            self.browser, self.address = desk_browser(app, world), f"/desk/visits/{self.visit}/check-in"
        elif door == "diary":
            make_person("therapist@clinic.example", Role.THERAPIST)
            with transaction() as session:
                whose = session.get_one(Visit, self.visit).therapist_id
                user_id = session.scalars(
                    select(User.id).where(User.email == "therapist@clinic.example")
                ).one()
                session.get_one(Therapist, whose).user_id = user_id
            self.browser = browser_of(app, "therapist@clinic.example")
            self.address = f"/diary/visits/{self.visit}/check-in"
        assert self.browser.get(self.address).status_code == 200

    def end(self, deed: str) -> dt.datetime:
        """What happens to the visit meanwhile; returns when the page is sent."""
        later, by = NOW + dt.timedelta(minutes=5), self.world.desk_id
        if deed == "cancelled":
            visits.cancel_visit(self.visit, by=by, by_clinic=True, now=later)
        elif deed == "moved":
            revision = visit_of(self.visit).revision
            visits.change_visit(self.visit, revision=revision, starts_at=w.at(2, 15), by=by, now=later)
        elif deed == "merged":  # what is called off stays with the record that goes
            visits.cancel_visit(self.visit, by=by, by_clinic=True, now=later)
            lost, self.client = self.client, w.person(phone="+12125550123")
            w.sign(self.client)
            people.merge_clients(self.client, lost, by=by, now=later)
        elif deed == "begun":
            later = w.at(0, 15, 1)
        db.session.rollback()
        return later

    def send(self, now: dt.datetime, **form: Any) -> Any:
        with time_machine.travel(now, tick=False):
            sent = self.browser.post(self.address, data={"step": "answered", **form})
        db.session.rollback()
        return sent


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(("door", "deed"), WAYS)
def test_a_warning_sign_stops_everything_also_where_the_visit_can_be_checked_in_no_more(
    app: Flask, world: w.World, door: str, deed: str
) -> None:
    late = Late(app, world, door)
    now = late.end(deed)
    sent = late.send(now, topic="1", **{"c.rf_chest_pain_breathless": "yes"})
    assert sent.status_code == 200
    assert db.session.scalars(select(HealthStop.client_id)).all() == [late.client]
    assert visit_of(late.other).status == "cancelled"
    if door in ("mail", "link", "own"):
        assert "We have cancelled your visit" not in sent.text  # that it was called off before is no news
        is_proven = door == "own" or deed != "merged"  # a key reads nothing of what its record became
        assert ("coming visit" in sent.text) is is_proven


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(("door", "deed"), WAYS)
def test_what_has_changed_is_kept_also_where_the_visit_can_be_checked_in_no_more(
    app: Flask, world: w.World, door: str, deed: str
) -> None:
    late = Late(app, world, door)
    now = late.end(deed)
    sent = late.send(now, topic="6", **{"c.pregnancy": "not_sure", "c.rf_pregnancy_warning": "no"})
    assert sent.status_code in (200, 303)
    newest = db.session.scalars(select(Intake).order_by(Intake.version.desc())).first()
    assert newest is not None
    assert (newest.kind, newest.answers["pregnancy"]["present"]) == ("checkin", True)
    assert visit_of(late.other).status in ("suspended", "cancelled")
    if sent.status_code == 200:
        assert "coming visit" in sent.text  # what became of it
        assert "See you on" not in sent.text


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(("door", "deed"), WAYS)
def test_a_late_no_takes_nothing_back_and_confirms_nothing(
    app: Flask, world: w.World, door: str, deed: str
) -> None:
    late = Late(app, world, door)
    waits = w.at_desk(world, late.client, "relaxation", when=w.at(8), reconfirmed=False).visit_id
    assert waits is not None
    with transaction() as session:
        row = session.get_one(Visit, waits)
        row.status, row.waiting_for, row.deadline_at = "pending", "reconfirm", w.at(7)
    now = late.end(deed)
    stands = visit_of(waits).status  # a merge judges it anew
    half = {"step": "answered", "topic": "6", "c.pregnancy": "yes", "c.rf_pregnancy_warning": "no"}
    with time_machine.travel(now, tick=False):  # by the person, elsewhere: a detail is missing
        unsigned = {"pregnancy": {"present": True}}
        intakes.save_draft(late.client, BEGUN, "checkin", unsigned, now=now, asked=["pregnancy"])
    for answers in ({"c.pregnancy": "no"}, {"c.pregnancy": ""}):
        sent = late.send(now + dt.timedelta(minutes=1), **{**half, **answers})
        if answers == {"c.pregnancy": "no"}:
            with time_machine.travel(now + dt.timedelta(minutes=1), tick=False):
                shown = late.browser.get(sent.location) if sent.status_code == 303 else sent
            assert "Nothing new was said" in shown.text
            db.session.rollback()
        assert intake.has_unsigned(late.client), answers
        draft = intake.draft(late.client, BEGUN)
        assert draft is not None
        assert draft.answered["pregnancy"]["present"], answers
    assert {one.kind for one in db.session.scalars(select(Intake))} == {"full"}
    assert visit_of(waits).status == stands


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("is_signed", [False, True])
def test_a_milder_yes_on_a_late_page_takes_no_graver_one_back(
    app: Flask, world: w.World, is_signed: bool
) -> None:
    late = Late(app, world, "mail")
    graver: dict[str, Any] = {"pregnancy": {"present": True, "weeks": 30, "high_risk": True}}
    if is_signed:
        w.sign(late.client, now=NOW, pregnancy={"weeks": 30, "high_risk": True})
    else:
        intakes.save_draft(late.client, BEGUN, "checkin", graver, now=NOW)
    now = late.end("cancelled")
    late.send(now, topic=["4", "6"], **{
        "c.pregnancy": "not_sure", "c.rf_pregnancy_warning": "no", "c.eczema_psoriasis": "not_sure",
        **dict.fromkeys(("c.skin_infection", "c.open_wound_burn", "c.lump_or_mole"), "no"),
    })  # fmt: skip
    newest = intake.newest(late.client)
    assert newest is not None
    assert newest.answers["eczema_psoriasis"]["present"], "of this nobody has told otherwise"
    assert newest.answers["pregnancy"].get("weeks") == (30 if is_signed else None)
    assert intake.has_unsigned(late.client)
    draft = intake.draft(late.client, BEGUN)
    assert draft is not None
    assert draft.answered["pregnancy"]["present"] or is_signed
    assert visit_of(late.other).status != "confirmed", "it waits for what was told otherwise"


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("is_signed", [False, True])
def test_a_warning_sign_on_a_late_page_stops_whatever_was_told_of_it_before(
    app: Flask, world: w.World, is_signed: bool
) -> None:
    late = Late(app, world, "mail")
    checked = {"rf_chest_pain_breathless": {"present": True, "checked_by_doctor": True}}
    if is_signed:
        w.sign(late.client, now=NOW, **checked)
    else:
        intakes.save_draft(late.client, BEGUN, "checkin", checked, now=NOW)
    sent = late.send(late.end("cancelled"), topic="1", **{"c.rf_chest_pain_breathless": "yes"})
    assert "medical help now" in sent.text
    assert db.session.scalars(select(HealthStop.client_id)).all() == [late.client]
    assert visit_of(late.other).status == "cancelled"


@pytest.mark.usefixtures("now")
def test_a_late_page_stops_together_with_what_waits_unsigned(app: Flask, world: w.World) -> None:
    late = Late(app, world, "mail")
    thinner = {"present": True, "med_class": "anticoagulant", "stable_3_months": True, "bruising": False}
    intakes.save_draft(late.client, BEGUN, "checkin", {"blood_thinners": thinner}, now=NOW)
    day = {f"f.acute_injury.date.{part}": str(getattr(NOW, part)) for part in ("day", "month", "year")}
    sent = late.send(late.end("cancelled"), topic="2", **day, **{
        "c.acute_injury": "yes", "f.acute_injury.type": "bruise", "f.acute_injury.site": "left_knee",
        "f.acute_injury.checked_by_doctor": "no", "c.rf_unchecked_trauma": "no", "c.fracture": "no",
    })  # fmt: skip
    assert "today" in sent.text
    assert db.session.scalars(select(HealthStop.client_id)).all() == [late.client]
    assert visit_of(late.other).status == "cancelled"


@pytest.mark.usefixtures("now")
def test_a_late_page_takes_back_nothing_that_is_half_typed(app: Flask, world: w.World) -> None:
    late = Late(app, world, "mail")
    half = {"c.pregnancy": ["yes"], "f.pregnancy.high_risk": ["yes"]}
    intakes.save_draft(late.client, BEGUN, "checkin", {}, now=NOW, half=half)
    late.send(late.end("cancelled"), topic="6", **{"c.pregnancy": "not_sure", "c.rf_pregnancy_warning": "no"})
    assert intake.has_unsigned(late.client)
    assert visit_of(late.other).status != "confirmed"


@pytest.mark.usefixtures("now")
def test_the_own_link_of_a_visit_takes_nothing_a_day_after_it(app: Flask, world: w.World) -> None:
    late = Late(app, world, "link")
    form = {"topic": "1", "c.rf_chest_pain_breathless": "yes"}
    over = late.send(w.at(1, 15), **form)
    assert (over.status_code, "please tell us" in over.text) == (404, True)
    assert db.session.scalars(select(HealthStop.client_id)).all() == []
    assert late.send(w.at(1, 14, 59), **form).status_code == 200
    assert db.session.scalars(select(HealthStop.client_id)).all() == [late.client]


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("door", LATE_DOORS)
def test_nothing_has_changed_is_not_taken_for_a_visit_that_is_off(
    app: Flask, world: w.World, door: str
) -> None:
    late = Late(app, world, door)
    now = late.end("cancelled")
    with time_machine.travel(now, tick=False):
        sent = late.browser.post(late.address, data={"step": "nothing"})
        assert late.browser.get(late.address).status_code in (303, 404)
    assert sent.status_code in (303, 404)
    db.session.rollback()
    assert [one.kind for one in db.session.scalars(select(Intake))] == ["full"]


@pytest.mark.usefixtures("now")
def test_a_mailed_link_takes_nothing_a_day_after_its_visit(app: Flask, world: w.World) -> None:
    late = Late(app, world, "mail")
    form = {"topic": "1", "c.rf_chest_pain_breathless": "yes"}
    assert late.send(w.at(1, 15, 1), **form).status_code == 404
    assert db.session.scalars(select(HealthStop.client_id)).all() == []
    assert late.send(w.at(1, 14, 59), **form).status_code == 200
    assert db.session.scalars(select(HealthStop.client_id)).all() == [late.client]
