"""Reading answers: which versions count now, what stops a person, what is being typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, exists, func, or_, select

from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake.models import (
    OWN_CONSENTS,
    Consent,
    HealthStop,
    Intake,
    IntakeDraft,
    SoftenedReview,
    TabletPass,
)
from clinic.intake.queries.standing import Answers, InForce, Standing, standings
from clinic.premises import queries as premises
from clinic.rules import answer_history, answers_in_words
from clinic.rules.kinds import skills_for
from clinic.rules.language import N_, _
from clinic.rules.verdicts import Urgency
from clinic.shared.database import db
from clinic.shared.read_once import may_have, read_once

__all__ = ["Answers", "InForce", "Standing", "standings"]  # besides what is here

AT_IT = dt.timedelta(minutes=10)
"""Whoever typed nothing for so long has gone: a page of questions is read in less."""


def newest(client_id: int) -> Intake | None:
    """The newest signed version of this very record (not of what was merged into it)."""
    found = select(Intake).where(Intake.client_id == client_id).order_by(Intake.version.desc()).limit(1)
    return read_once(("newest", client_id), lambda: db.session.scalars(found).one_or_none(), Intake)


def who_signed(client_ids: Collection[int]) -> set[int]:
    """Those of these very records that have signed answers."""
    return set(
        db.session.scalars(select(Intake.client_id).where(Intake.client_id.in_(client_ids)).distinct())
    )


def who_answered(client_ids: Collection[int]) -> set[int]:
    """Those of these very records for which a question was answered, signed or not."""
    signed = select(Intake.client_id).where(Intake.client_id.in_(client_ids))
    typed = select(IntakeDraft.client_id).where(IntakeDraft.client_id.in_(client_ids))
    return set(db.session.scalars(signed.union(typed)))


def versions(client_id: int) -> Sequence[Intake]:
    """Every signed version, newest first."""
    return db.session.scalars(
        select(Intake).where(Intake.client_id == client_id).order_by(Intake.version.desc())
    ).all()


def in_force(client_id: int) -> list[InForce]:
    """The versions that count for this client, its own newest first; all of them judge, the strictest holds."""
    return list(standings([client_id])[client_id].sources)


def needs_new_form(client_id: int) -> bool:
    """Whether only a whole new intake will do: none is signed yet, or something big happened since."""
    sources = in_force(client_id)
    return not sources or sources[0].completed_on is None


def stops_in_force(client_id: int) -> list[HealthStop]:
    """Warning signs that still stop this person, oldest first."""
    return list(standings([client_id])[client_id].stops)


@dataclass(frozen=True)
class Warned:
    """What a person was told because of warning signs, never the signs themselves: when last, how urgent at most."""

    at: dt.datetime
    urgency: str


def warned(client_id: int, since: dt.datetime | None = None, source: str = "") -> Warned | None:
    """What this person was told because of what still stops them, by any way or only on such a one; or None."""
    stops = stops_in_force(client_id)
    return told_by(
        one for one in stops if (since is None or one.raised_at >= since) and source in ("", one.source)
    )


def told_by(stops: Iterable[HealthStop]) -> Warned | None:
    """What was said because of these: a milder sign that is named later takes nothing back."""
    found = list(stops)
    if not found:
        return None
    urgency = max(Urgency[one.urgency.upper()] for one in found)
    return Warned(max(one.raised_at for one in found), urgency.word)


def open_stops() -> Sequence[HealthStop]:
    """Warning signs that wait for somebody with clinical review, oldest first."""
    return db.session.scalars(
        select(HealthStop)
        .where(HealthStop.ended_at.is_(None), HealthStop.needs == "review")
        .order_by(HealthStop.raised_at, HealthStop.id)
    ).all()


def softened_to_review() -> Sequence[Intake]:
    """Newest versions that weaken an earlier answer and that nobody has reviewed, oldest first."""
    later = select(Intake.client_id, Intake.version).subquery("later")
    return db.session.scalars(
        select(Intake)
        .outerjoin(SoftenedReview, SoftenedReview.intake_id == Intake.id)
        .outerjoin(later, (later.c.client_id == Intake.client_id) & (later.c.version > Intake.version))
        .where(Intake.softens, SoftenedReview.id.is_(None), later.c.client_id.is_(None))
        .order_by(Intake.signed_at, Intake.id)
    ).all()


def draft(client_id: int, writer: str, *, to_change: bool = False) -> IntakeDraft | None:
    """What this writer has typed so far for this client. `to_change`: kept from others until the commit; whoever writes
    it writes all of it."""
    found = select(IntakeDraft).where(IntakeDraft.client_id == client_id, IntakeDraft.writer == writer)
    if to_change:
        found = found.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(found).one_or_none()


def drafts(client_id: int) -> Sequence[IntakeDraft]:
    """What everybody has typed so far on this very record."""
    return db.session.scalars(
        select(IntakeDraft).where(IntakeDraft.client_id == client_id).order_by(IntakeDraft.id)
    ).all()


def is_answering(client_id: int, now: dt.datetime) -> bool:
    """Whether somebody is at this client's questions: something was typed, or a device of theirs used, just now; also
    by the number of a record that was merged meanwhile."""
    since, numbers = now - AT_IT, clients.all_ids(client_id)
    typed = exists().where(IntakeDraft.client_id.in_(numbers), IntakeDraft.updated_at > since)
    holds = exists().where(
        TabletPass.client_id.in_(numbers),
        TabletPass.ended_at.is_(None),
        func.coalesce(TabletPass.seen_at, TabletPass.made_at) > since,
    )
    return bool(db.session.scalar(select(or_(typed, holds))))


def has_unsigned(client_id: int) -> bool:
    """Whether somebody typed more than was signed, since it was signed: a "yes", another detail, or half of an answer.

    Nobody has vouched for it, and nobody may act as if it had not been said: it is signed first, or taken back.
    """
    kinds = IntakeDraft, Intake
    return read_once(("unsigned", client_id), lambda: bool(unsigned_drafts([client_id])), *kinds)


def unsigned_drafts(client_ids: Collection[int]) -> list[IntakeDraft]:
    """What was typed for these people, and for records that were merged into them, and says more than they signed
    since: the drafts, whoever writes them."""
    own = {one: one for one in client_ids}
    own |= {alias.id: one for one, below in clients.aliases(client_ids).items() for alias in below}
    ids = may_have(IntakeDraft, own)
    drafts = (
        db.session.scalars(select(IntakeDraft).where(IntakeDraft.client_id.in_(ids))).all() if ids else []
    )
    return [one for one in drafts if says_more(one, own[one.client_id])]


def says_more(draft: IntakeDraft, client_id: int) -> bool:
    """Whether a draft declares more than this person signed, and nothing was signed after it that asked every question:
    a check-in, or "still right", signs other questions than those that were left open, and a paper says what was so on
    its day."""
    whole = select(Intake.source, Intake.answered_on).where(
        Intake.client_id == client_id, Intake.kind == "full", Intake.signed_at > draft.updated_at
    )
    typed_on = premises.today(draft.updated_at)
    if any(source != "paper" or day > typed_on for source, day in db.session.execute(whole)):
        return False
    last = newest(client_id)
    return bool(draft.half_answered or answer_history.more_than(last.answers if last else {}, draft.answered))


def skills_needed(client_id: int) -> frozenset[str]:
    """The skills that what this person declared asks of a therapist, by every version of the answers that counts."""
    return skills_needed_of([client_id])[client_id]


def skills_needed_of(client_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The same for several people at once."""
    return {
        client_id: frozenset(skill for source in standing.sources for skill in skills_for(source.answers))
        for client_id, standing in standings(client_ids).items()
    }


