"""A small clinic and a program with a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clinic.api.services import make_token
from tests.booking import world
from tests.conftest import NOW


@dataclass
class Program:
    """A program that asks with its key."""

    client: FlaskClient
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self._headers({}))

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body, headers=self._headers(headers))

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(f"/api/v1{path}", headers=self._headers({}))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.key}", **self.headers, **named}


@pytest.fixture
def clinic(app: Flask, now: Any) -> world.World:
    """The clinic of tests/booking/world.py."""
    return world.build()


@pytest.fixture
def program(app: Flask, clinic: world.World) -> Callable[..., Program]:
    """Make a program: role and scopes as for a key."""

    def make(role: str = "desk", *scopes: str, per_minute: int = 0) -> Program:
        key = make_token("tests", role, scopes, per_minute=per_minute, now=NOW)
        return Program(app.test_client(), key)

    return make


@pytest.fixture
def desk(program: Callable[..., Program]) -> Program:
    """A program that does the desk's work."""
    return program()
