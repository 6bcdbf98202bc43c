"""How names, e-mails and phone numbers are compared, so that duplicates are found."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from clinic.rules.errors import InvalidInput
from clinic.rules.typed_text import JOINERS


def name_key(first_name: str, last_name: str) -> str:
    """Folded for comparison: no case, accents, joiners, double spaces or punctuation."""
    plain = unicodedata.normalize("NFKD", f"{first_name} {last_name}".casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char) and char not in JOINERS)
    return " ".join(re.sub(r"[^\w]+", " ", letters).split())


def email_key(email: str | None) -> str | None:
    """Lower case and trimmed; None when there is none."""
    return (email or "").strip().casefold() or None


def phone_key(phone: str | None, region: str) -> str | None:
    """The number as +15551234567; None when there is none. Raises InvalidInput for what cannot be a number.

    `region` (ISO 3166) is assumed for numbers written without a country.
    """
    text = (phone or "").strip()
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise InvalidInput("phone", "This does not look like a phone number. Write it with its area code.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