def is_checked_in(client_id: int, *, since: dt.datetime, since_day: dt.date, now: dt.datetime) -> bool:
    """Whether the questions about the day were answered between these moments: by a check-in, or with all others.
    `since_day` is the local day of `since`: a paper that was typed in now may have been signed before it."""
    asked = _answered_since(client_id, since, since_day).where(
        Intake.kind.in_(("full", "checkin")), Intake.signed_at <= now
    )
    return db.session.scalar(asked.limit(1)) is not None


def is_reconfirmed(client_id: int, *, since: dt.datetime, since_day: dt.date) -> bool:
    """Whether this person said since then how it is: with all the questions, that it is still right, or what has
    changed."""
    return db.session.scalar(_answered_since(client_id, since, since_day).limit(1)) is not None


def _answered_since(client_id: int, since: dt.datetime, since_day: dt.date) -> Select[tuple[int]]:
    ids = clients.all_ids(client_id)
    return select(Intake.id).where(
        Intake.client_id.in_(ids), Intake.signed_at >= since, Intake.answered_on >= since_day
    )


def guardian_consents(client_id: int) -> Sequence[Consent]:
    """Guardians' consents that nobody took back, newest first: each counts for what it names, as long as it lasts.
    One that was taken back does not count, whatever the hour or the day of the visit."""
    if not may_have(Consent, [client_id]):
        return []
    return standing_consents(client_id, "guardian")


