"""Two owners who save one form at one moment: the second sees what the first has written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from sqlalchemy import select

from clinic.catalogue import queries, services
from clinic.catalogue.models import Addon, Service
from clinic.shared.database import db, transaction
from clinic.shared.seen import mark_of
from tests.at_once import Deeds, deeds
from tests.conftest import NOW

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
ONE_SAVED = ("done", "ChangedMeanwhile")


@pytest.fixture(autouse=True)
def catalogue(app: object) -> None:
    with transaction() as session:
        services.add_starter_catalogue(session)


def swedish() -> Service:
    return db.session.scalars(select(Service).where(Service.key == "swedish")).one()


def scent() -> Addon:
    return db.session.scalars(select(Addon).where(Addon.key == "aromatherapy")).one()


def test_a_service(deeds: Deeds) -> None:
    number, old = swedish().id, queries.service_facts(swedish())

    def save(**values: object) -> Callable[[], object]:
        new = replace(old, **values)  # type: ignore[arg-type]
        return lambda: services.change_service(number, new, seen=mark_of(asdict(old)), by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save(lengths=old.lengths[:1]), save(first_visit_minutes=25)) == ONE_SAVED
    assert queries.service_facts(swedish()) == replace(old, lengths=old.lengths[:1])


def test_an_addon(deeds: Deeds) -> None:
    number, old = scent().id, queries.addon_facts(scent())

    def save(**values: object) -> Callable[[], object]:
        new = replace(old, **values)  # type: ignore[arg-type]
        return lambda: services.change_addon(number, new, seen=mark_of(asdict(old)), by=None, now=NOW)

    deeds.stop_in(services, "leave_trace")
    assert deeds.do(save(price=100), save(minutes=5)) == ONE_SAVED
    assert queries.addon_facts(scent()) == replace(old, price=100)
