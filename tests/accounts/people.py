"""People with passwords for the tests of accounts, and what they do in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from clinic.accounts.models import Authenticator, User
from clinic.accounts.passwords import hash_password
from clinic.accounts.tries import Origin
from clinic.rules.permissions import Role
from clinic.shared import clock
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, db, transaction
from clinic.shared.mail import OutgoingMail
from tests.factories import make_user

PASSWORD = "tall river otter lamp"
APP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OTHER_PASSWORD = "green kettle on the moor"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"
ORIGIN = Origin(address="192.0.2.7", browser="Firefox on Linux", secret="a key for tests")

hashed = cache(hash_password)


def make_person(email: str, *roles: Role, password: str | None = PASSWORD, **values: Any) -> User:
    """An account that can sign in; a client unless roles are given."""
    stored = hashed(password) if password else None
    return make_user(email=email, roles=roles or [Role.CLIENT], password_hash=stored, **values)


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **data: str) -> TestResponse:
    """Send the sign-in form, and where a second step is owed the code of the person's app."""
    answer = client.post("/sign-in", data={"email": email, "password": password, **data})
    if answer.location != "/sign-in/second-step":
        return answer
    return client.post(answer.location, data={"proof_code": code_of(email)})


def code_of(email: str) -> str:
    """What the app of this person shows now, though it was given a moment before; they get an app if they have none."""
    with transaction() as session:
        user = session.scalars(select(User).where(User.email == email)).one()
        app = session.scalars(select(Authenticator).where(Authenticator.user_id == user.id)).one_or_none()
        if app is None:
            app = Authenticator(user_id=user.id, secret=APP_SECRET, made_at=clock.now())
            session.add(app)
        app.confirmed_at, app.last_step = app.confirmed_at or clock.now(), 0
        return pyotp.TOTP(app.secret).at(clock.now())


def browser_of(app: Flask, email: str, *, agent: str = FIREFOX, address: str = "127.0.0.1") -> FlaskClient:
    """A browser of its own in which this person is signed in."""
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = agent
    client.environ_base["REMOTE_ADDR"] = address
    answer = sign_in(client, email)
    assert answer.status_code == 303, answer.text
    return client


def is_signed_in(client: FlaskClient) -> bool:
    """Whether the account page opens."""
    return client.get("/account").status_code == 200


def mails(template_subject: str | None = None) -> list[OutgoingMail]:
    """What waits to be sent, oldest first."""
    rows = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)).all()
    return [row for row in rows if template_subject in (None, row.subject)]


def key_in(mail: OutgoingMail) -> str:
    """The key of the link in a mail."""
    found = re.search(r"/password/([\w-]{43})$", mail.text, re.MULTILINE)
    assert found, mail.text
    return found.group(1)


def deeds() -> list[str]:
    """The audit's deeds, in order."""
    return list(db.session.scalars(select(AuditRow.deed).order_by(AuditRow.sequence)))


def how_many(table: type[Base]) -> int:
    """Rows of a table."""
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def roles_of(user_id: int) -> Iterable[Role]:
    """The roles in the database now."""
    db.session.rollback()
    return db.session.get_one(User, user_id).roles
