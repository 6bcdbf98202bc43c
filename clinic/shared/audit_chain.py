"""The audit rows as a chain: each is bound to all before it, and the newest link also lies outside the database.

Whoever changes, removes or swaps rows by SQL, or adds some between others, breaks the chain. A row that is added at the
end just as the program adds it is one more row: nothing in the database tells it apart. Whoever works the chain out
anew afterwards does not match the heads any more, which stand in files that the database cannot reach. Rows of the last
seconds are not yet links; their numbers, which have no gaps, and the counter speak for them.

What has been kept for long enough goes from the beginning. The link of the last row that went stays, and is noted
outside too as a place where the chain may begin.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session

from clinic.shared.audit import AuditCounter, AuditLink, AuditRow
from clinic.shared.database import UNREADABLE, db, read_as_one, transaction

BATCH = 2000
BEFORE_THE_FIRST = "0" * 64
BEGINNINGS = "begins.txt"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NOTE = re.compile(r"Z(?:/(\d{1,18}))? (\d{1,18}) ([0-9a-f]{64})\n")
"""A whole one, also behind one that was broken off: no link was made after that."""

T = TypeVar("T")
Numbered = TypeVar("Numbered", AuditRow, AuditLink)


def link(before: str, row: AuditRow) -> str:
    """The digest of a row that follows the link BEFORE."""
    said = [row.sequence, row.at.isoformat(), row.by_user_id, row.deed, row.thing, row.thing_id, row.detail]
    return hashlib.sha256((before + json.dumps(said, sort_keys=True)).encode()).hexdigest()


def extend(heads: Path, *, now: dt.datetime) -> int:
    """Make links of the rows that are none yet, in the order of their numbers, and note the newest in the folder HEADS.

    The note is written first, so that no link is without one; what it says is settled by rows that stand already.
    Returns how many were made, at most BATCH. Of two who do so at once one finds it done, or fails at the last moment.
    """
    last = _newest()
    sequence, digest = (last.sequence, last.digest) if last else (0, BEFORE_THE_FIRST)
    rows = db.session.scalars(
        select(AuditRow).where(AuditRow.sequence > sequence).order_by(AuditRow.sequence).limit(BATCH)
    ).all()
    links = [{"sequence": row.sequence, "digest": (digest := link(digest, row))} for row in rows]
    end = rows[-1].sequence if rows else sequence
    db.session.rollback()
    if not links:
        return 0
    _note(heads / f"heads-{now:%Y-%m}.txt", now, end, digest, after=sequence)
    with transaction() as session:
        if (session.scalar(select(func.max(AuditLink.sequence))) or 0) != sequence:
            return 0  # another worker came first
        session.execute(insert(AuditLink), links)
    return len(links)


def _newest() -> AuditLink | None:
    return db.session.scalars(select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)).one_or_none()


def forget(session: Session, until: dt.datetime, heads: Path, *, now: dt.datetime) -> int:
    """Delete the rows from the beginning up to the first that is younger than UNTIL, as far as they are links.

    Returns how many went. Where it is broken off after the note there is one more place where the chain may begin.
    """
    young = session.scalar(select(func.min(AuditRow.sequence)).where(AuditRow.at > until))
    chained = select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)
    if young is not None:
        chained = chained.where(AuditLink.sequence < young)
    last = session.scalars(chained).one_or_none()
    if last is None or session.get(AuditRow, last.sequence) is None:
        return 0
    _note(heads / BEGINNINGS, now, last.sequence, last.digest)
    gone = delete(AuditRow).where(AuditRow.sequence <= last.sequence).returning(AuditRow.sequence)
    count = len(session.scalars(gone, execution_options={"synchronize_session": False}).all())
    session.execute(delete(AuditLink).where(AuditLink.sequence < last.sequence))
    return count


def begin_notes(heads: Path, *, now: dt.datetime) -> None:
    """Note where the chain of a database that was put back begins and ends. What this machine had noted of another one
    is moved aside."""
    aside = heads / f"before-{now:%Y-%m-%dT%H%M%SZ}"
    for path in list(heads.glob("*.txt")):
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / path.name)
    first = db.session.scalar(select(func.min(AuditRow.sequence))) or 0
    if began := db.session.get(AuditLink, first - 1):
        _note(heads / BEGINNINGS, now, began.sequence, began.digest)
    if last := _newest():
        _note(heads / f"heads-{now:%Y-%m}.txt", now, last.sequence, last.digest)


def _note(path: Path, now: dt.datetime, sequence: int, digest: str, *, after: int | None = None) -> None:
    """AFTER: the number of the note before this one, which has to be there as well."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        follows = "" if after is None else f"/{after}"
        file.write(f"{now:%Y-%m-%dT%H:%M:%SZ}{follows} {sequence} {digest}\n")
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True)
class Found:
    """What a look through the whole audit found. `wrong` is empty when nothing was changed."""

    rows: int
    links: int
    heads: int
    wrong: list[str]


