"""The audit rows as a chain: each is bound to all before it, and the newest link also lies outside the database.

Whoever changes, removes, swaps or adds rows by SQL breaks the chain. Whoever works the chain out anew afterwards does
not match the heads any more, which stand in files that the database cannot reach. Rows of the last seconds are not yet
links; their numbers, which have no gaps, and the counter speak for them.

What has been kept for long enough goes from the beginning. The link of the last row that went stays, and is noted
outside too as a place where the chain may begin.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from clinic.shared.audit import AuditCounter, AuditLink, AuditRow
from clinic.shared.database import db, read_as_one, transaction

BATCH = 2000
BEFORE_THE_FIRST = "0" * 64
BEGINNINGS = "begins.txt"


def link(before: str, row: AuditRow) -> str:
    """The digest of a row that follows the link BEFORE."""
    said = [row.sequence, row.at.isoformat(), row.by_user_id, row.deed, row.thing, row.thing_id, row.detail]
    return hashlib.sha256((before + json.dumps(said, sort_keys=True)).encode()).hexdigest()


def extend(heads: Path, *, now: dt.datetime) -> int:
    """Make links of the rows that are none yet, in the order of their numbers; note the newest in the folder HEADS.

    Returns how many were made, at most BATCH. Two who do so at once: one of them fails and finds it done next time.
    """
    with transaction() as session:
        last = session.scalars(select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)).one_or_none()
        sequence, digest = (last.sequence, last.digest) if last else (0, BEFORE_THE_FIRST)
        rows = session.scalars(
            select(AuditRow).where(AuditRow.sequence > sequence).order_by(AuditRow.sequence).limit(BATCH)
        ).all()
        links = []
        for row in rows:
            digest = link(digest, row)
            links.append({"sequence": row.sequence, "digest": digest})
        if links:
            session.execute(insert(AuditLink), links)
    if links:
        _note(heads / f"heads-{now:%Y-%m}.txt", now, rows[-1].sequence, digest)
    return len(links)


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


def note_newest(heads: Path, *, now: dt.datetime) -> None:
    """Note the newest link of a database that was put back, on a machine that knows nothing of it."""
    last = db.session.scalars(select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)).one_or_none()
    if last:
        _note(heads / f"heads-{now:%Y-%m}.txt", now, last.sequence, last.digest)


def _note(path: Path, now: dt.datetime, sequence: int, digest: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {sequence} {digest}\n")
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
    read_as_one()
    noted, begins = (
        dict(_noted(heads, "heads-*.txt")),
        {0: BEFORE_THE_FIRST, **dict(_noted(heads, BEGINNINGS))},
    )
    links = {
        row.sequence: row.digest for row in db.session.execute(select(AuditLink.sequence, AuditLink.digest))
    }
    first = db.session.scalar(select(func.min(AuditRow.sequence)))
    start = max(one for one in begins if first is None or one < first)
    wrong, expected, before = [], start + 1, begins[start]
    for row in db.session.scalars(
        select(AuditRow).order_by(AuditRow.sequence).execution_options(yield_per=BATCH)
    ):
        if row.sequence != expected:
            wrong.append(f"{_span(expected, row.sequence - 1)} missing")
        kept = links.get(row.sequence)
        if kept is not None and kept != link(before, row):
            wrong.append(f"deed {row.sequence} is not the one that was written, or the one before it is gone")
        before, expected = kept or before, row.sequence + 1
    last = expected - 1
    counted = db.session.scalar(select(AuditCounter.value).where(AuditCounter.id == 1)) or 0
    if counted != last:
        wrong.append(f"the counter stands at {counted}, the last deed is {last}")
    chained = db.session.scalar(select(func.max(AuditLink.sequence))) or 0
    if sum(one > start for one in links) != max(0, chained - start):
        wrong.append("links of the chain are missing")
    if chained > start and not noted:
        wrong.append(f"nothing is noted outside the database any more, in {heads}")
    for sequence, digest in noted.items():
        if sequence > start and links.get(sequence) != digest:
            wrong.append(f"deed {sequence} and what came before are not as noted outside the database")
    return Found(last - start, len(links), len(noted), wrong)


def _span(first: int, last: int) -> str:
    return f"deed {first} is" if first == last else f"deeds {first} to {last} are"


def _noted(heads: Path, files: str) -> Iterator[tuple[int, str]]:
    for path in sorted(heads.glob(files)):
        for line in path.read_text(encoding="ascii").splitlines():
            _moment, sequence, digest = line.split(" ")
            yield int(sequence), digest
