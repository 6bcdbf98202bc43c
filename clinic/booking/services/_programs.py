"""Steps inside a transaction: what a booking by a program needs beside those of the desk's."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.services._steps import set_status
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.errors import HoldExpired, InvalidInput
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus

PROGRAM: Final = "api"
"""The source of a visit that a program booked."""


def check_online_start(
    starts_at: dt.datetime, now: dt.datetime, location_id: int | None = None, *, client_id: int | None = None
) -> None:
    """Raise TooSoon or TooFarAhead for a start that nobody is offered online at that place (None: the first one), or
    that this person is not, who may be new here."""
    facts = premises.clinic_facts()
    if facts is None:
        return
    zone = ZoneInfo(premises.where(facts, location_id)[1])
    booking_policy.check_start(starts_at, now=now, zone=zone, settings=settings_for(client_id))


def settings_for(client_id: int | None) -> BookingSettings:
    """The rules for booking online of this person, who may be new here; None: of nobody in particular."""
    settings = premises.booking_settings()
    person = clients.client(client_id) if client_id is not None and settings.tells_new_apart else None
    if person is not None and not visits.is_known([person.id]):
        return settings.for_new()
    return settings


def since_kept(held: Visit | None, starts_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Since when this very start is kept under the hold; None where it is not, or not any more."""
    if held is None or held.status != VisitStatus.HELD or held.starts_at != starts_at:
        return None
    return held.created_at if held.deadline_at is not None and held.deadline_at > now else None


def kept_since(
    session: Session,
    hold_id: int | None,
    starts_at: dt.datetime,
    minutes: int,
    client_id: int,
    *,
    now: dt.datetime,
) -> dt.datetime | None:
    """Since when this very time, for as long, is kept under the hold for this person or for nobody yet; None where it
    is not, or not any more. Whoever keeps a time in good time may fill in what is asked until the hold ends, as on the
    pages, and take what is safe instead."""
    held = session.get(Visit, hold_id) if hold_id is not None else None
    if (
        held is None
        or held.source != PROGRAM
        or held.minutes != minutes
        or held.client_id not in (None, client_id)
    ):
        return None
    return since_kept(held, starts_at, now)


def take_over(
    session: Session,
    hold_id: int,
    starts_at: dt.datetime,
    client_id: int,
    *,
    by: int | None,
    now: dt.datetime,
) -> Visit:
    """The kept time is given up in the transaction that claims it anew: nobody comes in between. Returns what was kept.
    Raises HoldExpired, InvalidInput when another time was kept, or for somebody else."""
    held = session.get(Visit, hold_id, with_for_update=True)
    if held is None or held.status != VisitStatus.HELD or held.source != PROGRAM:
        raise HoldExpired()
    kept_for = clients.client(held.client_id) if held.client_id is not None else None
    if kept_for is not None and kept_for.id != client_id:
        raise InvalidInput("hold", _("This time is kept for somebody else."))
    if held.starts_at != starts_at:
        raise InvalidInput("starts_at", _("Another time was kept under this hold."))
    set_status(session, held, VisitStatus.RELEASED, by=by, now=now, reason="booked")
    return held
