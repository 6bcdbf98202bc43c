"""Every way in which several can want one time, over real HTTP.

`python -m benchmarks.contests [--rounds 50] [--clients 24] [--processes 1,4] [--databases SQLite,PostgreSQL]` serves a
generated book. Each round is about one start that is free: one gets it, the others are answered 409, whichever way they
wanted it; what then stands in the database counts. Prints one line for each kind.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import create_engine, text

from benchmarks.asking import Asker
from benchmarks.booking import Order, served
from benchmarks.databases import OVERLAPS, each_database
from benchmarks.hardships import book_on
from benchmarks.soak import Browser, release_all
from benchmarks.workload import BUFFER, DURATION
from clinic.app import create_app
from clinic.booking.forms.choice import moment_text
from clinic.booking.services.waitlist import offer_now
from clinic.rules.errors import RuleViolation
from clinic.shared import clock
from clinic.shared.database import db

TAKEN = text(
    "SELECT count(*) FROM claim WHERE resource_id = :who AND starts_at < :until AND ends_at > :since"
)
Answer = tuple[int, Any]


@dataclass
class Contest:
    """A served book and those who want something of it."""

    address: str
    urls: Sequence[str]
    token: str
    service: str
    app: Flask
    crowd: int
    people: Sequence[int]
    therapists: Sequence[int]
    moved: list[int] = field(default_factory=list)
    round: int = 0

    def __post_init__(self) -> None:
        where = [self.urls[number % len(self.urls)] for number in range(self.crowd)]
        self.askers = [Asker(url, self.token) for url in where]
        self.ports = [int(url.rpartition(":")[2]) for url in where]
        self.pool = ThreadPoolExecutor(self.crowd)

    def at_once(self, deed: Callable[[int], Answer]) -> list[Answer]:
        """What each of the crowd was answered, all started together."""
        gate = threading.Barrier(self.crowd)

        def run(number: int) -> Answer:
            gate.wait()
            return deed(number)

        return list(self.pool.map(run, range(self.crowd)))

    def post(self, number: int, path: str, body: dict[str, Any], key: str = "") -> Answer:
        asker = self.askers[number]
        asker.headers["Idempotency-Key"] = key or uuid4().hex
        return asker.post(f"/api/v1/{path}", body)

    def wish(self, number: int, start: Order, **more: Any) -> dict[str, Any]:
        """What this one asks for; other people each round."""
        who = self.people[(self.round * self.crowd + number) % len(self.people)]
        return {"service": self.service, "minutes": DURATION, **vars(start), "client": who, **more}

    def book(self, number: int, start: Order, **more: Any) -> Answer:
        return self.post(number, "visits", self.wish(number, start, **more))


def same_start(on: Contest, start: Order) -> list[Answer]:
    """Everybody books one start."""
    return on.at_once(lambda number: on.book(number, start))


def overlapping(on: Contest, start: Order) -> list[Answer]:
    """Starts a quarter of an hour apart, of which only one can be."""
    return on.at_once(
        lambda number: on.book(number, start, starts_at=later(start, number % 4 * 15).isoformat())
    )


def one_room(on: Contest, start: Order) -> list[Answer]:
    """Other therapists at one time, and one room for all of them."""
    return on.at_once(lambda number: on.book(number, start, therapist=on.therapists[number]))


def one_hold(on: Contest, start: Order) -> list[Answer]:
    """Everybody wants to keep one start, and then to book what is kept."""
    asked = on.at_once(lambda number: on.post(number, "holds", on.wish(number, start)))
    kept = [said["id"] for status, said in asked if status == 201]
    return asked if len(kept) != 1 else on.at_once(lambda number: on.book(number, start, hold=kept[0]))


def moving(on: Contest, start: Order) -> list[Answer]:
    """Visits of as many people are moved to one start."""
    where = {"starts_at": start.starts_at, "therapist": start.therapist}
    return on.at_once(lambda number: on.post(number, f"visits/{on.moved[number]}/move", where))


def waitlist(on: Contest, start: Order) -> list[Answer]:
    """The desk offers a start to somebody who waits while others book it; then they say yes while others still try."""
    day = start.starts_at[:10]
    wish = {**on.wish(0, start), "first_day": day, "last_day": day, "parts": ["morning"]}
    del wish["starts_at"]
    waits = on.post(0, "waitlist", wish)[1]["id"]

    def offer() -> Answer:
        with on.app.app_context(), suppress(RuleViolation):
            offer_now(waits, by=None, now=clock.now())  # type: ignore[arg-type]  # nobody works here
        return 409, None

    def accept() -> Answer:
        status, said = on.post(0, f"waitlist/{waits}/accept", {})
        if status == 200 and dt.datetime.fromisoformat(said["starts_at"]) == later(start, 0):
            return 201, said
        return max(409, status), said  # another start of that morning, or none

    first = on.at_once(lambda number: on.book(number, start) if number else offer())
    return first + on.at_once(lambda number: on.book(number, start) if number else accept())


def staff_and_clients(on: Contest, start: Order) -> list[Answer]:
    """Browsers of people and the desk's program, half and half. What they kept before is given back: one address keeps
    only a few times at once."""
    release_all(on.app)
    browsers = [Browser(port, start.therapist, on.service) for port in on.ports]
    for one in browsers[::2]:
        one.open_times()
    statuses = {"held": 201, "told kindly": 409}

    def ask(number: int) -> Answer:
        if number % 2:
            return on.book(number, start)
        said = browsers[number].hold(moment_text(later(start, 0)))
        return statuses.get(said, 500), said

    return on.at_once(ask)


def one_key(on: Contest, start: Order) -> list[Answer]:
    """One request, sent by everybody at once under one key: one visit. All but one of the answers count as told."""
    who = next(one for one in on.people if not taken(on.address, one, start))
    body, key = {**on.wish(0, start), "client": who}, uuid4().hex
    at_once = on.at_once(lambda number: on.post(number, "visits", body, key))
    again = [on.post(number, "visits", body, key) for number in range(on.crowd)]
    ids = {said["id"] for status, said in [*at_once, *again] if status == 201}
    waited = all(said["code"] == "in_progress" for status, said in at_once if status != 201)
    good = len(ids) == 1 and waited and all(status == 201 for status, _said in again)
    return [(201, None), *[(409, None)] * (on.crowd - 1)] if good else [*at_once, *again]


KINDS = (same_start, overlapping, one_hold, moving, waitlist, staff_and_clients, one_key, one_room)
"""The last one closes all rooms but one."""


def later(start: Order, minutes: int) -> dt.datetime:
    return dt.datetime.fromisoformat(start.starts_at) + dt.timedelta(minutes=minutes)


def taken(address: str, resource: int, start: Order) -> int:
    """How many claims of a resource touch this visit; overlapping ones of anybody count a thousand."""
    since, until = (f"{later(start, minutes):%Y-%m-%d %H:%M:%S.%f}" for minutes in (0, DURATION + BUFFER))
    engine = create_engine(address)
    with engine.connect() as connection:
        found = connection.scalar(TAKEN, {"who": resource, "since": since, "until": until}) or 0
        overlaps = connection.scalar(text(OVERLAPS)) or 0
    engine.dispose()
    return int(found + 1000 * overlaps)


def close_rooms(address: str) -> int:
    """Leave one room open; its id."""
    engine = create_engine(address)
    with engine.begin() as connection:
        room = connection.scalar(text("SELECT min(id) FROM room")) or 0
        connection.execute(text("UPDATE room SET is_active = false WHERE id <> :room"), {"room": room})
    engine.dispose()
    return int(room)


def run(name: str, address: str, folder: Path, asked: argparse.Namespace, processes: int) -> bool:
    """All kinds on one database and so many processes; prints a line for each, and says whether all was well."""
    book = book_on(address, folder)
    orders = list(book.wanted)
    therapists = list(dict.fromkeys(one.therapist for one in orders))
    of_one_room = [one for one in orders if one.therapist in therapists[: asked.clients]]
    free = (one for one in orders if one.therapist in therapists[asked.clients + 4 :])
    mornings = (
        one for one in orders
        if one.therapist in therapists[asked.clients : asked.clients + 4] and "T09:00" in one.starts_at
    )  # fmt: skip
    app, good = create_app({"CLINIC_DATA_DIR": folder, "SQLALCHEMY_DATABASE_URI": address}), True
    with served(book.environment, processes) as (urls, _pids):
        people = list(dict.fromkeys(one.client for one in orders))
        on = Contest(address, urls, book.token, book.service, app, asked.clients, people, therapists)
        on.moved = [on.book(number, next(free))[1]["id"] for number in range(asked.clients)]
        for kind in (one for one in KINDS if not asked.only or one.__name__ in asked.only):
            for asker in on.askers:
                asker.connection.close()  # idle ones the server has hung up on
            starts, resource = free, 0  # a winner a quarter of an hour later takes the next one too
            if kind is waitlist:
                starts = mornings
            elif kind is one_room:
                resource = close_rooms(address)
                starts = of_one_room
            answers, once = Counter[str](), 0
            open_ones = (one for one in starts if not taken(address, resource or one.therapist, one))
            for start in itertools.islice(open_ones, asked.rounds):
                on.round += 1
                found = [status for status, _said in kind(on, start)]
                won = sum(status < 300 for status in found)
                answers.update(str(status) for status in found)
                once += won == 1 == taken(address, resource or start.therapist, start)
            bad = [one for one in answers if one not in ("200", "201", "409")]
            what = f"{name}, {processes} processes: {kind.__name__}"
            print(
                json.dumps({"what": what, "rounds": asked.rounds, "won_once": once, "answers": answers}),
                flush=True,
            )
            good &= once == asked.rounds and not bad
    with app.app_context():
        db.engine.dispose()
    return good


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--processes", default="1,4")
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    parser.add_argument("--only", default="")
    asked, good = parser.parse_args(), True
    for processes in map(int, asked.processes.split(",")):
        for name, address, folder in each_database(asked.databases):
            good &= run(name, address, folder, asked, processes)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
