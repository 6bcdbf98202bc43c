"""A clinic with two therapists who sign in, and visits with something to prove."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.diary.staff import Staffed, staffed


@pytest.fixture
def clinic(app: Flask) -> Staffed:
    return staffed(app)
