"""Every page names the clinic: it is there before each of these tests."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.factories import make_clinic, make_location


@pytest.fixture
def premises(app: Flask) -> None:
    """A clinic called Still Waters, in New York."""
    make_clinic()
    make_location(zone="America/New_York")
