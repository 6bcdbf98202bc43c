"""Addresses that were counted against a limit go once their minute is over, also where no program repeats requests."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic import worker
from clinic.api.models import RequestCount
from clinic.shared.database import db
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def settings() -> dict[str, object]:
    return {"CLINIC_LIMITS_URL": "database"}


def counted() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(RequestCount.key)))


def test_addresses_of_strangers_are_not_kept(app: Flask, client: FlaskClient) -> None:
    w.build()
    there = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
    wrong = client.get("/api/v1/services", headers={"Authorization": "Bearer nonsense"}, **there)
    assert (wrong.status_code, len(counted()) > 0) == (401, True)
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=False):
        worker.tidy(app)
    assert counted() == []
