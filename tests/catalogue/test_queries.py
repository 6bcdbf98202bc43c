"""The plan of a visit, cards, and what a service still lacks."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.catalogue import queries
from clinic.catalogue.models import Service, ServiceMode
from clinic.catalogue.queries import VisitPlan
from clinic.catalogue.services import add_starter_catalogue
from clinic.premises import queries as premises
from clinic.shared.database import db, transaction
from tests.factories import make_addon, make_clinic, make_device, make_location, make_room, make_service
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def starter(app: Flask) -> None:
    """The starter catalogue."""
    with transaction() as session:
        add_starter_catalogue(session)


@pytest.mark.usefixtures("starter")
def test_plan_adds_addons_and_the_first_visit() -> None:
    plan = queries.plan_for("swedish", None, ["aromatherapy", "hot_stone"], 60, first_visit=True)
    service = queries.service_by_key("swedish")
    assert service is not None
    assert plan == VisitPlan(
        service_id=service.id,
        key="swedish",
        name="Swedish massage",
        mode=None,
        mode_name="",
        addons=("hot_stone", "aromatherapy"),
        addon_names=("Hot stones", "Aromatherapy"),
        addon_columns=("hot_stone", "aromatherapy"),
        minutes=60,
        total_minutes=90,
        turnover_minutes=25,
        price=9500 + 2500 + 1200,
        judged_as=("swedish",),
        skills=frozenset({"hot_stone", "aromatherapy"}),
        licence_kind="LMT",
        room_kind="treatment",
        device_kinds=("stone_heater",),
        asks_area=False,
        first_visit_minutes=15,
        first_visit=True,
        is_intense=False,
        known_clients_only=False,
    )
    assert plan.as_first(True) == plan
    assert plan.as_first(False).total_minutes == 75
    assert plan.as_first(False).as_first(True) == plan


@pytest.mark.usefixtures("starter")
def test_plan_of_a_later_visit_is_the_length_alone() -> None:
    plan = queries.plan_for("decompression_vacuum", None, [], 45, first_visit=False)
    assert plan is not None
    assert (plan.total_minutes, plan.turnover_minutes, plan.price) == (45, 20, 8500)
    assert (plan.mode_name, plan.skills, plan.device_kinds) == (
        "Moving cups",
        frozenset({"cupping"}),
        ("vacuum_unit",),
    )
    assert plan.asks_area


@pytest.mark.usefixtures("starter")
def test_plan_of_the_chamber_takes_its_own_kit() -> None:
    plan = queries.plan_for("decompression_vacuum", "interval", [], 20, first_visit=False)
    assert plan is not None
    assert (plan.mode, plan.mode_name, plan.price) == ("interval", "Interval chamber", 5500)
    assert (plan.skills, plan.room_kind, plan.device_kinds) == (
        frozenset({"chamber"}),
        "chamber",
        ("interval_chamber",),
    )


@pytest.mark.usefixtures("starter")
@pytest.mark.parametrize(
    ("service", "mode", "addons", "minutes"),
    [
        ("nothing", None, [], 60),
        ("swedish", None, [], 45),
        ("swedish", None, ["cupping"], 60),
        ("swedish", None, ["hot_stone", "cupping"], 60),
        ("deep_tissue", None, ["hot_stone"], 60),
        ("swedish", "interval", [], 60),
        ("decompression_vacuum", "interval", [], 45),
        ("decompression_vacuum", None, [], 20),
        ("decompression_vacuum_magnetic", "interval", [], 30),
        ("relaxation", None, [], 30),
    ],
)
def test_what_is_not_on_offer_has_no_plan(
    service: str, mode: str | None, addons: list[str], minutes: int
) -> None:
    assert queries.plan_for(service, mode, addons, minutes, first_visit=False) is None


def test_what_is_switched_off_has_no_plan() -> None:
    scent = make_addon(key="aromatherapy", price=1200, is_active=False)
    make_service(key="swedish", prices={60: 9500}, addons=[scent])
    make_service(key="sports", prices={60: 9500}, is_active=False)
    assert queries.plan_for("swedish", None, ["aromatherapy"], 60, first_visit=False) is None
    assert queries.plan_for("sports", None, [], 60, first_visit=False) is None
    assert queries.plan_for("swedish", None, [], 60, first_visit=False) is not None


@pytest.mark.usefixtures("starter")
def test_plan_takes_at_most_four_statements() -> None:
    db.session.expire_all()
    with counted() as sent:
        assert queries.plan_for("swedish", None, ["hot_stone"], 60, first_visit=True)
    assert len(sent) <= 4


@pytest.mark.usefixtures("starter")
def test_list_of_services_takes_the_same_statements_for_one_and_for_seven() -> None:
    with transaction() as session:
        for row in session.query(Service).filter(Service.key != "swedish"):
            row.is_active = False
    db.session.expire_all()
    with counted() as one:
        assert [len(row.lengths) for row in queries.services_on_offer()] == [3]
    with transaction() as session:
        for row in session.query(Service):
            row.is_active = True
    db.session.expire_all()
    with counted() as seven:
        assert len([row.lengths for row in queries.services_on_offer()]) == 7
    assert len(seven) == len(one)


@pytest.mark.usefixtures("starter")
def test_vacuum_services_share_a_card() -> None:
    cards = queries.cards_of(queries.services_on_offer())
    assert [(card.title, [one.key for one in card.services]) for card in cards][:3] == [
        ("Decompression by hand", ["decompression_traction"]),
        ("Decompression by vacuum", ["decompression_vacuum", "decompression_vacuum_magnetic"]),
        ("Swedish massage", ["swedish"]),
    ]
    assert (cards[1].from_price, cards[1].minutes, cards[1].is_family) == (5500, [20, 30, 45, 60], True)


@pytest.mark.usefixtures("starter")
def test_find_services_puts_the_best_first_and_leaves_out_what_is_switched_off() -> None:
    assert [one.key for one in queries.find_services("cuping")] == [
        "decompression_vacuum",
        "decompression_vacuum_magnetic",
    ]
    assert [one.key for one in queries.find_services("hot stones")] == ["swedish", "relaxation"]
    assert queries.find_services("tattoo") == []
    with transaction() as session:
        session.query(Service).filter_by(key="decompression_vacuum").one().is_active = False
    assert [one.key for one in queries.find_services("cupping")] == ["decompression_vacuum_magnetic"]


def test_services_are_in_the_owners_order() -> None:
    make_service(key="sports", prices={60: 1}, position=2)
    make_service(key="swedish", prices={60: 1}, position=1)
    make_service(key="relaxation", prices={60: 1}, position=1, is_active=False)
    assert [one.key for one in queries.services_on_offer()] == ["swedish", "sports"]
    assert [one.key for one in queries.all_services()] == ["swedish", "relaxation", "sports"]


def test_what_is_missing_names_rooms_and_devices_that_are_not_in_use() -> None:
    place = make_location(zone="UTC")
    make_room(place)
    make_room(place, name="Chamber", room_kind="chamber", is_active=False)
    make_device(place, device_kind="vacuum_unit")
    stones = make_addon(key="hot_stone", price=1, device_kinds=["stone_heater"])
    chamber = ServiceMode(key="interval", name="Chamber", skills=[], room_kind="chamber", device_kinds=[])
    row = make_service(
        key="decompression_vacuum",
        prices={30: 1},
        device_kinds=["vacuum_unit"],
        modes=[chamber],
        addons=[stones],
    )
    assert queries.what_is_missing(row, *queries.kinds_in_use()) == ["chamber", "stone_heater"]


def test_own_kinds_and_skills_join_the_lists() -> None:
    make_service(
        key="swedish", prices={60: 1}, skills=["gua_sha"], device_kinds=["towel_warmer"], room_kind="sauna"
    )
    assert queries.skills()[-1] == "gua_sha"
    assert queries.device_kinds()[-1] == "towel_warmer"
    assert queries.room_kinds()[-1] == "sauna"


@pytest.mark.usefixtures("starter")
def test_a_plan_and_its_place_are_read_at_once_as_each_by_itself() -> None:
    make_clinic()
    first, second = make_location(zone="UTC"), make_location(zone="Asia/Kathmandu", opens=None)
    make_room(second, room_kind="treatment")
    make_device(second, device_kind="oxygen_chamber")
    days = [dt.date(2026, 6, 12), dt.date(2026, 6, 13)]
    for place in (None, first.id, second.id):
        for wish in (("swedish", None, ["aromatherapy", "hot_stone"], 60), ("swedish", None, (), 60)):
            with counted() as sent:
                found = queries.plan_at(*wish, first_visit=True, location_id=place, days=days)
            assert len(sent) == 1
            assert found == (queries.plan_for(*wish, first_visit=True), premises.open_place(place, days))
    wrong = (
        (("swedish", None, (), 61), first.id),
        (("swedish", "interval", (), 60), None),
        (("sports", None, (), 60), 0),
    )
    for none_such, place in wrong:
        assert queries.plan_at(*none_such, first_visit=False, location_id=place, days=days) is None
