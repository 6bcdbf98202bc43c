"""The shapes of what concerns several visits: series, two people at once, and visits that change places."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictBool

from clinic.api.shapes import VisitOut, WishOfWhom
from clinic.api.values import WRITTEN_LINE, Day, Id, LocalMoment, Moment, RowId, Seen, Shape, from_number
from clinic.rules.frequency import SHORTEST_REASON
from clinic.rules.series import MOST_VISITS, MOST_WEEKS_APART

RestReason = Annotated[str, Field(min_length=SHORTEST_REASON, max_length=500, pattern=WRITTEN_LINE), Seen]
"""Why staff pass too little rest between visits: kept encrypted, read by whoever treats."""
Weeks = Annotated[int, Field(ge=1, le=MOST_WEEKS_APART), BeforeValidator(from_number)]


class SeriesPlanIn(WishOfWhom):
    """The first visit and what follows it: so many visits in all (`count`), or until a local day (`until`)."""

    client: Id
    starts_at: Moment
    every_weeks: Weeks
    count: Annotated[int, Field(ge=2, le=MOST_VISITS), BeforeValidator(from_number)] | None = None
    until: Day | None = None
    location: Id | None = None


class SeriesStartIn(Shape):
    """One accepted start. `therapist` of null: the one of the whole series, or any."""

    starts_at: Moment
    therapist: Id | None = None


class SeriesIn(WishOfWhom):
    """The accepted starts: as planned, replaced by an alternative, or left out. `rest_reason`: why some may come sooner
    than advised; without it such a series is refused."""

    client: Id
    every_weeks: Weeks
    rest_reason: RestReason | None = None
    starts: Annotated[list[SeriesStartIn], Field(min_length=1, max_length=MOST_VISITS)]
    location: Id | None = None


class PersonIn(WishOfWhom):
    """One of two people: who, and what they want."""

    client: Id


Two = Annotated[list[PersonIn], Field(min_length=2, max_length=2)]


class CoupleTimesIn(Shape):
    """`from` is a local day of the clinic."""

    people: Two
    from_: Annotated[Day, Field(alias="from")]
    days: Annotated[int, Field(ge=1, le=60), BeforeValidator(from_number)] = 1
    location: Id | None = None


class CoupleIn(Shape):
    """`rest_reason`: why it may come sooner than advised for one of them; without it that is refused."""

    people: Two
    starts_at: Moment
    location: Id | None = None
    rest_reason: RestReason | None = None


class CoupleMoveIn(Shape):
    """`rest_reason` as for a new couple."""

    starts_at: Moment
    rest_reason: RestReason | None = None


class SwapIn(Shape):
    """Two visits that exchange their places. With `keep_therapists` each keeps its own therapist. The revisions:
    refused when a visit was changed since. `rest_reason`: why one may come sooner than advised; without it that is
    refused."""

    first: RowId
    second: RowId
    keep_therapists: StrictBool = False
    first_revision: Id | None = None
    second_revision: Id | None = None
    rest_reason: RestReason | None = None


class AlternativeOut(Shape):
    """A start that fits. `therapist` of null: any."""

    starts_at: LocalMoment
    therapist: int | None


class PlannedOut(Shape):
    """One date of a series. `code` says why it does not fit, null where it does; `waiting_for` what is needed before
    it is confirmed. `starts_at` is null where the clock jumps over that time."""

    day: dt.date
    starts_at: LocalMoment | None
    fits: bool
    code: str | None
    reason: str
    therapists: list[int]
    waiting_for: str | None
    look_again_on: dt.date | None
    unsafe_addons: list[str]
    alternatives: list[AlternativeOut]


class SeriesPlanOut(Shape):
    zone: str
    starts: list[PlannedOut]


class SeriesOut(Shape):
    """Visits that were booked together, by time."""

    id: int
    every_weeks: int
    visits: list[VisitOut]


class CoupleOut(Shape):
    """Two visits at the same time in one room: confirmed both or neither. `ended_at`: since when the two no longer
    belong together; a visit that goes on alone is not listed any more."""

    id: int
    ended_at: LocalMoment | None
    visits: list[VisitOut]


class SwapOut(Shape):
    """Both visits as they stand now, in the order in which they were named."""

    visits: list[VisitOut]
