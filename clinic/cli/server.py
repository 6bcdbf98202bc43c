"""The HTTP server: many slow clients, a stop that lets everybody finish, and a socket that outlives the process.

waitress reads requests and writes answers without a thread for each connection, so that slow clients keep nobody
waiting. What is added here: on TERM no new connection is taken, every request under way is answered, and the answer
says that the connection ends. With a socket inherited from systemd (LISTEN_FDS) the next process serves from the same
one, so that a restart or an upgrade refuses and cuts off nobody.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import BadRequest, ServerNotImplemented

THREADS = 4  # more of them wait for each other: a write stands longer in line than it takes
CONNECTIONS = 1000  # the usual 100 are used up by slow clients
LARGEST_BODY = 32 * 1024 * 1024  # above it nothing is read; below it the page says what is too large
FIRST_INHERITED = 3  # systemd's SD_LISTEN_FDS_START
FINISH_SECONDS = 10.0
LINGER_SECONDS = 1.0  # for a client that was about to ask once more on its old connection
BACKLOG = 1024

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LastComeFirstServed(threading.Condition):
    """Wakes whoever began to wait last."""

    def notify(self, n: int = 1) -> None:
        """Wake so many of them."""
        self._waiters.rotate(n)  # type: ignore[attr-defined] # its own notify() wakes the first ones
        super().notify(n)


class Threads(ThreadedTaskDispatcher):
    """The threads that answer. The one that was busy last is taken first: what it needs is still in the cache of its
    processor, and a request takes up to a third less time than on the thread that has rested longest."""

    def __init__(self) -> None:
        super().__init__()
        self.queue_cv = LastComeFirstServed(self.lock)


class Leaving:
    """Set by TERM: from then on answers end their connection."""

    since: float | None = None


class LastTask(WSGITask):
    """A request whose answer says, once the server is leaving, that nothing more is taken on this connection."""

    def build_response_header(self) -> bytes:
        """The head of the answer."""
        if Leaving.since is not None:
            self.set_close_on_finish()
        head: bytes = super().build_response_header()
        return head


class Refusal(ErrorTask):
    """What is no request that could be read: refused before the application, with the headers of every answer."""

    def execute(self) -> None:
        """Answer. An encoding that nobody knows is the asker's mistake, not a failure of this server."""
        asked: Any = self.request
        if isinstance(asked.error, ServerNotImplemented):
            asked.error = BadRequest(asked.error.body)
        self.response_headers = [*self.response_headers, *self.channel.server.headers]  # type: ignore[attr-defined]
        super().execute()


class Channel(HTTPChannel):
    """One connection."""

    task_class = LastTask
    error_task_class = Refusal

    def is_idle(self) -> bool:
        """Nothing was asked that is not answered."""
        return not (self.requests or self.request or self.total_outbufs_len)


def inherited() -> list[socket.socket]:
    """The sockets that whoever started this process opened for it (systemd socket activation)."""
    if os.environ.get("LISTEN_PID") not in (None, str(os.getpid())):
        return []
    count = int(os.environ.pop("LISTEN_FDS", "0"))
    os.environ.pop("LISTEN_PID", None)
    return [socket.socket(fileno=FIRST_INHERITED + number) for number in range(count)]


def opened(host: str, port: int) -> socket.socket:
    """A socket of this process's own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    return made


def serve(
    application: Application, sockets: list[socket.socket], *, ready: Callable[[], None], **options: Any
) -> None:
    """Answer on these sockets until TERM or Ctrl+C, then finish what is under way. Calls `ready` once it answers.
    `headers` go with what the server refuses by itself."""
    _allow_many_files()
    places: dict[int, Any] = {}
    keeps_places = bool(options.pop("keeps_sockets", False))
    headers = list(options.pop("headers", {}).items())
    threads = Threads()
    threads.set_thread_count(THREADS)
    server = create_server(
        application, _dispatcher=threads, map=places, sockets=sockets, connection_limit=CONNECTIONS,
        backlog=BACKLOG, channel_timeout=60, ident=None, max_request_body_size=LARGEST_BODY, **options,
    )  # fmt: skip
    doors = [one for one in places.values() if hasattr(one, "accept_connections")]
    for door in doors:
        door.channel_class, door.headers = Channel, headers

    def leave(_signal: int, _frame: object) -> None:
        Leaving.since = time.monotonic()
        doors[0].pull_trigger()  # wakes the loop

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    ready()
    while Leaving.since is None:
        _turn(places)
    for door in doors:
        door.accepting = False
        if not keeps_places:
            _close_door(door)
    _finish(places)
    server.task_dispatcher.shutdown(timeout=1)
    wasyncore.close_all(places)


def _turn(places: dict[int, Any], seconds: float = 1.0) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=places, count=1)


def _close_door(door: Any) -> None:
    """Take whoever has got through already, then let nobody in."""
    for _ in range(BACKLOG):
        before = len(door.active_channels)
        door.handle_accept()
        if len(door.active_channels) == before:
            break
    door.del_channel()
    door.socket.close()


def _finish(places: dict[int, Any]) -> None:
    """Until every request is answered; connections that ask nothing are closed after a moment."""
    began = time.monotonic()
    while (took := time.monotonic() - began) < FINISH_SECONDS:
        channels = [one for one in list(places.values()) if isinstance(one, Channel)]
        if not channels:
            return
        if took > LINGER_SECONDS:
            for channel in channels:
                channel.will_close = channel.will_close or channel.is_idle()
        _turn(places, 0.1)


def _allow_many_files() -> None:
    """As many connections as are taken, and the files beside them."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # elsewhere than on Unix
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = CONNECTIONS * 4
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))


def tell_systemd(state: str) -> None:
    """READY=1 when requests are answered; nothing happens where nobody asked to be told."""
    where = os.environ.get("NOTIFY_SOCKET")
    if where:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.connect("\0" + where[1:] if where.startswith("@") else where)
            told.send(state.encode())
