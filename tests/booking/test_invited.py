"""What each of two people is told on their own page and by mail: who asked, what is missing, what becomes of the other.

Neither reads anything of the other's health, and no name that they did not type, but the first name of who asked them.
"""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_book_couple import at_time, link_in, mails, named, pair, words_of
from tests.booking.test_book_series import to_check
from tests.booking.test_pages_own import LAST_MONTH, Account

pytestmark = pytest.mark.usefixtures("now")
ANN, FRIDA = "ann@people.example", "frida@people.example"


@pytest.fixture
def world(app: Flask) -> w.World:
    made = w.build()
    w.add_room_for_two(made)
    return made


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    made = Account(app)
    w.sign(made.client_id, now=LAST_MONTH)
    return made


@pytest.fixture
def link(account: Account) -> str:
    """Ann has asked Frida along: where the mail to Frida leads."""
    to_check(account)
    page = account.browser.post("/book/couple", data=named())
    walk.for_two(account.browser, named(start=at_time(page.text)))
    return link_in(mails(FRIDA)[0].text)


def test_the_link_leads_to_the_first_question_that_is_still_open(client: FlaskClient, link: str) -> None:
    fresh = client.get(link).text
    assert (f'href="{link}/health/1"' in fresh, "Go on with the questions" in fresh) == (True, False)
    for number in (1, 2):
        client.post(f"{link}/health/{number}", data=walk.page_form(number, {}))
    begun = client.get(link).text
    assert (f'href="{link}/health/3"' in begun, f'href="{link}/health/1"' in begun) == (True, False)
    assert begun.count("Go on with the questions") == 2
    walk.answer(client, base=f"{link}/health")
    assert f'href="{link}/health/sign"' in client.get(link).text
