"""Keys are changed while values stay readable, and an old key opens nothing afterwards."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from itsdangerous import URLSafeSerializer
from sqlalchemy import delete, select, text, update

from clinic import cli
from clinic.booking.models import Visit
from clinic.booking.queries.visits import reminder_key
from clinic.checkup import settings
from clinic.cli import keys
from clinic.clients import choices
from clinic.clients.models import ClientNote
from clinic.intake.models import ClearanceDocument, Intake
from clinic.paths import ROOT
from clinic.rules.messages import KINDS, Off
from clinic.shared import crypto, person_keys, rotation, signed
from clinic.shared.database import db, transaction
from clinic.shared.new_file import write_private
from tests.booking import world as w
from tests.conftest import NOW
from tests.intake import letters

pytestmark = pytest.mark.every_way_on_both


@pytest.fixture
def key_file(app: Flask) -> Path:
    return Path(app.config["CLINIC_KEY_FILE"])


def test_values_are_sealed_anew_and_the_old_key_opens_none(app: Flask, key_file: Path) -> None:
    w.build(therapists=1)
    clients = [w.person() for _ in range(3)]
    for client in clients:
        w.sign(client, doctor_said_no={"reason": "told so", "date": "2025-01-01"})
    old = crypto.KeyRing.load(key_file)
    crypto.use(rotation.add_key(key_file))
    assert db.session.scalars(select(Intake)).first().answers["doctor_said_no"]["reason"] == "told so"  # type: ignore[union-attr]
    db.session.rollback()
    assert rotation.seal_anew() == 6  # answers and signatures
    assert rotation.seal_anew() == 0
    crypto.use(rotation.drop_old_keys(key_file))
    answers = [row.answers["doctor_said_no"]["reason"] for row in db.session.scalars(select(Intake))]
    assert answers == ["told so"] * 3
    crypto.use(old)
    db.session.expire_all()
    with pytest.raises(crypto.CannotOpen):
        _ = db.session.scalars(select(Intake)).first().answers  # type: ignore[union-attr]


def test_it_may_be_broken_off_anywhere_and_begun_again(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each break everything can be read, and what is written meanwhile is under the new key."""
    w.build(therapists=1)
    for _ in range(4):
        w.sign(w.person(), doctor_said_no={"reason": "told so", "date": "2025-01-01"})
    old = crypto.KeyRing.load(key_file)
    crypto.use(rotation.add_key(key_file))
    monkeypatch.setattr(rotation, "BATCH", 2)
    seal, breaks = crypto.seal, iter((3, 2, 1))
    for left in breaks:
        count = iter(range(left))

        def dies(*args: Any, count: Any = count, **kwargs: Any) -> bytes:
            next(count)  # StopIteration: the process is gone
            return seal(*args, **kwargs)

        monkeypatch.setattr(rotation, "seal", dies)
        with pytest.raises((StopIteration, RuntimeError)):
            rotation.seal_anew()
        w.sign(w.person(), doctor_said_no={"reason": "told so", "date": "2025-01-01"})
        assert {row.answers["doctor_said_no"]["reason"] for row in db.session.scalars(select(Intake))} == {
            "told so"
        }
    monkeypatch.setattr(rotation, "seal", seal)
    assert 0 < rotation.seal_anew() < 8
    rotation.forget_old_person_keys()
    crypto.use(rotation.drop_old_keys(key_file))
    assert {row.answers["doctor_said_no"]["reason"] for row in db.session.scalars(select(Intake))} == {
        "told so"
    }
    crypto.use(old)
    db.session.expire_all()
    assert rotation.columns_that_stay_closed() == ["intake.answers_sealed", "intake.signature_sealed"]


