"""A visit is moved at the desk: first what the gate and the book say, then it is saved, then it can be taken back.

The grid of the day asks the same page for its answer when a visit is dropped somewhere.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request
from werkzeug.datastructures import MultiDict

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.desk import MoveForm, WhatForm, read_moment
from clinic.booking.queries import visits, waitlist
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.desk_times import FreeTime
from clinic.booking.queries.why_no_times import Explained, why_no_times
from clinic.booking.services import alternatives
from clinic.booking.services.at_desk import Change, change_at_desk, try_change
from clinic.booking.services.resting import RestSaid
from clinic.booking.services.undoing import take_back
from clinic.booking.services.visits import CHANGEABLE, Outcome
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import RuleViolation, SlotTaken
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.taking_back import undone_words
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WallClock, moment
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, found, go

NEED = Permission.VISIT_ANY_WRITE
NO_SUCH_TIME = N_("The clock does not show this time on that day: it is put forward. Choose another time.")
NO_ANSWER: dict[str, Any] = dict.fromkeys(
    (
        "start", "fits", "room", "ends_at", "waits", "rest", "refused", "urgency", "has_unsafe_addon", "waits_for",
        "look_again_on", "safe", "trouble", "nearest", "why", "is_only_room", "is_asked",
    )
)  # fmt: skip


@pages.get("/desk/visits/<int:visit_id>/move", needs=NEED)
def desk_move(visit_id: int) -> Answer:
    """Where to; with `day` and `at` (or `start`) what would come of it. Nothing is saved."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    if not _may_move(visit):
        return kit.not_by_itself(visit_id)
    start = _start(visit)
    form = _form(visit, start)
    if start is None and "at" not in request.args:
        return _page(visit_id, form)
    if start is None and not _is_read(form):
        return _page(visit_id, form, status=422)
    if start is None:
        return _page(visit_id, form, {"trouble": _(NO_SUCH_TIME)}, 422)
    return _tried(visit_id, form, start)


@pages.post("/desk/visits/<int:visit_id>/move", needs=NEED)
def desk_save_move(visit_id: int) -> Answer:
    """Move it. What stands against it now, and did not a moment ago, is said instead."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    start = read_moment(request.form.get("start", ""))
    if start is None:
        return go("booking.desk_move", visit_id=visit_id)
    form = _form(visit, start)
    revision = whole_number(request.form.get("revision")) or 0
    wish = _wish(form, start, revision)
    try:
        outcome = change_at_desk(visit_id, wish, now=clock.now())
    except RuleViolation as error:
        return _page(visit_id, form, _refusal(visit_id, form, start, error), 409)
    if outcome.visit_id is None:
        return _page(visit_id, form, _answer(visit_id, form, start, outcome), 409)
    moved = found(visits.visit(visit_id))
    flash(
        _("Moved to %(start)s with %(name)s.", start=_when(start, moved.zone), name=moved.therapist.name),
        "success",
    )
    view = "rooms" if request.form.get("back") == "rooms" else None
    return go("diary.desk_day", day=moved.day, place=moved.location_id, view=view)


@pages.post("/desk/visits/<int:visit_id>/undo", needs=NEED)
def desk_take_back(visit_id: int) -> Answer:
    """Take the last step back, as long as nobody has been told."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    try:
        seen = whole_number(request.form.get("revision", ""))
        flash(undone_words(*take_back(visit_id, seen=seen, by=who() or 0, now=clock.now())), "success")
    except RuleViolation as error:
        flash(error.sentence, "care")
    return kit.back_to(visit_id)


def _may_move(visit: Any) -> bool:
    return visit.status in CHANGEABLE and visit.couple_id is None


def _start(visit: Any) -> dt.datetime | None:
    """The moment that was named: itself, or as a day and a time on the wall of the visit's place."""
    named = read_moment(request.args.get("start", ""))
    form = WhatForm(request.args)
    if named is not None or form.at.data is None or (request.args.get("day") and form.day.data is None):
        return named
    minutes = WallClock(ZoneInfo(visit.zone)).minutes_at(form.day.data or visit.day, form.at.data)
    return moment(minutes[0]) if minutes else None


def _form(visit: Any, start: dt.datetime | None) -> MoveForm:
    """What was typed, or how the visit stands."""
    typed = MultiDict(request.values)
    local = (start or visit.starts_at).astimezone(ZoneInfo(visit.zone))
    if start is not None or "at" not in typed:
        typed["at"] = f"{local:%H:%M}"
    if start is not None or not typed.get("day"):
        typed["day"] = local.date().isoformat()
    typed.setdefault("therapist", str(visit.therapist_id))
    form = MoveForm(typed)
    choose(form.therapist, [(str(key), name) for key, name in kit.therapist_names().items()])
    rooms = premises.rooms(visit.location_id)
    fitting = [(str(one.id), one.name) for one in rooms if one.room_kind == visit.room.room_kind]
    choose(form.room, [("", _("Any that fits")), *fitting])
    return form


