"""The desk's day on one page: by therapist, by room and device, and as a list that is also the day sheet on paper."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.queries import changes, taking_back
from clinic.booking.views.desk_steps import next_step_of
from clinic.diary.queries import desk
from clinic.diary.views.blueprint import asked_day, pages
from clinic.premises import queries as premises
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import UPCOMING
from clinic.shared import clock
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer, found

TEMPLATES = {"list": "diary/desk_list.html", "rooms": "diary/desk_day.html", "": "diary/desk_day.html"}


@pages.get("/desk", needs=Permission.DIARY_ANY_READ)
def desk_day() -> Answer:
    """One day; `?day=2026-06-09`, `?view=rooms` or `?view=list`. It asks again every few seconds what has changed."""
    now = clock.now()
    places = premises.places()
    here = premises.place_in_use(whole_number(request.args.get("place")) or found(desk.first_location()))
    today = premises.today(now, here.zone)
    day = asked_day(today)
    view = request.args.get("view", "")
    view = view if view in TEMPLATES else ""
    by_kit = view == "rooms"
    is_today = day == today

    def read() -> dict[str, Any]:
        shown = desk.desk_day(here.id, day, now, by_kit=by_kit)
        return {
            "desk": shown,
            "columns": [
                _column(one, day, here.id, is_today=is_today, by_kit=by_kit) for one in shown.columns
            ],
            "places": places if len(places) > 1 else [],
            "place": here.id if len(places) > 1 else None,
            "zone": here.zone,
            "today": today,
            "before": day - dt.timedelta(days=1),
            "after": day + dt.timedelta(days=1),
            "view": view or None,
            "last_step": taking_back.last_step_of(who() or 0, now),
        }

    mark = changes.day_mark(here.id, day, now, is_today=is_today)
    return live_page(mark, TEMPLATES[view], read)


def _column(column: desk.Column, day: dt.date, place: int, *, is_today: bool, by_kit: bool) -> dict[str, Any]:
    """What the grid draws."""
    return {
        "key": column.key,
        "name": column.name,
        "tint": column.tint,
        "note": column.note,
        "hours": column.hours,
        "lane": column.lane,
        "off": column.off,
        "free": [_free(one, column, day, place) for one in column.free],
        "visits": [_visit(one, day, is_today=is_today, by_kit=by_kit) for one in column.visits],
    }


def _free(gap: desk.Gap, column: desk.Column, day: dt.date, place: int) -> dict[str, Any]:
    return {
        "start": gap.start,
        "minutes": gap.minutes,
        "href": url_for("booking.desk_new", day=day, at=gap.start, therapist=column.key, place=place),
    }


def _both(visit: desk.ShownVisit, day: dt.date) -> str:
    """Where the two visits are moved together, with the times of the day."""
    return url_for("booking.desk_couple", couple_id=visit.couple_id, day=day)


def _visit(visit: desk.ShownVisit, day: dt.date, *, is_today: bool, by_kit: bool) -> dict[str, Any]:
    return {
        "id": visit.id,
        "revision": visit.revision,
        "href": url_for("booking.desk_visit", visit_id=visit.id),
        "client": visit.client,
        "service": f"{visit.therapist}, {_(visit.service)}" if by_kit else visit.service,
        "room": visit.room,
        "status": visit.status,
        "since": visit.since,
        "start": visit.start,
        "until": visit.until,
        "began_at": visit.began_at,
        "minutes": visit.minutes,
        "flag": _(visit.step.flag),
        "step": visit.step,
        "moves": visit.status in UPCOMING and visit.couple_id is None,
        "together": _both(visit, day) if visit.status in UPCOMING and visit.couple_id is not None else None,
        "next": next_step_of(visit.status) if is_today else None,
    }
