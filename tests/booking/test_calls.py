"""Who has no e-mail address is called about what became of the visit: the desk has it on its list."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.booking.queries.visits import open_calls
from tests.booking import world as w
from tests.booking.desk import book, desk_browser

pytestmark = pytest.mark.usefixtures("now")
SERIOUS = {"heart_disease": {"not_sure": True}}


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build()


@pytest.fixture
def desk(app: Flask, world: w.World) -> FlaskClient:
    return desk_browser(app, world)


def test_visit_taken_back_without_an_address_is_a_call_to_make(desk: FlaskClient) -> None:
    client = w.person(email=None, phone="(212) 555-0188")
    w.sign(client)
    book(desk, client, "deep_tissue")
    assert (w.statuses(client), list(open_calls())) == (["confirmed"], [])
    w.sign_answers(client, SERIOUS)
    w.sign_answers(client, SERIOUS)
    assert w.statuses(client) == ["cancelled"]
    assert [(call.client_id, call.phone, call.about) for call in open_calls()] == [
        (client, "(212) 555-0188", "news")
    ]
    page = desk.get("/todo").text
    assert "Has no e-mail." in page
    assert 'href="tel:(212)555-0188"' in page


def test_nobody_is_called_who_gets_a_mail(desk: FlaskClient) -> None:
    client = w.person(email="nora@people.example", phone="(212) 555-0188")
    w.sign(client)
    book(desk, client, "deep_tissue")
    w.sign_answers(client, SERIOUS)
    assert w.statuses(client) == ["cancelled"]
    assert list(open_calls()) == []


def test_without_a_phone_the_list_says_so(desk: FlaskClient) -> None:
    client = w.person(email=None, phone=None)
    w.sign(client)
    book(desk, client, "deep_tissue")
    w.sign_answers(client, SERIOUS)
    page = desk.get("/todo").text
    assert "no phone number" in page
    assert 'href="tel:"' not in page
