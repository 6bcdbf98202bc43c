"""What the demo's clients would like, and what its therapists noted of the visits they gave."""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.records.models import SessionNote
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.therapists.models import Therapist

NOTED = (
    "Neck and shoulders, medium pressure. Felt lighter afterwards. Start on the left side next time.",
    "Worked slowly along the back; two short breaks were welcome. Keep the room a little warmer.",
    "Asked for less pressure after ten minutes, then all was well. Prefers to lie on the side at the end.",
    "Calves were tired from running. Showed two easy stretches for at home.",
    "Quiet visit, no wishes. Same again next time.",
)


WISHES = (
    "A loose neck after long days at the desk.",
    "Just to calm down for an hour.",
    "Legs feel heavy after the run on Sunday.",
    "As last time, please: the upper back, not too strong.",
)


def write_wishes(session: Session, chance: random.Random) -> None:
    """What about half of those who are coming would like."""
    coming = select(Visit).where(Visit.status.in_(UPCOMING)).order_by(Visit.starts_at, Visit.id)
    for visit in session.scalars(coming):
        if chance.random() < 0.5:
            visit.note = chance.choice(WISHES)


def write_notes(session: Session, chance: random.Random) -> None:
    """Of most visits that are done, by those therapists who can sign in."""
    rows = session.execute(
        select(Visit, Therapist.user_id)
        .join(Therapist, Therapist.id == Visit.therapist_id)
        .where(Visit.status == VisitStatus.DONE, Therapist.user_id.is_not(None))
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    for visit, user_id in rows:
        if chance.random() < 0.8:
            written_at = visit.ends_at + dt.timedelta(minutes=5)
            note = SessionNote(
                visit_id=visit.id, corrects_id=None, written_at=written_at, written_by_id=user_id
            )
            note.text = chance.choice(NOTED)
            session.add(note)
