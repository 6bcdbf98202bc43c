"""What somebody wants to book, as it stands in the address of the page: its shape only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from clinic.rules.body_areas import AREAS, FULL_BODY
from clinic.rules.kinds import GENDERS

LARGEST_ID = 2**31 - 1
ID_DIGITS = 15  # of what a form offers to choose; ids of visits may be longer
VISIT_DIGITS = 16
MOST_WORDS = 60


@dataclass(frozen=True)
class Wish:
    """The wish; `minutes` is None and `areas` empty where nothing fitting was typed."""

    service: str
    minutes: int | None = None
    mode: str | None = None
    addons: tuple[str, ...] = ()
    areas: tuple[str, ...] = (FULL_BODY,)
    therapist_id: int | None = None
    day: dt.date | None = None
    not_before: dt.date | None = None
    """No times are shown before this day: the first on which it may be possible."""
    location_id: int | None = None
    """The place; None is the clinic's first."""
    person_id: int | None = None
    """The client it is for, where that is known before it is asked."""
    gender: str = ""
    """Of the therapist, where none is named; empty: any."""

    def query(self, **changes: Any) -> dict[str, Any]:
        """The parameters of the page that shows times for this wish, with some of it changed."""
        one = replace(self, **changes)
        values: dict[str, Any] = {
            "minutes": one.minutes,
            "mode": one.mode,
            "addons": list(one.addons),
            "areas": [] if one.areas == (FULL_BODY,) else list(one.areas),
            "place": one.location_id,
            "therapist": one.therapist_id,
            "gender": one.gender or None,
            "for": one.person_id,
            "day": one.day.isoformat() if one.day else None,
            "from": one.not_before.isoformat() if one.not_before else None,
        }
        return {name: value for name, value in values.items() if value not in (None, [])}


def read_wish(service: str, values: MultiDict[str, str]) -> Wish:
    """Whatever comes, hostile or too long, becomes a wish or a gap in it; unknown areas are left out."""
    chosen = [area for area in AREAS if area in values.getlist("areas")]
    if values.get("where") == "whole" or (not values.getlist("areas") and values.get("where") != "parts"):
        chosen = [FULL_BODY]
    therapist_id, gender = whole_number(values.get("therapist")), values.get("gender") or ""
    return Wish(
        service=service,
        minutes=whole_number(values.get("minutes")),
        mode=(values.get("mode") or "")[:MOST_WORDS] or None,
        addons=tuple(sorted({one[:MOST_WORDS] for one in values.getlist("addons")[:20] if one})),
        areas=tuple(chosen),
        therapist_id=therapist_id,
        day=day_of(values.get("day")),
        not_before=day_of(values.get("from")),
        location_id=whole_number(values.get("place")),
        person_id=whole_number(values.get("for")),
        gender=gender if therapist_id is None and gender in GENDERS else "",
    )


def whole_number(text: str | None) -> int | None:
    """A whole number that can be an id or a length; None for anything else."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_ID else None


def number_of(text: str | None, *, digits: int) -> int | None:
    """A posted number of at most so many digits, such as the id of a row; None for anything that cannot be one."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= digits else None


def day_of(text: str | None) -> dt.date | None:
    """A day of this century as 2026-06-09; None for anything else."""
    try:
        day = dt.date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def moment_of(text: str | None) -> dt.datetime | None:
    """A moment as the times' buttons send it, 2026-06-09T13:00Z; None for anything else."""
    try:
        return dt.datetime.strptime((text or "")[:20], "%Y-%m-%dT%H:%MZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def moment_text(moment: dt.datetime) -> str:
    """A moment as `moment_of` reads it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
