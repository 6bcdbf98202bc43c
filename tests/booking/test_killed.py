"""A process that is killed in the middle of booking: what it had said yes to stands whole, nothing stands by halves,
and the next process goes on at once. Short here; `make soak` kills whole servers, a hundred times."""

from __future__ import annotations

import datetime as dt
import os
import random
import select
import signal
import time
import warnings

import pytest
from flask import Flask
from sqlalchemy import func, text
from sqlalchemy import select as read

from clinic.booking.models import Claim, Visit
from clinic.booking.services import visits
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW

ROUNDS = 3


def book(world: w.World, client: int, number: int) -> int | None:
    """The `number`th start of all that three therapists have."""
    day, slot = divmod(number // len(world.therapists), 6)
    return visits.book_visit(
        w.choice("relaxation", therapist_id=world.therapists[number % len(world.therapists)]),
        client, w.at(3 + day, 9) + dt.timedelta(minutes=90 * slot), request_key=f"killed-{number}",
        source="desk", by=world.desk_id, now=NOW, reconfirmed=True,
    ).visit_id  # fmt: skip


def booking_process(world: w.World, clients: list[int], first: int) -> tuple[int, int]:
    """A process that books one visit after the other and says the id of each; its own id, and where it says them."""
    hears, says = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it goes its own way at once, and is killed
        pid = os.fork()
    if pid:
        os.close(says)
        return pid, hears
    try:
        db.session.remove()
        db.engine.dispose(close=False)  # those connections are the parent's
        for number in range(first, first + 60):
            os.write(says, b"%d\n" % (book(world, clients[number % len(clients)], number) or 0))
    finally:
        os._exit(1)


def killed(pid: int, hears: int, chance: random.Random) -> list[int]:
    """Let it book a few, and kill it at any moment; the ids that it said."""
    said = b""
    wanted = chance.randint(2, 5)
    while said.count(b"\n") < wanted:
        assert select.select([hears], [], [], 60)[0]
        said += (part := os.read(hears, 4096))
        assert part
    time.sleep(chance.random() * 0.03)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while part := os.read(hears, 4096):
        said += part
    os.close(hears)
    return [int(one) for one in said.split(b"\n")[:-1]]


@pytest.mark.usefixtures("now")
def test_what_was_said_stands_whole_and_nothing_by_halves(app: Flask) -> None:
    world = w.build(therapists=3)
    clients = [w.person(email=f"killed{number}@people.example") for number in range(6)]
    for one in clients:
        w.sign(one)
    db.session.rollback()
    chance, said = random.Random(), list[int]()
    for round_ in range(ROUNDS):
        said += killed(*booking_process(world, clients, 60 * round_), chance)

    there = set(db.session.scalars(read(Visit.id)))
    assert set(said) <= there
    assert len(said) == len(set(said)) >= 2 * ROUNDS
    assert len(there) <= len(said) + ROUNDS  # one each may have been done and not said
    assert set(db.session.scalars(read(AuditRow.thing_id).where(AuditRow.deed == "visit.booked"))) == there
    claims = read(Claim.visit_id, func.count()).where(Claim.visit_id.is_not(None)).group_by(Claim.visit_id)
    assert {tuple(row) for row in db.session.execute(claims)} == {(one, 3) for one in there}
    unjudged = read(func.count()).where(Visit.status != "confirmed")
    assert db.session.scalar(unjudged) == 0
    numbers = db.session.execute(read(func.max(AuditRow.sequence), func.count(AuditRow.sequence))).one()
    assert numbers[0] == numbers[1]
    assert (db.session.scalar(read(func.count()).select_from(OutgoingMail)) or 0) >= len(there)
    if db.engine.dialect.name == "sqlite":
        assert db.session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    db.session.rollback()

    began = time.monotonic()
    assert book(world, clients[0], 60 * ROUNDS) not in there
    assert time.monotonic() - began < 5
