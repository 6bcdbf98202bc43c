"""Sessions after the sign-in: how long they last, how a screen locks and opens again, how they are ended."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User, UserSession
from clinic.accounts.services import signing_in
from clinic.accounts.tries import PIN_ACCOUNT
from clinic.rules.errors import InvalidInput
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.accounts.people import (
    ORIGIN,
    OTHER_PASSWORD,
    PASSWORD,
    browser_of,
    deeds,
    hashed,
    is_signed_in,
    make_person,
    sign_in,
)
from tests.conftest import NOW
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("premises", "now", "client")

DESK = "dana@clinic.example"
PIN = "271828"


def in_minutes(minutes: float) -> time_machine.travel:
    start = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)
    return time_machine.travel(start + dt.timedelta(minutes=minutes), tick=False)


def desk_browser(app: Flask) -> FlaskClient:
    make_person(DESK, Role.FRONT_DESK, pin_hash=hashed(PIN))
    return browser_of(app, DESK)


@pytest.mark.parametrize(
    ("role", "minutes", "status"),
    [
        (Role.CLIENT, 7 * 1440, 200),
        (Role.CLIENT, 7 * 1440 + 1, 303),
        (Role.FRONT_DESK, 14.9, 200),
        (Role.FRONT_DESK, 15, 423),
        (Role.FRONT_DESK, 720, 423),
        (Role.FRONT_DESK, 721, 303),
    ],
)
def test_what_nobody_uses_is_locked_or_over(app: Flask, role: Role, minutes: float, status: int) -> None:
    make_person(DESK, role)
    mine = browser_of(app, DESK)
    with in_minutes(minutes):
        assert mine.get("/account").status_code == status


def test_use_keeps_it_open_but_not_what_a_page_asks_by_itself(app: Flask) -> None:
    mine = desk_browser(app)
    seen = []
    for minutes in (0.5, 1, 10, 24):
        with in_minutes(minutes):
            mine.post("/account/awake")
            db.session.rollback()
            row = db.session.scalars(select(UserSession)).one()
            seen.append((row.last_seen_at - row.created_at).total_seconds() / 60)
    assert seen == [0, 1, 10, 24]
    with in_minutes(38):
        assert mine.get("/account", headers={"X-Poll": "1"}).status_code == 200
    with in_minutes(39):
        assert mine.get("/account", headers={"X-Poll": "1"}).status_code == 423
        assert mine.post("/account/awake").status_code == 423


def test_a_locked_screen_shows_and_does_nothing_and_opens_where_it_was(app: Flask) -> None:
    mine = desk_browser(app)
    assert mine.post("/account/lock").status_code == 423
    page = mine.get("/owner/team?from=mail")
    assert (page.status_code, "The screen is locked" in page.text) == (423, True)
    assert form_on(page.text, "/account/reopen")["next"] == ["/owner/team?from=mail"]
    for path in ("/desk", "/account", "/services", "/sign-in", "/password/forgot"):
        assert mine.get(path).status_code == 423, path
    assert mine.get("/pictures/1").status_code == 404, "a clinic's logo is shown above it"
    assert mine.post("/account/pin/remove").status_code == 423
    db.session.rollback()
    assert db.session.scalars(select(User.pin_hash)).one()
    assert mine.post("/account/reopen", data={"proof": "314159"}).status_code == 422
    assert mine.get("/account").status_code == 423
    answer = mine.post("/account/reopen", data={"proof": PIN, "next": "/account?from=mail"})
    assert (answer.status_code, answer.location) == (303, "/account?from=mail")
    assert mine.get("/account").status_code == 200
    mine.post("/account/lock")
    answer = mine.post("/account/reopen", data={"proof": PASSWORD}, headers={"X-Requested-With": "fetch"})
    assert (answer.status_code, mine.get("/account").status_code) == (204, 200)
    assert deeds() == ["signed_in", "screen_reopened", "screen_reopened"]


def test_the_pin_opens_only_a_browser_that_was_signed_in_with_before(app: Flask) -> None:
    mine = desk_browser(app)
    mine.post("/account/lock")
    thief = app.test_client()
    stolen = mine.get_cookie("clinic")
    assert stolen is not None
    thief.set_cookie("clinic", stolen.value)
    assert thief.post("/account/reopen", data={"proof": PIN}).status_code == 422
    assert thief.get("/account").status_code == 423
    assert thief.post("/account/reopen", data={"proof": PASSWORD}).status_code == 303


def test_wrong_tries_are_few_and_signing_out_is_the_way_on(app: Flask) -> None:
    mine = desk_browser(app)
    mine.post("/account/lock")
    statuses = [mine.post("/account/reopen", data={"proof": "314159"}).status_code for _ in range(6)]
    assert statuses == [422] * PIN_ACCOUNT.most + [429]
    answer = mine.post("/account/reopen", data={"proof": PIN})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    assert mine.post("/sign-out").status_code == 303
    assert sign_in(mine, DESK).status_code == 303


def test_a_clients_screen_does_not_lock(app: Flask) -> None:
    make_person("ann@mail.example")
    mine = browser_of(app, "ann@mail.example")
    mine.post("/account/lock")
    page = mine.get("/account")
    assert (page.status_code, "data-lock" in page.text) == (200, False)


def test_all_other_browsers_are_signed_out_at_once(app: Flask) -> None:
    make_person("ann@mail.example")
    make_person("bob@mail.example")
    others = [browser_of(app, "ann@mail.example") for _ in range(2)]
    bobs = browser_of(app, "bob@mail.example")
    mine = browser_of(app, "ann@mail.example")
    assert "Sign out every other browser" in mine.get("/account").text
    assert mine.post("/account/browsers/sign-out-others").status_code == 303
    assert [is_signed_in(one) for one in (*others, bobs, mine)] == [False, False, True, True]
    assert "Sign out every other browser" not in mine.get("/account").text
    assert deeds()[-1] == "signed_out_elsewhere"


def test_a_new_password_ends_every_session_and_the_copied_one(app: Flask) -> None:
    make_person("ann@mail.example")
    others = browser_of(app, "ann@mail.example")
    mine = browser_of(app, "ann@mail.example")
    copied = mine.get_cookie("clinic")
    assert copied is not None
    form = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert mine.post("/account/password", data=form).status_code == 303
    thief = app.test_client()
    thief.set_cookie("clinic", copied.value)
    assert [is_signed_in(one) for one in (others, thief, mine)] == [False, False, True]


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/theme.css", {}),
        ("GET", "/pictures/1", {}),
        ("POST", "/text-size", {"size": "large"}),
        ("POST", "/account/reopen", {"proof": "314159"}),
        ("POST", "/account/lock", {}),
    ],
)
def test_a_screen_that_nobody_touched_stays_locked_whatever_it_loads(
    app: Flask, method: str, path: str, data: dict[str, str]
) -> None:
    """The locked page itself asks for the clinic's colours and logo: that is nobody at the keys."""
    mine = desk_browser(app)
    with in_minutes(60):
        assert mine.get("/account").status_code == 423
        mine.open(path, method=method, data=data)
        assert mine.get("/account").status_code == 423
        assert mine.post("/account/reopen", data={"proof": PIN}).status_code == 303
        assert mine.get("/account").status_code == 200


