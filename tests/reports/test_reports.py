"""The owner's reports: exact numbers on both databases, nothing about few people, a file for every table."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from flask import Flask
from sqlalchemy import update

from clinic.booking.models import StatusChange, Visit
from clinic.booking.services import visits
from clinic.booking.services.archiving import archive_claims
from clinic.booking.services.undoing import take_back
from clinic.premises.models import Clinic, Closure, Location
from clinic.reports import queries
from clinic.reports.tables import Table, hours_words, visits_words
from clinic.rules.permissions import Role
from clinic.rules.report_period import Period
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.conftest import NOW
from tests.statements import counted
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

TODAY = w.TODAY
WEEK = Period(TODAY, TODAY + dt.timedelta(days=6))  # Tuesday to Monday
THINNER = {
    "blood_thinners": {
        "med_class": "anticoagulant", "medication": "apixaban", "stable_3_months": True, "bruising": False,
    }
}  # fmt: skip
CLOT: dict[str, dict[str, object]] = {"blood_clot": {}}


def booked(
    clinic: w.World, days: int, hour: int = 10, *, status: str = "confirmed", therapist: int = 0
) -> int:
    """A relaxation of 75 minutes (a first visit) and 15 to get ready; returns its id."""
    client = w.person()
    w.sign(client)
    made = w.at_desk(
        clinic, client, "relaxation", when=w.at(days, hour), therapist_id=clinic.therapists[therapist]
    ).visit_id
    assert made is not None
    if status != "confirmed":
        with transaction() as session:
            session.execute(update(Visit).where(Visit.id == made).values(status=status))
            session.add(StatusChange(visit_id=made, status=status, at=w.at(days, hour), reason=""))
    return made


def table(key: str, period: Period = WEEK, place: int | None = None) -> Table:
    db.session.rollback()
    return queries.report(key, period, place)


def minutes_kept(visit_id: int) -> int:
    visit = db.session.get_one(Visit, visit_id)
    return (visit.free_at - visit.starts_at) // dt.timedelta(minutes=1)


def test_use_of_time_is_booked_minutes_of_bookable_ones(app: Flask) -> None:
    clinic = w.build(therapists=2)
    place = db.session.get_one(Location, clinic.place_id)
    first = db.session.get_one(Therapist, clinic.therapists[0])
    factories.make_hours(first, place, starts="12:00", ends="13:00", weekdays=range(7), kind="break")
    factories.make_time_off(first, starts_at=w.at(1, 8), ends_at=w.at(1, 14))
    with transaction() as session:
        session.add(
            Closure(location_id=clinic.place_id, starts_at=w.at(1, 13), ends_at=w.at(1, 15), reason="x")
        )
    kept = minutes_kept(booked(clinic, 2))
    booked(clinic, 2, 15, status="no_show")
    booked(clinic, 3, 15, status="cancelled")
    booked(clinic, 7)  # the day after the period
    rows = {row[0]: row[1:] for row in table("therapists").rows}
    # a week of 11 hours a day; on Wednesday away from 8 to 15, of which one hour is the break
    capacity = 7 * 11 * 60 - 6 * 60
    assert rows["Terry 0"] == (1, capacity, kept, kept / capacity, 0, kept)
    assert rows["Terry 1"] == (0, 7 * 12 * 60 - 2 * 60, 0, 0.0, 0, 0)
    assert queries.reports(WEEK, None).headlines[0].value == "1\u202f%"
    rooms = {row[0]: row[1:4] for row in table("rooms").rows}
    open_minutes = 7 * 12 * 60 - 2 * 60
    assert sorted(rooms.values(), key=str) == [(0, open_minutes, 0)] * 3 + [(1, open_minutes, kept)]
    hours = {(row[0], row[1]): row[2:4] for row in table("hours").rows}
    assert hours["Thursday", 10] == (120, 60)
    assert hours["Thursday", 11] == (120, kept - 60)
    assert hours["Thursday", 12] == (60, 0)  # the other one has no break
    assert hours["Wednesday", 9] == (60, 0)
    assert ("Wednesday", 13) not in hours
    assert sum(int(str(one[0])) for one in hours.values()) == capacity + open_minutes


def test_a_licence_and_a_job_that_ended_are_no_capacity(app: Flask) -> None:
    clinic = w.build(therapists=2)
    booked(clinic, 1, therapist=1)
    with transaction() as session:
        session.get_one(Therapist, clinic.therapists[0]).licence_expires_on = TODAY + dt.timedelta(days=1)
        session.get_one(Therapist, clinic.therapists[1]).is_active = False
    rows = {row[0]: (row[1], row[2], row[4]) for row in table("therapists").rows}
    assert rows == {"Terry 0": (0, 2 * 12 * 60, 0.0), "Terry 1": (1, 0, None)}


def test_no_shows_late_cancels_and_days_ahead(app: Flask) -> None:
    clinic = w.build(therapists=1)
    for days, hour, status in (
        (0, 15, "done"), (1, 10, "no_show"), (1, 15, "late_cancelled"), (5, 10, "cancelled"), (6, 10, "confirmed"),
    ):  # fmt: skip
        booked(clinic, days, hour, status=status)
    assert table("missed").rows == (
        (TODAY, TODAY + dt.timedelta(days=5), 1, 1, 1, 1, 2 / 3),
        (TODAY + dt.timedelta(days=6), TODAY + dt.timedelta(days=6), 1, 0, 0, 0, 0.0),
    )
    ahead = {row[0]: row[1:] for row in table("ahead").rows}
    assert ahead["The same day"] == (1, 1, 0.2)
    assert ahead["The day before"] == (2, 2, 0.4)
    assert ahead["4 to 7 days"] == (2, 2, 0.4)
    assert [one.value for one in queries.reports(WEEK, None).headlines[1:]] == [
        "50\u202f%",
        "1 day",
        "100\u202f%",
    ]


def test_when_the_health_questions_were_signed(app: Flask) -> None:
    clinic = w.build(therapists=1)
    booked(clinic, 1)
    w.online("relaxation", {}, when=w.at(2))
    late = w.at_desk(clinic, w.person(), "relaxation", when=w.at(4)).visit_id
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == late).values(status="released"))
    undone = visits.book_visit(
        w.choice("relaxation"), w.person(), w.at(5), request_key=None, source="desk", by=clinic.desk_id, now=NOW,
        at_desk=True,
    ).visit_id  # fmt: skip
    take_back(undone or 0, by=clinic.desk_id, now=NOW)
    assert sum(row[5] for row in table("missed").rows) == 0, "what the desk took back was never booked"  # type: ignore[misc]
    rows = {words: count for words, count, _share in table("intakes").rows}
    assert rows == {
        "On file already": 2, "Signed while booking": 0, "Signed later, before the visit": 0, "Not signed in time": 1,
    }  # fmt: skip


def test_blocks_are_counted_in_people_and_never_of_few(app: Flask) -> None:
    clinic = w.build(therapists=1)

    def refused(number: int) -> None:
        for _ in range(number):
            client = w.person()
            w.sign_answers(client, CLOT)
            assert w.at_desk(clinic, client, "deep_tissue").visit_id is None

    today = Period(TODAY, TODAY)
    refused(4)
    assert table("outcomes", today).rows == table("reasons", today).rows == ()
    assert "Too few people" in table("reasons", today).note
    refused(1)
    assert table("outcomes", today).rows == (("Not possible that day", 5),)
    (page, people), *others = table("reasons", today).rows
    assert (people, others) == (5, [])
    assert "clot" not in str(page).lower()
    assert table("alternatives", today).rows == (("Could not have what they wanted", 5),)
    assert (
        table("outcomes", today, clinic.place_id).rows == ()
    )  # a wish that never became a visit has no place
    nothing = table("outcomes", Period(TODAY + dt.timedelta(days=1), WEEK.last))
    assert (nothing.rows, nothing.note) == ((), ""), (
        "of a time without anybody the page says that it is empty"
    )


def test_who_books_something_else_at_once_took_an_alternative(app: Flask) -> None:
    clinic = w.build(therapists=1)
    for number in range(5):
        client = w.person()
        w.sign_answers(client, THINNER)
        assert w.at_desk(clinic, client, "deep_tissue").visit_id is None
        assert w.at_desk(clinic, client, "relaxation", when=w.at(2 + number)).visit_id is not None
    today = Period(TODAY, TODAY)
    assert table("alternatives", today).rows == (
        ("Booked something safe instead", 5),
        ("Could not have what they wanted", 5),
    )


@pytest.mark.parametrize(("uses_24_hours", "said"), [(False, "from 2 pm,"), (True, "from 14:00,")])
def test_the_fullest_hour_is_said_in_the_clinics_convention(
    app: Flask, uses_24_hours: bool, said: str
) -> None:
    clinic = w.build(therapists=1)
    with transaction() as session:
        session.execute(update(Clinic).values(uses_24_hours=uses_24_hours))
    booked(clinic, 2, 14)
    assert said in table("hours").says


def test_each_place_has_its_own_and_all_together_are_their_sum(app: Flask) -> None:
    clinic = w.build(therapists=1)
    other = factories.make_location(zone="Europe/Madrid", name="Madrid", opens="09:00", closes="13:00")
    factories.make_room(other, name="Sol")
    factories.make_hours(
        factories.make_therapist(name="Xavi", skills=[]),
        other,
        starts="08:00",
        ends="12:00",
        weekdays=range(7),
    )
    booked(clinic, 1)
    assert [(row[0], row[1], row[2]) for row in table("therapists", place=other.id).rows] == [
        ("Xavi", 0, 7 * 180)
    ]
    assert [row[0] for row in table("therapists", place=clinic.place_id).rows] == ["Terry 0"]
    assert [row[0] for row in table("therapists").rows] == ["Terry 0", "Xavi"]
    assert {"Sol, Madrid", "Room 1, Main Street"} <= {row[0] for row in table("rooms").rows}
    hours = {(row[0], row[1]): row[2] for row in table("hours", place=other.id).rows}
    assert (hours["Monday", 9], hours.get(("Monday", 8)), hours.get(("Monday", 12))) == (60, None, None)


def test_statements_stay_the_same_and_archived_claims_change_nothing(app: Flask) -> None:
    clinic = w.build(therapists=2)
    booked(clinic, 1, status="done")
    sent = []
    for days in (2, 3):
        db.session.rollback()
        with counted() as statements:
            queries.reports(WEEK, None)
        sent.append(len(statements))
        for hour in (12, 15):
            booked(clinic, days, hour, status="done", therapist=1)
    assert sent[0] == sent[1] <= 20
    db.session.rollback()
    before = queries.reports(WEEK, None)
    assert archive_claims(w.at(3), now=w.at(200)) > 0
    db.session.rollback()
    assert queries.reports(WEEK, None) == before


def test_counts_in_words_are_grouped() -> None:
    assert (visits_words(1), visits_words(12345)) == ("1 visit", "12,345 visits")
    assert hours_words(75_330) == "1,255\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30"


def test_the_owner_sees_pictures_tables_and_files(app: Flask) -> None:
    clinic = w.build(therapists=1)
    with transaction() as session:
        session.get_one(Therapist, clinic.therapists[0]).name = '=HYPERLINK("x")'
    booked(clinic, 1)
    owner, desk = make_person("owner@c.example", Role.OWNER), make_person("front@c.example", Role.FRONT_DESK)
    app.test_client_class = Visitor
    browser = browser_of(app, owner.email)
    asked = f"over=days&first={WEEK.first}&last={WEEK.last}"
    page = browser.get(f"/owner/reports?{asked}")
    assert page.status_code == 200
    assert page.text.count('<svg class="chart" role="img"') == page.text.count("<desc ")
    assert page.text.count(".csv?") >= 6
    assert "style=" not in page.text
    file = browser.get(f"/owner/reports/therapists.csv?{asked}")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        file.headers["Content-Disposition"]
        == f'attachment; filename="therapists-{WEEK.first}-{WEEK.last}.csv"'
    )
    head, row = csv.reader(io.StringIO(file.data.decode("utf-8-sig")))
    assert (head[0], head[4], row[0], row[1]) == ("Therapist", "In use, %", '\'=HYPERLINK("x")', "1")
    assert browser.get(f"/owner/reports/missed.csv?{asked}").text.splitlines()[1].startswith("2026-06-09,")
    german = browser.get(f"/owner/reports/ahead.csv?{asked}", headers={"Accept-Language": "de"}).text
    assert german.splitlines()[0].endswith(";Alle;Anteil, %")
    assert german.splitlines()[1].startswith("Am selben Tag;")
    year = "over=days&first=2025-07-01&last=2026-06-30"
    assert browser.get(f"/owner/reports/missed.csv?{year}").text.count("\n") == 13
    quiet = browser.get("/owner/reports?over=month&month=2026-05", headers={"Accept-Language": "de"}).text
    assert "Freitag, 1. Mai bis Sonntag, 31. Mai" in quiet
    one_day = browser.get("/owner/reports?over=days&first=2026-06-09&last=2026-06-09").text
    assert one_day.count("Tuesday 9 June") == 1, "a day is not a span"
    assert (
        "<svg"
        not in quiet.split("Nicht gekommen und spät abgesagt</h2>")[1]
        .split("</section>")[0]
        .split("empty-line")[0]
    )
    for wrong in (
        "over=month&month=2026-13", "over=days&first=2026-06-09&last=2026-06-01", "over=days&first=x&last=",
        "over=days&first=2020-01-01&last=2026-01-01", "over=never", "place=999",
    ):  # fmt: skip
        assert browser.get(f"/owner/reports?{wrong}").status_code == 422, wrong
        assert browser.get(f"/owner/reports/hours.csv?{wrong}").status_code == 422, wrong
    assert browser.get("/owner/reports/nothing.csv").status_code == 404
    assert browser.get("/owner/reports?over=month&month=2026-06").status_code == 200
    assert browser_of(app, desk.email).get("/owner/reports").status_code in (403, 404)
