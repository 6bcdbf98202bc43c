"""Times that a program keeps for somebody, without a checkout: kept, kept longer, given back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.services._claims import client_first, keep_longer_until
from clinic.booking.services._placing import place_person
from clinic.booking.services._programs import PROGRAM, check_online_start
from clinic.booking.services._steps import set_status
from clinic.booking.services.checkout import Choice, new_hold
from clinic.clients.steps import who_stands
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import HoldExpired, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import transaction, tried_again

GIVEN_BACK = (VisitStatus.HELD, VisitStatus.RELEASED)


@tried_again
def keep_time(
    choice: Choice,
    starts_at: dt.datetime,
    *,
    client_id: int | None,
    source: str,
    by: int | None,
    now: dt.datetime,
) -> int:
    """Keep this time; returns the visit that is held. Nothing is judged before it is booked.

    Raises SlotTaken with the nearest free times, InvalidInput, NotFound for an unknown client, TooSoon, TooFarAhead.
    """
    with transaction() as session:
        client = who_stands(session, client_id, is_judged=False) if client_id is not None else None
        if client is None and client_id is not None:
            raise NotFound(_("There is no such client."))
        if client is not None:
            client_first(session, client.id)
        check_online_start(
            starts_at, now, choice.location_id, client_id=client.id if client is not None else None
        )
        people = [client.id] if client is not None else []
        first_visit = client is None or not visits.has_been_before(client.id, starts_at)
        visit = new_hold(
            session, choice, starts_at, first_visit=first_visit, user_id=by, now=now, people=people
        )
        visit.source = source
        if client is not None:
            place_person(session, visit, client, now=now)
        return visit.id


@tried_again
def keep_longer(visit_id: int, *, now: dt.datetime) -> None:
    """The person is still working: a little longer, up to the limit. Raises HoldExpired, NotFound."""
    with transaction() as session:
        visit = _held(session, visit_id)
        if visit.deadline_at is None:
            raise HoldExpired()
        until = booking_policy.renewed_hold(
            visit.created_at, visit.deadline_at, now=now, settings=premises.booking_settings()
        )
        keep_longer_until(session, visit, until)


@tried_again
def give_back(visit_id: int, *, now: dt.datetime) -> None:
    """Give the time back; done twice it stays given back. Raises NotFound for anything that is no hold."""
    with transaction() as session:
        visit = _kept_by_a_program(session, visit_id)
        if visit.status not in GIVEN_BACK:
            raise NotFound(_("There is no such hold."))
        if visit.status == VisitStatus.HELD:
            set_status(session, visit, VisitStatus.RELEASED, by=None, now=now, reason="left")


def _kept_by_a_program(session: Session, visit_id: int) -> Visit:
    """What people keep while they book, and what the waitlist keeps for them, is no program's hold."""
    visit = session.get(Visit, visit_id, with_for_update=True)
    if visit is None or visit.source != PROGRAM:
        raise NotFound(_("There is no such hold."))
    return visit


def _held(session: Session, visit_id: int) -> Visit:
    visit = _kept_by_a_program(session, visit_id)
    if visit.status != VisitStatus.HELD:
        raise HoldExpired()
    return visit
