"""Who asks is read from what the clinic's own proxies say, and from nothing that anybody else writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, request

from tests.web import app_on, sqlite_address

SAID = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}


def seen(app: Flask) -> tuple[str | None, str]:
    found: list[tuple[str | None, str]] = []
    app.before_request_funcs.setdefault(None, []).insert(
        0, lambda: found.append((request.remote_addr, request.scheme))
    )
    app.test_client().get("/nowhere", headers=SAID)
    return found[0]


@pytest.mark.parametrize(
    ("proxies", "address", "scheme"),
    [(0, "127.0.0.1", "http"), (1, "198.51.100.7", "https"), (2, "203.0.113.9", "http")],
)
def test_as_many_proxies_are_believed_as_are_the_clinics_own(
    tmp_path: Path, proxies: int, address: str, scheme: str
) -> None:
    app = app_on(sqlite_address(tmp_path), tmp_path, CLINIC_TRUSTED_PROXIES=proxies)
    assert seen(app) == (address, scheme)
