"""What each of two people is told on their own page and by mail: who asked, what is missing, what becomes of the other.

Neither reads anything of the other's health, and no name that they did not type, but the first name of who asked them.
"""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from clinic.booking.forms.choice import moment_text
from clinic.booking.services import people, visits
from clinic.catalogue.models import Service
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_book_couple import at_time, child_of, link_in, mails, named, pair, words_of
from tests.booking.test_book_series import to_check
from tests.booking.test_couples import both
from tests.booking.test_couples import pair as couple_of
from tests.booking.test_pages_own import LAST_MONTH, Account
from tests.booking.test_series import BLEEDS
from tests.booking.test_told_alike import HEART
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
ANN, FRIDA = "ann@people.example", "frida@people.example"


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build_for_two()


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    made = Account(app)
    w.sign(made.client_id, now=LAST_MONTH)
    return made


@pytest.fixture
def link(account: Account) -> str:
    """Ann has asked Frida along: where the mail to Frida leads."""
    return invite(account)


def later_link(mail: OutgoingMail) -> str:
    """Where a mail leads that was written after the first one."""
    found = re.search(r"(/visit/\S+)", mail.text)
    assert found, mail.text
    return found[1]


def invite(account: Account, service: str = "relaxation") -> str:
    to_check(account, service)
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
    assert begun.count("Go on with the questions") == 1
    walk.answer(client, base=f"{link}/health")
    assert f'href="{link}/health/sign"' in client.get(link).text


ASKED = "For two: Ann asked us for two treatments at the same time"
MISSING = "Your answer is missing: will you come alone?"
NO_ANSWER = "If they do not answer in time, it is given back."


def asked_before_cancelling(page: str) -> str:
    """What the dialog of the button says."""
    found = re.search(r'data-confirm="(Cancel your visit[^"]*)"', page)
    assert found, page
    return unescape(found[1])


def test_the_page_says_who_asked_and_only_to_whom_they_asked(
    app: Flask, account: Account, client: FlaskClient, world: w.World, link: str
) -> None:
    one, _theirs = pair()
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


def test_whoever_is_left_alone_is_led_straight_to_the_question(
    account: Account, client: FlaskClient, link: str
) -> None:
    """Ann by her mail or by the row of her visits; without an account as well."""
    assert MISSING not in account.browser.get("/my").text
    visits.cancel_visit(pair()[1].id, by=None, by_clinic=False, by_client=True, now=NOW)
    assert words_of(account.browser.get("/my").text).count(MISSING) == 1
    (mail,) = [one for one in mails(ANN) if one.kind == "couple_apart"]
    by_mail = later_link(mail)
    assert f'action="{by_mail}/alone"' in client.get(by_mail).text
    assert client.post(f"{by_mail}/alone").location == by_mail
    shown = client.get(by_mail).text
    assert ("This is how your visit stands now" in shown, f"{by_mail}/alone" in shown) == (True, False)
    assert pair()[0].status == "confirmed"
    assert MISSING not in account.browser.get("/my").text
    assert client.post(f"{by_mail}/alone").status_code == 409, "pressed in another tab"


@pytest.mark.parametrize("knows", [False, True])
def test_whoever_was_asked_along_comes_alone_by_the_link(
    account: Account, client: FlaskClient, *, knows: bool
) -> None:
    """Also before they have answered; and whether a record that looks like theirs is known shows nowhere."""
    if knows:
        known = factories.make_client(first_name="Frida", last_name="Friend", born_on=dt.date(1988, 7, 4)).id
        declared: dict[str, Any] = BLEEDS
        w.sign(known, **declared)
    link = invite(account)
    assert f"{link}/alone" not in client.get(link).text
    assert client.post(f"{link}/alone").status_code == 409
    visits.cancel_visit(pair()[0].id, by=None, by_clinic=False, by_client=True, now=NOW)
    (mail,) = [one for one in mails(FRIDA) if one.kind == "couple_apart"]
    by_mail = later_link(mail)
    shown = client.get(by_mail).text
    assert (f"{by_mail}/alone" in shown, shown.count("Answer the health questions")) == (True, 1)
    client.post(f"{by_mail}/alone")
    assert pair()[1].waiting_for == "intake"
    assert f'href="{by_mail}/health/1"' in client.get(by_mail).text
    walk.answer(client, base=f"{by_mail}/health")
    walk.sign(client, base=f"{by_mail}/health", name="Frida Friend")
    assert "Confirmed" in words_of(client.get(by_mail).text)
    assert [one.kind for one in mails(FRIDA)][-1] == "visit_confirmed_now"


@pytest.mark.parametrize(
    ("service", "declared", "told", "status"),
    [
        ("relaxation", {}, "Thank you. You are booked in, and we send you an e-mail.", "confirmed"),
        (
            "relaxation",
            HEART,
            "Thank you. Your answers are signed. The visit is not confirmed yet",
            "pending",
        ),
        ("deep_tissue", BLEEDS, "Thank you. With these answers the visit cannot go ahead.", "cancelled"),
    ],
)
def test_whoever_signs_by_the_link_is_thanked_and_told_what_came_of_it(
    account: Account,
    client: FlaskClient,
    service: str,
    declared: dict[str, Any],
    told: str,
    status: str,
) -> None:
    link = invite(account, service)
    walk.answer(client, declared, base=f"{link}/health")
    assert walk.sign(client, base=f"{link}/health", name="Frida Friend").location == link
    shown = words_of(client.get(link).text)
    assert (told in shown, pair()[1].status) == (True, status)
    assert "Thank you" not in words_of(client.get(link).text), "once"
    if status == "confirmed":
        mail = mails(FRIDA)[-1]
        assert mail.kind == "visit_confirmed_now"
        assert "Confirmed" in words_of(client.get(later_link(mail)).text)
        assert client.get(link).status_code == 200, "the first link works as well"


