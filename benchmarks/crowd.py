"""Programs that book through the JSON API while something happens to the server, and what must stand in the database.

Each booking has a key of its own, and is sent again until it is answered: every one that was answered has to be there,
once and whole, and nothing else.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.booking import Order, free_port
from benchmarks.databases import OVERLAPS
from benchmarks.workload import DURATION

WRITERS = 6
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Clinic:
    """A book, and the one server that serves it on one port."""

    environment: dict[str, str]
    token: str
    service: str
    wanted: Iterator[Order]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    booked: dict[str, int] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What the server says."""
        return Path(f"{self.environment['CLINIC_DATA_DIR']}.log")  # beside: the folder's disk may be full

    def start(self, door: socket.socket | None = None) -> float:
        """Start the server; how long until it answered. With DOOR it inherits that socket, as from systemd."""
        command, keep = [sys.executable, "-m", "clinic", "serve"], ()
        if door is not None:
            command, keep = [sys.executable, "-c", AS_SYSTEMD, str(door.fileno()), *command], (door.fileno(),)
        began = time.monotonic()
        self.process = subprocess.Popen(
            command, env={**self.environment, "CLINIC_PORT": str(self.port)}, pass_fds=keep,
            stdout=subprocess.DEVNULL, stderr=self.log.open("ab"),
        )  # fmt: skip
        while not self.is_alive():
            if self.process.poll() is not None or time.monotonic() - began > 300:
                raise SystemExit(f"the server did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        return time.monotonic() - began

    def end(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Send it this signal; how long it took to be gone."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(60)
        return time.monotonic() - began

    def is_alive(self) -> bool:
        """Whether it answers."""
        return self.status_of("/healthz") == 200

    def status_of(self, path: str) -> int:
        """What it answers within five seconds; 0 when it does not."""
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", path)
            return connection.getresponse().status
        return 0


@dataclass
class Crowd:
    """Programs that book one thing after the other until told to stop."""

    clinic: Clinic
    met: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    unanswered: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def at_work(self) -> Iterator[Crowd]:
        threads = [threading.Thread(target=self._book) for _ in range(WRITERS)]
        for one in threads:
            one.start()
        try:
            yield self
        finally:
            self.stop.set()
            for one in threads:
                one.join()

    def _book(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self.stop.is_set():
            with self.lock:
                order = next(self.clinic.wanted, None)
            if order is None:
                raise SystemExit("the book is full: fewer rounds, or a larger book")
            answered = False
            while not answered and not self.stop.is_set():
                connection, answered = self._once(connection, order)
            with self.lock:
                self.unanswered += not answered

    def _once(
        self, connection: http.client.HTTPConnection | None, order: Order
    ) -> tuple[http.client.HTTPConnection | None, bool]:
        """Ask for one booking; whether it was answered for good."""
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.clinic.port, timeout=60)
            try:
                connection.connect()
            except OSError:
                self._note("refused")
                time.sleep(0.05)
                return None, False
        key = f"{order.client}/{order.starts_at}"
        headers = {
            "Authorization": f"Bearer {self.clinic.token}", "Content-Type": "application/json",
            "Idempotency-Key": key,
        }  # fmt: skip
        body = json.dumps({"service": self.clinic.service, "minutes": DURATION, **vars(order)})
        began = time.monotonic()
        try:
            connection.request("POST", "/api/v1/visits", body, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._note("cut off")
            return None, False
        with self.lock:
            self.longest = max(self.longest, time.monotonic() - began)
            self.met[str(answer.status)] += 1
            if answer.status == 201:
                self.clinic.booked[key] = said["id"]
        if answer.status == 503 and not answer.getheader("Retry-After"):
            self._note("503 without a time to ask again")
        again = answer.status == 503 or said.get("code") == "in_progress"
        if again:
            time.sleep(0.1)
        return (None if answer.will_close else connection), not again

    def _note(self, what: str) -> None:
        with self.lock:
            self.met[what] += 1


def faults(address: str, crowd: Crowd) -> list[str]:
    """What stands in the database that should not, or does not and should. Empty when all is well."""
    engine = create_engine(address)
    asked = {
        "visits without three claims": "SELECT count(*) FROM visit v WHERE status = 'confirmed' AND source = 'api'"
        " AND (SELECT count(*) FROM claim c WHERE c.visit_id = v.id) <> 3",
        "visits without their audit row": "SELECT count(*) FROM visit v WHERE source = 'api' AND NOT EXISTS"
        " (SELECT 1 FROM audit_row a WHERE a.deed = 'visit.booked' AND a.thing_id = v.id)",
        "claims that overlap": OVERLAPS,
        "gaps in the audit": "SELECT max(sequence) - count(*) FROM audit_row",
    }
    with engine.connect() as connection:
        found = [
            f"{count} {what}"
            for what, ask in asked.items()
            if (count := connection.execute(text(ask)).scalar())
        ]
        there = set(connection.execute(text("SELECT id FROM visit WHERE source = 'api'")).scalars())
        if engine.dialect.name == "sqlite":
            said = connection.execute(text("PRAGMA integrity_check")).scalar()
            found += [] if said == "ok" else [f"integrity: {said}"]
    engine.dispose()
    if lost := set(crowd.clinic.booked.values()) - there:
        found.append(f"{len(lost)} bookings lost")
    if len(there) > len(crowd.clinic.booked) + crowd.unanswered:
        found.append("bookings that nobody asked for")
    if len(set(crowd.clinic.booked.values())) != len(crowd.clinic.booked):
        found.append("one visit for two requests")
    return found


def report(name: str, crowd: Crowd, wrong: list[str], **more: Any) -> bool:
    """Print one line; whether nothing is wrong."""
    print(
        json.dumps(
            {"what": name, "booked": len(crowd.clinic.booked), "met": dict(crowd.met), **more, "wrong": wrong}
        ),
        flush=True,
    )
    return not wrong
