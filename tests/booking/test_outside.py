"""Which visits lie outside the hours of their therapist: by the rule that offers times."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import update

from clinic.booking.models import Visit
from clinic.booking.queries import blocks
from clinic.booking.queries.outside import Week, WorkedHours, left_behind, left_outside, left_shut
from clinic.premises.models import OpeningHours
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import transaction
from clinic.therapists.models import WorkingHours
from tests.booking import world as w

MONDAY = dt.date(2026, 6, 8)


def hours(weekday: int, starts: str, ends: str) -> WeeklyHours:
    return WeeklyHours(weekday, dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))


@pytest.mark.parametrize(
    ("weekday", "starts", "minutes", "lies"),
    [
        (0, "09:00", 180, True),
        (0, "11:30", 60, False),  # into the break
        (0, "11:00", 60, True),
        (0, "13:00", 240, True),  # over the seam of two rows
        (0, "16:30", 60, False),
        (1, "10:00", 60, False),
        (6, "23:30", 60, True),
        (0, "00:30", 90, True),  # the rest of the Sunday's night
        (0, "01:30", 60, False),
        (3, "23:30", 75, True),  # over midnight, where two days meet
        (3, "23:30", 600, False),
        (4, "23:30", 75, False),
    ],
)
def test_a_visit_lies_in_a_week_or_not(weekday: int, starts: str, minutes: int, lies: bool) -> None:
    week = [hours(0, "09:00", "15:00"), hours(0, "15:00", "17:00"), hours(6, "22:00", "02:00")]
    week += [hours(3, "16:00", "00:00"), hours(4, "00:00", "08:00"), hours(4, "16:00", "00:00")]
    breaks = [hours(0, "12:00", "13:00")]
    day = MONDAY + dt.timedelta(days=weekday)
    begins = dt.datetime.combine(day, dt.time.fromisoformat(starts), dt.UTC)
    visit = Visit(day=day, zone="UTC", starts_at=begins, ends_at=begins + dt.timedelta(minutes=minutes))
    assert WorkedHours(Week(week, breaks), {}).hold(visit) is lies


def test_a_night_in_hours_round_the_clock_is_work_only_when_it_is_shortened(
    app: Flask, now: dt.datetime
) -> None:
    world, all_day = w.build(therapists=1), dt.time()
    with transaction() as session:
        session.execute(update(OpeningHours).values(opens=all_day, closes=all_day))
        session.execute(update(WorkingHours).values(starts=all_day, ends=all_day))
    client = w.person()
    w.sign(client)
    visit = w.at_desk(world, client, "swedish", when=w.at(3, 23, 30)).visit_id
    assert blocks.coming(now)
    assert left_behind(blocks.coming(now)) == []
    after = (w.TODAY + dt.timedelta(days=4)).weekday()
    late = [WeeklyHours(day, dt.time(8) if day == after else all_day, all_day) for day in range(7)]
    shorter = WeeklyHours(after, dt.time(8), dt.time(20))
    for found in (
        left_outside(world.therapists[0], world.place_id, Week(late, []), now),
        left_shut(world.place_id, now, weekly=late),
        left_shut(world.place_id, now, day=(w.TODAY + dt.timedelta(days=4), [shorter])),
    ):
        assert [one.id for one in found] == [visit]
