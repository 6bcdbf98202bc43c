"""Requests are counted for all processes together where the clinic says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from flask import Flask
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from clinic.api.counting import OrHere
from clinic.api.models import RequestCount
from clinic.api.services import begin_answer, drop_old_answers
from clinic.shared.database import db
from tests.api.conftest import Program
from tests.conftest import NOW
from tests.web import app_on


class OutOfReach(MemoryStorage):
    """Redis, gone."""

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        raise StorageError(ConnectionError())

    def get(self, key: str) -> int:
        raise StorageError(ConnectionError())


def test_while_redis_is_away_each_process_counts_by_itself() -> None:
    limiter = FixedWindowRateLimiter(OrHere(OutOfReach()))
    twice = RateLimitItemPerMinute(2)
    assert [limiter.hit(twice, "a key") for _ in range(3)] == [True, True, False]
    assert limiter.storage.get(twice.key_for("a key")) == 3
    shared = MemoryStorage()
    both = [FixedWindowRateLimiter(OrHere(shared)) for _ in range(2)]
    assert [one.hit(twice, "a key") for one in (*both, *both)] == [True, True, False, False]


@pytest.fixture
def settings() -> dict[str, object]:
    return {"CLINIC_LIMITS_URL": "database"}


def test_two_hosts_count_together_and_begin_anew_each_minute(
    app: Flask, program: Callable[..., Program], settings: dict[str, object]
) -> None:
    here = program("desk", per_minute=3)
    other = app_on(app.config["SQLALCHEMY_DATABASE_URI"], app.config["CLINIC_DATA_DIR"], **settings)
    there = Program(other.test_client(), here.key)
    assert [one.get("/services").status_code for one in (here, there, here)] == [200, 200, 200]
    assert [one.get("/services").status_code for one in (here, there)] == [429, 429]
    with time_machine.travel(NOW + dt.timedelta(seconds=61), tick=False):
        assert there.get("/services").status_code == 200
    with other.app_context():
        db.engine.dispose()
    db.session.rollback()
    assert [row.count for row in db.session.query(RequestCount)] == [1]


def test_old_counts_are_forgotten(app: Flask, program: Callable[..., Program], clinic: Any) -> None:
    program("desk", per_minute=3).get("/services")
    token = db.session.execute(db.text("SELECT min(id) FROM api_token")).scalar_one()
    begin_answer(token, "old", "x", now=NOW - dt.timedelta(days=3))
    drop_old_answers(NOW + dt.timedelta(minutes=2))
    db.session.rollback()
    assert db.session.query(RequestCount).count() == 0
