"""The dry run: what another version of the rules would make of the coming visits. Reads only: nothing is kept.

It judges each visit twice, by the rules in force and by the ones proposed, and says what the reconciler and the
judging after it (reconciling.py, judging.py) would do with either. A test holds the two together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from clinic.booking.models import Visit
from clinic.booking.queries import judged_by
from clinic.booking.queries.judged_by import RULES
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._judging import Judged, weigh_by
from clinic.booking.services._known import Known, known_of
from clinic.booking.services._steps import order_of, plan_without
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules import booking_policy
from clinic.rules.answers import read_answers
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.changed_table import adjusted
from clinic.rules.proposals import Changes, Proposal
from clinic.rules.rule_table import TABLE, RuleTable
from clinic.rules.verdicts import Outcome
from clinic.rules.visit_status import VisitStatus
from clinic.shared.crypto import CannotOpen


@dataclass(frozen=True)
class Fate:
    """What stands of a visit once it is judged. `told`: its therapist is told to take care."""

    status: VisitStatus
    waiting_for: str | None
    addons: tuple[str, ...]
    told: bool

    @property
    def goes_on(self) -> bool:
        """Whether it takes place as things are."""
        return self.status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED)

    @property
    def kind(self) -> str:
        """One word for the page: cancelled, hold, told or kept."""
        if self.status is VisitStatus.CANCELLED or self.waiting_for == RULES:
            return "cancelled"
        if not self.goes_on:
            return "hold"
        return "told" if self.told else "kept"


@dataclass(frozen=True)
class Turn:
    """One coming visit whose fate the proposed rules change."""

    visit: Visit
    client_id: int
    before: Fate
    after: Fate


@dataclass(frozen=True)
class Rehearsal:
    """The dry run of one proposal on the version `number`. `unread` visits could not be judged at all."""

    number: int
    changes: Changes
    visits: int
    turns: tuple[Turn, ...]
    unread: int

    @property
    def client_ids(self) -> tuple[int, ...]:
        """Whose visits change, the soonest first."""
        return tuple(dict.fromkeys(one.client_id for one in self.turns))

    def counted(self) -> dict[tuple[str, str, bool], int]:
        """How many visits go from which kind to which (and whether they lose an add-on), worst first."""
        found: dict[tuple[str, str, bool], int] = {}
        for one in self.turns:
            key = (one.before.kind, one.after.kind, len(one.after.addons) < len(one.before.addons))
            found[key] = found.get(key, 0) + 1
        order = ("cancelled", "hold", "told", "kept")
        return dict(sorted(found.items(), key=lambda item: (order.index(item[0][1]), item[0])))


def rehearse(proposal: Proposal, *, now: dt.datetime) -> Rehearsal:
    """Try a proposal on every coming visit. Raises InvalidInput, NotFound as saving it would."""
    number, today = rulebook.newest_number(), premises.today(now)
    changes = rulebook.proposed(proposal, number, today)
    before, after = rulebook.in_force(), adjusted(TABLE, changes, number + 1)
    touched = {
        rule
        for rule, column in {*before.changes, *after.changes}
        if before.change_of(rule, column) != after.change_of(rule, column)
    }
    settings = premises.booking_settings()
    people: dict[int, Known] = {}
    turns, unread = [], 0
    visits = judged_by.coming_visits(now)
    for visit in visits:
        client = visit.client
        if client is None:
            continue
        try:
            known = people.get(client.id)
            if known is None or client.is_unproven:  # of look-alikes it depends on the visit what counts
                known = people[client.id] = known_of(client, visit.id)
            if _is_touched(known, touched):
                fates = [_fate(visit, known, table, settings, now) for table in (before, after)]
                if fates[0] != fates[1]:
                    turns.append(Turn(visit, client.id, fates[0], fates[1]))
        except (CannotOpen, ValueError):
            unread += 1
    return Rehearsal(number, changes, len(visits), tuple(turns), unread)


def _is_touched(known: Known, rules: Collection[str]) -> bool:
    """Whether one of these rules can speak about this person: a combination always may, by age alone."""
    if any(rule not in TABLE.conditions for rule in rules):
        return True
    return any(
        not read_answers(source.answers).keys().isdisjoint(rules)
        for source in (*known.sources, *known.alike.sources)
    )


def _fate(visit: Visit, known: Known, table: RuleTable, settings: BookingSettings, now: dt.datetime) -> Fate:
    plan = plan_of(visit)
    judged = weigh_by(table, known, order_of(visit, plan))
    if judged.unsafe_addons and judged.permits:
        plan = plan_without(visit, plan, judged.unsafe_addons)
        judged = weigh_by(table, known, order_of(visit, plan))
    deadline = booking_policy.unsafe_deadline(visit.starts_at, settings)
    status, waiting_for = _what_follows(visit, judged, is_late=booking_policy.is_past(deadline, now=now))
    told = max(judged.own.outcome, judged.strictest.outcome) >= Outcome.ALLOW_FLAG_THERAPIST
    return Fate(status, waiting_for, tuple(sorted(plan.addons)), told)


def _what_follows(visit: Visit, judged: Judged, *, is_late: bool) -> tuple[VisitStatus, str | None]:
    status = VisitStatus(visit.status)
    was_on = status in (VisitStatus.CONFIRMED, VisitStatus.ARRIVED)
    if judged.permits and visit.to_reconfirm:
        return status, RECONFIRM
    if judged.permits:
        return (status if was_on else VisitStatus.CONFIRMED), None
    if judged.refuses and is_late:
        return VisitStatus.CANCELLED, None
    waiting_for = RULES if judged.refuses else judged.waiting_for
    return (VisitStatus.SUSPENDED if was_on else status), waiting_for