def test_a_new_password_lengthens_no_day(app: Flask) -> None:
    """Twelve hours after the sign-in with both steps the team signs in anew."""
    mine = desk_browser(app)
    for minutes in range(10, 715, 10):
        with in_minutes(minutes):
            assert mine.post("/account/awake").status_code < 400
    with in_minutes(715):
        change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
        assert mine.post("/account/password", data=change).status_code == 303
        assert mine.get("/account").status_code == 200
    with in_minutes(719):
        assert mine.get("/account").status_code == 200
    with in_minutes(721):
        assert mine.get("/account").status_code == 303


def test_a_session_that_was_ended_meanwhile_gets_no_new_password(app: Flask) -> None:
    """The owner signs somebody out while their change is under way."""
    desk_browser(app)
    row = db.session.scalars(select(UserSession)).one()
    user_id, session_id = row.user_id, row.id
    row.ended_at = NOW
    db.session.commit()
    with pytest.raises(InvalidInput, match="signed out"):
        signing_in.change_password(
            user_id,
            PASSWORD,
            OTHER_PASSWORD,
            session_id=session_id,
            clinic_name="Willow",
            origin=ORIGIN,
            now=NOW,
        )
    assert [one.ended_at for one in db.session.scalars(select(UserSession))] == [NOW]
