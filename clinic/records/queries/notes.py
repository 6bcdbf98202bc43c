"""What therapists noted of visits, for who may read it: the newest wording, and what it took the place of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.catalogue.models import Service
from clinic.clients import queries as clients
from clinic.records.models import SessionNote
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db

LAST_VISITS = 3
BEGUN = (VisitStatus.IN_SESSION, VisitStatus.DONE)
"""The states in which a note of a visit can be written."""


@dataclass(frozen=True)
class Note:
    """One note. `earlier`: what it corrected, the newest first."""

    id: int
    visit_id: int
    text: str
    by: str
    by_id: int
    written_at: dt.datetime
    earlier: tuple[Note, ...] = ()


@dataclass(frozen=True)
class NotedVisit:
    """A visit and what was noted of it, the oldest note first."""

    visit_id: int
    day: dt.date
    service: str
    notes: tuple[Note, ...]


def notes_of(visit_id: int) -> list[Note]:
    """Of one visit, the oldest first. One statement."""
    return _notes([visit_id]).get(visit_id, [])


def last_notes(client_id: int, *, before: dt.datetime) -> list[NotedVisit]:
    """Of this person's last visits of which something was noted, the newest first. Three statements."""
    ids = clients.all_ids(client_id)
    rows = db.session.execute(
        select(Visit.id, Visit.day, Service.name)
        .join(Service, Service.id == Visit.service_id)
        .where(
            Visit.client_id.in_(ids),
            Visit.starts_at < before,
            select(SessionNote.id).where(SessionNote.visit_id == Visit.id).exists(),
        )
        .order_by(Visit.starts_at.desc(), Visit.id)
        .limit(LAST_VISITS)
    ).all()
    found = _notes([row.id for row in rows])
    return [NotedVisit(row.id, row.day, row.name, tuple(found[row.id])) for row in rows]


def _notes(visit_ids: Sequence[int]) -> dict[int, list[Note]]:
    rows = (
        db.session.execute(
            select(SessionNote, User.name)
            .join(User, User.id == SessionNote.written_by_id)
            .where(SessionNote.visit_id.in_(visit_ids))
            .order_by(SessionNote.written_at, SessionNote.id)
        )
        .tuples()
        .all()
    )
    by_id = {row.id: (row, name) for row, name in rows}
    corrected = {row.corrects_id for row, _name in rows}
    found: dict[int, list[Note]] = {}
    for row, _name in rows:
        if row.id not in corrected:
            found.setdefault(row.visit_id, []).append(_note(row.id, by_id))
    return found


def _note(note_id: int, by_id: Mapping[int, tuple[SessionNote, str]]) -> Note:
    """The note with all that it took the place of, whatever their order: two may be of the same moment."""
    row, name = by_id[note_id]
    old = _note(row.corrects_id, by_id) if row.corrects_id is not None else None
    earlier = (old, *old.earlier) if old is not None else ()
    return Note(row.id, row.visit_id, row.text, name, row.written_by_id, row.written_at, earlier)
