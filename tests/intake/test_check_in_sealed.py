"""What a check-in asked about says what somebody had declared: it is sealed as the answers are."""

from __future__ import annotations

import sqlite3

import pytest
from flask import Flask
from sqlalchemy import select, text

from clinic.intake.models import Intake
from clinic.intake.services.checkins import take_check_in
from clinic.keeping.services import erasing
from clinic.shared import backups, crypto
from clinic.shared.database import db
from tests.booking import world as w
from tests.conftest import NOW
from tests.postgres import find_binaries

pytestmark = pytest.mark.usefixtures("now")
PREGNANT: dict[str, object] = {
    "present": True, "status": "confirmed", "weeks": 18, "weeks_as_of": "2026-06-01", "high_risk": False,
    "complication": "none",
}  # fmt: skip
CHANGED: dict[str, dict[str, object]] = {"pregnancy": PREGNANT, "rf_pregnancy_warning": {"present": False}}


@pytest.fixture
def settings() -> dict[str, object]:
    return {"CLINIC_PG_BINDIR": str(find_binaries() or "")}


@pytest.fixture
def client_id(app: Flask) -> int:
    """Somebody who signed that they have nothing to tell, and ticked something at the check-in."""
    w.build(therapists=1)
    one = w.person()
    w.sign(one)
    done = take_check_in(one, CHANGED, w.signature(one), source="online", by=None, now=NOW, today=w.TODAY)
    assert done.intake_id is not None
    return one


def asked() -> list[list[str]]:
    """What the check-ins asked, as the program reads it."""
    db.session.rollback()
    return [one.asked for one in db.session.scalars(select(Intake)) if one.asked is not None]


def test_what_was_asked_is_read_by_the_program_alone(client_id: int) -> None:
    assert asked() == [sorted(CHANGED)]
    in_clear, sealed = db.session.execute(
        text("SELECT asked, asked_sealed FROM intake WHERE asked_sealed IS NOT NULL")
    ).one()
    assert in_clear is None
    assert b"pregnancy" not in bytes(sealed)


def test_nothing_has_changed_asks_about_what_was_declared_and_is_sealed_too(app: Flask) -> None:
    w.build(therapists=1)
    well, ill = w.person(), w.person()
    w.sign(well)
    w.sign(ill, skin_infection={"type": "shingles", "status": "healed_or_crusted", "site": ["left_foot"]})
    for one in (well, ill):
        take_check_in(one, None, w.signature(one), source="online", by=None, now=NOW, today=w.TODAY)
    first, second = asked()
    assert first != second
    assert set(db.session.scalars(text("SELECT asked FROM intake"))) == {None}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_it_is_closed_in_a_backup_once_they_are_erased(app: Flask, client_id: int) -> None:
    saved = backups.save(db.engine, app.config, now=NOW)
    db.session.rollback()
    erasing.erase_person(client_id, settings=app.config, by=None, now=NOW)
    with backups.opened(saved, app.config["CLINIC_BACKUP_KEY_FILE"]) as (_about, file):
        database = sqlite3.connect(file)
        rows = database.execute("SELECT * FROM intake").fetchall()
        kept = database.execute(
            "SELECT id, asked_sealed FROM intake WHERE asked_sealed IS NOT NULL"
        ).fetchall()
        database.close()
    assert "pregnancy" not in str(rows)
    ((number, sealed),) = kept
    with pytest.raises(crypto.CannotOpen):
        vars(Intake)["asked"].opened(sealed, number)
    assert asked() == []
