"""Steps inside a transaction: judge a visit on everything that counts, and keep the judgement.

This is the one gate. Every door comes through `judge`: online, desk, move, change, new answers, merge.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from clinic.booking.models import Screening, Visit
from clinic.booking.queries import judged_by
from clinic.booking.queries.look_alikes import Alike
from clinic.booking.queries.visits import LOOK, NEEDS_REVIEW
from clinic.booking.services._known import Known, known_of
from clinic.booking.services._records import clearances_used, finding_record
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.erased import note_locked
from clinic.clients.models import Client
from clinic.clients.steps import AFRESH, locked
from clinic.intake import queries as intake
from clinic.intake.queries import InForce
from clinic.rulebook import queries as rulebook
from clinic.rules import answer_history, screening
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.places_to_avoid import Place, places_to_avoid
from clinic.rules.rule_table import RuleTable
from clinic.rules.screening import Screening as Judgement
from clinic.rules.therapists_say import RULE, is_the_only_wait, raised
from clinic.rules.verdicts import Outcome, Verdict
from clinic.rules.visit_status import VisitStatus
from clinic.shared.read_once import read_once
from clinic.shared.writing import write_at_once

WAITING_FOR = {
    Outcome.HOLD_UNTIL_CLEARANCE: "clearance",
    Outcome.NEEDS_GUARDIAN_CONSENT: "consent",
    Outcome.NEEDS_INTAKE: "intake",
}


@dataclass(frozen=True)
class Order:
    """What is judged, but for the client: the plan, the areas, the day."""

    plan: VisitPlan
    areas: tuple[str, ...]
    day: dt.date


@dataclass(frozen=True)
class Judged:
    """What came out. `own` is the judgement of the person's own newest answers, the only one they are shown;
    `strictest` is that of everything that counts. `row` is kept (None for a preview)."""

    own: Judgement
    strictest: Judgement
    review: bool
    stopped: bool
    table: RuleTable  # the rules it was judged by
    unsafe_addons: tuple[str, ...] = ()
    """Columns of add-ons that may not be given, by any of this person's own answers. What only the answers of a
    look-alike speak against is left to the desk: it would show what another record says."""
    row: Screening | None = None
    sources: tuple[InForce, ...] = ()  # the person's own answers that were read, newest first
    others: tuple[InForce, ...] = ()  # those of known people they may be
    limits: Mapping[object, str] = field(default_factory=dict)
    """What clinicians asked to keep to, by the id of the clearance."""
    alone: Judged | None = (
        None  # what came out without those who look alike, of a record that may be one of them
    )

    @property
    def outcome(self) -> Outcome:
        if self.stopped:
            return max(Outcome.REFUSE, self.own.outcome)
        return self.own.outcome

    @property
    def permits(self) -> bool:
        return self.outcome.permits and not self.review

    @property
    def refuses(self) -> bool:
        return self.outcome >= Outcome.REFUSE

    def may_stand(self, visit: Visit) -> bool:
        """Whether the visit may stand where this was judged for: a confirmed one only where it is permitted; one that
        waits may go on waiting."""
        if self.refuses or self.unsafe_addons:
            return False
        return self.permits or visit.status != VisitStatus.CONFIRMED

    @property
    def waiting_for(self) -> str | None:
        """What a visit that is neither permitted nor refused waits for, in a neutral word."""
        if self.permits or self.refuses:
            return None
        if is_the_only_wait(self.own):
            return RULE
        return WAITING_FOR.get(self.outcome, LOOK)

    @property
    def told(self) -> Judged:
        """What came out as far as the person may be told: without those who look alike."""
        return self.alone or self


def judged_key(client_id: int, order: Order) -> str:
    """A hash of all that is judged. A visit that differs in any of it needs another judgement."""
    plan = order.plan
    what = [
        client_id, plan.key, plan.mode, sorted(plan.addons), sorted(order.areas), plan.minutes, order.day.isoformat()
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def weigh(client: Client, order: Order, visit_id: int | None = None, *, is_another: bool = False) -> Judged:
    """Judge without keeping it: for pages that show what would come out. Reads only."""
    return weigh_by(rulebook.in_force(), known_of(client, visit_id, is_another=is_another), order)


def weigh_by(table: RuleTable, known: Known, order: Order) -> Judged:
    """Judge by these rules, on everything that is known of this person."""
    client, sources, alike = known.client, known.sources, known.alike
    newest = sources[0].answers if sources else {}
    mine = [_screen(table, known, order, newest)]
    if len(sources) > 1:
        ours = [source.answers for source in sources]
        mine += [_screen(table, known, order, one) for one in (*ours[1:], answer_history.united(ours))]
    mine = [raised(one, known.restrictions, order.plan.judged_as) for one in mine]
    own, strictest = mine[0], max(mine, key=_strength)
    unsafe = dict.fromkeys(addon for one in mine for addon in one.dropped_addons)
    review = strictest.outcome > own.outcome
    if review and sources[0].earlier_kept:
        own, review = strictest, False  # looked at: the strictest holds, and nobody waits for a second look
    alone = Judged(
        own,
        strictest,
        review,
        bool(known.stops),
        table,
        unsafe_addons=tuple(unsafe),
        limits={one.rule.id: one.limits for one in known.letters},
        sources=sources,
    )
    if not client.is_unproven:
        return alone
    # With nobody alike the own answers stand in: the same work, so that the time it takes tells nothing.
    theirs = [one.answers for one in alike.sources] or [newest]
    both = answer_history.united([*(source.answers for source in sources), *theirs])
    # Letters are this record's own: what a look-alike has on file opens nothing to somebody not signed in.
    said = (*known.restrictions, *alike.restrictions)
    judged = [
        raised(_screen(table, known, order, one), said, order.plan.judged_as) for one in (*theirs, both)
    ]
    review = alone.review
    if _needs_a_look(client, alike, own, judged, newest if sources else None):
        strictest, review = max((strictest, *judged), key=_strength), True
    return replace(alone, strictest=strictest, review=review, others=alike.sources, alone=alone)


def _needs_a_look(
    client: Client, alike: Alike, own: Judgement, judged: Sequence[Judgement], newest: intake.Answers | None
) -> bool:
    """Whether the desk has to look first, since this may be a known person under another name.

    A record that nobody has seen waits when anything differs; one that an account or the desk made, for somebody who
    shares a phone with their family, only where the others would not be let in.
    """
    if alike.stops or alike.is_barred or alike.is_asked or alike.unsigned:
        return True
    worst = max(judged, key=_strength)
    stricter = worst.outcome > own.outcome
    more_off = any(not set(one.dropped_addons) <= set(own.dropped_addons) for one in judged)
    if client.created_by_id is not None:
        return more_off or (stricter and not worst.permits)
    differs = newest is not None and any(answer_history.differ(newest, one.answers) for one in alike.sources)
    return differs or stricter or more_off


def _strength(judgement: Judgement) -> tuple[int, int]:
    return judgement.outcome, judgement.verdict


def _treatment(order: Order) -> screening.Treatment:
    plan = order.plan
    return screening.Treatment(
        judged_as=plan.judged_as,
        mode="interval" if plan.mode == "interval" else None,
        addons=plan.addon_columns,
        areas=order.areas,  # none named: unknown, which is judged by the strict columns
        minutes=plan.minutes,
    )


def places(client: Client, order: Order, judged: Judged, source: InForce) -> tuple[Place, ...]:
    """Where the therapist keeps away from, by one version of the person's answers."""
    age = client.age_on(order.day)
    return places_to_avoid(_treatment(order), source.answers, day=order.day, age=age, table=judged.table)


