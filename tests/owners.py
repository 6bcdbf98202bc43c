"""An owner at a browser, and what the owner's pages leave behind."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.accounts.models import User, UserSession
from clinic.accounts.queries import hash_of
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.clock import now
from clinic.shared.database import db
from tests.factories import make_user, save
from tests.typed_forms import form_on
from tests.web import Visitor


def browser_of(app: Flask, user: User) -> FlaskClient:
    """A browser in which this account is signed in, without the slow check of a password: the second step is done."""
    token = f"token of {user.email} at {now()}"
    at = dict.fromkeys(("created_at", "last_seen_at", "proved_at", "factor_at"), now())
    save(UserSession(user_id=user.id, token_hash=hash_of(token), **at))
    app.test_client_class = Visitor
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = token
    return client


def owner_browser(app: Flask) -> FlaskClient:
    """A new owner's browser."""
    return browser_of(app, make_user(email="olive@clinic.example", roles=[Role.OWNER]))


def save_page(client: FlaskClient, address: str, /, **changes: Any) -> TestResponse:
    """Open the page, change these fields of its form, send it. Field names with dots are given by `fields`."""
    page = client.get(address)
    assert page.status_code == 200, page.text
    fields = form_on(page.text, address)
    for name, value in (changes.pop("fields", {}) | changes).items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value if isinstance(value, list) else [value]
    return client.post(address, data=fields)


def deeds() -> list[tuple[str, str]]:
    """The audit's rows: (deed, names of the fields that changed)."""
    rows = db.session.scalars(select(AuditRow).order_by(AuditRow.sequence))
    return [(row.deed, str(row.detail.get("fields", ""))) for row in rows]
