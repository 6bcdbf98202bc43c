"""Licences and skills that end soon or have ended, as a list of what to renew."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from clinic.rules.kinds import SKILLS, words_of
from clinic.rules.licence import Days, LicenceState, licence_state, skill_words
from clinic.therapists import queries


@dataclass(frozen=True)
class Ending:
    """What of whom, and what to say of it; an empty `skill` is the licence."""

    therapist_id: int
    name: str
    skill: str
    words: str


def ending_soon(today: dt.date) -> list[Ending]:
    """Of everybody who can be booked, soonest first. Two statements."""
    dated = [
        (ends_on, row.name, skill, row.id)
        for row in queries.active_therapists()
        for skill, ends_on in [
            ("", row.licence_expires_on),
            *((words_of(one.skill, SKILLS), one.ends_on) for one in row.skill_rows),
        ]
        if ends_on is not None and licence_state(ends_on, today) is not LicenceState.GOOD
    ]
    return [
        Ending(key, name, skill, skill_words(Days(None, ends_on), today))
        for ends_on, name, skill, key in sorted(dated)
    ]
