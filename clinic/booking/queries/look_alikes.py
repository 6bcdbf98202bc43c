"""What is known of people whom an unproven record may be: a hint that makes its judgement stricter, never laxer.

What staff and proven clients said counts whenever it was said, also once a record that waits was joined with theirs.
What was typed for another unproven record counts only up to the moment of the booking: later words of somebody not
signed in touch no visit that stands. What was typed first for the very booking, under another name, counts until it
was decided about the two (`open_questions`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Set
from dataclasses import dataclass

from clinic.booking.queries import open_questions, visits
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.queries import Known, Pair
from clinic.intake import queries as intake
from clinic.intake.models import HealthStop
from clinic.intake.queries import InForce, Standing
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules import screening
from clinic.rules.therapists_say import Restriction
from clinic.rules.verdicts import SERVICES
from clinic.rules.years import age_on
from clinic.therapists import queries as therapists


@dataclass(frozen=True)
class Alike:
    """Answers, stops and restrictions of those who look the same; `is_barred` where one may not book online, `is_asked`
    where it has to be decided first whether one of them is meant (`open_questions`)."""

    sources: tuple[InForce, ...] = ()
    stops: tuple[HealthStop, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    is_barred: bool = False
    is_asked: bool = False
    unsigned: bool = False
    """Whether more was typed than was signed for one of them who was born on the same day: not for a family's phone."""


def alike(client: Client, visit_id: int | None = None, *, is_another: bool = False) -> Alike:
    """What counts of those who look like this client; nothing for a proven one. The same number of statements,
    give or take one, whether there is anybody or not. `is_another`: the visit is to be for another treatment, which is
    like booking it now."""
    if not client.is_unproven:
        return Alike()
    as_booked = [] if is_another else visits.as_booked(visit_id)
    booked_at = visits.booked_at(as_booked)
    look_alikes = clients.look_alikes(client)
    waits_for = (
        open_questions.about(client, look_alikes)
        if booked_at is None
        else open_questions.of_booked(as_booked)
    )
    asked = {one.id: one for one in waits_for}
    rows = list(({one.id: one for one in look_alikes} | asked).values())
    proven = intake.standings([one.id for one in rows if one.is_heard or one.id in asked])
    typed = intake.standings([one.id for one in rows if one.id not in proven], until=booked_at)
    found = [*proven.values(), *typed.values()]
    ids = [one.id for one in rows]
    return Alike(
        sources=tuple(source for one in found for source in one.sources),
        stops=tuple(stop for one in found for stop in one.stops),
        restrictions=tuple(therapists.restrictions_of(clients.all_ids(*ids))),
        is_barred=any(_was_barred(one, booked_at) for one in rows),
        is_asked=bool(asked),
        unsigned=any(
            booked_at is None or draft.updated_at <= booked_at or draft.client_id in proven
            for draft in intake.unsigned_drafts([one.id for one in rows if one.born_on == client.born_on])
        ),
    )


def _was_barred(one: Client, booked_at: dt.datetime | None) -> bool:
    """Whether online booking is closed for them, and was when this was booked."""
    if not one.is_barred_online or booked_at is None:
        return one.is_barred_online
    notes = clients.notes(one.id, "bar")
    return not notes or notes[0].written_at <= booked_at


@dataclass(frozen=True)
class _Grounds:
    """Of some people, by their numbers: for whom something is not safe by what they declared, or a stop holds; who
    typed more than they signed; and whose visits wait for what was said in another record, or would."""

    against: Set[int]
    open: Set[int]

    @classmethod
    def of(
        cls, people: Collection[Client | Known], today: dt.date, would_wait: Set[int] = frozenset()
    ) -> _Grounds:
        ids = [one.id for one in people]
        standing = intake.standings(ids)
        return cls(
            {one.id for one in people if _speaks(standing[one.id], one.born_on, today)},
            {draft.client_id for draft in intake.unsigned_drafts(ids)}
            | open_questions.who_wait(ids)
            | would_wait,
        )

    def hold(self, one: Client | Known, other: Client | Known) -> bool:
        """Whether more than a look of the desk is needed to tell these two apart."""
        both = {one.id, other.id}
        return bool(both & self.against) or (
            open_questions.is_likely_same(one, other) and bool(both & self.open)
        )


def _speaks(standing: Standing, born_on: dt.date, today: dt.date) -> bool:
    age = age_on(born_on, today)
    return bool(standing.stops) or any(
        len(screening.safe_services(one.answers, day=today, age=age, table=rulebook.in_force()))
        < len(SERVICES)
        for one in standing.sources
    )


def is_open_question(client: Client, now: dt.datetime) -> bool:
    """Whether this new record may be somebody for whom something is not safe, or may not be."""
    alike, today = clients.look_alikes(client), premises.today(now)
    grounds = _Grounds.of(alike, today)
    return any(grounds.hold(client, one) for one in alike) or bool(
        open_questions.about(client, alike, is_new=True)
    )


def has_to_be_reviewed(one: Client, other: Client, today: dt.date) -> bool:
    """Whether more than a look of the desk is needed to tell these two apart: what one says counts against the other's
    visits, or may, or a visit of one of them waits for it. Of two who are proven each has their own answers alone."""
    if other in open_questions.with_whom(one):
        return True
    would_wait = {each.id for each in (one, other) if open_questions.would_wait_for(each)}
    return (one.is_unproven or other.is_unproven) and _Grounds.of([one, other], today, would_wait).hold(
        one, other
    )


def pairs_to_review(today: dt.date) -> list[Pair]:
    """Pairs that the desk may not take apart: one of them is unproven, and what one says may count against the other's
    visits; or a visit of one of them waits for what was said for the other."""
    asked = {(one.id, other.id): (one, other) for one, other in open_questions.pairs()}
    found = [
        pair
        for pair in clients.pairs()
        if (pair.first.is_unproven or pair.second.is_unproven)
        and (pair.first.id, pair.second.id) not in asked
    ]
    people = {one.id: one for pair in found for one in (pair.first, pair.second)}
    would_wait = _with_their_copies(open_questions.who_would_wait(people), found)
    grounds = _Grounds.of(list(people.values()), today, would_wait)
    return [
        *(open_questions.shown_pair(one, other) for one, other in asked.values()),
        *(pair for pair in found if grounds.hold(pair.first, pair.second)),
    ]


def _with_their_copies(people: Set[int], found: Collection[Pair]) -> set[int]:
    """These people, and by these pairs each later record that nobody has proved and that is likely theirs too."""
    likely = [
        sorted((pair.first.id, pair.second.id))
        for pair in found
        if pair.first.is_unproven
        and pair.second.is_unproven
        and open_questions.is_likely_same(pair.first, pair.second)
    ]
    ids = set(people)
    while more := {later for earlier, later in likely if earlier in ids} - ids:
        ids |= more
    return ids
