"""What `clinic doctor` looks at: an installation as it stands, what is wrong with it, and how to mend it."""

from __future__ import annotations

import datetime as dt
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from clinic.paths import ROOT
from clinic.premises import queries as premises
from clinic.shared import backups
from clinic.shared.audit import AuditLink, AuditRow
from clinic.shared.database import db
from clinic.shared.guards import missing_guards
from clinic.shared.mail import OutgoingMail
from clinic.shared.rotation import columns_that_stay_closed

LEAST_FREE_BYTES = 500 * 2**20
LOOPBACK = ("127.0.0.1", "localhost", "::1")
WORKER_IS_LATE = dt.timedelta(minutes=2)
MAIL_IS_STUCK = 4  # attempts; by then an hour and more has passed


class Grade(StrEnum):
    """How a finding is: as it should be, worth a look, or to be mended."""

    GOOD = "good"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in a sentence; `mend` says what to do and is empty where all is well."""

    grade: Grade
    says: str
    mend: str = ""


Findings = Iterator[Finding]


def look_at(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """Everything that is looked at, in the order in which it should be mended. Needs the application's context."""
    found = list(_database())
    if any(one.grade is Grade.WRONG for one in found):
        return found  # nothing else can be told from a database that is not there, or another's
    checks: tuple[Callable[[Flask, dt.datetime], Findings], ...] = (
        _durability, _keys, _clinic, _address, _worker, _mails, _saved, _room,
    )  # fmt: skip
    for check in checks:
        found += check(app, now)
    db.session.rollback()
    return found


def _database() -> Findings:
    try:
        with db.engine.connect() as connection:
            here = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        yield Finding(
            Grade.WRONG,
            f"The database cannot be reached ({type(error).__name__}).",
            "Is it running, and is CLINIC_DATABASE_URL right?",
        )
        return
    known = ScriptDirectory(str(ROOT / "migrations"))
    head = known.get_current_head()
    if here is None:
        yield Finding(
            Grade.WRONG, "The database is empty.", "clinic init for a new clinic, or clinic restore."
        )
    elif here not in {script.revision for script in known.walk_revisions()}:
        yield Finding(
            Grade.WRONG,
            f"The database ({here}) belongs to a newer version of the program.",
            "Update the program.",
        )
    elif here != head:
        yield Finding(Grade.WRONG, f"The database is at {here}, the program at {head}.", "clinic migrate")
    elif missing := missing_guards(db.session()):
        yield Finding(
            Grade.WRONG,
            f"The database lacks guards that keep visits safe: {', '.join(missing)}.",
            "Restore it from a backup, and find out who took them off.",
        )
    else:
        yield Finding(Grade.GOOD, f"The database is there, at {here}, with its guards.")


def _durability(_app: Flask, _now: dt.datetime) -> Findings:
    if db.engine.dialect.name == "sqlite":
        wanted = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
        ask = "PRAGMA"
        mend = "Put the database on a local disk; network drives cannot do this."
    else:
        wanted, ask = {"fsync": "on", "full_page_writes": "on"}, "SHOW"
        mend = "Set it in postgresql.conf: a power cut would lose bookings."
        commits = str(db.session.scalar(text("SHOW synchronous_commit")))
        if commits == "off":
            yield Finding(Grade.WRONG, "synchronous_commit is off.", mend)
    wrong = {
        name: said
        for name, value in wanted.items()
        if (said := str(db.session.scalar(text(f"{ask} {name}")))) != value
    }
    for name, said in wrong.items():
        yield Finding(Grade.WRONG, f"{name} is {said}.", mend)
    if not wrong:
        yield Finding(Grade.GOOD, "What is booked is on the disk before anybody is told.")


def _keys(app: Flask, _now: dt.datetime) -> Findings:
    wrong = False
    for name in ("CLINIC_KEY_FILE", "CLINIC_BACKUP_KEY_FILE"):
        path = Path(app.config[name])
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            wrong = True
            yield Finding(Grade.WRONG, f"Others on this machine can read {path}.", f"chmod 600 {path}")
    if closed := columns_that_stay_closed():
        wrong = True
        yield Finding(
            Grade.WRONG,
            f"Health answers cannot be read with the keys at hand: {', '.join(closed)}.",
            f"Put the copy of the right key file at {app.config['CLINIC_KEY_FILE']}.",
        )
    if len(app.config["SECRET_KEY"]) < 32:
        wrong = True
        yield Finding(
            Grade.WRONG,
            "CLINIC_SECRET_KEY is short enough to be guessed.",
            "Unset it: a good one is made and kept.",
        )
    if not wrong:
        yield Finding(Grade.GOOD, "The keys are there, for the program alone, and open what they should.")


