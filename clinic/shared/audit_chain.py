"""The audit rows as a chain: each is bound to all before it, and the newest link also lies outside the database.

Whoever changes, removes, swaps or adds rows by SQL breaks the chain. Whoever works the chain out anew afterwards does
not match the heads any more, which stand in files that the database cannot reach. Rows of the last seconds are not yet
links; their numbers, which have no gaps, and the counter speak for them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, insert, select

from clinic.shared.audit import AuditCounter, AuditLink, AuditRow
from clinic.shared.database import db, read_as_one, transaction

BATCH = 2000
BEFORE_THE_FIRST = "0" * 64


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
        _note(heads, f"{now:%Y-%m-%dT%H:%M:%SZ} {links[-1]['sequence']} {digest}\n", month=f"{now:%Y-%m}")
    return len(links)


def _note(heads: Path, line: str, *, month: str) -> None:
    heads.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(heads / f"heads-{month}.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(line)
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
    noted = dict(_noted(heads))
    links = {
        row.sequence: row.digest for row in db.session.execute(select(AuditLink.sequence, AuditLink.digest))
    }
    wrong, expected, before = [], 1, BEFORE_THE_FIRST
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
    if len(links) != chained:
        wrong.append("links of the chain are missing")
    for sequence, digest in noted.items():
        if links.get(sequence) != digest:
            wrong.append(f"deed {sequence} and what came before are not as noted outside the database")
    return Found(last, len(links), len(noted), wrong)


def _span(first: int, last: int) -> str:
    return f"deed {first} is" if first == last else f"deeds {first} to {last} are"


def _noted(heads: Path) -> Iterator[tuple[int, str]]:
    for path in sorted(heads.glob("heads-*.txt")):
        for line in path.read_text(encoding="ascii").splitlines():
            _moment, sequence, digest = line.split(" ")
            yield int(sequence), digest
