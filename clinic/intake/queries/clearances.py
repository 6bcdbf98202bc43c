"""Reading clearances: which of them count now, what waits to be verified, what was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from clinic.clients import queries as clients
from clinic.clients.models import Client, ClientAccess
from clinic.intake.models import Clearance, ClearanceDocument, ClearanceLetter, HealthStop, Intake
from clinic.intake.queries import Answers, InForce, reactions
from clinic.rulebook import queries as rulebook
from clinic.rules import answer_history, letter_scope
from clinic.rules.clearances import Clearance as Rule
from clinic.rules.language import _
from clinic.rules.rule_table import TABLE
from clinic.shared.database import db
from clinic.shared.read_once import may_have


@dataclass(frozen=True)
class OnFile:
    """A clearance that counts: as the rules read it, and the clinician's limits for the therapist."""

    rule: Rule
    limits: str


def counting(client_id: int, sources: Sequence[InForce]) -> list[OnFile]:
    """Verified clearances of this client and of records merged into it that nothing has ended.

    `sources` are the answers that count (newest first). Days, services, modes and areas are the rules' matter.
    What ended it inside one day is known here alone, since days are all that the rules count: the answer to the
    condition changed after the letter was verified, something that ends clearances was declared since, or a
    warning sign was raised.
    """
    ids = clients.all_ids(client_id)
    if not may_have(Clearance, ids):
        return []
    rows = db.session.scalars(
        select(Clearance)
        .where(Clearance.client_id.in_(ids), Clearance.withdrawn_at.is_(None))
        .order_by(Clearance.lapses_on.desc(), Clearance.id)
    ).all()
    stops = _stops(ids) if rows else []
    bad = reactions.of_records(ids) if rows else []
    return [
        OnFile(rule_of(row, row.statement), row.statement["limits"])
        for row in rows
        if not _has_ended(row, row.statement["condition"], sources, stops)
        and not any(one.happened_on >= row.issued_on or one.recorded_at > row.verified_at for one in bad)
    ]


def rule_of(row: Clearance, statement: Mapping[str, Any]) -> Rule:
    """The clearance as the rules read it."""
    return Rule(
        condition=statement["condition"],
        services=frozenset(statement["services"]),
        issued_on=row.issued_on,
        issued_by=statement["role"],
        expires_on=row.ends_on,
        modes=frozenset(statement["modes"]),
        areas=frozenset(statement["areas"]) if statement["areas"] else None,
        id=row.id,
    )


def _stops(client_ids: Collection[int]) -> Sequence[HealthStop]:
    return db.session.scalars(
        select(HealthStop).where(HealthStop.client_id.in_(client_ids)).order_by(HealthStop.id)
    ).all()


def _has_ended(
    row: Clearance, condition: str, sources: Iterable[InForce], stops: Iterable[HealthStop]
) -> bool:
    for stop in stops:
        is_later = stop.raised_on > row.issued_on or stop.raised_at > row.verified_at
        if is_later and stop.ending != "entered_in_error":
            return True
    read = db.session.get_one(Intake, row.intake_id)
    return any(
        source.intake_id != read.id and _says_more(source.answers, read.answers, condition)
        for source in sources
    )


def _says_more(answers: Answers, read: Answers, condition: str) -> bool:
    """Whether these answers declare the condition, or something that ends clearances, otherwise than was read."""
    for key in {condition, *TABLE.ends_clearances}:
        now = answer_history.plain(answers.get(key))
        if now and now != answer_history.plain(read.get(key)):
            return True
    return False


def letter(letter_id: int) -> ClearanceLetter | None:
    return db.session.get(ClearanceLetter, letter_id)


def documents(letter_id: int) -> Sequence[ClearanceDocument]:
    """The pages of a letter in order, without their content."""
    return db.session.scalars(
        select(ClearanceDocument)
        .where(ClearanceDocument.letter_id == letter_id)
        .order_by(ClearanceDocument.position)
    ).all()


@dataclass(frozen=True)
class Page:
    """A file as it is handed out."""

    client_id: int
    position: int
    kind: str
    content: bytes


