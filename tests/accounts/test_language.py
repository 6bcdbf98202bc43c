"""Which language a page is in: what the person chose, else their browser, else the clinic."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clinic.accounts.models import User
from clinic.premises.models import Clinic
from clinic.shared.database import db, transaction
from tests.accounts.people import make_person, sign_in

pytestmark = pytest.mark.usefixtures("premises", "now")


def language_of(client: FlaskClient, wish: str = "") -> str:
    page = client.get("/sign-in", headers={"Accept-Language": wish} if wish else {}).text
    return page.partition('<html lang="')[2][:2]


def the_clinic_has(**settings: object) -> None:
    with transaction() as session:
        session.execute(update(Clinic).values(**settings))


def test_the_browser_is_asked_before_the_clinic_and_the_person_before_both(client: FlaskClient) -> None:
    assert language_of(client) == "en"
    assert language_of(client, "fr, de-CH;q=0.8, en;q=0.5") == "de"
    assert language_of(client, "fr") == "en"
    the_clinic_has(language="de")
    assert language_of(client) == "de"
    assert language_of(client, "en-GB") == "en"
    answer = client.post(
        "/language", data={"language": "en"}, headers={"Referer": "http://localhost/sign-in"}
    )
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert language_of(client, "de") == "en"
    the_clinic_has(offers_languages=False)
    assert language_of(client, "en") == "de"
    assert 'action="/language"' not in client.get("/sign-in").text


def test_only_languages_that_there_are_can_be_chosen_and_only_by_pressing_a_button(
    client: FlaskClient,
) -> None:
    assert client.post("/language", data={"language": "xx"}).status_code == 400
    assert client.post("/language").status_code == 400
    assert client.get("/language", query_string={"language": "de"}).status_code == 405
    assert language_of(client) == "en"


def test_who_is_signed_in_finds_the_choice_again_in_another_browser(client: FlaskClient) -> None:
    make_person("ann@example.com")
    sign_in(client, "ann@example.com")
    client.post("/language", data={"language": "de"})
    assert db.session.scalar(select(User.language).where(User.email == "ann@example.com")) == "de"
    client.delete_cookie("language")
    assert client.get("/account").text.partition('<html lang="')[2][:2] == "de"


def test_a_page_whose_address_is_a_key_comes_back_without_scripts_too(client: FlaskClient) -> None:
    """Browsers send such an address with no form, so that the page says where it was."""
    assert 'name="back"' not in client.get("/sign-in").text
    address = f"/visit/{'x' * 43}/check-in"
    page = client.get(address)
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert page.text.count(f'name="back" value="{address}"') == 2, "language, size of type"
    for deed, answer in (("/language", {"language": "de"}), ("/text-size", {"size": "large"})):
        for back, leads in (
            (address, address),
            ("//elsewhere.example/", "/"),
            ("https://elsewhere.example", "/"),
        ):
            headers = {"Referer": "http://localhost/"}
            assert client.post(deed, data={**answer, "back": back}, headers=headers).location == leads
