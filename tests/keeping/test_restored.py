"""An older backup is put back: whoever was erased since is erased again, and nothing stops that half-way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select, text

from clinic import checkup, cli
from clinic.booking.models import Visit
from clinic.booking.services import people
from clinic.booking.services.visits import cancel_visit
from clinic.cli import backups as commands
from clinic.clients.models import Client
from clinic.intake.models import Intake
from clinic.keeping.models import Erasure, KeepingPeriod
from clinic.keeping.services import erasing
from clinic.shared import backups, crypto
from clinic.shared.backups import people as keys
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.empty_machine import empty_machine

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def empty(app: Flask, world: w.World, tmp_path: Path) -> Iterator[Flask]:
    with empty_machine(app, tmp_path) as made:
        yield made


def somebody(name: str) -> int:
    email = f"{name.lower()}@people.example"
    born_on = dt.date(1985, 5, 5)
    return factories.make_client(first_name=name, last_name="Canary", born_on=born_on, email=email).id


def save(app: Flask, now: dt.datetime = NOW) -> Path:
    db.session.rollback()
    return backups.save(db.engine, app.config, now=now)


def erase(app: Flask, client_id: int, now: dt.datetime = NOW) -> None:
    db.session.rollback()
    erasing.erase_person(client_id, settings=app.config, by=None, now=now)


def restore(empty: Flask, saved: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    db.session.remove()
    monkeypatch.setattr(commands, "make_app", lambda: empty)
    said = CliRunner().invoke(cli.main, ["restore", str(saved)])
    crypto.use(crypto.KeyRing.load(empty.config["CLINIC_KEY_FILE"]))
    return said


def contacts(*client_ids: int) -> list[tuple[str, str | None]]:
    rows = [db.session.get_one(Client, one) for one in client_ids]
    return [(row.first_name, row.email) for row in rows]


def wrong(empty: Flask) -> list[str]:
    found = checkup.before_opening(empty, now=NOW)
    return [one.says for one in found if one.grade is checkup.Grade.WRONG]


def test_a_visit_that_the_backup_has_ahead_ends_and_nobody_is_told(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, zoe, other = somebody("Ann"), somebody("Zoe"), somebody("Other")
    for one in (ann, zoe, other):
        w.sign(one)
    visit_id = w.at_desk(world, ann, "relaxation", when=w.at(7)).visit_id
    under_way = w.at_desk(world, zoe, "relaxation", when=w.at(8)).visit_id
    stays = w.at_desk(world, other, "relaxation", when=w.at(9)).visit_id
    with transaction() as session:
        session.get_one(Visit, under_way).status = "in_session"
    saved = save(app)
    assert visit_id
    cancel_visit(visit_id, by=None, by_clinic=True, now=NOW)
    with transaction() as session:
        session.get_one(Visit, under_way).status = "done"
    for one in (ann, zoe):
        erase(app, one)
    said = restore(empty, saved, monkeypatch)
    assert (said.exit_code, said.exception) == (0, None), said.output
    with empty.app_context():
        assert contacts(ann, zoe, other) == [
            ("Erased", None),
            ("Erased", None),
            ("Other", "other@people.example"),
        ]
        found = [db.session.get_one(Visit, one).status for one in (visit_id, under_way, stays)]
        assert found == ["cancelled", "done", "confirmed"]
        claimed = set(db.session.scalars(text("SELECT visit_id FROM claim WHERE visit_id IS NOT NULL")))
        assert visit_id not in claimed
        told = set(db.session.scalars(select(OutgoingMail.to)))
        assert told & {"ann@people.example", "zoe@people.example"} == set()
        assert wrong(empty) == []
        db.session.remove()


def test_whoever_had_nothing_sealed_does_not_come_back(
    app: Flask, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, other = somebody("Bare"), somebody("Other")
    saved = save(app)
    erase(app, bare)
    said = restore(empty, saved, monkeypatch)
    assert "Erased once more, as they were since the backup was made: 1." in said.output
    with empty.app_context():
        assert contacts(bare, other) == [("Erased", None), ("Other", "other@people.example")]
        db.session.remove()


def test_what_a_law_keeps_is_kept_and_the_address_does_not_come_back(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the same day, also where the backup does not know that the visit took place."""
    factories.save(KeepingPeriod(kind="law", amount=3))
    bea = somebody("Bea")
    w.sign(bea)
    told = db.session.scalars(select(Intake)).one().answers
    visit_id = w.at_desk(world, bea, "relaxation", when=w.at(0)).visit_id
    saved = save(app)
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
    erase(app, bea)
    until = db.session.scalars(select(Erasure.kept_until)).one()
    assert until is not None
    said = restore(empty, saved, monkeypatch)
    assert said.exit_code == 0, said.output
    with empty.app_context():
        assert contacts(bea) == [("Bea", None)]
        row = db.session.scalars(select(Erasure)).one()
        assert (row.client_id, row.kept_until, row.finished_at) == (bea, until, None)
        assert db.session.scalars(select(Intake)).one().answers == told != {}
        db.session.remove()


