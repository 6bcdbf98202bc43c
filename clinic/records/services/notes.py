"""A therapist notes what was done in a visit of their own. A note is never edited: a correction is a new one."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import treated, visits
from clinic.records.models import SessionNote
from clinic.records.queries.notes import BEGUN, notes_of
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, MoveNotAllowed, NotFound
from clinic.rules.language import _
from clinic.rules.words import grouped
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.therapists import queries as therapists

LONGEST = 4000


@tried_again
def write_note(visit_id: int, text: str, *, corrects_id: int | None = None, by: int, now: dt.datetime) -> int:
    """Keep a note of one's own visit, once it has begun; with `corrects_id` in the place of an own note of it.

    Returns its id, or that of one that reads just so already. Raises NotFound for somebody else's visit or note, and
    once the client is no longer treated by this therapist; InvalidInput, MoveNotAllowed before the visit has begun,
    ChangedMeanwhile for a note that was corrected.
    """
    if not text.strip():
        raise InvalidInput("text", _("Write what was done."))
    if len(text) > LONGEST:
        raise InvalidInput(
            "text", _("Write this in at most %(longest)s characters.", longest=grouped(LONGEST))
        )
    with transaction() as session:
        visit = _own_visit(visit_id, by=by, now=now)
        if visit.status not in BEGUN:
            raise MoveNotAllowed(_("A note can be written once the visit has begun."))
        if (kept := _kept_already(visit_id, text.strip(), by)) is not None:
            return kept
        if corrects_id is not None:
            _check_corrected(session, corrects_id, visit_id, by)
        row = SessionNote(visit_id=visit_id, corrects_id=corrects_id, written_at=now, written_by_id=by)
        row.text = text.strip()
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            raise ChangedMeanwhile from None  # the other of two corrections at once was first
        leave_trace(
            session, "note.written", "visit", visit_id, by=by, now=now, corrects=corrects_id is not None
        )
        return row.id


def may_note(visit_id: int, *, by: int, now: dt.datetime) -> bool:
    """Whether this person reads and writes notes of this visit: its therapist, while they treat the client."""
    try:
        _own_visit(visit_id, by=by, now=now)
    except NotFound:
        return False
    return True


def _own_visit(visit_id: int, *, by: int, now: dt.datetime) -> Visit:
    me = therapists.therapist_of_user(by)
    visit = treated.visit_of_therapist(me.id, visit_id) if me is not None else None
    if (
        me is None
        or visit is None
        or visit.client_id is None
        or not visits.treats(me.id, visit.client_id, now)
    ):
        raise NotFound()
    return visit


def _kept_already(visit_id: int, text: str, by: int) -> int | None:
    """The own note that reads just so: sent twice, it is kept once."""
    return next((one.id for one in notes_of(visit_id) if one.by_id == by and one.text == text), None)


def _check_corrected(session: Session, note_id: int, visit_id: int, by: int) -> None:
    old = session.get(SessionNote, note_id)
    if old is None or old.visit_id != visit_id or old.written_by_id != by:
        raise NotFound()
    if session.scalar(select(SessionNote.id).where(SessionNote.corrects_id == note_id)) is not None:
        raise ChangedMeanwhile
