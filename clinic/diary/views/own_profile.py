"""What the clinic knows of a therapist: own hours and breaks, days of their own, licence and skills. To read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import render_template

from clinic.accounts.access import who
from clinic.diary.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.kinds import LICENCES, SKILLS, words_of
from clinic.rules.licence import licence_state, licence_words, skill_words
from clinic.rules.permissions import Permission
from clinic.rules.wall_time import WeeklyHours
from clinic.rules.words import weekdays
from clinic.shared import clock
from clinic.shared.web import Answer
from clinic.therapists import queries as therapists


@pages.get("/diary/me", needs=Permission.DIARY_OWN_READ)
def own_profile() -> Answer:
    """Hours, what clients see, licence and skills."""
    row = therapists.therapist_of_user(who() or 0)
    if row is None:
        return render_template("diary/my_no_profile.html")
    today, places = premises.today(clock.now()), {one.id: one.name for one in premises.places()}
    weeks = {name: therapists.week_of(row.id, place) for place, name in places.items()}
    return render_template(
        "diary/my_profile.html",
        me=row,
        weeks=[(name, _days(week)) for name, week in weeks.items() if week["work"]],
        several=len(places) > 1,
        days=[
            (day, places.get(place, ""), hours) for day, place, hours in therapists.days_ahead(row.id, today)
        ],
        licence=LICENCES.get(row.licence_kind, row.licence_kind),
        state=licence_state(row.licence_expires_on, today),
        until=licence_words(row.licence_expires_on, today),
        skills=[
            (words_of(one.skill, SKILLS), skill_words(one.days, today), one.days.hold(today))
            for one in sorted(row.skill_rows, key=lambda one: one.skill)
        ],
    )


def _days(week: dict[str, list[WeeklyHours]]) -> list[tuple[str, list[Any], list[Any]]]:
    """(day of the week, hours, breaks) of the days that are worked."""
    return [
        (name, of_day, _of(week["break"], number))
        for number, name in enumerate(weekdays())
        if (of_day := _of(week["work"], number))
    ]


def _of(rows: Sequence[WeeklyHours], weekday: int) -> list[tuple[dt.time, dt.time]]:
    return [(row.starts, row.ends) for row in rows if row.weekday == weekday]
