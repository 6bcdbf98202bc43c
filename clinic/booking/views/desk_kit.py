"""What the desk's booking pages share: choices for the form, and times as buttons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, request

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.desk import AREA_GROUPS, RestForm, WhatForm, what_value
from clinic.booking.queries import taking_back, visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.desk_times import FreeTime, FreeTimes
from clinic.booking.queries.taking_back import LastStep
from clinic.booking.queries.why_no_times import Explained, why_no_times
from clinic.booking.services import alternatives
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import RestSaid, Warned, seen_together
from clinic.booking.services.visits import CHANGEABLE, Outcome
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules import words
from clinic.rules.body_areas import AREAS, FULL_BODY
from clinic.rules.errors import InvalidInput
from clinic.rules.kinds import GENDERS, genders_to_choose
from clinic.rules.language import N_, _, ngettext
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

MOST_FOUND = 20
PARTS = ((N_("Morning"), "sunrise", 12), (N_("Afternoon"), "sun", 17), (N_("Evening"), "moon", 24))


def say_in_the_book(done: str, booked: Iterable[Any]) -> None:
    """What several visits that were booked at once are told by: `done`, unless one of them waits."""
    if all(one.status == VisitStatus.CONFIRMED for one in booked):
        flash(done, "success")
    else:
        flash(_("The times are kept. Not every visit is confirmed yet: see what is still needed."), "care")


def clinic() -> ClinicFacts:
    """The clinic; 404 before it is set up."""
    facts: ClinicFacts = found(premises.clinic_facts())
    return facts


def with_choices(form: WhatForm, booked: Any = None) -> None:
    """What is on offer, the add-ons and the therapists. What the `booked` visit has stays a choice, whatever the owner
    has switched off since."""
    facts = clinic()
    offered = []
    for service in catalogue.services_on_offer():
        for length in service.lengths:
            price = words.money_words(length.price, facts.currency)
            label = f"{_in_words(service, length.mode, length.minutes)}, {price}"
            offered.append((what_value(service.key, length.mode, length.minutes), label))
    if booked is not None and what_of(booked) not in dict(offered):
        offered.append((what_of(booked), _gone(_in_words(booked.service, booked.mode, booked.minutes))))
    choose(form.what, [("", _("Choose a service")), *offered])
    addons = [one for one in catalogue.all_addons() if one.is_active or (booked and one.key in booked.addons)]
    choose(form.addons, [(one.key, _(one.name) if one.is_active else _gone(_(one.name))) for one in addons])
    team = therapists.active_therapists()
    genders = {one.gender for one in team}
    of_gender = {key: _(said) for key, said in genders_to_choose(one.gender for one in team).items()}
    if booked is not None and booked.asked_gender and booked.asked_gender not in of_gender:
        asked = _(GENDERS[booked.asked_gender])
        of_gender[booked.asked_gender] = asked if booked.asked_gender in genders else _gone(asked)
    people = [(str(one.id), one.name) for one in team]
    choose(form.therapist, [("", _("Any therapist, soonest")), *of_gender.items(), *people])
    choose(form.areas, list(AREAS.items()))


def _in_words(service: Any, mode: str | None, minutes: int) -> str:
    name = _(service.name)
    if mode:
        modes = {one.key: _(one.name) for one in service.modes}
        name = f"{name}: {modes.get(mode, mode)}"
    return f"{name}, {words.length_words(minutes)}"


def _gone(name: str) -> str:
    """A choice that only a visit keeps which has it already."""
    return _("%(name)s (no longer on offer)", name=name)


def zone_of(form: Any) -> str:
    """The zone of the place that is chosen in this form."""
    return premises.where(clinic(), form.place_id)[1]


def area_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Body areas in groups, as the picker shows them."""
    return [(title, [(area, AREAS[area]) for area in areas]) for title, areas in AREA_GROUPS]


