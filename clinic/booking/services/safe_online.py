"""What a client whose wish was not booked can have instead, with the next times they can book. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clinic.booking.models import Visit
from clinic.booking.queries import free_times
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.free_times import Time
from clinic.booking.services._judging import Judged, Order, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.booking.services.checkout import Choice
from clinic.catalogue import queries as catalogue
from clinic.catalogue.models import Service
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.rulebook import queries as rulebook
from clinic.rules.advice import turning_days
from clinic.rules.verdicts import Urgency, Verdict

TIMES_SHOWN = 3


@dataclass(frozen=True)
class Safe:
    """One treatment that the gate lets this person have, and its next free times. `choice` books it."""

    service: Service
    plan: VisitPlan
    choice: Choice
    times: tuple[Time, ...]


def safe_instead(
    visit: Visit, client: Client, choice: Choice, *, first_day: dt.date, now: dt.datetime
) -> list[Safe]:
    """The other treatments on offer that are safe on the day that was wanted, nearest to the wish: the same length
    and therapist where there is one. Empty when nothing is, or when this person has to talk to the clinic first."""
    found = []
    for service, option, plan, judged in _others(visit, client, choice):
        if not _fits(judged, client):
            continue
        there, times = _next_times(plan, option, visit, client, first_day, now)
        if times:
            found.append(Safe(service, plan, there, times))
    return found


def with_letter(visit: Visit, client: Client, choice: Choice) -> list[tuple[Service, Choice]]:
    """The other treatments that need no more than a clinician's letter on the day that was wanted, and how they are
    booked: the time is kept until the letter is there."""
    return [
        (service, option)
        for service, option, _plan, judged in _others(visit, client, choice)
        if needs_letter(judged)
    ]


def needs_letter(judged: Judged) -> bool:
    """Whether the visit would wait for a letter and for nothing else, as far as the person may be told: where earlier
    answers ask for more than that, no letter helps."""
    told = judged.told
    is_for_letter = told.waiting_for == "clearance" and not (told.review or told.stopped)
    return is_for_letter and told.own.urgency is Urgency.NONE


def _others(
    visit: Visit, client: Client, choice: Choice
) -> Iterator[tuple[Service, Choice, VisitPlan, Judged]]:
    known, table = known_of(client), rulebook.in_force()
    for service in catalogue.services_on_offer():
        option, plan = _as_wanted(service, choice, first_visit=visit.first_visit)
        if plan is not None and service.key != choice.service:
            yield service, option, plan, weigh_by(table, known, Order(plan, option.areas, visit.day))


def _fits(judged: Judged, client: Client) -> bool:
    """Whether it may be offered. To somebody not signed in by their own answers alone: that the desk has to look
    first, because they may be a known person, is found out when they book, and never shown."""
    return judged.own.outcome.permits and not judged.stopped if client.is_unproven else judged.permits


def _as_wanted(service: Service, choice: Choice, *, first_visit: bool) -> tuple[Choice, VisitPlan | None]:
    """This service in the length nearest to the wish, with those of its add-ons that were wanted left out: what
    made the wish unsafe may lie in them."""
    lengths = [one.minutes for one in service.lengths if one.mode is None]
    minutes = min(lengths, key=lambda one: (abs(one - choice.minutes), one), default=0)
    areas = choice.areas if service.asks_area else ("full_body",)
    option = replace(choice, service=service.key, mode=None, minutes=minutes, addons=(), areas=areas)
    return option, catalogue.plan_for(service.key, None, (), minutes, first_visit=first_visit)


def _next_times(
    plan: VisitPlan, option: Choice, visit: Visit, client: Client, first_day: dt.date, now: dt.datetime
) -> tuple[Choice, tuple[Time, ...]]:
    """The times nearest to the one that was wanted, before and after it, however far away that is; where whoever was
    asked for has none, with anybody."""
    first_day = max(first_day, visit.day - dt.timedelta(days=free_times.DAYS_SHOWN // 2))
    ask = Ask(
        plan=plan, location_id=visit.location_id, first_day=first_day, days=free_times.DAYS_SHOWN, now=now,
        therapist_id=option.therapist_id, client_id=client.id, rested_areas=option.areas, gender=option.gender,
    )  # fmt: skip
    times: Sequence[Time] = free_times.window(ask).times
    if not times and (option.therapist_id is not None or option.gender):
        option = replace(option, therapist_id=None, gender="")
        times = free_times.window(replace(ask, therapist_id=None, gender="")).times
    wanted = sorted(times, key=lambda one: abs(one.starts_at - visit.starts_at))[:TIMES_SHOWN]
    return option, tuple(sorted(wanted, key=lambda one: one.starts_at))


def possible_from(visit: Visit, client: Client, plan: VisitPlan) -> dt.date | None:
    """The first later day on which the wish itself may be booked without a letter, by everything that counts; None
    within a year. Verdicts become weaker only on days on which something turns, so only those are judged."""
    known = known_of(client)
    if not known.sources or intake.stops_in_force(client.id):
        return None
    table, areas = rulebook.in_force(), tuple(visit.areas) or ("full_body",)
    for day in _turning_days(known, visit.day):
        if _is_clear(weigh_by(table, known, Order(plan, areas, day)), client):
            return day
    return None


def _turning_days(known: Known, after: dt.date) -> list[dt.date]:
    last = after + dt.timedelta(days=365)
    days = {one.until + dt.timedelta(days=1) for one in known.restrictions if one.until is not None}
    for source in known.sources:
        days |= turning_days(
            source.answers, born_on=known.client.born_on, clearances=[one.rule for one in known.letters]
        )
    return sorted(day for day in days if after < day <= last)


def _is_clear(judged: Judged, client: Client) -> bool:
    """Whether nothing asks for a letter or forbids it. To somebody not signed in by their own answers alone."""
    judgements = [judged.own] if client.is_unproven else [judged.own, judged.strictest]
    return not judged.unsafe_addons and all(
        one.urgency is Urgency.NONE and one.verdict <= Verdict.CAUTION for one in judgements
    )
