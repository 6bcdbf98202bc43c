"""Steps inside a transaction: two visits part, and who keeps the room that they shared."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update
from sqlalchemy.orm import Session

from clinic.booking.models import Claim, Couple, Visit
from clinic.booking.queries import couples
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus, holds_claims


def part(session: Session, visit: Visit, now: dt.datetime) -> None:
    """A visit that is over leaves its couple: the room goes to the other one, which stands by itself from now on.

    Raises MoveNotAllowed for a visit that stands: of a couple none is moved or changed without the other.
    """
    if visit.couple_id is None:
        return
    if holds_claims(VisitStatus(visit.status)):
        check_not_of_two(visit)
    partner = couples.partner_of(visit, to_change=True)
    if partner is not None:
        end_couple(session, visit.couple_id, keeper=partner, now=now)
        partner.couple_id = None
        session.flush()
    elif session.get_one(Couple, visit.couple_id).ended_at is None:
        end_couple(session, visit.couple_id, keeper=visit, now=now)


def check_not_of_two(visit: Visit) -> None:
    """Raise MoveNotAllowed for one of two visits that belong together."""
    if visit.couple_id is not None:
        raise MoveNotAllowed(
            _(
                "This visit is booked for two people, and both move together. Use the page of both, or call the clinic."
            )
        )


def end_couple(session: Session, couple_id: int, *, keeper: Visit, now: dt.datetime) -> None:
    """The two no longer belong together; what they shared is claimed by one of them, while that one needs it."""
    session.execute(
        update(Claim)
        .where(Claim.couple_id == couple_id)
        .values(visit_id=keeper.id, couple_id=None, ends_at=keeper.free_at)
    )
    session.get_one(Couple, couple_id).ended_at = now
    session.flush()
