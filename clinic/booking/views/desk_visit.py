"""One visit at the desk: where it stands, what comes next, and each step by one tap."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, render_template, request

from clinic.accounts import queries as accounts
from clinic.accounts.access import is_named, who
from clinic.booking.forms.choice import whole_number
from clinic.booking.queries import (
    changes,
    check_ins,
    couples,
    in_the_way,
    next_steps,
    rest,
    under_way,
    unfinished,
    visits,
    waitlist,
)
from clinic.booking.queries.deliveries import deliveries
from clinic.booking.queries.visits import plan_of
from clinic.booking.services import alternatives, people
from clinic.booking.services.calls import ask_for_call
from clinic.booking.services.links import send_link_again
from clinic.booking.services.visits import CHANGEABLE, cancel_visit, mark_visit
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.desk_steps import steps_of
from clinic.booking.views.marking import say_it_stops, say_what_is_odd
from clinic.booking.views.result import is_judged_out, is_stopped, is_urgent, possible_without_letter
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.body_areas import AREAS
from clinic.rules.errors import (
    CheckInNeeded,
    InvalidInput,
    MoveNotAllowed,
    NotFound,
    RuleViolation,
    SlotTaken,
)
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import (
    STEP_REASONS,
    VisitStatus,
    may_become,
    may_have_begun,
    staff_label,
)
from clinic.shared import clock
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer, found, go

NEED = Permission.VISIT_ANY_WRITE


@pages.get("/desk/visits/<int:visit_id>", needs=NEED)
def desk_visit(visit_id: int) -> Answer:
    """The visit's card, which asks by itself what has changed."""
    now = clock.now()
    mark = changes.list_mark(now)  # before the visit is read
    visit = found(visits.visit(visit_id))
    if visit.client is None:
        return render_template("booking/desk_held.html", visit=visit)
    if visits.is_offered(visit):
        return go("booking.desk_waitlist")
    return live_page(mark, "booking/desk_visit.html", lambda: _card(visit, visit.client, now))


def _step(visit: Any, now: dt.datetime) -> next_steps.NextStep:
    step = next_steps.next_step(visit)
    if next_steps.may_be_in_the_way(visit, step, now) and in_the_way.in_the_way([visit], now):
        return next_steps.IN_THE_WAY
    return step


def _card(visit: Any, client: Any, now: dt.datetime) -> dict[str, Any]:
    status = VisitStatus(visit.status)
    steps = visits.history(visit.id)
    return {
        "visit": visit,
        "client": client,
        "plan": catalogue.plan_for_booked(
            visit.service_id, visit.mode, visit.addons, visit.minutes, first_visit=visit.first_visit
        ),
        "area_words": [_(AREAS.get(one, one)) for one in visit.areas],
        "step": _step(visit, now),
        "buttons": steps_of(visit, now),
        "last_step": kit.last_step(visit.id),
        "check_in": _check_in(visit, now),
        "is_judged_out": is_judged_out(visit),
        "safe": _safe_instead(visit),
        "is_urgent": is_stopped(visit) or is_urgent(visit),
        "later": possible_without_letter(visit, plan_of(visit)),
        "may_change": status in CHANGEABLE and visit.couple_id is None,
        "partner": couples.partner_of(visit),
        "may_cancel": may_become(status, VisitStatus.CANCELLED) and status != VisitStatus.LATE_CANCELLED,
        "has_begun": may_have_begun(status, visit.starts_at, now),
        "is_late": _would_be_late(status, visit.starts_at, now),
        "history": _history(steps),
        "deliveries": deliveries(visit.id),
        "told_since": under_way.told_since(visit),
        "asked": waitlist.asked_instead([visit.id]).get(visit.id),
        "sooner": rest.passed([visit.id]).get(visit.id),
        "may_read_record": is_named(Permission.CLINICAL_REVIEW),
        "alike": unfinished.look_alikes(visit.client) if visit.waiting_for == "review" else [],
    }


def _safe_instead(visit: Any) -> list[Any]:
    """What the client can have on that day instead of a visit that was called off, each with its value in the form."""
    if not is_judged_out(visit) or is_stopped(visit) or is_urgent(visit):
        return []
    now = clock.now()
    day = max(visit.day, premises.today(now, visit.zone))
    safe = alternatives.safe_instead(visit.client_id, kit.choice_of_visit(visit), day, now=now)
    return [(one, kit.value_of(one.choice), day) for one in safe]