def document(document_id: int) -> Page | None:
    """One page with its content."""
    row = db.session.get(ClearanceDocument, document_id)
    if row is None:
        return None
    sent = db.session.get_one(ClearanceLetter, row.letter_id)
    return Page(sent.client_id, row.position, row.kind, row.content)


def own_document(user_id: int, document_id: int) -> Page | None:
    """The page, when this account may act for its client; else None, as if it were not there."""
    row = db.session.get(ClearanceDocument, document_id)
    if row is None:
        return None
    client_id = db.session.get_one(ClearanceLetter, row.letter_id).client_id
    client = clients.client(client_id)
    if client is None or clients.client_of(user_id, client.id) is None:
        return None
    return document(document_id)


@dataclass(frozen=True)
class WaitingLetter:
    """One line of the list of letters to check."""

    id: int
    client: str
    since: dt.datetime


def letters_waiting() -> list[WaitingLetter]:
    """Letters that nobody has decided on, oldest first."""
    rows = db.session.execute(
        select(ClearanceLetter, Client)
        .join(Client, Client.id == ClearanceLetter.client_id)
        .where(ClearanceLetter.decided_at.is_(None))
        .order_by(ClearanceLetter.sent_at, ClearanceLetter.id)
    ).all()
    return [WaitingLetter(sent.id, client.name, sent.sent_at) for sent, client in rows]


def who_sent_letters(client_ids: Collection[int]) -> set[int]:
    """Those of these people of whom a letter waits to be decided on."""
    if not client_ids:
        return set()
    waiting = ClearanceLetter.client_id.in_(client_ids), ClearanceLetter.decided_at.is_(None)
    return set(db.session.scalars(select(ClearanceLetter.client_id).where(*waiting)))


def who_have_one(client_ids: Collection[int]) -> set[int]:
    """Those of these people of whom a checked letter is on file that nobody has withdrawn."""
    if not client_ids:
        return set()
    on_file = Clearance.client_id.in_(client_ids), Clearance.withdrawn_at.is_(None)
    return set(db.session.scalars(select(Clearance.client_id).where(*on_file).distinct()))


def pending_size(client_id: int) -> tuple[int, int]:
    """How many letters of this client wait, and how many bytes they are together."""
    letters = db.session.scalars(
        select(ClearanceLetter.id).where(
            ClearanceLetter.client_id == client_id, ClearanceLetter.decided_at.is_(None)
        )
    ).all()
    size = db.session.scalar(
        select(func.coalesce(func.sum(ClearanceDocument.size), 0)).where(
            ClearanceDocument.letter_id.in_(letters)
        )
    )
    return len(letters), int(size or 0)


def waiting_with(client_id: int, files: Sequence[bytes]) -> int | None:
    """The letter of this client that waits with just these pages."""
    sizes = [len(one) for one in files]
    waiting = db.session.scalars(
        select(ClearanceLetter.id)
        .where(ClearanceLetter.client_id == client_id, ClearanceLetter.decided_at.is_(None))
        .order_by(ClearanceLetter.id)
    ).all()
    for letter_id in waiting:
        pages = documents(letter_id)
        if [one.size for one in pages] == sizes and [one.content for one in pages] == list(files):
            return letter_id
    return None


def good_until(client_id: int, sources: Sequence[InForce]) -> dict[int, dt.date]:
    """The last day of each letter of this client that counts as things stand, by its id."""
    counts = [one.rule.id for one in counting(client_id, sources)]
    rows = db.session.scalars(
        select(Clearance).where(Clearance.id.in_(counts)).order_by(Clearance.lapses_on.desc(), Clearance.id)
    ).all()
    return {row.letter_id: row.lapses_on - dt.timedelta(days=1) for row in rows}


@dataclass(frozen=True)
class Sent:
    """A letter as its sender sees it: when, its pages, and what came of it."""

    id: int
    sent_at: dt.datetime
    state: str
    pages: tuple[int, ...]


