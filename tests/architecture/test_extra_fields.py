"""A field that a page does not ask for changes nothing: what is written is the same with and without it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event, select

from clinic.accounts.models import User
from clinic.rules.permissions import GIVEN_BY_NAME, Role
from clinic.shared.database import db
from tests.architecture.doors import browser, some_rows
from tests.factories import make_user
from tests.typed_forms import form_on

EXTRA = {
    "id": "77", "role": "owner", "roles": "owner", "permission": "clinical:review", "user_id": "1", "by": "1",
    "client_id": "1", "therapist_id": "2", "visit_id": "1", "clinic_id": "9", "room_id": "1", "location_id": "1",
    "screening_id": "1", "status": "done", "permits": "1", "verdict": "allow", "price": "1.23", "currency": "XXX",
    "is_admin": "1", "is_active": "", "is_unproven": "", "password_hash": "x", "token_hash": "x", "key": "swedish",
    "created_at": "2001-01-01", "ends_at": "2001-01-01", "deadline_at": "2099-01-01", "hold_until": "2099-01-01",
}  # fmt: skip
RANDOM = re.compile(r"[A-Za-z0-9_-]{16,}|\d{13,}")
ALL, THERAPIST = "all@doors.example", "therapist@willow.example"
FORMS: tuple[tuple[str, str, str, dict[str, str]], ...] = (  # whose page, where its form leads, what is typed
    (ALL, "/owner/rooms/new", "", {"name": "Anew"}),
    (ALL, "/owner/rooms/{room_id}", "", {"name": "Anew"}),
    (ALL, "/owner/devices/{device_id}", "", {"name": "Anew"}),
    (ALL, "/owner/addons/{addon_id}", "", {"name": "Anew"}),
    (ALL, "/owner/services/{service_id}", "", {"name": "Anew"}),
    (ALL, "/owner/locations/{location_id}", "", {"name": "Anew"}),
    (ALL, "/owner/therapists/{therapist_id}", "", {"name": "Anew"}),
    (ALL, "/owner/team/{user_id}", "", {"name": "Anew"}),
    (ALL, "/owner/messages", "", {"reminder_hours": "30"}),
    (ALL, "/clients/{client_id}/edit", "", {"last_name": "Anew"}),
    (ALL, "/clients/{client_id}", "/clients/{client_id}/notes", {"text": "Anew"}),
    (THERAPIST, "/therapists/me", "", {"bio": "Anew"}),
)


@contextmanager
def writes() -> Iterator[list[tuple[str, str]]]:
    """The statements that write, with their values; random keys and what is sealed count as the same."""
    found: list[tuple[str, str]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            plain = ["sealed" if isinstance(one, bytes | memoryview) else one for one in values]
            found.append((statement, RANDOM.sub("random", repr(plain))))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_no_page_takes_a_field_that_it_does_not_ask_for(demo: Flask) -> None:
    everybody = make_user(email=ALL, roles=list(Role)[1:], given=GIVEN_BY_NAME)
    therapist_id = db.session.scalars(select(User.id).where(User.email == THERAPIST)).one()
    visitors = {ALL: browser(demo, everybody.id), THERAPIST: browser(demo, therapist_id)}
    rows = {**some_rows(demo), "user_id": therapist_id}
    file = Path(demo.config["CLINIC_DATA_DIR"]) / "database" / "clinic.db"
    keep(file)
    for email, page, leads_to, typed in FORMS:
        address, action = page.format(**rows), (leads_to or page).format(**rows)
        form: dict[str, Any] = {**form_on(visitors[email].get(address).text, action), **typed}
        seen = []
        for extra in ({}, {name: value for name, value in EXTRA.items() if name not in form}):
            give_back(file)
            with writes() as found:
                answer = visitors[email].post(action, data={**form, **extra})
            seen.append((answer.status_code, answer.location, found))
        assert seen[0][2], (page, "nothing was written")
        assert seen[0] == seen[1], page


def keep(file: Path) -> None:
    """Remember what stands in the database."""
    db.session.remove()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.engine.dispose()
    shutil.copyfile(file, file.with_suffix(".kept"))


def give_back(file: Path) -> None:
    """Let it stand there again."""
    db.session.remove()
    db.engine.dispose()
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    shutil.copyfile(file.with_suffix(".kept"), file)
