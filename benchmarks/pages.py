"""How long each page takes in a large clinic: `python -m benchmarks.pages [--therapists 20 --history 100000]`.

A generated book is loaded, somebody with every right opens each page that can be read (tests/architecture/doors.py),
three times each, without the network, and each job of the worker is done twice. Prints the slowest of both, with what
the process then holds more than before. Nobody is meant to have all these pages at once: it shows which page grows
with the clinic.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from sqlalchemy import select

from benchmarks.databases import each_database
from benchmarks.endurance import memory_and_files
from benchmarks.load import load
from benchmarks.workload import generate
from clinic import worker
from clinic.booking.models import Visit
from clinic.cli.making import migrate_app
from clinic.cli.warming import stay_small
from clinic.rules.permissions import GIVEN_BY_NAME, Role
from clinic.shared import clock
from clinic.shared.database import db
from clinic.therapists.models import Therapist
from tests.architecture.doors import browser, doors, some_rows
from tests.factories import make_user
from tests.web import app_on

TIMES = 3
LONG_MS = 2000
"""A page that takes longer is opened once."""


class Took(NamedTuple):
    """The shortest of some times in milliseconds, the first one, and the MiB that stay."""

    shortest: float
    first: float
    grew: float
    what: str

    def __str__(self) -> str:
        return f"{self.shortest:9.1f} ms, first {self.first:9.1f} ms, {self.grew:+6.1f} MiB  {self.what}"


def took(what: str, work: Callable[[], object]) -> Took:
    """Do it a few times over."""
    before, times = _memory(), list[float]()
    while len(times) < TIMES and not (times and times[0] > LONG_MS):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return Took(min(times), times[0], _memory() - before, what)


def _memory() -> float:
    with contextlib.suppress(OSError):
        return memory_and_files("self")[0]
    return 0.0


def somebody_with_every_right() -> int:
    """Their account: of the team in every role, and the first therapist."""
    roles = [Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER]
    user = make_user(email="every@right.example", roles=roles, given=GIVEN_BY_NAME)
    first = db.session.scalars(select(Therapist).order_by(Therapist.id).limit(1)).one()
    first.user_id = user.id
    db.session.commit()
    return user.id


def pages(app: Flask) -> list[Took]:
    """Each page, slowest first."""
    person = somebody_with_every_right()
    coming = select(Visit.id).where(Visit.starts_at > clock.now()).order_by(Visit.starts_at).limit(1)
    rows = {**some_rows(app), "user_id": person, "visit_id": db.session.scalars(coming).one()}
    visitor = browser(app, person)
    found = [
        took(str(door), lambda address=door.address: visitor.get(address, buffered=True))
        for door in doors(app, rows=rows)
        if door.method == "GET"
    ]
    return sorted(found, reverse=True)


def measure(name: str, address: str, folder: Path, therapists: int, history: int, shown: int) -> None:
    """Print the figures on one database."""
    work = generate(therapists, history, dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5))
    book = folder / "book.json"
    book.write_text(json.dumps(work), encoding="utf-8")
    app = app_on(address, folder, CLINIC_BACKUP_HOURS=0)
    migrate_app(app)
    with app.app_context():
        load(book, now=clock.now())
        found = pages(app)
        print(f"{name}, {therapists} therapists, {history:,} past visits: {len(found)} pages", flush=True)
        print(*found[:shown], sep="\n", flush=True)
        for job in worker.JOBS:
            print(took(f"the worker: {job.work.__name__}", lambda job=job: worker.do(app, job)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--therapists", type=int, default=20)
    parser.add_argument("--history", type=int, default=100_000)
    parser.add_argument("--shown", type=int, default=15)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    asked = parser.parse_args()
    stay_small()
    for name, address, folder in each_database(asked.databases):
        measure(name, address, folder, asked.therapists, asked.history, asked.shown)


if __name__ == "__main__":
    main()
