"""The owner's pages of services and add-ons."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.catalogue import queries
from clinic.catalogue.facts import Length
from clinic.catalogue.models import Addon, Service
from clinic.catalogue.services import add_starter_catalogue
from clinic.shared.database import db, transaction
from tests.factories import make_clinic, make_location, make_room, make_therapist
from tests.owners import deeds, owner_browser, save_page


@pytest.fixture
def owner(app: Flask) -> FlaskClient:
    """An owner's browser, in a clinic with the starter catalogue."""
    make_clinic(currency="USD")
    make_room(make_location(zone="UTC"))
    with transaction() as session:
        add_starter_catalogue(session)
    return owner_browser(app)


def service(key: str) -> Service:
    return db.session.query(Service).filter_by(key=key).one()


def address_of(key: str) -> str:
    return f"/owner/services/{service(key).id}"


def test_list_says_what_keeps_a_service_from_being_booked(owner: FlaskClient) -> None:
    page = owner.get("/owner/services").text
    assert (
        "nothing in use of the kind Room with the interval chamber, Vacuum pump with gauge and cups, Interval chamber"
        in page
    )
    assert (
        page.count("Cannot be booked in every way yet") == 4
    )  # both vacuum services, and two with hot stones


@pytest.mark.parametrize("key", ["swedish", "decompression_vacuum", "deep_tissue"])
def test_saving_a_service_untouched_changes_nothing(owner: FlaskClient, key: str) -> None:
    before = queries.service_facts(service(key))
    assert save_page(owner, address_of(key)).status_code == 303
    assert queries.service_facts(service(key)) == before
    assert deeds() == [("service.changed", "")]


def test_service_is_changed_field_by_field(owner: FlaskClient) -> None:
    answer = save_page(
        owner,
        address_of("swedish"),
        name="Classic massage",
        other_skill="Hot towel",
        addons=["aromatherapy"],
        is_active=None,
        fields={
            "length.0.minutes": "40",
            "length.0.price": "$62.50",
            "length.1.minutes": "",
            "length.1.price": "",
        },
    )
    assert answer.status_code == 303
    facts = queries.service_facts(service("swedish"))
    assert (facts.name, facts.skills, facts.addons, facts.is_active) == (
        "Classic massage",
        ("hot_towel",),
        ("aromatherapy",),
        False,
    )
    assert facts.lengths == (Length(None, 40, 6250), Length(None, 90, 13500))
    assert "Classic massage is saved" in owner.get("/owner/services").text


def test_mistakes_stand_at_their_fields_and_what_was_typed_stays(owner: FlaskClient) -> None:
    answer = save_page(
        owner,
        address_of("swedish"),
        name="",
        summary="Kept words",
        turnover_minutes="ten",
        fields={"length.0.price": "cheap"},
    )
    assert answer.status_code == 422
    for words in ("Kept words", 'value="ten"', 'value="cheap"', "Write a price such as 85 or 72.50."):
        assert words in answer.text, words
    assert service("swedish").name == "Swedish massage"


def test_all_mistakes_are_shown_at_once(owner: FlaskClient) -> None:
    answer = save_page(owner, address_of("swedish"), name="", fields={"length.0.price": "cheap"})
    assert "Enter a name." in answer.text
    assert "Write a price such as 85 or 72.50." in answer.text
    assert answer.text.count("data-error-summary") == 1
    for target in ("name", "length.0.price"):
        assert f'href="#{target}"' in answer.text
        assert f'id="{target}"' in answer.text


def test_one_more_length_is_asked_for_without_saving(owner: FlaskClient) -> None:
    answer = save_page(owner, address_of("swedish"), name="Half typed", act="add.length")
    assert answer.status_code == 200
    assert 'name="length.3.minutes"' in answer.text
    assert "Half typed" in answer.text
    assert deeds() == []


def test_same_length_twice_is_refused_in_words(owner: FlaskClient) -> None:
    answer = save_page(owner, address_of("swedish"), fields={"length.0.minutes": "60"})
    assert answer.status_code == 422
    assert "One length stands there twice" in answer.text


def test_second_tab_does_not_undo_the_first(owner: FlaskClient) -> None:
    address = address_of("swedish")
    from tests.typed_forms import form_on

    stale = form_on(owner.get(address).text, address)
    assert save_page(owner, address, name="First tab").status_code == 303
    clash = owner.post(address, data=stale | {"name": ["Second tab"]})
    assert clash.status_code == 422
    assert "Somebody changed this while you had it open" in clash.text
    assert service("swedish").name == "First tab"
    again = form_on(clash.text, address)
    assert again["name"] == ["Second tab"]
    assert owner.post(address, data=again).status_code == 303
    assert service("swedish").name == "Second tab"


