"""Everything that is promised about speed, measured in one run: `make bench`, or `make bench QUICK=1` for a first look.

Generated books are loaded into SQLite and into a throw-away PostgreSQL that keeps its promises (fsync and
synchronous_commit on), and served as docs/operations.md says. What comes over HTTP is checked against the book's own
count and stands beside the limits of the machine, which are measured in the same run (limits.py, and an empty page).
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import booking, report
from benchmarks.asking import KINDS, Asker, Question, Questions, after_writes, rate, spread, times
from benchmarks.booking import _wait_for, free_port
from benchmarks.race import race
from benchmarks.workload import DURATION, generate
from tests.postgres import throw_away_postgres
from tests.web import app_on, sqlite_address

PROCESSES = 2
RACING_PROCESSES = 4
COUNTED = 20
"""Questions of each kind whose statements are counted."""
RESULT = Path("build/bench.json")
DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Size:
    """A book: its therapists and past visits, and how much is asked of it."""

    therapists: int
    history: int
    asked: int
    books: int = 0  # bookings on slots of their own
    rounds: int = 0  # of the race


FULL = (
    Size(20, 0, 40), Size(20, 10_000, 40, books=250, rounds=200), Size(20, 100_000, 40), Size(100, 10_000, 20)
)  # fmt: skip
QUICK = (Size(20, 0, 10), Size(20, 2_000, 15, books=120, rounds=10))


@contextlib.contextmanager
def empty_page() -> Iterator[str]:
    """The address of an empty page on the same kind of server."""
    port = free_port()
    running = subprocess.Popen([sys.executable, "-m", "benchmarks.empty_page", str(port)])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(30)


def one_book(database: str, size: Size) -> dict[str, Any]:
    """Load one book into an empty database, serve it, ask, and take it away again."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clinic-bench")))
        address = sqlite_address(folder)
        if database == "postgresql":
            address = stack.enter_context(throw_away_postgres(booking.DURABLE))
        work = generate(size.therapists, size.history, dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5))
        book = folder / "book.json"
        book.write_text(json.dumps(work), encoding="utf-8")
        environment = {
            **os.environ, "CLINIC_DATA_DIR": str(folder), "CLINIC_DATABASE_URL": address.replace("+psycopg", ""),
        }  # fmt: skip
        began = time.monotonic()
        loaded = load(book, environment)
        found: dict[str, Any] = {
            "database": database, "therapists": size.therapists, "history": size.history,
            "load_s": round(time.monotonic() - began, 1), "durability": booking.durability(address),
        }  # fmt: skip
        questions = Questions(work, loaded)
        found["availability"] = availability(environment, questions, loaded, size)
        found["statements"] = statements(address, folder, questions, loaded)
        if size.books:
            found["booking"] = bookings(environment, address, folder, work, loaded, size)
        found["limits"] = limits(address, book)
        return found


def load(book: Path, environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "load", str(book)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def availability(
    environment: dict[str, str], questions: Questions, loaded: dict[str, Any], size: Size
) -> dict[str, Any]:
    """Each kind of question: the very first after the start, warm, right after writes; then many clients at once."""
    with booking.served(environment, PROCESSES) as (urls, pids), empty_page() as empty:
        asker = Asker(urls[0], loaded["token"])
        asked = {kind: questions.of(kind, size.asked) for kind in KINDS}
        asker.get("/api/v1/therapists")  # the server is up; no free time has been asked for yet
        found: dict[str, Any] = {
            kind: {"first_ms": round(asker.ask(some[0]), 2)} for kind, some in asked.items()
        }
        pages = [Asker(empty).get("/")[0] for _ in range(5)]
        page = Asker(empty)
        for kind, some in asked.items():
            pages += [page.get("/")[0] for _ in range(10)]
            found[kind] |= times(asker, some)
            wish = a_wish(questions, loaded)
            found[kind]["after_a_write"] = after_writes(asker, some[: max(5, size.asked // 3)], wish)
        found["empty_page"] = spread(pages[5:])
        found["month_any"]["per_s"] = rate(urls, loaded["token"], asked["month_any"], seconds=5)
        found["day_any"]["per_s"] = rate(urls, loaded["token"], asked["day_any"], seconds=5)
        found["memory_mb"] = [memory_mb(pid) for pid in pids]
    return found


def a_wish(questions: Questions, loaded: dict[str, Any]) -> dict[str, Any]:
    """A time that can be kept."""
    some: Question = questions.of("month_any", 1)[0]
    start, who = next(iter(some.right.items()))
    return {"service": loaded["service"], "minutes": DURATION, "starts_at": start, "therapist": who[0]}


def memory_mb(pid: int) -> float:
    """What a process holds in memory (Linux)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def statements(address: str, folder: Path, questions: Questions, loaded: dict[str, Any]) -> dict[str, int]:
    """What each kind of question sends to the database at most, counted inside this process. A day on which nothing is
    free asks more: whether there is such a therapist."""
    from clinic.shared.database import db
    from tests.statements import counted

    app = app_on(address, folder)
    headers = {"Authorization": f"Bearer {loaded['token']}"}
    sent_by = {}
    with app.app_context():
        for kind in KINDS:
            sent_by[kind] = 0
            for question in questions.of(kind, COUNTED):
                with counted() as sent:
                    app.test_client().get(question.path, headers=headers)
                sent_by[kind] = max(sent_by[kind], len(sent))
        db.session.remove()
        db.engine.dispose()
    return sent_by


def bookings(
    environment: dict[str, str],
    address: str,
    folder: Path,
    work: dict[str, Any],
    loaded: dict[str, Any],
    size: Size,
) -> dict[str, Any]:
    """Bookings on slots of their own by 8 clients, then the race for one slot, on as many processes as promised."""
    wanted = booking.orders(work, loaded, how_many=size.books + size.rounds + 40)
    warm, free, contested = wanted[:40], wanted[40 : 40 + size.books], wanted[40 + size.books :]
    asked = {"token": loaded["token"], "service": loaded["service"]}
    with booking.served(environment, PROCESSES) as (urls, _pids):
        booking.measure(urls, wanted=warm, **asked)
        found = booking.measure(urls, wanted=free, **asked)
    with booking.served(environment, RACING_PROCESSES) as (urls, _pids):
        found["race"] = race(urls, address, loaded, contested[: size.rounds])
    return found


def limits(address: str, book: Path) -> dict[str, Any]:
    """What the machine can do with this book, on the same database."""
    plain = address.replace("postgresql+psycopg:", "postgresql:").replace("sqlite:///", "sqlite:")
    command = [sys.executable, "-m", "benchmarks.limits", plain, str(book)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small books, few rounds")
    parser.add_argument("--database", choices=DATABASES, action="append")
    asked = parser.parse_args()
    began, books = time.monotonic(), []
    for database in asked.database or DATABASES:
        for size in QUICK if asked.quick else FULL:
            print(f"{database}: {size.therapists} therapists, {size.history:,} past visits …", flush=True)
            books.append(one_book(database, size))
    lines = report.lines(books)
    found = {
        "machine": machine(),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "lines": lines,
        "books": books,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1), encoding="utf-8")
    report.show(found)
    print(f"\nAll figures are in {RESULT}.")
    sys.exit(0 if all(line["met"] for line in lines) else 1)


if __name__ == "__main__":
    main()