def guardian_consent(client_id: int) -> Consent | None:
    """The newest guardian's consent, also a withdrawn one."""
    return db.session.scalars(
        select(Consent)
        .where(Consent.client_id == client_id, Consent.kind == "guardian")
        .order_by(Consent.given_at.desc(), Consent.id)
        .limit(1)
    ).one_or_none()


def consents(client_id: int, kind: str = "") -> Sequence[Consent]:
    """What this person agreed to (of this kind), newest first, and took back; also on a record that was merged into
    theirs, but for what a guardian said there: it counts for that very record."""
    is_theirs = Consent.client_id == client_id
    if kind != "guardian":
        of_merged = Consent.client_id.in_(clients.alias_ids(client_id))
        is_theirs = or_(is_theirs, and_(of_merged, Consent.kind.in_(OWN_CONSENTS)))
    wanted = select(Consent).where(is_theirs, *([Consent.kind == kind] if kind else []))
    return db.session.scalars(wanted.order_by(Consent.given_at.desc(), Consent.id)).all()


def standing_consents(client_id: int, kind: str = "") -> Sequence[Consent]:
    """Consents that nobody took back (of this kind), newest first."""
    return [one for one in consents(client_id, kind) if one.withdrawn_at is None]


def consents_shown(client_id: int) -> list[Consent]:
    """Those that stand, newest first: of what every signing agrees to anew the last one is enough."""
    shown: list[Consent] = []
    for one in standing_consents(client_id):
        if one.kind == "guardian" or all(one.kind != before.kind for before in shown):
            shown.append(one)
    return shown


def taken_back_at(client_id: int) -> dt.datetime | None:
    """When this person last took back a consent of their own, whether they have agreed anew since or not."""
    taken = (one.withdrawn_at for one in consents(client_id) if one.kind in OWN_CONSENTS)
    return max((one for one in taken if one is not None), default=None)


def is_taken_back(client_id: int) -> bool:
    """Whether only the whole form, signed anew, agrees to the treatment and to keeping the answers again."""
    return standings([client_id])[client_id].is_taken_back


def who_took_back(client_ids: Collection[int]) -> set[int]:
    """Those of these people of whom that is so. What counts for them is only read where one took something back."""
    merged = [one.id for below in clients.aliases(client_ids).values() for one in below]
    some = select(Consent.id).where(
        Consent.client_id.in_([*client_ids, *merged]), Consent.withdrawn_at.is_not(None)
    )
    if db.session.scalar(some.limit(1)) is None:
        return set()
    return {one for one, counts in standings(client_ids).items() if counts.is_taken_back}


