"""Erasing somebody: nothing of them is left anywhere, in no backup either, but for what is named."""

from __future__ import annotations

import datetime as dt
import importlib
import json
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import String, cast, select, text, update

from clinic import cli, worker
from clinic.accounts.models import User
from clinic.booking.models import Screening, Series, Visit
from clinic.cli import backups as commands
from clinic.clients.models import Client
from clinic.keeping.queries import people
from clinic.keeping.queries.due import FINISHED
from clinic.keeping.queries.due import due as what_is_due
from clinic.keeping.services import erasing
from clinic.keeping.services._erasing import VisitsAhead
from clinic.records.queries.own_copy import Whose, personal_classes
from clinic.rules.errors import NotFound
from clinic.rules.keeping import NOT_COPIED, TABLES, Fate
from clinic.rules.messages import KINDS
from clinic.rules.permissions import Permission, Role
from clinic.shared import backups, crypto
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, db, transaction
from clinic.shared.mail import OutgoingMail, stamp_of
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.keeping.on_disk import everything
from tests.owners import browser_of
from tests.records.whole_person import Person

pytestmark = pytest.mark.usefixtures("now")
WORD = "canary-words"


def columns_with(word: str) -> list[str]:
    """Columns of the database in which the word stands."""
    return [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if db.session.scalar(select(table.c[column.name]).where(cast(column, String).contains(word)).limit(1))
    ]


def opened_values(word: str) -> list[str]:
    """Sealed columns in which the word can be read with all keys that are there."""
    found = []
    for cls in personal_classes():
        for name, kept in vars(cls).items():
            if isinstance(kept, crypto._Kept):
                for row_id, sealed in db.session.execute(select(cls.id, getattr(cls, kept.column))):
                    try:
                        value = kept.opened(sealed, row_id) if sealed else ""
                    except crypto.CannotOpen:
                        continue
                    found += [f"{cls.__tablename__}.{name}"] if word in str(value) else []
    return found


def somebody() -> int:
    born_on = dt.date(1985, 5, 5)
    email = f"{WORD}@people.example"
    return factories.make_client(first_name=WORD, last_name="Number", born_on=born_on, email=email).id


def erase(app: Flask, client_id: int, now: dt.datetime = NOW) -> None:
    db.session.rollback()
    erasing.erase_person(client_id, settings=app.config, by=None, now=now)


def test_every_table_about_people_has_its_fate() -> None:
    about = {cls.__tablename__ for cls in personal_classes()} | set(NOT_COPIED)
    assert about - set(TABLES) - set(NOT_COPIED) == set()
    assert [
        name for name, kept in TABLES.items() if kept.fate in (Fate.STAYS, Fate.NAMELESS) and not kept.why
    ] == []
    assert set(NOT_COPIED) <= set(Base.metadata.tables)


def test_nothing_of_them_is_left_and_others_keep_all(app: Flask, world: w.World) -> None:
    other, person = Person(app, world, "words-of-another"), Person(app, world, WORD)
    (mails := Path(app.config["CLINIC_MAIL_DIR"])).mkdir()

    key = f"papers_needed:{person.made['client']}:{WORD}"
    (mails / f"hello-{stamp_of(key)}.eml").write_text(WORD)
    saved = backups.save(db.engine, app.config, now=NOW)
    assert WORD.encode() in everything(app)
    assert len(opened_values(WORD)) > 10
    theirs = opened_values(other.word)
    with transaction() as session:
        session.get_one(User, person.made["user"]).language = "de"
    erase(app, person.made["client"])
    assert columns_with(WORD) == []
    found = everything(app)
    assert WORD.encode() not in found
    assert opened_values(WORD) == []
    assert opened_values(other.word) == theirs
    assert other.word.encode() in found
    db.session.rollback()
    assert db.session.get_one(Client, person.made["client"]).name == "Erased"
    account = db.session.get_one(User, person.made["user"])
    assert (account.is_active, account.language) == (False, None)
    deeds = db.session.scalars(select(AuditRow).order_by(AuditRow.sequence.desc()).limit(1)).one()
    assert (deeds.deed, deeds.thing_id, deeds.detail) == ("client.erased", person.made["client"], {})
    assert saved.exists()


def test_a_mail_on_its_way_leaves_no_file_either(app: Flask, world: w.World) -> None:
    """The worker had it in hand, or the process that erased was killed before it came to the files."""
    mails = Path(app.config["CLINIC_MAIL_DIR"])
    mails.mkdir()
    stays, theirs = "password_reset:1:stays", "papers_needed:1:gone"
    with transaction() as session:
        session.add(
            OutgoingMail(key=stays, kind="x", to="pat@people.example", subject="", text="", due_at=NOW)
        )
    for key in (stays, theirs):
        (mails / f"hello-{stamp_of(key)}.eml").write_text(WORD)
    (mails / "readme.txt").write_text("of somebody else")
    worker.do(app, worker.Job(worker.tidy, 60))
    assert {one.name for one in mails.iterdir()} == {f"hello-{stamp_of(stays)}.eml", "readme.txt"}


