"""A visit as a calendar file: when and where, and no word about what or why."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Response

from clinic.premises import queries as premises
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock


def calendar_file(visit: Any) -> Response:
    """The visit for the client's own calendar. Moments are in UTC, so every calendar shows the right wall time."""
    from icalendar import Alarm, Calendar, Event

    facts = premises.clinic_facts()
    name = facts.name if facts else ""
    calendar = Calendar()
    calendar.add("prodid", f"-//{name}//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    event = Event()
    event.add("uid", f"visit-{visit.id}@{(facts.mail_sender if facts else 'clinic').rpartition('@')[2]}")
    event.add("sequence", visit.revision)
    event.add("dtstamp", clock.now())
    event.add("dtstart", visit.starts_at.astimezone(dt.UTC))
    event.add("dtend", visit.ends_at.astimezone(dt.UTC))
    event.add("summary", f"Visit at {name}")
    event.add("location", visit.location.address_line)
    gone = visit.status in (VisitStatus.CANCELLED, VisitStatus.LATE_CANCELLED, VisitStatus.RELEASED)
    event.add("status", "CANCELLED" if gone else "CONFIRMED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"Visit at {name}")
    alarm.add("trigger", dt.timedelta(hours=-2))
    event.add_component(alarm)
    calendar.add_component(event)
    answer = Response(calendar.to_ical(), mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer
