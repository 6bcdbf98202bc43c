"""What is read once in a transaction, and when it is read anew."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select, update

from clinic.catalogue import queries as catalogue
from clinic.catalogue.models import Service
from clinic.catalogue.queries import VisitPlan
from clinic.premises import queries as premises
from clinic.premises.models import Clinic
from clinic.shared.database import db, transaction
from clinic.shared.read_once import read_once
from tests.booking import world as w
from tests.statements import counted


def test_facts_are_read_once_and_anew_after_each_write_lock_and_transaction(app: Flask) -> None:
    w.build(therapists=1)
    read: list[int] = []

    def asked() -> int:
        """How often it was read, asked for twice."""
        for _ in range(2):
            read_once("fact", lambda: read.append(1), Clinic)
        return len(read)

    with transaction() as session:
        assert asked() == 1
        session.scalars(select(Service).limit(1)).one().summary = "changed"
        session.flush()
        assert asked() == 1  # another table
        session.scalars(select(Clinic)).one().name = "changed"
        session.flush()
        assert asked() == 2
        session.execute(update(Clinic).values(name="changed again"))
        assert asked() == 3
        session.scalars(select(Service).with_for_update()).all()
        assert asked() == 4  # it may have waited for somebody
        with session.begin_nested():
            assert asked() == 4
        assert asked() == 5  # that part may have been taken back
    assert asked() == 6


def test_the_clinic_is_one_read_however_many_ask(app: Flask) -> None:
    w.build(therapists=1)
    with transaction(), counted() as sent:
        premises.clinic()
        premises.clinic_facts()
        premises.booking_settings()
    assert len(sent) == 1
    with transaction():
        premises.clinic().lead_time_minutes = 17
        assert premises.booking_settings().lead_minutes == 17
    db.session.rollback()
    assert premises.booking_settings().lead_minutes == 17


def test_what_is_changed_and_yet_to_be_written_is_read_anew(app: Flask) -> None:
    w.build(therapists=1)

    def name() -> str:
        return read_once("name", lambda: db.session.scalars(select(Clinic.name)).one(), Clinic)

    with transaction() as session:
        name()
        session.scalars(select(Clinic)).one().name = "changed"
        assert name() == "changed"


def test_a_booked_visit_is_planned_once_and_anew_after_a_change_of_the_catalogue(app: Flask) -> None:
    w.build(therapists=1)
    service = db.session.scalars(select(Service.id).where(Service.key == "swedish")).one()

    def plan() -> VisitPlan:
        return catalogue.plan_for_booked(service, None, (), 60)

    with transaction() as session:
        first = plan()
        with counted() as sent:
            assert (plan(), sent) == (first, [])
        session.get_one(Service, service).turnover_minutes += 5
        assert plan().turnover_minutes == first.turnover_minutes + 5
