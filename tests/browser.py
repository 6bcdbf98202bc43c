"""Chromium for tests/journeys, and the served clinic it visits.

A test that asks for `page` gets a phone-sized Chromium page and a demo clinic of its own, served on this machine;
`page.goto("/")` opens it. `site` is that clinic: its address, its application, its data folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from waitress.server import create_server

from clinic.paths import ROOT
from clinic.shared.database import db
from tests.web import app_on, sqlite_address

if TYPE_CHECKING:
    from playwright.sync_api import Page

NO_CHROMIUM = "no Chromium here: install the package `chromium`, or set CLINIC_CHROMIUM to its program"
PHONE = {"width": 390, "height": 844}
AXE = ROOT / "build" / "axe" / "axe.min.js"
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def find_chromium() -> str | None:
    """The browser's program, None where this machine has none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CLINIC_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, unless the run must have one."""
    if find_chromium() is not None or os.environ.get("CLINIC_REQUIRE_BROWSER"):
        return
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@dataclass(frozen=True)
class Site:
    """A served clinic."""

    url: str
    app: Flask
    data_folder: Path


@pytest.fixture(scope="session")
def demo_clinic(empty_clinic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo clinic; copied for each test, never used itself."""
    from clinic.demo import fill_if_empty

    folder = Path(shutil.copytree(empty_clinic, tmp_path_factory.mktemp("demo") / "data"))
    app = app_on(sqlite_address(folder), folder, CLINIC_DEMO=True)
    with app.app_context():
        fill_if_empty()
        db.session.remove()
        db.engine.dispose()
    return folder


@pytest.fixture
def site(demo_clinic: Path, tmp_path: Path) -> Iterator[Site]:
    """A demo clinic of this test's own, served as a real one is: CSRF on, by waitress."""
    folder = Path(shutil.copytree(demo_clinic, tmp_path / "served"))
    port = free_port()
    url = f"http://localhost:{port}"
    settings = {"CLINIC_PUBLIC_URL": url, "CLINIC_DEMO": True, "WTF_CSRF_ENABLED": True}
    app = app_on(sqlite_address(folder), folder, **settings)
    server = create_server(app, host="127.0.0.1", port=port, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Site(url, app, folder)
    server.close()
    thread.join(10)
    with app.app_context():
        db.engine.dispose()


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium; as root it refuses to run with its sandbox."""
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(NO_CHROMIUM)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": chromium, "args": sandbox}


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], site: Site) -> dict[str, Any]:
    """A phone's width, and short addresses that begin at the served clinic."""
    return {**browser_context_args, "base_url": site.url, "viewport": PHONE, "locale": "en-US"}


@pytest.fixture
def accessibility_faults() -> Callable[[Page], list[str]]:
    """A function that runs axe-core on the open page and returns its violations, one line each."""
    source = AXE.read_text(encoding="utf-8")

    def faults(page: Page) -> list[str]:
        page.evaluate(source)
        found = page.evaluate("rules => axe.run(document, rules)", AXE_RULES)["violations"]
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}" for one in found
        ]

    return faults
