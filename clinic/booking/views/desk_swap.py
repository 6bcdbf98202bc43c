"""Two visits change places, at the desk: choose the other one, then both take each other's time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.forms.choice import day_of
from clinic.booking.forms.desk import RestForm
from clinic.booking.queries import visits
from clinic.booking.services.resting import RestShort
from clinic.booking.services.swapping import SwapOutcome, swap_visits
from clinic.booking.services.visits import CHANGEABLE
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.wall_time import WallClock, moment
from clinic.rules.words import join_words
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

NEED = Permission.VISIT_ANY_WRITE


@pages.get("/desk/visits/<int:visit_id>/swap", needs=NEED)
def desk_ask_swap(visit_id: int) -> Answer:
    """The visits of a day (`?day=`) that this one can change places with."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    if visit.status not in CHANGEABLE or visit.couple_id is not None:
        flash(_("This visit cannot be swapped."), "care")
        return go("booking.desk_visit", visit_id=visit_id)
    return _page(visit)


@pages.post("/desk/visits/<int:visit_id>/swap", needs=NEED)
def desk_swap(visit_id: int) -> Answer:
    """Swap with the visit that was chosen. The choice holds its revision: another tab may have changed it."""
    visit = found(visits.visit(visit_id))
    found(visit.client)
    other_id, revision = _numbers(request.form.get("other", ""), 2)
    own = _numbers(request.form.get("revision", ""), 1)[0]
    if not other_id:
        return _page(visit, _("Choose the visit to swap with."), 422)
    try:
        outcome = swap_visits(
            visit_id, other_id, seen=[own, revision], keeps_therapists=bool(request.form.get("keep")),
            rest=kit.rest_said(RestForm(request.form)), by=who(), now=clock.now(), at_desk=True,
        )  # fmt: skip
    except RestShort as error:
        names = [found(found(visits.visit(one)).client).name for one in (visit_id, other_id)]
        return _page(found(visits.visit(visit_id)), status=409, short=error, names=names)
    except RuleViolation as error:
        return _page(found(visits.visit(visit_id)), error.sentence, 409)
    if not outcome.is_done:
        return _page(found(visits.visit(visit_id)), _why_not(visit_id, other_id, outcome), 409)
    flash(_("Swapped: both visits have each other’s time."), "success")
    return go("booking.desk_visit", visit_id=visit_id)


def _numbers(text: str, count: int) -> list[int]:
    """Numbers as the form writes them, such as 12.3; zeros for anything else."""
    parts = text.split(".")
    is_right = len(parts) == count and all(
        one.isascii() and one.isdecimal() and len(one) < 17 for one in parts
    )
    return [int(one) for one in parts] if is_right else [0] * count


def _why_not(visit_id: int, other_id: int, outcome: SwapOutcome) -> str:
    """For whom it is not possible, never why."""
    names = []
    for one, judged in zip((visit_id, other_id), outcome.judged, strict=True):
        visit = visits.visit(one)
        if visit is not None and visit.client is not None and not judged.permits:
            names.append(visit.client.name)
    whom = join_words(names) or _("one of them")
    return _("The health answers do not allow this visit on the other day for %(whom)s.", whom=whom)


def _page(
    visit: Any,
    trouble: str = "",
    status: int = 200,
    short: RestShort | None = None,
    names: Sequence[str] = (),
) -> Answer:
    form = RestForm(request.form)
    day = day_of(request.values.get("day")) or visit.day
    page = render_template(
        "booking/desk_swap.html",
        visit=visit,
        day=day,
        others=_others(visit, day),
        trouble=trouble,
        form=form,
        rest=kit.rest_warning(form, *short.warned, names=names) if short is not None else None,
        chosen=request.form.get("other", ""),
        keeps=bool(request.form.get("keep")),
    )
    return page, status


def _others(visit: Any, day: dt.date) -> Sequence[tuple[str, str, Any]]:
    """Visits of the day as choices: those that can be moved."""
    start, end = WallClock(ZoneInfo(visit.zone)).day_bounds(day)
    now = clock.now()
    return [
        (f"{one.id}.{one.revision}", one.client.name, one)
        for one in visits.visits_between(visit.location_id, moment(start), moment(end))
        if one.id != visit.id
        and one.client is not None
        and one.couple_id is None
        and one.status in CHANGEABLE
        and one.starts_at >= now
    ]
