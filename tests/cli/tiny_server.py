"""What `clinic serve` runs, in a process of its own before an application of three lines (tests/cli/test_server.py).

`python -m tests.cli.tiny_server PORT` opens the port itself; without PORT it takes the socket that it inherits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from clinic.cli import server


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Reads what it was sent, works for a moment, and says how much it was."""
    sent = environ["wsgi.input"].read()
    time.sleep(0.02)
    body = str(len(sent)).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def ready() -> None:
    """Say so to whoever waits for it."""
    server.tell_systemd("READY=1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()


given = server.inherited()
server.serve(
    application,
    given or [server.opened("127.0.0.1", int(sys.argv[1]))],
    keeps_sockets=bool(given),
    ready=ready,
    headers={"X-Content-Type-Options": "nosniff"},
)