def test_whoever_waits_only_for_the_other_is_told_so_and_never_what_came_of_their_answers(
    account: Account, client: FlaskClient, link: str
) -> None:
    (mail,) = mails(ANN)
    assert "something is still needed" not in mail.text
    assert "waits for the other of the two visits, and you need not do anything" in mail.text
    assert "The other person has to answer the health questions first." in mail.text
    assert ("Frida" in mail.text, link_in(mail.text) in mail.text) == (False, True)
    page, by_mail = f"/my/visits/{pair()[0].id}", link_in(mail.text)
    before = account.browser.get(page).text, client.get(by_mail).text
    asked = "You need not do anything. We have asked {} by e-mail for their own health answers: remind them"
    for shown, whom in zip(before, ("Frida Friend", "the other person"), strict=True):
        assert asked.format(whom) in words_of(shown)
        assert "Something is still needed" not in shown
    walk.answer(client, HEART, base=f"{link}/health")
    walk.sign(client, base=f"{link}/health", name="Frida Friend")
    assert pair()[1].waiting_for not in (None, "intake", "partner")
    assert "Thank you" in client.get(link).text  # said once, in this browser
    after = account.browser.get(page).text, client.get(by_mail).text
    assert [words_of(one) for one in after] == [words_of(one) for one in before]
    assert [one.kind for one in mails(ANN)] == ["visit_waiting"]


def test_whoever_was_asked_along_waits_for_who_asked_them_and_is_told_no_more(
    account: Account, client: FlaskClient, link: str
) -> None:
    w.sign_answers(account.client_id, HEART)
    walk.answer(client, base=f"{link}/health")
    walk.sign(client, base=f"{link}/health", name="Frida Friend")
    one, two = pair()
    assert (one.status, one.waiting_for, two.waiting_for) == ("pending", "clearance", "partner")
    shown = words_of(client.get(link).text)
    assert "It waits for the visit of Ann." in shown
    assert "You need not do anything. As soon as it is confirmed, so is yours" in shown


def test_whoever_acts_for_both_is_led_to_the_visit_that_something_is_missing_for(account: Account) -> None:
    other = child_of(account, signs=False)
    to_check(account)
    walk.for_two(account.browser, {"who": str(other), "start": moment_text(w.at(3))})
    one, two = pair()
    shown = account.browser.get(f"/my/visits/{one.id}").text
    assert f'href="/my/visits/{two.id}">See what the other visit needs' in shown
    assert "by e-mail for their own health answers" not in shown
    assert "has to answer the health questions" not in mails(ANN)[0].text


def test_whoever_is_on_hold_for_the_other_alone_reads_so(app: Flask, world: w.World) -> None:
    one, other = w.person(email=ANN), w.person(email="bob@people.example")
    for client_id in (one, other):
        w.sign(client_id)
    couple = both(one, other).couple_id
    w.sign_answers(other, HEART)
    assert [visit.waiting_for for visit in couple_of(couple)] == ["partner", "clearance"]
    (on_hold,) = [mail for mail in mails(ANN) if mail.kind == "visit_on_hold"]
    assert "waits for the other of the two visits, and you need not do anything" in on_hold.text
    (theirs,) = [mail for mail in mails("bob@people.example") if mail.kind == "visit_on_hold"]
    assert "something has to be cleared up" in theirs.text


@pytest.mark.parametrize("minutes", [15, 0])
def test_why_one_of_two_takes_longer_is_said_wherever_both_are_shown(
    app: Flask, account: Account, world: w.World, minutes: int
) -> None:
    """Ann has been here before, Frida has not."""
    with transaction() as session:
        session.execute(update(Service).values(first_visit_minutes=minutes))
    w.at_desk(world, account.client_id, "relaxation", when=w.at(1))
    to_check(account)
    page = account.browser.post("/book/couple", data=named())
    look = account.browser.post("/book/couple", data=named(start=at_time(page.text)))
    shown = [words_of(f"<main>{part}") for part in look.text.partition("<main")[2].split("<section")[1:]]
    why = "1 hour, and 15 minutes more to get to know you at a first visit. They cost nothing."
    assert ["Length 1 hour" in one for one in shown] == [True, True]
    assert [why in one for one in shown] == [False, minutes > 0]
    walk.for_two(account.browser, named(start=at_time(page.text)))
    mail = mails(FRIDA)[0]
    assert mail.kind == "couple_invited"
    assert ("to get to know you. They cost nothing." in mail.text) == (minutes > 0)
    desk = desk_browser(app, world).get(f"/desk/couples/{pair()[-1].couple_id}").text
    assert [", 15 of them to get to know each other" in one for one in rows_of(desk)] == [False, minutes > 0]
    assert [
        f"{60 + longer} min with" in one for one, longer in zip(rows_of(desk), (0, minutes), strict=True)
    ] == [
        True,
        True,
    ]


def rows_of(page: str) -> list[str]:
    """The two visits on the desk's page of both."""
    return re.findall(r'<li class="visit-row.*?</li>', page, re.DOTALL)
