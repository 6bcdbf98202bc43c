"""The shapes of what the JSON API takes and gives. What is not named in a shape is refused.

Times are ISO 8601 with an offset. Numbers are taken from numbers, moments from text alone: a lax reading would let
a document pass that the OpenAPI description calls wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    WithJsonSchema,
)

from clinic.rules.body_areas import AREAS
from clinic.rules.calendar_text import DAY, DAY_OF_A_LIFE, MOMENT
from clinic.rules.waitlist import EVERY_DAY, MOST_NOTICE_HOURS, Part
from clinic.rules.why_no_times import Why

LARGEST_ID = 2**31 - 1
LARGEST_ROW_ID = 2**53 - 1  # larger whole numbers are not exact in JSON
CONTROL = "\\x00-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069"
"""What no keyboard types: control characters, and those that turn the direction of what is written around them."""
LINE = f"^[^{CONTROL}]*$"
WRITTEN_LINE = f"^[^{CONTROL}]*[^\\s{CONTROL}][^{CONTROL}]*$"
PHONE = "^([+(]?[0-9][0-9 ()./-]{4,37}[0-9])?$"
EMAIL = (
    "^([^@\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@\\s.\\x00-\\x1f\\x7f-\\x9f]+(\\.[^@\\s.\\x00-\\x1f\\x7f-\\x9f]+)+)?$"
)


def _is(pattern: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise ValueError("is not written as the document says")
        return value

    return check


def from_number(value: object) -> object:
    if isinstance(value, str | bool):
        raise ValueError("needs a number")
    return value


def _whole(value: object) -> object:
    """A number in the address line is text."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError("needs a whole number")
    return value


def _known_area(value: str) -> str:
    if value not in AREAS:
        raise ValueError("is no body area")
    return value


def _listed(text: object) -> object:
    """A list in the address line is written with commas; nothing at all is an empty list."""
    return text.split(",") if isinstance(text, str) and text else []


def _text(kind: str, pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": kind, "pattern": pattern})


Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(from_number)]
RowId = Annotated[int, Field(ge=1, le=LARGEST_ROW_ID), BeforeValidator(from_number)]
Minutes = Annotated[int, Field(ge=5, le=480), BeforeValidator(from_number)]
Moment = Annotated[AwareDatetime, BeforeValidator(_is(MOMENT)), _text("date-time", MOMENT)]
Day = Annotated[dt.date, BeforeValidator(_is(DAY)), _text("date", DAY)]
BirthDay = Annotated[dt.date, BeforeValidator(_is(DAY_OF_A_LIFE)), _text("date", DAY_OF_A_LIFE)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=WRITTEN_LINE)]
Key = Annotated[str, Field(min_length=1, max_length=60, pattern="^[a-z0-9_-]+$")]
QueryId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_whole)]
QueryMinutes = Annotated[int, Field(ge=5, le=480), BeforeValidator(_whole)]
QueryDays = Annotated[int, Field(ge=1, le=60), BeforeValidator(_whole)]
QueryPage = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_whole)]
QueryPerPage = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]
Area = Annotated[str, Field(json_schema_extra={"enum": list(AREAS)}), AfterValidator(_known_area)]
Keys = Annotated[list[Key], Field(max_length=10)]
Areas = Annotated[list[Area], Field(min_length=1, max_length=60)]
QueryKeys = Annotated[list[Key], Field(max_length=10), BeforeValidator(_listed)]
QueryAreas = Annotated[list[Area], Field(max_length=60), BeforeValidator(_listed)]


class Shape(BaseModel):
    """The parent of all: a field that is not named is refused."""

    model_config = ConfigDict(extra="forbid")


# ── what is asked ──


class Paging(Shape):
    page: QueryPage = 1
    per_page: QueryPerPage = 50


class AvailabilityQuery(Shape):
    """`from` is a local day of the clinic; lists are written with commas."""

    service: Key
    minutes: QueryMinutes
    from_: Annotated[Day, Field(alias="from")]
    days: QueryDays = 1
    therapist: QueryId | None = None
    mode: Key | None = None
    addons: QueryKeys = []
    areas: QueryAreas = []
    client: QueryId | None = None
    location: QueryId | None = None


class ClientQuery(Paging):
    search: Annotated[str, Field(max_length=100, pattern=LINE)] = ""


class DayQuery(Paging):
    """Without `location`: at every place, each visit on its place's own day."""

    day: Day
    location: QueryId | None = None


class Wish(Shape):
    """What a visit is to be. No areas: the whole body."""

    service: Key
    minutes: Minutes
    mode: Key | None = None
    addons: Keys = []
    areas: Areas = ["full_body"]


class HoldIn(Wish):
    starts_at: Moment
    therapist: Id | None = None
    client: Id | None = None
    location: Id | None = None


class VisitIn(Wish):
    """With `hold` the time that was kept under it is taken over."""

    client: Id
    starts_at: Moment
    therapist: Id | None = None
    location: Id | None = None
    hold: RowId | None = None


class MoveIn(Shape):
    """Another time, with the same therapist first. `revision`: refused when the visit was changed since."""

    starts_at: Moment
    therapist: Id | None = None
    revision: Id | None = None


class ChangeIn(Wish):
    """Another treatment, at the same time unless another one is given."""

    starts_at: Moment | None = None
    therapist: Id | None = None
    revision: Id | None = None


class CancelIn(Shape):
    """`by_clinic`: the clinic cancels, so that it never counts as late."""

    by_clinic: StrictBool = False


