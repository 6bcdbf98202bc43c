"""One's own account: its browsers and its password."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import MailedLink, UserSession
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.accounts.people import (
    CHROME,
    OTHER_PASSWORD,
    PASSWORD,
    browser_of,
    deeds,
    is_signed_in,
    mails,
    make_person,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("premises", "now")


def change(client: FlaskClient, current: str, new: str) -> tuple[int, str]:
    answer = client.post("/account/password", data={"current_password": current, "new_password": new})
    return answer.status_code, answer.text


def test_account_page_names_the_person_and_their_browsers_only(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example", name="Ann <b>Lee")
    make_person("bob@mail.example")
    mine = browser_of(app, "ann@mail.example")
    browser_of(app, "ann@mail.example", agent=CHROME)
    browser_of(app, "bob@mail.example", agent="Mozilla/5.0 (iPhone) Safari/605")
    text = mine.get("/account").text
    assert "Ann &lt;b&gt;Lee" in text
    assert "ann@mail.example" in text
    assert text.count("Sign out this browser") == 2
    assert text.count("this one") == 1
    assert "Firefox on Linux" in text
    assert "Chrome on Windows" in text
    assert "iPhone" not in text


def test_one_browser_signs_another_one_out(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    mine, other = browser_of(app, "ann@mail.example"), browser_of(app, "ann@mail.example", agent=CHROME)
    ids = list(db.session.scalars(select(UserSession.id).order_by(UserSession.id)))
    assert mine.post(f"/account/browsers/{ids[1]}/sign-out").location == "/account"
    assert (is_signed_in(mine), is_signed_in(other)) == (True, False)
    assert mine.post(f"/account/browsers/{ids[0]}/sign-out").location == "/sign-in"
    assert not is_signed_in(mine)
    assert deeds()[-2:] == ["signed_out", "signed_out"]


def test_somebody_elses_browser_is_not_there(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    make_person("bob@mail.example")
    ann, bob = browser_of(app, "ann@mail.example"), browser_of(app, "bob@mail.example")
    theirs = db.session.scalars(select(UserSession.id).order_by(UserSession.id.desc())).first()
    answers = [ann.post(f"/account/browsers/{number}/sign-out") for number in (theirs, 999_999)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
    assert is_signed_in(bob)


def test_changed_password_ends_every_other_session_and_renews_this_one(
    app: Flask, client: FlaskClient
) -> None:
    make_person("ann@mail.example")
    mine, other = browser_of(app, "ann@mail.example"), browser_of(app, "ann@mail.example", agent=CHROME)
    old = mine.get_cookie("clinic")
    assert old is not None
    assert change(mine, PASSWORD, OTHER_PASSWORD)[0] == 303
    assert (is_signed_in(mine), is_signed_in(other)) == (True, False)
    thief = app.test_client()
    thief.set_cookie("clinic", old.value)
    assert not is_signed_in(thief)
    assert mails()[-1].subject == "Your password was changed"
    assert deeds()[-1] == "password_changed"
    assert sign_in(other, "ann@mail.example", PASSWORD).status_code == 422
    assert sign_in(other, "ann@mail.example", OTHER_PASSWORD).status_code == 303


def test_changed_password_ends_mailed_links(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    client.post("/password/forgot", data={"email": "ann@mail.example"})
    mine = browser_of(app, "ann@mail.example")
    change(mine, PASSWORD, OTHER_PASSWORD)
    assert db.session.scalars(select(MailedLink)).one().used_at is not None


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("not the password", OTHER_PASSWORD, "current_password"),
        ("", OTHER_PASSWORD, "current_password"),
        (PASSWORD, "", "new_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, PASSWORD, "new_password"),
        (PASSWORD, "Still Waters 2026", "new_password"),
        (PASSWORD, "x" * 100_000, "new_password"),
    ],
)
def test_refused_change_says_why_at_its_field(
    app: Flask, client: FlaskClient, current: str, new: str, field: str
) -> None:
    make_person("ann@mail.example")
    mine = browser_of(app, "ann@mail.example")
    status, text = change(mine, current, new)
    assert status == 422
    assert f'id="{field}-error"' in text
    assert is_signed_in(mine)
    assert deeds() == ["signed_in"]


def test_guessing_the_password_in_a_stolen_browser_is_limited(app: Flask, client: FlaskClient) -> None:
    make_person("desk@mail.example", Role.FRONT_DESK)
    mine = browser_of(app, "desk@mail.example")
    answers = [change(mine, f"guess number {number}", OTHER_PASSWORD)[0] for number in range(11)]
    assert answers == [422] * 10 + [429]
    assert change(mine, PASSWORD, OTHER_PASSWORD)[0] == 429
