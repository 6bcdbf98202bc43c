"""What counts for a client now: signed answers, what was told at a warning sign, and the signs that still stop.

One fixed number of statements for any number of clients, so that judging takes as long with a look-alike as without.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Row, bindparam, func, select

from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.queries import Alias
from clinic.intake.models import OWN_CONSENTS, BadReaction, Consent, HealthStop, Intake, SoftenedReview
from clinic.intake.queries import reactions
from clinic.rules import answer_history
from clinic.shared import person_keys
from clinic.shared.crypto import ring
from clinic.shared.database import db
from clinic.shared.read_once import may_have, read_once
from clinic.shared.statements import among, rows

Answers = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class InForce:
    """One version of answers that counts today. `intake_id` is None for what was told at a warning sign: nobody
    signed it, but until a new intake says the same, or clinical review has accepted that it does not, it counts."""

    intake_id: int | None
    client_id: int
    version: int
    answers: Answers
    completed_on: dt.date | None
    """The day of the full intake that these answers rest on; None when only a new one will do."""
    answered_on: dt.date
    question_version: str
    earlier_kept: bool = False
    """Clinical review has decided that the earlier answers which it weakened go on counting beside it."""


@dataclass(frozen=True)
class Standing:
    """Everything of one client that counts: `signed` (their own newest first), `told` at warning signs, and the
    `stops` that nothing has ended, oldest first. `is_taken_back`: they no longer agree to be treated, or to the
    clinic keeping their answers; signing the whole form agrees anew."""

    signed: tuple[InForce, ...] = ()
    told: tuple[InForce, ...] = ()
    stops: tuple[HealthStop, ...] = ()
    is_taken_back: bool = False

    @property
    def earlier(self) -> tuple[InForce, ...]:
        """What new answers are compared with."""
        return (*self.signed, *self.told)

    @property
    def sources(self) -> tuple[InForce, ...]:
        """What judges. Nothing where nobody has signed anything: then an intake is missing, whatever was told."""
        return self.earlier if self.signed else ()


def standings(client_ids: Collection[int], *, until: dt.datetime | None = None) -> dict[int, Standing]:
    """What counts for each of these clients; all versions judge, the strictest holds. `until`: as it stood then.

    Besides the newest version: what it weakened, until somebody with clinical review accepted that; and what was
    told at a warning sign, and the answers of records merged into this one, until this client signed a whole new
    intake after it that takes nothing back, or review accepted what it takes back.
    """
    wanted = tuple(client_ids)
    if not wanted:  # read each time all the same: fewer statements would tell that nobody looks alike
        return _standings(wanted, until)
    rows = (Client, Intake, HealthStop, SoftenedReview, BadReaction, Consent)
    return read_once(("standings", wanted, until), lambda: _standings(wanted, until), *rows)


def _standings(client_ids: Collection[int], until: dt.datetime | None) -> dict[int, Standing]:
    kept = _Kept.read(client_ids, until)
    return {
        one: Standing(*_counting(kept, one), stops=_stopping(kept, one), is_taken_back=one in kept.taken_back)
        for one in client_ids
    }


Version: TypeAlias = Row[Any]
"""One signed version as it is read, its answers still sealed."""

_INTAKE = Intake.__table__.c
_CONSENT = Consent.__table__.c
_FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def _last_consent(moment: Any) -> Any:
    """When this record last agreed to treatment and keeping, or last took that back, up to `until`."""
    return (
        select(func.max(moment))
        .where(
            _CONSENT.client_id == _INTAKE.client_id,
            _CONSENT.kind.in_(OWN_CONSENTS),
            moment <= bindparam("until", type_=moment.type),
        )
        .scalar_subquery()
    )


_VERSIONS = (
    select(
        _INTAKE.id, _INTAKE.client_id, _INTAKE.version, _INTAKE.kind, _INTAKE.question_version, _INTAKE.completed_on,
        _INTAKE.answered_on, _INTAKE.signed_at, _INTAKE.renewal, _INTAKE.softens, _INTAKE.answers_sealed,
        _last_consent(_CONSENT.given_at).label("agreed_at"),
        _last_consent(_CONSENT.withdrawn_at).label("taken_back_at"),
        *person_keys.READ_ALONG,
    )
    .select_from(person_keys.with_keys(Intake.__table__))
    .where(among(_INTAKE.client_id, "ids"))
    .order_by(_INTAKE.version.desc())
)  # fmt: skip


@dataclass
class _Kept:
    """The rows of these clients and of what was merged into them."""

    aliases: dict[int, list[Alias]]
    accepted: frozenset[int]
    refused: frozenset[int]
    asked_anew: frozenset[
        int
    ]  # every record of those of whom only a whole new intake will do, after a bad reaction
    versions: defaultdict[int, list[Version]] = field(default_factory=lambda: defaultdict(list))
    stops: defaultdict[int, list[HealthStop]] = field(default_factory=lambda: defaultdict(list))
    # records of those whose consent no later one has replaced
    taken_back: set[int] = field(default_factory=set)

    @classmethod
    def read(cls, client_ids: Collection[int], until: dt.datetime | None) -> _Kept:
        aliases = clients.aliases(client_ids)
        ids = [*client_ids, *(one.id for below in aliases.values() for one in below)]
        records = {one: {one, *_below(aliases, one)} for one in client_ids}
        anew = {record for one in reactions.asking_anew(records) for record in records[one]}
        kept = cls(aliases, *_reviewed(ids), frozenset(anew))
        db.session.flush()  # what was signed in this very transaction counts too
        for row in rows(_VERSIONS, {"ids": ids, "ring": ring().current, "until": until or _FOREVER}):
            person_keys.note(row.client_id, row.key_id, row.key)
            if until is None or row.signed_at <= until:
                kept.versions[row.client_id].append(row)
        for stop in _stops(ids):
            if until is None or stop.raised_at <= until:
                kept.stops[stop.client_id].append(stop)
        for record in records.values():
            if kept._has_taken_back(record):
                kept.taken_back |= record
        return kept

    def _has_taken_back(self, record: Collection[int]) -> bool:
        versions = [row for one in record for row in self.versions[one]]
        agreed = max((row.agreed_at for row in versions if row.agreed_at), default=None)
        back = max((row.taken_back_at for row in versions if row.taken_back_at), default=None)
        return back is not None and (agreed is None or agreed <= back)

    def is_settled(self, client_id: int, since: dt.datetime | None) -> bool:
        """Whether this very record signed something after that moment which replaces all that was said before."""
        return since is not None and any(
            row.signed_at > since and (row.id in self.accepted or (row.kind == "full" and not row.softens))
            for row in self.versions[client_id]
        )


def _reviewed(client_ids: Collection[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Versions of these records whose weaker answers review has accepted, and has not."""
    ids = may_have(SoftenedReview, client_ids)
    if client_ids and not ids:
        return frozenset(), frozenset()
    found = db.session.execute(
        select(SoftenedReview.intake_id, SoftenedReview.accepted)
        .join(Intake, Intake.id == SoftenedReview.intake_id)
        .where(Intake.client_id.in_(ids))
        .order_by(SoftenedReview.intake_id)
    ).all()
    accepted = frozenset(one for one, is_accepted in found if is_accepted)
    return accepted, frozenset(one for one, _is_accepted in found) - accepted


