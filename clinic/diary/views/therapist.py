"""A therapist's own day, week and visits. Nobody else's can be asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template, url_for
from flask_login import current_user

from clinic.accounts.access import who
from clinic.booking.queries import blocks, changes, fell_out, running_late, taking_back, treated
from clinic.booking.queries.taking_back import LastStep
from clinic.diary.queries import therapist as diary
from clinic.diary.queries.visit_card import visit_card
from clinic.diary.views.blueprint import asked_day, pages
from clinic.diary.views.reviewing import may_open_letters
from clinic.premises import queries as premises
from clinic.rules.language import N_, _
from clinic.rules.licence import LicenceState, licence_state, licence_words
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus, may_have_begun
from clinic.rules.words import zone_words
from clinic.shared import clock
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer, found

# status → what one tap makes of it: new status, label, kind of button, icon
TAPS = {
    VisitStatus.CONFIRMED: (
        (VisitStatus.IN_SESSION, N_("Start the visit"), "primary", "play-circle"),
        (VisitStatus.NO_SHOW, N_("Client did not come"), "ghost", "person-x"),
    ),
    VisitStatus.ARRIVED: ((VisitStatus.IN_SESSION, N_("Start the visit"), "primary", "play-circle"),),
    VisitStatus.IN_SESSION: ((VisitStatus.DONE, N_("Finish the visit"), "primary", "check-all"),),
    VisitStatus.NO_SHOW: ((VisitStatus.ARRIVED, N_("Client came after all"), "quiet", "door-open"),),
}


@pages.get("/diary", needs=Permission.DIARY_OWN_READ, reads="list")
def my_day() -> Answer:
    """Today, or `?day=2026-06-09`: who is next, and the day as a grid. It asks by itself what has changed."""
    me, now = diary.therapist_who(who()), clock.now()
    found(premises.clinic_facts())
    if me is None:
        return render_template("diary/my_no_profile.html")
    today = diary.today_of(me.id, now)
    day = asked_day(today)
    mark = changes.own_mark(me.id, day, 1, now, has_today=day == today)
    return live_page(mark, "diary/my_day.html", lambda: _day(me, day, today, now))


def _day(me: diary.Me, day: dt.date, today: dt.date, now: dt.datetime) -> dict[str, Any]:
    shown = diary.own_days(me, day, 1, now)
    coming = diary.next_visit(shown, now) if day == today else None
    from_hour, to_hour = diary.window(shown)
    return {
        "me": me,
        "day": day,
        "today": today,
        "shown": shown,
        "from_hour": from_hour,
        "to_hour": to_hour,
        "visits": sorted((visit for one in shown for visit in one.coming), key=lambda one: one.starts_at),
        "coming": coming,
        "card": visit_card(me.id, coming.id, now) if coming else None,
        "taps": _taps(coming, day, now) if coming else (),
        "columns": [
            {
                "name": _at(one) or me.name,
                "tint": me.tint,
                "note": zone_words(one.zone) if len(shown) > 1 else "",  # one scale for two clocks
                "off": one.off,
                "visits": _grid(one),
            }
            for one in shown
        ],
        "now": _now_mark(now, shown[0].zone, day, from_hour, to_hour) if len(shown) == 1 else "",
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1),
        "is_today": day == today,
        "fell_out": fell_out.since_yesterday(now, me.id) if day == today else [],
        "licence": _licence(me, today),
        "away": blocks.off_now(me.id, now) if day == today else None,
        "last_step": _last_step(me, now),
        "minutes_late": running_late.minutes_late(day).get(me.id, 0) if day == today else 0,
    }


@pages.get("/diary/week", needs=Permission.DIARY_OWN_READ)
def my_week() -> Answer:
    """Monday to Sunday of this week, or of the week of `?day=`, kept up to date as the day is."""
    me, now = diary.therapist_who(who()), clock.now()
    found(premises.clinic_facts())
    if me is None:
        return render_template("diary/my_no_profile.html")
    today = diary.today_of(me.id, now)
    asked = asked_day(today)
    monday = asked - dt.timedelta(days=asked.weekday())
    is_this_week = monday <= today < monday + dt.timedelta(days=7)
    mark = changes.own_mark(me.id, monday, 7, now, has_today=is_this_week)
    return live_page(mark, "diary/my_week.html", lambda: _week(me, monday, today, now))


def _week(me: diary.Me, monday: dt.date, today: dt.date, now: dt.datetime) -> dict[str, Any]:
    days = diary.own_days(me, monday, 7, now)
    from_hour, to_hour = diary.window(days)
    shown = [one for one in days if one.day.weekday() < 5 or _has_something(one)]
    return {
        "me": me,
        "today": today,
        "days": shown,
        "grids": [_grid(one) for one in shown],
        "monday": monday,
        "sunday": monday + dt.timedelta(days=6),
        "before": monday - dt.timedelta(days=7),
        "after": monday + dt.timedelta(days=7),
        "is_this_week": monday <= today < monday + dt.timedelta(days=7),
        "from_hour": from_hour,
        "to_hour": to_hour,
        "marks": [_now_mark(now, one.zone, one.day, from_hour, to_hour) for one in shown],
        "licence": _licence(me, today),
        "fell_out": fell_out.since_yesterday(now, me.id),
        "total": sum(len(one.coming) for one in shown),
    }


@pages.get("/diary/visits/<int:visit_id>", needs=Permission.DIARY_OWN_READ, reads="visit")
def my_visit(visit_id: int) -> Answer:
    """One visit: who, what, and what to take care of. It asks by itself what has changed, as the day does."""
    now = clock.now()
    mark, me = changes.list_mark(now), found(diary.therapist_who(who()))
    found(treated.visit_of_therapist(me.id, visit_id))
    return live_page(mark, "diary/my_visit.html", lambda: _visit(me, visit_id, now))


def _visit(me: diary.Me, visit_id: int, now: dt.datetime) -> dict[str, Any]:
    card = found(visit_card(me.id, visit_id, now))
    return {
        "visit": card,
        "may_open_letters": current_user.may(Permission.CLINICAL_REVIEW)
        and (card.may_read_answers or may_open_letters(card.client_id, now)),
        "last_step": _last_step(me, now),
        "has_begun": may_have_begun(card.status, card.starts_at, now),
        "taps": _taps(card, premises.today(now, card.zone), now, card.day),
    }


def _last_step(me: diary.Me, now: dt.datetime) -> LastStep | None:
    """What can be taken back of one's own visits: whoever is at the desk too finds the others there."""
    step = taking_back.last_step_of(who() or 0, now)
    return step if step and treated.visit_of_therapist(me.id, step.visit_ids[0]) else None


