"""Is what a clinic needs every day at work: its places, the worker, mails, backups, room on the disk?"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from flask import Flask
from sqlalchemy import func, select

from clinic.checkup.finding import Finding, Findings, Grade, good, wrong
from clinic.premises import queries as premises
from clinic.shared import backups, heartbeat, queue_file
from clinic.shared.audit import AuditLink, AuditRow
from clinic.shared.database import UNREADABLE, db
from clinic.shared.mail import WAITS, OutgoingMail

LEAST_FREE_BYTES = 500 * 2**20
MAIL_IS_STUCK = 4  # attempts; by then an hour and more has passed
PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
PATIENCE_SECONDS = 3
START_WORKER = "clinic serve runs one beside it; with --no-worker, start: clinic worker"


def clinic(_app: Flask, _now: dt.datetime) -> Findings:
    """There is a clinic, in zones that this machine knows."""
    places = premises.locations() if premises.clinic_facts() else []
    if not places:
        yield wrong("There is no clinic in this database.", "clinic init")
        return
    zones = available_timezones()
    for place in places:
        if place.zone not in zones:
            yield wrong(
                f"This machine does not know the time zone {place.zone}.",
                "Update the package tzdata.",
            )
    yield good(f"Places: {', '.join(f'{place.name} ({place.zone})' for place in places)}.")


def worker(_app: Flask, now: dt.datetime) -> Findings:
    """Somebody keeps deadlines, sends mails and chains the audit."""
    seen_at = heartbeat.last_beat_at()
    chained = db.session.scalar(select(func.max(AuditLink.sequence))) or 0
    try:
        waits_since = db.session.scalar(select(func.min(AuditRow.at)).where(AuditRow.sequence > chained))
    except UNREADABLE:
        yield wrong(
            "The worker does not get on: a deed of the audit cannot be read.", "clinic audit verify names it."
        )
        return
    if seen_at is None or heartbeat.is_late(seen_at, now):
        since = f"since {seen_at:%Y-%m-%d %H:%M} UTC" if seen_at else "yet"
        yield wrong(f"The worker is not at work: it was not seen {since}.", START_WORKER)
    elif waits_since and now - waits_since > heartbeat.LATE:
        yield wrong(
            f"The worker does not get on: something has waited for it since {waits_since:%Y-%m-%d %H:%M} UTC.",
            "See job_failed in the log.",
        )
    else:
        yield good("The worker is at work.")


def queue(app: Flask, _now: dt.datetime) -> Findings:
    """Workers that share a queue reach it."""
    address = urlsplit(app.config["CLINIC_QUEUE_URL"])
    if address.scheme.startswith("redis") and find_spec("redis") is None:
        yield wrong(
            "CLINIC_QUEUE_URL names Redis, and the package redis is not installed.",
            "Install the package redis, or unset CLINIC_QUEUE_URL.",
        )
    elif address.hostname:
        place = address.hostname, address.port or PORTS[address.scheme]
        try:
            socket.create_connection(place, PATIENCE_SECONDS).close()
        except OSError as error:
            yield wrong(
                f"The worker's queue cannot be reached at {place[0]}:{place[1]} ({error.strerror or error}).",
                "Is CLINIC_QUEUE_URL right, and does that server run?",
            )
    elif not app.config["CLINIC_QUEUE_URL"]:
        yield from _queue_file(queue_file.place(app.config["CLINIC_DATA_DIR"]))


def _queue_file(path: Path) -> Findings:
    """A damaged one keeps nothing from starting, for it is made anew then."""
    try:
        if not _can_hold_files(path.parent):
            raise NotADirectoryError(f"{path.parent} is no folder of the program's own")
        damaged = queue_file.is_damaged(path)
    except (OSError, sqlite3.Error) as error:
        yield wrong(
            f"The worker's queue cannot be kept in {path} ({error}).",
            f"Make {path.parent} a folder of the program's user, and move away what lies in it: nothing is lost.",
        )
    else:
        if damaged:
            yield Finding(
                Grade.LOOK,
                f"The worker's queue in {path} is damaged.",
                "Start clinic serve or clinic worker anew: it makes a new one, and nothing is lost.",
            )


def notes(app: Flask, _now: dt.datetime) -> Findings:
    """The newest links of the audit can be noted outside the database."""
    folder = app.config["CLINIC_AUDIT_DIR"]
    if not _can_hold_files(folder):
        yield wrong(
            f"The newest links of the audit cannot be noted in {folder}.",
            "Make it a folder of the program's user, or set CLINIC_AUDIT_DIR to one.",
        )


def _can_hold_files(folder: Path) -> bool:
    """Whether it is, or can be made, a folder that the program writes to."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def mails(app: Flask, _now: dt.datetime) -> Findings:
    """Mails leave this machine."""
    if not app.config["CLINIC_MAIL_URL"] and not app.config["CLINIC_DEMO"]:
        yield wrong(
            f"No mail leaves this machine: they are files in {app.config['CLINIC_MAIL_DIR']}.",
            "Set CLINIC_MAIL_URL=smtp://user:password@host:587",
        )
    stuck = db.session.scalar(
        select(func.count()).select_from(OutgoingMail).where(WAITS, OutgoingMail.attempts >= MAIL_IS_STUCK)
    )
    if stuck:
        yield wrong(
            f"{stuck} mails were not taken, each after {MAIL_IS_STUCK} attempts or more.",
            "See mail_not_sent in the log. They are tried again by themselves once the mail server takes them.",
        )
    else:
        yield good("No mail is stuck.")


def saved(app: Flask, now: dt.datetime) -> Findings:
    """There is a backup that is not too old, elsewhere."""
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
    last = backups.newest(folder, now=now)
    at = backups.made_at(last) if last is not None else None
    if at is None or now - at > dt.timedelta(hours=2 * hours):
        since = f"since {at:%Y-%m-%d}" if at is not None else "at all"
        yield wrong(
            f"There is no backup {since} in {folder}.",
            "Run clinic backup, and see what it says.",
        )
        return
    yield good(f"The newest backup is of {at:%Y-%m-%d %H:%M} UTC.")
    if folder.is_relative_to(app.config["CLINIC_DATA_DIR"]):
        yield Finding(
            Grade.LOOK,
            "The backups lie beside the data, and would be lost with it.",
            "Set CLINIC_BACKUP_DIR to another disk or machine, or copy them there every day.",
        )


def erased(app: Flask, _now: dt.datetime) -> Findings:
    """Whoever was erased cannot be read in any backup either."""
    mend = "Run clinic backup once it can be read and written: until then older backups show who was erased since."
    try:
        if backups.do_keys_lag(db.engine, app.config):
            yield wrong(
                "The keys of people beside the backups still hold some of people who were erased.", mend
            )
    except backups.BackupFailed as error:
        yield wrong(f"The keys of people beside the backups cannot be looked at. {error}", mend)


def room(app: Flask, _now: dt.datetime) -> Findings:
    """The disks have room."""
    folders = {app.config["CLINIC_DATA_DIR"], app.config["CLINIC_BACKUP_DIR"]}
    little = False
    for folder in sorted(folder for folder in folders if folder.exists()):
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE_BYTES:
            little = True
            yield wrong(
                f"Only {free // 2**20} MB are free at {folder}.",
                "Make room, or use a larger disk.",
            )
    if not little:
        yield good("There is room on the disk.")