def letters_of(client_id: int) -> list[Sent]:
    """What was sent in for this client and records merged into it, newest first; of one second, what waits is the
    newer."""
    ids = clients.all_ids(client_id)
    rows = db.session.scalars(
        select(ClearanceLetter)
        .where(ClearanceLetter.client_id.in_(ids))
        .order_by(ClearanceLetter.sent_at.desc(), ClearanceLetter.decided_at.is_not(None), ClearanceLetter.id)
    ).all()
    return [Sent(row.id, row.sent_at, row.state, tuple(one.id for one in documents(row.id))) for row in rows]


@dataclass(frozen=True)
class Verified:
    """A verified clearance as those with clinical review read it."""

    id: int
    label: str
    statement: Mapping[str, Any]
    issued_on: dt.date
    ends_on: dt.date | None
    lapses_on: dt.date
    verified_at: dt.datetime
    withdrawn_at: dt.datetime | None
    withdrawal: str
    counts: bool

    @property
    def last_day(self) -> dt.date:
        return self.lapses_on - dt.timedelta(days=1)


def verified_of(client_id: int, sources: Sequence[InForce], today: dt.date) -> list[Verified]:
    """Every clearance of this client and of records merged into it, newest first. `counts`: it does today."""
    ids = clients.all_ids(client_id)
    now_counting = {one.rule.id for one in counting(client_id, sources)}
    rows = db.session.scalars(
        select(Clearance)
        .where(Clearance.client_id.in_(ids))
        .order_by(Clearance.verified_at.desc(), Clearance.id)
    ).all()
    return [_verified(row, row.id in now_counting and today < row.lapses_on) for row in rows]


def _verified(row: Clearance, counts: bool) -> Verified:
    statement = row.statement
    return Verified(
        row.id, letter_scope.label_of(statement["condition"]), statement, row.issued_on, row.ends_on,
        row.lapses_on, row.verified_at, row.withdrawn_at, row.withdrawal or "", counts,
    )  # fmt: skip


def clearance(clearance_id: int) -> Clearance | None:
    return db.session.get(Clearance, clearance_id)


def to_clear(client: Client, sources: Sequence[InForce], today: dt.date) -> dict[str, tuple[str, ...]]:
    """The conditions that this client's answers put at clearance, with the columns; of all that counts together."""
    found: dict[str, set[str]] = {}
    table = rulebook.in_force()
    for source in sources:
        waiting = letter_scope.awaiting_clearance(
            source.answers, born_on=client.born_on, today=today, table=table
        )
        for key, columns in waiting.items():
            found.setdefault(key, set()).update(columns)
    words = letter_scope.COLUMN_WORDS
    return {key: tuple(column for column in words if column in columns) for key, columns in found.items()}


def acts_for(user_id: int, client_id: int) -> bool:
    """Whether this account is the client's own or may act for them: then it cannot verify their letter."""
    ids = clients.all_ids(client_id)
    found = select(ClientAccess.user_id).where(
        ClientAccess.user_id == user_id, ClientAccess.client_id.in_(ids)
    )
    return db.session.scalar(found.limit(1)) is not None


@dataclass(frozen=True)
class Question:
    """One thing to ask the clinician about, in the client's words."""

    label: str
    reason: str


@dataclass(frozen=True)
class Questions:
    """What the page for the clinician holds: what it is about, and each treatment in plain words."""

    about: tuple[Question, ...]
    treatments: tuple[tuple[str, str], ...]


def questions(client: Client, sources: Sequence[InForce], today: dt.date) -> Questions:
    """Everything that waits for a letter by these answers. Empty when nothing does."""
    offered = to_clear(client, sources, today)
    columns = [one for one in letter_scope.COLUMN_WORDS if any(one in named for named in offered.values())]
    about = [
        Question(letter_scope.label_of(key), getattr(TABLE.clearable(key), "plain_reason", ""))
        for key in offered
    ]
    return Questions(tuple(about), treatments_in_words(columns, chamber="decompression_vacuum" in columns))


def treatments_in_words(columns: Collection[str], *, chamber: bool) -> tuple[tuple[str, str], ...]:
    """Name and facts of each treatment that these columns judge."""
    found = [(_(letter_scope.COLUMN_WORDS[one]), _(letter_scope.COLUMN_FACTS[one])) for one in columns]
    if chamber:
        found.append((_("Interval chamber"), _(letter_scope.CHAMBER_FACTS)))
    return tuple(found)