def verify(heads: Path) -> Found:
    """Look through all audit rows, their links, the counter, and the heads in the folder HEADS."""
    notes = list(_noted(heads, "heads-*.txt"))  # first of all: what they speak of is there to be read
    read_as_one()
    begins = {0: BEFORE_THE_FIRST} | {note.sequence: note.digest for note in _noted(heads, BEGINNINGS)}
    links = {number: str(row.digest) if row else "" for number, row in _all(AuditLink)}
    first = db.session.scalar(select(func.min(AuditRow.sequence)))
    start = max((one for one in begins if first is None or one < first), default=0)
    wrong, expected, before = [], start + 1, begins[start]
    found = {note.sequence: "" for note in notes}
    for number, row in _all(AuditRow):
        if number < 1:
            wrong.append(f"deed {number} stands before the first one")
        elif number != expected:
            wrong.append(f"{_span(expected, number - 1)} missing")
        kept, digest = links.get(number), _link_if_it_can_be_read(before, row)
        if digest is None:
            wrong.append(f"deed {number} cannot be read: it is not the one that was written")
        elif kept is not None and kept != digest:
            wrong.append(f"deed {number} is not the one that was written, or the one before it is gone")
        before, expected = kept or digest or before, number + 1
        if number in found:
            found[number] = before
    last = expected - 1
    [counter] = _several(AuditCounter, AuditCounter.id, [1]) or [None]
    counted = counter.value if counter else 0
    if counted != last:
        wrong.append(f"the counter stands at {counted}, the last deed is {last}")
    chained = db.session.scalar(select(func.max(AuditLink.sequence))) or 0
    if sum(one > start for one in links) != max(0, chained - start):
        wrong.append("links of the chain are missing")
    wrong += [
        f"deed {note.sequence} and what came before are not as noted outside the database"
        for note in notes
        if note.sequence > start and found[note.sequence] != note.digest
    ]
    wrong += _gone_notes(heads, start, chained) + _spoilt_notes(heads)
    return Found(last - start, len(links), len(found), wrong)


def _all(table: type[Numbered]) -> Iterator[tuple[int, Numbered | None]]:
    """Every row by its number, in their order; None for one that was made so that it cannot be read."""
    numbers = db.session.scalars(select(table.sequence).order_by(table.sequence)).all()
    for start in range(0, len(numbers), BATCH):
        several = numbers[start : start + BATCH]
        yield from zip(several, _several(table, table.sequence, several), strict=True)


def _several(table: type[T], key: InstrumentedAttribute[int], numbers: Sequence[int]) -> list[T | None]:
    """The rows from the first to the last of these numbers. Halved where they cannot be read, down to the one."""
    try:
        return list(
            db.session.scalars(select(table).where(key.between(numbers[0], numbers[-1])).order_by(key))
        )
    except (DBAPIError, *UNREADABLE) as error:
        if isinstance(error, DBAPIError) and not _is_about_values(error):
            raise
    if len(numbers) == 1:
        return [None]
    half = len(numbers) // 2
    return _several(table, key, numbers[:half]) + _several(table, key, numbers[half:])


def _is_about_values(error: DBAPIError) -> bool:
    """Whether it is what is stored that the driver makes no sense of, and the database goes on answering."""
    is_sqlite = isinstance(error.orig, sqlite3.Error)
    return isinstance(error, DataError) or (is_sqlite and not hasattr(error.orig, "sqlite_errorcode"))


def _link_if_it_can_be_read(before: str, row: AuditRow | None) -> str | None:
    try:
        return link(before, row) if row else None
    except UNREADABLE:
        return None


def _gone_notes(heads: Path, start: int, chained: int) -> list[str]:
    """Each note names the one before it, and the newest link has one."""
    # read again: a link that was made meanwhile has been noted meanwhile
    notes = list(_noted(heads, "heads-*.txt"))
    if chained > start and not notes:
        return [f"nothing is noted outside the database any more, in {heads}"]
    needed = {note.after for note in notes} | {chained}
    gone = sorted(one for one in needed - {note.sequence for note in notes} if one > start)
    return [f"what was noted at deed {one} outside the database is gone" for one in gone]


def _spoilt_notes(heads: Path) -> list[str]:
    """The program writes ASCII alone."""
    spoilt = []
    for path in sorted(heads.glob("*.txt")):
        whole, spoils, _rest = _text_of(path).partition(REPLACEMENT)
        if spoils:
            last = max((int(sequence) for _after, sequence, _digest in _NOTE.findall(whole)), default=0)
            spoilt.append(f"what was noted after deed {last} outside the database cannot be read, in {path}")
    return spoilt


def _span(first: int, last: int) -> str:
    return f"deed {first} is" if first == last else f"deeds {first} to {last} are"


class _Noted(NamedTuple):
    sequence: int
    digest: str
    after: int


def _noted(heads: Path, files: str) -> Iterator[_Noted]:
    for path in sorted(heads.glob(files)):
        for after, sequence, digest in _NOTE.findall(_text_of(path)):
            yield _Noted(int(sequence), digest, int(after or 0))


def _text_of(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace")
