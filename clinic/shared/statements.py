"""Parts of SQL that the two databases say differently, for statements that are written down once.

A statement that stands at the level of its module, with a `bindparam` for what changes, is put into words once for the
whole process. One that is built for each request costs more to build than to run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Executable, Integer, Row, String, bindparam, cast, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator

from clinic.shared.database import READS_COPY, WRITES, db
from clinic.shared.read_once import read_once


def rows(statement: Executable, given: Mapping[str, object]) -> Sequence[Row[Any]]:
    """What a statement on plain tables finds, in the transaction of this request. The session itself would first look
    what its mapper has to do with it, which takes as long as to ask the database; and to find the connection takes
    half as long, so it is found once."""
    session = db.session()
    copy = session.info.get(READS_COPY)
    connection = session.info.get(WRITES) or read_once(("connection", copy), session.connection)
    found: Sequence[Row[Any]] = connection.execute(statement, given).all()
    return found


class _Numbers(TypeDecorator[Sequence[int]]):
    """Many whole numbers in one parameter: an array, on SQLite a JSON text."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(ARRAY(Integer()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Any) -> Any:
        if value is None:
            return None
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _Among(FunctionElement[bool]):
    # a Boolean would become "… = 1" on SQLite, which no index can answer
    type = NullType()  # type: ignore[assignment]
    inherit_cache = True


@compiles(_Among, "postgresql")
def _among_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, numbers = (compiler.process(one, **options) for one in element.clauses)
    return f"({column} = ANY ({numbers}))"


@compiles(_Among, "sqlite")
def _among_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, numbers = (compiler.process(one, **options) for one in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({numbers})))"  # noqa: S608 - no value is in it


def many(name: str) -> BindParameter[Sequence[int]]:
    """The parameter `name`: many whole numbers, to be taken apart by `unnest`, on SQLite by `json_each`."""
    return bindparam(name, type_=_Numbers())


def among(column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether the column is one of the numbers that the statement is given as `name`, however many they are."""
    return _Among(column, many(name))


def spelt_out(*values: str) -> BindParameter[Sequence[str]]:
    """For `column.in_`: the values stand in the text of the statement, where PostgreSQL, which plans it once for all
    values, sees that few rows have these."""
    return bindparam(None, list(values), expanding=True, literal_execute=True)


class joined(FunctionElement[str]):  # noqa: N801 - reads as a function of SQL
    """The texts or numbers of a group as one text, with ";" between them: one row to fetch instead of hundreds."""

    type = String()
    inherit_cache = True


@compiles(joined, "postgresql")
def _joined_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"string_agg(CAST({compiler.process(element.clauses, **options)} AS text), ';')"


@compiles(joined, "sqlite")
def _joined_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)}, ';')"


class gathered(FunctionElement[str]):  # noqa: N801
    """What a subquery of one column, called "one", finds, as `joined` makes it one text. PostgreSQL takes a value that
    is worked out from an index only where nothing counts or adds it up: `joined` would have it worked out anew."""

    type = String()
    inherit_cache = True


@compiles(gathered, "postgresql")
def _gathered_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"array_to_string(ARRAY{compiler.process(element.clauses, **options)}, ';')"


@compiles(gathered, "sqlite")
def _gathered_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(SELECT group_concat(one, ';') FROM {compiler.process(element.clauses, **options)})"  # noqa: S608 - no value


_SPACE: ColumnElement[str] = literal_column(
    "' '", String
)  # no parameter: that would be put into words each time


def spaced(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """The columns as one text, with a space between them."""
    first, *more = (cast(one, String) for one in columns)
    return reduce(lambda text, one: text + _SPACE + one, more, first)


def taken_apart(text: str | None) -> list[str]:
    """What `joined` made one; of a group without rows nothing."""
    return text.split(";") if text else []
