"""Which passwords are accepted: long enough, not one of the commonest, not made of the clinic or the e-mail.

Lengths follow NIST SP 800-63B-4: 15 for a password used alone, 8 beside a second step. No rules about kinds of
characters, no forced change, pasting welcome.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from clinic.accounts.common_passwords import is_common
from clinic.accounts.passwords import LONGEST
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _

SHORTEST_ALONE = 15
SHORTEST_OF_TWO = 8
FEWEST_DIFFERENT = 5
SHORTEST_NAME = 4  # shorter names and mailbox names turn up inside honest passwords by chance

COMMON_WORDS = (
    "abc", "admin", "administrator", "appointment", "arsenal", "asdf", "asdfghjkl", "barcelona", "baseball",
    "basketball", "batman", "behandlung", "booking", "chamber", "changeme", "charlie", "chelsea", "chocolate",
    "clinic", "computer", "decompression", "default", "dragon", "facebook", "football", "forever", "freedom",
    "friend", "google", "guest", "hallo", "hello", "internet", "iloveyou", "jennifer", "jordan", "letmein",
    "liverpool", "login", "lovely", "manager", "massage", "massagepraxis", "master", "michael", "monkey",
    "mustang", "naruto", "nothing", "owner", "pass", "passwd", "password", "passwort", "pokemon", "praxis",
    "princess", "qazwsx", "qwer", "qwerty", "qwertyuiop", "qwertz", "reception", "rockyou", "samsung", "secret",
    "shadow", "spa", "starwars", "summer", "sunshine", "superman", "superstar", "termin", "test", "therapeut",
    "therapie", "therapist", "therapy", "thisismy", "trustno", "user", "vacuum", "welcome", "welcometo",
    "whatever", "winter", "my", "the", "new", "love", "you", "your", "i", "is", "me", "one", "two", "three",
)  # fmt: skip
ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)

_NEIGHBOURS = frozenset(pair for row in ROWS for line in (row, row[::-1]) for pair in pairwise(line))
_ONLY_COMMON = re.compile(f"(?:{'|'.join(COMMON_WORDS)})+")
_AS_LETTERS = str.maketrans("@4301!$5", "aaeoiiss")


def shortest(*, has_second_step: bool) -> int:
    """How many characters a new password needs at least."""
    return SHORTEST_OF_TWO if has_second_step else SHORTEST_ALONE


def is_short(password: str) -> bool:
    """Whether it is too short to be used without a second step."""
    return len(password) < SHORTEST_ALONE


def check_new_password(
    password: str, *, has_second_step: bool, email: str, clinic_name: str, field: str = "password"
) -> None:
    """Raise InvalidInput for `field` when this cannot be the password of the account with that e-mail."""
    least = shortest(has_second_step=has_second_step)
    if len(password) < least:
        raise InvalidInput(
            field,
            _("Use at least %(least)s characters. A few words in a row are easy to remember.", least=least),
        )
    if len(password) > LONGEST:
        raise InvalidInput(field, _("Use at most %(longest)s characters.", longest=LONGEST))
    if is_common(password) or is_easily_guessed(password):
        raise InvalidInput(field, _("This password is one of the first that people try. Choose another one."))
    if _holds(password, _names_of(email, clinic_name)):
        raise InvalidInput(field, _("Leave the clinic's name and your e-mail address out of the password."))


def is_easily_guessed(password: str) -> bool:
    """Whether it is a common word, a row of keys, or the same few characters again and again."""
    folded = password.casefold()
    if len(set(folded)) < FEWEST_DIFFERENT or _is_row_of_keys(folded):
        return True
    return any(_ONLY_COMMON.fullmatch(_letters(text)) for text in (folded, folded.translate(_AS_LETTERS)))


def _is_row_of_keys(folded: str) -> bool:
    pairs = list(pairwise(folded))
    return sum(pair in _NEIGHBOURS for pair in pairs) >= 0.8 * len(pairs)


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalpha())


def _names_of(email: str, clinic_name: str) -> Iterable[str]:
    return _plain(email), _plain(email.partition("@")[0]), _plain(clinic_name)


def _holds(password: str, names: Iterable[str]) -> bool:
    plain = _plain(password)
    return any(len(name) >= SHORTEST_NAME and name in plain for name in names)


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
