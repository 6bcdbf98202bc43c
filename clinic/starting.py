"""The first minute of a real clinic: its settings, its place, the catalogue to start from, and its owner."""

from __future__ import annotations

import datetime as dt
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from clinic.accounts.steps import begin_owner
from clinic.catalogue.services import add_starter_catalogue
from clinic.premises.models import Clinic, Location, OpeningHours
from clinic.rules.errors import InvalidInput
from clinic.shared.audit import leave_trace
from clinic.shared.database import db, transaction

OPENS, CLOSES = dt.time(9), dt.time(18)
WORKDAYS = range(5)


def is_empty() -> bool:
    """Whether no clinic has been set up in this database."""
    return db.session.scalar(select(Clinic.id).limit(1)) is None


def begin_clinic(*, name: str, zone: str, owner_name: str, owner_email: str, now: dt.datetime) -> str:
    """Set up an empty clinic and its owner; returns the key of the link that sets the owner's password.

    Raises InvalidInput for a clinic that exists already, an unknown zone, or an e-mail that cannot be one.
    """
    if not is_empty():
        raise InvalidInput("name", "This database already holds a clinic. Nothing was changed.")
    if not name.strip() or not owner_name.strip():
        raise InvalidInput("name", "The clinic and its owner need a name.")
    if zone not in available_timezones():
        raise InvalidInput("zone", f"There is no time zone {zone!r}. Write it like America/New_York.")
    try:
        email = validate_email(owner_email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidInput("owner_email", "The owner's e-mail address does not look right.") from error
    with transaction() as session:
        session.add(Clinic(id=1, name=name.strip(), mail_sender=email))
        place = Location(name=name.strip(), address="", phone="", zone=zone)
        session.add(place)
        session.flush()
        for weekday in WORKDAYS:
            session.add(OpeningHours(location_id=place.id, weekday=weekday, opens=OPENS, closes=CLOSES))
        add_starter_catalogue(session)
        token = begin_owner(session, email=email, name=owner_name, now=now)
        leave_trace(session, "clinic.begun", "clinic", 1, by=None, now=now)
    return token
