"""The shapes of the waitlist."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BeforeValidator, Field

from clinic.api.shapes import Paging, WishOfWhom
from clinic.api.values import Day, Id, LocalMoment, QueryId, Shape, from_number
from clinic.rules.waitlist import EVERY_DAY, MOST_NOTICE_HOURS, Part

Weekday = Annotated[int, Field(ge=0, le=6), BeforeValidator(from_number)]
Hours = Annotated[int, Field(ge=0, le=MOST_NOTICE_HOURS), BeforeValidator(from_number)]


class WaitlistQuery(Paging):
    client: QueryId | None = None


class WaitlistIn(WishOfWhom):
    """What somebody would like, and when they could come: local days, weekdays (0 is Monday), parts of the day by the
    start (before 12:00, before 17:00, later), and how many hours before the visit they have to know."""

    client: Id
    location: Id | None = None
    first_day: Day
    last_day: Day
    weekdays: list[Weekday] = Field(list(EVERY_DAY), min_length=1, max_length=7)
    parts: list[Part] = Field(list(Part), min_length=1, max_length=3)
    notice_hours: Hours = 0


class OfferOut(Shape):
    """A time that is kept for them until `expires_at`: POST …/accept or …/decline answers it."""

    id: int
    starts_at: LocalMoment
    ends_at: LocalMoment
    therapist: int
    room: int
    made_at: LocalMoment
    expires_at: LocalMoment


class WaitlistOut(Shape):
    """`status` is waiting, offered, or how it ended: booked, withdrawn, over (its last day has passed)."""

    id: int
    status: str
    client: int
    service: str
    mode: str | None
    minutes: int
    addons: list[str]
    areas: list[str]
    therapist: int | None
    gender: str
    location: int
    first_day: dt.date
    last_day: dt.date
    weekdays: list[int]
    parts: list[str]
    notice_hours: int
    made_at: LocalMoment
    offer: OfferOut | None


class WaitlistPageOut(Shape):
    items: list[WaitlistOut]
    page: int
    per_page: int
    total: int
