"""A text that an owner wrote: words with places like {name} that the program fills. It can do nothing else.

One pass over the words: what is filled in is never looked at again, and nothing is run.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Final

from clinic.rules.language import N_, _, gettext
from clinic.rules.words import day_words

_PLACE = re.compile(r"\{([^{}\n]*)\}")
LINK: Final = "link"
MOST_SUBJECT, MOST_BODY = 120, 4000

PLACES: Final[Mapping[str, str]] = {  # what each place stands for, and what a preview puts there
    "advice": N_("Get up slowly and sit for a minute."),
    "browser": N_("Firefox on Windows"),
    "by": "Robin Sample",
    "clinic": N_("Sample Clinic"),
    "count": N_("2 visits"),
    "day": "%(day)s",
    "deadline": N_("%(day)s at 5:00 pm"),
    "expected": N_("2:45 pm"),
    "first": "%(day)s",
    "hint": "",
    "last": "%(day)s",
    "late": N_("15 minutes"),
    "left": "9",
    "length": N_("1 hour"),
    "link": "https://clinic.example/visit/sample",
    "name": "Robin",
    "new_email": "robin@clinic.example",
    "notice_hours": "24",
    "phone": "+1 212 555 0100",
    "place": "12 Main Street, Springfield",
    "therapist": "Alex Sample",
    "until": "%(day)s",
    "visits": N_("%(day)s at 2:30 pm, 1 hour, with Alex Sample"),
    "what": N_("An authenticator app was added"),
    "when": N_("%(day)s at 2:30 pm"),
    "who": "Alex Sample",
}
_MONDAY, _TUESDAY, _FRIDAY = dt.date(2026, 6, 8), dt.date(2026, 6, 9), dt.date(2026, 6, 12)
_SAMPLE_DAYS: Final[Mapping[str, dt.date]] = {
    "day": _TUESDAY, "deadline": _MONDAY, "first": _MONDAY, "last": _FRIDAY, "until": _FRIDAY, "visits": _TUESDAY,
    "when": _TUESDAY,
}  # fmt: skip


def sample_of(place: str) -> str:
    """What a preview puts in this place, its day as the mail itself writes it in the language of the moment."""
    text, day = gettext(PLACES[place]), _SAMPLE_DAYS.get(place)
    if day is None:
        return text
    # A visit's day has its year; only the therapist's own list of today has none.
    return text % {"day": day_words(day, today=day if place == "day" else None)}


def fill(text: str, values: Mapping[str, object]) -> str:
    """The text with its places filled; one that is not known stays as it was written."""
    return _PLACE.sub(lambda found: str(values.get(found[1], found[0])), text)


def mistake_in(text: str, places: Collection[str]) -> str | None:
    """What is wrong with the places of a text, in a sentence; None when it is right."""
    unknown = [name for name in _PLACE.findall(text) if name not in places]
    if unknown:
        return _("There is no %(place)s in this message. Choose from the list.", place=f"{{{unknown[0]}}}")
    left = _PLACE.sub("", text)
    if "{" in left or "}" in left:
        return _("A { or } stands alone. Write a place like {name}.")
    return None