def choice_of(form: WhatForm) -> Choice | None:
    """What was chosen, checked against the catalogue; None (with the message at its field) when it is not whole.

    A service that is given at one place of the body needs the place: unknown is never "nowhere".
    """
    parts = form.parts
    if parts is None:
        return None
    service, mode, minutes = parts
    addons = tuple(dict.fromkeys(form.addons.data or ()))
    plan = catalogue.plan_for(service, mode, addons, minutes, first_visit=False)
    if plan is None:
        if addons and catalogue.plan_for(service, mode, (), minutes, first_visit=False):
            form.addons.errors = [
                _("This is not on offer with that service. Take it off, or choose another service.")
            ]
        else:
            form.what.errors = [_("This is not on offer. Choose another one.")]
        return None
    areas = tuple(one for one in dict.fromkeys(form.areas.data or ()) if one in AREAS)
    if plan.asks_area and not areas:
        form.areas.errors = [_("Choose where on the body: the answers are judged for that place.")]
        return None
    if not plan.asks_area and areas and FULL_BODY not in areas:
        form.areas.errors = [
            _("This treatment is for the whole body. Choose “Whole body”, or another treatment.")
        ]
        return None
    return Choice(
        service, minutes, mode, addons, areas if plan.asks_area else (FULL_BODY,), form.therapist_id,
        gender=form.gender,
    )  # fmt: skip


def put_error(form: Any, error: InvalidInput) -> None:
    """Show what a service found wrong at its field, or above the form."""
    if error.field in form:
        form[error.field].errors = [*form[error.field].errors, error.sentence]
    else:
        form.form_errors.append(error.sentence)


def people_found(text: str | None) -> tuple[list[Any], bool]:
    """Clients who are called that, as many as a page shows, and whether there are more."""
    rows = clients.search(text, MOST_FOUND + 1) if text else []
    return list(rows[:MOST_FOUND]), len(rows) > MOST_FOUND


def slots(times: Sequence[FreeTime], names: dict[int, str], minutes: int, zone: str) -> list[dict[str, Any]]:
    """Times as buttons, labelled in full, on the wall of a place in `zone`."""
    facts = clinic()
    return [_slot(one, names, minutes, facts, ZoneInfo(zone)) for one in times]


def _slot(
    time: FreeTime, names: dict[int, str], minutes: int, facts: ClinicFacts, zone: ZoneInfo
) -> dict[str, Any]:
    local = time.starts_at.astimezone(zone)
    text = words.unbroken(words.local_time_words(local, uses_24_hours=facts.uses_24_hours))
    who = words.join_words([names[one] for one in time.therapists if one in names], N_("or"))
    note = (
        names.get(time.therapists[0], "")
        if len(time.therapists) == 1
        else ngettext("%(num)d therapist", "%(num)d therapists", len(time.therapists))
    )
    return {
        "value": time.starts_at.isoformat(),
        "text": text,
        "day": words.short_day(local.date()),
        "hour": local.hour,
        "note": note,
        "label": _(
            "%(time)s on %(day)s with %(who)s, %(length)s",
            time=text,
            day=words.day_words(local.date()),
            who=who,
            length=words.length_words(minutes),
        ),
    }


def why(ask: Ask, times: FreeTimes, at: dt.time | None, *, is_asked: bool) -> Explained | None:
    """What stands in the way: of the time asked for, of a day without free times, and wherever staff ask."""
    if at is not None and not times.asked and times.asked_exists:
        return why_no_times(ask, at)
    return why_no_times(ask) if is_asked or not times.on_day else None