def _places(client: Client, order: Order, judged: Judged) -> list[dict[str, object]]:
    """Where the therapist keeps away from, by every version of the person's own answers that counts."""
    found = [place for source in judged.sources for place in places(client, order, judged, source)]
    return [
        {"rule": one.rule, "label": one.label, "areas": list(one.areas), "avoid": one.avoid}
        for one in dict.fromkeys(found)
    ]


def _screen(table: RuleTable, known: Known, order: Order, answers: intake.Answers) -> Judgement:
    return screening.screen(
        _treatment(order),
        answers,
        day=order.day,
        age=known.client.age_on(order.day),
        clearances=[one.rule for one in known.letters],
        consent=known.consent,
        intake_completed_on=_completed_on(known, order.day),
        settings=known.gates,
        table=table,
    )


def _completed_on(known: Known, day: dt.date) -> dt.date | None:
    """Intakes are dated on the wall of the clinic's first place: at one further west the visit of this very evening is
    still of the day before. None where something was typed since and not signed: it has to be signed first."""
    if known.unsigned:
        return None
    completed_on = known.sources[0].completed_on if known.sources else None
    return min(completed_on, day) if completed_on is not None else None


_PLAIN = AFRESH.where(
    Client.id == bindparam("client"), Client.merged_into_id.is_(None), Client.is_unproven.is_(False)
)


