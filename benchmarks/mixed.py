"""Forty people and programs at once beside a long history: `python -m benchmarks.mixed [--history 100000]`.

Each asks for something, rests between a tenth and half a second, and asks again: visitors for pages and free times,
programs for free times, a day's visits, a kept time that is given back, and bookings. First for a minute and a half,
then for half as long while twenty people a second try to sign in, each from an address of their own. Prints how many
answers a second there were, how long they took, and what was no good answer. Two `clinic serve`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.asking import Asker, Questions
from benchmarks.bench import load
from benchmarks.booking import Order, orders, served
from benchmarks.databases import each_database
from benchmarks.soak import TOKEN, Browser
from benchmarks.workload import DURATION, generate

PEOPLE, SECONDS, STORM_SECONDS, STORM_RATE = 40, 90, 45, 20
REST = (0.1, 0.5)
ENOUGH_A_SECOND, LONGEST_P99_MS, STORM_FACTOR = 100, 300, 2
GOOD = {200, 201, 303}


class Mix:
    """What forty ask for, and what they were answered."""

    def __init__(
        self, ports: list[int], token: str, questions: Questions, wanted: list[Order], people: int = PEOPLE
    ) -> None:
        self.ports, self.token, self.people = ports, token, people
        self.kept, self.wanted = wanted[::7], iter([one for number, one in enumerate(wanted) if number % 7])
        self.days = questions.book.days
        self.service = questions.service
        self.asked = [one.path for kind in ("day_one", "day_any") for one in questions.of(kind, 50)]
        self.lock = threading.Lock()
        self.took: list[float] = []
        self.answers: Counter[str] = Counter()

    def run(self, seconds: float) -> dict[str, Any]:
        """Everybody at work for so long; the figures of that time."""
        self.took, self.answers = [], Counter()
        stop = time.monotonic() + seconds
        people = [threading.Thread(target=self._person, args=(one, stop)) for one in range(self.people)]
        for one in people:
            one.start()
        for one in people:
            one.join()
        cuts = statistics.quantiles(self.took, n=100)
        return {
            "a_second": round(len(self.took) / seconds, 1),
            "p50_ms": round(cuts[49]), "p95_ms": round(cuts[94]), "p99_ms": round(cuts[98]),
            "answers": dict(self.answers),
        }  # fmt: skip

    def _person(self, number: int, stop: float) -> None:
        chance = random.Random(number)
        port = self.ports[number % len(self.ports)]
        browser, program = Browser(port, 0), Asker(f"http://127.0.0.1:{port}", self.token)
        while time.monotonic() < stop:
            time.sleep(chance.uniform(*REST))
            answers = self._ask(browser, program, number, chance)
            for _ in range(2):  # at most
                began = time.perf_counter()
                status = next(answers, None)
                if status is None:
                    break
                with self.lock:
                    self.took.append((time.perf_counter() - began) * 1000)
                    self.answers[str(status)] += 1

    def _ask(self, browser: Browser, program: Asker, number: int, chance: random.Random) -> Iterator[int]:
        """What each request was answered: one, or two for a time that is kept and given back."""
        kind, day = chance.random(), chance.choice(self.days)
        visit = {"service": self.service, "minutes": DURATION}
        if kind < 0.3:
            page = f"/book/{self.service}/times?minutes={DURATION}&areas=full_body&day={day}"
            yield browser.ask("GET", page)[0]
        elif kind < 0.5:
            yield browser.ask("GET", chance.choice(("/", "/book", "/services")))[0]
        elif kind < 0.75:
            program.get(chance.choice(self.asked))
            yield 200
        elif kind < 0.9:
            program.get(f"/api/v1/visits?day={day}")
            yield 200
        elif kind < 0.97 or (order := self._order()) is None:  # none is left: another write in its place
            own = chance.choice(self.kept[number :: self.people])  # nobody else keeps it meanwhile
            status, held = program.post(
                "/api/v1/holds", {**visit, "starts_at": own.starts_at, "therapist": own.therapist}
            )
            yield status
            if status == 201:
                yield program.post(f"/api/v1/holds/{held['id']}/release", {})[0]
        else:
            yield program.post("/api/v1/visits", {**visit, **vars(order)})[0]

    def _order(self) -> Order | None:
        with self.lock:
            return next(self.wanted, None)


@contextmanager
def signing_in(ports: list[int]) -> Iterator[Counter[str]]:
    """Twenty people a second who sign in with a wrong password, each from an address of their own."""
    stop, met, lock = threading.Event(), Counter[str](), threading.Lock()

    def one_of(number: int, of: int) -> None:
        browser, step = Browser(ports[number % len(ports)], 0), 0
        found = TOKEN.search(browser.ask("GET", "/sign-in")[1])
        while not stop.is_set():
            step += 1
            form = {
                "csrf_token": found.group(1) if found else "", "email": f"nobody{number}.{step}@clinic.example",
                "password": "not the right one",
            }  # fmt: skip
            browser.extra = {"X-Forwarded-For": f"198.51.{number}.{step % 250}"}
            began = time.monotonic()
            status, _body = browser.ask("POST", "/sign-in", form)
            with lock:
                met[str(status)] += 1
            stop.wait(max(0.0, of / STORM_RATE - (time.monotonic() - began)))

    crowd = [threading.Thread(target=one_of, args=(number, STORM_RATE)) for number in range(STORM_RATE)]
    for one in crowd:
        one.start()
    try:
        yield met
    finally:
        stop.set()
        for one in crowd:
            one.join()


def a_book_on(
    address: str, folder: Path, history: int
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Load a book of twenty therapists into the database: what its servers need, the book, and what it became."""
    work = generate(20, history, dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5))
    book = folder / "book.json"
    book.write_text(json.dumps(work), encoding="utf-8")
    environment = {
        **os.environ, "CLINIC_DATA_DIR": str(folder), "CLINIC_TRUSTED_PROXIES": "1",
        "CLINIC_DATABASE_URL": address.replace("+psycopg", ""),
    }  # fmt: skip
    loaded = load(book, environment)
    return environment, work, loaded


def measure(name: str, address: str, folder: Path, history: int) -> bool:
    """Print the figures on one database; whether they are good enough."""
    environment, work, loaded = a_book_on(address, folder, history)
    wanted = orders(work, loaded, how_many=len(loaded["clients"]))
    with served(environment, 2) as (urls, _pids):
        ports = [int(url.rpartition(":")[2]) for url in urls]
        mix = Mix(ports, loaded["token"], Questions(work, loaded), wanted)
        mix.run(5)
        plain = mix.run(SECONDS)
        with signing_in(ports) as met:
            storm = mix.run(STORM_SECONDS)
    print(f"{name}, {history:,} past visits: {plain}", flush=True)
    print(
        f"{name}, while {sum(met.values()) / STORM_SECONDS:.0f} a second sign in ({dict(met)}): {storm}",
        flush=True,
    )
    bad = [one for found in (plain, storm) for one in found["answers"] if int(one) not in GOOD]
    quick = plain["a_second"] >= ENOUGH_A_SECOND and plain["p99_ms"] <= LONGEST_P99_MS
    return quick and not bad and storm["p99_ms"] <= STORM_FACTOR * plain["p99_ms"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=int, default=100_000)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    asked = parser.parse_args()
    good = [
        measure(name, address, folder, asked.history)
        for name, address, folder in each_database(asked.databases)
    ]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