@pytest.mark.parametrize("old", [0, 1, 30])
def test_a_database_of_which_a_part_needs_a_key_that_is_gone_is_told(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch, old: int
) -> None:
    """As in a backup of the hours between a new key and the end of sealing anew: one old value among many is enough."""
    w.build(therapists=1)
    crypto.use(crypto.KeyRing.load(key_file))
    for one in [w.person() for _ in range(old)]:
        w.sign(one)
    crypto.use(rotation.add_key(key_file))
    for one in [w.person() for _ in range(30)]:
        w.sign(one)
    rotation.drop_old_keys(key_file, crypto.ring().current)
    crypto.use(crypto.KeyRing.load(key_file))
    person_keys.forget_known()
    db.session.rollback()
    db.session.expire_all()
    columns = ["intake.answers_sealed", "intake.signature_sealed"] if old else []
    assert rotation.columns_that_stay_closed(looks_at_all=True) == columns
    db.session.rollback()
    before = db.session.execute(select(Intake.id, Intake.answers_sealed)).all()
    db.session.rollback()
    monkeypatch.setattr(keys, "refuse_unfit_database", lambda _app: None)  # which tries a few values
    for name, *options in (("reseal",), ("drop", "--yes")):
        said = command(app, monkeypatch, name, *options)
        assert said.exit_code == (1 if old else 0), said.output
        assert (
            "(intake.answers_sealed, intake.signature_sealed): nothing was changed" in said.output
        ) is bool(old)
    assert db.session.execute(select(Intake.id, Intake.answers_sealed)).all() == before


@pytest.mark.parametrize("at", range(2 + len("p") + 2))
def test_a_value_with_a_damaged_name_of_a_key_stays_closed(app: Flask, at: int) -> None:
    """A turned bit in the format, the length or the name is told like one in what is sealed."""
    w.build(therapists=1)
    w.sign(w.person())
    db.session.rollback()
    with transaction() as session:
        row = session.scalars(select(Intake)).one()
        damaged = bytearray(row.answers_sealed)
        damaged[at] ^= 0x40
        session.execute(update(Intake).values(answers_sealed=bytes(damaged)))
    db.session.rollback()
    person_keys.forget_known()
    for looks_at_all in (False, True):
        found = rotation.columns_that_stay_closed(looks_at_all=looks_at_all)
        assert found == ["intake.answers_sealed"]


def test_who_was_erased_makes_no_database_unreadable(app: Flask, key_file: Path) -> None:
    w.build(therapists=1)
    gone, stays = w.person(), w.person()
    for one in (gone, stays):
        w.sign(one)
    with transaction() as session:
        person_keys.destroy(session, [gone])
    person_keys.forget_known()
    assert rotation.columns_that_stay_closed(looks_at_all=True) == []


def test_files_are_sealed_anew_too(app: Flask, key_file: Path) -> None:
    w.build(therapists=1)
    sent = [letters.send(w.person()) for _ in range(6)]  # more than one batch
    crypto.use(rotation.add_key(key_file))
    assert rotation.seal_anew() == len(sent)
    crypto.use(rotation.drop_old_keys(key_file))
    assert {row.content for row in db.session.scalars(select(ClearanceDocument))} == {letters.PDF}


def test_every_sealed_column_is_known(app: Flask) -> None:
    """A sealed value that the change of keys does not reach would be lost with the old key."""
    found = {f"{table.name}.{column}" for table, column in rotation.sealed_columns()}
    assert {"intake.answers_sealed", "screening.findings_sealed", "consent.detail_sealed"} <= found
    for name in found:
        table, column = name.split(".")
        db.session.execute(text(f'SELECT id, {column} FROM "{table}"'))


