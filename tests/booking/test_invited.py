"""What each of two people is told on their own page and by mail: who asked, what is missing, what becomes of the other.

Neither reads anything of the other's health, and no name that they did not type, but the first name of who asked them.
"""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.booking.services import people, visits
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.shared.database import db
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_book_couple import at_time, link_in, mails, named, pair, words_of
from tests.booking.test_book_series import to_check
from tests.booking.test_pages_own import LAST_MONTH, Account
from tests.conftest import NOW

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


ASKED = "For two: Ann asked us for two treatments at the same time"
NO_ANSWER = "If they do not answer in time, it is given back."


def asked_before_cancelling(page: str) -> str:
    """What the dialog of the button says."""
    found = re.search(r'data-confirm="(Cancel your visit[^"]*)"', page)
    assert found, page
    return unescape(found[1])


def test_the_page_says_who_asked_and_only_to_whom_they_asked(
    app: Flask, account: Account, client: FlaskClient, world: w.World, link: str
) -> None:
    one, two = pair()
    assert ASKED in words_of(client.get(link).text)
    for browser, page in (
        (client, link_in(mails(ANN)[-1].text)),
        (account.browser, f"/my/visits/{one.id}"),
        (account.browser, "/my"),
    ):
        assert (page, "asked us" in browser.get(page).text) == (page, False)
    first = db.session.get_one(Client, account.client_id)
    first_name, last_name, born_on = first.first_name, first.last_name, first.born_on
    for name, is_told in (("Secret", False), (first_name, True)):
        changed = Details(name, last_name, born_on, email=ANN, phone="(212) 555-0177")
        people.change_details(account.client_id, changed, by=world.desk_id, now=NOW)
        shown = client.get(link).text
        assert (name, ASKED in words_of(shown), "Secret" in shown) == (name, is_told, False)
    visits.cancel_visit(one.id, by=None, by_clinic=True, now=NOW)
    assert "Ann" not in words_of(client.get(link).text)


def test_whoever_cancels_reads_what_becomes_of_the_other_and_so_it_does(
    account: Account, client: FlaskClient, link: str
) -> None:
    one, two = pair()
    for browser, page, whose in (
        (client, link, "The time of Ann stays kept at first"),
        (account.browser, f"/my/visits/{one.id}", "The time of Frida Friend stays kept at first"),
        (client, link_in(mails(ANN)[-1].text), "The other person’s time stays kept at first"),
    ):
        shown = browser.get(page).text
        said = f"{whose}: we ask them whether they come alone. {NO_ANSWER}"
        assert said in words_of(shown)
        assert asked_before_cancelling(shown).endswith(f"? {said}")
        target = re.search(r'action="([^"]+/cancel)"', shown)
        assert target
        assert said in words_of(browser.post(target[1], data={"revision": "1"}).text), "without JavaScript"
    sure = walk.sure(client.post(f"{link}/cancel", data={"revision": str(two.revision)}))
    assert client.post(f"{link}/cancel", data=sure).location == link
    one, two = pair()
    assert (one.status, one.waiting_for, two.status) == ("pending", "partner", "cancelled")
    assert one.deadline_at is not None
    assert "couple_apart" in [mail.kind for mail in mails(ANN)], "they are asked"
    for browser, page in ((account.browser, f"/my/visits/{one.id}"), (client, link)):
        assert NO_ANSWER not in browser.get(page).text
