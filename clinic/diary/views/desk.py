"""The desk's day on one page: as a grid, and as a list that is also the day sheet on paper."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import render_template, request, url_for

from clinic.diary.queries import desk
from clinic.diary.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found


@pages.get("/desk", needs=Permission.DIARY_ANY_READ)
def desk_day() -> Answer:
    """All therapists' day side by side; `?day=2026-06-09`, `?view=list` for the day sheet."""
    places = premises.places()
    here = premises.place_in_use(_asked_place() or found(desk.first_location()))
    today = premises.today(clock.now(), here.zone)
    day = _asked_day(today)
    shown = desk.desk_day(here.id, day, clock.now())
    is_list = request.args.get("view") == "list"
    return render_template(
        "diary/desk_list.html" if is_list else "diary/desk_day.html",
        desk=shown,
        columns=[_column(one, day, here.id) for one in shown.columns],
        places=places if len(places) > 1 else [],
        zone=here.zone,
        today=today,
        place=here.id if len(places) > 1 else None,
        before=day - dt.timedelta(days=1),
        after=day + dt.timedelta(days=1),
        view="list" if is_list else None,
    )


def _asked_place() -> int | None:
    text = request.args.get("place", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _asked_day(today: dt.date) -> dt.date:
    """The day in the address, or today. An impossible one is today too: a typed address is no form."""
    try:
        day = dt.date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today
    return day if 2000 < day.year < 2100 else today


def _column(column: desk.Column, day: dt.date, place: int) -> dict[str, Any]:
    """What the grid draws."""
    return {
        "name": column.name,
        "tint": column.tint,
        "note": column.note,
        "hours": column.hours,
        "off": column.off,
        "free": [_free(one, column, day, place) for one in column.free],
        "visits": [_visit(one) for one in column.visits],
    }


def _free(gap: desk.Gap, column: desk.Column, day: dt.date, place: int) -> dict[str, Any]:
    return {
        "start": gap.start,
        "minutes": gap.minutes,
        "href": url_for(
            "booking.desk_new", day=day, at=gap.start, therapist=column.therapist_id, place=place
        ),
        "label": f"Book {column.name} at {gap.start}, {words.length_words(gap.minutes)} free",
    }


def _visit(visit: desk.ShownVisit) -> dict[str, Any]:
    return {
        "id": visit.id,
        "href": url_for("booking.desk_visit", visit_id=visit.id),
        "client": visit.client,
        "service": visit.service,
        "status": visit.status,
        "start": visit.start,
        "until": visit.until,
        "minutes": visit.minutes,
        "flag": visit.step.flag,
    }
