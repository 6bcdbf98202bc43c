"""Bookings on a disk that remembers, and what must stand in the database after each cut of the power."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

from flask import Flask
from sqlalchemy import event, text

from clinic.shared import audit_chain
from clinic.shared.database import db
from tests import power_cut
from tests.booking import world as w
from tests.conftest import NOW

CLAIMS = 3  # therapist, room and client
CHAINED = "chained"
OFTEN = 60
"""Pages of the log after which it goes into the database: usually 1,000, and here that is looked at often."""


def book_on(app: Flask, bookings: int, *, synchronous: str = "") -> power_cut.Disk:
    """So many bookings, each said when it is done; the audit is chained meanwhile. The context of APP is open.

    SYNCHRONOUS: another setting than the program's own.
    """
    path, heads = Path(db.engine.url.database or ""), Path(app.config["CLINIC_AUDIT_DIR"])
    world = w.build(therapists=3)
    clients = [w.person(email=f"cut{number}@people.example") for number in range(6)]
    for one in clients:
        w.sign(one)
    audit_chain.extend(heads, now=NOW)
    _let_go()

    def told(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA wal_autocheckpoint={OFTEN}")  # type: ignore[attr-defined]
        if synchronous:
            connection.execute(f"PRAGMA synchronous={synchronous}")  # type: ignore[attr-defined]

    event.listen(db.engine, "connect", told)
    try:
        with power_cut.recorded(path) as disk:
            for number in range(bookings):
                day, slot = divmod(number // 3, 6)
                outcome = w.at_desk(
                    world, clients[number % 6], "relaxation", therapist_id=world.therapists[number % 3],
                    when=w.at(3 + day, 9) + dt.timedelta(minutes=90 * slot),
                )  # fmt: skip
                disk.say(str(outcome.visit_id))
                if number % 5 == 4:
                    audit_chain.extend(heads, now=NOW)
                    disk.say(CHAINED)
            _let_go()
    finally:
        event.remove(db.engine, "connect", told)
    return disk


def _let_go() -> None:
    """Close every connection: SQLite then puts the log into the database and removes it."""
    db.session.remove()
    db.engine.dispose()


def lost_after(app: Flask, disk: power_cut.Disk, moment: int, mode: str, chance: random.Random) -> int:
    """Cut the power, open what is left as a new start would, and count what had been said or noted and is not there.

    Raises AssertionError where the database is broken or a booking stands by halves.
    """
    path = Path(db.engine.url.database or "")
    _let_go()
    for name, data in disk.after_a_cut(moment, mode, chance).items():
        path.with_name(name).write_bytes(data)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    assert _all("PRAGMA integrity_check") == ["ok"]
    assert _all("PRAGMA foreign_key_check") == []
    there = set(_all("SELECT id FROM visit"))
    assert set(_all("SELECT thing_id FROM audit_row WHERE deed = 'visit.booked'")) == there
    claims = f"SELECT visit_id FROM claim WHERE visit_id > 0 GROUP BY visit_id HAVING count(*) = {CLAIMS}"
    assert set(_all(claims)) == there
    assert len(_all("SELECT id FROM outgoing_mail")) >= len(there)
    said = disk.said_before(moment)
    lost = {int(one) for one in said if one != CHAINED} - there
    return len(lost) + _audit_faults(Path(app.config["CLINIC_AUDIT_DIR"]), 1 + said.count(CHAINED))


def _audit_faults(heads: Path, noted: int) -> int:
    """What is wrong with the chain and with as many of its heads as had been noted by then: a note stands before its
    link does."""
    then = heads.with_name("heads-then")
    then.mkdir(exist_ok=True)
    (whole,) = heads.iterdir()
    lines = whole.read_text(encoding="ascii").splitlines(keepends=True)
    [newest] = _all("SELECT max(sequence) FROM audit_link")
    noted += noted < len(lines) and lines[noted].split(" ")[1] == str(newest)
    (then / whole.name).write_text("".join(lines[:noted]), encoding="ascii")
    found = audit_chain.verify(then)
    db.session.rollback()
    return len(found.wrong)


def _all(statement: str) -> list[object]:
    found = list(db.session.scalars(text(statement)))
    db.session.rollback()
    return found
