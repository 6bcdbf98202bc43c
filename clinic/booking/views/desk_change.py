"""Move a visit, or change what it is: judged anew, and saved only where the gate lets it stand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request
from werkzeug.datastructures import MultiDict

from clinic.accounts.access import who
from clinic.booking.forms.choice import day_of, whole_number
from clinic.booking.forms.desk import WhatForm, read_moment
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.desk_times import FreeTime, FreeTimes, free_times
from clinic.booking.queries.visits import plan_of
from clinic.booking.queries.why_no_times import Explained
from clinic.booking.services import alternatives
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import Warned
from clinic.booking.services.visits import CHANGEABLE, Outcome
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.rules.errors import NONE_NEAR, InvalidInput, MoveNotAllowed, NotFound, SlotTaken, TooSoon
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

NEED = Permission.VISIT_ANY_WRITE


def _asked_day() -> dt.date | None:
    """The day that the link here names, as far as it is one."""
    return day_of(request.args.get("day"))


@pages.get("/desk/visits/<int:visit_id>/change", needs=NEED)
def desk_change(visit_id: int) -> Answer:
    """The visit as it is, with the free times of its day."""
    visit = _visit(visit_id)
    if visit is None:
        return kit.not_by_itself(visit_id)
    day = _asked_day() or max(visit.day, premises.today(clock.now(), visit.zone))
    form = _form(visit, MultiDict(_as_booked(visit) | {"day": day.isoformat()}))
    if not visit.any_therapist and visit.therapist_id not in kit.therapist_names():
        form.therapist.data = ""  # switched off since: the list stands at anybody, and so do the times
        form.therapist.description = _(
            "%(name)s gives no visits any more. Please choose another therapist.", name=visit.therapist.name
        )
    return _page(visit, form)


@pages.post("/desk/visits/<int:visit_id>/change", needs=NEED)
def desk_save_change(visit_id: int) -> Answer:
    """Show other times, or save: in the time that was pressed, or where it stands (`keep`)."""
    visit = _visit(visit_id)
    if visit is None:
        return kit.not_by_itself(visit_id)
    form = _form(visit, request.form)
    starts_at = read_moment(request.form.get("start", ""))
    is_right, keep = form.validate(), bool(request.form.get("keep"))
    if not is_right or (starts_at is None and not keep):
        return _page(visit, form, 200 if is_right else 422)
    choice = _choice(visit, form)
    if choice is None:
        if form.parts is None:
            form.what.errors = [_("Choose a service and a length.")]
        return _page(visit, form, 422)
    return _save(visit, form, choice, None if keep else starts_at)


def _visit(visit_id: int) -> Any:
    """The visit, when it can still be changed; 404 when it is not there or nobody's yet."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    return visit if visit.status in CHANGEABLE and visit.couple_id is None else None


def _form(visit: Any, typed: MultiDict[str, Any]) -> WhatForm:
    form = WhatForm(typed)
    kit.with_choices(form, visit)
    return form


def _as_booked(visit: Any) -> dict[str, Any]:
    """What the visit is and with whom, as the form has it."""
    return {
        "what": kit.what_of(visit),
        "therapist": visit.asked_gender if visit.any_therapist else str(visit.therapist_id),
        "addons": visit.addons,
        "areas": visit.areas,
    }


def _choice(visit: Any, form: WhatForm) -> Choice | None:
    """What is chosen: a form on which only the time is another keeps what the visit is, whatever was switched off
    since; anything else has to be on offer."""
    booked = _as_booked(visit)
    is_untouched = (form.what.data, form.therapist.data or "") == (
        booked["what"],
        booked["therapist"],
    ) and all(sorted(form[name].data or ()) == sorted(booked[name]) for name in ("addons", "areas"))
    return (
        replace(kit.choice_of_visit(visit), therapist_id=form.therapist_id)
        if is_untouched
        else kit.choice_of(form)
    )


def _is_as_booked(visit: Any, choice: Choice) -> bool:
    """Whether only the time changes: then what is no longer on offer may stay."""
    asked = None if visit.any_therapist else visit.therapist_id
    booked = (
        visit.service.key, visit.mode, visit.minutes, sorted(visit.addons), sorted(visit.areas), asked,
        visit.asked_gender,
    )  # fmt: skip
    wanted = (
        choice.service, choice.mode, choice.minutes, sorted(choice.addons), sorted(choice.areas),
        choice.therapist_id, choice.gender,
    )  # fmt: skip
    return booked == wanted