def _stops(client_ids: Collection[int]) -> Sequence[HealthStop]:
    """Every warning sign of these records, oldest first."""
    ids = may_have(HealthStop, client_ids)
    if client_ids and not ids:
        return []
    stops = select(HealthStop).where(HealthStop.client_id.in_(ids))
    return db.session.scalars(stops.order_by(HealthStop.raised_at, HealthStop.id)).all()


def _counting(kept: _Kept, client_id: int) -> tuple[tuple[InForce, ...], tuple[InForce, ...]]:
    asks_anew = client_id in kept.asked_anew or client_id in kept.taken_back
    signed = [
        _plain(row, asks_anew, row.id in kept.refused)
        for row in _not_replaced(kept.versions[client_id], kept.accepted)
    ]
    told = [_told(stop) for stop in kept.stops[client_id] if not kept.is_settled(client_id, stop.raised_at)]
    for alias in kept.aliases.get(client_id, ()):
        if not kept.is_settled(client_id, alias.merged_at):
            more_signed, more_told = _counting(kept, alias.id)
            signed += more_signed
            told += more_told
    return tuple(signed), tuple(one for one in told if any(map(answer_history.plain, one.answers.values())))


def _not_replaced(versions: Iterable[Version], accepted: Collection[int]) -> list[Version]:
    """The newest version, and back through what was weakened without an accepted review."""
    found: list[Version] = []
    for row in versions:
        found.append(row)
        if not row.softens or row.id in accepted:
            break
    return found


def _plain(row: Version, asks_anew: bool, earlier_kept: bool) -> InForce:
    return InForce(
        row.id,
        row.client_id,
        row.version,
        Intake.answers.opened(row.answers_sealed, row.id),
        None if row.renewal or asks_anew else row.completed_on,
        row.answered_on,
        row.question_version,
        earlier_kept,
    )


def _told(stop: HealthStop) -> InForce:
    """What stood beside the warning sign; the sign itself is held by the stop."""
    answers = answer_history.beside_the_sign(stop.answers, passes=stop.needs == "new_answer")
    return InForce(None, stop.client_id, 0, answers, None, stop.raised_on, "")


def _stopping(kept: _Kept, client_id: int) -> tuple[HealthStop, ...]:
    versions = kept.versions[client_id]
    stops = [stop for one in (client_id, *_below(kept.aliases, client_id)) for stop in kept.stops[one]]
    found = [stop for stop in stops if not _has_ended(stop, versions)]
    return tuple(sorted(found, key=lambda stop: (stop.raised_at, stop.id)))


def _below(aliases: Mapping[int, Sequence[Alias]], client_id: int) -> list[int]:
    return [found for alias in aliases.get(client_id, ()) for found in (alias.id, *_below(aliases, alias.id))]


def _has_ended(stop: HealthStop, versions: Sequence[Version]) -> bool:
    """What passes by itself ends with any answer on a later day; a warning sign with an assessment and a whole new
    intake after it: "still right" to the questions from before the sign is none."""
    if stop.needs == "new_answer":
        in_error = stop.ended_at is not None and stop.ending == "entered_in_error"
        signed = next((row for row in versions if row.kind in ("full", "confirm")), None)
        return in_error or (signed is not None and signed.answered_on > stop.raised_on)
    full = next((row for row in versions if row.kind == "full"), None)
    return stop.ended_at is not None and full is not None and full.signed_at > stop.ended_at
