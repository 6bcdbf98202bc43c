"""Visits for calendar programs: when and where, and no word about what or why.

Moments are in UTC, so every program shows the right wall time on both days on which a clock is changed, and no zone
has to be described. A visit keeps its `UID`, and its `SEQUENCE` goes up with every change, so that a copy follows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Response

from clinic.booking.queries import visits
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules.language import _
from clinic.rules.visit_status import CALLED_OFF, VisitStatus
from clinic.shared import clock

OPEN = (VisitStatus.HELD, VisitStatus.PENDING, VisitStatus.SUSPENDED)
REMIND_BEFORE = dt.timedelta(hours=2)
LOOK_AGAIN_AFTER = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar. `kind` and `number` name it for good; `days`: whole ones, the first
    and the last."""

    kind: str
    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    title: str
    place: str
    status: str = "CONFIRMED"
    sequence: int = 0
    reminds: bool = False
    days: tuple[dt.date, dt.date] | None = None


def visit_entry(visit: Any, title: str, place: str, *, reminds: bool, status: VisitStatus) -> Entry:
    """A visit, under the title that its reader may see and as the status that they are told."""
    said = "CANCELLED" if status in CALLED_OFF else "TENTATIVE" if status in OPEN else "CONFIRMED"
    return Entry(
        "visit", visit.id, visit.starts_at, visit.ends_at, title, place, said, visit.revision,
        reminds=reminds and said != "CANCELLED",
    )  # fmt: skip


def calendar_text(name: str, entries: Iterable[Entry], facts: ClinicFacts | None) -> bytes:
    """The entries as a calendar file."""
    from icalendar import Calendar

    house = facts.calendar_domain if facts else "clinic"
    calendar = Calendar()
    calendar.add("prodid", f"-//{facts.name if facts else ''}//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", LOOK_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(_event(entry, house))
    return bytes(calendar.to_ical())


def _event(entry: Entry, house: str) -> Any:
    from icalendar import Alarm, Event

    event = Event()
    event.add("uid", f"{entry.kind}-{entry.number}@{house}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", clock.now())
    first, last = entry.days or (None, None)
    event.add("dtstart", first or entry.starts_at.astimezone(dt.UTC))
    event.add("dtend", last + dt.timedelta(days=1) if last else entry.ends_at.astimezone(dt.UTC))
    event.add("summary", entry.title)
    event.add("location", entry.place)
    event.add("status", entry.status)
    if entry.reminds:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", entry.title)
        alarm.add("trigger", -REMIND_BEFORE)
        event.add_component(alarm)
    return event


def calendar_file(visit: Any) -> Response:
    """The visit for the client's own calendar."""
    facts = premises.clinic_facts()
    name = facts.name if facts else ""
    entry = visit_entry(
        visit,
        _("Visit at %(name)s", name=name),
        visit.location.address_line,
        reminds=True,
        status=visits.seen_as(visit),
    )
    answer = Response(calendar_text("", [entry], facts), mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer
