"""What would bring a free time where the wish has none: the nearest changes, each with its first time. Reads only.

A few tries of the same function that offers and books. Nothing is said of other clients or of why somebody is away,
and nothing is proposed that the gate would refuse to this person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from clinic.booking.queries import free_times
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.free_times import Time, Window
from clinic.booking.services._judging import Order, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.booking.services.checkout import Choice
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules.language import _, gettext
from clinic.rules.rule_table import RuleTable
from clinic.rules.words import in_sentence, length_words
from clinic.therapists import queries as therapists

SHORTER_TRIED = 2
ADDONS_TRIED = 2
PLACES_TRIED = 2


@dataclass(frozen=True)
class Change:
    """One change that helps, in words, and the first time it brings. `choice` books it."""

    text: str
    choice: Choice
    plan: VisitPlan
    time: Time


def nearest_changes(wish: Choice, ask: Ask, *, first_visit: bool, horizon: dt.date) -> list[Change]:
    """For a wish without free times in the days of `ask`: with another therapist, shorter, without an add-on, on a
    later day, at another place. The statements are bounded, whatever the clinic's size."""
    gate = _Gate.of(ask.client_id)
    found = []
    for tries in (
        _another_therapist(wish, ask),
        _shorter(wish, ask, first_visit),
        _without_addon(wish, ask, first_visit),
        _later(wish, ask, horizon),
        _another_place(wish, ask),
    ):
        first = next((one for one in tries if gate.lets(one)), None)
        if first is not None:
            found.append(first)
    return found


@dataclass(frozen=True)
class _Gate:
    """Refuses what would be refused; lets everything pass for somebody who is not known yet."""

    table: RuleTable | None = None
    known: Known | None = None

    @classmethod
    def of(cls, client_id: int | None) -> _Gate:
        client = clients.client(client_id) if client_id is not None else None
        return cls(rulebook.in_force(), known_of(client)) if client is not None else cls()

    def lets(self, change: Change) -> bool:
        if self.known is None or self.table is None:
            return True
        order = Order(change.plan, tuple(sorted(change.choice.areas)), change.time.local.date())
        judged = weigh_by(self.table, self.known, order)
        return not judged.refuses and not judged.unsafe_addons


def _firsts(window: Window) -> Iterator[Time]:
    """The first time of each day: what the gate refuses on one it may let in on the next."""
    for day in window.days:
        yield from window.on(day)[:1]


def _another_therapist(wish: Choice, ask: Ask) -> Iterator[Change]:
    """`With Ana`."""
    if wish.therapist_id is None and not wish.gender:
        return
    found = free_times.window(replace(ask, therapist_id=None, gender=""))
    if not found.times:
        return
    names = {one.id: one.name for one in therapists.eligible(ask.plan.skills, ask.plan.licence_kind)}
    for time in _firsts(found):
        whom = time.therapists[0]
        yield Change(
            _("With %(names)s", names=names[whom]),
            replace(wish, therapist_id=whom, gender=""),
            ask.plan,
            time,
        )


def _shorter(wish: Choice, ask: Ask, first_visit: bool) -> Iterator[Change]:
    """`45 minutes`: the longest of the shorter lengths on offer that has a time."""
    row = catalogue.service_by_key(wish.service)
    lengths = {one.minutes for one in row.lengths if one.mode == wish.mode} if row else set()
    shorter = sorted((one for one in lengths if one < wish.minutes), reverse=True)
    for minutes in shorter[:SHORTER_TRIED]:
        yield from _as(length_words(minutes), replace(wish, minutes=minutes), ask, first_visit)


def _without_addon(wish: Choice, ask: Ask, first_visit: bool) -> Iterator[Change]:
    """`Without hot stones`."""
    pairs = list(zip(ask.plan.addons, ask.plan.addon_names, strict=True))
    for key, name in pairs[:ADDONS_TRIED]:
        rest = tuple(one for one in wish.addons if one != key)
        yield from _as(
            _("Without %(addon)s", addon=in_sentence(gettext(name))),
            replace(wish, addons=rest),
            ask,
            first_visit,
        )


def _as(text: str, choice: Choice, ask: Ask, first_visit: bool) -> Iterator[Change]:
    plan = catalogue.plan_for(
        choice.service, choice.mode, choice.addons, choice.minutes, first_visit=first_visit
    )
    if plan is None:
        return
    for time in _firsts(free_times.window(replace(ask, plan=plan))):
        yield Change(text, choice, plan, time)


def _later(wish: Choice, ask: Ask, horizon: dt.date) -> Iterator[Change]:
    """The next day that has a time."""
    for time in _firsts(free_times.later(ask, horizon)):
        yield Change(_("The next free day"), wish, ask.plan, time)


def _another_place(wish: Choice, ask: Ask) -> Iterator[Change]:
    """`At the harbour`, with the same therapist if one was chosen."""
    others = [one for one in premises.places() if one.id != ask.location_id]
    for place in others[:PLACES_TRIED]:
        for time in _firsts(free_times.window(replace(ask, location_id=place.id))):
            yield Change(
                _("At %(name)s", name=place.name), replace(wish, location_id=place.id), ask.plan, time
            )