def test_whoever_was_erased_before_the_backup_and_came_back_stays(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their old record, and the new one that it was merged into."""
    factories.save(KeepingPeriod(kind="law", amount=3))
    old = somebody("Ann")
    w.sign(old)
    visit_id = w.at_desk(world, old, "relaxation", when=w.at(0)).visit_id
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
    erase(app, old)
    new = somebody("Ann")
    people.merge_clients(new, old, by=world.desk_id, now=NOW)
    saved = save(app, NOW + dt.timedelta(days=1))
    said = restore(empty, saved, monkeypatch)
    assert "Erased once more" not in said.output
    with empty.app_context():
        assert contacts(new) == [("Ann", "ann@people.example")]
        db.session.remove()


def test_two_records_of_one_person_go_together(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged before the backup or only after it."""
    pairs = [(somebody("Ann"), somebody("Ann")), (somebody("Bob"), somebody("Bob"))]
    people.merge_clients(*pairs[0], by=world.desk_id, now=NOW)
    saved = save(app)
    people.merge_clients(*pairs[1], by=world.desk_id, now=NOW)
    for keep, _lose in pairs:
        erase(app, keep)
    said = restore(empty, saved, monkeypatch)
    assert said.exit_code == 0, said.output
    with empty.app_context():
        assert contacts(*pairs[0], *pairs[1]) == [("Erased", None)] * 4
        db.session.remove()


def test_a_key_that_is_destroyed_during_a_backup_does_not_come_back(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased after the backup has read the keys, and before it writes them."""
    ann = somebody("Ann")
    w.sign(ann)
    save(app)
    db.session.remove()
    read, erasers = keys._read, list[threading.Thread]()

    def erase_elsewhere() -> None:
        with app.app_context():
            erase(app, ann)
            db.session.remove()

    def read_and_be_slow(path: Path, key: str) -> keys.Rows:
        found = read(path, key)
        if not erasers:
            erasers.append(threading.Thread(target=erase_elsewhere))
            erasers[0].start()
            erasers[0].join(2)
        return found

    monkeypatch.setattr(keys, "_read", read_and_be_slow)
    save(app, NOW + dt.timedelta(hours=1))
    erasers[0].join()
    key = backups.load_or_make_key(app.config["CLINIC_BACKUP_KEY_FILE"])
    rows = read(app.config["CLINIC_BACKUP_DIR"] / keys.NAME, key)
    assert {row["wrapped"] for row in rows.values() if row["client_id"] == ann} == {b""}


def test_a_restore_that_was_broken_off_is_begun_again(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the clinic does not open, and no other backup is taken for this one."""
    ann = somebody("Ann")
    w.sign(ann)
    other = save(app, NOW - dt.timedelta(hours=1))
    w.at_desk(world, ann, "relaxation", when=w.at(7))
    saved = save(app)
    with transaction() as session:
        session.execute(text("UPDATE visit SET status = 'cancelled'"))
    erase(app, ann)

    def die(*_arguments: object, **_options: object) -> NoReturn:
        raise OSError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(erasing, "erase_once_more", die)
        assert isinstance(restore(empty, saved, broken).exception, OSError)
    with empty.app_context():
        assert contacts(ann) == [("Ann", "ann@people.example")]
        assert wrong(empty) == ["A backup was being put back here, and that was broken off."]
        db.session.remove()
    assert "Another backup was being put back here" in restore(empty, other, monkeypatch).output
    said = restore(empty, saved, monkeypatch)
    assert (said.exit_code, said.exception) == (0, None), said.output
    with empty.app_context():
        assert contacts(ann) == [("Erased", None)]
        assert wrong(empty) == []
        db.session.remove()
    again = restore(empty, saved, monkeypatch).output
    assert "not empty" in again or "there already" in again
