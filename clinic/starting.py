"""The first minute of a real clinic: its settings, its place, the catalogue to start from, and its owner."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.numbers import get_territory_currencies
from email_validator import EmailNotValidError, validate_email
from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import select

from clinic.accounts.steps import begin_owner
from clinic.catalogue.services import add_starter_catalogue
from clinic.premises.forms.settings import CURRENCIES
from clinic.premises.models import Clinic, Location, OpeningHours
from clinic.rules.emergency import call_numbers
from clinic.rules.errors import InvalidInput
from clinic.shared.audit import leave_trace
from clinic.shared.database import db, transaction

OPENS, CLOSES = dt.time(9), dt.time(18)
WORKDAYS = range(5)
LONGEST_NAME, LONGEST_NUMBER = 80, 40  # as in the settings


def is_empty() -> bool:
    """Whether no clinic has been set up in this database."""
    return db.session.scalar(select(Clinic.id).limit(1)) is None


@dataclass(frozen=True)
class Begun:
    """What whoever sets up a clinic says about it. `country` is ISO 3166; no health line is an empty number."""

    name: str
    zone: str
    country: str
    emergency_number: str
    health_line_number: str
    owner_name: str
    owner_email: str


def begin_clinic(begun: Begun, *, now: dt.datetime) -> str:
    """Set up an empty clinic and its owner; returns the key of the link that sets the owner's password.

    Raises InvalidInput for a clinic that exists already, an unknown zone or country, a number or an e-mail that
    cannot be one.
    """
    if not is_empty():
        raise InvalidInput("name", "This database already holds a clinic. Nothing was changed.")
    email = _checked(begun)
    name, number = begun.name.strip(), begun.health_line_number.strip()
    known = call_numbers(begun.country)
    line = known.health_line_name if known and known.health_line == number else "the health advice line"
    with transaction() as session:
        session.add(
            Clinic(
                id=1, name=name, mail_sender=email, phone_region=begun.country,
                **_habits(begun.country),
                emergency_number=begun.emergency_number, health_line_number=number,
                health_line_name=line if number else "",
            )
        )  # fmt: skip
        place = Location(name=name, address="", phone="", zone=begun.zone)
        session.add(place)
        session.flush()
        for weekday in WORKDAYS:
            session.add(OpeningHours(location_id=place.id, weekday=weekday, opens=OPENS, closes=CLOSES))
        add_starter_catalogue(session)
        token = begin_owner(session, email=email, name=begun.owner_name, now=now)
        leave_trace(session, "clinic.begun", "clinic", 1, by=None, now=now)
    return token


def _habits(country: str) -> dict[str, Any]:
    """The money, the clock and the dates of a country, as the owner would set them; what the settings do not offer
    stays out."""
    money = [code for code in get_territory_currencies(country) if code in CURRENCIES][:1]
    try:
        local = Locale.parse(f"und_{country}")
        clock, date = local.time_formats["short"].pattern, local.date_formats["medium"].pattern
    except UnknownLocaleError:  # a few islands
        clock = date = ""
    habits = {"uses_24_hours": "H" in clock, "month_first": -1 < date.find("M") < date.find("d")}
    return habits | ({"currency": money[0]} if money else {})


def _checked(begun: Begun) -> str:
    """The owner's e-mail, when everything else is right too."""
    for field, typed in asdict(begun).items():
        check_typed(field, typed)
    return validate_email(begun.owner_email, check_deliverability=False, allow_smtputf8=False).normalized


def check_typed(field: str, typed: str) -> None:
    """Raise InvalidInput for one answer of `Begun` that cannot be right, so that it can be asked for at once."""
    if field in ("name", "owner_name") and not typed.strip():
        raise InvalidInput(field, "The clinic and its owner need a name.")
    if field in ("name", "owner_name") and len(typed.strip()) > LONGEST_NAME:
        raise InvalidInput(field, f"Write a name of at most {LONGEST_NAME} letters.")
    if field == "zone" and typed not in available_timezones():
        raise InvalidInput(field, f"There is no time zone {typed!r}. Write it like America/New_York.")
    if field == "country" and typed not in SUPPORTED_REGIONS:
        raise InvalidInput(field, f"There is no country {typed!r}. Write two letters, like US.")
    if field == "emergency_number" and not re.fullmatch(r"[0-9]{2,6}", typed):
        raise InvalidInput(field, "The emergency number has 2 to 6 digits, such as 911.")
    if field == "health_line_number" and len(typed) > LONGEST_NUMBER:
        raise InvalidInput(field, "The number of the health advice line is too long.")
    if field == "owner_email" and not _is_email(typed):
        raise InvalidInput(field, "The owner's e-mail address does not look right.")


def _is_email(typed: str) -> bool:
    try:
        validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True
