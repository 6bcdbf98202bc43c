"""A copy of everything about somebody, to read and for programs: for the person, or made for them; each is recorded."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import Response, abort, stream_template, stream_with_context, url_for
from flask_login import current_user

from clinic.accounts.access import is_named, who
from clinic.catalogue import queries as catalogue
from clinic.intake.forms import told
from clinic.premises import queries as premises
from clinic.records import copy_values
from clinic.records.copy_words import column_words, table_words
from clinic.records.queries import own_copy
from clinic.records.queries.copy_schema import schema
from clinic.records.queries.own_copy import Copied
from clinic.records.services.reading import note_copying, note_copying_for
from clinic.records.views.blueprint import pages
from clinic.rules.errors import NotFound
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.uploads import DOWNLOAD
from clinic.shared.web import Answer

OWN = Permission.PERSON_OWN_WRITE


@pages.get("/my/people/<int:client_id>/data", needs=OWN, proof=Proof.RECENT)
def my_data(client_id: int) -> Answer:
    """To read and to print."""
    found = _copy(client_id, to_keep=False)
    return _page(found, client_id, "my_data_file")


@pages.get("/my/people/<int:client_id>/data.json", needs=OWN, proof=Proof.RECENT)
def my_data_file(client_id: int) -> Answer:
    """The same for programs, as a file."""
    found = _copy(client_id, to_keep=True)
    return _file(found)


@pages.get("/clients/<int:client_id>/data", needs=Permission.CLINICAL_REVIEW, proof=Proof.RECENT)
def data_for_them(client_id: int) -> Answer:
    """The same, made by staff for a person who asked: for those who may read their health answers anyway."""
    found = _copy_for_them(client_id, to_keep=False)
    return _page(found, client_id, "data_for_them_file")


@pages.get("/clients/<int:client_id>/data.json", needs=Permission.CLINICAL_REVIEW, proof=Proof.RECENT)
def data_for_them_file(client_id: int) -> Answer:
    """The file for programs, made by staff."""
    return _file(_copy_for_them(client_id, to_keep=True))


@pages.get("/data-schema.json", needs=Permission.SITE_ANY_READ)
def data_schema() -> Answer:
    """What stands in the file: a JSON Schema."""
    return Response(json.dumps(schema(), indent=1), mimetype="application/schema+json")


def _copy_for_them(client_id: int, *, to_keep: bool) -> Iterator[Copied]:
    reads_all = is_named(Permission.CLINICAL_REVIEW)
    try:
        user_id = note_copying_for(
            client_id, by=who() or 0, reads_all=reads_all, to_keep=to_keep, now=clock.now()
        )
    except NotFound:
        abort(404)
    return own_copy.copy_of(client_id, user_id)


def _copy(client_id: int, *, to_keep: bool) -> Iterator[Copied]:
    """Everything, read while it is sent. That it was asked for is recorded first."""
    user_id = current_user.id
    try:
        is_own = note_copying(
            client_id, by=user_id, adult_age=premises.clinic().adult_age, to_keep=to_keep, now=clock.now()
        )
    except NotFound:
        abort(404)
    return own_copy.copy_of(client_id, user_id if is_own else None)


def _page(found: Iterator[Copied], client_id: int, file_endpoint: str) -> Response:
    page = stream_template(
        "records/own_copy.html",
        file_address=url_for(f"records.{file_endpoint}", client_id=client_id),
        is_own=file_endpoint == "my_data_file",
        client_id=client_id,
        parts=found,
        made_at=clock.now(),
        table_words=table_words,
        column_words=column_words,
        answers_of=told,
        told=partial(copy_values.told, names=_treatments()),
        kind_of=kind_of,
    )
    return Response(page, mimetype="text/html")


def _treatments() -> dict[str, str]:
    """How each treatment, its ways and its additions are called today, by key."""
    services = catalogue.all_services()
    names = {one.key: one.name for one in services} | {one.key: one.name for one in catalogue.all_addons()}
    return names | {way.key: way.name for one in services for way in one.modes}


def _file(found: Iterator[Copied]) -> Response:
    headers = {**DOWNLOAD, "Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(stream_with_context(as_json(found)), mimetype="application/json", headers=headers)


def kind_of(value: object) -> str:
    """How the page shows a value."""
    if isinstance(value, dt.datetime):
        return "moment"
    kinds = {dt.date: "day", bool: "yes_no", bytes: "file", dict: "facts", list: "list"}
    return kinds.get(type(value), "nothing" if value is None or value == "" else "text")


def as_json(parts: Iterator[Copied]) -> Iterator[str]:
    """One object: table → its rows. Files are base64, moments ISO 8601."""
    yield "{"
    for number, part in enumerate(parts):
        yield f"{',' if number else ''}{json.dumps(part.table)}:["
        for place, row in enumerate(part.rows):
            yield f"{',' if place else ''}{json.dumps(row, default=_as_text, ensure_ascii=False)}"
        yield "]"
    yield "}"


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value.isoformat())
