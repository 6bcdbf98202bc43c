"""The numbered migrations: one line without gaps, up, down and up again, and in the end what the models say."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask
from flask_migrate import downgrade, upgrade
from PIL import Image
from sqlalchemy import create_engine, inspect, select, text

from clinic import cli
from clinic.booking.queries import the_book
from clinic.booking.services import visits
from clinic.checkup.database import here_now
from clinic.cli import backups as commands
from clinic.cli.making import able_to_migrate, upgrade_app
from clinic.intake.models import QuestionSet
from clinic.paths import ROOT
from clinic.rules.question_set import as_asked
from clinic.shared import backups, crypto, person_keys
from clinic.shared.database import Base, db, transaction
from clinic.shared.keyring import CannotOpen, Key, KeyRing, ring, sealed_by
from clinic.shared.person_keys import key_name
from tests import factories
from tests.booking import world
from tests.conftest import NOW
from tests.empty_machine import empty_machine
from tests.postgres import find_binaries
from tests.web import app_on, sqlite_address

pytestmark = pytest.mark.every_way_on_both

SIGNED_BEFORE = (
    "INSERT INTO resource (id, kind) VALUES (1, 'client')",
    (
        "INSERT INTO client (id, first_name, last_name, name_key, born_on, emergency_contact, guardian_name,"
        " guardian_relation, guardian_phone, created_at, is_unproven, is_barred_online) VALUES"
        " (1, 'Pat', 'Number', 'pat number', '1985-05-05', '', '', '', '', '2026-01-05 12:00:00', false, false)"
    ),
    (
        "INSERT INTO intake (id, client_id, version, kind, question_version, completed_on, answered_on, signed_at,"
        " source, renewal, softens, answers_sealed, signature_sealed) VALUES (7, 1, 1, 'full', '{version}',"
        " '2026-01-05', '2026-01-05', '2026-01-05 12:00:00', 'online', false, false, '', '')"
    ),
)
ALONE = "ix_claim_read_alone"
FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database without tables, with its context open."""
    if request.param == "sqlite":
        address = sqlite_address(tmp_path)
        yield from opened(address, tmp_path)
        return
    server = create_engine(request.getfixturevalue("postgres_url"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE blank"))
    yield from opened(server.url.set(database="blank").render_as_string(hide_password=False), tmp_path)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE blank"))
    server.dispose()


def opened(address: str, folder: Path) -> Iterator[Flask]:
    app = able_to_migrate(app_on(address, folder))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_files_are_numbered_from_one_without_gaps_and_say_what_they_do() -> None:
    assert [path.name[:4] for path in FILES] == [f"{number:04}" for number in range(1, len(FILES) + 1)]
    assert [
        path.name for path in FILES if not re.fullmatch(r"\d{4}_[a-z]+(_[a-z0-9]+)+\.py", path.name)
    ] == []


def test_each_file_follows_the_one_before() -> None:
    links = []
    for path in FILES:
        source = path.read_text(encoding="utf-8")
        links.append(
            (
                re.search(r'^revision = "(\w+)"', source, re.M),
                re.search(r"^down_revision = (.+)$", source, re.M),
            )
        )
    found = [(own and own[1], before and before[1]) for own, before in links]
    numbers = [path.name[:4] for path in FILES]
    assert found == list(zip(numbers, ["None", *(f'"{number}"' for number in numbers)], strict=False))


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index:Warning")
def test_from_nothing_to_what_the_models_say(blank: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _item, name, *_: name not in (ALONE, "asked"),
            },
        )
        assert compare_metadata(context, db.metadata) == []
    assert tables() == set(db.metadata.tables)


def test_free_times_are_read_from_one_index_of_claims(blank: Flask) -> None:
    """With start and end as the number that the statement asks for, in the same words: else it is worked out anew for
    each claim. PostgreSQL writes words in its own way, so it is shown those of the statement as well."""
    upgrade()
    asked = str(the_book._TAKEN.compile(dialect=db.engine.dialect, compile_kwargs={"literal_binds": True}))
    columns, asked = "resource_id, ends_at, starts_at, expires_at, visit_id", asked.replace("claim.", "")
    with db.engine.begin() as connection:
        if db.engine.dialect.name == "sqlite":
            index = connection.scalar(
                text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": ALONE}
            )
            assert index == f"CREATE INDEX {ALONE} ON claim ({columns}, {asked})"
            return
        connection.exec_driver_sql(f"CREATE INDEX asked ON claim ({columns}, ({asked}))")
        kept, wanted = connection.scalars(
            text(
                "SELECT replace(indexdef, indexname, '') FROM pg_indexes"
                " WHERE tablename = 'claim' AND indexname IN ('asked', :name)"
            ),
            {"name": ALONE},
        )
        assert kept == wanted
    statement = str(the_book._BUSY.compile(db.engine))
    assert "ARRAY(SELECT" in statement
    assert "string_agg" not in statement, "an aggregate takes nothing from an index"


@pytest.mark.parametrize("is_still_asked", [True, False])
def test_0006_keeps_the_wording_of_answers_that_were_signed_before_it(
    blank: Flask, is_still_asked: bool
) -> None:
    script = ScriptDirectory.from_config(blank.extensions["migrate"].migrate.get_config()).get_revision(
        "0006"
    )
    version = script.module.earlier_version(as_asked()) if is_still_asked else "q-0123456789ab"
    upgrade(revision=str(script.down_revision))
    with db.engine.begin() as connection:
        for statement in SIGNED_BEFORE:
            connection.exec_driver_sql(statement.format(version=version))
    upgrade(revision="0006")
    with db.engine.connect() as connection:
        kept = connection.execute(select(QuestionSet.version, QuestionSet.wording)).all()
        assert [tuple(row) for row in kept] == ([(version, as_asked())] if is_still_asked else [])
        assert connection.execute(text("SELECT asked FROM intake")).scalars().all() == [None]


def test_down_to_nothing_and_up_again(blank: Flask) -> None:
    upgrade()
    guards = guard_names()
    downgrade(revision="base")
    assert tables() == set()
    assert guard_names() == set()
    upgrade()
    assert tables() == set(db.metadata.tables)
    assert guard_names() == guards
    assert guards != set()


def guard_names() -> set[str]:
    """Triggers and exclusion constraints that are there now."""
    if db.engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
            " UNION SELECT conname FROM pg_constraint WHERE contype = 'x'"
        )
    with db.engine.connect() as connection:
        return set(connection.execute(text(query)).scalars())


MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9999", "{newest}"
def upgrade():
    op.create_table("left_over", sa.Column("id", sa.Integer()))
    {step}
"""


def with_one_more(folder: Path, step: str) -> str:
    """A copy of the migrations with one more file, which does STEP after making a table."""
    copied = Path(shutil.copytree(ROOT / "migrations", folder / "migrations"))
    text_of_it = MIGRATION.format(newest=FILES[-1].name[:4], step=step)
    (copied / "versions" / "9999_try_something.py").write_text(text_of_it, encoding="utf-8")
    return str(copied)


def test_a_failing_migration_leaves_nothing_behind(blank: Flask, tmp_path: Path) -> None:
    upgrade()
    with pytest.raises(ZeroDivisionError):
        upgrade(directory=with_one_more(tmp_path, "1 / 0"))
    assert tables() == set(db.metadata.tables)


@pytest.mark.parametrize("blank", ["sqlite"], indirect=True)
def test_rebuilding_a_table_keeps_the_rows_below_it(blank: Flask, tmp_path: Path) -> None:
    upgrade()
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (of INTEGER REFERENCES parent ON DELETE CASCADE)"))
        connection.execute(text("INSERT INTO parent VALUES (1)"))
        connection.execute(text("INSERT INTO child VALUES (1)"))
    upgrade(directory=with_one_more(tmp_path, REBUILD_PARENT))
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT of FROM child")).scalars().all() == [1]
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


REBUILD_PARENT = """with op.batch_alter_table("parent", recreate="always") as batch:
        batch.add_column(sa.Column("name", sa.String()))"""


@pytest.mark.parametrize("blank", ["sqlite"], indirect=True)
def test_a_migration_that_leaves_orphans_is_undone(
    blank: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade()
    orphan = """op.execute("INSERT INTO user_role (user_id, role) VALUES (77, 'owner')")"""
    with pytest.raises(SystemExit):
        upgrade(directory=with_one_more(tmp_path, orphan))
    assert "rows without their parents: [('user_role'" in caplog.text
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM user_role")).scalar() == 0
    assert tables() == set(db.metadata.tables)


def test_look_alike_keys_are_filled_for_clients_in_the_book(blank: Flask) -> None:
    upgrade(revision="0004")
    with db.engine.begin() as connection:
        connection.execute(text("INSERT INTO resource (id, kind) VALUES (1, 'client')"))
        connection.execute(
            text(
                "INSERT INTO client (id, first_name, last_name, name_key, born_on, email_key, emergency_contact,"
                " guardian_name, guardian_relation, guardian_phone, created_at, is_unproven, is_barred_online)"
                " VALUES (1, 'Sam', 'Same Jr', 'sam same jr', '1985-05-05', 'a.b+c@gmail.com', '', '', '', '',"
                " '2026-06-09 13:00:00.000000', false, false)"
            )
        )
    upgrade()
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT alike_name, alike_email FROM client")).one()
    assert tuple(row) == ("sam same", "ab@gmail.com")


def test_keys_of_programs_are_taken_apart_and_put_together(blank: Flask) -> None:
    """0013: a key of a program ended in the hash of what was asked; of two visits under one key the first keeps it."""
    upgrade()
    world.build(therapists=1)
    for number, key in enumerate(("api:1:same:one", "api:1:same:two", "api:1:other:one", "a desk's")):
        client = world.person()
        world.sign(client)
        visits.book_visit(
            world.choice("relaxation"), client, world.at(3 + number), request_key=f"{number}", source="desk",
            by=None, now=NOW,
        )  # fmt: skip
        db.session.execute(
            text("UPDATE visit SET request_key = :key WHERE request_key = :old"),
            {"key": key, "old": f"{number}"},
        )
        db.session.commit()

    def keys() -> set[tuple[str, str | None]]:
        db.session.rollback()
        found = db.session.execute(text("SELECT request_key, request_asked FROM visit"))
        return {(key, asked) for key, asked in found}

    db.session.remove()
    downgrade(revision="0012")
    upgrade()
    taken_apart = {("api:1:other", "one"), ("a desk's", None)}
    either = (
        {("api:1:same", "one"), ("api:1:same:two", None)},
        {("api:1:same", "two"), ("api:1:same:one", None)},
    )
    assert keys() - taken_apart in either
    db.session.remove()
    downgrade(revision="0012")
    kept = {key for (key,) in db.session.execute(text("SELECT request_key FROM visit"))}
    db.session.remove()
    assert kept == {"api:1:same:one", "api:1:same:two", "api:1:other:one", "a desk's"}
    upgrade()


def test_what_was_meant_on_the_wall_is_filled_for_time_off_and_closures_in_the_book(blank: Flask) -> None:
    upgrade(revision="0011")
    with db.engine.begin() as connection:
        for statement in (
            (
                "INSERT INTO location (id, name, address, phone, zone, is_active)"
                " VALUES (1, 'A', '', '', 'America/New_York', true), (2, 'B', '', '', 'Europe/London', true)"
            ),
            "INSERT INTO resource (id, kind) VALUES (1, 'therapist')",
            (
                "INSERT INTO therapist (id, name, bio, gender, tint, licence_kind, licence_number, licence_expires_on,"
                " is_active) VALUES (1, 'Ana', '', '', 1, 'LMT', '', '2099-01-01', true)"
            ),
            (
                "INSERT INTO time_off (id, therapist_id, kind, starts_at, ends_at, note, created_at)"
                " VALUES (1, 1, 'off', '2026-06-12 04:00:00+00:00', '2026-06-13 04:00:00+00:00', '',"
                " '2026-06-09 13:00:00+00:00')"
            ),
            (
                "INSERT INTO closure (id, location_id, starts_at, ends_at, reason) VALUES (1, 2,"
                " '2026-06-12 08:00:00+00:00', '2026-06-12 09:30:00+00:00', 'repair')"
            ),
        ):
            written = (
                statement.replace("+00:00", ".000000") if db.engine.dialect.name == "sqlite" else statement
            )
            connection.execute(text(written))
    upgrade()
    with db.engine.connect() as connection:
        walls = [
            tuple(connection.execute(text(f"SELECT starts_wall, ends_wall FROM {table}")).one())
            for table in ("time_off", "closure")
        ]
        days = connection.execute(text("SELECT first_day, last_day, starts_at, ends_at FROM time_off")).one()
    assert walls == [
        ("2026-06-12T00:00:00", "2026-06-13T00:00:00"),
        ("2026-06-12T09:00:00", "2026-06-12T10:30:00"),
    ]
    # whole days, from the first midnight of any place to the last
    assert [f"{one}"[:16] for one in days] == [
        "2026-06-12", "2026-06-12", "2026-06-11 23:00", "2026-06-13 04:00"
    ]  # fmt: skip


def test_destroyed_keys_of_given_up_bookings_are_told_from_those_of_erased_people(blank: Flask) -> None:
    """0040: client 1 lives under the number of a record that was forgotten, 2 was erased, and 3 is part of 2."""
    upgrade(revision="0039")
    with blank.app_context():
        resource = "INSERT INTO resource (id, kind) VALUES ({0}, 'client')"
        person = (
            "INSERT INTO client (id, first_name, last_name, name_key, born_on, alike_name, emergency_contact,"
            " guardian_name, guardian_relation, guardian_phone, created_at, is_unproven, is_barred_online,"
            " merged_into_id) VALUES ({0}, 'P', 'N', 'p n', '1985-05-05', '', '', '', '', '',"
            " '2026-06-09 13:00:00', false, false, {1})"
        )
        erased = (
            "INSERT INTO erasure (client_id, source, asked_at, due_on, erased_at, finished_at) VALUES"
            " (2, 'clinic', '2026-06-09 13:00:00', '2026-06-09', '2026-06-09 13:00:00', '2026-06-09 13:00:00')"
        )
        who = ((1, "NULL"), (2, "NULL"), (3, 2))
        for statement in [*(one.format(*each) for each in who for one in (resource, person)), erased]:
            db.session.execute(text(statement))
        key = text(
            "INSERT INTO person_key (id, client_id, ring, wrapped) VALUES (:id, :client, :ring, :wrapped)"
        )
        for number, client, ring, wrapped in (
            (11, 1, "k1", b""), (12, 2, "k1", b""), (13, 3, "k1", b""), (14, 4, "k1", b""), (15, 5, "k1", b"x"),
            (16, 2, "erased 2026-06-09T13:00:00+00:00 ", b""),
        ):  # fmt: skip
            db.session.execute(key, {"id": number, "client": client, "ring": ring, "wrapped": wrapped})
        db.session.commit()
        upgrade()
        found = db.session.execute(text("SELECT id, ring FROM person_key ORDER BY id")).tuples().all()
        assert dict(found) == {
            11: "forgotten 11", 12: "destroyed 12", 13: "destroyed 13", 14: "forgotten 14", 15: "k1",
            16: "erased 2026-06-09T13:00:00+00:00 ",
        }  # fmt: skip
        db.session.remove()


@pytest.mark.parametrize("blank", ["sqlite"], indirect=True)
def test_numbers_that_are_remembered_elsewhere_are_not_given_twice(blank: Flask) -> None:
    """0041: SQLite counts on behind what is there, and behind what only the audit and a mail still know."""
    upgrade(revision="0040")
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO api_token (id, name, token_hash, role, scopes, per_minute, created_at)"
                " VALUES (3, 'Site', 'x', 'desk', '[]', 0, '2026-06-09 13:00:00')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO audit_row (sequence, at, deed, thing, thing_id, detail)"
                " VALUES (1, '2026-06-09 13:00:00', 'token.ended', 'api_token', 7, '{}')"
            )
        )
        connection.execute(
            text(
                'INSERT INTO outgoing_mail (key, kind, channel, "to", subject, text, due_at, attempts)'
                " VALUES ('waitlist_joined:41', 'waitlist_joined', 'mail', 'a@b.example', '', '', '2026-06-09', 0)"
            )
        )
    upgrade()
    with db.engine.begin() as connection:
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence ORDER BY name")).tuples().all()
        assert dict(rows) == {
            "api_token": 7, "call_request": 0, "closure": 0, "passkey": 0, "picture": 0, "time_off": 0,
            "waitlist_wish": 41,
        }  # fmt: skip
        assert connection.execute(text("SELECT id, name FROM api_token")).tuples().all() == [(3, "Site")]


@pytest.mark.parametrize("blank", ["sqlite"], indirect=True)
def test_every_number_that_is_never_given_twice_is_so_in_the_database(blank: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection:
        made = text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'")
        there = set(connection.execute(made).scalars())
    said = {
        table.name
        for table in Base.metadata.tables.values()
        if table.dialect_options["sqlite"]["autoincrement"]
    }
    assert there == said


def test_who_was_erased_is_noted_on_the_record_and_whoever_is_a_client_again_is_not(blank: Flask) -> None:
    """0042: 1 is erased for good, a law keeps the records of 2, and 5, of today, was joined with 3."""
    upgrade(revision="0041")
    row = {"born_on": "1985-05-05", "created_at": "2026-01-05 12:00:00"}
    for one, name in ((1, ""), (2, "ann"), (3, "kim"), (4, "never"), (5, "kim")):
        db.session.execute(text("INSERT INTO resource (id, kind) VALUES (:id, 'client')"), {"id": one})
        db.session.execute(
            text(
                "INSERT INTO client (id, first_name, last_name, name_key, alike_name, born_on, emergency_contact,"
                " guardian_name, guardian_relation, guardian_phone, created_at, is_unproven, is_barred_online,"
                " merged_into_id, merged_at) VALUES (:id, 'x', 'y', :name, '', :born_on, '', '', '', '', :created_at,"
                " false, false, :into, :merged_at)"
            ),
            {
                "id": one, "name": name, "into": 3 if one == 5 else None,
                "merged_at": "2026-03-05 12:00:00" if one == 5 else None, **row,
            },
        )  # fmt: skip
        if one < 4:
            db.session.execute(
                text(
                    "INSERT INTO erasure (client_id, source, asked_at, due_on, erased_at) VALUES"
                    " (:id, 'clinic', :at, '2026-03-01', :at)"
                ),
                {"id": one, "at": "2026-02-05 12:00:00"},
            )
    db.session.commit()
    upgrade()
    noted = text("SELECT id FROM client WHERE erased_at IS NOT NULL ORDER BY id")
    assert db.session.execute(noted).scalars().all() == [1, 2]
    db.session.remove()


def test_refusals_that_programs_were_given_are_judged_anew_and_what_was_done_stays_done(blank: Flask) -> None:
    """0043: nobody knows any more whom they were about."""
    upgrade(revision="0042")
    insert = "INSERT INTO api_token (id, name, token_hash, role, scopes, per_minute, created_at) VALUES"
    at = {"at": "2026-03-05 12:00:00"}
    db.session.execute(text(f"{insert} (1, 'x', 'x', 'front_desk', '[]', 0, :at)"), at)
    for one, status in ((1, 201), (2, 409), (3, 422), (4, None)):
        db.session.execute(
            text(
                "INSERT INTO api_answer (id, token_id, key_hash, fingerprint, status, asked_at)"
                " VALUES (:id, 1, :key, 'x', :status, :at)"
            ),
            {"id": one, "key": f"k{one}", "status": status, **at},
        )
    db.session.commit()
    upgrade()
    left = db.session.execute(text("SELECT id, client_id FROM api_answer ORDER BY id")).tuples().all()
    assert left == [(1, None), (4, None)]
    db.session.remove()


def checked_in(asked: dict[int, str]) -> None:
    """As they stand before 0044, by person: the row of each has their number."""
    upgrade(revision="0043")
    resource, person, _signed = SIGNED_BEFORE
    person = person.replace("born_on,", "born_on, alike_name,").replace("'1985-05-05',", "'1985-05-05', '',")
    for one, said in asked.items():
        db.session.execute(text(resource.replace("(1,", f"({one},")))
        db.session.execute(text(person.replace("(1,", f"({one},")))
        row = CHECKED_IN.replace("(7, 1,", f"({one}, {one},").replace("{asked}", said)
        db.session.execute(text(row.replace(":", "\\:")))
        sealed = {
            column: ring().seal(b'""', table="intake", column=column, row_id=one)
            for column in ("answers_sealed", "signature_sealed")
        }
        statement = "UPDATE intake SET answers_sealed = :answers_sealed, signature_sealed = :signature_sealed"
        db.session.execute(text(f"{statement} WHERE id = :id"), {"id": one, **sealed})
    db.session.commit()


CHECKED_IN = (
    SIGNED_BEFORE[2]
    .replace("{version}", "q-x")
    .replace("_sealed)", "_sealed, asked)")
    .replace("'', '')", "'', '', '[\"{asked}\"]')")
)


def has_key(number: int, client: int, of_ring: str, wrapped: bytes) -> None:
    db.session.execute(
        text("INSERT INTO person_key (id, client_id, ring, wrapped) VALUES (:id, :client, :ring, :key)"),
        {"id": number, "client": client, "ring": of_ring, "key": wrapped},
    )
    db.session.commit()


def wrapped_by(ring: KeyRing, secret: bytes, number: int) -> bytes:
    return ring.seal(secret, table="person_key", column="wrapped", row_id=number)


def asked_sealed() -> dict[int, bytes]:
    rows = db.session.execute(text("SELECT id, asked, asked_sealed FROM intake")).tuples().all()
    assert {plain for _id, plain, _sealed in rows} == {None}
    db.session.remove()
    return {number: bytes(sealed) for number, _plain, sealed in rows if sealed is not None}


ASKED_SEALED = {"table": "intake", "column": "asked_sealed"}


def test_what_check_ins_asked_is_sealed_for_their_person(blank: Flask) -> None:
    """0044: 1 has a key, that of 2 was destroyed, and 3 has none yet."""
    checked_in({1: "pregnancy", 2: "varicose_veins", 3: "fracture"})
    secret = AESGCM.generate_key(256)
    has_key(11, 1, ring().current, wrapped_by(ring(), secret, 11))
    has_key(12, 2, "destroyed 12", b"")
    upgrade()
    sealed = asked_sealed()
    assert sealed.keys() == {1, 3}
    theirs = Key(key_name(11), secret)
    assert json.loads(theirs.open(sealed[1], row_id=1, **ASKED_SEALED)) == ["pregnancy"]
    assert json.loads(ring().open(sealed[3], row_id=3, **ASKED_SEALED)) == ["fracture"]
    older = CHECKED_IN.replace("(7, 1, 1,", "(9, 1, 2,").replace("{asked}", "fracture")
    db.session.execute(text(older.replace(":", "\\:")))  # by the program of the version before
    assert db.session.scalar(text("SELECT asked FROM intake WHERE id = 9")) is None
    db.session.remove()


def another_ring() -> KeyRing:
    return KeyRing("kdropped", {"kdropped": AESGCM.generate_key(256)})


@pytest.mark.parametrize("older", [11, 13])
def test_0044_passes_over_a_key_of_a_person_that_a_dropped_key_wrapped(blank: Flask, older: int) -> None:
    """A restore after a change of keys puts it back, for older backups; the table gives it first or last."""
    checked_in({1: "pregnancy"})
    secret = AESGCM.generate_key(256)
    has_key(older, 1, "kdropped", wrapped_by(another_ring(), secret, older))
    has_key(12, 1, ring().current, wrapped_by(ring(), secret, 12))
    upgrade()
    assert sealed_by(asked_sealed()[1]) == key_name(12)


def test_0044_is_undone_where_no_key_of_a_person_can_be_opened(blank: Flask) -> None:
    checked_in({1: "pregnancy"})
    has_key(11, 1, "kdropped", wrapped_by(another_ring(), bytes(32), 11))
    with pytest.raises(CannotOpen):
        upgrade()
    assert here_now() == "0043"
    assert db.session.scalar(text("SELECT CAST(asked AS VARCHAR) FROM intake")) == '["pregnancy"]'
    db.session.remove()


def test_nothing_is_migrated_with_the_keys_of_another_clinic(blank: Flask, tmp_path: Path) -> None:
    """What 0044 sealed with them could not be read once the right key file is there."""
    checked_in({1: "pregnancy"})
    db.session.remove()
    right = ring()
    crypto.use(another_ring())
    with pytest.raises(SystemExit, match="Health answers cannot be read with the keys at hand: intake"):
        upgrade_app(blank)
    assert here_now() == "0043"
    crypto.use(right)
    upgrade_app(blank)
    assert json.loads(right.open(asked_sealed()[1], row_id=1, **ASKED_SEALED)) == ["pregnancy"]


def test_an_older_backup_is_brought_up_to_date_with_the_clinics_keys_alone(
    blank: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And seals for each person under their own key, which lies beside the backup: what is sealed under the clinic's
    could be read in each backup from then on, once the person is erased."""
    checked_in({1: "pregnancy"})
    secret, right = AESGCM.generate_key(256), ring()
    has_key(11, 1, right.current, wrapped_by(right, secret, 11))
    db.session.remove()
    blank.config["CLINIC_PG_BINDIR"] = str(find_binaries() or "")
    saved = backups.save(db.engine, blank.config, now=NOW)
    with empty_machine(blank, tmp_path) as empty:
        monkeypatch.setattr(commands, "make_app", lambda: empty)
        crypto.use(another_ring())
        said = CliRunner().invoke(cli.main, ["restore", str(saved)])
        assert said.exit_code == 1
        assert (
            f"Put the copy of the old key file there, then start again: clinic restore {saved}" in said.output
        )
        with empty.app_context():
            assert here_now() == "0043"
            with pytest.raises(SystemExit, match="that was broken off"):
                upgrade_app(empty)
            db.engine.dispose()
        crypto.use(right)
        said = CliRunner().invoke(cli.main, ["restore", str(saved)])
        assert said.exit_code == 0, said.output
        with empty.app_context():
            sealed = asked_sealed()[1]
            db.engine.dispose()
    assert json.loads(Key(key_name(11), secret).open(sealed, row_id=1, **ASKED_SEALED)) == ["pregnancy"]


