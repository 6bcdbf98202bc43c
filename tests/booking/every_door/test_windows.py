"""Every boundary of the table in time: refused on the last day, booked on the next, and no way back by moving."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Claim, Screening, Visit
from clinic.booking.services import visits
from clinic.rules.visit_status import NEEDING_PERMIT
from clinic.shared.database import db
from tests.booking import world as w
from tests.booking.every_door.cases import PLACE, Window, windows
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

STATUS = {"booked": ["confirmed"], "waits": ["pending"], "refused": []}


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(therapists=1)


def test_there_are_windows_of_every_kind() -> None:
    kinds = {(one.before.end, one.after.end) for one in windows()}
    assert kinds == {("refused", "waits"), ("refused", "booked"), ("waits", "booked")}


@pytest.mark.timeout(900)
def test_the_last_day_of_every_window_and_the_next(world: w.World) -> None:
    half = 0 if db.engine.dialect.name == "sqlite" else 1
    wrong = []
    for number, window in enumerate(windows()):
        if number % 2 == half:
            wrong += [f"{window.rule} {window.days}: {what}" for what in go_through(world, window, number)]
    assert wrong == []


def go_through(world: w.World, window: Window, number: int) -> list[str]:
    """Book on the last day, then on the next; then move that visit back. Each pair has an hour of its own."""
    ahead = min(window.days, 2)  # what is declared lies behind, not ahead
    hour = 8 + number % 10
    last, after = w.at(ahead, hour), w.at(ahead + 1, hour)
    found = []
    for when, wanted in ((last, window.before), (after, window.after)):
        client = w.person()
        w.sign_answers(client, window.declared(w.TODAY + (last - w.at(0, hour))))
        booked = w.at_desk(world, client, wanted.service, when=when, areas=(PLACE,))
        if w.statuses(client) != STATUS[wanted.end]:
            found.append(f"{wanted.end} on {when.date()} but {w.statuses(client)}")
        verdicts = db.session.scalars(select(Screening.verdict).where(Screening.client_id == client)).all()
        if verdicts != [wanted.verdict]:
            found.append(f"judged {verdicts}")
        cancel = booked.visit_id if when == last else None
        if cancel is not None:
            visits.cancel_visit(cancel, by=world.desk_id, by_clinic=True, now=NOW)
    if booked.visit_id is None:
        return [*found, "nothing to move"]
    before, revision = standing(booked.visit_id), db.session.get_one(Visit, booked.visit_id).revision
    outcome = visits.change_visit(
        booked.visit_id, revision=revision, starts_at=last, by=world.desk_id, now=NOW
    )
    may_wait = window.before.end == "waits" and before[0] not in NEEDING_PERMIT
    if not may_wait and (outcome.visit_id is not None or standing(booked.visit_id) != before):
        found.append(f"moved into the window: {before} became {standing(booked.visit_id)}")
    visits.cancel_visit(booked.visit_id, by=world.desk_id, by_clinic=True, now=NOW)
    return found


def standing(visit_id: int) -> tuple[object, ...]:
    """All that a refused move leaves as it was."""
    db.session.rollback()
    row = db.session.get_one(Visit, visit_id)
    claims = db.session.execute(
        select(Claim.resource_id, Claim.starts_at, Claim.ends_at)
        .where(Claim.visit_id == visit_id)
        .order_by(Claim.resource_id)
    ).all()
    return row.status, row.starts_at, row.day, row.judged_key, row.screening_id, *claims