def _save(visit: Any, form: WhatForm, choice: Choice, starts_at: dt.datetime | None) -> Answer:
    visit_id, client_id, day = visit.id, visit.client_id, visit.day
    try:
        wish = Change(
            whole_number(request.form.get("revision")) or 0,
            starts_at,
            None if _is_as_booked(visit, choice) else choice,
            by=who(),
            rest=kit.rest_said(form),
        )
        outcome = change_at_desk(visit_id, wish, now=clock.now())
    except (SlotTaken, TooSoon, MoveNotAllowed, InvalidInput, NotFound) as error:
        nearest = error.nearest if isinstance(error, SlotTaken) else NONE_NEAR
        times = [FreeTime(moment(one.starts_at), one.therapists) for one in nearest]
        return _page(found(visits.visit(visit_id)), form, 409, trouble=error.sentence, nearest=times)
    if outcome.visit_id is None and outcome.rest is not None:
        return _page(found(visits.visit(visit_id)), form, 409, warned=outcome.rest, start=starts_at)
    if outcome.visit_id is None:
        wanted_on = starts_at.astimezone(ZoneInfo(visit.zone)).date() if starts_at else day
        return _not_changed(visit_id, client_id, form, choice, outcome, wanted_on)
    if outcome.status == VisitStatus.CONFIRMED:
        flash(_("Saved. The visit is confirmed."), "success")
    else:
        flash(_("Saved. The visit still waits: see what is needed."), "care")
    return go("booking.desk_visit", visit_id=visit_id)


def _not_changed(
    visit_id: int, client_id: int, form: WhatForm, choice: Choice, outcome: Outcome, day: dt.date
) -> Answer:
    """The gate would not let it stand: nothing was changed."""
    page = render_template(
        "booking/desk_not_changed.html",
        visit=found(visits.visit(visit_id)),
        form=form,
        outcome=outcome,
        unsafe=kit.addons_in(outcome.unsafe_addons, form),
        urgency=kit.urgency_of(outcome),
        waits=outcome.judged.waiting_for if outcome.judged else None,
        look_again_on=alternatives.look_again_on(outcome.judged) if outcome.judged else None,
        safe=alternatives.safe_instead(client_id, choice, day, now=clock.now()),
    )
    return page, 409


def _page(
    visit: Any,
    form: WhatForm,
    status: int = 200,
    *,
    trouble: str = "",
    nearest: Any = (),
    warned: Warned | None = None,
    start: dt.datetime | None = None,
) -> Answer:
    """The form with its free times; `warned` about the rest, with the `start` that was pressed (None: as it stands)."""
    choice = _choice(visit, form)
    times, why, minutes = _times(visit, form, choice) if choice else (None, None, 0)
    names = kit.therapist_names()
    page = render_template(
        "booking/desk_change.html",
        visit=visit,
        form=form,
        trouble=trouble,
        nearest=kit.slots(nearest, names, minutes, visit.zone),
        rest=kit.rest_warning(form, warned) if warned else None,
        start=start.isoformat() if start else "",
        times=times,
        why=why,
        asked=kit.slots(times.asked, names, minutes, visit.zone) if times else [],
        later=kit.slots(times.later, names, minutes, visit.zone) if times else [],
        parts=kit.parts_of_day(kit.slots(times.on_day, names, minutes, visit.zone)) if times else [],
        area_groups=kit.area_groups(),
        minutes=minutes,
    )
    return page, status


def _times(visit: Any, form: WhatForm, choice: Choice) -> tuple[FreeTimes, Explained | None, int]:
    """Free times for the changed visit, its own time counted as free; what stands in the way; how long it takes."""
    plan = catalogue.plan_for(
        choice.service, choice.mode, choice.addons, choice.minutes, first_visit=visit.first_visit
    ) or plan_of(visit)
    now = clock.now()
    ask = Ask(
        plan=plan, location_id=visit.location_id, first_day=form.day.data or visit.day, days=1, now=now,
        therapist_id=choice.therapist_id, gender=choice.gender, client_id=visit.client_id, by_staff=True,
        instead_of=visit.id, stands=True, at_its_place=True,
    )  # fmt: skip
    times = free_times(ask, form.at.data, since=now)
    why = kit.why(ask, times, form.at.data, is_asked=bool(request.values.get("why")))
    return times, why, plan.total_minutes
