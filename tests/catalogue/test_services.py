"""Changing the catalogue: what is refused, what is kept, what is written down."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace

import pytest

from clinic.catalogue import queries, services
from clinic.catalogue.facts import AddonFacts, Length, ServiceFacts
from clinic.catalogue.models import Service, ServiceMode
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, NotFound
from clinic.shared.seen import mark_of
from tests.factories import make_addon, make_service
from tests.owners import deeds

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)

FACTS = ServiceFacts(
    name="Hot towel massage",
    summary="Warm towels.",
    good_for="",
    what_happens="",
    what_to_expect="",
    aftercare="",
    techniques="",
    pressure="",
    how_often="",
    usual_way="",
    other_names=("towels",),
    skills=("hot_towel",),
    licence_kind="LMT",
    room_kind="treatment",
    device_kinds=("towel_warmer",),
    turnover_minutes=15,
    first_visit_minutes=15,
    asks_area=False,
    position=8,
    is_active=True,
    addons=(),
    lengths=(Length(None, 60, 9000),),
)
SCENT = AddonFacts(
    name="Rose oil",
    summary="Rose.",
    aftercare="",
    minutes=0,
    turnover_minutes=5,
    price=1000,
    skills=(),
    device_kinds=(),
    position=3,
    is_active=True,
)


def add(facts: ServiceFacts = FACTS, judged_as: tuple[str, ...] = ("swedish",)) -> int:
    return services.add_service(facts, judged_as, by=None, now=NOW)


def change(row: Service, facts: ServiceFacts) -> None:
    seen = mark_of(asdict(queries.service_facts(row)))
    services.change_service(row.id, facts, seen=seen, by=None, now=NOW)


def shown(service_id: int) -> ServiceFacts:
    row = queries.service(service_id)
    assert row is not None
    return queries.service_facts(row)


def test_new_service_can_be_planned_as_it_was_entered() -> None:
    service_id = add(judged_as=("swedish", "relaxation"))
    assert shown(service_id) == FACTS
    plan = queries.plan_for("hot_towel_massage", None, [], 60, first_visit=False)
    assert plan is not None
    assert plan.judged_as == ("swedish", "relaxation")
    assert (plan.skills, plan.device_kinds) == (frozenset({"hot_towel"}), ("towel_warmer",))
    assert deeds() == [("service.added", "")]


@pytest.mark.parametrize("judged_as", [(), ("hot_stone",), ("swedish", "reiki")])
def test_new_service_must_name_what_it_is_judged_as(judged_as: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(judged_as=judged_as)
    assert refused.value.field == "judged_as"
    assert queries.all_services() == []
    assert deeds() == []


@pytest.mark.parametrize("name", ["Hot-towel  massage", "HOT TOWEL MASSAGE", "!!"])
def test_new_service_needs_a_name_of_its_own(name: str) -> None:
    add()
    with pytest.raises(InvalidInput) as refused:
        add(replace(FACTS, name=name))
    assert refused.value.field == "name"


def test_names_of_any_script_can_be_booked() -> None:
    """Each has a key of its own, also where nothing of the name is written with a to z, or the same part is."""
    names = ["热毛巾", "לוח שנה", "Массаж 60", "Спорт 60", "Für Füße"]
    for name in names:
        add(replace(FACTS, name=name))
    rows = queries.all_services()
    assert sorted(one.name for one in rows) == sorted(names)
    assert len({one.key for one in rows}) == len(names)
    for row in rows:
        plan = queries.plan_for(row.key, None, [], 60, first_visit=False)
        assert plan is not None, row.key
        assert plan.name == row.name


@pytest.mark.parametrize("is_active", [True, False])
def test_a_name_that_was_switched_off_is_taken_still(is_active: bool) -> None:
    add(replace(FACTS, name="热毛巾", is_active=is_active))
    with pytest.raises(InvalidInput):
        add(replace(FACTS, name="热毛巾"))


@pytest.mark.parametrize(
    "lengths",
    [
        (),
        (Length(None, 60, 1), Length(None, 60, 2)),
        (Length("interval", 60, 1),),
        (Length(None, 60, 1), Length("interval", 30, 1)),
        (Length(None, 4, 1),),
        (Length(None, 481, 1),),
        (Length(None, 60, -1),),
    ],
)
def test_lengths_that_cannot_be_are_refused(lengths: tuple[Length, ...]) -> None:
    row = make_service(key="swedish", prices={30: 5000})
    before = queries.service_facts(row)
    with pytest.raises(InvalidInput) as refused:
        change(row, replace(before, lengths=lengths))
    assert refused.value.field == "lengths"
    assert shown(row.id) == before


def test_modes_keep_their_lengths_apart() -> None:
    chamber = ServiceMode(key="interval", name="Chamber", skills=[], device_kinds=[])
    row = make_service(
        key="decompression_vacuum", prices={30: 6500}, modes=[chamber], mode_prices={("interval", 30): 7000}
    )
    wanted = (Length(None, 30, 6600), Length("interval", 20, 5000), Length("interval", 30, 7000))
    change(row, replace(queries.service_facts(row), lengths=wanted))
    assert shown(row.id).lengths == wanted


def test_judged_as_cannot_be_changed() -> None:
    assert "judged_as" not in ServiceFacts.__dataclass_fields__
    assert "judged_as" not in AddonFacts.__dataclass_fields__


def test_change_names_the_fields_in_the_audit_and_no_values() -> None:
    row = make_service(key="swedish", prices={60: 9500})
    change(row, replace(queries.service_facts(row), name="Classic massage", is_active=False))
    assert deeds() == [("service.changed", "name, is_active")]
    assert queries.services_on_offer() == []


def test_change_over_a_newer_one_is_noticed() -> None:
    row = make_service(key="swedish", prices={60: 9500})
    old = queries.service_facts(row)
    change(row, replace(old, name="Classic massage"))
    with pytest.raises(ChangedMeanwhile):
        services.change_service(row.id, old, seen=mark_of(asdict(old)), by=None, now=NOW)
    assert shown(row.id).name == "Classic massage"


def test_addons_are_given_and_taken_and_unknown_ones_refused() -> None:
    stones = make_addon(key="hot_stone", price=2500)
    make_addon(key="aromatherapy", price=1200)
    row = make_service(key="swedish", prices={60: 9500}, addons=[stones])
    change(row, replace(queries.service_facts(row), addons=("aromatherapy",)))
    assert shown(row.id).addons == ("aromatherapy",)
    with pytest.raises(InvalidInput) as refused:
        change(row, replace(shown(row.id), addons=("mud",)))
    assert refused.value.field == "addons"


def test_what_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(NotFound):
        services.change_service(999, FACTS, seen="", by=None, now=NOW)
    with pytest.raises(NotFound):
        services.change_addon(999, SCENT, seen="", by=None, now=NOW)


def test_new_addon_is_judged_by_the_column_it_names() -> None:
    services.add_addon(SCENT, "aromatherapy", by=None, now=NOW)
    make_service(key="swedish", prices={60: 9500}, addons=queries.all_addons())
    plan = queries.plan_for("swedish", None, ["rose_oil"], 60, first_visit=False)
    assert plan is not None
    assert (plan.addons, plan.addon_columns, plan.price) == (("rose_oil",), ("aromatherapy",), 10500)
    assert deeds() == [("addon.added", "")]


@pytest.mark.parametrize(
    ("name", "judged_as", "field"),
    [("Mud", "swedish", "judged_as"), ("Mud", "", "judged_as"), ("Rose oil", "aromatherapy", "name")],
)
def test_addon_that_cannot_be_is_refused(name: str, judged_as: str, field: str) -> None:
    services.add_addon(SCENT, "aromatherapy", by=None, now=NOW)
    with pytest.raises(InvalidInput) as refused:
        services.add_addon(replace(SCENT, name=name), judged_as, by=None, now=NOW)
    assert refused.value.field == field
    assert len(queries.all_addons()) == 1


def test_addon_change_is_written_down_and_a_clash_noticed() -> None:
    row = make_addon(key="hot_stone", price=2500)
    old = queries.addon_facts(row)
    services.change_addon(row.id, replace(old, price=2600), seen=mark_of(asdict(old)), by=None, now=NOW)
    assert deeds() == [("addon.changed", "price")]
    with pytest.raises(ChangedMeanwhile):
        services.change_addon(row.id, old, seen=mark_of(asdict(old)), by=None, now=NOW)