def _has_something(day: diary.OwnDay) -> bool:
    return bool(day.hours or day.visits or any(span.label for span in day.off))


def _at(day: diary.OwnDay) -> str:
    """The places of the day, where there are several to think of."""
    names = {one.id: one.name for one in premises.places()}
    return ", ".join(names[one] for one in day.places if one in names) if len(names) > 1 else ""


def _grid(day: diary.OwnDay) -> list[dict[str, Any]]:
    """What the grid draws. A time that somebody online is choosing has no page of its own."""
    return [
        {
            "id": one.id,
            "href": url_for("diary.my_visit", visit_id=one.id)
            if one.status is not VisitStatus.HELD
            else url_for("diary.my_day", day=day.day),
            "client": one.client,
            "service": f"{_(one.service)}, {one.room}",
            "status": one.status,
            "start": one.start,
            "until": one.until,
            "began_at": one.began_at,
            "minutes": one.minutes,
            "flag": one.flag,
        }
        for one in day.visits
    ]


def _taps(
    visit: Any, today: dt.date, now: dt.datetime, day: dt.date | None = None
) -> list[tuple[VisitStatus, str, str, str]]:
    """The buttons that make sense now: nothing before its day, and nobody is missed before the start. What is over and
    stands open can be closed in one."""
    if day is not None and day > today:
        return []
    taps = TAPS.get(visit.status, ())
    if now >= visit.ends_at and visit.status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED):
        later = [
            (status, label, "quiet", symbol)
            for status, label, _kind, symbol in taps
            if status is VisitStatus.NO_SHOW or day in (None, today)
        ]
        return [(VisitStatus.DONE, N_("It took place"), "primary", "check-all"), *later]
    return [tap for tap in taps if tap[0] is not VisitStatus.NO_SHOW or now >= visit.starts_at]


def _now_mark(now: dt.datetime, zone: str, day: dt.date, from_hour: int, to_hour: int) -> str:
    local = now.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}" if local.date() == day and from_hour <= local.hour < to_hour else ""


def _licence(me: diary.Me, today: dt.date) -> dict[str, str | bool] | None:
    """A warning 60, 30 and 7 days before the licence ends, stronger each time; None while it is good."""
    state = licence_state(me.licence_expires_on, today)
    if state is LicenceState.GOOD:
        return None
    kind = "info" if state is LicenceState.SOON else "care" if state is LicenceState.NEAR else "urgent"
    text = licence_words(me.licence_expires_on, today)
    return {"kind": kind, "text": text, "is_over": state is LicenceState.EXPIRED}