def _is_read(form: MoveForm) -> bool:
    """Whether a day and a time were typed; what is missing or is none is said at its field."""
    for one in (form.day, form.at):
        one.validate(form)
    if form.at.data is None and not form.at.errors:
        form.at.errors = [_("Enter the time.")]
    return not (form.day.errors or form.at.errors)


def _wish(form: MoveForm, start: dt.datetime, revision: int) -> Change:
    return Change(
        revision, start, therapist_id=form.therapist_id, room_id=form.room_id, by=who(), rest=kit.rest_said(form),
    )  # fmt: skip


def _tried(visit_id: int, form: MoveForm, start: dt.datetime) -> Answer:
    """Tried as if too little rest had been passed already: nobody writes a reason for a time that is taken."""
    visit = found(visits.visit(visit_id))
    wish = replace(_wish(form, start, visit.revision), rest=RestSaid(books_anyway=True))
    try:
        outcome = try_change(visit_id, wish, now=clock.now())
    except RuleViolation as error:
        return _page(visit_id, form, _refusal(visit_id, form, start, error))
    return _page(visit_id, form, _answer(visit_id, form, start, outcome))


def _answer(visit_id: int, form: MoveForm, start: dt.datetime, outcome: Outcome) -> dict[str, Any]:
    """What the gate says: it fits, it is sooner than advised, or it may not be and what is fine instead. Never why."""
    answer: dict[str, Any] = {"start": start.isoformat()}
    if outcome.rest is not None:
        return {**answer, "rest": kit.rest_warning(form, outcome.rest)}
    visit = found(visits.visit(visit_id))
    if outcome.visit_id is not None and outcome.facts is not None:
        facts = outcome.facts
        names = premises.kit_names(facts.location_id)
        return {
            **answer, "fits": True, "room": names.get(facts.room_id, ""), "ends_at": facts.ends_at,
            "waits": outcome.status != VisitStatus.CONFIRMED,
            "is_asked": waitlist.is_asked(visit.id),
            "is_only_room": (start, facts.therapist_id) == (visit.starts_at, visit.therapist_id),
        }  # fmt: skip
    return {**answer, "refused": True, **_instead(visit, start, outcome)}


def _instead(visit: Any, start: dt.datetime, outcome: Outcome) -> dict[str, Any]:
    choice = kit.choice_of_visit(visit)
    judged = outcome.judged
    urgency = kit.urgency_of(outcome)
    day = start.astimezone(ZoneInfo(visit.zone)).date()
    return {
        "urgency": urgency,
        "has_unsafe_addon": bool(outcome.unsafe_addons),
        "waits_for": judged.waiting_for if judged else None,
        "look_again_on": alternatives.look_again_on(judged) if judged else None,
        "safe": [] if urgency else alternatives.safe_instead(visit.client_id, choice, day, now=clock.now()),
    }


def _refusal(visit_id: int, form: MoveForm, start: dt.datetime, error: RuleViolation) -> dict[str, Any]:
    """Not possible there: what is in the way, and the nearest times that are free."""
    is_taken = isinstance(error, SlotTaken) and error.sentence == SlotTaken.default_sentence
    answer: dict[str, Any] = {"trouble": _("This time is not free.") if is_taken else error.sentence}
    if not isinstance(error, SlotTaken):
        return answer
    visit = found(visits.visit(visit_id))
    times = [
        FreeTime(moment(one.starts_at), one.therapists)
        for one in error.nearest
        if moment(one.starts_at) != visit.starts_at or visit.therapist_id != form.therapist_id
    ]
    answer["nearest"] = kit.slots(times, kit.therapist_names(), visit.minutes, visit.zone)
    answer["why"] = _why(visit, form, start)
    return answer


def _why(visit: Any, form: MoveForm, start: dt.datetime) -> Explained:
    local = start.astimezone(ZoneInfo(visit.zone))
    plan = catalogue.plan_for_booked(
        visit.service_id, visit.mode, visit.addons, visit.minutes, first_visit=visit.first_visit
    )
    ask = Ask(
        plan=plan, location_id=visit.location_id, first_day=local.date(), days=1, now=clock.now(),
        therapist_id=form.therapist_id, client_id=visit.client_id, by_staff=True, instead_of=visit.id,
        room_id=form.room_id, stands=True, at_its_place=True,
    )  # fmt: skip
    return why_no_times(ask, local.time().replace(fold=0))


def _when(start: dt.datetime, zone: str) -> str:
    return words.moment_words(start, zone, uses_24_hours=kit.clinic().uses_24_hours)


def _page(visit_id: int, form: MoveForm, answer: dict[str, Any] | None = None, status: int = 200) -> Answer:
    """Read afresh: trying a move ends the transaction that the visit was read in."""
    visit = found(visits.visit(visit_id))
    therapist = kit.therapist_names().get(form.therapist_id or 0, visit.therapist.name)
    page = render_template(
        "booking/desk_move.html",
        visit=visit,
        form=form,
        therapist=therapist,
        room=premises.kit_names(visit.location_id).get(form.room_id or 0, ""),
        is_tried=answer is not None,
        answer={**NO_ANSWER, **(answer or {})},
    )
    return page, status