def test_every_mail_of_theirs_goes_and_none_of_whoever_shares_an_address_or_a_number(
    app: Flask, world: w.World
) -> None:
    """Whatever its key names: a visit, a series, a letter, a wish, the account; also at an earlier address."""
    person, other = Person(app, world, "own-words"), Person(app, world, "words-of-another")
    for one in (person, other):
        row = Series(every_weeks=1, made_at=NOW)
        one.made["series"] = factories.save(row).id
        with transaction() as session:
            session.execute(
                update(Visit).where(Visit.id == one.made["visit"]).values(series_id=one.made["series"])
            )
    about = {kind: said.about for kind, said in KINDS.items()}
    theirs = {f"{kind}:{person.made[table]}:x" for kind, table in about.items() if table}
    others = {f"{kind}:{other.made[table]}:x" for kind, table in about.items() if table}
    others |= {f"{kind}:{person.made['client']}:y" for kind, table in about.items() if table != "client"}
    for key in sorted(theirs | others):
        save_mail(key)
    save_mail("reset-of-before", to=person.user.email)
    whose = Whose(db.session.get_one(Client, person.made["client"]), person.user.id)
    about_no_visit = [kind for kind, table in about.items() if table and table != "visit"]
    assert whose.count(OutgoingMail) == len(list(whose.rows(OutgoingMail))) == 2 + len(about_no_visit)
    erase(app, person.made["client"])
    left = set(db.session.scalars(select(OutgoingMail.key)))
    assert (left & theirs, others - left) == (set(), set())
    assert "reset-of-before" not in left


def save_mail(key: str, to: str = "shared@people.example") -> None:
    kind = key.split(":", maxsplit=1)[0].split("-", maxsplit=1)[0]
    factories.save(OutgoingMail(key=key, kind=kind, to=to, subject="s", text="", due_at=NOW, attempts=0))


