"""What settings do, in sentences that come from the rules themselves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from clinic.rules.booking_policy import BookingSettings
from clinic.rules.setting_effects import effects

ZONE = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)  # Tuesday, 9 in the morning


@dataclass
class Set:
    offer_minutes: int = 60
    travel_minutes: int = 30
    adult_age: int = 18
    guardian_in_room_age: int = 15
    intake_valid_days: int = 365
    minor_intake_valid_days: int = 182
    treated_days_back: int = 30
    treated_days_ahead: int = 60
    uses_24_hours: bool = False
    month_first: bool = False
    check_in_needed: bool = True
    minds_rest: bool = True
    turnover_may_overrun: bool = True
    gaps: str = "any"
    reminder_hours: str = "48, 3"


def said(
    booking: BookingSettings | None = None, rules: Set | None = None, now: dt.datetime = NOW
) -> dict[str, str]:
    return effects(booking or BookingSettings(), rules or Set(), now=now, zone=ZONE)


def test_each_setting_says_what_happens() -> None:
    found = said()
    assert found["slot_step_minutes"] == "Times such as 9:00 am, 9:15 am, 9:30 am, 9:45 am."
    assert found["lead_time_minutes"] == (
        "Right now nothing before Tuesday 9 June at 11:00 am can be booked online."
    )
    assert found["horizon_days"] == "Today the last day that can be booked online is Saturday 8 August."
    assert found["new_lead_time_minutes"] == found["new_horizon_days"] == "The same as for everybody."
    assert found["cancel_notice_hours"] == (
        "For a visit on Saturday 13 June at 10:00 am that is until Friday 12 June at 10:00 am."
    )
    assert found["hold_minutes"] == "Who chooses a time at 10:00 am keeps it until 10:10 am."
    assert found["pending_days"] == (
        "A visit on Tuesday 30 June at 10:00 am that is booked now and is not confirmed is given back on"
        " Tuesday 16 June at 9:00 am."
    )
    assert found["pending_hours_before"] == (
        "A visit on Friday 12 June at 10:00 am is given back on Thursday 11 June at 10:00 am."
    )
    assert found["pending_short_hours_before"].endswith("is given back on Wednesday 10 June at 8:00 am.")
    assert found["reminder_hours"] == (
        "Of a visit on Tuesday 30 June at 10:00 am people are reminded on Sunday 28 June at 10:00 am and"
        " Tuesday 30 June at 7:00 am."
    )
    assert found["adult_age"] == "Today that is who was born by 9 June 2008."
    assert found["guardian_in_room_age"] == "Today that is who was born after 9 June 2010."
    assert found["intake_valid_days"] == "Signed today, they hold for visits up to Wednesday 9 June 2027."
    assert (
        found["treated_days_back"] == "After a visit today the therapist can read them until Thursday 9 July."
    )


def test_other_settings_say_something_else() -> None:
    before, rules = said(), replace(
        Set(), uses_24_hours=True, month_first=True, check_in_needed=False, minds_rest=False,
        turnover_may_overrun=False, gaps="only", adult_age=16, guardian_in_room_age=12, intake_valid_days=30,
        minor_intake_valid_days=10, reminder_hours="",
        treated_days_back=1, treated_days_ahead=2, offer_minutes=20, travel_minutes=45,
    )  # fmt: skip
    booking = BookingSettings(
        lead_minutes=60, horizon_days=9, slot_step_minutes=20, hold_minutes=5, hold_longest_minutes=15, pending_days=2,
        pending_ends_hours_before=48, pending_near_ends_hours_before=1, cancel_notice_hours=48, new_lead_minutes=600,
        new_horizon_days=3,
    )  # fmt: skip
    after = said(booking, rules)
    assert {name for name in after if after[name] == before[name]} == set()
    assert after["reminder_hours"] == "Nobody is reminded."
    assert after["cancel_notice_hours"] == (
        "For a visit on Saturday 13 June at 10:00 that is until Thursday 11 June at 10:00."
    )


def test_the_last_day_of_february_and_a_new_clock_break_nothing() -> None:
    leap = dt.datetime(2028, 2, 29, 15, tzinfo=dt.UTC)
    assert said(now=leap)["adult_age"] == "Today that is who was born by 28 February 2010."
    before_the_change = dt.datetime(2026, 3, 4, 15, tzinfo=dt.UTC)  # the clock is changed on 8 March
    assert said(BookingSettings(cancel_notice_hours=24), now=before_the_change)["cancel_notice_hours"] == (
        "For a visit on Sunday 8 March at 10:00 am that is until Saturday 7 March at 9:00 am."
    )


def test_what_is_said_of_gaps_holds_for_every_step() -> None:
    """It once spoke of quarters of an hour, in a clinic whose times start every hour."""
    assert "quarter" not in said(BookingSettings(slot_step_minutes=60))["gaps"]
