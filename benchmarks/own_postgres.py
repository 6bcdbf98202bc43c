"""A PostgreSQL of our own that is ended, crashes, hangs, or is far away."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.booking import DURABLE
from tests import postgres

SOCKET = ".s.PGSQL.5432"


@dataclass
class Postgres:
    """A server that can be ended and started again, reached over a wire that may be slow."""

    place: postgres.Place
    running: ExitStack
    latency: float = 0.0

    @property
    def address(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.place.folder}"

    @property
    def far_address(self) -> str:
        """The same server over the wire, where there and back takes `latency` seconds."""
        return f"{self.address}/wire"

    def start(self) -> None:
        self.running.enter_context(postgres.served(self.place, {**postgres.SETTINGS, **DURABLE}))

    def restart(self, seconds_away: float) -> None:
        self.running.close()
        time.sleep(seconds_away)
        self.start()

    def crash(self) -> None:
        """It goes without tidying up, and recovers from its log at the start."""
        os.kill(self._family()[0], signal.SIGQUIT)
        self.restart(0)

    def hang(self, seconds: float) -> None:
        """Every process of it stands still: it takes what is sent, and says nothing."""
        family = self._family()
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in reversed(family):
            os.kill(pid, signal.SIGCONT)

    def _family(self) -> list[int]:
        main = int((self.place.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]

    def lay_wire(self) -> None:
        """Take connections for the server and pass everything on, late."""
        folder = self.place.folder / "wire"
        folder.mkdir()
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(folder / SOCKET))
        door.listen(64)
        threading.Thread(target=self._connect, args=(door,), daemon=True).start()

    def _connect(self, door: socket.socket) -> None:
        while True:
            near, far = door.accept()[0], socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.place.folder / SOCKET))
            except OSError:
                near.close()
                continue
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, end: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while said := end.recv(65536):
                time.sleep(self.latency / 2)
                other.sendall(said)
        for one in (end, other):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Start one; it is gone afterwards."""
    binaries = postgres.find_binaries()
    if binaries is None:
        raise SystemExit("no PostgreSQL here")
    folder = Path(tempfile.mkdtemp(prefix="clpg"))
    place = postgres.prepare(folder, binaries)
    postgres.run(place, "initdb", "-D", str(folder / "data"), *postgres.INITDB)
    with ExitStack() as running:
        made = Postgres(place, running)
        made.start()
        made.lay_wire()
        yield made
    shutil.rmtree(folder, ignore_errors=True)
