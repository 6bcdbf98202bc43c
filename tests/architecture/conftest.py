"""The demo clinic, for tests that look at every page with something on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from clinic.shared.database import db
from tests.demo import demo_folder
from tests.factories import LONG_AGO
from tests.web import ReadyApplications, sqlite_address


@pytest.fixture(scope="session")
def demo_data(empty_clinic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a demo clinic: never used itself."""
    return demo_folder("demo_of_long_ago", empty_clinic, tmp_path_factory, LONG_AGO)


@pytest.fixture
def demo(demo_data: Path, data_place: Path, ready_applications: ReadyApplications) -> Iterator[Flask]:
    """A demo clinic of this test's own; the clock stands at the moment for which it was made."""
    place = data_place.with_name("demo")
    shutil.rmtree(place, ignore_errors=True)
    folder = Path(shutil.copytree(demo_data, place))
    app = ready_applications.on(sqlite_address(folder), folder, {"PROPAGATE_EXCEPTIONS": False})
    with time_machine.travel(LONG_AGO, tick=False), app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
