"""Hours of single dates, and how much a therapist gives a day: read, written, and held when two book at once."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from clinic.booking.queries.availability import Ask, look
from clinic.booking.queries.why_no_times import why_no_times
from clinic.booking.services import visits
from clinic.catalogue.queries import plan_for
from clinic.premises import services as premises
from clinic.rules.errors import InvalidInput, SlotTaken
from clinic.rules.wall_time import WeeklyHours, moment
from clinic.rules.why_no_times import Why
from clinic.shared.database import db, transaction
from clinic.therapists import services as therapists
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

DAY = w.TODAY + dt.timedelta(days=3)


def hours(starts: int, ends: int, day: dt.date = DAY) -> WeeklyHours:
    return WeeklyHours(day.weekday(), dt.time(starts), dt.time(ends))


def free(world: w.World, therapist: int, place: int | None = None) -> list[str]:
    """Free starts on the full hour."""
    plan = plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    found = look(Ask(plan, place or world.place_id, DAY, 1, NOW, therapist_id=therapist)).starts()
    walls = [moment(one.starts_at).astimezone(ZoneInfo(w.ZONE)) for one in found]
    db.session.rollback()
    return [f"{wall:%H}" for wall in walls if wall.minute == 0]


def test_hours_of_a_date_hold_instead_of_the_weekly_ones(app: Flask) -> None:
    world = w.build(therapists=2)
    ana, ben = world.therapists
    every = [f"{hour:02}" for hour in range(8, 20)]
    assert free(world, ana) == every
    place = world.place_id
    therapists.set_hours_of_day(ana, place, DAY, [hours(10, 12), hours(14, 16)], by=None, now=NOW)
    assert (free(world, ana), free(world, ben)) == (["10", "11", "14", "15"], every)
    therapists.set_hours_of_day(ana, place, DAY, [hours(9, 10)], by=None, now=NOW)  # the last word holds
    premises.set_opening_of_day(place, DAY, [hours(8, 13)], by=None, now=NOW)
    assert (free(world, ana), free(world, ben)) == (["09"], every[:5])
    other = factories.make_location(zone=w.ZONE, name="Second")
    factories.make_room(other)
    therapists.set_hours_of_day(ana, other.id, DAY, [hours(18, 19)], by=None, now=NOW)
    assert (free(world, ana), free(world, ana, other.id)) == ([], ["18"])
    therapists.drop_hours_of_day(ana, DAY, by=None, now=NOW)
    premises.drop_opening_of_day(place, DAY, by=None, now=NOW)
    premises.drop_opening_of_day(place, DAY, by=None, now=NOW)
    assert (free(world, ana), free(world, ana, other.id)) == (every, [])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_hours_of_a_date_that_cannot_be_right_are_refused(app: Flask) -> None:
    world = w.build(therapists=1)
    wrong = {
        "day": (w.TODAY - dt.timedelta(days=1), [hours(9, 10)]),
        "starts": (DAY, [hours(9, 9)]),
        "starts_again": (DAY, [hours(9, 12), hours(11, 13)]),
    }
    for field, (day, rows) in wrong.items():
        with pytest.raises(InvalidInput) as of_therapist:
            therapists.set_hours_of_day(world.therapists[0], world.place_id, day, rows, by=None, now=NOW)
        with pytest.raises(InvalidInput) as of_place:
            premises.set_opening_of_day(world.place_id, day, rows, by=None, now=NOW)
        assert (of_therapist.value.field, of_place.value.field) == (field, field)
    assert len(free(world, world.therapists[0])) == 12


LIMITS = (
    # a first visit takes 75 minutes and 15 to clean up: two fit into a day, the third is more than is given
    ({"most_minutes_a_day": 150}, (9, 11, 13, 15), 2),
    ({"most_visits_a_day": 3}, (9, 11, 13, 15), 3),
    # from 9:00 to 10:30, and from 11:00 to 12:30: half an hour is not a pause of 45 minutes, two hours are
    ({"pause_minutes": 45}, (9, 11, 13), 2),
)


@pytest.mark.parametrize(("limit", "hours_asked", "fit"), LIMITS)
def test_two_who_book_at_once_never_make_a_day_too_long(
    app: Flask, limit: dict[str, int], hours_asked: tuple[int, ...], fit: int
) -> None:
    """At different times of the day nothing else stands between them."""
    world = w.build(therapists=1)
    with transaction() as session:
        row = session.get_one(Therapist, world.therapists[0])
        for name, value in limit.items():
            setattr(row, name, value)
    people = [w.person() for _ in hours_asked]
    for client in people:
        w.sign(client)
    gate = threading.Barrier(len(people))

    def run(job: tuple[int, int]) -> str:
        hour, client = job
        with app.app_context():
            gate.wait()
            try:
                visits.book_visit(
                    w.choice("relaxation"), client, w.at(3, hour), request_key=f"k{hour}", source="desk",
                    by=world.desk_id, now=NOW, reconfirmed=True,
                )  # fmt: skip
            except SlotTaken:
                return "too much"
            finally:
                db.session.remove()
            return "booked"

    with ThreadPoolExecutor(len(people)) as pool:
        results = list(pool.map(run, zip(hours_asked, people, strict=True)))
    if "pause_minutes" in limit:  # the one in the middle, or the two around it
        assert results in (["too much", "booked", "too much"], ["booked", "too much", "booked"])
    else:
        assert results.count("booked") == fit
        assert free(world, world.therapists[0]) == []


def test_a_pause_is_said_where_it_stands_in_the_way(app: Flask) -> None:
    world = w.build(therapists=1)
    me = world.therapists[0]
    with transaction() as session:
        session.get_one(Therapist, me).pause_minutes = 45
    client = w.person()
    w.sign(client)
    w.at_desk(world, client, "relaxation", when=w.at(3, 12), therapist_id=me)
    plan = plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    ask = Ask(plan, world.place_id, DAY, 1, NOW, therapist_id=me, by_staff=True)
    said = {one.why: one for one in why_no_times(ask).reasons}
    pause = said[Why.PAUSE]
    assert pause.sentence == f"{db.session.get_one(Therapist, me).name} needs a pause between two visits."
    offered = {one.starts_at for one in look(ask).starts()}
    explained = why_no_times(ask)
    assert explained.free == len(offered)
    # before the visit and after it, each start that only the pause forbids: 45 minutes of every five
    assert pause.alone == 18