def _clinic(_app: Flask, _now: dt.datetime) -> Findings:
    places = premises.locations() if premises.clinic_facts() else []
    if not places:
        yield Finding(Grade.WRONG, "There is no clinic in this database.", "clinic init")
        return
    zones = available_timezones()
    for place in places:
        if place.zone not in zones:
            yield Finding(
                Grade.WRONG,
                f"This machine does not know the time zone {place.zone}.",
                "Update the package tzdata.",
            )
    yield Finding(Grade.GOOD, f"Places: {', '.join(f'{place.name} ({place.zone})' for place in places)}.")


def _address(app: Flask, _now: dt.datetime) -> Findings:
    public = urlsplit(app.config["CLINIC_PUBLIC_URL"])
    if public.scheme == "http" and not app.config["CLINIC_DEMO"]:
        grade = Grade.LOOK if public.hostname in LOOPBACK else Grade.WRONG
        yield Finding(
            grade,
            f"People reach the clinic at {public.geturl()}, without https.",
            "Put a proxy with https in front and set CLINIC_PUBLIC_URL=https://… (docs/operations.md).",
        )
        return
    yield Finding(Grade.GOOD, f"People reach the clinic at {public.geturl()}.")
    if public.scheme == "https" and not app.config["CLINIC_TRUSTED_PROXIES"]:
        yield Finding(
            Grade.LOOK,
            "No proxy is believed, so that everybody seems to come from the proxy's own address.",
            "Set CLINIC_TRUSTED_PROXIES to the number of your proxies: limits then count each visitor.",
        )


def _worker(_app: Flask, now: dt.datetime) -> Findings:
    chained = db.session.scalar(select(func.max(AuditLink.sequence))) or 0
    waits_since = db.session.scalar(select(func.min(AuditRow.at)).where(AuditRow.sequence > chained))
    if waits_since and now - waits_since > WORKER_IS_LATE:
        yield Finding(
            Grade.WRONG,
            f"The worker is not at work: something has waited for it since {waits_since:%Y-%m-%d %H:%M} UTC.",
            "clinic serve runs one beside it; with --no-worker, start: clinic worker",
        )
        return
    yield Finding(Grade.GOOD, "Nothing waits for the worker.")


def _mails(app: Flask, _now: dt.datetime) -> Findings:
    if not app.config["CLINIC_MAIL_URL"] and not app.config["CLINIC_DEMO"]:
        yield Finding(
            Grade.WRONG,
            f"No mail leaves this machine: they are files in {app.config['CLINIC_MAIL_DIR']}.",
            "Set CLINIC_MAIL_URL=smtp://user:password@host:587",
        )
    stuck = db.session.scalar(
        select(func.count())
        .select_from(OutgoingMail)
        .where(OutgoingMail.sent_at.is_(None), OutgoingMail.attempts >= MAIL_IS_STUCK)
    )
    if stuck:
        yield Finding(
            Grade.WRONG,
            f"{stuck} mails were not taken, each after {MAIL_IS_STUCK} attempts or more.",
            "See mail_not_sent in the log. They are tried again by themselves once the mail server takes them.",
        )
    else:
        yield Finding(Grade.GOOD, "No mail is stuck.")


def _saved(app: Flask, now: dt.datetime) -> Findings:
    folder, hours = app.config["CLINIC_BACKUP_DIR"], app.config["CLINIC_BACKUP_HOURS"]
    if app.config["CLINIC_DEMO"]:
        return
    if not hours:
        yield Finding(
            Grade.LOOK,
            "The program makes no backups by itself.",
            "CLINIC_BACKUP_HOURS=24, unless you save it otherwise.",
        )
        return
    last = backups.newest(folder)
    if last is None or now - backups.made_at(last) > dt.timedelta(hours=2 * hours):
        since = f"since {backups.made_at(last):%Y-%m-%d}" if last else "at all"
        yield Finding(
            Grade.WRONG,
            f"There is no backup {since} in {folder}.",
            "Run clinic backup, and see what it says.",
        )
        return
    yield Finding(Grade.GOOD, f"The newest backup is of {backups.made_at(last):%Y-%m-%d %H:%M} UTC.")
    if folder.is_relative_to(app.config["CLINIC_DATA_DIR"]):
        yield Finding(
            Grade.LOOK,
            "The backups lie beside the data, and would be lost with it.",
            "Set CLINIC_BACKUP_DIR to another disk or machine, or copy them there every day.",
        )


def _room(app: Flask, _now: dt.datetime) -> Findings:
    folders = {app.config["CLINIC_DATA_DIR"], app.config["CLINIC_BACKUP_DIR"]}
    little = False
    for folder in sorted(folder for folder in folders if folder.exists()):
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE_BYTES:
            little = True
            yield Finding(
                Grade.WRONG,
                f"Only {free // 2**20} MB are free at {folder}.",
                "Make room, or use a larger disk.",
            )
    if not little:
        yield Finding(Grade.GOOD, "There is room on the disk.")
