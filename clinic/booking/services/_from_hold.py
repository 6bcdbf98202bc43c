"""Steps inside a transaction: what began as one held time in a checkout is booked as several visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.models import Checkout, Claim, Visit
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.checkouts import all_before
from clinic.booking.services._claims import claim_back
from clinic.booking.services._forgetting import forget_guest, note_open_questions
from clinic.booking.services._judging import wait_for_answers
from clinic.booking.services._placing import hand_on_aim
from clinic.booking.services._steps import set_status
from clinic.booking.services.checkout import Choice
from clinic.booking.services.series_starts import clinic_of, has_said_today
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.rules.errors import BarredOnline, HoldExpired, InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus


def checkout_of(token: str, client_id: int, user_id: int | None) -> Checkout:
    """The open checkout of this account for this person, locked. Raises HoldExpired when it is finished or gone."""
    row = visits.checkout(token, to_change=True)
    if row is None or row.finished_at is not None or row.client_id is None:
        raise HoldExpired()
    begun_for, asked_for = clients.client(row.client_id), clients.client(client_id)  # by the records of today
    if begun_for is None or asked_for is None or begun_for.id != asked_for.id:
        raise HoldExpired()
    if user_id is None or row.user_id != user_id:
        raise NotFound()
    return row


def check_books_online(client: Client, choice: Choice, *, user_id: int | None, now: dt.datetime) -> None:
    """Raise where this account may not book several visits at once for this person: somebody else's (NotFound), one
    whom only the desk books for (BarredOnline), or who has not said today what has changed."""
    if user_id is None or clients.client_of(user_id, client.id) is None:
        raise NotFound()
    if client.is_barred_online:
        raise BarredOnline()
    if not has_said_today(client.id, clinic_of(choice), now):
        raise InvalidInput("answers", _("Please tell us first whether your health answers are still right."))


def note_questions(session: Session, checkout: Checkout, client: Client) -> None:
    """Before they are judged: as for one visit, with the time that was kept for them."""
    held = session.get(Visit, checkout.visit_id) if checkout.visit_id is not None else None
    if held is not None:
        if before := all_before(checkout):
            wait_for_answers(session, client, also=before)
        note_open_questions(session, held, client)


def claimed_by(session: Session, visit_id: int | None) -> Sequence[int]:
    """What a held time claims: whoever gives it back waits for all of it first."""
    return session.scalars(select(Claim.resource_id).where(Claim.visit_id == visit_id)).all()


@dataclass(frozen=True)
class Kept:
    """A time that was kept until a moment ago, and what it claimed."""

    held: Visit
    resources: Sequence[int]

    def claim_for(self, session: Session, visit: Visit, ask: Ask) -> bool:
        """Claim this visit where the time was kept: time off and closures that were entered meanwhile do not take it
        away. Whether it is such a visit, and could be."""
        held = self.held
        if visit.starts_at != held.starts_at or visit.free_at > held.free_at:
            return False
        if ask.therapist_id not in (None, held.therapist_id):
            return False
        mine = replace(ask, therapist_id=held.therapist_id)
        return claim_back(session, visit, mine, self.resources, expires_at=None, room_first=held.room_id)


def give_back(
    session: Session, visit_id: int | None, resources: Sequence[int], *, by: int | None, now: dt.datetime
) -> Kept | None:
    """The held time makes room for what is booked in the same transaction: nobody comes in between. Returns it while it
    had not run out; `resources` are what it claimed."""
    held = session.get(Visit, visit_id, with_for_update=True) if visit_id is not None else None
    if held is None or held.status != VisitStatus.HELD:
        return None
    is_kept = held.deadline_at is not None and held.deadline_at > now
    set_status(session, held, VisitStatus.RELEASED, by=by, now=now, reason="booked with others")
    return Kept(held, resources) if is_kept else None


def finish(session: Session, checkout: Checkout, visit: Visit, now: dt.datetime) -> None:
    """The checkout ends with the first of the visits, which takes what was written about the aim."""
    held = session.get(Visit, checkout.visit_id) if checkout.visit_id is not None else None
    hand_on_aim(held, visit)
    checkout.visit_id, checkout.finished_at, checkout.updated_at = visit.id, now, now
    forget_guest(session, checkout)
