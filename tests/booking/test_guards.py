"""The two promises in the schema: written past all the code, by SQL, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from clinic.booking.models import Claim, Screening, Visit
from clinic.booking.services import visits
from clinic.catalogue.models import Service
from clinic.intake.models import Intake
from clinic.shared.database import db, transaction
from clinic.shared.guards import missing_guards
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both


@pytest.fixture
def visit(world: w.World) -> Visit:
    """A confirmed visit of a healthy person."""
    client = w.person()
    w.sign(client)
    return db.session.get_one(Visit, w.at_desk(world, client, "relaxation").visit_id)


def hour(offset_minutes: int) -> dt.datetime:
    return w.at(20) + dt.timedelta(minutes=offset_minutes)


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        (-60, 0, True),
        (60, 120, True),
        (-60, 1, False),
        (59, 120, False),
        (0, 60, False),
        (10, 20, False),
        (-30, 90, False),
    ],
    ids=[
        "touches before",
        "touches after",
        "one minute before",
        "one minute after",
        "same",
        "inside",
        "around",
    ],
)
def test_two_claims_on_one_resource_never_overlap(world: w.World, start: int, end: int, fits: bool) -> None:
    room = world.therapists[0]
    with transaction() as session:
        session.add(Claim(resource_id=room, starts_at=hour(0), ends_at=hour(60)))
    second = Claim(resource_id=room, starts_at=hour(start), ends_at=hour(end))
    if fits:
        with transaction() as session:
            session.add(second)
        return
    with pytest.raises(IntegrityError, match="ex_claim_overlap"), transaction() as session:
        session.add(second)


def test_moving_a_claim_onto_another_is_refused(world: w.World) -> None:
    one = world.therapists[0]
    with transaction() as session:
        session.add(Claim(resource_id=one, starts_at=hour(0), ends_at=hour(60)))
        session.add(Claim(resource_id=one, starts_at=hour(60), ends_at=hour(120)))
    with pytest.raises(IntegrityError, match="ex_claim_overlap"), transaction() as session:
        session.execute(update(Claim).where(Claim.starts_at == hour(60)).values(starts_at=hour(59)))


@pytest.mark.parametrize(
    "values",
    [
        {"day": dt.date(2026, 8, 1)},
        {"judged_key": "another"},
        {"screening_id": None},
        {"permits": None},
        {"permits": False},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_confirmed_visit_must_rest_on_its_own_judgement(visit: Visit, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit.id).values(**values))


def test_a_confirmed_visit_cannot_rest_on_another_clients_judgement(visit: Visit, world: w.World) -> None:
    other = w.person()
    w.sign(other)
    theirs = db.session.get_one(Visit, w.at_desk(world, other, "relaxation").visit_id).screening_id
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit.id).values(screening_id=theirs))


def test_a_judgement_that_does_not_permit_confirms_nothing(world: w.World) -> None:
    client = w.person()
    w.sign(client, clotting_tendency={"type": "factor V Leiden"})
    waiting = w.at_desk(world, client, "relaxation").visit_id
    for permits in (True, False, None):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(
                update(Visit).where(Visit.id == waiting).values(status="confirmed", permits=permits)
            )
    assert w.statuses(client) == ["pending"]


@pytest.mark.parametrize(
    "values",
    [{"minutes": 90}, {"mode": "interval"}, {"areas": ["left_hand"]}, {"addons": ["hot_stone"]}],
    ids=lambda values: next(iter(values)),
)
def test_a_visit_that_stands_is_what_was_judged(visit: Visit, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="visit_as_judged"), transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit.id).values(**values))


def test_a_visit_that_stands_is_of_the_service_that_was_judged(visit: Visit) -> None:
    other = db.session.scalars(select(Service.id).where(Service.key == "deep_tissue")).one()
    with pytest.raises(IntegrityError, match="visit_as_judged"), transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit.id).values(service_id=other))


@pytest.mark.parametrize("values", [{}, {"minutes": 90}, {"day": dt.date(2026, 8, 1)}, {"permits": None}])
def test_a_copy_of_a_visit_stands_only_as_it_was_judged(visit: Visit, values: dict[str, object]) -> None:
    """Inserted past all the code, confirmed at once."""
    columns = {column.key: getattr(visit, column.key) for column in Visit.__table__.columns}
    copy = {**columns, "id": visit.id + 1, "request_key": None, "manage_hash": None, **values}
    if not values:
        with transaction() as session:
            session.execute(insert(Visit).values(**copy))
        return
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(insert(Visit).values(**copy))


@pytest.mark.parametrize("over", ["cancelled", "late_cancelled"])
def test_a_visit_that_is_over_does_not_come_back(visit: Visit, world: w.World, over: str) -> None:
    visits.cancel_visit(visit.id, by=world.desk_id, by_clinic=True, now=NOW)
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit.id).values(status=over))
    for status in ("confirmed", "arrived", "no_show"):
        with pytest.raises(IntegrityError, match="ap_visit"), transaction() as session:
            session.execute(update(Visit).where(Visit.id == visit.id).values(status=status, permits=True))


def test_the_place_of_a_visit_that_stands_is_not_deleted(visit: Visit, world: w.World) -> None:
    with pytest.raises(IntegrityError, match="claim_kept"), transaction() as session:
        session.execute(delete(Claim).where(Claim.visit_id == visit.id))
    visits.cancel_visit(visit.id, by=world.desk_id, by_clinic=True, now=NOW)
    assert db.session.scalars(select(Claim).where(Claim.visit_id == visit.id)).all() == []


@pytest.mark.parametrize("table", ["screening", "intake", "status_change", "audit_row"])
def test_what_was_decided_is_neither_edited_nor_deleted(visit: Visit, table: str) -> None:
    column = {"screening": "verdict", "intake": "kind", "status_change": "status", "audit_row": "deed"}[table]
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match=f"ap_{table}"), transaction() as session:
            session.execute(text(statement))


def test_sealed_columns_may_be_sealed_anew(visit: Visit) -> None:
    with transaction() as session:
        row = session.scalars(select(Screening)).first()
        assert row is not None
        row.findings = row.findings
        intake = session.scalars(select(Intake)).first()
        assert intake is not None
        intake.answers = intake.answers


def test_answers_are_sealed_and_bound_to_their_row(world: w.World) -> None:
    client, other = w.person(), w.person()
    w.sign(client, doctor_said_no={"reason": "canary-word", "date": "2025-01-01"})
    w.sign(other)
    stored = db.session.execute(text("SELECT answers_sealed FROM intake")).scalars().all()
    assert len(stored) == 2
    assert all(b"canary-word" not in bytes(value) for value in stored)
    first, second = db.session.scalars(select(Intake).order_by(Intake.client_id)).all()
    assert first.answers["doctor_said_no"]["reason"] == "canary-word"
    from clinic.shared.crypto import CannotOpen

    second.answers_sealed = first.answers_sealed
    with pytest.raises(CannotOpen):
        _ = second.answers
    db.session.rollback()


def test_every_guard_is_in_place_and_a_missing_one_is_named(app: Flask) -> None:
    assert missing_guards(db.session()) == []
    drop = "DROP TRIGGER ap_intake_update" + ("" if db.engine.dialect.name == "sqlite" else " ON intake")
    db.session.rollback()
    with db.engine.connect() as connection:
        begun = connection.begin()
        connection.execute(text(drop))
        from sqlalchemy.orm import Session

        assert missing_guards(Session(bind=connection)) == ["ap_intake_update"]
        begun.rollback()
