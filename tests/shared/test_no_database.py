"""Without a database, and without room for it: told at once and kindly, read what can be read, and go on by itself."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text

from clinic.api.services import make_token
from clinic.booking.models import Visit
from clinic.shared import no_database, web
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests.api.conftest import Program
from tests.booking import world as w
from tests.conftest import NOW
from tests.web import app_on

AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1"


def test_while_it_is_away_everybody_is_told_at_once(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(AWAY, data_folder)
    client = app.test_client()
    page = client.get("/services")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert page.headers["X-Request-Id"] in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]

    def nobody_asks(*_args: object, **_named: object) -> None:
        raise AssertionError("nobody waits in line")

    with app.app_context():
        event.listen(db.engine, "do_connect", nobody_asks)
        assert client.get("/services").status_code == 503
        problem = client.get("/api/v1/services")
        assert (problem.status_code, problem.headers["Retry-After"]) == (503, "10")
        assert problem.get_json()["code"] == "unavailable"
        assert client.get("/healthz").status_code == 200
        event.remove(db.engine, "do_connect", nobody_asks)
        monkeypatch.setattr(no_database, "REST_SECONDS", 0.0)
        app.extensions["clinic_away"].note()
        assert client.get("/services").status_code == 503  # it was asked, and still is away
        assert not app.extensions["clinic_away"].is_so()


def until_refused(desk: Program, clients: list[int]) -> tuple[int, Any]:
    """Book one visit after the other; how many were, and the first answer that is not a booking."""
    for number, client in enumerate(clients):
        wish = {"client": client, "service": "swedish", "minutes": 60}
        starts = w.at(3 + number // 6, 9 + number % 6).isoformat()
        answer = desk.post("/visits", {**wish, "starts_at": starts})
        if answer.status_code != 201:
            return number, answer
    raise AssertionError("there was room for all")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_a_full_disk_what_is_there_is_read_and_all_goes_on_when_there_is_room(
    app: Flask, now: object
) -> None:
    w.build()
    desk = Program(app.test_client(), make_token("tests", "desk", (), per_minute=0, now=NOW))
    clients = [w.person() for _ in range(24)]
    for client in clients:
        w.sign(client)
    pages = db.session.execute(text("PRAGMA page_count")).scalar_one()
    db.session.rollback()

    def no_more_room(connection: sqlite3.Connection, _record: object, _fairy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(db.engine, "checkout", no_more_room)
    try:
        booked, refused = until_refused(desk, clients)
        assert refused.status_code == 503
        assert refused.get_json()["detail"] == web.DISK_FULL
        assert desk.get("/services").status_code == 200
        assert desk.client.get("/services").status_code == 200
        free = desk.get("/availability", service="swedish", minutes=60, **{"from": str(w.TODAY), "days": 3})
        assert free.status_code == 200
    finally:
        event.remove(db.engine, "checkout", no_more_room)
        db.session.execute(text("PRAGMA max_page_count = 1000000"))
        db.session.rollback()
        db.engine.dispose()
    wish = {"client": clients[-1], "service": "swedish", "minutes": 60, "starts_at": w.at(9, 15).isoformat()}
    assert desk.post("/visits", wish).status_code == 201
    assert db.session.scalar(select(func.count()).select_from(Visit)) == booked + 1
    deeds = db.session.scalar(select(func.count()).where(AuditRow.deed == "visit.booked"))
    assert deeds == booked + 1  # each with its audit row, and no half of one
    assert db.session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("settings", [{"TRUSTED_HOSTS": ["book.clinic.example"]}])
def test_a_request_for_another_host_is_refused_by_a_page_that_links_nowhere(app: Flask) -> None:
    answer = app.test_client().get("/services", base_url="http://evil.example")
    assert (answer.status_code, "evil" in answer.text) == (400, False)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_that_cannot_be_written_for_want_of_room_is_told_too(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "catalogue.services", full)
    answer = app.test_client().get("/services")
    assert answer.status_code == 503
    assert "no room left" in answer.text