def test_new_service_must_say_what_it_is_like(owner: FlaskClient) -> None:
    typed = {
        "name": "Foot massage",
        "summary": "Feet.",
        "fields": {"length.0.minutes": "30", "length.0.price": "45"},
    }
    refused = save_page(owner, "/owner/services/new", **typed)
    assert refused.status_code == 422
    assert "Choose at least one service that this is like." in refused.text
    assert (
        save_page(owner, "/owner/services/new", judged_as=["relaxation", "swedish"], **typed).status_code
        == 303
    )
    added = service("foot_massage")
    assert (added.judged_as, added.family) == (["swedish", "relaxation"], "foot_massage")
    page = owner.get(f"/owner/services/{added.id}").text
    assert "Judged as Swedish massage and Relaxation massage" in page
    assert 'name="judged_as"' not in page


def test_judged_as_cannot_be_smuggled_into_a_change(owner: FlaskClient) -> None:
    assert save_page(owner, address_of("deep_tissue"), judged_as=["relaxation"]).status_code == 303
    assert service("deep_tissue").judged_as == ["deep_tissue"]


def test_what_is_not_there_is_not_found(owner: FlaskClient) -> None:
    for address in ("/owner/services/999", "/owner/addons/999"):
        assert owner.get(address).status_code == 404
        assert owner.post(address, data={}).status_code == 404


def test_no_two_on_offer_have_one_name(owner: FlaskClient) -> None:
    stones = db.session.query(Addon).filter_by(key="hot_stone").one()
    twice = save_page(owner, address_of("swedish"), name="deep tissue massage")
    assert (twice.status_code, "There is a service of this name." in twice.text) == (422, True)
    twice = save_page(owner, f"/owner/addons/{stones.id}", name="Aromatherapy")
    assert (twice.status_code, "There is an add-on of this name." in twice.text) == (422, True)
    assert save_page(owner, address_of("deep_tissue"), is_active=None).status_code == 303
    assert save_page(owner, address_of("swedish"), name="Deep tissue massage").status_code == 303


def test_addon_is_changed_and_added(owner: FlaskClient) -> None:
    stones = db.session.query(Addon).filter_by(key="hot_stone").one()
    assert save_page(owner, f"/owner/addons/{stones.id}", price="30", is_active=None).status_code == 303
    assert db.session.query(Addon).filter_by(key="hot_stone", price=3000, is_active=False).count() == 1
    typed = {"name": "Rose oil", "summary": "Rose.", "price": "10"}
    refused = save_page(owner, "/owner/addons/new", **typed)
    assert "Choose the one that comes nearest." in refused.text
    assert save_page(owner, "/owner/addons/new", judged_as="aromatherapy", **typed).status_code == 303
    assert db.session.query(Addon).filter_by(key="rose_oil", judged_as="aromatherapy").count() == 1
    assert deeds() == [("addon.changed", "price, is_active"), ("addon.added", "")]
    assert "Rose oil" in owner.get("/owner/addons").text


def test_saving_an_addon_untouched_changes_nothing(owner: FlaskClient) -> None:
    stones = db.session.query(Addon).filter_by(key="hot_stone").one()
    before = queries.addon_facts(stones)
    assert save_page(owner, f"/owner/addons/{stones.id}").status_code == 303
    assert queries.addon_facts(db.session.query(Addon).filter_by(key="hot_stone").one()) == before


def test_bad_price_of_an_addon_is_kept_as_typed(owner: FlaskClient) -> None:
    answer = save_page(
        owner, "/owner/addons/new", name="Mud", summary="Mud.", price="free", judged_as="hot_stone"
    )
    assert answer.status_code == 422
    assert 'value="free"' in answer.text


def test_a_service_asks_for_a_licence_that_the_owner_named(owner: FlaskClient) -> None:
    for typed in ("Masseurin", " masseurIN"):
        assert save_page(owner, address_of("swedish"), other_licence=typed).status_code == 303
        assert service("swedish").licence_kind == "Masseurin"
    assert '<option value="Masseurin">' in owner.get(address_of("sports")).text
    assert '<option selected value="LMT">' in owner.get(address_of("sports")).text


def test_a_service_offers_the_licences_that_were_named_at_therapists(owner: FlaskClient) -> None:
    make_therapist(name="Eva Hof", skills=[], licence_kind="Heilmasseur")
    assert '<option value="Heilmasseur">' in owner.get(address_of("swedish")).text


def test_on_german_pages_what_the_program_named_is_german(owner: FlaskClient) -> None:
    german = {"Accept-Language": "de"}
    assert "Hot stones" not in owner.get("/owner/addons", headers=german).text
    page = owner.get(address_of("swedish"), headers=german).text
    assert "Beurteilt als Schwedische Massage" in page
