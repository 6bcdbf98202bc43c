"""The shapes of what the JSON API takes and gives. What is not named in a shape is refused.

Times are ISO 8601 with an offset.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    StrictBool,
)

from clinic.api.values import (
    EMAIL,
    LINE,
    PHONE,
    WRITTEN_LINE,
    Areas,
    BirthDay,
    Day,
    Gender,
    Id,
    Key,
    Keys,
    LocalMoment,
    Minutes,
    Moment,
    Name,
    QueryAreas,
    QueryDays,
    QueryId,
    QueryKeys,
    QueryMinutes,
    QueryPage,
    QueryPerPage,
    QueryRowId,
    RowId,
    Seen,
    Shape,
)
from clinic.rules.why_no_times import Why

# ── what is asked ──


class Paging(Shape):
    page: QueryPage = 1
    per_page: QueryPerPage = 50


class AvailabilityQuery(Shape):
    """`from` is a local day of the clinic; lists are written with commas. `gender`: of the therapists, where none is
    named. `visit`: where this visit can be moved to: at its place, for its client, its own time not in the way, and
    without `therapist` with those whom a move without one may choose."""

    service: Key
    minutes: QueryMinutes
    from_: Annotated[Day, Field(alias="from")]
    days: QueryDays = 1
    therapist: QueryId | None = None
    gender: Gender = ""
    mode: Key | None = None
    addons: QueryKeys = Field([])
    areas: QueryAreas = Field([])
    client: QueryId | None = None
    location: QueryId | None = None
    visit: QueryRowId | None = None


class ClientQuery(Paging):
    search: Annotated[str, Field(max_length=100, pattern=LINE), Seen] = ""


class OfferedQuery(Paging):
    """With `location`: what is offered at this place alone."""

    location: QueryId | None = None


class DayQuery(Paging):
    """Without `location`: at every place, each visit on its place's own day."""

    day: Day
    location: QueryId | None = None


class Wish(Shape):
    """What a visit is to be. No areas: the whole body."""

    service: Key
    minutes: Minutes
    mode: Key | None = None
    addons: Keys = Field([])
    areas: Areas = Field(["full_body"])


class WishOfWhom(Wish):
    """And by whom: a therapist, or any of them (null), or any of this `gender`."""

    therapist: Id | None = None
    gender: Gender = ""


class HoldIn(WishOfWhom):
    starts_at: Moment
    client: Id | None = None
    location: Id | None = None


class VisitIn(WishOfWhom):
    """With `hold` the time that was kept under it is taken over; where the gate refuses, it stays kept."""

    client: Id
    starts_at: Moment
    location: Id | None = None
    hold: RowId | None = None


class MoveIn(Shape):
    """Another time. Without `therapist` it is with the same one; where any therapist was asked for and that one cannot,
    with another of the asked gender. `revision`: refused when the visit was changed since."""

    starts_at: Moment
    therapist: Id | None = None
    revision: Id | None = None


class ChangeIn(Wish):
    """Another treatment, at the same time unless another one is given. With neither `therapist` nor `gender` it is with
    whom it was, or with any where any was asked for; `gender` of null: as it was asked before."""

    starts_at: Moment | None = None
    therapist: Id | None = None
    gender: Gender | None = None
    revision: Id | None = None


class CancelIn(Shape):
    """`by_clinic`: the clinic cancels, so that it never counts as late."""

    by_clinic: StrictBool = False


class ClientIn(Shape):
    first_name: Name
    last_name: Name
    born_on: BirthDay
    email: Annotated[str, Field(max_length=254, pattern=EMAIL), Seen] = ""
    phone: Annotated[str, Field(max_length=40, pattern=PHONE)] = ""


class IntakeIn(Shape):
    """Every question of the intake with its answer, as in a screening case; unanswered is never "no".

    For a young person a parent or guardian signs (`relation`), and the young person agrees too.
    """

    answers: dict[str, dict[str, Any]]
    signed_by: Name
    relation: Annotated[str, Field(max_length=40, pattern=WRITTEN_LINE), Seen] = "self"
    young_person_agrees: StrictBool = False


class VerdictIn(Wish):
    client: Id
    day: Day


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
    locations: list[int]


class ServicesOut(Shape):
    currency: str
    items: list[ServiceOut]
    page: int
    per_page: int
    total: int


class SkillDatesOut(Shape):
    """The first and the last day on which a skill counts; null where that side is open."""

    skill: str
    starts_on: dt.date | None
    ends_on: dt.date | None


class TherapistOut(Shape):
    id: int
    name: str
    gender: str
    skills: list[str]
    skill_dates: list[SkillDatesOut]
    licence_expires_on: dt.date
    locations: list[int]


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
    starts_at: LocalMoment
    therapists: list[int]


class AvailabilityOut(Shape):
    zone: str
    starts: list[StartOut]


class ReasonOut(Shape):
    """`reason` is a stable word; `about` the therapist, room or device, where it is about one. It stands in the way of
    `starts` starts, of `alone` of them as the only thing: without it these would be free, unless the clinic leaves no
    gaps and they left one."""

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
    starts_at: LocalMoment
    ends_at: LocalMoment
    therapist: int
    location: int
    room: int
    expires_at: LocalMoment


class HoldReleased(Shape):
    id: int
    released: bool


class VisitOut(Shape):
    """`code` is `screening_pending` while the visit is not confirmed yet; `waiting_for` says for what, neutrally.
    `gender`: of any therapist only those of this one were asked for, and it holds for moves too. `series` and `couple`:
    what it was booked in, with others."""

    id: int
    status: str
    code: str | None
    client: int
    service: str
    mode: str | None
    minutes: int
    addons: list[str]
    areas: list[str]
    starts_at: LocalMoment
    ends_at: LocalMoment
    day: dt.date
    therapist: int
    gender: str
    location: int
    room: int
    waiting_for: str | None
    deadline_at: LocalMoment | None
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
    """`urgency` is how soon the person needs care: `none`, `prompt`, `same_day` or `emergency`."""

    id: int
    client: int
    completed_on: dt.date
    stopped: bool
    urgency: str


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