def stop(stop_id: int) -> HealthStop | None:
    return db.session.get(HealthStop, stop_id)


@dataclass(frozen=True)
class WaitingReview:
    """One line of the list of reviews: whose, since when. `urgency` only for a warning sign."""

    id: int
    client: str
    since: dt.datetime
    urgency: str = ""


def reviews_waiting() -> tuple[list[WaitingReview], list[WaitingReview]]:
    """Warning signs that wait for an assessment, and answers that were weakened; the oldest first in each."""
    stops, softened = open_stops(), softened_to_review()
    names = _names({*(row.client_id for row in stops), *(row.client_id for row in softened)})
    return (
        [WaitingReview(row.id, names[row.client_id], row.raised_at, row.urgency) for row in stops],
        [WaitingReview(row.id, names[row.client_id], row.signed_at) for row in softened],
    )


def _names(client_ids: set[int]) -> dict[int, str]:
    rows = db.session.scalars(select(Client).where(Client.id.in_(client_ids)).order_by(Client.id))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True)
class Softened:
    """Answers that weaken, and the earlier ones that count until somebody has looked at it, newest first."""

    intake_id: int
    client_id: int
    client: str
    phone: str
    signed_at: dt.datetime
    answers: Answers
    earlier: tuple[InForce, ...]


def softened(intake_id: int) -> Softened | None:
    """The version with what it weakens; None when there is nothing to review (any more)."""
    row = db.session.get(Intake, intake_id)
    if row is None or all(one.id != intake_id for one in softened_to_review()):
        return None
    earlier = tuple(one for one in in_force(row.client_id) if one.intake_id != intake_id)
    client = clients.client(row.client_id)
    name, phone = (client.name, client.phone or "") if client is not None else ("", "")
    return Softened(intake_id, row.client_id, name, phone, row.signed_at, row.answers, earlier)


def is_softened(intake_id: int) -> bool:
    """Whether there ever was something to review in this version."""
    row = db.session.get(Intake, intake_id)
    return row is not None and row.softens


def person(client_id: int) -> str:
    """The name of the client, or of the one it was merged into."""
    row = clients.client(client_id)
    return row.name if row is not None else ""


KIND_WORDS = {
    "full": N_("Full health form"),
    "confirm": N_("Confirmed as still right"),
    "checkin": N_("Asked on the day"),
}
SOURCE_WORDS = {
    "online": N_("online"), "desk": N_("taken at the desk"), "tablet": N_("on the clinic’s tablet"),
    "paper": N_("signed on paper"),
}  # fmt: skip


@dataclass(frozen=True)
class AnswerSheet:
    """One signed version as it is read: what it declares, and whether it counts today."""

    signed_at: dt.datetime
    kind_words: str
    said: tuple[answers_in_words.Said, ...]
    in_force: bool
    is_weakened: bool
    same_as_before: bool


def answer_sheets(client_id: int) -> list[AnswerSheet]:
    """Every signed version of this client and of records merged into it, newest first."""
    ids = clients.all_ids(client_id)
    counting = {one.intake_id for one in in_force(client_id)}
    rows = sorted((row for one in ids for row in versions(one)), key=lambda row: row.signed_at, reverse=True)
    return [_sheet(row, next(iter(rows[index + 1 :]), None), counting) for index, row in enumerate(rows)]


def _sheet(row: Intake, before: Intake | None, counting: set[int | None]) -> AnswerSheet:
    words = f"{_(KIND_WORDS.get(row.kind, row.kind))}, {_(SOURCE_WORDS.get(row.source, row.source))}"
    return AnswerSheet(
        signed_at=row.signed_at,
        kind_words=words,
        said=tuple(answers_in_words.declared_in_words(row.answers)),
        in_force=row.id in counting,
        is_weakened=row.softens,
        same_as_before=before is not None and not answer_history.differ(before.answers, row.answers),
    )
