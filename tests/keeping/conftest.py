"""What the tests of keeping and erasing share: a clinic, every table, and the tools that copy the database."""

from __future__ import annotations

from importlib import import_module

import pytest
from flask import Flask

from tests.booking import world as w
from tests.postgres import find_binaries


@pytest.fixture(scope="module", autouse=True)
def all_tables() -> None:
    """Every model is loaded, whichever test runs first."""
    import_module("clinic.app")


@pytest.fixture
def settings() -> dict[str, object]:
    """Where PostgreSQL's programs lie."""
    return {"CLINIC_PG_BINDIR": str(find_binaries() or "")}


@pytest.fixture
def world(app: Flask) -> w.World:
    """The clinic of tests/booking/world.py."""
    return w.build()
