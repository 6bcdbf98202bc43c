"""What people type is shown as they typed it and never acted on, in pages and in tables for spreadsheets.

Every text that somebody can type is replaced by one that breaks out of whatever it is put into unescaped; then every
page is read as a browser would read it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html.parser import HTMLParser

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clinic.rules.permissions import GIVEN_BY_NAME, Role
from clinic.shared import clock, heartbeat
from clinic.shared.crypto import Sealed
from clinic.shared.database import Base, transaction
from tests.architecture.doors import browser, doors, some_rows
from tests.factories import make_user

PLANTED = "=HYPERLINK(1)+javascript:1//{{ 7919 * 7907 }}%0d%0aSet-Cookie:x\"'`><planted onplanted=1></title></script>"
IN_LINKS = "javascript:onplanted()//\"'><planted onplanted=1>"
TYPED = {
    "addon": "name summary aftercare",
    "api_token": "name",
    "call_request": "about",
    "client": "first_name last_name emergency_contact guardian_name",
    "clinic": "name health_line_name",
    "closure": "reason",
    "device": "name",
    "location": "name",
    "room": "name",
    "rules_version": "reason",
    "service": "name family summary good_for what_happens what_to_expect aftercare techniques pressure how_often"
    " usual_way",
    "service_mode": "name summary what_to_expect",
    "therapist": "name bio licence_number",
    "time_off": "note",
    "user": "name",
    "user_session": "browser",
}
LINKED = {
    "call_request": "phone",
    "client": "email phone guardian_phone",
    "clinic": "emergency_number health_line_number",
    "location": "address phone",
}


class Reader(HTMLParser):
    """Notes what a planted text would have made of a page: an element, a handler, a link that is a program."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every element with its attributes."""
        links = [
            value or "" for name, value in attrs if name in ("href", "src", "action", "formaction", "poster")
        ]
        if tag == "planted" or any(name.startswith("onplanted") for name, _ in attrs):
            self.found.append(tag)
        self.found += [
            link for link in links if link.strip().lower().startswith(("javascript:", "data:text"))
        ]


def plant(session: Session) -> None:
    """Every text that somebody types, in every row."""
    for text, columns in ((PLANTED, TYPED), (IN_LINKS, LINKED)):
        for name, typed in columns.items():
            table = Base.metadata.tables[name]
            session.execute(update(table).values(dict.fromkeys(typed.split(), text)))
    for row, name in sealed_texts(session):
        setattr(row, name, PLANTED)


def sealed_texts(session: Session) -> Iterator[tuple[object, str]]:
    """Every kept secret text of every row: notes, reasons."""
    for mapper in Base.registry.mappers:
        names = [name for name, value in vars(mapper.class_).items() if isinstance(value, Sealed)]
        for row in session.scalars(select(mapper.class_)) if names else ():
            yield from ((row, name) for name in names if isinstance(getattr(row, name), str))


def test_what_was_typed_is_only_ever_shown(demo: Flask) -> None:
    everybody = make_user(
        email="all@doors.example",
        roles=[Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER],
        given=GIVEN_BY_NAME,
    )
    rows = {**some_rows(demo), "user_id": everybody.id}
    visitor = browser(demo, everybody.id)
    heartbeat.beat(clock.now())  # the worker is at work: /readyz says so
    with transaction() as session:
        plant(session)
    wrong, shown = {}, 0
    for door in (one for one in doors(demo, rows=rows) if one.method == "GET"):
        answer = visitor.get(door.address, buffered=True)
        reader = Reader()
        if answer.mimetype == "text/html":
            reader.feed(answer.text)
            shown += "onplanted" in answer.text
        elif answer.mimetype == "text/csv":
            cells = [cell for line in csv.reader(io.StringIO(answer.text)) for cell in line]
            reader.found += [
                str(cell) for cell in cells if cell and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            ]
            shown += any("onplanted" in cell for cell in cells)
        text = answer.text if (answer.mimetype or "").startswith("text/") else ""
        if reader.found or "62615533" in text or "x" in answer.headers.getlist("Set-Cookie"):
            wrong[str(door)] = reader.found
        if answer.status_code >= 500:
            wrong[str(door)] = [str(answer.status_code)]
    assert wrong == {}
    assert shown > 40  # most pages show something that somebody typed
