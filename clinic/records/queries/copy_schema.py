"""What stands in the file of a person's own copy, as a JSON Schema: made from the tables, as the file is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Column

from clinic.records.queries.own_copy import LEFT_OUT, NAMED, SECRETS, copied_classes
from clinic.shared.crypto import Sealed, SealedBytes

FORMAT = 1
_KINDS: dict[type, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    dt.time: {"type": "string", "format": "time"},
    bytes: {"type": "string", "contentEncoding": "base64"},
}
_LESS = ("audit_row", "outgoing_mail")  # told in fewer columns, and in other words


def schema() -> dict[str, Any]:
    """One object: the name of a table → its rows that are about the person. A table without any is left out."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything that the clinic keeps about one person",
        "description": "Moments are ISO 8601 in UTC, files base64. Columns may be empty, and more may be added.",
        "version": FORMAT,
        "type": "object",
        "properties": {cls.__tablename__: _rows(cls) for cls in copied_classes()},
        "additionalProperties": False,
    }


def _rows(cls: type[Any]) -> dict[str, Any]:
    columns = {} if cls.__tablename__ in _LESS else _columns(cls)
    return {"type": "array", "items": {"type": "object", "properties": columns}}


def _columns(cls: type[Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for column in cls.__table__.columns:
        if column.key in NAMED:
            said[column.key.removesuffix("_id")] = {"type": ["string", "null"]}
        elif not LEFT_OUT.search(column.key):
            said[column.key] = _kind(column)
    sealed = {name for name, kept in vars(cls).items() if isinstance(kept, Sealed | SealedBytes)}
    return said | {name: {} for name in sorted(sealed - SECRETS)}


def _kind(column: Column[Any]) -> dict[str, Any]:
    stored: Any = getattr(column.type, "impl_instance", column.type)  # of a type of our own, what is under it
    kind = _KINDS.get(stored.python_type)
    return {"anyOf": [kind, {"type": "null"}]} if kind else {}
