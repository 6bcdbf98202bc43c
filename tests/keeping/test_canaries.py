"""What people say about their health, and who they are, is read nowhere but where it belongs."""

from __future__ import annotations

import io
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from clinic import worker
from clinic.booking.models import Visit
from clinic.clients.models import Client
from clinic.intake.models import Intake
from clinic.records.queries.own_copy import Whose, personal_classes
from clinic.rules.permissions import Role
from clinic.shared import backups, crypto, person_keys
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.logs import set_up_logs
from clinic.shared.mail import OutgoingMail
from tests.accounts.people import PASSWORD, make_person, sign_in
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, person_with, staffed
from tests.factories import make_clinic
from tests.keeping.on_disk import everything
from tests.owners import save_page
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

HEALTH = "canary-health"
NAME, EMAIL = "Canaryname", "canary.mail@people.example"


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """All that was logged since, by the program and by what it uses, down to the least."""
    caplog.set_level(logging.DEBUG)
    with monkeypatch.context() as errors:
        errors.setattr("sys.stderr", said := io.StringIO())
        set_up_logs()
        yield lambda: said.getvalue() + caplog.text
    set_up_logs()


def test_health_words_are_on_no_disk_and_nobody_who_should_not_reads_them(
    app: Flask, logs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aside := tmp_path / "aside").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    clinic = staffed(app)
    app.test_client_class = Visitor
    visitor, therapist = app.test_client(), clinic.browser(ME)
    walk.book(
        visitor, "relaxation", declared={"doctor_said_no": {"reason": HEALTH, "date": "2025-01-01"}},
        who={"first_name": NAME, "last_name": NAME, "email": EMAIL},
    )  # fmt: skip
    waiting = db.session.scalars(select(Visit).where(Visit.client_id.is_not(None))).one()
    client_id, waiting_id = int(waiting.client_id or 0), waiting.id
    treated = w.person()
    w.sign(treated)
    visit_id = w.at_desk(
        clinic.world, treated, "relaxation", when=w.at(0, 9), therapist_id=clinic.me
    ).visit_id
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == visit_id).values(status="done"))
    mine = f"/diary/visits/{visit_id}"
    said = [
        save_page(therapist, f"{mine}/notes", text=HEALTH),
        save_page(therapist, f"{mine}/bad-reaction", what_happened=HEALTH, happened_on=f"{NOW:%Y-%m-%d}"),
        save_page(therapist, f"{mine}/more-care", reason=HEALTH, verdict="caution", services=["relaxation"]),
    ]
    assert [one.status_code for one in said] == [303, 303, 303]
    assert HEALTH in therapist.get(f"{mine}/notes").text
    staff = {role: clinic.browser(person_with(role)) for role in (Role.FRONT_DESK, Role.OWNER)}
    worker.do(app, worker.Job(worker.send_messages, 5))
    saved = backups.save(db.engine, app.config, now=NOW)

    pages = [
        "/desk", "/todo", "/clients", f"/clients?q={NAME}", f"/clients/{client_id}", f"/clients/{treated}",
        f"/desk/visits/{waiting_id}", f"/desk/visits/{visit_id}", f"/desk/search?q={NAME}", "/owner/reports",
        f"/owner/reports/therapists.csv?from={NOW:%Y-%m-%d}&to={NOW:%Y-%m-%d}", "/owner/keeping",
        f"/clients/{client_id}/erase", f"/visits/{waiting_id}/record", f"{mine}/notes", f"/clients/{client_id}/data",
        f"/my/people/{client_id}/data.json", f"/clients/{client_id}/intake/desk/1", "/reviews",
    ]  # fmt: skip
    for browser in staff.values():
        for page in pages:
            answer = browser.get(page)
            assert HEALTH not in answer.text, page
            assert answer.status_code < 500, page
    feed = re.search(r"(/calendar/[\w-]+\.ics)", therapist.post("/diary/calendar").text)
    assert feed
    assert HEALTH not in visitor.get(feed[1]).text
    with backups.opened(saved, app.config["CLINIC_BACKUP_KEY_FILE"]) as (_about, database):
        assert HEALTH.encode() not in database.read_bytes()
    assert HEALTH.encode() not in everything(app)
    assert HEALTH.encode() not in b"".join(one.read_bytes() for one in aside.rglob("*") if one.is_file())
    assert HEALTH not in str([row.detail for row in db.session.scalars(select(AuditRow))])
    told = logs()
    assert [one for one in (HEALTH, NAME, EMAIL, "nora walker") if one.lower() in told.lower()] == []
    each_value_is_sealed_for_its_person(client_id)
    each_value_is_sealed_for_its_person(treated)


def each_value_is_sealed_for_its_person(client_id: int) -> None:
    """Whatever is sealed about somebody can be made unreadable by their key alone."""
    whose = Whose(db.session.get_one(Client, client_id), None)
    seen = 0
    for cls in personal_classes():
        for kept in (one for one in vars(cls).values() if isinstance(one, crypto._Kept)):
            for sealed in db.session.scalars(select(getattr(cls, kept.column)).where(whose.is_theirs(cls))):
                seen += sealed is not None
                is_theirs = sealed is None or person_keys.named(sealed) is not None
                assert is_theirs or cls.__tablename__ == "checkout", cls
    assert seen > 2


def test_no_password_token_or_cookie_is_logged(app: Flask, logs: Any) -> None:
    make_clinic()
    make_person("pat@people.example", Role.CLIENT)
    app.test_client_class = Visitor
    browser = app.test_client()
    sign_in(browser, "pat@people.example", "a wrong canary password")
    sign_in(browser, "pat@people.example")
    cookie = browser.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    with browser.session_transaction() as session:
        token = session["_user_id"]
    browser.post("/password/forgot", data={"email": "pat@people.example"})
    link = re.search(r"/password/new/([\w-]+)", "".join(db.session.scalars(select(OutgoingMail.text))))
    worker.do(app, worker.Job(worker.send_messages, 5))
    secrets = [PASSWORD, "a wrong canary password", token, cookie.value, "pat@people.example"]
    secrets += [link[1]] if link else []
    told = logs()
    assert [one for one in secrets if one in told] == []


def test_what_was_sealed_for_one_row_is_not_opened_in_another(app: Flask) -> None:
    w.build()
    ids = [w.person() for _ in range(2)]
    for one in ids:
        w.sign(one)
    with transaction() as session:
        first, second = session.scalars(select(Intake).order_by(Intake.id)).all()
        first.answers_sealed, second.answers_sealed = second.answers_sealed, first.answers_sealed
    for row in db.session.scalars(select(Intake)):
        with pytest.raises(crypto.CannotOpen):
            _ = row.answers
