"""The sick call: one page of work with every visit of a therapist who cannot work, and the best for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.choice import VISIT_DIGITS, moment_of, moment_text, number_of, whole_number
from clinic.booking.queries import visits
from clinic.booking.services import covering, sick_day
from clinic.booking.services.covering import Case
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.rules import words
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.sick_day import Deed, Proposal, Way, best_for_all
from clinic.rules.wall_time import moment
from clinic.shared import clock
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

NEED = Permission.VISIT_ANY_WRITE
TIMES_SHOWN = 3


@pages.get("/desk/sick-day/<int:therapist_id>", needs=NEED)
def desk_sick_visits(therapist_id: int) -> Answer:
    """Each visit with the client's phone, and one tap for each thing that can be done about it."""
    therapist = found(therapists.therapist(therapist_id))
    shown = covering.cases(therapist.id, clock.now())
    names = kit.therapist_names()
    return render_template(
        "booking/desk_sick_day.html",
        therapist=therapist,
        cases=[_shown(one, names) for one in shown],
        to_call=[one for one in shown if _is_to_call(one)],
    )


def _is_to_call(case: Case) -> bool:
    """Whether nobody has been asked yet, or the answer was no: somebody calls, if nothing else is done."""
    return case.offer is None


def _shown(case: Case, names: Mapping[int, str]) -> dict[str, Any]:
    ways = case.touched
    seen: dict[int, Way] = {}
    for way in ways.same_time:
        seen.setdefault(way.therapist, way)
    return {
        "case": case,
        "visit": case.visit,
        "others": [{"id": one, "name": names.get(one, "")} for one in seen],
        "times": [_time(way, names, case.visit) for way in ways.other_times[:TIMES_SHOWN]],
    }


def _time(way: Way, names: Mapping[int, str], visit: Any) -> dict[str, Any]:
    """A time as its button says it; of the visit's own day without the day."""
    start, facts = moment(way.starts_at), kit.clinic()
    text = words.moment_words(start, visit.zone, uses_24_hours=facts.uses_24_hours)
    local = start.astimezone(ZoneInfo(visit.zone))
    short = words.time_words(local.time(), uses_24_hours=facts.uses_24_hours)
    return {
        "start": moment_text(start),
        "therapist": way.therapist,
        "name": names.get(way.therapist, ""),
        "text": words.unbroken(
            short if local.date() == visit.day else f"{words.short_day(local.date())}, {short}"
        ),
        "label": text,
    }


@pages.post("/desk/visits/<int:visit_id>/give", needs=NEED)
def desk_give_visit(visit_id: int) -> Answer:
    """The same time with another therapist."""
    return _done(visit_id, _("Given to {}. The client is told."))


@pages.post("/desk/visits/<int:visit_id>/offer-time", needs=NEED)
def desk_offer_time(visit_id: int) -> Answer:
    """Another time, kept until the client has answered."""
    return _done(
        visit_id, _("The time is kept, and the client is asked. Nothing is changed before they say yes.")
    )


@pages.post("/desk/visits/<int:visit_id>/call-off", needs=NEED)
def desk_call_off(visit_id: int) -> Answer:
    """Cancel and tell."""
    visit = found(visits.visit(visit_id))
    therapist_id = visit.therapist_id
    try:
        sick_day.call_off(visit_id, revision=_revision(), by=who() or 0, now=clock.now())
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        flash(_("Cancelled. The client is told, or stands on the list of calls."), "success")
    return go("booking.desk_sick_visits", therapist_id=therapist_id)


def _revision() -> int:
    return whole_number(request.form.get("revision")) or 0


def _done(visit_id: int, said: str) -> Answer:
    """Do what the button says about this visit, and go back to the page of work."""
    visit = found(visits.visit(visit_id))
    therapist_id = visit.therapist_id
    chosen = whole_number(request.form.get("therapist")) or 0
    try:
        _do(visit_id, chosen, moment_of(request.form.get("start")), _revision())
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        flash(said.format(kit.therapist_names().get(chosen, _("another therapist"))), "success")
    return go("booking.desk_sick_visits", therapist_id=therapist_id)


def _do(visit_id: int, therapist_id: int, start: dt.datetime | None, revision: int) -> None:
    by, now = who() or 0, clock.now()
    if start is None:
        sick_day.give_to(visit_id, therapist_id, revision=revision, by=by, now=now)
    else:
        sick_day.offer_time(visit_id, start, therapist_id, revision=revision, by=by, now=now)


@pages.get("/desk/sick-day/<int:therapist_id>/plan", needs=NEED)
def desk_sick_plan(therapist_id: int) -> Answer:
    """The best for all, shown before anything is saved."""
    therapist = found(therapists.therapist(therapist_id))
    cases = {one.visit.id: one for one in covering.cases(therapist.id, clock.now()) if one.offer is None}
    names = kit.therapist_names()
    plan = best_for_all(one.touched for one in cases.values())
    return render_template(
        "booking/desk_sick_plan.html",
        therapist=therapist,
        lines=[_line(one, cases[one.visit_id], names) for one in plan],
        back=url_for("booking.desk_sick_visits", therapist_id=therapist.id),
    )


def _line(proposal: Proposal, case: Case, names: Mapping[int, str]) -> dict[str, Any]:
    way, visit = proposal.way, case.visit
    start = moment_text(moment(way.starts_at)) if way is not None and proposal.deed is Deed.OFFER else ""
    return {
        "visit": visit,
        "deed": proposal.deed.value,
        "is_ticked": proposal.is_ticked,
        "by_name": case.touched.by_name,
        "is_safe": case.is_safe,
        "time": _time(way, names, visit) if way is not None else None,
        "value": f"{visit.id} {visit.revision} {way.therapist} {start}".strip() if way is not None else "",
    }


@pages.post("/desk/sick-day/<int:therapist_id>/plan", needs=NEED)
def desk_carry_out(therapist_id: int) -> Answer:
    """Do what is ticked, one visit after the other; what cannot be done any more stays on the page of work."""
    found(therapists.therapist(therapist_id))
    done = {Deed.GIVE: 0, Deed.OFFER: 0}
    failed = 0
    for text in request.form.getlist("do")[:200]:
        deed = _carry_out(text)
        if deed is None:
            failed += 1
        else:
            done[deed] += 1
    given = ngettext(
        "%(num)d visit given to somebody else", "%(num)d visits given to somebody else", done[Deed.GIVE]
    )
    asked = ngettext(
        "%(num)d client asked about another time",
        "%(num)d clients asked about another time",
        done[Deed.OFFER],
    )
    if any(done.values()):
        parts = [said for said, deed in ((given, Deed.GIVE), (asked, Deed.OFFER)) if done[deed]]
        flash(f"{', '.join(parts)}.", "success")
    if failed:
        flash(
            _("Something has changed meanwhile, so not everything could be done. See what is left."), "care"
        )
    return go("booking.desk_sick_visits", therapist_id=therapist_id)


def _carry_out(text: str) -> Deed | None:
    """One line of the plan; None when it cannot be done (any more)."""
    pieces = text.split(" ")
    numbers = [number_of(one, digits=VISIT_DIGITS) for one in pieces[:3]]
    if len(pieces) not in (3, 4) or None in numbers:
        return None
    start = moment_of(pieces[3]) if len(pieces) == 4 else None
    if len(pieces) == 4 and start is None:
        return None
    visit_id, revision, therapist_id = (one or 0 for one in numbers)
    try:
        _do(visit_id, therapist_id, start, revision)
    except RuleViolation:
        return None
    return Deed.GIVE if start is None else Deed.OFFER
