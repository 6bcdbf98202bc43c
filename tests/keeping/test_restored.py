"""An older backup is put back: whoever was erased since is erased again, and nothing stops that half-way."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from sqlalchemy import select, text, update

from clinic import checkup, cli
from clinic.booking.models import Visit
from clinic.booking.services import checkout, deadlines, forgetting, people
from clinic.booking.services.visits import cancel_visit
from clinic.cli import backups as commands
from clinic.cli.making import upgrade_app
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.intake.models import Intake
from clinic.intake.services import intakes
from clinic.keeping.models import Erasure, KeepingPeriod
from clinic.keeping.queries.people import comes_back
from clinic.keeping.services import erasing, expiring
from clinic.rules.errors import KeysLeft
from clinic.shared import backups, crypto, person_keys, rotation
from clinic.shared.backups import dumps
from clinic.shared.backups import people as keys
from clinic.shared.database import db, transaction
from clinic.shared.keyring import sealed_by
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.empty_machine import empty_machine
from tests.owners import owner_browser, save_page

pytestmark = [pytest.mark.every_way_on_both, pytest.mark.usefixtures("now")]


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


@pytest.mark.parametrize("by_version_before", [False, True])
def test_a_restore_that_was_broken_off_is_begun_again(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch, by_version_before: bool
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
        if by_version_before:
            db.session.execute(text("UPDATE restore_unfinished SET digest = replace(digest, ' put', '')"))
            db.session.commit()
        db.session.remove()
        db.engine.dispose()
    assert "Another backup was being put back here" in restore(empty, other, monkeypatch).output
    said = restore(empty, saved, monkeypatch)
    if (
        by_version_before and db.engine.dialect.name == "postgresql"
    ):  # it had not noted that all of it was put
        assert "Begin again with an empty database." in said.output
        return
    assert (said.exit_code, said.exception) == (0, None), said.output
    with empty.app_context():
        assert contacts(ann) == [("Erased", None)]
        assert wrong(empty) == []
        db.session.remove()
    again = restore(empty, saved, monkeypatch).output
    assert "not empty" in again or "there already" in again


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("how", ["said no", "killed", "killed before it was noted"])
def test_what_was_not_put_back_is_not_called_restored(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """PostgreSQL's own program ended half way. The next restore said “Restored”, over tables that a server had made."""
    ann = somebody("Ann")
    saved = save(app)
    run = dumps.Tools.run

    def ends(tools: dumps.Tools, name: str, *arguments: str, **options: Any) -> None:
        if name != "pg_restore" or not any(one.startswith("--dbname") for one in arguments):
            run(tools, name, *arguments, **options)
        elif how == "said no":
            raise backups.BackupFailed("pg_restore failed: another version")
        else:
            if how != "killed":
                run(tools, name, *arguments, **options)
            raise OSError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(dumps.Tools, "run", ends)
        assert restore(empty, saved, broken).exit_code == 1
    if how == "said no":
        upgrade_app(empty)  # nothing was put: a new clinic may begin here
        assert "not empty" in restore(empty, saved, monkeypatch).output
        return
    with pytest.raises(SystemExit, match="was being put back here"):
        upgrade_app(empty)
    assert restore(empty, saved, monkeypatch).exit_code == 0
    with empty.app_context():
        assert contacts(ann) == [("Ann", "ann@people.example")]
        assert wrong(empty) == []
        db.session.remove()


def give_up() -> int:
    """A booking that was begun and left, forgotten the day after; returns whose it was."""
    who = Details("Nora", "Walker", dt.date(1988, 7, 4), email="nora@people.example", phone="(212) 555-3000")
    token = checkout.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    guest = checkout.name_person(token, who, relation="self", now=NOW)
    intakes.save_draft(guest, "client", "intake", {"fever": {"present": False}}, now=NOW)
    later = NOW + dt.timedelta(days=1, minutes=1)
    deadlines.keep_deadlines(later)
    forgetting.forget_unfinished(later)
    db.session.rollback()
    assert db.session.get(Client, guest) is None
    return guest


