"""Change the key while the site is used: `python -m benchmarks.resealing [VALUES] [--databases SQLite,PostgreSQL]`.

A clinic with so many sealed notes of a hundred people is served over a socket that outlives its process, and
six programs book all the while: each booking opens answers and seals a judgement. A new key is added, the server is
restarted, `clinic keys reseal` is killed in the middle and run again, and the old key is dropped. No request may fail,
and afterwards the new key opens everything and the old one nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import socket
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.crowd import Clinic, Crowd, faults, report
from benchmarks.databases import each_database
from benchmarks.hardships import book_on
from clinic.app import create_app
from clinic.clients.models import Client, ClientNote
from clinic.shared import clock, crypto, person_keys, rotation
from clinic.shared.crypto import CannotOpen, KeyRing
from clinic.shared.database import db, transaction
from clinic.shared.person_keys import PersonKey

PEOPLE = 100
IN_THE_MIDDLE = PEOPLE // 2
"""Keys of people that the first `reseal` has made when it is killed."""


def drill(name: str, address: str, folder: Path, values: int) -> bool:
    """Fill, change the key under traffic, and look at what is there."""
    clinic = book_on(address, folder)
    app = create_app({"CLINIC_DATA_DIR": folder, "SQLALCHEMY_DATABASE_URI": address})
    path = Path(app.config["CLINIC_KEY_FILE"])
    with app.app_context(), socket.create_server(("127.0.0.1", clinic.port), backlog=1024) as door:
        _fill(values, clock.now())
        old = KeyRing.load(path)
        clinic.start(door)
        with Crowd(clinic).at_work() as crowd:
            seconds = change_key(clinic, door, path)
        clinic.end()
        new = KeyRing.load(path)
        opened = {"old": _opened(old), "new": _opened(new)}
        db.engine.dispose()
    wrong = faults(address, crowd)
    wrong += [f"answers: {one}" for one in crowd.met if one not in ("201", "409")]
    wrong += [] if set(new.keys) == {new.current} else ["the old key is still there"]
    wrong += [] if opened["old"][0] == 0 and opened["new"][1] == 0 else [f"opened and closed: {opened}"]
    return report(
        f"{name}: {values} notes", crowd, wrong, seconds=round(seconds), values=opened["new"][0],
        longest_request_s=round(crowd.longest, 1),
    )  # fmt: skip


def change_key(clinic: Clinic, door: socket.socket, path: Path) -> float:
    """As docs/operations.md says, with one accident on the way; the seconds that sealing anew took."""
    _keys(clinic, "add").wait()
    clinic.end()
    clinic.start(door)
    began = time.monotonic()
    first = _keys(clinic, "reseal")
    ring = KeyRing.load(path).current
    while first.poll() is None and _made(ring) < IN_THE_MIDDLE:
        time.sleep(0.05)
    if first.poll() is not None:
        raise SystemExit("it was done before it could be killed: take more values")
    first.kill()
    first.wait()
    if _keys(clinic, "reseal").wait():
        raise SystemExit("it did not go on")
    seconds = time.monotonic() - began
    if _keys(clinic, "drop", "--yes").wait():
        raise SystemExit("the old key was not dropped")
    clinic.end()
    clinic.start(door)
    time.sleep(3)
    return seconds


def _keys(clinic: Clinic, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "clinic", "keys", *command], env=clinic.environment, stdout=subprocess.DEVNULL,
        stderr=clinic.log.open("ab"),
    )  # fmt: skip


def _made(ring: str) -> int:
    made = db.session.scalar(select(func.count()).select_from(PersonKey).where(PersonKey.ring == ring))
    db.session.rollback()
    return made or 0


def _opened(ring: KeyRing) -> tuple[int, int]:
    """How many sealed values these keys open, and how many they do not."""
    person_keys.forget_known()
    crypto.use(ring)
    opened = closed = 0
    for table, column in rotation.sealed_columns():
        rows = select(table.c.id, table.c[column]).where(table.c[column].is_not(None))
        for row_id, sealed in db.session.execute(rows).all():
            try:
                crypto.unseal(bytes(sealed), table=table.name, column=column, row_id=row_id)
                opened += 1
            except CannotOpen:
                closed += 1
    db.session.rollback()
    return opened, closed


def _fill(values: int, now: dt.datetime) -> None:
    """Notes of the first hundred people of the book."""
    people = db.session.scalars(select(Client.id).order_by(Client.id).limit(PEOPLE)).all()
    with transaction() as session:
        session.add_all(
            ClientNote(client_id=people[number % PEOPLE], written_at=now, text=f"note {number}")
            for number in range(values)
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("values", nargs="?", type=int, default=10_000)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    asked, good = parser.parse_args(), True
    for name, address, folder in each_database(asked.databases):
        good &= drill(name, address, folder, asked.values)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
