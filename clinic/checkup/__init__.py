"""One list of what is looked at in an installation, and who asks for it.

`clinic doctor` asks for all of it, a server before it opens for what it must not open without (`before_opening`), and
`/readyz` for what tells whether requests can be answered now. Each finding says what is wrong and how to mend it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import Flask
from sqlalchemy.exc import DBAPIError

from clinic.checkup import database, everyday, settings
from clinic.checkup.database import unreachable
from clinic.checkup.finding import Finding, Findings, Grade
from clinic.shared.database import db

__all__ = [
    "Finding", "Grade", "before_opening", "before_work", "before_worker", "is_to_be_mended", "look_at", "of_settings",
    "ready", "unreachable",
]  # fmt: skip

Check = Callable[[Flask, dt.datetime], Findings]

SETTINGS: tuple[Check, ...] = (
    settings.program,
    settings.secret,
    settings.keys,
    settings.address,
    settings.folders,
    settings.passwords,
)
DATABASE: tuple[Check, ...] = (database.version_of_sqlite, database.schema)
WHOLE: tuple[Check, ...] = (database.restored,)
CONTENT: tuple[Check, ...] = (database.sealed, settings.demo)
EVERYDAY: tuple[Check, ...] = (
    database.durability,
    everyday.clinic,
    everyday.worker,
    everyday.queue,
    everyday.notes,
    everyday.mails,
    everyday.saved,
    everyday.erased,
    everyday.room,
)


def look_at(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """Everything, in the order in which it should be mended. Needs the application's context."""
    found = _ask(DATABASE, app, now)
    if is_to_be_mended(found):
        return found + _ask(SETTINGS, app, now)  # nothing else can be told from such a database
    return found + _ask((*SETTINGS, *WHOLE, *CONTENT, *EVERYDAY), app, now)


def of_settings(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """What a server must not open without, before the database is touched."""
    return _ask((*SETTINGS, database.version_of_sqlite), app, now)


def before_opening(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """What a server must not open without, once the database has been brought up to date."""
    found: list[Finding] = []
    for checks in (DATABASE, WHOLE, CONTENT):
        found += _ask(checks, app, now)
        if is_to_be_mended(found):
            break
    return found


def before_work(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """What a command must not go to work without. After an incident it has to work without guards and keys."""
    return _ask((database.version,), app, now)


def before_worker(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """What a worker must not begin without."""
    return _ask((everyday.queue,), app, now)


def ready(app: Flask, *, now: dt.datetime) -> list[Finding]:
    """Whether requests can be answered now, and what a clinic needs beside is at work."""
    found = _ask(DATABASE, app, now)
    if is_to_be_mended(found):
        return found
    return found + _ask((settings.keys, everyday.worker, everyday.room), app, now)


def is_to_be_mended(found: list[Finding]) -> bool:
    """Whether anything is wrong."""
    return any(one.grade is Grade.WRONG for one in found)


def _ask(checks: tuple[Check, ...], app: Flask, now: dt.datetime) -> list[Finding]:
    """What these find. Where the database fails one of them that is a finding too, and the others are still asked."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check(app, now)
        except DBAPIError as error:
            db.session.rollback()
            found.append(unreachable(error))
    db.session.rollback()
    return list(dict.fromkeys(found))
