"""Which massage suits me, for this very person: the goal's services under their own verdicts. Reads only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from clinic.booking.services._judging import Judged, Order, weigh
from clinic.catalogue import queries as catalogue
from clinic.catalogue.models import Service
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.rules.goals import Advice, Goal, advice_for
from clinic.rules.verdicts import ADDONS, Verdict


@dataclass(frozen=True)
class Weighed:
    """Advice for one person. `reasons`: service key → why it fell out, in the words of the rules; `stopped`: an
    earlier warning sign stands against every service."""

    advice: Advice
    reasons: dict[str, tuple[str, ...]]
    knows_person: bool
    stopped: bool = False


def suggest(goal: Goal, client_id: int | None, *, day: dt.date, areas: tuple[str, ...] = ()) -> Weighed:
    """The goal's services on offer; with a client who has signed answers, filtered by what is safe on that day, on
    the named places of the body where a service is given on some."""
    offered = {service.key: service for service in catalogue.services_on_offer()}
    not_offered = {key: Verdict.BLOCK for key in goal.fits if key not in offered}
    on_places = [key for key, service in offered.items() if areas and service.asks_area]
    client = clients.client(client_id) if client_id is not None else None
    if client is None or not intake.in_force(client.id):
        advice = advice_for(goal, not_offered, on_places=on_places)
        return Weighed(Advice(advice.suggestions, ()), {}, knows_person=False)
    weighed = {
        key: _weigh(client, service, day, areas) for key, service in offered.items() if goal.fits.get(key)
    }
    verdicts = {key: _verdict(judged) for key, judged in weighed.items()}
    advice = advice_for(goal, {**not_offered, **verdicts}, on_places=on_places)
    fallen = tuple(key for key in advice.fallen_out if key in offered)
    return Weighed(
        Advice(advice.suggestions, fallen),
        {key: _reasons(weighed[key]) for key in fallen},
        knows_person=True,
        stopped=any(judged.stopped for judged in weighed.values()),
    )


def _weigh(client: Client, service: Service, day: dt.date, areas: tuple[str, ...]) -> Judged:
    minutes = next((one.minutes for one in service.lengths if one.mode is None), 0)
    plan = catalogue.plan_for_booked(service.id, None, (), minutes)
    return weigh(client, Order(plan, areas if service.asks_area else ("full_body",), day))


def _verdict(judged: Judged) -> Verdict:
    if judged.refuses or judged.stopped:
        return Verdict.BLOCK
    return Verdict.CLEARANCE if judged.review else max(judged.own.verdict, judged.strictest.verdict)


def _reasons(judged: Judged) -> tuple[str, ...]:
    """Only from the person's own newest answers, each once."""
    against = [
        one for one in judged.own.findings if one.verdict is Verdict.BLOCK and one.column not in ADDONS
    ]
    return tuple(dict.fromkeys(one.reason for one in against))
