"""A PIN takes back no device whose owner was signed out everywhere since they handed it over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from clinic.accounts import services as accounts
from clinic.accounts import steps
from clinic.accounts.models import User, UserSession
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests.accounts.people import OTHER_PASSWORD, browser_of, hashed, make_person
from tests.booking import world as w
from tests.conftest import NOW
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

PIN, DESK, LATER = "271828", "desk@pins.example", NOW + dt.timedelta(minutes=5)


def by_link(app: Flask, user_id: int, kind: str, **more: str) -> None:
    with transaction() as session:
        token = steps.new_link(session, session.get_one(User, user_id), kind, LATER, **more)
    said = {"password": OTHER_PASSWORD} if kind == "reset" else {}
    address = "password" if kind == "reset" else "email"
    assert app.test_client().post(f"/{address}/{token}", data=said).status_code == 303


def off_and_on(_app: Flask, user_id: int) -> None:
    accounts.switch_off(user_id, by=1, now=LATER)
    accounts.switch_on(user_id, by=1, now=LATER)


@pytest.mark.parametrize(
    "end",
    [
        None,
        lambda app, user_id: by_link(app, user_id, "reset"),
        lambda app, user_id: by_link(app, user_id, "email", new_email="new@pins.example"),
        lambda _app, user_id: accounts.end_other_sessions(user_id, 0, LATER),
        lambda _app, user_id: accounts.reset_factors(user_id, by=1, now=LATER),
        off_and_on,
    ],
    ids=[
        "nothing happened",
        "reset",
        "new address",
        "signed out elsewhere",
        "second step reset",
        "off and on",
    ],
)
def test_what_ends_all_sessions_ends_handed_over_devices_too(
    app: Flask, end: Callable[[Flask, int], None] | None
) -> None:
    app.test_client_class = Visitor
    w.build()
    make_person("owner@pins.example", Role.OWNER)
    user_id, client = (
        make_person(DESK, Role.FRONT_DESK, name="Dana Desk", pin_hash=hashed(PIN)).id,
        w.person(),
    )
    desk = browser_of(app, DESK)
    assert desk.post(f"/clients/{client}/tablet").location == "/tablet"
    desk.post("/tablet/back")
    with time_machine.travel(LATER, tick=False):
        if end is not None:
            end(app, user_id)
        answer = desk.post("/tablet/pin", data={"pin": PIN})
        assert (answer.status_code, desk.get("/desk").status_code == 200) == (
            (303, True) if end is None else (422, False)
        )
    db.session.rollback()
    alive = select(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    assert len(db.session.scalars(alive).all()) == (end is None)