def test_a_backup_from_before_cannot_be_read_and_does_not_bring_them_back(
    app: Flask, world: w.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only SQLite is put back here; tests/shared/test_backups.py puts back both."""
    if db.engine.dialect.name == "postgresql":
        return
    person, other = Person(app, world, WORD), Person(app, world, "words-of-another")
    saved = backups.save(db.engine, app.config, now=NOW)
    erase(app, person.made["client"])
    from tests.web import app_on

    kept = {
        name: app.config[name] for name in ("CLINIC_KEY_FILE", "CLINIC_BACKUP_KEY_FILE", "CLINIC_PG_BINDIR")
    }
    empty = app_on(f"sqlite:///{tmp_path}/new/database/clinic.db", tmp_path / "new", **kept)
    monkeypatch.setattr(commands, "make_app", lambda: empty)
    with backups.opened(saved, app.config["CLINIC_BACKUP_KEY_FILE"]) as (_about, database):
        assert b"canary" in database.read_bytes()  # the name, until the backup itself goes
    said = CliRunner().invoke(cli.main, ["restore", str(saved)])
    assert said.exit_code == 0, said.output
    assert "Erased once more, as they were since the backup was made: 1." in said.output
    with empty.app_context():
        crypto.use(crypto.KeyRing.load(empty.config["CLINIC_KEY_FILE"]))
        assert opened_values(WORD) == []
        assert len(opened_values(other.word)) > 10
        assert db.session.get_one(Client, person.made["client"]).name == "Erased"
        db.session.remove()
        db.engine.dispose()


def test_visits_that_took_place_stay_without_a_name(app: Flask, world: w.World) -> None:
    client_id = somebody()
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0)).visit_id
    with pytest.raises(VisitsAhead):
        erase(app, client_id)
    with transaction() as session:
        done = session.get_one(Visit, visit_id)
        done.status, done.asked_gender = "done", "woman"
        session.get_one(Client, client_id).language = "de"
    erase(app, client_id)
    visit = db.session.get_one(Visit, visit_id)
    assert (visit.status, visit.client_id, visit.note) == ("done", client_id, None)
    assert (visit.asked_gender, db.session.get_one(Client, client_id).language) == ("", None)
    assert db.session.get_one(Screening, visit.screening_id).findings["own"] == []
    assert db.session.scalar(text("SELECT count(*) FROM intake")) == 0
    assert WORD.encode() not in everything(app)
    with pytest.raises(NotFound):
        erase(app, client_id)
    reviewer = factories.make_user(
        email="rev@clinic.example", name="Rev", roles=[Role.OWNER], given=[Permission.CLINICAL_REVIEW]
    )
    browser = browser_of(app, reviewer)
    pages = (
        f"/clients/{client_id}",
        f"/desk/visits/{visit_id}",
        f"/visits/{visit_id}/record",
        "/owner/reports",
    )
    answers = [browser.get(page) for page in pages]
    assert [(one.status_code, WORD in one.text) for one in answers] == [(200, False)] * len(pages)


def test_what_erasing_once_left_behind_is_forgotten_by_a_migration(app: Flask, world: w.World) -> None:
    """0048: and nothing of anybody else."""
    person = somebody()
    other = factories.make_client(first_name="Other", last_name="Person", born_on=dt.date(1985, 5, 5)).id
    for one in (person, other):
        w.sign(one)
    visits = [
        w.at_desk(world, one, "relaxation", when=w.at(0, hour)).visit_id
        for one, hour in ((person, 9), (other, 15))
    ]
    account = factories.make_user(email="other@clinic.example", name="Other", roles=[Role.CLIENT]).id
    gone = factories.make_user(email="erased-7@erased.invalid", name="Erased", roles=[Role.CLIENT]).id
    with transaction() as session:
        session.get_one(Visit, visits[0]).status = "done"
    erase(app, person)
    with transaction() as session:
        session.execute(update(Visit).values(asked_gender="woman"))
        session.execute(update(Client).values(language="de"))
        session.execute(update(User).values(language="de"))
    script = importlib.import_module("migrations.versions.0048_forget_language_and_wish_of_who_was_erased")
    with db.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        script.upgrade()
    asked = [db.session.get_one(Visit, one).asked_gender for one in visits]
    languages = [db.session.get_one(Client, one).language for one in (person, other)]
    of_accounts = [db.session.get_one(User, one).language for one in (gone, account)]
    assert (asked, languages, of_accounts) == (["", "woman"], [None, "de"], [None, "de"])


def test_what_the_law_keeps_goes_when_its_time_is_over(app: Flask, world: w.World) -> None:
    from clinic.keeping.models import KeepingPeriod
    from clinic.keeping.services import expiring

    factories.save(KeepingPeriod(kind="law", amount=3))
    client_id = somebody()
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0)).visit_id
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
        day = session.get_one(Visit, visit_id).day
    until = day.replace(year=day.year + 3)
    shown = people.preview(client_id, NOW)
    assert shown is not None
    assert shown.kept_until == until
    assert {one.table for one in shown.lines if one.until} >= {"intake", "visit", "client", "screening"}
    erase(app, client_id)
    client = db.session.get_one(Client, client_id)
    assert (client.first_name, client.email) == (WORD, None)
    assert db.session.scalar(text("SELECT count(*) FROM intake")) == 1
    counts = []
    for days in (-1, 0):
        at = dt.datetime.combine(until, dt.time(15), dt.UTC) + dt.timedelta(days=days)
        db.session.rollback()
        named = [one.people for one in what_is_due(at) if one.label == FINISHED]
        db.session.rollback()
        counts.append((named, expiring.remove_due(at, settings=app.config)))
    assert counts == [([()], 0), ([((client_id, f"{WORD} Number"),)], 1)]  # the dry run names who goes
    assert WORD.encode() not in everything(app)


def test_a_law_that_became_longer_keeps_them_longer(app: Flask, world: w.World) -> None:
    from clinic.keeping.models import KeepingPeriod
    from clinic.keeping.services import expiring

    client_id = somebody()
    w.sign(client_id)
    visit_id = w.at_desk(world, client_id, "relaxation", when=w.at(0)).visit_id
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"
        session.merge(KeepingPeriod(kind="law", amount=3))
    erase(app, client_id)
    with transaction() as session:
        session.merge(KeepingPeriod(kind="law", amount=5))
    removed = {
        years: expiring.remove_due(
            NOW.replace(year=NOW.year + years) + dt.timedelta(days=1), settings=app.config
        )
        for years in (3, 4, 5)
    }
    assert removed == {3: 0, 4: 0, 5: 1}


def test_one_row_cannot_be_deleted_without_the_pass(app: Flask, world: w.World) -> None:
    from sqlalchemy.exc import DBAPIError

    client_id = w.person()
    w.sign(client_id)
    with pytest.raises(DBAPIError, match="ap_intake"), transaction() as session:
        session.execute(text("DELETE FROM intake"))
    assert json.dumps(db.session.scalar(text("SELECT count(*) FROM erasure_pass"))) == "0"