def parts_of_day(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Slots by part of the day; empty parts are left out."""
    parts, start = [], 0
    for label, icon, end in PARTS:
        inside = [one for one in found if start <= one["hour"] < end]
        if inside:
            parts.append({"label": label, "icon": icon, "slots": inside})
        start = end
    return parts


def therapist_names() -> dict[int, str]:
    """Everybody who can be booked, by id."""
    return {one.id: one.name for one in therapists.active_therapists()}


def rest_said(form: RestForm) -> RestSaid:
    """What was written under a warning about too little rest, if one was shown."""
    return RestSaid(reason=form.rest_reason.data or "", seen=form.rest_seen.data or "")


def rest_warning(form: RestForm, *warned: Warned | None, names: Sequence[str] = ("",)) -> dict[str, Any]:
    """The warning as the page shows it, for one visit or, each with the client's name, for several. Where it was shown
    before, its reason was too short: said at the field."""
    seen = seen_together(warned)
    if form.rest_seen.data == seen:
        form.rest_reason.errors = [_("Write in a few words why.")]
    lines = [
        {
            "who": name,
            "sentence": rule.sentence,
            "visit": visits.visit(rule.visit_id) if rule.visit_id is not None else None,
        }
        for one, name in zip(warned, names, strict=True)
        if one is not None
        for rule in one.short
    ]
    fine_from = max(one.fine_from for one in warned if one is not None)
    return {"lines": lines, "fine_from": fine_from, "seen": seen}


def addons_in(columns: Sequence[str], form: WhatForm) -> list[tuple[str, str]]:
    """Key and name of the chosen add-ons that these columns judge."""
    chosen = form.addons.data or ()
    return [
        (one.key, one.name)
        for one in catalogue.all_addons()
        if one.key in chosen and one.judged_as in columns
    ]


def what_of(visit: Any) -> str:
    """What the visit is, as the select has it."""
    return what_value(visit.service.key, visit.mode, visit.minutes)


def choice_of_visit(visit: Any) -> Choice:
    """What the visit is, as a wish: what else is safe is looked for near it."""
    return Choice(
        visit.service.key, visit.minutes, visit.mode, tuple(visit.addons), tuple(visit.areas),
        location_id=visit.location_id, gender=visit.asked_gender,
    )  # fmt: skip


def value_of(choice: Choice) -> str:
    """The choice as the select has it."""
    return what_value(choice.service, choice.mode, choice.minutes)


def back_to(visit_id: int) -> Answer:
    """To where the button stood: the list of work, that of a therapist who is off, the day in one of its views, the
    series, both of two, or the visit's card."""
    back = request.form.get("back", "")
    if back == "todo":
        return go("diary.to_do")
    if back.startswith("sick-"):
        return go("booking.desk_sick_visits", therapist_id=whole_number(back.removeprefix("sick-")) or 0)
    visit = found(visits.visit(visit_id))
    if back == "series" and visit.series_id is not None:
        return go("booking.desk_series", series_id=visit.series_id)
    if back == "couple" and visit.couple_id is not None:
        return go("booking.desk_couple", couple_id=visit.couple_id)
    if back not in ("day", "list", "rooms"):
        return go("booking.desk_visit", visit_id=visit_id)
    view = None if back == "day" else back
    return go("diary.desk_day", day=visit.day, place=visit.location_id, view=view)


def not_by_itself(visit_id: int) -> Answer:
    """To where it can be moved with the other visit of two; else to its card, which says where it stands."""
    visit = found(visits.visit(visit_id))
    if visit.status in CHANGEABLE and visit.couple_id is not None:
        flash(_("Booked for two: both are moved together."), "info")
        return go("booking.desk_couple", couple_id=visit.couple_id, day=visit.day)
    flash(_("This visit cannot be moved or changed any more."), "care")
    return go("booking.desk_visit", visit_id=visit_id)


def last_step(*visit_ids: int) -> LastStep | None:
    """What this person did last, where it was done to one of these visits and can still be taken back."""
    step = taking_back.last_step_of(who() or 0, clock.now())
    return step if step is not None and not set(step.visit_ids).isdisjoint(visit_ids) else None


def urgency_of(outcome: Outcome) -> str:
    """How soon the person needs care, "" when nothing is urgent."""
    return alternatives.urgency_of(outcome.judged) if outcome.judged is not None else ""
