"""What anybody can read about the services."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.catalogue import aftercare
from clinic.catalogue.models import Service
from clinic.catalogue.services import add_starter_catalogue
from clinic.premises.models import Clinic, Location
from clinic.shared.database import db, transaction
from tests.factories import (
    make_clinic,
    make_hours,
    make_location,
    make_opening_hours,
    make_room,
    make_therapist,
)
from tests.statements import counted


@pytest.fixture(autouse=True)
def _clinic(app: Flask) -> None:
    """A clinic with the starter catalogue."""
    make_clinic(name="Still Waters", emergency_number="112")
    place = make_location(zone="America/New_York", opens=None)
    make_opening_hours(place, opens="09:00", closes="18:00", weekdays=range(5))
    with transaction() as session:
        add_starter_catalogue(session)


def switch_off(key: str) -> None:
    with transaction() as session:
        session.query(Service).filter_by(key=key).one().is_active = False


def test_home_says_where_when_and_how(client: FlaskClient) -> None:
    page = client.get("/").text
    for words in (
        "Monday to Friday",
        "9:00 am to 6:00 pm",
        "Closed",
        "12 Main Street",
        "New York",
    ):
        assert words in page
    assert 'href="/book"' in page


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (24, "Cancel up to 24 hours before"),
        (1, "Cancel up to 1 hour before"),
        (0, "Cancel until your visit begins"),
    ],
)
def test_home_says_how_late_one_can_cancel(client: FlaskClient, hours: int, said: str) -> None:
    with transaction() as session:
        session.query(Clinic).one().cancel_notice_hours = hours
    assert said in client.get("/").text


def test_home_says_nothing_of_a_place_whose_address_nobody_has_entered(client: FlaskClient) -> None:
    assert "Where we are" in client.get("/").text
    with transaction() as session:
        place = session.query(Location).one()
        place.address = place.phone = ""
        assert place.address_line == "Main Street"
    assert "Where we are" not in client.get("/").text
    assert "Main Street" in client.get("/book/swedish/times?minutes=60").text


def test_home_names_every_place_with_its_own_hours_clock_and_telephone(client: FlaskClient) -> None:
    def shown() -> tuple[str, int]:
        with counted() as seen:
            page = client.get("/").text.replace("\u00a0", " ")
        return page, len(seen)

    _page, before = shown()
    west = make_location(
        zone="America/Los_Angeles", name="Sunset", address="1 Sunset Street\nLos Angeles", phone="(213) 555-0199",
        opens=None,
    )  # fmt: skip
    make_location(zone="Europe/Paris", name="Closed place", is_active=False)
    for place in db.session.query(Location).filter_by(is_active=True):
        make_room(place, name=f"Room of {place.name}")
        somebody = make_therapist(name=f"Ann of {place.name}", skills=())
        make_hours(somebody, place, starts="15:00", ends="21:00")
    assert "1 Sunset Street" not in shown()[0]  # still being set up
    make_opening_hours(west, opens="15:00", closes="21:00", weekdays=range(5))
    page, after = shown()
    assert (
        after <= before + 4
    )  # which of several open, have a room, and somebody who works there, however many
    first, second = page.partition("when we are open")[2].split("<h3")[1:]
    for words in ("Main Street", "9:00 am to 6:00 pm", "Times in New York.", "+12125550100"):
        assert words in first
    for words in (
        "Sunset",
        "1 Sunset Street",
        "3:00 pm to 9:00 pm",
        "Times in Los Angeles.",
        "(213) 555-0199",
    ):
        assert words in second.partition("</section>")[0]


def test_home_without_a_clinic_says_so(client: FlaskClient) -> None:
    with transaction() as session:
        session.query(Clinic).delete()
    answer = client.get("/")
    assert answer.status_code == 200
    assert "This clinic is not set up yet" in answer.text


def test_services_shows_what_is_on_offer_and_nothing_else(client: FlaskClient) -> None:
    switch_off("sports")
    page = client.get("/services").text
    assert "Deep tissue massage" in page
    assert "Sports massage" not in page
    assert page.count("Moving cups with magnets") == 1


def test_search_finds_by_other_names_and_keeps_what_was_typed(client: FlaskClient) -> None:
    page = client.get("/services?q=Cuping").text
    assert "2 services for “Cuping”" in page
    assert "Interval chamber" in page
    assert "Swedish massage" not in page
    assert 'value="Cuping"' in page


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", "x" * 5000, "%25", "'; DROP TABLE service"])
def test_search_for_nonsense_is_a_calm_page(client: FlaskClient, typed: str) -> None:
    answer = client.get("/services", query_string={"q": typed})
    assert answer.status_code == 200
    assert "We do not know it by that name" in answer.text
    assert "<script>alert" not in answer.text


def test_service_page_tells_everything_before_booking(client: FlaskClient) -> None:
    page = client.get("/services/decompression_vacuum").text
    for words in (
        "Round marks are likely",
        "Interval chamber",
        "$55",
        "1 hour",
        "negative pressure massage",
        "15 minutes more",
        "When to call 112",
        aftercare.GENERAL[0],
        aftercare.RING_A_DOCTOR[1],
        aftercare.CALL_EMERGENCY[0],
        aftercare.COMPLEMENTS,
    ):
        assert words in page, words
    assert 'href="/book/decompression_vacuum"' in page


def test_service_page_shows_addons_with_their_price(client: FlaskClient) -> None:
    page = client.get("/services/swedish").text
    assert "$25, 15 minutes more" in page
    assert "After hot stones" in page


def test_service_that_is_switched_off_is_not_there(client: FlaskClient) -> None:
    assert client.get("/services/sports").status_code == 200
    switch_off("sports")
    for old in ("/services/sports", "/book/sports", "/book/sports/times?minutes=60"):
        page = client.get(old)
        assert page.status_code == 404, old
        assert "is not offered at the moment" in page.text, "a link that was kept says what became of it"
        assert 'href="/services">See all treatments' in page.text
    for never in ("/services/nothing", "/book/nothing", "/book/nothing/times"):
        page = client.get(never)
        assert (page.status_code, "is not offered" in page.text) == (404, False)


def test_comparison_has_every_service_and_both_meanings(client: FlaskClient) -> None:
    page = client.get("/services/compare").text
    assert page.count('class="btn btn-quiet btn-sm" href="/book/') == 7
    for words in (
        "By hand",
        "By vacuum",
        "Decompression or traditional massage?",
        "Relaxation or therapeutic massage?",
        "We offer both and always say which one we mean.",
        "<td>Swedish massage, Relaxation massage</td>",
    ):
        assert words in page


def test_nothing_is_promised_that_the_clinic_does_not_offer(client: FlaskClient) -> None:
    def switch_off(key: str) -> tuple[str, str]:
        with transaction() as session:
            session.query(Service).filter(Service.key.startswith(key)).update({"is_active": False})
        return client.get("/services/compare").text, client.get("/").text

    compared, home = switch_off("decompression_vacuum")
    assert ("means two things" in compared, "We offer both" in compared) == (True, False)
    assert "Massage and decompression" in home
    compared, home = switch_off("decompression")
    assert ("means two things" in compared, "Decompression or traditional" in compared) == (False, False)
    assert "With us it is called" in compared
    assert "decompression" not in home.lower()
    compared, _home = switch_off("relaxation")
    compared, _home = switch_off("swedish")
    assert "With us it is called" not in compared


def test_where_nothing_is_on_offer_nothing_is_to_be_compared_or_found(client: FlaskClient) -> None:
    with transaction() as session:
        session.query(Service).update({"is_active": False})
        session.query(Location).update({"phone": ""})
    page = client.get("/services").text
    assert ("Please ask the clinic." in page, "Please call" in page) == (True, False)
    assert ("Compare the services" in page, 'type="search"' in page) == (False, False)
    assert "We do not know it by that name" in client.get("/services?q=cupping").text


def test_a_place_without_an_address_has_no_card_for_it(client: FlaskClient) -> None:
    assert "Where we are" in client.get("/").text
    with transaction() as session:
        session.query(Location).update({"address": "", "phone": ""})
    assert "Where we are" not in client.get("/").text
