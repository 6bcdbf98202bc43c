"""No page, no answer to a program and no round of the worker reads all that a clinic has ever had.

SQLite says of each statement how it would find the rows (EXPLAIN QUERY PLAN); without counted rows it takes an index
wherever there is one. "SCAN" is a table read from end to end: of one that grows with every visit that is too much.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from clinic import worker
from clinic.api.services import make_token
from clinic.clients import queries as clients
from clinic.rules.api_scopes import ApiRole
from clinic.rules.permissions import GIVEN_BY_NAME, Role
from clinic.shared import clock
from clinic.shared.database import db
from tests.architecture.doors import browser, doors, some_rows
from tests.factories import make_user

GROWING = {
    "audit_row", "call_request", "checkout", "claim", "claim_history", "client", "intake", "outgoing_mail", "screening",
    "session_note", "status_change", "timed_message", "visit",
}  # fmt: skip
ALL_OF_A_KIND = re.compile(
    r"ix_visit_location_id_\w+ \(location_id=\?\)|ix_visit_therapist_id_starts_at \(therapist_id=\?\)"
    r"|ix_visit_\w+ \((?:(?:location|therapist)_id=\? AND )?(?:starts_at|day|created_at)<\?\)"
)
"""As good as all: what a place or a therapist ever had, or had until then."""
ONE_PERSON = re.compile(r"GET /clients/<int:client_id>/(erase|data)|GET /my/data")
"""All that is kept about somebody is looked for everywhere: seldom, and for one person."""
SELDOM = {"GET /owner/keeping", "remove_due", "tidy"}
"""What is older than a date: once in six hours, or when the owner asks."""
FEW = ("ix_intake_softens", "ix_call_request_open")  # of the few that have it at all
ONCE_THROUGH = ("ix_client_alike_name_born_on", "ix_client_phone_key", "ix_client_alike_email")
"""Which records look alike is asked of all of them, once through each of these: not each of them against all others."""
COUNTED = "API /clients"
"""A page of all clients, and how many there are."""
TIMES = "/availability?service=swedish&minutes=60"
NEWEST = "ORDER BY audit_row.sequence DESC"  # from the end, and only one


@contextmanager
def noted(sent: dict[str, tuple[Any, str]], where: list[str]) -> Iterator[None]:
    """What each statement was sent with, and from where, the first time."""

    def note(*args: Any) -> None:
        statement, given, several = str(args[2]), args[3], args[5]
        if re.match("SELECT|INSERT|UPDATE|DELETE|WITH", statement) and not several:
            sent.setdefault(statement, (given, where[0]))

    event.listen(db.engine, "before_cursor_execute", note)
    yield
    event.remove(db.engine, "before_cursor_execute", note)


def reads_all(statement: str, given: Any) -> list[str]:
    """The steps of its plan that read a growing table from end to end."""
    cursor = db.session.connection().connection.cursor()
    steps = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()]
    cursor.close()
    named = {alias: table for table, alias in re.findall(r"(?:FROM|JOIN|,)\s+(\w+) AS (\w+)", statement)}
    return [step for step in steps if ALL_OF_A_KIND.search(step) or _is_whole(step, named)]


def _is_whole(step: str, named: dict[str, str]) -> bool:
    found = re.match(r"SCAN (\w+)", step)
    return (
        found is not None
        and named.get(found[1], found[1]) in GROWING
        and not step.endswith(FEW + ONCE_THROUGH)
    )


def too_much(sent: dict[str, tuple[Any, str]]) -> dict[str, list[str]]:
    """Where too much is read, with the steps and the statement."""
    found = {}
    for statement, (given, where) in sent.items():
        if ONE_PERSON.match(where) or where in {*SELDOM, COUNTED} or NEWEST in statement:
            continue
        if steps := reads_all(statement, given):
            found[f"{where}: {statement}"] = steps
    return found


def test_nothing_reads_all_there_ever_was(demo: Flask) -> None:
    everybody = make_user(
        email="all@doors.example",
        roles=[Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER],
        given=GIVEN_BY_NAME,
    )
    rows = {**some_rows(demo), "user_id": everybody.id}
    visitor, nobody = browser(demo, everybody.id), browser(demo, None)
    key = {"Authorization": f"Bearer {make_token('all', ApiRole.DESK, (), per_minute=0, now=clock.now())}"}
    day = clock.now().date()
    asked = (
        f"/visits?day={day}", f"/visits?day={day}&location=1", f"/visits/{rows['visit_id']}", "/clients?search=ana",
        f"/clients/{rows['client_id']}", "/waitlist", f"{TIMES}&from={day}&days=30",
        f"{TIMES}&from={day}&days=30&client={rows['client_id']}",
        f"/availability/reasons?service=swedish&minutes=60&from={day}&days=7",
        f"/therapists/{rows['therapist_id']}/sick-days?from={day}&to={day + dt.timedelta(days=2)}",
        "/services", "/locations", "/therapists",
    )  # fmt: skip
    sent: dict[str, tuple[Any, str]] = {}
    where = [""]
    with noted(sent, where):
        for door in (one for one in doors(demo, rows=rows) if one.method == "GET"):
            where[0] = str(door)
            visitor.get(door.address, buffered=True)
            nobody.get(door.address, buffered=True)
        for path in asked:
            where[0] = f"API {path.partition('?')[0]}"
            found = nobody.get(f"/api/v1{path}", headers=key, buffered=True)
            assert found.status_code == 200, (path, found.text)
        where[0] = "API a kept time"
        free = nobody.get(f"/api/v1{TIMES}&from={day}&days=30", headers=key).get_json()["starts"]
        wish = {"service": "swedish", "minutes": 60, "starts_at": free[-1]["starts_at"]}
        held = nobody.post("/api/v1/holds", json=wish, headers=key)
        assert held.status_code == 201
        nobody.post(f"/api/v1/holds/{held.get_json()['id']}/release", json={}, headers=key)
        demo.config["CLINIC_BACKUP_HOURS"] = 0
        for job in worker.JOBS:
            where[0] = job.work.__name__
            worker.do(demo, job)
    assert len(sent) > 400
    assert too_much(sent) == {}


def test_reading_all_would_be_noticed(demo: Flask) -> None:
    assert reads_all("SELECT id FROM visit WHERE minutes = ?", (60,)) == ["SCAN visit"]
    assert reads_all("SELECT later.id FROM visit AS later WHERE later.minutes = ?", (60,)) == ["SCAN later"]
    assert reads_all("SELECT id FROM visit WHERE day = ?", ("2026-01-05",)) == []


def test_who_looks_alike_is_not_found_by_comparing_everybody_with_everybody(demo: Flask) -> None:
    """10,000 clients would be fifty million pairs."""
    sent: dict[str, tuple[Any, str]] = {}
    with noted(sent, [""]):
        clients.pairs()
    [(statement, (given, _where))] = sent.items()
    cursor = db.session.connection().connection.cursor()
    steps = [str(row[3]) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()]
    assert [step for step in steps if re.match(r"S\w+ client", step)] == [
        "SCAN client_1 USING COVERING INDEX ix_client_alike_name_born_on",
        "SEARCH client_2 USING COVERING INDEX ix_client_alike_name_born_on (alike_name=? AND born_on=? AND rowid>?)",
        "SCAN client_1 USING COVERING INDEX ix_client_phone_key",
        "SEARCH client_2 USING COVERING INDEX ix_client_phone_key (phone_key=? AND rowid>?)",
        "SCAN client_1 USING COVERING INDEX ix_client_alike_email",
        "SEARCH client_2 USING COVERING INDEX ix_client_alike_email (alike_email=? AND rowid>?)",
        "SEARCH client USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH client USING INTEGER PRIMARY KEY (rowid=?)",
    ]


def test_the_guard_of_claims_finds_a_visit_in_the_archive_by_the_visit(demo: Flask) -> None:
    """By the room it would go through years of it for each claim that is archived."""
    steps = (
        db.session.connection()
        .connection.cursor()
        .execute(
            "EXPLAIN QUERY PLAN SELECT 1 FROM claim_history past WHERE past.visit_id = 1 AND past.resource_id = 1"
            " AND past.starts_at = '' AND past.ends_at = ''"
        )
    )
    assert [row[3] for row in steps] == ["SEARCH past USING INDEX ix_claim_history_visit_id (visit_id=?)"]
