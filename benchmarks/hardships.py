"""What a server has to live through, over real HTTP and for long: kills, restarts, a database that goes away, slow
clients, a full disk, load.

`python -m benchmarks.hardships [--only kills,stops,database,slow,disk,load] [--rounds 100] [--minutes 10]` serves a
generated book (workload.py) on SQLite and on a throw-away PostgreSQL that keeps its promises, and lets programs book
all the while (crowd.py). Prints one line for each; ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.booking import Order
from benchmarks.crowd import Clinic, Crowd, faults, report
from benchmarks.own_postgres import Postgres, own_postgres
from benchmarks.workload import Book, generate
from tests.web import sqlite_address

HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


def kills(name: str, clinic: Clinic, address: str, rounds: int) -> bool:
    """SIGKILL while everybody books, over and over."""
    starts = [clinic.start()]
    with Crowd(clinic).at_work() as crowd:
        for _ in range(rounds):
            time.sleep(0.5)
            clinic.end(signal.SIGKILL)
            starts.append(clinic.start())
        time.sleep(0.5)
    clinic.end()
    return report(
        f"{name}: {rounds} kills", crowd, faults(address, crowd), slowest_start_s=round(max(starts), 1)
    )


def stops(name: str, clinic: Clinic, address: str, rounds: int) -> bool:
    """TERM while everybody books: with a socket of its own, and with one that outlives it."""
    good = True
    for inherits in (False, True):
        with ExitStack() as stack:
            door = None
            if inherits:
                door = stack.enter_context(socket.create_server(("127.0.0.1", clinic.port), backlog=1024))
            clinic.start(door)
            took = []
            with Crowd(clinic).at_work() as crowd:
                for _ in range(rounds):
                    time.sleep(0.5)
                    took.append(clinic.end())
                    clinic.start(door)
                time.sleep(0.5)
            clinic.end()
        wrong = faults(address, crowd)
        most = 0 if inherits else max(1, rounds * 2 // 30)
        if crowd.met["cut off"] > most or (inherits and crowd.met["refused"]):
            wrong.append("cut off or refused")
        what = "stops, inherited socket" if inherits else "stops"
        good &= report(f"{name}: {rounds} {what}", crowd, wrong, slowest_stop_s=round(max(took), 1))
    return good


def slow(name: str, clinic: Clinic, address: str, clients: int = 400) -> bool:
    """Four hundred clients that send a byte now and then; everybody else is served as ever."""
    clinic.start()
    crowd = Crowd(clinic)
    open_ones = [socket.create_connection(("127.0.0.1", clinic.port)) for _ in range(clients)]
    took = []
    for number in range(20):
        for one in open_ones:
            one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: " if number == 0 else b"x")
        began = time.monotonic()
        if not clinic.is_alive():
            took.append(99.0)
        took.append(time.monotonic() - began)
        time.sleep(0.1)
    for one in open_ones:
        one.close()
    clinic.end()
    wrong = ["slow for everybody"] if max(took) > 1 else []
    return report(f"{name}: {clients} slow clients", crowd, wrong, worst_s=round(max(took), 3))


def load(name: str, clinic: Clinic, address: str, minutes: float) -> bool:
    """Bookings and pages for so long: errors, memory and open files."""
    clinic.start()
    assert clinic.process is not None
    status, files = Path(f"/proc/{clinic.process.pid}/status"), Path(f"/proc/{clinic.process.pid}/fd")

    def now() -> tuple[int, int]:
        kilobytes = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(kilobytes.split()[1]) // 1024, len(list(files.iterdir()))

    with Crowd(clinic).at_work() as crowd:
        time.sleep(min(30, minutes * 20))
        first = now()
        time.sleep(minutes * 60)
        last = now()
    clinic.end()
    wrong = faults(address, crowd)
    wrong += [f"answers of {one}" for one in crowd.met if one.startswith("5") or one == "cut off"]
    if last[1] > first[1] + 20:
        wrong.append("open files grow")
    return report(
        f"{name}: {minutes} minutes of load",
        crowd,
        wrong,
        rss_mb=[first[0], last[0]],
        files=[first[1], last[1]],
    )


def database_away(name: str, clinic: Clinic, server: Postgres, rounds: int) -> bool:
    """PostgreSQL is restarted, crashes, hangs up, hangs, and is far away; the server of the clinic is not touched."""
    clinic.environment["CLINIC_DATABASE_URL"] = server.far_address.replace("+psycopg", "")
    clinic.start()
    back: list[float] = []
    troubles = [
        lambda: server.restart(2),
        server.crash,
        lambda: _at_once(server.address, HANG_UP),
        lambda: server.hang(12),
        lambda: _far_away(server, 12),
    ]
    with Crowd(clinic).at_work() as crowd:
        for number in range(rounds):
            time.sleep(1)
            troubles[number % len(troubles)]()
            before, began = len(clinic.booked), time.monotonic()
            while len(clinic.booked) == before and time.monotonic() - began < 60:
                time.sleep(0.02)
            back.append(time.monotonic() - began)
    clinic.end()
    wrong = faults(server.address, crowd)
    wrong += [f"answers: {one}" for one in crowd.met if one not in ("201", "409", "503")]
    if max(back) > 10 or crowd.longest > 10:
        wrong.append("too long")
    return report(
        f"{name}: {rounds} times away", crowd, wrong, slowest_recovery_s=round(max(back), 2),
        longest_request_s=round(crowd.longest, 2),
    )  # fmt: skip


def _far_away(server: Postgres, seconds: float) -> None:
    """There and back takes a fifth of a second for a while."""
    server.latency = 0.2
    time.sleep(seconds)
    server.latency = 0.0


def _at_once(address: str, statement: str) -> None:
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def disk(clinic: Clinic, folder: Path) -> bool:
    """SQLite on a small disk that runs full: people are told, pages can be read, and it goes on with more room."""
    clinic.start()
    filler = folder / "filler"
    with Crowd(clinic).at_work() as crowd:
        time.sleep(1)
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        time.sleep(3)
        reads = clinic.status_of("/services")
        filler.unlink()
        before = len(clinic.booked)
        time.sleep(3)
        goes_on = len(clinic.booked) > before
    clinic.end()
    wrong = faults(sqlite_address(folder), crowd)
    wrong += [] if goes_on else ["no booking after there was room again"]
    wrong += [] if reads == 200 else [f"a page answered {reads} while there was no room"]
    wrong += ["an error page"] if crowd.met["500"] else []
    return report("SQLite: disk full", crowd, wrong)


def book_on(address: str, folder: Path, history: int = 0) -> Clinic:
    """Load a large, empty book into the database, with so many visits that are over."""
    work = generate(40, history, dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5), days=60, fill=0.05)
    book = folder / "book.json"
    book.write_text(json.dumps(work), encoding="utf-8")
    environment = {
        **os.environ, "CLINIC_DATA_DIR": str(folder), "CLINIC_DATABASE_URL": address.replace("+psycopg", ""),
        "CLINIC_BACKUP_HOURS": "0",
    }  # fmt: skip
    filled = subprocess.run(
        [sys.executable, "-m", "benchmarks", "load", str(book)],
        env=environment, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    book.unlink()
    loaded = json.loads(filled.stdout)
    _at_once(address, "UPDATE clinic SET minds_rest = false")  # people come often here
    return Clinic(environment, loaded["token"], loaded["service"], iter(all_orders(work, loaded)))


def all_orders(work: dict[str, object], loaded: dict[str, list[int]]) -> list[Order]:
    """Every slot of the book that can be booked beside all others, each for the next client."""
    people = dict(zip((one["id"] for one in work["therapists"]), loaded["therapists"], strict=True))  # type: ignore[attr-defined]
    clients = itertools.cycle(loaded["clients"])
    return [
        Order(
            next(clients), people[therapist],
            dt.datetime.combine(dt.date.fromisoformat(day), dt.time(minute // 60, minute % 60), dt.UTC).isoformat(),
        )
        for therapist, day, minute in Book(work).disjoint_slots()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="kills,stops,database,slow,disk,load")
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10)
    asked = parser.parse_args()
    parts: dict[str, Callable[[str, Clinic, str], bool]] = {
        "kills": lambda *on: kills(*on, asked.rounds),
        "stops": lambda *on: stops(*on, max(3, asked.rounds * 3 // 10)),
        "slow": slow,
        "load": lambda *on: load(*on, asked.minutes),
    }
    wanted, good = asked.only.split(","), True
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clinic-hard"))) / "data"
            folder.mkdir()
            server = stack.enter_context(own_postgres()) if name == "PostgreSQL" else None
            address = server.address if server else sqlite_address(folder)
            clinic = book_on(address, folder)
            for part in (one for one in parts if one in wanted):
                good &= parts[part](name, clinic, address)
            if server and "database" in wanted:
                good &= database_away(name, clinic, server, max(3, asked.rounds // 10))
    if "disk" in wanted:
        good &= on_a_small_disk()
    sys.exit(0 if good else 1)


def on_a_small_disk() -> bool:
    """On a disk in memory of 24 MB, which only root can make."""
    with tempfile.TemporaryDirectory(prefix="clinic-disk") as name:
        place = Path(name) / "disk"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "clinic", str(place)]
        if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
            print("A full disk was NOT tried: only root can make a small one.", flush=True)
            return True
        try:
            return disk(book_on(sqlite_address(place), place), place)
        finally:
            subprocess.run(["umount", str(place)], check=True)


if __name__ == "__main__":
    main()
