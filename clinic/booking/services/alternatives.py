"""What this person can safely have instead, with its next free times. Reads only: nothing is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.desk_times import FreeTime, free_times
from clinic.booking.services._judging import Judged, Order, places, weigh, weigh_by
from clinic.booking.services._known import known_of
from clinic.booking.services.checkout import Choice
from clinic.booking.services.safe_online import needs_letter
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.rulebook import queries as rulebook
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.verdicts import ADDONS, Urgency, Verdict

TIMES_SHOWN = 3


@dataclass(frozen=True)
class SafeService:
    """A treatment that the gate lets this person have on that day, and when it is free. `choice` books it."""

    name: str
    mode_name: str
    choice: Choice
    price: int
    times: tuple[FreeTime, ...]


def safe_instead(client_id: int, choice: Choice, day: dt.date, *, now: dt.datetime) -> list[SafeService]:
    """Services that are safe for this person on that day, without the one that was refused; the length nearest to
    what was wanted, and the first free times from that day on. Empty when nothing is."""
    client = clients.client(client_id)
    if client is None:
        return []
    found = []
    for option, plan in safe_choices(client, choice, day, now=now):
        ask = Ask(
            plan=plan, location_id=choice.location_id, first_day=day, days=1, now=now, client_id=client.id,
            by_staff=True, by_history=True,
        )  # fmt: skip
        free = free_times(ask, since=now)
        times = (*free.on_day, *free.later)[:TIMES_SHOWN]
        found.append(SafeService(plan.name, plan.mode_name if plan.mode else "", option, plan.price, times))
    return found


def safe_choices(
    client: Client, choice: Choice, day: dt.date, *, now: dt.datetime
) -> Iterator[tuple[Choice, VisitPlan]]:
    """What else on offer the gate lets this person have on that day, in the length nearest to what was wanted."""
    known, table = known_of(client), rulebook.in_force()
    for option, plan in _offers(choice, not visits.has_been_before(client.id, now)):
        if weigh_by(table, known, Order(plan, option.areas, day)).permits:
            yield option, plan


def instead_of(judged: Judged, choice: Choice, *, now: dt.datetime) -> list[dict[str, Any]]:
    """What a program may book in its place, as plain values; nothing for somebody who needs care first."""
    row = judged.row
    client = clients.client(row.client_id) if row is not None and not urgency_of(judged) else None
    if row is None or client is None:
        return []
    return [
        {"service": one.service, "mode": one.mode, "minutes": one.minutes, "areas": list(one.areas)}
        for one, _plan in safe_choices(client, choice, row.day, now=now)
    ]


def preview(client_id: int, choice: Choice, day: dt.date, *, now: dt.datetime) -> Judged:
    """What the gate would say of this wish on that day; nothing is kept. Raises NotFound, InvalidInput."""
    return weigh(*_wish(client_id, choice, day, now))


@dataclass(frozen=True)
class Outlook:
    """What a person is shown before they book: whether the gate would refuse it or wait for a clinician's letter, and
    the body areas that the therapist would leave out, by this person's newest answers."""

    refuses: bool = False
    waits_for_letter: bool = False
    left_out: tuple[str, ...] = ()


def outlook(
    client_id: int, choice: Choice, day: dt.date, *, now: dt.datetime, plan: VisitPlan | None = None
) -> Outlook:
    """The gate's answer before it counts; nothing is kept. `plan`: what is booked where that is not all of the
    choice. Raises NotFound, InvalidInput."""
    client, order = _wish(client_id, choice, day, now, plan)
    judged = weigh(client, order)
    if judged.refuses:
        return Outlook(refuses=True)
    found = [place for source in judged.sources[:1] for place in places(client, order, judged, source)]
    left_out = dict.fromkeys(area for place in found if place.avoid for area in place.areas)
    return Outlook(waits_for_letter=needs_letter(judged), left_out=tuple(left_out))


def _wish(
    client_id: int, choice: Choice, day: dt.date, now: dt.datetime, plan: VisitPlan | None = None
) -> tuple[Client, Order]:
    client = clients.client_in_book(client_id)
    first_visit = not visits.has_been_before(client.id, now)
    plan = plan or catalogue.plan_for(
        choice.service, choice.mode, choice.addons, choice.minutes, first_visit=first_visit
    )
    if plan is None:
        raise InvalidInput("service", _("This is not on offer in this form."))
    return client, Order(plan, tuple(sorted(choice.areas)), day)


def _offers(choice: Choice, first_visit: bool) -> Iterator[tuple[Choice, VisitPlan]]:
    """Every other service and mode on offer, without add-ons, in the length nearest to the one wanted."""
    for row in catalogue.services_on_offer():
        for mode in dict.fromkeys(length.mode for length in row.lengths):
            if (row.key, mode) == (choice.service, choice.mode):
                continue
            lengths = [one.minutes for one in row.lengths if one.mode == mode]
            minutes = min(lengths, key=lambda one: (abs(one - choice.minutes), one))
            areas = choice.areas if row.asks_area else ("full_body",)
            option = replace(choice, service=row.key, mode=mode, minutes=minutes, addons=(), areas=areas)
            option = replace(option, therapist_id=None)
            plan = catalogue.plan_for(row.key, mode, (), minutes, first_visit=first_visit)
            if plan is not None:
                yield option, plan


def look_again_on(judged: Judged) -> dt.date | None:
    """The first day on which what stands against the treatment may be weaker; None when time does not change it."""
    against = [
        one
        for judgement in (judged.own, judged.strictest)
        for one in judgement.findings
        if one.verdict >= Verdict.CLEARANCE and one.column not in ADDONS
    ]
    days = [one.until for one in against]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def urgency_of(judged: Judged) -> str:
    """How soon the person needs care, "" when nothing is urgent. A stop on record counts as prompt at least."""
    if judged.own.is_urgent:
        return judged.own.urgency.word
    return "prompt" if judged.stopped else ""


def in_short(judged: Judged) -> dict[str, Any]:
    """What came out and what to do, never why: plain values for a program."""
    later = look_again_on(judged)
    return {
        "outcome": judged.outcome.word,
        "urgency": urgency_of(judged) or Urgency.NONE.word,
        "unsafe_addons": list(judged.unsafe_addons),
        "look_again_on": later.isoformat() if later else None,
    }
