"""The server finishes what is under way before it leaves, hands its socket on, and lets slow clients be slow."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from clinic.cli import server
from clinic.paths import ROOT

# The socket becomes the fourth open file, and the environment says so, to this process and no other.
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""
TINY = [sys.executable, "-m", "tests.cli.tiny_server"]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*arguments: str, door: socket.socket | None = None) -> subprocess.Popen[str]:
    """A server that is ready; with DOOR it inherits that socket, as from systemd."""
    command: list[str] = [*TINY, *arguments]
    keep: tuple[int, ...] = ()
    if door is not None:
        command, keep = [sys.executable, "-c", AS_SYSTEMD, str(door.fileno()), *TINY], (door.fileno(),)
    started = subprocess.Popen(command, cwd=ROOT, pass_fds=keep, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def end(one: subprocess.Popen[str]) -> float:
    """TERM; how long it took to leave."""
    began = time.monotonic()
    one.send_signal(signal.SIGTERM)
    assert one.wait(15) == 0
    if one.stdout:
        one.stdout.close()
    return time.monotonic() - began


@contextmanager
def asked_all_the_time(port: int, clients: int = 4) -> Iterator[Counter[str]]:
    """So many clients ask one thing after the other, and open a new connection when theirs was ended."""
    found: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.connect()
            except OSError:
                found["refused"] += 1
                time.sleep(0.02)
                continue
            goes_on = True
            while goes_on and not stop.is_set():
                try:
                    connection.request("POST", "/", b"x" * 5000)
                    answer = connection.getresponse()
                    found[f"{answer.status} {answer.read().decode()}"] += 1
                    goes_on = not answer.will_close
                except (OSError, http.client.HTTPException):
                    found["cut off"] += 1
                    goes_on = False
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for one in threads:
        one.start()
    try:
        yield found
    finally:
        stop.set()
        for one in threads:
            one.join()


def test_a_plain_restart_cuts_nobody_off(port: int) -> None:
    running = start(str(port))
    with asked_all_the_time(port) as found:
        for _ in range(3):
            time.sleep(0.2)
            assert end(running) < 10
            running = start(str(port))
        time.sleep(0.2)
    end(running)
    assert found["200 5000"] > 0
    assert set(found) <= {"200 5000", "refused"}  # between the two nobody is there, which a proxy waits for


def test_generations_on_one_socket_refuse_and_cut_nobody_off(port: int) -> None:
    with server.opened("127.0.0.1", port) as door:
        running = start(door=door)
        with asked_all_the_time(port) as found:
            for _ in range(3):
                time.sleep(0.2)
                successor = start(door=door)
                end(running)
                running = successor
            time.sleep(0.2)
        end(running)
    assert set(found) == {"200 5000"}


def test_slow_clients_keep_nobody_waiting(port: int) -> None:
    running = start(str(port))
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
    for one in slow:
        one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nand now it takes its")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()
    for one in slow:
        one.close()
    assert end(running) < 10


def test_what_is_no_request_is_refused_with_the_headers_of_every_answer(port: int) -> None:
    running = start(str(port))
    for head in ("Transfer-Encoding: none-such", "Content-Length: -1", "no colon", f"X: {'x' * 300_000}"):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as one, suppress(ConnectionError):
            one.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
            answer = one.recv(10_000).decode()
            assert answer.startswith(("HTTP/1.1 400", "HTTP/1.1 431", "HTTP/1.0 400", "HTTP/1.0 431")), head[
                :30
            ]
            assert "X-Content-Type-Options: nosniff" in answer
    end(running)


def test_a_body_larger_than_any_is_refused_before_it_is_read(port: int) -> None:
    running = start(str(port))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
        one.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {server.LARGEST_BODY}\r\n\r\n".encode())
        assert one.recv(10_000).startswith(b"HTTP/1.1 413")
    end(running)


def test_a_client_that_never_ends_keeps_the_server_for_a_moment_only(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "FINISH_SECONDS", 0.2)
    began = time.monotonic()

    class Endless(server.Channel):
        def __init__(self) -> None:  # no socket: only what the loop asks it for
            self.will_close = False

        def is_idle(self) -> bool:
            return False

    monkeypatch.setattr(server, "_turn", lambda _places, _seconds: time.sleep(0.05))
    server._finish({1: Endless()})
    assert 0.2 <= time.monotonic() - began < 5


def test_whoever_started_it_is_told_that_it_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.tell_systemd("READY=1")  # nobody asked
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        server.tell_systemd("READY=1")
        assert told.recv(100) == b"READY=1"
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")
    assert server.inherited() == []  # they are another process's