def test_whoever_was_erased_since_a_backup_from_before_0040_stays_erased(
    blank: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0040 would take their destroyed key, put back before it, for that of a booking that was given up."""
    upgrade(revision="0039")
    resource, person, _signed = SIGNED_BEFORE
    person = person.replace("born_on,", "born_on, alike_name,").replace("'1985-05-05',", "'1985-05-05', '',")
    for statement in (resource, person):
        db.session.execute(text(statement.replace(":", "\\:")))
    has_key(11, 1, ring().current, wrapped_by(ring(), bytes(32), 11))
    db.session.remove()
    blank.config["CLINIC_PG_BINDIR"] = str(find_binaries() or "")
    saved = backups.save(db.engine, blank.config, now=NOW)
    with transaction() as session:
        person_keys.destroy(session, [1])
    backups.keep_keys(db.engine, blank.config)
    db.session.remove()
    with empty_machine(blank, tmp_path) as empty:
        monkeypatch.setattr(commands, "make_app", lambda: empty)
        said = CliRunner().invoke(cli.main, ["restore", str(saved)])
        assert "Erased once more, as they were since the backup was made: 1." in said.output
        with empty.app_context():
            rows = db.session.execute(text("SELECT id, ring FROM person_key WHERE id = 11")).tuples().all()
            assert rows == [(11, "destroyed 11")]
            assert db.session.scalar(text("SELECT first_name FROM client")) == "Erased"
            db.session.remove()
            db.engine.dispose()


def test_kept_requests_are_marked_under_a_key(blank: Flask) -> None:
    """0045: a repetition is still known, and the hash of the request is nowhere."""
    upgrade(revision="0044")
    at = {"at": "2026-03-05 12:00:00", "plain": hashlib.sha256(b"POST").hexdigest()}
    for statement in (
        (
            "INSERT INTO api_token (id, name, token_hash, role, scopes, per_minute, created_at)"
            " VALUES (1, 'x', 'x', 'front_desk', '[]', 0, :at)"
        ),
        (
            "INSERT INTO api_answer (id, token_id, key_hash, fingerprint, status, asked_at)"
            " VALUES (1, 1, 'k', :plain, 201, :at)"
        ),
    ):
        db.session.execute(text(statement), at)
    db.session.commit()
    upgrade()
    mark = hmac.digest(ring().keys[ring().current], at["plain"].encode(), "sha256").hex()
    assert db.session.scalar(text("SELECT fingerprint FROM api_answer")) == mark
    db.session.remove()


@pytest.mark.parametrize("sender", ["hello@willow.example", None])
def test_what_stands_in_calendars_keeps_its_name(blank: Flask, sender: str | None) -> None:
    """0046: by the domain of the sender of mails, as it was; there may be no clinic yet."""
    upgrade()
    if sender is not None:
        factories.make_clinic(mail_sender=sender)
    db.session.remove()
    downgrade(revision="0045")
    upgrade()
    kept = db.session.scalars(text("SELECT calendar_domain FROM clinic")).all()
    assert kept == (["willow.example"] if sender is not None else [])
    db.session.remove()


def test_no_hash_of_what_a_series_was_asked_with_is_left(blank: Flask) -> None:
    """0047: the keys of forms, which say nothing, stay."""
    upgrade(revision="0046")
    keys = ("api:1:named:asked", "a desk's", "hold-7", None)
    for table, more, value in (("series", ", every_weeks", ", 1"), ("couple", "", "")):
        for number, key in enumerate(keys, 1):
            db.session.execute(
                text(
                    f"INSERT INTO {table} (id, request_key, made_at{more})"
                    f" VALUES ({number}, :key, '2026-03-05 12:00:00'{value})"
                ),
                {"key": key},
            )
    db.session.commit()
    upgrade()
    for table in ("series", "couple"):
        kept = db.session.scalars(text(f"SELECT request_key FROM {table} ORDER BY id")).all()
        assert kept == [None, "a desk's", "hold-7", None]
    db.session.remove()


def test_who_was_known_before_their_records_were_joined_is_noted_as_far_as_it_can_be(blank: Flask) -> None:
    """0053: 1 was made by staff and joined with 4; 2 came online and was joined with 5; 3 was made by staff alone."""
    upgrade(revision="0052")
    at = "2026-03-05 12:00:00"
    add = text(
        "INSERT INTO client (id, first_name, last_name, name_key, alike_name, born_on, emergency_contact,"
        " guardian_name, guardian_relation, guardian_phone, created_at, created_by_id, is_unproven,"
        " is_barred_online, merged_into_id)"
        " VALUES (:id, 'x', 'x', 'x x', 'x x', '1985-05-05', '', '', '', '', :at, :by, true, false, :into)"
    )
    db.session.execute(
        text(
            'INSERT INTO "user" (id, email, name, password_is_short, is_active, created_at)'
            " VALUES (1, 'd@x.example', 'x', false, true, :at)"
        ),
        {"at": at},
    )
    for number in range(1, 6):
        db.session.execute(text("INSERT INTO resource (id, kind) VALUES (:id, 'client')"), {"id": number})
        by, into = 1 if number in {1, 3} else None, {4: 1, 5: 2}.get(number)
        db.session.execute(add, {"id": number, "at": at, "by": by, "into": into})
    db.session.commit()
    upgrade()
    known = text("SELECT id FROM client WHERE was_proven ORDER BY id")
    assert db.session.execute(known).scalars().all() == [1]
    db.session.remove()


def test_who_has_entered_an_account_is_noted_by_what_they_left(blank: Flask) -> None:
    """0052: 1 has a password, 2 a session, 3 a passkey, 4 a browser that is known, 5 did something, 6 did nothing."""
    upgrade(revision="0051")
    at = {"at": "2026-03-05 12:00:00"}
    for one in range(1, 7):
        db.session.execute(
            text(
                'INSERT INTO "user" (id, email, name, password_hash, password_is_short, is_active, created_at)'
                " VALUES (:id, :email, 'x', :hash, false, true, :at)"
            ),
            {"id": one, "email": f"{one}@x.example", "hash": "x" if one == 1 else None, **at},
        )
    left = {
        "user_session (id, user_id, token_hash, created_at, last_seen_at, browser, proved_at)":
            "1, 2, 'x', :at, :at, '', :at",
        "passkey (id, user_id, credential_id, public_key, sign_count, name, made_at)":
            "1, 3, :key, :key, 0, 'x', :at",
        "known_browser (user_id, mark_hash, last_used_at)": "4, 'x', :at",
        "audit_row (sequence, at, by_user_id, deed, thing, thing_id, detail)": "1, :at, 5, 'x', 'user', 5, '{}'",
    }  # fmt: skip
    for table, values in left.items():
        db.session.execute(text(f"INSERT INTO {table} VALUES ({values})"), {**at, "key": b"x"})
    db.session.commit()
    upgrade()
    entered = text('SELECT id FROM "user" WHERE entered_at = created_at ORDER BY id')
    assert db.session.execute(entered).scalars().all() == [1, 2, 3, 4, 5]
    db.session.remove()


def test_nothing_is_left_in_pictures_but_their_pixels(blank: Flask) -> None:
    """0050: as they were drawn before, with what was in the file that was sent."""

    def drawn(kind: str, mode: str, **notes: Any) -> bytes:
        file = io.BytesIO()
        Image.linear_gradient("L").convert(mode).save(file, kind, optimize=True, **notes)
        return file.getvalue()

    noise = os.urandom(1_829_077)
    before = [
        (drawn("PNG", "RGB", icc_profile=noise), drawn("PNG", "RGB")),
        (drawn("PNG", "RGBA", icc_profile=b"any words"), drawn("PNG", "RGBA")),
        (drawn("JPEG", "RGB", comment="any words"), drawn("JPEG", "RGB")),
        (drawn("PNG", "RGB"), drawn("PNG", "RGB")),
        (drawn("PNG", "RGB")[:60], drawn("PNG", "RGB")[:60]),
        (b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n"),
        (b"\xff\xd8\xff", b"\xff\xd8\xff"),
        (b"", b""),
    ]
    upgrade(revision="0049")
    for number, (content, _plain) in enumerate(before, 1):
        db.session.execute(
            text(
                "INSERT INTO picture (id, mime, content, digest, width, height, made_at)"
                " VALUES (:id, 'image/png', :content, :digest, 256, 256, '2026-03-05 12:00:00')"
            ),
            {"id": number, "content": content, "digest": hashlib.sha256(content).hexdigest()},
        )
    db.session.commit()
    upgrade()
    kept = db.session.execute(text("SELECT content, digest FROM picture ORDER BY id")).tuples().all()
    for (content, digest), (_before, plain) in zip(kept, before, strict=True):
        assert bytes(content) == plain
        assert digest == hashlib.sha256(plain).hexdigest()
    db.session.remove()
