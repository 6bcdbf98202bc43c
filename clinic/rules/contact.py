"""How names, e-mails and phone numbers are compared, so that duplicates are found."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.typed_text import JOINERS


def name_key(first_name: str, last_name: str) -> str:
    """Folded for comparison: no case, accents, joiners, double spaces or punctuation."""
    plain = unicodedata.normalize("NFKD", f"{first_name} {last_name}".casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char) and char not in JOINERS)
    return " ".join(re.sub(r"[^\w]+", " ", letters).split())


def is_like_a_name(typed: str) -> bool:
    """Whether a name was searched for, and no number or address."""
    return any(char.isalpha() for char in typed) and not any(char.isdigit() or char in "@/" for char in typed)


_SMALL = frozenset(
    {"van", "von", "de", "der", "den", "da", "di", "du", "del", "la", "le", "zu", "dos", "bin", "ibn"}
)


def as_names(typed: str) -> tuple[str, str]:
    """First and last name of somebody new, as they were searched for: in capitals where all was typed small."""
    words = typed.split()
    if typed == typed.lower():
        words = [one if one in _SMALL and place else _capital(one) for place, one in enumerate(words)]
    return words[0], " ".join(words[1:])


def _capital(word: str) -> str:
    """Its first letter, and the one after a hyphen or an apostrophe."""
    return re.sub(r"(?:^|(?<=[-'’]))\w", lambda found: found[0].upper(), word)


ONE_NAME = "-"
"""What is written for the last name of somebody who has one name only."""


def family_name(typed: str) -> str:
    """A last name as it is kept: nothing where a dash stands for it."""
    name = typed.strip()
    return name if name.strip("-–—") else ""


_WITHOUT_KEY = (("d", "đ"), ("i", "ı"), ("l", "ł"), ("o", "ø"), ("ae", "æ"), ("oe", "œ"))
"""Letters that are typed without their stroke, and stand with it in a `name_key`."""


def spellings(word: str) -> tuple[str, ...]:
    """How a word that was typed may stand in a `name_key`: as it is, with strokes (dang for Đặng), or in two after an
    apostrophe (obrien for O’Brien)."""
    strokes = [word.replace(plain, letter) for plain, letter in _WITHOUT_KEY]
    return tuple(dict.fromkeys((word, *strokes, *([f"{word[0]} {word[1:]}"] if len(word) > 2 else []))))


_OF_COUNTRIES = "|".join([*sorted(phonenumbers.SUPPORTED_REGIONS), "eu", "gs", "hm", "pn", "su", "tf", "uk"])
_OF_ALL = (
    "com|net|org|info|io|ly|xyz|app|biz|blog|click|cloud|club|email|icu|live|online|shop|site|store|support|tech|top"
    "|vip|website"
)
"""What many addresses end with, and hardly a name: kim, ford and wang are endings as well."""
_WEB_ADDRESS = re.compile(
    r"://|\bhttps?:|\bwww\."
    rf"|[^\s.]\.(?:{_OF_ALL})\b"
    # behind a word of two letters or more: J.Li is a name
    rf"|\w[^\s.,;()/]+\.(?:[^\s.]+\.)*(?:{_OF_COUNTRIES})(?!\.?[\w'’-])"
    r"|[^\s.]\.[^\W\d_][^\s./\\?#]+[/\\?#]"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"
    r"|\w@[\w-]+\.\w",
    re.IGNORECASE,
)


def holds_web_address(name: str) -> bool:
    """Whether a mail program would make a link of what was given as a name, which is not long: looking takes longer
    than it grows. A page's dot may be a wide one."""
    return _WEB_ADDRESS.search(unicodedata.normalize("NFKC", name).replace("。", ".")) is not None


def check_email(email: str) -> None:
    """Raises InvalidInput for what no mail can be sent to; nothing typed is fine. Before the @ most mail servers know
    ASCII alone."""
    if not email.strip():
        return
    try:
        validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise InvalidInput(
            "email", _("This does not look like an e-mail address. Check it, or leave it empty.")
        ) from error


def for_mail_servers(email: str) -> str:
    """The address as every mail server takes it: a domain with an umlaut is spelt in ASCII there."""
    try:
        found = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return email
    return found.ascii_email or email


def email_key(email: str | None) -> str | None:
    """Lower case and trimmed; None when there is none. Mails go to it, so an ß stays: with ss it is another domain."""
    return (email or "").strip().lower() or None


_SUFFIXES = frozenset({"jr", "junior", "sr", "senior", "ii", "iii", "iv"})


def alike_name(key: str) -> str:
    """A `name_key` as look-alikes are found by: first and last name may be swapped, suffixes are left out."""
    words = key.split()
    return " ".join(sorted(word for word in words if word not in _SUFFIXES) or words)


def alike_email(key: str | None) -> str | None:
    """An `email_key` as look-alikes are found by: what stands behind a "+" reaches the same box, and so do dots at the
    one big provider that ignores them."""
    if key is None:
        return None
    box, at, domain = key.partition("@")
    box = box.partition("+")[0] or box
    if domain in ("gmail.com", "googlemail.com"):
        box, domain = box.replace(".", ""), "gmail.com"
    return f"{box}{at}{domain}"


def phone_words(phone: str | None, region: str) -> str:
    """The number as it is written in this region (ISO 3166), with its country where it is another one: (212) 555-0143.
    What cannot be a number, or would be read as another one, stays as it was typed."""
    text = (phone or "").strip()
    number = _number(text, region)
    if number is None:
        return text
    is_at_home = number.country_code == phonenumbers.country_code_for_region(region)
    form = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(number, form.NATIONAL if is_at_home else form.INTERNATIONAL)
    return written if _number(written, region) == number else text


def _number(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def phone_key(phone: str | None, region: str) -> str | None:
    """The number as +15551234567; None when there is none. Raises InvalidInput for what cannot be a number.

    `region` (ISO 3166) is assumed for numbers written without a country.
    """
    text = (phone or "").strip()
    if not text:
        return None
    number = _number(text, region)
    if number is None:
        if text.startswith("00"):  # not read as "+": where 00 does not lead abroad, it may as well be a slip
            raise InvalidInput("phone", _("Begin a number from another country with + instead of 00."))
        raise InvalidInput("phone", _("This does not look like a phone number. Write it with its area code."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