def test_the_key_file_is_for_its_owner_alone(app: Flask, key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o777 == 0o600
    rotation.add_key(key_file)
    assert key_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", ["other row", "other column", "other table", "flipped bit"])
def test_a_moved_or_changed_value_is_not_opened(change: str) -> None:
    ring = crypto.KeyRing("a", {"a": b"k" * 32})
    sealed = ring.seal(b"secret", table="intake", column="answers_sealed", row_id=7)
    assert ring.open(sealed, table="intake", column="answers_sealed", row_id=7) == b"secret"
    if change == "flipped bit":
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(crypto.CannotOpen):
        ring.open(
            sealed,
            table="other" if change == "other table" else "intake",
            column="other" if change == "other column" else "answers_sealed",
            row_id=8 if change == "other row" else 7,
        )


def test_what_was_lost_on_purpose_keeps_nobody_elses_from_being_sealed_anew(
    app: Flask, key_file: Path
) -> None:
    """A value that is left of somebody who was erased stays lost; a key that is missing by mistake stops everything."""
    w.build(therapists=1)
    first, second = w.person(), w.person()
    for client in (first, second):
        w.sign(client, doctor_said_no={"reason": "told so", "date": "2025-01-01"})
    with transaction() as session:
        person_keys.destroy(session, [first])
    crypto.use(rotation.add_key(key_file))
    assert rotation.seal_anew() == 2  # answers and signature of the second
    crypto.use(rotation.drop_old_keys(key_file))
    answers = {row.client_id: row for row in db.session.scalars(select(Intake))}
    assert answers[second].answers["doctor_said_no"]["reason"] == "told so"
    with pytest.raises(crypto.CannotOpen):
        _ = answers[first].answers
    db.session.rollback()
    with transaction() as session:
        session.execute(delete(person_keys.PersonKey).where(person_keys.PersonKey.client_id == second))
    crypto.use(rotation.add_key(key_file))
    with pytest.raises(crypto.CannotOpen):
        rotation.seal_anew()


def command(app: Flask, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """`clinic keys …` as a program of its own; afterwards this process is the server again, with the ring it had."""
    key_file, server = Path(app.config["CLINIC_KEY_FILE"]), crypto.ring()

    def started() -> Flask:
        crypto.use(crypto.KeyRing.load(key_file), key_file)
        return app

    db.session.remove()
    monkeypatch.setattr(keys, "make_app", started)
    monkeypatch.setattr(keys, "UNDER_WAY", 0)
    said = CliRunner().invoke(cli.main, ["keys", *arguments])
    db.session.remove()
    crypto.use(server)
    return said


def test_no_key_is_dropped_while_a_server_still_seals_with_it(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two hosts has the old file."""
    w.build(therapists=1)
    first, second, third = w.person(), w.person(), w.person()
    w.sign(first)
    crypto.use(crypto.KeyRing.load(key_file))
    assert [command(app, monkeypatch, one).exit_code for one in ("add", "reseal")] == [0, 0]
    w.sign(second)
    said = command(app, monkeypatch, "drop", "--yes")
    assert said.exit_code == 1
    assert "look that each host has the same key file" in said.output
    assert len(crypto.KeyRing.load(key_file).keys) == 2
    w.sign(third)
    db.session.remove()
    crypto.use(crypto.KeyRing.load(key_file))  # restarted at last
    assert command(app, monkeypatch, "drop", "--yes").exit_code == 1
    assert command(app, monkeypatch, "drop", "--yes").exit_code == 0
    crypto.use(crypto.KeyRing.load(key_file))
    assert len(crypto.ring().keys) == 1
    assert len([row.answers for row in db.session.scalars(select(Intake))]) == 3


def test_what_is_being_sealed_while_the_old_key_is_dropped_is_not_lost(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deed that began before the file changed, and is done a moment after it."""
    w.build(therapists=1)
    first, late = w.person(), w.person()
    w.sign(first)
    server = crypto.KeyRing.load(key_file)
    assert [command(app, monkeypatch, one).exit_code for one in ("add", "reseal")] == [0, 0]

    def a_moment(_seconds: float) -> None:
        assert server.current in crypto.KeyRing.load(key_file).gone
        drops = crypto.ring()
        crypto.use(server)
        w.sign(late)
        crypto.use(drops)

    monkeypatch.setattr(keys, "time", SimpleNamespace(sleep=a_moment))
    assert command(app, monkeypatch, "drop", "--yes").exit_code == 0
    crypto.use(crypto.KeyRing.load(key_file))
    assert len([row.answers for row in db.session.scalars(select(Intake))]) == 2


def test_a_drop_that_is_killed_while_it_waits_loses_nothing_and_is_run_again(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the system, or with the terminal that it was started in: what the old key seals until then is read, doctor
    says what is left, and the next run brings it to its end."""
    w.build(therapists=1)
    late = w.person()
    server = crypto.KeyRing.load(key_file)
    assert [command(app, monkeypatch, one).exit_code for one in ("add", "reseal")] == [0, 0]
    db.session.remove()
    places = {name: str(app.config[name]) for name in ("CLINIC_DATA_DIR", "CLINIC_KEY_FILE")}
    address = str(app.config["SQLALCHEMY_DATABASE_URI"]).replace("postgresql+psycopg", "postgresql")
    drop = subprocess.Popen(
        [sys.executable, "-m", "clinic", "keys", "drop", "--yes"],
        cwd=ROOT,
        env={**os.environ, **places, "CLINIC_DATABASE_URL": address},
    )
    while server.current not in crypto.KeyRing.load(key_file).gone:
        assert drop.poll() is None
        time.sleep(0.02)
    drop.kill()
    assert drop.wait() == -signal.SIGKILL
    w.sign(late)  # by a server that had begun to before
    assert crypto.ring() == server
    crypto.use(crypto.KeyRing.load(key_file))
    assert len([row.answers for row in db.session.scalars(select(Intake))]) == 1
    db.session.rollback()
    left = f"Old keys that are to go are in the key file still: {server.current}."
    assert any(one.says.startswith(left) for one in settings.keys(app, NOW))
    said = command(app, monkeypatch, "drop", "--yes")
    assert "have been sealed anew, and no key was dropped" in said.output
    assert command(app, monkeypatch, "drop", "--yes").exit_code == 0
    crypto.use(crypto.KeyRing.load(key_file))
    assert server.current not in crypto.ring().keys
    assert len([row.answers for row in db.session.scalars(select(Intake))]) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_disk_that_is_full_in_the_middle_of_a_drop_loses_no_key(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w.build(therapists=1)
    w.sign(w.person())
    old = crypto.KeyRing.load(key_file)
    assert [command(app, monkeypatch, one).exit_code for one in ("add", "reseal")] == [0, 0]
    may_write = iter((True, False))

    def full(path: Path, content: bytes) -> None:
        if not next(may_write):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_private(path, content)

    monkeypatch.setattr(rotation, "write_private", full)
    said = command(app, monkeypatch, "drop", "--yes")
    assert said.exit_code == 1
    assert said.output.startswith(f"{key_file}.new: No space left on device.")
    assert old.current in crypto.KeyRing.load(key_file).keys
    monkeypatch.setattr(rotation, "write_private", write_private)
    assert command(app, monkeypatch, "drop", "--yes").exit_code == 0
    assert old.current not in crypto.KeyRing.load(key_file).keys


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_deed_that_lasts_is_waited_for_before_the_old_key_goes(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a lock, say, with something in it that the old key sealed: nobody else sees that yet."""
    w.build(therapists=1)
    late = w.person()
    server = crypto.KeyRing.load(key_file)
    assert [command(app, monkeypatch, one).exit_code for one in ("add", "reseal")] == [0, 0]
    has_sealed, may_end = threading.Event(), threading.Event()

    def sign() -> None:
        with app.app_context(), transaction() as session:
            crypto.use(server)
            session.add(ClientNote(client_id=late, text="late", written_by_id=None, written_at=NOW))
            session.flush()
            crypto.use(crypto.KeyRing.load(key_file))
            has_sealed.set()
            may_end.wait(100)

    with ThreadPoolExecutor(1) as pool:
        signing = pool.submit(sign)
        assert has_sealed.wait(10)
        monkeypatch.setattr(keys, "OPEN_FOR", 0.3)
        said = command(app, monkeypatch, "drop", "--yes")
        assert said.exit_code == 1
        assert "no key was dropped" in said.output
        assert len(crypto.KeyRing.load(key_file).keys) == 2
        monkeypatch.setattr(keys, "OPEN_FOR", 10)
        is_open = rotation._open_since

        def end_once_waited_for(begun: Any) -> bool:
            found = is_open(begun)
            may_end.set()
            return found

        monkeypatch.setattr(rotation, "_open_since", end_once_waited_for)
        said = command(app, monkeypatch, "drop", "--yes")
        may_end.set()
        signing.result()
    assert said.exit_code == 0, said.output
    crypto.use(crypto.KeyRing.load(key_file))
    assert len(crypto.ring().keys) == 1
    db.session.rollback()
    assert db.session.scalars(select(ClientNote)).one().text == "late"


def test_a_key_that_is_added_while_others_are_dropped_drops_none(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All was sealed anew under the second key; the third one seals nothing yet."""
    w.build(therapists=1)
    one = w.person()
    w.sign(one)
    assert [command(app, monkeypatch, name).exit_code for name in ("add", "reseal")] == [0, 0]
    monkeypatch.setattr(time, "sleep", lambda _seconds: rotation.add_key(key_file))
    said = command(app, monkeypatch, "drop", "--yes")
    monkeypatch.undo()
    assert said.exit_code == 1
    assert "no key was dropped" in said.output
    crypto.use(crypto.KeyRing.load(key_file))
    assert len(crypto.ring().keys) == 3
    db.session.rollback()
    assert {row.answers["fever"]["present"] for row in db.session.scalars(select(Intake))} == {False}


def test_a_running_server_seals_with_no_key_that_was_dropped(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not restarted in between; a file that is just being copied changes nothing."""
    w.build(therapists=1)
    one = w.person()
    w.sign(one)
    crypto.use(crypto.KeyRing.load(key_file), key_file)
    old = crypto.ring()
    rotation.add_key(key_file)
    both = crypto.ring()
    assert both.keys.keys() > old.keys.keys()
    assert both.current == old.current, "another host may not have the new one yet"
    assert command(app, monkeypatch, "reseal").exit_code == 0
    crypto.use(both, key_file)
    anothers = crypto.KeyRing("k12345678", {"k12345678": bytes(32)})
    whole = key_file.read_bytes()
    rotation._write(key_file, anothers)
    assert crypto.ring() == both, "the file of another clinic, put there by mistake"
    key_file.write_bytes(whole)
    rotation.drop_old_keys(key_file)
    dropped = key_file.read_bytes()
    key_file.write_bytes(dropped[:40])
    assert crypto.ring() == both
    key_file.write_bytes(dropped)
    w.sign(one)
    assert {row.answers["fever"]["present"] for row in db.session.scalars(select(Intake))} == {False}
    assert crypto.ring() == crypto.KeyRing.load(key_file)
    assert old.current not in crypto.ring().keys
    key_file.unlink()
    assert crypto.ring().current not in old.keys, "what was read stays while there is nothing else to read"


def pages(app: Flask, *links: str) -> list[int]:
    db.session.remove()
    return [app.test_client().get(link).status_code for link in links]


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("ends", [False, True])
def test_links_in_mails_outlive_the_keys_that_signed_them_unless_they_are_to_end(
    app: Flask, key_file: Path, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    world = w.build(therapists=1)
    ann = w.person()
    w.sign(ann)
    visit_id = w.at_desk(world, ann, "relaxation", when=w.at(7)).visit_id
    with transaction() as session:
        visit = session.get_one(Visit, visit_id)
        visit.manage_hash = "x" * 64
        kind = next(one for one, how in KINDS.items() if how.off is Off.BY_LINK)
        links = [
            f"/visit/{reminder_key(visit)}",
            f"/messages/stop/{choices.stop_key(choices.Whose(ann), kind)}",
        ]
    assert pages(app, *links) == [200, 200]
    for _rotated in range(2):
        assert [command(app, monkeypatch, one).exit_code for one in ("add", "reseal")] == [0, 0]
        crypto.use(crypto.KeyRing.load(key_file))
        assert pages(app, *links) == [200, 200] or ends
        assert command(app, monkeypatch, "drop", "--yes", *(["--end-links"] if ends else [])).exit_code == 0
        crypto.use(crypto.KeyRing.load(key_file))
        assert pages(app, *links) == ([404, 404] if ends else [200, 200])
    assert {purpose: len(several) for purpose, several in crypto.ring().links.items()} == (
        {} if ends else {"stop": 2, "visit": 2}
    )


def test_what_is_kept_for_links_opens_nothing_else(app: Flask, key_file: Path) -> None:
    """Not the key that was dropped, nor links of another purpose; and one who has an older file can read the newer."""
    old = crypto.KeyRing.load(key_file)
    crypto.use(old)
    stop = signed.sign(signed.STOP, [1, None, "reminder"])
    crypto.use(rotation.add_key(key_file))
    ring = rotation.drop_old_keys(key_file)
    crypto.use(ring)
    assert signed.opened(signed.STOP, stop) == [1, None, "reminder"]
    assert signed.opened(signed.VISIT, stop) is None
    assert old.keys[old.current] not in [one for several in ring.links.values() for one in several]
    new = signed.sign(signed.STOP, [2, None, "reminder"])
    crypto.use(old)
    assert signed.opened(signed.STOP, new) is None, "the old key signs nothing that counts as new"


def test_a_link_of_before_is_opened_still(app: Flask) -> None:
    """As earlier versions signed it."""
    ring = crypto.ring()
    how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    before = URLSafeSerializer([ring.keys[ring.current]], salt=signed.STOP, signer_kwargs=how)
    assert signed.opened(signed.STOP, str(before.dumps([1, None, "reminder"]))) == [1, None, "reminder"]
