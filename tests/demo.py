"""The demo clinic, filled once for a whole run."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from clinic.shared.database import db
from tests.repeating import folder_of
from tests.web import app_on, sqlite_address


def demo_folder(
    name: str,
    empty_clinic: Path,
    factory: pytest.TempPathFactory,
    now: dt.datetime,
    **settings: object,
) -> Path:
    """A data folder with the demo clinic as it is at that moment; to be copied, never used itself."""

    def fill(folder: Path) -> None:
        from clinic.demo import fill_if_empty

        shutil.copytree(empty_clinic, folder)
        app = app_on(sqlite_address(folder), folder, **settings)
        with app.app_context():
            fill_if_empty(now)
            db.session.remove()
            db.engine.dispose()

    return folder_of(name, factory, fill)
