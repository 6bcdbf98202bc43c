"""Pages: read input, call a query or a service, answer."""

from __future__ import annotations

from clinic.booking.views import (
    answers,
    check_in,
    client,
    desk_change,
    desk_closures,
    desk_couple,
    desk_new,
    desk_people,
    desk_series,
    desk_sick_day,
    desk_swap,
    desk_visit,
    desk_waitlist,
    marking,
    more_care,
    reactions,
    rule_changes,
    time_off,
    two_people,
    unsafe_visits,
    which,
)
from clinic.booking.views.blueprint import pages

__all__ = [
    "answers",
    "check_in",
    "client",
    "desk_change",
    "desk_closures",
    "desk_couple",
    "desk_new",
    "desk_people",
    "desk_series",
    "desk_sick_day",
    "desk_swap",
    "desk_visit",
    "desk_waitlist",
    "marking",
    "more_care",
    "pages",
    "reactions",
    "rule_changes",
    "time_off",
    "two_people",
    "unsafe_visits",
    "which",
]
