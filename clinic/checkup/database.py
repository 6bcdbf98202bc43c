"""Is the database there, is it ours, does it hold what keeps visits safe, and does it keep what it is told?"""

from __future__ import annotations

import datetime as dt
import sqlite3
from functools import cache

from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import InternalError, SQLAlchemyError

from clinic.checkup.finding import Finding, Findings, good, wrong
from clinic.paths import ROOT
from clinic.shared import backups
from clinic.shared.database import db
from clinic.shared.guards import missing_guards
from clinic.shared.rotation import columns_that_stay_closed

OLDEST_SQLITE = (3, 38, 0)  # the first that knows `unixepoch`


def version_of_sqlite(_app: Flask, _now: dt.datetime) -> Findings:
    """An old SQLite does not know what is asked of it."""
    if db.engine.dialect.name == "sqlite" and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield wrong(
            f"SQLite {sqlite3.sqlite_version} is too old.",
            f"Use a Python with SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer, or PostgreSQL.",
        )


def schema(app: Flask, now: dt.datetime) -> Findings:
    """The database answers, is of this version of the program, and holds its guards."""
    if found := list(version(app, now)):
        yield from found
    elif missing := missing_guards(db.session()):
        yield wrong(
            f"The database lacks guards that keep visits safe: {', '.join(missing)}.",
            "Restore it from a backup, and find out who took them off.",
        )
    else:
        yield good(f"The database is there, at {here_now()}, with its guards.")


def version(_app: Flask, _now: dt.datetime) -> Findings:
    """The database answers, and is of this version of the program; else what is wrong."""
    try:
        here = here_now()
    except SQLAlchemyError as error:
        yield unreachable(error)
        return
    known, head = versions()
    if here is None:
        yield wrong("The database is empty.", "clinic init for a new clinic, or clinic restore.")
    elif here not in known:
        yield wrong(
            f"The database ({here}) belongs to a newer version of the program.", "Update the program."
        )
    elif here != head:
        yield wrong(f"The database is at {here}, the program at {head}.", "clinic migrate")


def unreachable(error: SQLAlchemyError) -> Finding:
    """What is wrong with a database that does not answer, in its own words; no password is among them."""
    reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
    if isinstance(error, InternalError):  # what PostgreSQL says of a page that it cannot read
        return wrong(
            f"The database is damaged ({reason}).",
            "Stop the clinic, name a new, empty database in CLINIC_DATABASE_URL, and put the newest backup back with"
            " clinic restore. Keep the damaged one until that is done.",
        )
    return wrong(
        f"The database cannot be reached or used ({reason}).",
        "Is CLINIC_DATABASE_URL right? Is PostgreSQL running, or the folder of the SQLite file the program's own, and"
        " has its disk room? A file that is damaged: move it away, and put the newest backup back with clinic restore.",
    )


def here_now() -> str | None:
    """The version of the database; None where it is empty. Raises OperationalError when it is away."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


@cache
def versions() -> tuple[frozenset[str], str | None]:
    """Every version of the database that this program knows, and the newest: by the numbers of the migrations, which
    need not be loaded for that."""
    known = frozenset(one.name[:4] for one in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    return known, max(known, default=None)


def durability(_app: Flask, _now: dt.datetime) -> Findings:
    """What is booked has to outlive a power cut."""
    if db.engine.dialect.name == "sqlite":
        wanted = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
        ask = "PRAGMA"
        mend = "Put the database on a local disk; network drives cannot do this."
    else:
        wanted, ask = {"fsync": "on", "full_page_writes": "on"}, "SHOW"
        mend = "Set it in postgresql.conf: a power cut would lose bookings."
        if str(db.session.scalar(text("SHOW synchronous_commit"))) == "off":
            yield wrong("synchronous_commit is off.", mend)
    differs = {
        name: said
        for name, value in wanted.items()
        if (said := str(db.session.scalar(text(f"{ask} {name}")))) != value
    }
    for name, said in differs.items():
        yield wrong(f"{name} is {said}.", mend)
    if not differs:
        yield good("What is booked is on the disk before anybody is told.")


def restored(_app: Flask, _now: dt.datetime) -> Findings:
    """What was put back from a backup is put back as a whole."""
    if backups.is_restore_unfinished(db.engine):
        yield wrong(
            "A backup was being put back here, and that was broken off.",
            "Start clinic restore again with the same file, or begin with an empty database: people who were erased"
            " since may stand here until then.",
        )


def sealed(app: Flask, _now: dt.datetime) -> Findings:
    """The keys open what the database holds."""
    if closed := columns_that_stay_closed():
        yield wrong(
            f"Health answers cannot be read with the keys at hand: {', '.join(closed)}.",
            f"Put the copy of the right key file at {app.config['CLINIC_KEY_FILE']}. Where it is the right one, some of"
            " what is stored is damaged: put back the newest backup with clinic restore.",
        )
    else:
        yield good("The keys at hand open what they should.")