def wait_for_answers(session: Session, *people: Client, also: Collection[int] = ()) -> None:
    """Nobody signs answers that count for these people between the judging and the commit, and nobody books
    between the signing and the judging: each waits for the other's commit. (SQLite has one writer anyway.)

    Whoever waited reads the rows afresh: a birth date may have changed, or the record been joined with another.
    `also`: more records to wait for, with those that they have become.
    """
    ids = clients.counted_with(*people)
    ids.update(also, (one.id for one in map(clients.client, also) if one is not None))
    read_once(("waited for", frozenset(ids)), lambda: locked(session, ids), Client)


def client_to_judge(session: Session, client_id: int, also: Collection[int] = ()) -> Client:
    """The client, waited for as `wait_for_answers` does: first of all in a transaction, so that everybody waits for
    people before they wait for times. `also`: who may be the same, where nobody has proved who this is. Raises
    NotFound."""
    plain = session.scalars(_PLAIN, {"client": client_id}).one_or_none()
    if plain is not None:
        note_locked(session, plain)
        return read_once(("waited for", frozenset({client_id})), lambda: plain, Client)
    client = client_of(client_id)
    wait_for_answers(session, client, also=also if client.is_unproven else ())
    return client


def client_of(client_id: int) -> Client:
    """The client. Raises NotFound."""
    client = clients.client(client_id)
    if client is None:
        raise NotFound(_("This person is not in the clinic's book."))
    return client


def judge(
    session: Session,
    client: Client,
    order: Order,
    *,
    door: str,
    visit_id: int | None,
    by: int | None,
    now: dt.datetime,
    is_another: bool = False,
) -> Judged:
    """Judge and append the screening record, whatever came out. Its `permits` is about the whole order: with an
    add-on that is not safe no visit can rest on it. `is_another`: the visit was for another treatment until now.
    Raises NotFound for a record that was joined with another."""
    wait_for_answers(session, client)
    if client.merged_into_id is not None:
        raise NotFound(_("This record has just been joined with another. Please look the person up again."))
    if client.is_erased:
        raise NotFound(_("This person is not in the clinic's book."))
    judged = weigh(client, order, visit_id, is_another=is_another)
    row = _record(judged, client, order)
    row.door, row.visit_id, row.by_user_id, row.judged_at = door, visit_id, by, now
    write_at_once(session, row)
    return replace(judged, row=row)


def _record(judged: Judged, client: Client, order: Order) -> Screening:
    """What was judged, by what, and what came out."""
    sources = judged.sources
    row = Screening(
        client_id=client.id,
        judged_key=judged_key(client.id, order),
        day=order.day,
        service=order.plan.key,
        mode=order.plan.mode,
        addons=sorted(order.plan.addons),
        areas=sorted(order.areas),
        minutes=order.plan.minutes,
        urgency=judged.own.urgency.word,
        rules_version=judged.own.rules_version,
        basis=judged_by.basis_of(
            order.plan.judged_as,
            order.plan.addon_columns,
            judged_by.gate_settings(),
            rules=judged.table.version,
        ),
        question_version=sources[0].question_version if sources else None,
        intake_ids=[one.intake_id for one in (*sources, *judged.others) if one.intake_id is not None],
        **_result(judged),
    )
    row.findings = {
        "own": [finding_record(one, judged.limits) for one in judged.own.findings],
        "strictest": [finding_record(one, judged.limits) for one in judged.strictest.findings],
        "stopped": judged.stopped,
        "places": _places(client, order, judged),
        "alone": _result(judged.told),  # what the person may be told of it
    }
    return row


def _result(judged: Judged) -> dict[str, Any]:
    return {
        "permits": judged.permits and not judged.unsafe_addons,
        "verdict": _verdict(judged).word,
        "outcome": NEEDS_REVIEW if judged.waiting_for == LOOK else judged.outcome.word,
        "clearance_ids": clearances_used(judged.own, judged.strictest),
    }


def _verdict(judged: Judged) -> Verdict:
    if judged.stopped:
        return Verdict.BLOCK
    return max(judged.own.verdict, judged.strictest.verdict)


def local_day(now: dt.datetime, zone: str) -> dt.date:
    """Today on the clinic's wall."""
    return now.astimezone(ZoneInfo(zone)).date()
