"""The machine's Chromium, and a clinic served for it to visit. The fixtures are in tests/journeys/conftest.py."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from clinic.shared.database import db
from tests.web import ReadyApplications, sqlite_address

NO_CHROMIUM = "no Chromium here: install the package `chromium`, or set CLINIC_CHROMIUM to its program"
# The same browser without a window takes half of the work.
PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)


def find_chromium() -> str | None:
    """The browser's program, None where this machine has none."""
    return os.environ.get("CLINIC_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


def sandbox_flags() -> list[str]:
    """What Chromium has to be told: as root it refuses to run with its sandbox."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@dataclass(frozen=True)
class Site:
    """A served clinic: where it is, the application behind it, and its data."""

    url: str
    app: Flask
    data_folder: Path


@contextmanager
def served(
    data_folder: Path, port: int | None = None, applications: ReadyApplications | None = None
) -> Iterator[Site]:
    """Serve the clinic in DATA_FOLDER as a real one is served: by waitress, with CSRF tokens. Whoever serves several,
    one after the other, gives the same port and `applications`, and need not make one each time."""
    port = port or free_port()
    url = f"http://localhost:{port}"
    app = (applications or ReadyApplications()).on(
        sqlite_address(data_folder),
        data_folder,
        {"CLINIC_PUBLIC_URL": url, "CLINIC_DEMO": True, "WTF_CSRF_ENABLED": True},
    )
    places: dict[int, Any] = {}
    server: Any = create_server(app, map=places, host="127.0.0.1", port=port, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Site(url, app, data_folder)
    finally:
        with suppress(OSError):  # closed already, where an answer woke the thread between order and pull
            server.trigger.pull_trigger(
                lambda: wasyncore.close_all(places)
            )  # by the thread that waits for them
        thread.join(10)
        server.task_dispatcher.shutdown()  # what is still answered belongs to this test, the next has the same folder
        with app.app_context():
            db.engine.dispose()


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
