"""What a journey may ask for: a test with `page` gets a phone-sized Chromium and a demo clinic of its own.

`page.goto("/")` opens that clinic. `site` is the clinic itself (tests/browser.py), `accessibility_faults` runs
axe-core on the open page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clinic.shared import clock
from tests.browser import NO_CHROMIUM, Site, find_chromium, free_port, sandbox_flags, served
from tests.demo import demo_folder
from tests.looking import violations
from tests.web import ReadyApplications

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none, unless the run must have one."""
    if find_chromium() is not None or os.environ.get("CLINIC_REQUIRE_BROWSER"):
        return
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.fixture(scope="session")
def demo_clinic(empty_clinic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo clinic; copied for each test, never used itself."""
    return demo_folder("demo_of_today", empty_clinic, tmp_path_factory, clock.now(), CLINIC_DEMO=True)


@pytest.fixture(scope="session")
def port() -> int:
    """Where the clinics are served, one after the other."""
    return free_port()


@pytest.fixture
def site(
    demo_clinic: Path, data_place: Path, port: int, ready_applications: ReadyApplications
) -> Iterator[Site]:
    """A served demo clinic of this test's own; the next test of this process finds another one under the same name."""
    place = data_place.with_name("served")
    shutil.rmtree(place, ignore_errors=True)
    with served(Path(shutil.copytree(demo_clinic, place)), port, ready_applications) as found:
        yield found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium."""
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(NO_CHROMIUM)
    return {**browser_type_launch_args, "executable_path": chromium, "args": sandbox_flags()}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Nothing for the whole run: each test has its own address (`browser_context_args`).

    Stands in for the fixture of pytest-playwright, which pytest 9 warns about, and warnings are errors here.
    """


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], site: Site) -> dict[str, Any]:
    """A phone's width, and short addresses that begin at the served clinic."""
    return {**browser_context_args, "base_url": site.url, "viewport": PHONE, "locale": "en-US"}


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A phone-sized window that is at rest when it is closed: Chromium can hang on one that is going to a page."""
    from playwright.sync_api import Error as BrowserError  # only where there is a browser

    yield page
    for window in page.context.pages:
        with suppress(BrowserError):  # a test may have answered the browser's question with "stay"
            window.goto("about:blank", timeout=5_000)


@pytest.fixture(scope="session")
def accessibility_faults() -> Callable[[Page], list[str]]:
    """A function that runs axe-core on the open page and returns its violations, one line each."""
    return violations
