"""What stands in the way, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from gettext import NullTranslations
from zoneinfo import ZoneInfo

import pytest

from clinic.rules import language
from clinic.rules.booking_policy import BookingSettings
from clinic.rules.licence import Days
from clinic.rules.wall_time import WallClock, epoch_minute
from clinic.rules.why_no_times import Reason, Why
from clinic.rules.why_words import Named, Shut

ZONE = ZoneInfo("Europe/Berlin")
ANA, ROOM, BEN, CID = 1, 2, 3, 4


def minute(*when: int) -> int:
    return epoch_minute(dt.datetime(*when, tzinfo=ZONE))  # type: ignore[misc,arg-type]


NAMED = Named(
    names={ANA: "Ana", ROOM: "Room 2", BEN: "Ben", CID: "Cid"},
    licence_ends={ANA: dt.date(2026, 5, 3)},
    skilled={
        ANA: Days(None, dt.date(2026, 5, 3)),
        BEN: Days(dt.date(2026, 5, 3)),
        CID: Days(dt.date(2026, 5, 3), dt.date(2026, 5, 4)),
    },
    device_kinds=["stone_heater"],
    shut={
        1: Shut(minute(2026, 12, 24), minute(2026, 12, 25), "Christmas Eve"),
        2: Shut(minute(2026, 12, 24), minute(2026, 12, 27), "Christmas"),
        3: Shut(minute(2026, 12, 24, 9), minute(2026, 12, 24, 12, 30), "repair"),
    },
    settings=BookingSettings(lead_minutes=240, horizon_days=60),
    clock=WallClock(ZONE),
    uses_24_hours=True,
)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason(Why.LEAD_TIME), "Lead time: online this is booked at least 4 hours ahead."),
        (Reason(Why.HORIZON), "Too far ahead: online this is booked up to 60 days ahead."),
        (
            Reason(Why.CLIENT_BUSY, 0, minute(2026, 5, 4, 10)),
            "The client has another visit, or a time that is kept for them, at 10:00 on Monday 4 May 2026.",
        ),
        (Reason(Why.CLIENT_BUSY), "The client has another visit, or a time that is kept for them."),
        (Reason(Why.LICENCE, ANA), "The licence of Ana ends on Sunday 3 May 2026."),
        (Reason(Why.SKILL, ANA), "Ana may give this only until Sunday 3 May 2026."),
        (Reason(Why.SKILL, BEN), "Ben may give this only from Sunday 3 May 2026 on."),
        (Reason(Why.SKILL, CID), "Cid may give this only from Sunday 3 May 2026 to Monday 4 May 2026."),
        (Reason(Why.NO_DEVICE, 0, 0), "There is no stone heater in use here."),
        (Reason(Why.CLOSED, 0, 1), "Closed on Thursday 24 December 2026: Christmas Eve."),
        (
            Reason(Why.CLOSED, 0, 2),
            "Closed from Thursday 24 December 2026 to Saturday 26 December 2026: Christmas.",
        ),
        (
            Reason(Why.SHUT, ROOM, 3),
            "Room 2 is closed from Thursday 24 December 2026 at 09:00 to Thursday 24 December 2026 at 12:30: repair.",
        ),
        (Reason(Why.TAKEN, ROOM), "Room 2 is taken by another visit."),
        (Reason(Why.OFF, ANA), "Ana is off."),
    ],
)
def test_a_reason_in_words(reason: Reason, said: str) -> None:
    assert NAMED.say(reason) == said


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_has_words(why: Why) -> None:
    said = NAMED.say(Reason(why, ANA, 0 if why is Why.NO_DEVICE else 1))
    assert said.endswith(".")
    assert "{" not in said


def test_one_who_was_asked_for_and_cannot_give_it_is_named() -> None:
    asked = replace(NAMED, asked="Ben")
    assert NAMED.say(Reason(Why.NOBODY)) == "Nobody who may give this here has working hours."
    assert asked.say(Reason(Why.NOBODY)) == "Ben cannot give this visit."
    assert asked.say(Reason(Why.OFF, ANA)) == "Ana is off."


def test_reasons_are_said_in_the_language_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    class German(NullTranslations):
        def gettext(self, message: str) -> str:
            return {"{name} is off.": "{name} ist abwesend.", "Stone heater": "Steinwärmer"}.get(
                message, message
            )

    monkeypatch.setattr(language._Spoken, "translations", German)
    monkeypatch.setattr(language._Spoken, "language", staticmethod(lambda: "de"))
    assert NAMED.say(Reason(Why.OFF, ANA)) == "Ana ist abwesend."
    assert "Steinwärmer" in NAMED.say(Reason(Why.NO_DEVICE, 0, 0))
