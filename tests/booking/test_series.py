"""Series of visits: planned without writing, then booked whole or not at all. What counts is what stands."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.booking.models import Claim, Screening, Series, StatusChange, Visit
from clinic.booking.services import time_off, visits
from clinic.booking.services.checkout import Choice
from clinic.booking.services.series import SeriesOutcome, book_series
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.services.series_plan import plan_series, plan_starts
from clinic.booking.services.series_starts import OneStart, Planned
from clinic.rules.errors import InvalidInput, NotFound, RestNeeded, SlotTaken, TooFarAhead, TooManyPending
from clinic.rules.series import Pattern
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.booking.test_from_day import OPERATED
from tests.conftest import NOW

BLEEDS = {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}}
TEN = dt.time(10)

pytestmark = pytest.mark.usefixtures("now")


def somebody(**declared: Any) -> int:
    made = w.person(email=f"series{w.new_number()}@people.example")
    w.sign(made, **declared)
    return made


def every(weeks: int, count: int, *, days: int = 3) -> Pattern:
    return Pattern(w.TODAY + dt.timedelta(days=days), TEN, weeks, count=count)


def plan(client: int, pattern: Pattern, choice: Choice | None = None, source: str = "desk") -> list[Planned]:
    found = plan_series(choice or w.choice("relaxation"), client, pattern, source=source, now=NOW)
    db.session.rollback()
    return found


def book(
    client: int, starts: Sequence[OneStart], choice: Choice | None = None, source: str = "desk", key: str = ""
) -> SeriesOutcome:
    return book_series(
        choice or w.choice("relaxation"), client, starts, every_weeks=2, request_key=key or None, source=source,
        by=None, now=NOW, reconfirmed=True,
    )  # fmt: skip


def as_planned(found: Sequence[Planned]) -> list[OneStart]:
    return [OneStart(one.starts_at) for one in found if one.fits and one.starts_at is not None]


def rows(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def of_series(series_id: int | None) -> list[Visit]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Visit).where(Visit.series_id == series_id).order_by(Visit.starts_at))
    )


def test_six_times_every_second_week_across_the_change_of_the_clock(world: w.World) -> None:
    """From 6 October in New York, where the clock goes back on 1 November: ten o'clock stays ten o'clock."""
    client = somebody()
    found = plan(client, every(2, 6, days=119), w.choice("relaxation", therapist_id=world.therapists[1]))
    assert [(one.code, one.therapists) for one in found] == [("", (world.therapists[1],))] * 6
    assert (rows(Visit), rows(Claim), rows(Screening), rows(AuditRow)) == (0, 0, 0, rows(AuditRow))
    outcome = book(client, [replace(one, therapist_id=world.therapists[1]) for one in as_planned(found)])
    booked = of_series(outcome.series_id)
    assert [one.status for one in booked] == ["confirmed"] * 6
    assert {one.local_time for one in booked} == {TEN}
    assert [one.starts_at.hour for one in booked] == [14, 14, 15, 15, 15, 15]
    assert {one.therapist_id for one in booked} == {world.therapists[1]}
    assert [one.first_visit for one in booked] == [True] + [False] * 5
    assert len({one.screening_id for one in booked}) == 6
    kept = db.session.scalars(select(Screening).order_by(Screening.day)).all()
    assert [(one.day, one.visit_id, one.permits) for one in kept] == [
        (one.day, one.id, True) for one in booked
    ]
    for one in booked:
        claims = db.session.scalars(select(Claim.ends_at).where(Claim.visit_id == one.id)).all()
        assert sorted(claims) == [one.ends_at, one.free_at, one.free_at]
    assert rows(StatusChange) == 6
    trace = db.session.scalars(
        select(AuditRow).where(AuditRow.deed == "visit.booked").order_by(AuditRow.sequence)
    ).all()
    assert [(one.thing_id, one.detail["series"]) for one in trace] == [
        (one.id, outcome.series_id) for one in of_series(outcome.series_id)
    ]
    [mail] = db.session.scalars(select(OutgoingMail))
    assert mail.text.count("/visit/") == 6
    assert "Tuesday 15 December 2026 at 10:00 am" in mail.text
    assert "elax" not in mail.text + mail.subject


def test_what_does_not_fit_is_said_with_the_nearest_and_one_of_them_is_booked(world: w.World) -> None:
    ana = world.therapists[0]
    for _one in range(2):
        w.at_desk(world, somebody(), "relaxation", when=w.at(10 if _one else 17), therapist_id=ana)
    client = somebody()
    choice = w.choice("relaxation", therapist_id=ana)
    found = plan(client, every(1, 4), choice)
    assert [one.code for one in found] == ["", "slot_taken", "slot_taken", ""]
    assert found[1].reason == "This time is not free."
    assert [(one.starts_at, one.therapist_id) for one in found[1].alternatives] == [
        (w.at(10, 8, 45), ana), (w.at(10, 11, 30), ana), (w.at(9), ana), (w.at(11), ana)
    ]  # fmt: skip
    assert found[0].alternatives == ()
    chosen = [OneStart(w.at(3), ana), found[1].alternatives[2], OneStart(w.at(24), ana)]
    assert [one.starts_at for one in of_series(book(client, chosen).series_id)] == [
        w.at(3),
        w.at(9),
        w.at(24),
    ]


def test_when_one_went_meanwhile_none_is_booked(world: w.World) -> None:
    client, ana = somebody(), world.therapists[0]
    found = plan(client, every(1, 4), w.choice("relaxation", therapist_id=ana))
    w.at_desk(world, somebody(), "relaxation", when=w.at(17), therapist_id=ana)
    before = [rows(one) for one in (Visit, Claim, Screening, AuditRow, OutgoingMail, StatusChange)]
    chosen = [replace(one, therapist_id=ana) for one in as_planned(found)]
    with pytest.raises(SlotTaken):
        book(client, chosen)
    assert [rows(one) for one in (Visit, Claim, Screening, AuditRow, OutgoingMail, StatusChange)] == before
    assert rows(Series) == 0
    afresh = plan_starts(w.choice("relaxation"), client, chosen, source="desk", now=NOW)
    assert [one.code for one in afresh] == ["", "", "slot_taken", ""]


def test_each_date_is_judged_for_its_own_day(world: w.World) -> None:
    """Without a letter from 21 June on: two dates wait at the desk, online only one of them may."""
    client = somebody(**OPERATED)
    waits = [(one.code, one.waits_for) for one in plan(client, every(1, 4))]
    assert waits == [("", "clearance"), ("", "clearance"), ("", None), ("", None)]
    online = plan(client, every(1, 4), source="api")
    assert [one.code for one in online] == ["", "too_many_pending", "", ""]
    assert [one.starts_at for one in online[1].alternatives] == [w.at(12), w.at(13)]
    starts = [OneStart(w.at(days)) for days in (3, 10, 17, 24)]
    with pytest.raises(TooManyPending):
        book(client, starts, source="api")
    assert (rows(Visit), rows(Claim)) == (0, 0)
    booked = of_series(book(client, starts).series_id)
    assert [(one.status, one.waiting_for, one.permits) for one in booked] == [
        ("pending", "clearance", None), ("pending", "clearance", None),
        ("confirmed", None, True), ("confirmed", None, True),
    ]  # fmt: skip


def test_what_the_gate_refuses_is_not_booked_and_says_no_more(world: w.World) -> None:
    client = somebody(**BLEEDS)
    found = plan(client, every(1, 2), w.choice("deep_tissue"))
    assert [(one.code, one.alternatives) for one in found] == [("screening_refuses", ())] * 2
    assert "bleed" not in repr(found).casefold()
    starts = [OneStart(w.at(3)), OneStart(w.at(10))]
    outcome = book(client, starts, w.choice("deep_tissue"))
    assert outcome.series_id is None
    assert [when for when, _judged in outcome.refused] == [w.at(3), w.at(10)]
    assert (rows(Visit), rows(Claim), rows(Screening), rows(Series)) == (0, 0, 2, 0)


def test_visits_of_one_series_leave_each_other_rest(app: Flask) -> None:
    """A week from start to start is an hour short of a week of rest."""
    w.build(minds_rest=True)
    client, vacuum = somebody(), w.choice("decompression_vacuum", areas=("lower_back",))
    found = plan(client, every(1, 3), vacuum)
    assert [one.code for one in found] == ["", "rest_needed", ""]
    assert [one.starts_at for one in found[1].alternatives] == []
    with pytest.raises(RestNeeded):
        book(client, [OneStart(w.at(3)), OneStart(w.at(10))], vacuum)
    assert (rows(Visit), rows(Claim)) == (0, 0)


def test_bad_input_and_what_lies_outside(world: w.World) -> None:
    client = somebody()
    far = [OneStart(w.at(59)), OneStart(w.at(80))]
    assert [one.code for one in plan(client, every(3, 2, days=59), source="api")] == ["", ""]
    assert [one.code for one in plan(client, every(2, 2, days=61), source="api")] == ["too_late"] * 2
    assert [one.code for one in plan(client, every(2, 2, days=0))] == ["", ""]
    assert [one.code for one in plan(client, every(2, 2, days=-1))] == ["too_late", ""]
    for starts, error in (
        ([], InvalidInput),
        (far * 14, InvalidInput),
        ([far[0], far[0]], InvalidInput),
        ([OneStart(w.at(61)), far[1]], TooFarAhead),
        ([OneStart(w.at(3, 10, 5)), far[1]], SlotTaken),
    ):
        with pytest.raises(error):
            book(client, starts, source="api")
    with pytest.raises(NotFound):
        book(987_654, far)
    assert (rows(Visit), rows(Claim)) == (0, 0)
    first = book(client, far, source="api", key="once")
    assert book(client, far, source="api", key="once") == first
    assert rows(Visit) == 2


@pytest.mark.parametrize(
    ("days", "codes"), [(3, ["slot_taken", "too_late", "too_late"]), (-86, ["too_late", "", ""])]
)
def test_what_fits_can_be_booked_without_what_does_not(world: w.World, days: int, codes: list[str]) -> None:
    """The first that is kept is the first of the series: it lies within the days that can be booked."""
    client = somebody()
    for one in world.therapists:
        time_off.add_time_off(one, "off", w.at(3, 0), w.at(4, 0), "", by=None, now=NOW)
    found = plan(client, every(13, 3, days=days), source="api")
    assert [one.code for one in found] == codes
    assert [bool(one.alternatives) for one in found] == [days > 0, False, False]
    if kept := as_planned(found):
        assert book(client, kept, source="api").series_id is not None


def test_two_starts_at_which_somebody_would_be_twice_do_not_both_fit(world: w.World) -> None:
    client, choice = somebody(), w.choice("relaxation")
    starts = [OneStart(w.at(3, 10)), OneStart(w.at(3, 10, 30)), OneStart(w.at(3, 14))]
    found = plan_starts(choice, client, starts, source="desk", now=NOW)
    assert [one.code for one in found] == ["", "slot_taken", ""]
    db.session.rollback()
    with pytest.raises(SlotTaken):
        book(client, starts)
    near = found[1].alternatives
    assert near
    assert book(client, [starts[0], near[0], starts[2]]).series_id is not None


@pytest.mark.parametrize(("therapists", "codes"), [(1, ["", "slot_taken"]), (2, ["", ""])])
def test_two_starts_of_a_day_fit_where_somebody_is_free_for_the_second(
    app: Flask, therapists: int, codes: list[str]
) -> None:
    """The only therapist needs their turnover in between."""
    world = w.build(therapists=therapists)
    client, choice = somebody(), w.choice("relaxation")
    w.at_desk(world, client, "relaxation", when=w.at(1))  # no first visit any more
    starts = [OneStart(w.at(3, 10)), OneStart(w.at(3, 11))]
    found = plan_starts(choice, client, starts, source="api", now=NOW)
    assert [one.code for one in found] == codes
    db.session.rollback()
    if not found[1].fits:
        with pytest.raises(SlotTaken):
            book(client, starts, source="api")
        starts[1] = found[1].alternatives[0]
    assert book(client, starts, source="api").series_id is not None


def test_the_rest_is_cancelled_each_by_the_notice(world: w.World) -> None:
    client = somebody()
    series = book(client, [OneStart(w.at(days)) for days in (1, 8, 15)]).series_id or 0
    later = w.at(0, 15)  # nineteen hours before the first
    kept = cancel_rest(series, by=None, by_clinic=False, by_client=True, now=later)
    first, second, third = (one.id for one in of_series(series))
    assert (kept.cancelled, kept.late, kept.kept) == ((second, third), (), (first,))
    assert w.statuses(client) == ["confirmed", "cancelled", "cancelled"]
    assert set(db.session.scalars(select(Claim.visit_id))) == {first}
    again = cancel_rest(series, by=world.desk_id, by_clinic=False, now=later)
    assert (again.cancelled, again.late, again.kept) == ((), (first,), ())
    assert cancel_rest(series, by=world.desk_id, by_clinic=True, now=later).cancelled == ()
    assert w.statuses(client) == ["late_cancelled", "cancelled", "cancelled"]
    assert rows(Claim) == 0
    subjects = [one.subject for one in db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))]
    assert subjects[1:] == [
        "Your visits from Wednesday 17 June 2026 at 10:00 am on are cancelled",
        "Your visits from Wednesday 10 June 2026 at 10:00 am on are cancelled",
    ]
    with pytest.raises(NotFound):
        cancel_rest(987_654, by=None, by_clinic=True, now=NOW)


def test_a_race_for_one_of_the_times_leaves_all_or_nothing(app: Flask) -> None:
    """A series and a single visit want the same hour of the only therapist, at the same moment."""
    world = w.build(therapists=1)
    for round_ in range(4):
        regular, other = somebody(), somebody()
        days = [3 + round_, 24 + round_, 45 + round_]
        gate = threading.Barrier(2)

        def at_once(is_series: bool, days: Sequence[int] = tuple(days), people: tuple[int, int] = (regular, other),
                    gate: threading.Barrier = gate) -> str:  # fmt: skip
            with app.app_context():
                gate.wait()
                try:
                    if is_series:
                        book(people[0], [OneStart(w.at(one)) for one in days])
                    else:
                        w.at_desk(world, people[1], "relaxation", when=w.at(days[1]))
                except SlotTaken:
                    return "taken"
                finally:
                    db.session.remove()
            return "booked"

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(at_once, (True, False)))
        assert sorted(results) == ["booked", "taken"]
        assert len(w.statuses(regular)) == (3 if results[0] == "booked" else 0)
        assert len(w.statuses(other)) == (1 if results[1] == "booked" else 0)


def test_new_answers_judge_every_visit_of_a_series(world: w.World) -> None:
    client = somebody()
    series = book(client, [OneStart(w.at(days)) for days in (3, 10, 17)]).series_id
    w.sign_answers(client, OPERATED)
    assert [one.status for one in of_series(series)] == ["suspended", "suspended", "confirmed"]
    moved = of_series(series)[2]
    visits.change_visit(moved.id, revision=moved.revision, starts_at=w.at(18), by=world.desk_id, now=NOW)
    assert [one.starts_at for one in of_series(series)][2] == w.at(18)
    assert VisitStatus(of_series(series)[2].status) is VisitStatus.CONFIRMED
    assert of_series(series)[2].starts_at.astimezone(ZoneInfo(w.ZONE)).hour == 10


def test_a_series_keeps_to_the_wall_of_its_place(world: w.World) -> None:
    west = factories.make_location(zone="America/Los_Angeles")
    factories.make_room(west, name="West")
    therapist = db.session.get_one(Therapist, world.therapists[0])
    factories.make_hours(therapist, west, starts="08:00", ends="20:00", weekdays=range(7))
    client, choice = somebody(), w.choice("relaxation", location_id=west.id)
    found = plan(client, every(1, 2), choice)
    assert [one.code for one in found] == ["", ""]
    booked = of_series(book(client, as_planned(found), choice).series_id)
    assert [(one.location_id, one.zone, one.local_time) for one in booked] == [
        (west.id, "America/Los_Angeles", TEN)
    ] * 2
    assert booked[0].starts_at == w.at(3, 13)
