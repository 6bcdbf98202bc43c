"""No unsafe visit exists after any rule was tried at any door; and no door refuses what the same rule allows.

All rules go through one application for each door and database. What is looked at is the database, not the page.
"""

from __future__ import annotations

import os

import pytest
from flask import Flask
from sqlalchemy import delete, select

from clinic.booking.models import Claim, Screening, Visit
from clinic.intake.services import intakes
from clinic.rules.rule_table import TABLE
from clinic.rules.visit_status import HOLDING_CLAIMS, NEEDING_PERMIT, VisitStatus
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.booking.every_door.cases import ALL, MILD, PLACE, Case, Try
from tests.booking.every_door.doors import WAYS, Asked, Way
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

WHEN = w.at(1)
UNDECIDED = (VisitStatus.PENDING, VisitStatus.SUSPENDED)
OVER = (VisitStatus.RELEASED, VisitStatus.CANCELLED)


@pytest.fixture
def world(app: Flask) -> w.World:
    if db.engine.dialect.name == "sqlite":  # a thousand bookings, and no power cut to survive
        with db.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA synchronous=OFF")  # type: ignore[union-attr]
    return w.build(therapists=1)


def test_every_rule_is_among_the_cases_and_nearly_all_can_refuse() -> None:
    rules = {*TABLE.conditions, *(one.key for one in TABLE.combinations)}
    assert {case.rule for case in ALL} == rules
    refusing = {case.rule for case in ALL if any(one.end != "booked" for one in case.tries)}
    assert rules - refusing == MILD


@pytest.mark.timeout(900)  # seconds on an idle machine, minutes on a busy one
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_rule_at_every_door(world: w.World, way: Way) -> None:
    wrong = []
    for number, case, wanted in share_of(WAYS.index(way), is_sqlite=db.engine.dialect.name == "sqlite"):
        found = go_through(way, Asked(world, case, wanted, WHEN, number))
        wrong += [f"{case.rule} {wanted.service} {wanted.end}: {what}" for what in found]
    assert wrong == []


def share_of(way: int, *, is_sqlite: bool) -> list[tuple[int, Case, Try]]:
    """Whatever a rule forbids is tried each way, on one of the two databases; what it allows or lets wait on a third
    of the ways, in turn. All of it each way on both with CLINIC_EVERY_DOOR=1 (many minutes)."""
    every = [(case, wanted) for case in ALL for wanted in case.tries]
    numbered = [(number, case, wanted) for number, (case, wanted) in enumerate(every)]
    if os.environ.get("CLINIC_EVERY_DOOR"):
        return numbered
    return [
        (number, case, wanted)
        for number, case, wanted in numbered
        if (number + way) % 2 == is_sqlite and (wanted.end == "refused" or (number + way) % 3 == 0)
    ]


def go_through(way: Way, one: Asked) -> list[str]:
    """One person, their answers, their wish: what stands wrongly in the database afterwards."""
    steps = way(one)
    client = next(steps)
    declare(client, one.case)
    try:
        next(steps)
    except StopIteration as end:
        found = look(client, end.value, one)
    else:
        found = ["it stops twice"]
    tidy(client)
    return found


def declare(client: int, case: Case) -> None:
    """A warning sign stops the form before it is signed; answers that deny it a moment later open nothing."""
    if not case.urgent:
        w.sign_answers(client, case.declared)
        return
    told = w.answers(**case.declared)
    intakes.raise_stop(client, told, source="online", by=None, now=NOW, today=w.TODAY)
    w.sign(client)


def look(client: int, visit_id: int | None, one: Asked) -> list[str]:
    """What is wrong with what this person has now."""
    db.session.rollback()
    mine = db.session.scalars(select(Visit).where(Visit.client_id == client)).all()
    as_wanted = [
        row for row in mine if (row.service.key, row.areas) == (one.wanted.service, [PLACE]) and row.status not in OVER
    ]  # fmt: skip
    records = db.session.scalars(
        select(Screening).where(Screening.client_id == client, Screening.service == one.wanted.service)
    ).all()
    judged = {(row.verdict, row.permits) for row in records if row.areas == [PLACE]}
    found = [what for row in mine for what in unsound(row)]
    is_over = bool(mine) and all(row.status in OVER for row in mine)  # then nothing is judged any more
    if (one.wanted.verdict, one.wanted.end == "booked") not in judged and (judged or not is_over):
        found.append(f"no record of it: {judged}")
    statuses = [row.status for row in as_wanted]
    if one.wanted.end == "booked" and statuses != ["confirmed"]:
        found.append(f"not booked but {statuses}, visit {visit_id}")
    if one.wanted.end == "refused" and statuses:
        found.append(f"not refused but {statuses}")
    if one.wanted.end == "waits" and not set(statuses) <= set(UNDECIDED):
        found.append(f"does not wait but is {statuses}")
    return found


def unsound(visit: Visit) -> list[str]:
    """What the row says against itself: a permit, a deadline or a claim that is missing or left over."""
    claims = db.session.scalars(select(Claim.resource_id).where(Claim.visit_id == visit.id)).all()
    record = db.session.get(Screening, visit.screening_id) if visit.screening_id else None
    status = VisitStatus(visit.status)
    rests = record is not None and record.permits and visit.permits is True
    same = record is not None and (record.minutes, record.areas, record.day) == (
        visit.minutes, visit.areas, visit.day
    )  # fmt: skip
    taken = {visit.therapist_id, visit.room_id, visit.client_id} <= set(claims)
    checks = {
        "stands without a judgement that permits it": status not in NEEDING_PERMIT or (rests and same),
        "waits with a permit": status not in UNDECIDED or not visit.permits,
        "waits without an end": status not in UNDECIDED or visit.deadline_at is not None,
        "has not claimed its place": status not in HOLDING_CLAIMS or taken,
        "keeps a claim": status in HOLDING_CLAIMS or not claims,
    }
    return [f"{status} {words}" for words, fine in checks.items() if not fine]


def tidy(client: int) -> None:
    """Out of the way of the next person, past all services: it has been looked at."""
    with transaction() as session:
        visits = session.scalars(select(Visit).where(Visit.client_id == client)).all()
        for visit in visits:
            if visit.status not in OVER:
                visit.status, visit.permits = VisitStatus.CANCELLED, None
        session.flush()
        session.execute(delete(Claim).where(Claim.visit_id.in_([visit.id for visit in visits])))