class ClientIn(Shape):
    first_name: Name
    last_name: Name
    born_on: BirthDay
    email: Annotated[str, Field(max_length=254, pattern=EMAIL)] = ""
    phone: Annotated[str, Field(max_length=40, pattern=PHONE)] = ""


class IntakeIn(Shape):
    """Every question of the intake with its answer, as in a screening case; unanswered is never "no".

    For a young person a parent or guardian signs (`relation`), and the young person agrees too.
    """

    answers: dict[str, dict[str, Any]]
    signed_by: Name
    relation: Annotated[str, Field(max_length=40, pattern=WRITTEN_LINE)] = "self"
    young_person_agrees: StrictBool = False


class VerdictIn(Wish):
    client: Id
    day: Day


Weekday = Annotated[int, Field(ge=0, le=6), BeforeValidator(from_number)]
Hours = Annotated[int, Field(ge=0, le=MOST_NOTICE_HOURS), BeforeValidator(from_number)]


class WaitlistQuery(Paging):
    client: QueryId | None = None


class WaitlistIn(Wish):
    """What somebody would like, and when they could come: local days, weekdays (0 is Monday), parts of the day by the
    start (before 12:00, before 17:00, later), and how many hours before the visit they have to know."""

    client: Id
    therapist: Id | None = None
    location: Id | None = None
    first_day: Day
    last_day: Day
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = list(EVERY_DAY)
    parts: Annotated[list[Part], Field(min_length=1, max_length=3)] = list(Part)
    notice_hours: Hours = 0


# ── what is answered ──


class ServiceLengthOut(Shape):
    minutes: int
    mode: str | None
    price: int


class ServiceOut(Shape):
    key: str
    name: str
    summary: str
    judged_as: list[str]
    lengths: list[ServiceLengthOut]
    modes: list[str]
    addons: list[str]
    first_visit_minutes: int
    turnover_minutes: int
    asks_area: bool


class ServicesOut(Shape):
    currency: str
    items: list[ServiceOut]
    page: int
    per_page: int
    total: int


class TherapistOut(Shape):
    id: int
    name: str
    gender: str
    skills: list[str]
    licence_expires_on: dt.date


class TherapistsOut(Shape):
    items: list[TherapistOut]
    page: int
    per_page: int
    total: int


class LocationOut(Shape):
    id: int
    name: str
    address: str
    phone: str
    zone: str


class LocationsOut(Shape):
    items: list[LocationOut]
    page: int
    per_page: int
    total: int


class StartOut(Shape):
    starts_at: AwareDatetime
    therapists: list[int]


class AvailabilityOut(Shape):
    zone: str
    starts: list[StartOut]


class ReasonOut(Shape):
    """`reason` is a stable word; `about` the therapist, room or device, where it is about one. It stands in the way of
    `starts` starts, of `alone` of them as the only thing: without it these would be free."""

    reason: Annotated[str, Field(json_schema_extra={"enum": [one.value for one in Why]})]
    about: int | None
    sentence: str
    starts: int
    alone: int


class ReasonsOut(Shape):
    """`starts` lie in opening hours, `free` of them can be booked; `closed_days` have no opening hours."""

    zone: str
    starts: int
    free: int
    reasons: list[ReasonOut]
    closed_days: list[dt.date]


class HoldOut(Shape):
    id: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    therapist: int
    location: int
    room: int
    expires_at: AwareDatetime


class HoldReleased(Shape):
    id: int
    released: bool


class VisitOut(Shape):
    """`code` is `screening_pending` while the visit is not confirmed yet; `waiting_for` says for what, neutrally.
    `series` and `couple`: what it was booked in, with others."""

    id: int
    status: str
    code: str | None
    client: int
    service: str
    mode: str | None
    minutes: int
    addons: list[str]
    areas: list[str]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    day: dt.date
    therapist: int
    location: int
    room: int
    waiting_for: str | None
    deadline_at: AwareDatetime | None
    price: int
    currency: str
    revision: int
    series: int | None
    couple: int | None
    warnings: list[str]


class VisitsOut(Shape):
    items: list[VisitOut]
    page: int
    per_page: int
    total: int


class ClientOut(Shape):
    id: int
    first_name: str
    last_name: str
    born_on: dt.date
    email: str | None
    phone: str | None
    intake_completed_on: dt.date | None


class ClientsOut(Shape):
    items: list[ClientOut]
    page: int
    per_page: int
    total: int


class IntakeOut(Shape):
    id: int
    client: int
    completed_on: dt.date
    stopped: bool


class VerdictOut(Shape):
    """What the desk may know: what comes out and what to do, never why."""

    outcome: str
    permits: bool
    waiting_for: str | None
    urgency: str
    unsafe_addons: list[str]
    look_again_on: dt.date | None
    day: dt.date
    rules_version: str


class OfferOut(Shape):
    """A time that is kept for them until `expires_at`: POST …/accept or …/decline answers it."""

    id: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    therapist: int
    room: int
    made_at: AwareDatetime
    expires_at: AwareDatetime


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
    location: int
    first_day: dt.date
    last_day: dt.date
    weekdays: list[int]
    parts: list[str]
    notice_hours: int
    made_at: AwareDatetime
    offer: OfferOut | None


class WaitlistPageOut(Shape):
    items: list[WaitlistOut]
    page: int
    per_page: int
    total: int


class FieldProblem(Shape):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; what else is there depends on it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
