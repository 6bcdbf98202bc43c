"""Bookings through the JSON API on slots of their own: how many a second, how long each takes, and what each costs.

`python -m benchmarks.booking [--database postgresql] [--processes 2] [--clients 8]` makes a book (workload.py) on a
throw-away server that keeps its promises (fsync and synchronous_commit on), serves it with `clinic serve`, and prints
one JSON object. Beside the rate stands that of bare insert transactions (limits.py) in the same run.

`measure` asks a server that is there already; `served` starts some.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import limits
from benchmarks.workload import DURATION, Book, generate
from tests.postgres import throw_away_postgres
from tests.web import sqlite_address

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
START_SECONDS = 60
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Order:
    """One booking to ask for: nobody else asks for this slot or this person at that time."""

    client: int
    therapist: int
    starts_at: str


def orders(work: dict[str, Any], loaded: dict[str, Any], *, how_many: int) -> list[Order]:
    """Slots of the book that can all be booked together, each for another free client. `loaded`: what `load` said."""
    active = [one["id"] for one in work["therapists"] if one["active"]]
    people = dict(zip(active, loaded["therapists"], strict=True))
    slots = Book(work).disjoint_slots()
    chosen = slots[:: max(1, len(slots) // how_many)][:how_many]  # over all days
    made = []
    for (therapist, day, minute), client in zip(chosen, loaded["clients"], strict=False):
        starts = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(minute // 60, minute % 60), dt.UTC)
        made.append(Order(client, people[therapist], starts.isoformat()))
    return made


def measure(
    url: str | Sequence[str],
    *,
    token: str,
    service: str,
    wanted: Sequence[Order],
    clients: int = 8,
    seconds: float = 60.0,
    minutes: int = DURATION,
) -> dict[str, Any]:
    """Book what is wanted, so many clients at a time, for so long at most. Several addresses are taken in turn.

    Returns how many were booked, the rate, p50 and p95 in milliseconds, and how many answers had which status.
    """
    urls = [url] if isinstance(url, str) else list(url)
    waiting, stop = iter(wanted), time.monotonic() + seconds
    lock, took, statuses = threading.Lock(), list[float](), Counter[int]()

    def client(number: int) -> None:
        where = urlsplit(urls[number % len(urls)])
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while time.monotonic() < stop:
            with lock:
                order = next(waiting, None)
            if order is None:
                return
            body = {"service": service, "minutes": minutes, **vars(order)}
            headers["Idempotency-Key"] = f"{order.client}/{order.starts_at}"
            began = time.perf_counter()
            connection.request("POST", "/api/v1/visits", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            with lock:
                took.append((time.perf_counter() - began) * 1000)
                statuses[answer.status] += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.perf_counter() - began
    spread = statistics.quantiles(took, n=20)
    return {
        "clients": clients,
        "booked": statuses[201],
        "per_s": round(statuses[201] / lasted, 1),
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(spread[18], 1),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
    }


@contextmanager
def served(environment: dict[str, str], processes: int) -> Iterator[tuple[list[str], list[int]]]:
    """So many `clinic serve`, as behind a proxy; yields their addresses and process ids once they answer."""
    running: list[subprocess.Popen[bytes]] = []
    ports = [free_port() for _ in range(processes)]
    try:
        for port in ports:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "clinic", "serve"],
                    # the first backup, which is due at once, is not what is measured
                    env={**environment, "CLINIC_PORT": str(port), "CLINIC_BACKUP_HOURS": "0"},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            _wait_for(port)
        yield [f"http://127.0.0.1:{port}" for port in ports], [one.pid for one in running]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time that these processes have taken so far (Linux)."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def statements(address: str, folder: Path, token: str, service: str, order: Order) -> list[str]:
    """What one booking sends to the database: measured in this process, the second of two."""
    from tests.statements import counted
    from tests.web import app_on

    app = app_on(address, folder)
    body = {"service": service, "minutes": DURATION, **vars(order)}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "statements"}
    with app.app_context(), counted() as sent:
        answer = app.test_client().post("/api/v1/visits", json=body, headers=headers)
    if answer.status_code != 201:
        raise SystemExit(f"a booking was answered with {answer.status_code}: {answer.text}")
    return list(sent)


def bare_inserts(address: str, work: dict[str, Any], clients: int) -> float:
    """Bare transactions a second of the machine, on the same server (limits.py)."""
    bare = limits.Db(address.replace("postgresql+psycopg:", "postgresql:").replace("sqlite:///", "sqlite:"))
    limits.load(bare, work, dt.date.fromisoformat(work["meta"]["anchor"])).close()
    return limits.inserts(bare, clients=clients)


def durability(address: str) -> dict[str, str]:
    """The settings that say whether an acknowledged booking survives a power cut."""
    if address.startswith("sqlite"):
        return {"journal_mode": "wal", "synchronous": "FULL"}
    import psycopg

    with psycopg.connect(address.replace("postgresql+psycopg:", "postgresql:")) as connection:
        shown = ((name, connection.execute(f"SHOW {name}").fetchone()) for name in DURABLE)  # type: ignore[call-overload]
        return {name: row[0] for name, row in shown if row}


def run(
    address: str, folder: Path, *, processes: int, clients: int, therapists: int, history: int
) -> dict[str, Any]:
    """Load a book into the empty database at this address, serve it, and measure."""
    anchor = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5)
    work = generate(therapists, history, anchor)
    book = folder / "book.json"
    book.write_text(json.dumps(work), encoding="utf-8")
    environment = {
        **os.environ, "CLINIC_DATA_DIR": str(folder), "CLINIC_DATABASE_URL": address.replace("+psycopg", ""),
    }  # fmt: skip
    filled = subprocess.run(
        [sys.executable, "-m", "benchmarks", "load", str(book)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    loaded = json.loads(filled.stdout)
    ahead = iter(orders(work, loaded, how_many=len(loaded["clients"])))
    asked = {"token": loaded["token"], "service": loaded["service"]}
    first = statements(address, folder, order=next(ahead), **asked)
    with served(environment, processes) as (urls, pids):
        measure(urls, wanted=list(itertools.islice(ahead, 10 * clients)), clients=clients, **asked)  # warm
        before = cpu_seconds(pids)
        found = measure(urls, wanted=list(ahead), clients=clients, **asked)
        found["cpu_ms"] = round((cpu_seconds(pids) - before) * 1000 / max(1, found["booked"]), 2)
    found["statements"] = len(first)
    found["bare_inserts_per_s"] = round(bare_inserts(address, work, clients), 1)
    found["ratio"] = round(found["per_s"] / found["bare_inserts_per_s"], 3)
    return {
        "database": address.partition(":")[0],
        "processes": processes,
        **found,
        "durability": durability(address),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--therapists", type=int, default=20)
    parser.add_argument("--history", type=int, default=10_000)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clinic-bench")))
        address = sqlite_address(folder)
        if asked.database == "postgresql":
            address = stack.enter_context(throw_away_postgres(DURABLE))
        print(
            json.dumps(
                run(
                    address, folder, processes=asked.processes, clients=asked.clients,
                    therapists=asked.therapists, history=asked.history,
                ),
                indent=1,
            )
        )  # fmt: skip


if __name__ == "__main__":
    main()
