"""The shapes of a sick call: whole days off, the visits in them, and what is done about each."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from clinic.api.shapes import VisitOut
from clinic.api.values import LINE, Day, Id, LocalMoment, Moment, RowId, Seen, Shape, from_number

MOST_DEEDS = 100


class SickDaysIn(Shape):
    """So many whole days from the first one on; each place of the clinic reads them by its own clock."""

    first_day: Day
    days: Annotated[int, Field(ge=1, le=60), BeforeValidator(from_number)] = 1


class GiveIn(Shape):
    """The same time with another therapist."""

    deed: Literal["give"]
    visit: RowId
    revision: Id
    therapist: Id


class OfferIn(Shape):
    """Another time, kept until the client has answered; the visit stays until they say yes."""

    deed: Literal["offer"]
    visit: RowId
    revision: Id
    therapist: Id
    starts_at: Moment


class CallOffIn(Shape):
    """Cancel by the clinic, and tell the client."""

    deed: Literal["call_off"]
    visit: RowId
    revision: Id


Deed = Annotated[GiveIn | OfferIn | CallOffIn, Field(discriminator="deed")]


class SickDaysSaveIn(SickDaysIn):
    """The days off, and what is done about visits, in this order. What is not named stays as work to do."""

    note: Annotated[str, Field(max_length=200, pattern=LINE), Seen] = ""
    deeds: Annotated[list[Deed], Field(max_length=MOST_DEEDS)] = Field([])


class WayOut(Shape):
    starts_at: LocalMoment
    therapist: int


class CaseOut(Shape):
    """A visit in the days off. `proposal` is the best for all of them together; `by_name`: the client asked for this
    very therapist. Where it is not `safe`, something else comes first. `asked`: another time, kept for the client."""

    visit: VisitOut
    proposal: Literal["give", "offer", "call"]
    starts_at: LocalMoment | None
    therapist: int | None
    by_name: bool
    safe: bool
    others: list[int]
    times: list[WayOut]
    asked: WayOut | None


class DoneOut(Shape):
    """What came of one deed. `code` and `detail` say why it was not done; else they are null and empty."""

    visit: int
    deed: Literal["give", "offer", "call_off"]
    code: str | None
    detail: str


class SickDaysOut(Shape):
    """`visits`: those that still lie in days off. `time_off` is null where nothing was saved."""

    therapist: int
    first_day: dt.date | None
    last_day: dt.date | None
    time_off: int | None
    done: list[DoneOut]
    visits: list[CaseOut]
