"""A therapist's day, week and visits: what matters is there, and nobody else's is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from clinic.accounts.models import UserGrant
from clinic.booking.models import StatusChange, Visit
from clinic.booking.services import time_off, visits
from clinic.booking.services.aims import say_aim
from clinic.booking.services.couples import Half, book_couple
from clinic.diary.queries import therapist as diary
from clinic.diary.queries.desk import desk_day
from clinic.diary.queries.visit_card import visit_card
from clinic.intake.services import intakes
from clinic.premises import queries as premises
from clinic.premises.models import Location
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.permissions import Permission, Role
from clinic.rules.taking_back import TIME_TO_TAKE_BACK
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.languages import speaking
from clinic.therapists import services as therapists
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import ME, OTHER, Staffed, person_with, staffed

pytestmark = pytest.mark.usefixtures("now")

VEINS = {"site": ["left_lower_leg"], "status": "quiet"}
THINNER = {"med_class": "anticoagulant", "medication": "apixaban", "stable_3_months": True, "bruising": False}


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)


def booked(
    clinic: Staffed, service: str = "relaxation", *, therapist: int | None = None, **values: object
) -> int:
    """A visit today at 10:00 with Terry 1 unless said otherwise; returns its id."""
    client = w.person(**values.pop("person", {}))  # type: ignore[arg-type]
    w.sign(client, **values.pop("declared", {}))  # type: ignore[arg-type]
    outcome = w.at_desk(
        clinic.world, client, service, when=values.pop("when", w.at(0)),  # type: ignore[arg-type]
        therapist_id=therapist or clinic.me, **values,
    )  # fmt: skip
    assert outcome.visit_id is not None
    return outcome.visit_id


def my_days(clinic: Staffed, days: int = 1) -> list[diary.OwnDay]:
    row = db.session.get_one(Therapist, clinic.me)
    me = diary.Me(row.id, row.name, row.tint, row.licence_expires_on)
    return diary.own_days(me, w.TODAY, days, NOW)


def test_the_day_has_hours_breaks_time_off_and_own_visits_only(clinic: Staffed) -> None:
    mine = booked(clinic)
    booked(clinic, therapist=clinic.other)
    place = premises.location(clinic.world.place_id)
    assert place is not None
    row = db.session.get_one(Therapist, clinic.me)
    factories.make_hours(row, place, starts="12:30", ends="13:15", weekdays=range(7), kind="break")
    time_off.add_time_off(
        clinic.me, "meeting", w.at(0, 16), w.at(0, 17), "Team", by=clinic.world.desk_id, now=NOW
    )
    day = my_days(clinic)[0]
    assert [(one.id, one.start, one.until, one.minutes) for one in day.visits] == [
        (mine, "10:00", "11:15", 75)  # with the minutes of a first visit
    ]
    assert day.hours == ((dt.time(8), dt.time(20)),)
    assert [(one.start, one.minutes, one.label) for one in day.off] == [
        ("00:00", 480, ""), ("20:00", 240, ""), ("12:30", 45, "Break"), ("16:00", 60, "Meeting: Team")
    ]  # fmt: skip
    assert diary.window([day]) == (8, 20)
    hours = WeeklyHours(w.TODAY.weekday(), dt.time(9), dt.time(13))
    therapists.set_hours_of_day(clinic.me, clinic.world.place_id, w.TODAY, [hours], by=None, now=NOW)
    assert my_days(clinic)[0].hours == ((dt.time(9), dt.time(13)),)


def test_blocks_and_the_sides_of_the_body_are_said_in_the_language_of_who_reads(clinic: Staffed) -> None:
    time_off.add_time_off(
        clinic.me, "off", w.at(0, 16), w.at(0, 17), "Not in today", by=clinic.world.desk_id, now=NOW
    )
    visit = booked(clinic, declared={"varicose_veins": VEINS})
    with speaking("de"):
        assert my_days(clinic)[0].off[-1].label == "Abwesend: Heute nicht da"
        shown = desk_day(clinic.world.place_id, w.TODAY, NOW).columns
        assert "Abwesend" in {span.label for column in shown for span in column.off}
    browser = clinic.browser(ME)
    browser.post("/language", data={"language": "de"})
    page = browser.get(f"/diary/visits/{visit}").text
    assert (page.count(">Rechts</text>"), page.count(">Right</text>")) == (2, 0)
    assert "Heute nicht da" in browser.get("/diary/time-off").text


def test_a_week_costs_the_same_however_many_visits(clinic: Staffed) -> None:
    booked(clinic, when=w.at(0, 18))
    db.session.rollback()
    few = statements(lambda: my_days(clinic, 7))
    for days in range(5):
        for hour in (10, 12, 14, 16):
            booked(clinic, when=w.at(days, hour), declared={"varicose_veins": VEINS})
    db.session.rollback()
    many = statements(lambda: my_days(clinic, 7))
    assert sum(len(day.visits) for day in my_days(clinic, 7)) == 21
    assert many == few == 13


def statements(do: Callable[[], object]) -> int:
    """How many statements that takes."""
    seen: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    do()
    event.remove(db.engine, "before_cursor_execute", note)
    db.session.rollback()
    return len([one for one in seen if one.lstrip().upper().startswith("SELECT")])


def test_the_card_says_what_to_take_care_of_and_where_not_to_touch(clinic: Staffed) -> None:
    visit = booked(clinic, "relaxation", declared={"varicose_veins": VEINS, "blood_thinners": THINNER})
    card = visit_card(clinic.me, visit, NOW)
    assert card is not None
    assert (card.age, card.first_visit, card.service, card.areas) == (
        41,
        True,
        "Relaxation massage",
        "Whole body",
    )
    assert [(one.words, one.avoid) for one in card.care.places] == [("left lower leg", True)]
    assert [one.rule for one in card.care.cautions] == [
        "blood_thinners"
    ]  # what has a place stands with its place
    notes = [*(one.note for one in card.care.places), *(one.note for one in card.care.cautions)]
    assert all(note and "requested area" not in note for note in notes)
    assert (card.care.call_first, card.phone) == (False, "")


@pytest.mark.parametrize("warns", [False, True])
def test_what_is_told_after_a_visit_began_is_said_at_once(clinic: Staffed, warns: bool) -> None:
    """It is judged no more: the page went on saying that nothing was found."""
    visit = booked(clinic, "relaxation", when=w.at(0))
    client = db.session.get_one(Visit, visit).client_id or 0
    for status in (VisitStatus.ARRIVED, VisitStatus.IN_SESSION):
        seen = db.session.get_one(Visit, visit, populate_existing=True).revision
        visits.mark_visit(visit, status, by=clinic.world.desk_id, revision=seen, now=NOW)
    mine, desk = clinic.browser(ME), clinic.browser(person_with(Role.FRONT_DESK))

    def shown() -> list[bool]:
        pages = mine.get("/diary"), mine.get(f"/diary/visits/{visit}"), desk.get(f"/desk/visits/{visit}")
        return ["The health answers changed at" in one.text for one in pages]

    assert shown() == [False, False, False]
    later = NOW + dt.timedelta(minutes=1)
    if warns:
        sign = w.answers(rf_saddle_numbness={})
        intakes.raise_stop(client, sign, source="tablet", by=None, now=later, today=w.TODAY)
    else:
        w.sign(client, now=later, varicose_veins=VEINS)
    assert shown() == [True, True, True]


def test_of_two_at_once_the_card_names_the_other_therapist(clinic: Staffed) -> None:
    factories.make_room(db.session.get_one(Location, clinic.world.place_id), name="For two", tables=2)
    one, other = w.person(), w.person()
    for client in (one, other):
        w.sign(client)
    halves = (
        Half(one, w.choice("relaxation", therapist_id=clinic.me)),
        Half(other, w.choice("relaxation", therapist_id=clinic.other)),
    )
    made = book_couple(
        halves, w.at(0, 15), request_key=None, source="desk", by=None, now=NOW, reconfirmed=True
    )
    assert made.couple_id is not None
    db.session.rollback()
    mine = db.session.scalars(select(Visit.id).where(Visit.client_id == one)).one()
    said = "The other one is with Terry 1, in the same room"
    for address in ("/diary", f"/diary/visits/{mine}"):
        assert said in clinic.browser(ME).get(address).text
    alone = booked(clinic, "relaxation", when=w.at(1))
    assert "Two at once" not in clinic.browser(ME).get(f"/diary/visits/{alone}").text


def test_the_card_draws_where_not_to_touch_and_where_to_take_care_on_the_persons_own_sides(
    clinic: Staffed,
) -> None:
    declared = {
        "varicose_veins": VEINS,
        "chart_avoid": {"site": ["right_knee"]},
        "chart_pain": {"site": ["lower_back", "right_knee"]},
    }
    visit = booked(clinic, "relaxation", declared=declared)
    card = visit_card(clinic.me, visit, NOW)
    assert card is not None
    assert card.care.drawn == {"left_lower_leg": "avoid", "right_knee": "avoid", "lower_back": "care"}
    assert card.care.call_first is False
    page = clinic.browser(ME).get(f"/diary/visits/{visit}").text
    for area, kind in card.care.drawn.items():
        sides = 1 if area == "lower_back" else 2
        assert page.count(f'data-area="{area}" class="is-{kind}"') == sides
    assert page.count('class="is-') == 5 + 2  # and the key
    assert "Do not work on: right knee." in page


def test_three_cautions_say_call_first_with_the_number(clinic: Staffed) -> None:
    declared = {
        "varicose_veins": VEINS,
        "blood_thinners": THINNER,
        "diabetes": {"status": "controlled", "complications": False, "insulin": False},
        "high_blood_pressure": {"status": "controlled", "systolic": 132, "diastolic": 84},
    }
    visit = booked(clinic, declared=declared, person={"phone": "(212) 555-1234"})
    card = visit_card(clinic.me, visit, NOW)
    assert card is not None
    assert (card.care.call_first, card.care.flag, card.phone) == (True, "Call first", "(212) 555-1234")


def test_another_therapists_visit_is_not_there(clinic: Staffed) -> None:
    theirs = booked(clinic, therapist=clinic.other)
    assert visit_card(clinic.me, theirs, NOW) is None
    browser = clinic.browser(ME)
    revision = db.session.get_one(Visit, theirs).revision
    answers = [
        browser.get(f"/diary/visits/{theirs}"),
        browser.get(f"/diary/visits/{theirs}/earlier"),
        browser.post(f"/diary/visits/{theirs}/mark", data={"status": "in_session", "revision": revision}),
    ]
    assert [one.status_code for one in answers] == [404, 404, 404]
    assert db.session.get_one(Visit, theirs).status == "confirmed"
    assert "Terry 2" not in browser.get("/diary/week").text


def test_pages_are_open_to_therapists_alone(clinic: Staffed) -> None:
    visit = booked(clinic)
    pages = [
        "/diary",
        "/diary/week",
        f"/diary/visits/{visit}",
        f"/diary/visits/{visit}/earlier",
        "/diary/time-off",
    ]
    wanted = {ME: [200] * 5, OTHER: [200, 200, 404, 404, 200]}
    for role in (Role.CLIENT, Role.FRONT_DESK, Role.OWNER):
        wanted[person_with(role)] = [403] * 5
    # clinical review given by name opens the reviews, not a therapist's visits
    wanted[person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW)] = [403] * 5
    found = {}
    for email in wanted:
        browser = clinic.browser(email)
        found[email] = [browser.get(page).status_code for page in pages]
    assert found == wanted
    stranger = clinic.app.test_client()
    assert {stranger.get(page).headers.get("Location", "").split("?")[0] for page in pages} == {"/sign-in"}


def test_start_from_confirmed_keeps_the_arrival_as_a_step(clinic: Staffed) -> None:
    visit = booked(clinic)
    browser = clinic.browser(ME)
    page = browser.get("/diary").text
    assert "Start the visit" in page
    assert "Client did not come" not in page  # it has not begun yet
    revision = db.session.get_one(Visit, visit).revision
    answer = browser.post(f"/diary/visits/{visit}/mark", data={"status": "in_session", "revision": revision})
    assert answer.status_code == 303
    assert db.session.get_one(Visit, visit).status == "in_session"
    steps = select(StatusChange.status).where(StatusChange.visit_id == visit).order_by(StatusChange.id)
    assert list(db.session.scalars(steps)) == ["confirmed", "arrived", "in_session"]
    revision = db.session.get_one(Visit, visit).revision
    in_german = {"Accept-Language": "de"}
    browser.post(
        f"/diary/visits/{visit}/mark", data={"status": "done", "revision": revision}, headers=in_german
    )
    assert db.session.get_one(Visit, visit).status == "done"
    assert "Der Termin ist beendet." in browser.get(f"/diary/visits/{visit}", headers=in_german).text


def test_what_looks_like_a_slip_is_said_once_it_is_started(clinic: Staffed) -> None:
    """Hours early, or while another visit of the same therapist goes on: by their own button and by the desk's."""
    first, second = booked(clinic, when=w.at(0, 9, 45)), booked(clinic, when=w.at(0, 15))
    me, desk = clinic.browser(ME), desk_browser(clinic.app, clinic.world)
    early, both = "Undo this, if it was the wrong visit.", "is still in session with"

    def start(browser: FlaskClient, address: str, visit: int) -> str:
        revision = db.session.get_one(Visit, visit).revision
        data = {"status": "in_session", "revision": revision}
        browser.post(f"{address}/{visit}/mark", data=data)
        return browser.get(f"{address}/{visit}").text

    page = start(me, "/diary/visits", first)
    assert (early in page, both in page) == (False, False)
    page = start(desk, "/desk/visits", second)
    assert early in page
    assert both in page
    assert "9:45" in page
    assert db.session.get_one(Visit, second).status == "in_session", "it is said, not refused"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"status": "cancelled", "revision": "1"}, "This step is not known"),
        ({"status": "in_session", "revision": "x"}, "This step is not known"),
        ({"status": "in_session", "revision": "99"}, "was changed meanwhile"),
        ({"status": "done", "revision": "1"}, "is not over yet"),
        ({"status": "no_show", "revision": "1"}, "has not begun yet"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wrong_step_is_said_and_changes_nothing(
    clinic: Staffed, data: dict[str, str], sentence: str
) -> None:
    visit = booked(clinic)
    browser = clinic.browser(ME)
    browser.post(f"/diary/visits/{visit}/mark", data=data)
    assert sentence in browser.get(f"/diary/visits/{visit}").text
    assert db.session.get_one(Visit, visit).status == "confirmed"


def test_nobody_arrives_before_the_day_or_is_missed_before_the_start(clinic: Staffed) -> None:
    visit = booked(clinic, when=w.at(1))
    revision = db.session.get_one(Visit, visit).revision
    for new, now in (
        (VisitStatus.ARRIVED, NOW), (VisitStatus.IN_SESSION, NOW), (VisitStatus.NO_SHOW, w.at(1, 9, 59))
    ):  # fmt: skip
        with pytest.raises(MoveNotAllowed):
            visits.mark_visit(visit, new, revision=revision, by=clinic.world.desk_id, now=now)
    visits.mark_visit(visit, VisitStatus.NO_SHOW, revision=revision, by=clinic.world.desk_id, now=w.at(1))
    db.session.rollback()
    assert db.session.get_one(Visit, visit).status == "no_show"
    day = clinic.browser(ME).get(f"/diary?day={w.at(1).date()}").text
    assert re.search(r'<span class="num">10:00.am</span> <span dir="auto">', day), (
        "by the clock of the clinic"
    )


@pytest.mark.parametrize("why", ["over", "called off", "far ahead"])
def test_who_does_not_treat_somebody_reads_nothing_about_their_health(clinic: Staffed, why: str) -> None:
    """The visit itself stays to be seen: a therapist treats from 30 days back to 60 ahead."""
    when = w.at(75) if why == "far ahead" else w.at(0)
    visit_id = booked(clinic, when=when, declared={"varicose_veins": VEINS})
    say_aim(visit_id, "A loose neck", by=None, now=NOW)
    now = NOW
    if why == "over":
        now = NOW + dt.timedelta(days=45)
        with transaction() as session:
            session.execute(update(Visit).values(status="done"))
    elif why == "called off":
        visits.cancel_visit(visit_id, by=None, by_clinic=True, now=NOW)
    page = f"/diary/visits/{visit_id}"
    with time_machine.travel(now, tick=False):
        text = clinic.browser(ME).get(page).text
        card = visit_card(clinic.me, visit_id, now)
        days = [clinic.browser(ME).get(f"/diary{one}?day={when.date()}").text for one in ("", "/week")]
    assert card is not None
    assert "Take care" not in "".join(days), "the day and the week say no more than the visit"
    assert (card.note, card.care.is_known, card.phone) == ("", False, "")
    assert not re.search("loose neck|varicose", text, re.IGNORECASE)
    assert "Days before a visit: 60. Days after it: 30." in text
    assert "not signed yet" not in text, "that would be said of the person"
    if why == "far ahead":
        with time_machine.travel(w.at(20), tick=False):
            text, day = (clinic.browser(ME).get(one).text for one in (page, f"/diary?day={when.date()}"))
        assert "Take care" in day
        assert "A loose neck" in text
        assert "Not shown today" not in text


def test_reading_answers_is_recorded_and_ends_with_the_treatment(clinic: Staffed) -> None:
    visit = booked(clinic, declared={"varicose_veins": VEINS})
    browser = clinic.browser(ME)
    page = browser.get(f"/diary/visits/{visit}/earlier").text
    assert "Varicose veins" in page
    assert "Left lower leg" in page
    read = select(AuditRow).where(AuditRow.deed == "answers.read")
    row = db.session.scalars(read).one()
    assert (row.thing, row.thing_id, row.detail) == (
        "client", db.session.get_one(Visit, visit).client_id, {"door": "diary"}
    )  # fmt: skip
    with transaction() as session:
        session.get_one(Visit, visit).starts_at = NOW - dt.timedelta(days=31)
    assert browser.get(f"/diary/visits/{visit}/earlier").status_code == 404
    assert len(db.session.scalars(read).all()) == 1


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (61, ""),
        (60, "Expires in 60 days"),
        (30, "Expires in 30 days"),
        (7, "Expires in 7 days"),
        (1, "Tomorrow is the last day"),
        (0, "Today is the last day"),
        (-1, "Expired on"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_licence_is_named_before_it_ends(clinic: Staffed, days: int, words: str) -> None:
    with transaction() as session:
        session.get_one(Therapist, clinic.me).licence_expires_on = w.TODAY + dt.timedelta(days=days)
    browser = clinic.browser(ME)
    page = browser.get("/diary").text
    assert page.count("Your licence") == bool(words), "and not twice, on two notices"
    assert words in page
    ended = "Your licence has ended by this day"
    assert (ended in browser.get("/diary?day=2026-06-10").text) == (days == 0)


def test_a_week_names_the_visits_of_a_day_on_which_the_licence_has_ended(clinic: Staffed) -> None:
    booked(clinic)
    with transaction() as session:
        session.get_one(Therapist, clinic.me).licence_expires_on = w.TODAY - dt.timedelta(days=1)
    week = re.sub(r"\s+", " ", clinic.browser(ME).get("/diary/week").text)
    assert "Licence has ended, 1 visit, today" in week
    assert "<p>Licence has ended</p>" in week


def test_the_next_card_is_who_is_on_the_table_then_who_comes_next(clinic: Staffed) -> None:
    first, second = booked(clinic, when=w.at(0, 10)), booked(clinic, when=w.at(0, 12))
    day = my_days(clinic)
    assert [getattr(diary.next_visit(day, now), "id", None) for now in (NOW, w.at(0, 11, 15), w.at(0, 13, 15))] == [
        first, second, None
    ]  # fmt: skip
    visits.mark_visit(
        first,
        VisitStatus.IN_SESSION,
        revision=db.session.get_one(Visit, first).revision,
        by=clinic.world.desk_id,
        now=w.at(0, 10),
    )
    running_late = diary.next_visit(my_days(clinic), w.at(0, 11, 40))
    assert running_late is not None
    assert running_late.id == first


def test_an_account_without_a_profile_is_told_whom_to_ask(clinic: Staffed) -> None:
    browser = clinic.browser(person_with(Role.THERAPIST))
    for page in ("/diary", "/diary/week"):
        assert "Your account has no therapist profile yet" in browser.get(page).text


def test_a_waiting_visit_says_so_and_cannot_be_started(clinic: Staffed) -> None:
    client = w.person()
    outcome = w.at_desk(clinic.world, client, "relaxation", when=w.at(0, 15), therapist_id=clinic.me)
    assert (outcome.status, outcome.visit_id is not None) == (VisitStatus.PENDING, True)
    page = clinic.browser(ME).get(f"/diary/visits/{outcome.visit_id}").text
    assert "Not confirmed yet" in page
    assert "Start the visit" not in page
    # not "nothing was found": nothing was asked
    assert "The health questions are not signed yet" in page
    assert "Nothing to take care of" not in page
    assert my_days(clinic)[0].visits[0].flag == "Ask the desk"


def test_own_hours_breaks_licence_and_skills_are_there_to_read(clinic: Staffed) -> None:
    place = premises.location(clinic.world.place_id)
    assert place is not None
    row = db.session.get_one(Therapist, clinic.me)
    factories.make_hours(row, place, starts="12:30", ends="13:15", weekdays=[0], kind="break")
    with transaction() as session:
        mine = session.get_one(Therapist, clinic.me)
        mine.licence_number, mine.licence_expires_on = "T-77", w.TODAY + dt.timedelta(days=20)
    page = clinic.browser(ME).get("/diary/me").text.replace("\u00a0", " ")
    assert ("Break 12:30 pm to 1:15 pm" in page, page.count("8:00 am to 8:00 pm")) == (True, 7)
    assert ("T-77" in page, "Expires in 20 days" in page, "Deep tissue" in page) == (True, True, True)
    assert "T-77" not in clinic.browser(OTHER).get("/diary/me").text


def test_own_day_and_week_ask_by_themselves_and_are_answered_in_a_word(clinic: Staffed) -> None:
    visit = booked(clinic, when=w.at(0, 12))
    mine = clinic.browser(ME)

    def mark_of(address: str) -> str:
        page = mine.get(address)
        mark = page.get_etag()[0]
        assert mark is not None
        assert f'data-live="{mark}"' in page.text
        return mark

    def asks(address: str, mark: str) -> int:
        return mine.get(address, headers={"If-None-Match": f'"{mark}"', "X-Poll": "1"}).status_code

    def reads() -> int:
        db.session.rollback()
        return len(db.session.scalars(select(AuditRow.sequence).where(AuditRow.deed == "health.read")).all())

    own = f"/diary/visits/{visit}"
    for address in ("/diary", "/diary/week", "/diary?day=2026-06-10", own):
        mark = mark_of(address)
        shown = reads()
        assert asks(address, mark) == 304, "though showing it was recorded"
        assert reads() == shown, "what is not shown again is not recorded again"
    day, week, one = mark_of("/diary"), mark_of("/diary/week"), mark_of(own)
    visits.cancel_visit(visit, by=None, by_clinic=True, now=NOW)
    assert (asks("/diary", day), asks("/diary/week", week), asks(own, one)) == (200, 200, 200)
    one = mark_of(own)
    with transaction() as session:
        session.get_one(Visit, visit).therapist_id = clinic.other
    assert asks(own, one) == 404, "the page takes what it showed from the screen"
    day = mark_of("/diary")
    time_off.add_time_off(
        clinic.me, "meeting", w.at(0, 16), w.at(0, 17), "", by=clinic.world.desk_id, now=NOW
    )
    assert asks("/diary", day) == 200


def test_what_own_days_do_not_show_neither_renews_them_nor_counts_as_a_reading(clinic: Staffed) -> None:
    visit = booked(clinic, when=w.at(0, 12))
    mine = clinic.browser(ME)

    def ask(mark: str) -> tuple[int, str]:
        page = mine.get("/diary", headers={"If-None-Match": f'"{mark}"', "X-Poll": "1"})
        return page.status_code, str(page.get_etag()[0])

    def reads() -> int:
        db.session.rollback()
        return len(db.session.scalars(select(AuditRow.sequence).where(AuditRow.deed == "health.read")).all())

    first = str(mine.get("/diary").get_etag()[0])
    shown = reads()
    time_off.add_time_off(
        clinic.other, "meeting", w.at(0, 16), w.at(0, 17), "", by=clinic.world.desk_id, now=NOW
    )
    status, second = ask(first)
    assert (status, second != first, reads()) == (304, True, shown)
    assert ask(second) == (304, second), "by its new mark it is answered without being drawn"
    visits.cancel_visit(visit, by=None, by_clinic=True, now=NOW)
    assert (ask(second)[0], ask(first)[0], reads()) == (200, 200, shown + 2)
    assert [ask(typed)[0] for typed in ("", "~", "x~y")] == [200, 200, 200]


def test_a_step_by_a_slip_is_taken_back_for_a_moment(clinic: Staffed) -> None:
    visit = booked(clinic, when=w.at(0, 12))
    browser, other = clinic.browser(ME), clinic.browser(OTHER)
    undo = f"/diary/visits/{visit}/undo"

    def step(status: str) -> str:
        db.session.rollback()
        data = {"status": status, "revision": str(db.session.get_one(Visit, visit).revision), "back": "day"}
        browser.post(f"/diary/visits/{visit}/mark", data=data)
        return browser.get("/diary").text

    def take_back(revision: str = "") -> str:
        browser.post(undo, data={"revision": revision, "back": "day"})
        return browser.get("/diary").text

    def status() -> str:
        db.session.rollback()
        return str(db.session.get_one(Visit, visit).status)

    page = step("in_session")
    found = re.search(rf'action="{undo}".*?name="revision" value="(\d+)"', page, re.S)
    assert found is not None
    assert other.post(undo, data={"revision": found[1]}).status_code == 404
    assert "Undone. The visit stands as before." in take_back(found[1])
    assert status() == VisitStatus.CONFIRMED
    assert "nothing to undo" in take_back()
    step("in_session")
    step("done")
    assert undo in browser.get(f"/diary/visits/{visit}").text
    with time_machine.travel(NOW + TIME_TO_TAKE_BACK, tick=False):
        assert "too late" in take_back()
    assert status() == VisitStatus.DONE


def test_places_with_other_clocks_side_by_side_say_which_clock_is_meant(clinic: Staffed) -> None:
    """Five o'clock at one place is not five o'clock at the other, though both stand at one height."""
    browser = clinic.browser(ME)

    def shown(address: str) -> str:
        return browser.get(address).text.replace("\u00a0", " ").split("<main")[1]

    assert "New York" not in shown("/diary") + shown("/diary/week")
    west = factories.make_location(zone="America/Los_Angeles", name="Sunset", opens="08:00", closes="23:00")
    row = db.session.get_one(Therapist, clinic.me)
    factories.make_hours(row, west, starts="18:00", ends="21:00", weekdays=[w.TODAY.weekday()])
    day, week = shown("/diary"), shown("/diary/week")
    assert ", Main Street (New York); 6:00 pm to 9:00 pm, Sunset (Los Angeles)." in day
    assert ("<p>New York</p>" in day, "<p>Los Angeles</p>" in day) == (True, True)
    assert ("Main Street (New York)</p>" in week, "Sunset (Los Angeles)</p>" in week) == (True, True)


@pytest.mark.parametrize("status", [VisitStatus.CONFIRMED, VisitStatus.NO_SHOW])
@pytest.mark.parametrize("is_given", [False, True])
def test_the_letters_are_offered_where_they_open(
    clinic: Staffed, status: VisitStatus, is_given: bool
) -> None:
    """Of somebody who did not come a therapist reads nothing more, unless clinical review is given by name."""
    visit = booked(clinic, when=w.at(1))
    client = db.session.get_one(Visit, visit).client_id
    if status == VisitStatus.NO_SHOW:
        revision = db.session.get_one(Visit, visit).revision
        visits.mark_visit(visit, status, revision=revision, by=clinic.world.desk_id, now=w.at(1))
    if is_given:
        with transaction() as session:
            me = session.get_one(Therapist, clinic.me).user_id
            session.add(UserGrant(user_id=me, permission=Permission.CLINICAL_REVIEW))
    with time_machine.travel(w.at(1, 11), tick=False):
        browser = clinic.browser(ME)
        address = f"/reviews/clients/{client}/clearances"
        offered = address in browser.get(f"/diary/visits/{visit}").text
        assert offered == (status == VisitStatus.CONFIRMED or is_given)
        assert browser.get(address).status_code == (200 if offered else 404)
