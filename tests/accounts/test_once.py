"""What works once works once also when it is used twice in the same moment, from two browsers."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.rules.permissions import Role
from tests.accounts.people import (
    OTHER_PASSWORD,
    PASSWORD,
    browser_of,
    code_of,
    mails,
    make_person,
)

pytestmark = pytest.mark.usefixtures("premises", "now")

BOSS, ANN = "boss@mail.example", "ann@mail.example"
BROWSERS = 3  # more would be told to wait: five wrong codes are all an account may have in five minutes


@pytest.fixture
def settings() -> dict[str, object]:
    """A process of its own in each thread, as far as a test can have one."""
    return {"PROPAGATE_EXCEPTIONS": False, "FOR": "browsers in threads"}


def all_at_once(
    app: Flask, prepare: Callable[[FlaskClient], None], path: str, data: dict[str, str]
) -> list[int]:
    """Every browser, made ready one after the other, sends the same form in the same moment."""
    app.test_client_class = None  # the usual one looks at the test's rows, which are not this thread's
    browsers = [app.test_client() for _ in range(BROWSERS)]
    for one in browsers:
        prepare(one)
    start = Barrier(BROWSERS)

    def send(browser: FlaskClient) -> int:
        start.wait()
        return browser.post(path, data=data).status_code

    with ThreadPoolExecutor(BROWSERS) as threads:
        return sorted(threads.map(send, browsers))


def halfway(browser: FlaskClient) -> None:
    """The password is right; nothing more is done."""
    browser.post("/sign-in", data={"email": BOSS, "password": PASSWORD})


def test_each_key_and_code_lets_one_in_when_used_twice_at_once(app: Flask, client: FlaskClient) -> None:
    make_person(ANN)
    make_person(BOSS, Role.OWNER)
    page = browser_of(app, BOSS).post("/account/recovery-codes", data={"sure": "1"}).text
    recovery = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", page)[0]
    client.post("/password/forgot", data={"email": ANN})
    client.post("/sign-in/link", data={"email": ANN})
    texts = "\n".join(one.text for one in mails() if one.to == ANN)
    mailed, reset = (
        re.findall(rf"{start}[\w-]{{43}}$", texts, re.M)[0] for start in ("/sign-in/link/", "/password/")
    )
    app_code = code_of(BOSS)
    ready: Callable[[FlaskClient], None] = lambda browser: None  # noqa: E731
    lost = {
        "mailed link": all_at_once(app, ready, mailed, {}),
        "new password": all_at_once(app, ready, reset, {"password": OTHER_PASSWORD}),
        "code of the app": all_at_once(app, halfway, "/sign-in/second-step", {"proof_code": app_code}),
        "recovery code": all_at_once(app, halfway, "/sign-in/second-step", {"proof_code": recovery}),
    }
    assert lost == {
        "mailed link": [303, *[404] * (BROWSERS - 1)],
        "new password": [303, *[404] * (BROWSERS - 1)],
        "code of the app": [303, *[422] * (BROWSERS - 1)],
        "recovery code": [303, *[422] * (BROWSERS - 1)],
    }