def test_who_comes_after_a_booking_that_was_given_up_is_not_erased_in_its_place(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would give the next client the number that became free, and with it the destroyed key."""
    guest = give_up()
    ann = somebody("Ann")
    assert ann != guest
    w.sign(ann)
    visit = w.at_desk(world, ann, "relaxation", when=w.at(7)).visit_id
    sealed = db.session.scalars(select(Intake.answers_sealed).where(Intake.client_id == ann)).one()
    assert sealed_by(bytes(sealed)).startswith("p"), "under a key of their own"
    saved = save(app)
    said = restore(empty, saved, monkeypatch)
    assert said.exit_code == 0, said.output
    assert "Erased once more" not in said.output
    with empty.app_context():
        assert contacts(ann) == [("Ann", "ann@people.example")]
        assert db.session.get_one(Visit, visit).status == "confirmed"
        db.session.remove()


def test_after_a_restore_nobody_gets_the_number_of_somebody_who_came_and_went_since(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody("Old")
    saved = save(app)
    ann = somebody("Ann")
    w.sign(ann)
    erase(app, ann)
    said = restore(empty, saved, monkeypatch)
    assert said.exit_code == 0, said.output
    with empty.app_context():
        bob = somebody("Bob")
        assert bob > ann
        gone = [one for one in person_keys.gone(key_rows()) if one.client_id == ann]
        assert gone
        assert comes_back(gone[0]) is None
        db.session.remove()


def test_somebody_who_came_later_under_the_same_number_is_not_the_one_who_was_erased(
    app: Flask, world: w.World
) -> None:
    ann = somebody("Ann")
    made_at = db.session.get_one(Client, ann).created_at
    assert comes_back(person_keys.Gone(ann, made_at + dt.timedelta(seconds=1))) is not None
    assert comes_back(person_keys.Gone(ann, made_at)) is not None
    assert comes_back(person_keys.Gone(ann, made_at - dt.timedelta(seconds=1))) is None


def test_a_newer_file_of_keys_knows_who_was_erased_whatever_lies_beside_the_backup(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A backup that was copied away with the keys of that day; the newest ones lie beside the key of backups."""
    ann, bob = somebody("Ann"), somebody("Bob")
    w.sign(ann)
    w.sign(bob)
    saved = save(app)
    away = tmp_path / "away"
    away.mkdir()
    for one in (saved, saved.parent / keys.NAME):
        shutil.copy(one, away / one.name)
    erase(app, ann)
    said = restore(empty, away / saved.name, monkeypatch)
    assert said.exit_code == 0, said.output
    with empty.app_context():
        assert contacts(ann, bob) == [("Erased", None), ("Bob", "bob@people.example")]
        assert db.session.scalars(select(Intake)).one().answers
        db.session.remove()


def test_a_key_that_is_put_back_by_mistake_is_destroyed_again_by_the_next_backup(
    app: Flask, world: w.World
) -> None:
    ann = somebody("Ann")
    w.sign(ann)
    living = next(row for row in key_rows() if row["client_id"] == ann)
    save(app)
    erase(app, ann)
    db.session.rollback()
    with transaction() as session:
        session.execute(update(keys.TABLE).where(keys.TABLE.c.id == living["id"]).values(living))
    save(app)
    assert not any(row["wrapped"] for row in key_rows() if row["client_id"] == ann)
    key = backups.load_or_make_key(app.config["CLINIC_BACKUP_KEY_FILE"])
    rows = keys._read(app.config["CLINIC_BACKUP_DIR"] / keys.NAME, key)
    assert not rows[living["id"]]["wrapped"]


def key_rows() -> list[dict[str, Any]]:
    return [dict(row) for row in db.session.execute(select(keys.TABLE)).mappings()]


def test_whoever_is_erased_after_the_key_was_changed_is_in_no_older_backup(
    app: Flask, world: w.World
) -> None:
    """Their key from before is in no database any more, but beside the backups for those that were taken before."""
    key_file = Path(app.config["CLINIC_KEY_FILE"])
    ann, bob = somebody("Ann"), somebody("Bob")
    for one in (ann, bob):
        w.sign(one)
    save(app)
    crypto.use(rotation.add_key(key_file))
    rotation.seal_anew()
    rotation.forget_old_person_keys()
    save(app)
    assert len(living_beside(app, ann)) == len(living_beside(app, bob)) == 2
    erase(app, ann)
    assert not living_beside(app, ann)
    assert len(living_beside(app, bob)) == 2, "older backups of somebody else are still read"


def test_the_copy_beside_the_key_forgets_though_the_folder_of_backups_is_away(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = somebody("Ann")
    w.sign(ann)
    saved = save(app)
    away = saved.parent.rename(saved.parent.with_name("elsewhere"))
    erase(app, ann)
    assert not saved.parent.exists()
    assert not living_beside(app, ann, app.config["CLINIC_BACKUP_KEY_FILE"].parent)
    assert restore(empty, away / saved.name, monkeypatch).exit_code == 0
    with empty.app_context():
        assert contacts(ann) == [("Erased", None)]


@pytest.mark.parametrize("trouble", ["damaged", "no key", "cannot be written"])
def test_whoever_is_erased_is_erased_though_the_keys_beside_the_backups_cannot_be_changed(
    app: Flask, world: w.World, trouble: str
) -> None:
    ann = somebody("Ann")
    w.sign(ann)
    file = save(app).parent / keys.NAME
    whole, key_file = file.read_bytes(), Path(app.config["CLINIC_BACKUP_KEY_FILE"])
    key = key_file.read_bytes()
    if trouble == "damaged":
        file.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    elif trouble == "no key":
        key_file.unlink()
    else:
        file.with_name(f"{keys.NAME}.new").mkdir()
    owner = owner_browser(app)
    assert save_page(owner, f"/clients/{ann}/erase", sure="y").status_code == 303
    assert "Older backups can still be read" in owner.get("/owner/erasures").text
    assert contacts(ann) == [("Erased", None)]
    said = "The keys of people beside the backups"
    assert [one.says for one in checkup.look_at(app, now=NOW) if one.says.startswith(said)]
    with pytest.raises((backups.BackupFailed, KeysLeft)):
        expiring.remove_due(NOW, settings=app.config)
    file.write_bytes(whole)
    key_file.write_bytes(key)
    if trouble == "cannot be written":
        file.with_name(f"{keys.NAME}.new").rmdir()
    assert expiring.remove_due(NOW, settings=app.config) == 0
    assert not living_beside(app, ann)
    assert not [one.says for one in checkup.look_at(app, now=NOW) if one.says.startswith(said)]


@pytest.mark.parametrize("beside", [-1, 1])
def test_two_keys_of_one_person_are_both_put_back(
    app: Flask, world: w.World, empty: Flask, monkeypatch: pytest.MonkeyPatch, beside: int
) -> None:
    """A machine was put back from an older copy and went on, and then the newer copy was found: whichever of the two
    keys has the lower number, what each of them sealed is read."""
    ann = somebody("Ann")
    save(app)
    w.sign(ann)
    saved = save(app, NOW + dt.timedelta(hours=1))
    file, key = saved.parent / keys.NAME, backups.load_or_make_key(app.config["CLINIC_BACKUP_KEY_FILE"])
    db.session.rollback()
    (here,) = living_beside(app, ann)
    plain = AESGCM.generate_key(256)
    other = here["id"] + beside
    wrapped = crypto.ring().seal(plain, table="person_key", column="wrapped", row_id=other)
    keys._write(file, {**keys._read(file, key), other: {**here, "id": other, "wrapped": wrapped}}, key)
    assert restore(empty, saved, monkeypatch).exit_code == 0
    with empty.app_context():
        assert len([row for row in key_rows() if row["client_id"] == ann and row["wrapped"]]) == 2
        assert db.session.scalars(select(Intake)).one().answers
        db.session.rollback()
        w.sign(ann)
        assert backups.save(db.engine, empty.config, now=NOW + dt.timedelta(hours=2)).exists()
        db.session.remove()


def living_beside(app: Flask, client_id: int, folder: Path | None = None) -> list[dict[str, Any]]:
    key = backups.load_or_make_key(app.config["CLINIC_BACKUP_KEY_FILE"])
    rows = keys._read((folder or app.config["CLINIC_BACKUP_DIR"]) / keys.NAME, key).values()
    return [row for row in rows if row["client_id"] == client_id and row["wrapped"]]
