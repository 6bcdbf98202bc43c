"""The same visit once more, offered with its next free times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinic.booking.queries import free_times, visits
from clinic.booking.queries.availability import Ask
from clinic.booking.views import client_kit as kit
from clinic.catalogue import queries as catalogue
from clinic.rules import words
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock

LIKELY = frozenset({VisitStatus.DONE, VisitStatus.CONFIRMED})


def next_times_again(rows: Sequence[Any]) -> dict[str, Any] | None:
    """The visit of these, newest first, that would most likely be booked again: the last that took place, with its
    next fitting times; of somebody who has not been here yet, one that is booked."""
    on_offer = [one for one in rows if one.service.is_active and visits.seen_as(one) in LIKELY]
    last = min(on_offer, key=lambda one: visits.seen_as(one) is not VisitStatus.DONE, default=None)
    if last is None:
        return None
    wish = kit.same_again(last)
    plan = catalogue.plan_for(wish.service, wish.mode, wish.addons, wish.minutes or 0, first_visit=False)
    if plan is None or wish.location_id is None:
        return None
    ask = Ask(
        plan=plan, location_id=wish.location_id, first_day=kit.local_today(wish.location_id),
        days=free_times.DAYS_SHOWN, now=clock.now(), therapist_id=wish.therapist_id,
        client_id=last.client_id, rested_areas=wish.areas, gender=wish.gender,
        people=kit.own_people(),
    )  # fmt: skip
    whom = kit.with_whom(wish, [last.therapist])[1]
    soon = kit.slots(free_times.window(ask).soonest, words.length_words(plan.total_minutes), whom)
    return {"visit": last, "wish": wish, "plan": plan, "whom": whom, "soon": soon}
