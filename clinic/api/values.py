"""What one value of the JSON API may be: numbers, days, moments, names, and how each is described.

Numbers are taken from numbers, moments from text alone: a lax reading would let a document pass that the OpenAPI
description calls wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from clinic.rules.body_areas import AREAS
from clinic.rules.calendar_text import DAY, DAY_OF_A_LIFE, MOMENT
from clinic.rules.kinds import ASKED_FOR
from clinic.rules.typed_text import visible

LARGEST_ID = 2**31 - 1
LARGEST_ROW_ID = 2**53 - 1  # larger whole numbers are not exact in JSON
MOST_DIGITS = 18
WRITTEN_NUMBER = r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?"
CONTROL = "\\x00-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069"
"""What no keyboard types: control characters, and those that turn the direction of what is written around them."""
UNSEEN = (
    "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u2028\\u2029\\u2060-\\u206f\\u2800"
    "\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb"
)
"""Drawn as nothing: they may stand in a text, and are taken out of it as on the pages, but are no text alone."""
LINE = f"^[^{CONTROL}]*$"
WRITTEN_LINE = f"^[^{CONTROL}]*[^\\s{CONTROL}{UNSEEN}][^{CONTROL}]*$"
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


def whole_number(value: object) -> object:
    """A number in the address line is text, and 5.0 and 5e0 are the whole number 5 there too, as they are in a body."""
    if not isinstance(value, str):
        return value
    number = Decimal(value) if re.fullmatch(WRITTEN_NUMBER, value) else Decimal("NaN")
    # what no bound below lets through is not made an int: that of 1e999 takes a thousand digits
    if not number.is_finite() or number.adjusted() >= MOST_DIGITS or number != number.to_integral_value():
        raise ValueError("needs a whole number")
    return int(number)


def _seen(value: str) -> str:
    """As on the pages: what nobody sees would make two names of one, or an empty one."""
    seen = visible(value).strip()
    if value.strip() and not seen:
        raise ValueError("has nothing that can be seen")
    return seen


def _known_area(value: str) -> str:
    if value not in AREAS:
        raise ValueError("is no body area")
    return value


def _known_gender(value: str) -> str:
    if value not in ASKED_FOR:
        raise ValueError("is none that can be asked for")
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
LocalMoment = Annotated[
    AwareDatetime,
    PlainSerializer(dt.datetime.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""What is answered, with the place's offset: in numbers where that is zero too, so that a visit starts at the very text
that was offered."""
Day = Annotated[dt.date, BeforeValidator(_is(DAY)), _text("date", DAY)]
BirthDay = Annotated[dt.date, BeforeValidator(_is(DAY_OF_A_LIFE)), _text("date", DAY_OF_A_LIFE)]
Seen = AfterValidator(_seen)
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=WRITTEN_LINE), Seen]
Key = Annotated[str, Field(min_length=1, max_length=60, pattern="^[a-z0-9_-]+$")]
QueryId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole_number)]
QueryRowId = Annotated[int, Field(ge=1, le=LARGEST_ROW_ID), BeforeValidator(whole_number)]
QueryMinutes = Annotated[int, Field(ge=5, le=480), BeforeValidator(whole_number)]
QueryDays = Annotated[int, Field(ge=1, le=60), BeforeValidator(whole_number)]
QueryPage = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(whole_number)]
QueryPerPage = Annotated[int, Field(ge=1, le=100), BeforeValidator(whole_number)]
Area = Annotated[str, Field(json_schema_extra={"enum": list(AREAS)}), AfterValidator(_known_area)]
Gender = Annotated[str, Field(json_schema_extra={"enum": list(ASKED_FOR)}), AfterValidator(_known_gender)]
"""Of the therapist, where none is named; empty: it does not matter."""
Keys = Annotated[list[Key], Field(max_length=10)]
Areas = Annotated[list[Area], Field(min_length=1, max_length=60)]
QueryKeys = Annotated[list[Key], Field(max_length=10), BeforeValidator(_listed)]
QueryAreas = Annotated[list[Area], Field(max_length=60), BeforeValidator(_listed)]


class Shape(BaseModel):
    """The parent of all: a field that is not named is refused."""

    model_config = ConfigDict(extra="forbid")
