"""Steps inside a transaction: judge a visit on everything that counts, and keep the judgement.

This is the one gate. Every door comes through `judge`: online, desk, move, change, new answers, merge.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.models import Screening
from clinic.booking.queries import judged_by, look_alikes
from clinic.booking.queries.look_alikes import Alike
from clinic.booking.services._records import clearances_used, finding_record
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.intake.models import Consent
from clinic.intake.queries import InForce, clearances
from clinic.intake.queries.clearances import OnFile
from clinic.rules import answer_history, screening
from clinic.rules.gates import GateSettings
from clinic.rules.places_to_avoid import places_to_avoid
from clinic.rules.screening import Screening as Judgement
from clinic.rules.therapists_say import RULE, is_the_only_wait, raised
from clinic.rules.verdicts import Outcome, Verdict
from clinic.therapists import queries as therapists

NEEDS_REVIEW = "needs_review"
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
    unsafe_addons: tuple[str, ...] = ()
    """Columns of add-ons that may not be given, by any of this person's own answers. What only the answers of a
    look-alike speak against is left to the desk: it would show what another record says."""
    row: Screening | None = None
    sources: tuple[InForce, ...] = ()  # the person's own answers that were read, newest first
    others: tuple[InForce, ...] = ()  # those of known people they may be
    limits: Mapping[object, str] = field(default_factory=dict)
    """What clinicians asked to keep to, by the id of the clearance."""

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

    @property
    def waiting_for(self) -> str | None:
        """What a visit that is neither permitted nor refused waits for, in a neutral word."""
        if self.permits or self.refuses:
            return None
        if is_the_only_wait(self.own):
            return RULE
        return WAITING_FOR.get(self.outcome, "review")


def judged_key(client_id: int, order: Order) -> str:
    """A hash of all that is judged. A visit that differs in any of it needs another judgement."""
    plan = order.plan
    what = [
        client_id, plan.key, plan.mode, sorted(plan.addons), sorted(order.areas), plan.minutes, order.day.isoformat()
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def weigh(client: Client, order: Order, visit_id: int | None = None) -> Judged:
    """Judge without keeping it: for pages that show what would come out. Reads only."""
    standing = intake.standings([client.id])[client.id]
    sources, alike = standing.sources, look_alikes.alike(client, visit_id)
    letters = clearances.counting(client.id, sources)
    screen = partial(
        _screen,
        client,
        order,
        sources=sources,
        letters=letters,
        consent=_consent(intake.guardian_consent(client.id)),
        settings=judged_by.gate_settings(),
    )
    newest = sources[0].answers if sources else {}
    mine = [screen(newest)]
    if len(sources) > 1:
        ours = [source.answers for source in sources]
        mine += [screen(one) for one in (*ours[1:], answer_history.united(ours))]
    said = therapists.restrictions_of([client.id, *clients.alias_ids(client.id)])
    mine = [raised(one, said, order.plan.judged_as) for one in mine]
    own, strictest = mine[0], max(mine, key=_strength)
    unsafe = dict.fromkeys(addon for one in mine for addon in one.dropped_addons)
    review = strictest.outcome > own.outcome
    if client.is_unproven:
        # With nobody alike the own answers stand in: the same work, so that the time it takes tells nothing.
        theirs = [one.answers for one in alike.sources] or [newest]
        both = answer_history.united([*(source.answers for source in sources), *theirs])
        # Letters are this record's own: what a look-alike has on file opens nothing to somebody not signed in.
        judged = [
            raised(screen(one), (*said, *alike.restrictions), order.plan.judged_as) for one in (*theirs, both)
        ]
        if _needs_a_look(client, alike, own, judged, newest if sources else None):
            strictest, review = max((strictest, *judged), key=_strength), True
    return Judged(
        own,
        strictest,
        review,
        bool(standing.stops),
        unsafe_addons=tuple(unsafe),
        limits={one.rule.id: one.limits for one in letters},
        sources=sources,
        others=alike.sources,
    )


def _needs_a_look(
    client: Client, alike: Alike, own: Judgement, judged: Sequence[Judgement], newest: intake.Answers | None
) -> bool:
    """Whether the desk has to look first, since this may be a known person under another name.

    A record that nobody has seen waits when anything differs; one that an account or the desk made, for somebody who
    shares a phone with their family, only where the others would not be let in.
    """
    if alike.stops or alike.is_barred:
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


def _places(client: Client, order: Order, sources: Sequence[InForce]) -> list[dict[str, object]]:
    """Where the therapist keeps away from, by every version of the person's own answers that counts."""
    found = [
        place
        for source in sources
        for place in places_to_avoid(
            _treatment(order), source.answers, day=order.day, age=client.age_on(order.day)
        )
    ]
    return [
        {"rule": one.rule, "label": one.label, "areas": list(one.areas), "avoid": one.avoid}
        for one in dict.fromkeys(found)
    ]


