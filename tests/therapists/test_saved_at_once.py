"""Two who save one form of a therapist at one moment: the second sees what the first has written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from sqlalchemy import select

from clinic.rules.permissions import Role
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import db
from clinic.shared.seen import mark_of
from clinic.therapists import queries, services
from clinic.therapists.facts import TherapistFacts
from clinic.therapists.models import DatedHours, WorkingHours
from tests.at_once import Deeds, deeds
from tests.conftest import NOW
from tests.factories import make_clinic, make_location, make_therapist, make_user

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
FACTS = TherapistFacts(
    name="Ana Ruiz", bio="", gender="", tint=2, licence_kind="LMT", licence_number="NY-1",
    licence_expires_on=dt.date(2027, 1, 31), skills=(), user_id=None, is_active=True,
)  # fmt: skip
ONE_SAVED = ("done", "ChangedMeanwhile")
WEEK = [WeeklyHours(day, dt.time(9), dt.time(17)) for day in range(5)]
DAY = NOW.date() + dt.timedelta(days=3)


def test_the_profile(deeds: Deeds) -> None:
    row = make_therapist(name="Ana", skills=["cupping"])
    ana, old = row.id, queries.therapist_facts(row)

    def save(**values: object) -> Callable[[], object]:
        new = replace(old, **values)  # type: ignore[arg-type]
        return lambda: services.change_therapist(ana, new, seen=mark_of(asdict(old)), by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save(skills=()), save(bio="Likes calm.")) == ONE_SAVED
    found = queries.therapist(ana)
    assert found is not None
    assert (found.skills, found.bio) == (frozenset(), old.bio)


def test_what_they_say_of_themselves(deeds: Deeds) -> None:
    user = make_user(email="ana@clinic.example", roles=[Role.THERAPIST]).id
    row = make_therapist(name="Ana", skills=[], user_id=user)
    ana, seen = row.id, mark_of([row.bio, row.gender])

    def save(bio: str) -> Callable[[], object]:
        return lambda: services.say_of_oneself(user, bio, "", seen=seen, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save("First."), save("Second.")) == ONE_SAVED
    found = queries.therapist(ana)
    assert found is not None
    assert found.bio == "First."


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_the_first_week_is_written_once(deeds: Deeds, is_elsewhere: bool) -> None:
    """Pressed twice, or at two places of which nobody can be at both."""
    make_clinic()
    ana = make_therapist(name="Ana", skills=[]).id
    here, there = (make_location(name=name, zone="America/New_York").id for name in ("Here", "There"))

    def save(place: int) -> Callable[[], object]:
        seen = mark_of(queries.week_of(ana, place))
        return lambda: services.save_weekly_hours(ana, place, WEEK, [], seen=seen, by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    refused = "InvalidInput" if is_elsewhere else "ChangedMeanwhile"
    assert deeds.do(save(here), save(there if is_elsewhere else here)) == ("done", refused)
    found = db.session.execute(select(WorkingHours.location_id, WorkingHours.weekday)).tuples().all()
    assert sorted(found) == [(here, day) for day in range(5)]


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_the_hours_of_one_date_are_written_once(deeds: Deeds, is_elsewhere: bool) -> None:
    """The last one holds, as it does of two who save one after the other."""
    make_clinic()
    ana = make_therapist(name="Ana", skills=[]).id
    here, there = (make_location(name=name, zone="America/New_York").id for name in ("Here", "There"))
    last = there if is_elsewhere else here

    def save(place: int) -> Callable[[], object]:
        hours = [WeeklyHours(DAY.weekday(), dt.time(9), dt.time(17))]
        return lambda: services.set_hours_of_day(ana, place, DAY, hours, by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save(here), save(last)) == ("done", "done")
    assert list(db.session.scalars(select(DatedHours.location_id))) == [last]


def test_somebody_new_is_added_once(deeds: Deeds) -> None:
    owner = make_user(email="olive@clinic.example", roles=[Role.OWNER]).id

    def add() -> None:
        services.add_therapist(FACTS, by=owner, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(add, add) == ("done", "InvalidInput")
    assert [one.name for one in queries.all_therapists()] == [FACTS.name]
