"""What goes on between requests: mails out, deadlines kept, visits judged again. Every job may run twice.

The queue (huey) only says when; what is to be done stands in the clinic's own tables. A job that is lost with a worker,
or done by two at once, changes nothing: the next one finds what is left.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from flask import Flask
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.api import Task
from huey.consumer import Consumer, Scheduler
from huey.signals import SIGNAL_ERROR
from sqlalchemy.orm import Session

from clinic.api.services import drop_old_answers
from clinic.booking.services import (
    archiving,
    asking,
    deadlines,
    forgetting,
    in_line,
    lapses,
    reconciling,
    sending,
    undoing,
)
from clinic.intake.services import drafts
from clinic.keeping.services import expiring
from clinic.messages.services import write_digests
from clinic.premises import queries as premises
from clinic.shared import audit_chain, backups, clock, heartbeat, mail, queue_file
from clinic.shared.database import db

log = structlog.get_logger()

PAUSE_SECONDS = 5
THREADS = 2  # a backup takes minutes: mails and deadlines do not wait for it


def keep_visits(_app: Flask) -> None:
    """Release what ran out and offer it in line, judge again what is due."""
    reconciling.judge_out_of_date(clock.now())
    deadlines.keep_deadlines(clock.now())
    in_line.keep_line(clock.now())
    lapses.keep_clearances(clock.now())
    forgetting.forget_unfinished(clock.now())


def chain_audit(app: Flask) -> None:
    audit_chain.extend(app.config["CLINIC_AUDIT_DIR"], now=clock.now())


def send_messages(app: Flask) -> None:
    """Write what has come due, and send what waits."""
    lapses.warn_of_lapses(clock.now())
    asking.ask_for_check_ins(clock.now())
    ways = senders(app)
    sending.write_due(clock.now(), by_sms=ways.sms is not None)
    sending.follow_addresses(clock.now())
    mail.drain(ways, letterhead, clock.now(), is_wanted=_is_wanted)
    heartbeat.beat(clock.now())  # a round that fails is not a sign of life


def tell_team(_app: Flask) -> None:
    """The morning mails."""
    write_digests(clock.now())


def tidy(app: Flask) -> None:
    """What has been over for long leaves the table that every free time is worked out from; steps at the desk that
    nobody can take back any more are forgotten, answers that nobody signed are erased, and so is what is left of mails
    to people who were."""
    archiving.archive_claims(clock.now() - archiving.KEPT_FOR, now=clock.now())
    undoing.forget_steps(clock.now())
    drafts.erase_old_drafts(clock.now())
    drop_old_answers(clock.now())
    mail.delete_left_files(app.config["CLINIC_MAIL_DIR"])


def remove_due(app: Flask) -> None:
    """Whatever the clinic has kept for as long as it said."""
    expiring.remove_due(clock.now(), settings=app.config)


def save_when_due(app: Flask) -> None:
    """A backup whenever the newest is as old as the clinic lets it become. In the demo nothing is worth saving."""
    hours, folder = app.config["CLINIC_BACKUP_HOURS"], app.config["CLINIC_BACKUP_DIR"]
    if app.config["CLINIC_DEMO"] or not backups.is_due(folder, dt.timedelta(hours=hours), now=clock.now()):
        return
    path = backups.save(db.engine, app.config, now=clock.now())
    log.info("backup_made", bytes=path.stat().st_size)


@dataclass(frozen=True)
class Job:
    """Something to do again and again, whenever so many seconds have passed; the first time `PAUSE_SECONDS` after a
    worker has started, for the first moments of a server belong to the people who waited for it."""

    work: Callable[[Flask], None]
    every: int


JOBS = (
    Job(keep_visits, PAUSE_SECONDS),
    Job(chain_audit, PAUSE_SECONDS),
    Job(send_messages, PAUSE_SECONDS),
    Job(tell_team, 300),
    Job(save_when_due, 3600),
    Job(tidy, 6 * 3600),
    Job(remove_due, 6 * 3600),
)


def do(app: Flask, job: Job) -> None:
    """One job, once."""
    with app.app_context():
        try:
            job.work(app)
        finally:
            db.session.remove()


def note_failure(_signal: str, task: Task, error: Exception) -> None:
    """A job that fails is done again at its next time: nothing is lost in between. The words of an error stay out of
    the log, where they are not ours."""
    reason = {"reason": str(error)} if isinstance(error, backups.BackupFailed) else {}
    event = "backup_failed" if task.name == save_when_due.__name__ else "job_failed"
    log.error(event, job=task.name, kind=type(error).__name__, **reason)


def letterhead() -> mail.Letterhead:
    """What stands on every mail."""
    row = premises.clinic()
    logo = premises.picture(row.logo_id) if row.logo_id is not None else None
    return mail.Letterhead(
        row.name, row.mail_sender, row.brand_colour, logo.content if logo else None, logo.mime if logo else ""
    )


def senders(app: Flask) -> mail.Senders:
    """The ways out that are set."""
    config = app.config
    sms = mail.sms_sender_for(
        config["CLINIC_SMS_URL"], user=config["CLINIC_SMS_USER"], key=config["CLINIC_SMS_KEY"],
        number=config["CLINIC_SMS_FROM"],
    )  # fmt: skip
    return mail.Senders(mail.sender_for(config["CLINIC_MAIL_URL"] or None, config["CLINIC_MAIL_DIR"]), sms)


def _is_wanted(session: Session, row: mail.OutgoingMail) -> bool:
    return sending.is_wanted(session, row, clock.now())


# ── the queue ──


class _OftenScheduler(Scheduler):  # type: ignore[misc] # huey has no types
    """Looks every few seconds instead of once a minute: a mail does not wait that long."""

    periodic_task_seconds = PAUSE_SECONDS


class Worker(Consumer):  # type: ignore[misc]
    """Works in threads of this process. Signals belong to whoever started it."""

    scheduler_class = _OftenScheduler

    def _set_signal_handlers(self) -> None:
        pass


def queue_at(url: str, path: Path) -> Huey:
    """The queue: in Redis or PostgreSQL by its address, or else in a file of its own. One that is damaged goes: no
    clinic stays closed for ticks."""
    scheme = urlsplit(url).scheme
    if scheme.startswith("redis"):
        return RedisHuey("clinic", url=url, results=False)
    if scheme.startswith("postgres"):
        return PostgresHuey("clinic", dsn=url, results=False)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if queue_file.is_damaged(path):
        queue_file.remove(path)
        log.warning("queue_made_anew", file=str(path))
    return SqliteHuey("clinic", filename=str(path), results=False)


def worker_for(app: Flask) -> Worker:
    """A worker that does all jobs at their times; `start` begins, `stop(graceful=True)` waits for what it is doing."""
    logging.getLogger("huey").setLevel(logging.CRITICAL)  # it would print what an error says
    queue = queue_at(app.config["CLINIC_QUEUE_URL"], queue_file.place(app.config["CLINIC_DATA_DIR"]))
    queue.flush()  # what an earlier worker left is done again anyway
    queue.signal(SIGNAL_ERROR)(note_failure)
    for job in JOBS:
        _put_in(queue, app, job)
    return Worker(
        queue, workers=THREADS, periodic=True, max_delay=1.0, scheduler_interval=1, shutdown_timeout=10
    )


def _put_in(queue: Huey, app: Flask, job: Job) -> None:
    """A job whose last round still goes on is not begun a second time in this process."""
    at_work, next_at = threading.Lock(), [time.monotonic() + PAUSE_SECONDS]

    def is_due(_now: dt.datetime) -> bool:
        if time.monotonic() < next_at[0]:
            return False
        next_at[0] = time.monotonic() + job.every - 1
        return True

    def run() -> None:
        if at_work.acquire(blocking=False):
            try:
                do(app, job)
            finally:
                at_work.release()

    queue.periodic_task(is_due, name=job.work.__name__, expires=job.every)(run)
