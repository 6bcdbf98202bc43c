"""The sick call: one page of work with every visit of a therapist who cannot work, and the best for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.choice import VISIT_DIGITS, moment_of, moment_text, number_of, whole_number
from clinic.booking.queries import changes, taking_back, visits
from clinic.booking.services import covering, sick_day
from clinic.booking.services.covering import Case
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.rules import words
from clinic.rules.errors import RuleViolation
from clinic.rules.language import N_, _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.sick_day import Deed, Proposal, Way, best_for_all
from clinic.rules.wall_time import moment
from clinic.shared import clock
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer, Asks, found, go
from clinic.therapists import queries as therapists

NEED = Permission.VISIT_ANY_WRITE
TIMES_SHOWN = 3
GIVEN = (
    N_("Given to %(name)s. They get a mail."),
    N_("Given to %(name)s. They get a mail when this cannot be undone any more."),
    N_("Given to %(name)s. They have no e-mail: please call them."),
)
_IS_ASKED = N_("The time is kept, and they are asked. Nothing is changed before they say yes.")
ASKED = (
    _IS_ASKED,
    _IS_ASKED,
    N_("The time is kept. They have no e-mail: please call and ask them."),
)
CALLED_OFF = (
    N_("Cancelled. They get a mail."),
    N_("Cancelled. They get a mail when this cannot be undone any more."),
    N_("Cancelled. They have no e-mail: please call them."),
)
"""What is said to whoever pressed the button: of a client with an e-mail, the same while it can be undone and nobody
has been told yet, and of one without an e-mail."""


@pages.get("/desk/sick-day/<int:therapist_id>", needs=NEED)
def desk_sick_visits(therapist_id: int) -> Answer:
    """Each visit with the client's phone, and one tap for each thing that can be done about it. What clients answer and
    other desks do appears by itself."""
    therapist, now = found(therapists.therapist(therapist_id)), clock.now()

    def read() -> dict[str, Any]:
        shown, names = covering.cases(therapist.id, now), kit.therapist_names()
        return {
            "therapist": therapist,
            "last_step": taking_back.last_step_of(who() or 0, now),
            "cases": [_shown(one, names) for one in shown],
            "unsettled": [one for one in shown if _is_to_call(one)],
        }

    return live_page(changes.list_mark(now), "booking/desk_sick_day.html", read)


def _is_to_call(case: Case) -> bool:
    """Whether nobody has been asked yet, or the answer was no: somebody calls, if nothing else is done."""
    return case.asked.offer is None


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
    return _done(visit_id, GIVEN)


@pages.post("/desk/visits/<int:visit_id>/offer-time", needs=NEED)
def desk_offer_time(visit_id: int) -> Answer:
    """Another time, kept until the client has answered."""
    return _done(visit_id, ASKED)


def _asks_to_call_off(visit_id: int) -> Asks:
    client, follows = found(found(visits.visit(visit_id)).client), N_("They are told, at no charge.")
    return Asks(
        N_("Cancel this visit?"), N_("Cancel and tell"), "booking.desk_visit", follows, about=client.name
    )


@pages.post("/desk/visits/<int:visit_id>/call-off", needs=NEED, asks=_asks_to_call_off)
def desk_call_off(visit_id: int) -> Answer:
    """Cancel and tell."""
    revision = _revision()
    return _told(
        visit_id,
        CALLED_OFF,
        lambda: sick_day.call_off(
            visit_id, revision=revision, by=who() or 0, now=clock.now(), can_go_back=True
        ),
    )


def _revision() -> int:
    return whole_number(request.form.get("revision")) or 0


def _done(visit_id: int, said: tuple[str, str, str]) -> Answer:
    """Give the visit to the chosen therapist, or offer the chosen time."""
    chosen, revision = whole_number(request.form.get("therapist")) or 0, _revision()
    start = moment_of(request.form.get("start"))
    return _told(
        visit_id,
        said,
        lambda: _do(visit_id, chosen, start, revision, can_go_back=True),
        kit.therapist_names().get(chosen),
    )


def _told(
    visit_id: int, said: tuple[str, str, str], do: Callable[[], object], to: str | None = None
) -> Answer:
    """Do what the button says about this visit, say by name what came of it, and go back to the page on which the
    button stood: whose visit it is may have changed since."""
    visit = found(visits.visit(visit_id))
    client = found(visit.client)
    name, has_mail = client.name, bool(client.email)
    told, not_yet, silent = said
    therapist_id = whole_number(request.form.get("of")) or visit.therapist_id
    try:
        do()
    except RuleViolation as error:
        flash(_("%(name)s: %(said)s", name=name, said=error.sentence), "care")
    else:
        sentence = not_yet if kit.last_step(visit_id) else told
        done = _(sentence if has_mail else silent, name=to or _("another therapist"))
        flash(_("%(name)s: %(said)s", name=name, said=done), "success")
    return go("booking.desk_sick_visits", therapist_id=therapist_id)


def _do(
    visit_id: int, therapist_id: int, start: dt.datetime | None, revision: int, *, can_go_back: bool = False
) -> None:
    """`can_go_back`: it was one press. A plan was read before it was carried out."""
    by, now = who() or 0, clock.now()
    if start is None:
        sick_day.give_to(visit_id, therapist_id, revision=revision, by=by, now=now, can_go_back=can_go_back)
    else:
        sick_day.offer_time(visit_id, start, therapist_id, revision=revision, by=by, now=now)


@pages.get("/desk/sick-day/<int:therapist_id>/plan", needs=NEED)
def desk_sick_plan(therapist_id: int) -> Answer:
    """A plan for all visits, shown before anything is saved."""
    therapist = found(therapists.therapist(therapist_id))
    cases = {
        one.visit.id: one for one in covering.cases(therapist.id, clock.now()) if one.asked.offer is None
    }
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
    """Carry out what is ticked, one visit after the other; what cannot be done any more stays on the page of work."""
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