def _would_be_late(status: VisitStatus, starts_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a cancellation by the client would count as late now."""
    if not may_become(status, VisitStatus.LATE_CANCELLED):
        return False
    settings = premises.booking_settings()
    new = booking_policy.cancelled_status(status, starts_at, now=now, by_clinic=False, settings=settings)
    return new is VisitStatus.LATE_CANCELLED


def _check_in(visit: Any, now: dt.datetime) -> str:
    """Whether the questions about the day are answered; "" while it is too early, or nobody asks them."""
    if not premises.clinic().check_in_needed or not check_ins.may_staff_check_in(visit, now):
        return ""
    return "done" if check_ins.is_on_file(visit, now) else "missing"


def _history(steps: Any) -> list[dict[str, Any]]:
    names = accounts.names_of({one.by_user_id for one in steps if one.by_user_id})
    return [
        {
            "at": one.at,
            "words": staff_label(VisitStatus(one.status)),
            "by": names.get(one.by_user_id, ""),
            "reason": _(STEP_REASONS.get(one.reason, one.reason)) if one.reason else "",
        }
        for one in steps
    ]


@pages.post("/desk/visits/<int:visit_id>/mark", needs=NEED)
def desk_mark(visit_id: int) -> Answer:
    """Arrived, started, finished, did not come, and back. The grid's buttons name step and revision in one."""
    found(visits.visit(visit_id))
    status, _dot, revision = request.form.get("step", "").partition(".")
    try:
        new = VisitStatus(status or request.form.get("status", ""))
        seen = int(revision or request.form.get("revision", ""))
        stands = mark_visit(visit_id, new, revision=seen, by=who() or 0, now=clock.now(), can_go_back=True)
    except ValueError:
        flash(_("This step is not known. Please use the buttons."), "care")
    except CheckInNeeded:
        return go("booking.desk_check_in", visit_id=visit_id, then=new.value)
    except SlotTaken:
        flash(_("The time has been given to somebody else. Book a new visit instead."), "care")
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        if stands is not new:
            say_it_stops(stands)
        elif new is VisitStatus.CANCELLED:
            flash(_("Let pass: it counts as cancelled in time now."), "success")
        else:
            flash(_("Marked: %(value)s.", value=staff_label(new).lower()), "success")
            if new is VisitStatus.IN_SESSION:
                say_what_is_odd(visit_id)
    return kit.back_to(visit_id)


@pages.get("/desk/visits/<int:visit_id>/cancel", needs=NEED)
def desk_ask_cancel(visit_id: int) -> Answer:
    """Who cancels? A page of its own, so that no visit goes by a slip."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    if not may_become(VisitStatus(visit.status), VisitStatus.CANCELLED):
        return go("booking.desk_visit", visit_id=visit_id)
    if couples.partner_of(visit) is not None:  # both, or this one alone: asked on the page of both
        return go("booking.desk_couple", couple_id=visit.couple_id, _anchor="cancel")
    return render_template("booking/desk_cancel.html", visit=visit, client=visit.client)


@pages.post("/desk/visits/<int:visit_id>/cancel", needs=NEED)
def desk_cancel(visit_id: int) -> Answer:
    """Cancel, for the client or by the clinic."""
    found(visits.visit(visit_id))
    by_clinic = request.form.get("cancelled_by") == "clinic"
    seen = whole_number(request.form.get("revision"))
    try:
        status = cancel_visit(
            visit_id, by=who(), by_clinic=by_clinic, now=clock.now(), at_desk=True, seen=seen
        )
    except (MoveNotAllowed, NotFound) as error:
        flash(error.sentence, "care")
    else:
        late = status == VisitStatus.LATE_CANCELLED
        flash(
            _("Cancelled, inside the notice.") if late else _("Cancelled. The time is free again."), "success"
        )
    return kit.back_to(visit_id)


@pages.post("/desk/visits/<int:visit_id>/send-link", needs=NEED)
def desk_send_link(visit_id: int) -> Answer:
    """Mail the visit's own link again, for the health questions."""
    found(visits.visit(visit_id))
    try:
        send_link_again(visit_id, by=who() or 0, now=clock.now())
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        flash(_("The link is on its way."), "success")
    return kit.back_to(visit_id)


@pages.post("/clients/<int:client_id>/call", needs=NEED)
def desk_ask_call(client_id: int) -> Answer:
    """The client wants to be called back: put it on the list."""
    client = found(clients.client(client_id))
    try:
        ask_for_call(
            client_id=client.id, visit_id=None, phone=client.phone or "", about="booking", now=clock.now()
        )
    except InvalidInput as error:
        flash(error.sentence, "care")
    else:
        flash(_("It is on the list of calls."), "success")
    return go("diary.to_do")


@pages.post("/desk/calls/<int:call_id>/done", needs=NEED)
def desk_close_call(call_id: int) -> Answer:
    """Somebody has called them back."""
    try:
        people.close_call(call_id, by=who() or 0, now=clock.now())
    except NotFound:
        flash(_("This call is not on the list any more."), "care")
    else:
        flash(_("Done. The call is off the list."), "success")
    return go("diary.to_do")


@pages.post("/desk/calls/<int:call_id>/open", needs=NEED)
def desk_reopen_call(call_id: int) -> Answer:
    """It was the wrong row: nobody has called them."""
    try:
        people.reopen_call(call_id, by=who() or 0, now=clock.now())
    except NotFound:
        flash(_("This call is not on the list any more."), "care")
    else:
        flash(_("Undone. The call is on the list again."), "success")
    return go("diary.to_do")
