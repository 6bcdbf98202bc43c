"""What an owner enters about therapists, as plain values that forms, services and queries share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class TherapistFacts:
    """A therapist's profile. `licence_expires_on` is the last day on which the licence is good; `skill_dates`: skill,
    first and last day, of those that are not good for ever."""

    name: str
    bio: str
    gender: str
    tint: int
    licence_kind: str
    licence_number: str
    licence_expires_on: dt.date
    skills: tuple[str, ...]
    user_id: int | None
    is_active: bool
    most_minutes_a_day: int | None = None
    most_intense_minutes_a_day: int | None = None
    most_visits_a_day: int | None = None
    pause_minutes: int | None = None
    skill_dates: tuple[tuple[str, dt.date | None, dt.date | None], ...] = ()