def _screen(
    client: Client,
    order: Order,
    answers: intake.Answers,
    *,
    sources: Sequence[InForce],
    letters: Sequence[OnFile],
    consent: screening.GuardianConsent | None,
    settings: GateSettings,
) -> Judgement:
    return screening.screen(
        _treatment(order),
        answers,
        day=order.day,
        age=client.age_on(order.day),
        clearances=[one.rule for one in letters],
        consent=consent,
        intake_completed_on=sources[0].completed_on if sources else None,
        settings=settings,
    )


def _consent(row: Consent | None) -> screening.GuardianConsent | None:
    if row is None:
        return None
    return screening.GuardianConsent(
        signed_on=row.given_on,
        will_be_in_room=row.detail["will_be_in_room"],
        services=frozenset(row.detail["services"]),
        withdrawn_on=row.withdrawn_at.date() if row.withdrawn_at else None,
    )


def wait_for_answers(session: Session, client: Client) -> None:
    """Nobody signs answers that count for this client between the judging and the commit, and nobody books
    between the signing and the judging: each waits for the other's commit. (SQLite has one writer anyway.)"""
    ids = [client.id]
    if client.is_unproven:
        ids += [one.id for one in clients.look_alikes(client)]
    table = Client.__table__
    session.execute(select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id).with_for_update())


def judge(
    session: Session,
    client: Client,
    order: Order,
    *,
    door: str,
    visit_id: int | None,
    by: int | None,
    now: dt.datetime,
) -> Judged:
    """Judge and append the screening record, whatever came out."""
    wait_for_answers(session, client)
    judged = weigh(client, order, visit_id)
    sources = judged.sources
    row = Screening(
        client_id=client.id,
        judged_key=judged_key(client.id, order),
        day=order.day,
        permits=judged.permits,
        service=order.plan.key,
        mode=order.plan.mode,
        addons=sorted(order.plan.addons),
        areas=sorted(order.areas),
        minutes=order.plan.minutes,
        verdict=_verdict(judged).word,
        outcome=NEEDS_REVIEW if judged.waiting_for == "review" else judged.outcome.word,
        urgency=judged.own.urgency.word,
        rules_version=judged.own.rules_version,
        basis=judged_by.basis_of(order.plan.judged_as, order.plan.addon_columns, judged_by.gate_settings()),
        question_version=sources[0].question_version if sources else None,
        intake_ids=[one.intake_id for one in (*sources, *judged.others) if one.intake_id is not None],
        clearance_ids=clearances_used(judged.own, judged.strictest),
        door=door,
        visit_id=visit_id,
        judged_at=now,
        by_user_id=by,
    )
    row.findings = {
        "own": [finding_record(one, judged.limits) for one in judged.own.findings],
        "strictest": [finding_record(one, judged.limits) for one in judged.strictest.findings],
        "stopped": judged.stopped,
        "places": _places(client, order, sources),
    }
    session.add(row)
    session.flush()
    return replace(judged, row=row)


def _verdict(judged: Judged) -> Verdict:
    if judged.stopped:
        return Verdict.BLOCK
    return max(judged.own.verdict, judged.strictest.verdict)


def local_day(now: dt.datetime, zone: str) -> dt.date:
    """Today on the clinic's wall."""
    return now.astimezone(ZoneInfo(zone)).date()
