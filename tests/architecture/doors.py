"""Trying every door of the application: its routes, browsers of each kind of person, and what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import TestResponse

from clinic.accounts import steps
from clinic.rulebook.queries import code_of
from clinic.shared import clock
from clinic.shared.database import Base, db, transaction
from tests.web import Visitor

MISSING_ID = 987_654_321
NOT_A_KEY = "nothing-here"
STAND_FOR = {  # arguments that are not named after their table
    "call_id": "call_request",
    "document_id": "clearance_document",
    "letter_id": "clearance_letter",
    "other_id": "client",
    "pair_id": "never_together",
    "restriction_id": "therapist_restriction",
    "session_id": "user_session",
    "stop_id": "health_stop",
    "wish_id": "waitlist_wish",
}
WORDS = {"service": "swedish", "key": "swedish", "source": "desk", "rule_code": code_of("pregnancy")}


@dataclass(frozen=True)
class Door:
    """One route with one of its methods, and an address that fits it."""

    endpoint: str
    method: str
    rule: str
    address: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def doors(app: Flask, *, rows: Mapping[str, int] | None = None) -> list[Door]:
    """Every door for people, in order: without the static files, and without the operations for programs, which no
    session opens (tests/api tries those). `rows` are argument → id; without it every row is missing."""
    found = []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint.startswith("api."):
            continue
        values = {name: some_value(rule, name, rows) for name in rule.arguments}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            address = adapter.build(rule.endpoint, values, method=method)
            found.append(Door(rule.endpoint, method, rule.rule, address))
    return sorted(found, key=lambda door: (door.endpoint, door.method, door.rule))


def some_value(rule: Rule, name: str, rows: Mapping[str, int] | None) -> int | str:
    """What stands for an argument: an id, the number of a page, or a word."""
    if not isinstance(rule._converters[name], IntegerConverter):
        return WORDS.get(name, NOT_A_KEY) if rows is not None else NOT_A_KEY
    return 1 if name == "number" else (rows or {}).get(name, MISSING_ID)


def some_rows(app: Flask) -> dict[str, int]:
    """For each argument of a route that names a table (`visit_id`), the id of its first row."""
    rules = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("api.")]
    names = {name for rule in rules for name in rule.arguments if name.endswith("_id")}
    rows = {}
    for name in sorted(names):
        table = Base.metadata.tables[STAND_FOR.get(name, name.removesuffix("_id"))]
        found = db.session.scalar(select(table.c.id).order_by(table.c.id).limit(1))
        if found is not None:
            rows[name] = found
    return rows


def browser(app: Flask, user_id: int | None) -> FlaskClient:
    """A fresh browser, signed in as this person if there is one."""
    app.test_client_class = Visitor
    client = app.test_client()
    if user_id is not None:
        with transaction() as session:
            _, token = steps.add_session(
                session, user_id, "Firefox on Linux", clock.now(), factor_at=clock.now()
            )
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
    return client


def outcome(answer: TestResponse) -> str:
    """How a door answers: open (whatever the page then says), sign in, or closed."""
    if answer.status_code >= 500:
        return f"broken: {answer.status_code}"
    if answer.status_code == 403:
        return "closed"
    leads_to_sign_in = answer.status_code == 303 and answer.location.startswith("/sign-in?")
    bare = answer.status_code == 303 and answer.location == "/sign-in"
    return "sign in" if leads_to_sign_in or bare else "open"


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, to see whether anything was written."""
    db.session.rollback()
    return {
        table.name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
        for table in Base.metadata.sorted_tables
    }
