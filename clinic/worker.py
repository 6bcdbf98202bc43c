"""What goes on between requests: mails out, deadlines kept, visits judged again. Every step may run twice."""

from __future__ import annotations

import datetime as dt
import threading

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from clinic.api.services import drop_old_answers
from clinic.booking.services import (
    archiving,
    asking,
    at_desk,
    deadlines,
    forgetting,
    in_line,
    lapses,
    reconciling,
)
from clinic.intake.services import drafts
from clinic.keeping.services import expiring
from clinic.premises import queries as premises
from clinic.shared import audit_chain, backups, clock, mail
from clinic.shared.database import db

log = structlog.get_logger()

PAUSE_SECONDS = 5
LOOKS_FOR_BACKUPS = dt.timedelta(hours=1)  # one that failed is tried again after as long


def work_once(app: Flask) -> None:
    """One round: release what ran out and offer it in line, judge again what is due, send what is due."""
    with app.app_context():
        try:
            reconciling.judge_out_of_date(clock.now())
            deadlines.keep_deadlines(clock.now())
            in_line.keep_line(clock.now())
            lapses.keep_clearances(clock.now())
            lapses.warn_of_lapses(clock.now())
            forgetting.forget_unfinished(clock.now())
            drop_old_answers(clock.now())
            audit_chain.extend(app.config["CLINIC_AUDIT_DIR"], now=clock.now())
            asking.ask_for_check_ins(clock.now())
            send = mail.sender_for(app.config["CLINIC_MAIL_URL"] or None, app.config["CLINIC_MAIL_DIR"])
            mail.drain(send, sender, clock.now())
        finally:
            db.session.remove()


def work_daily(app: Flask) -> None:
    """Once a day: what has been over for long leaves the table that every free time is worked out from; steps
    at the desk that nobody can take back any more are forgotten, answers that nobody signed are erased, and so is
    whatever the clinic has kept for as long as it said."""
    with app.app_context():
        try:
            archiving.archive_claims(clock.now() - archiving.KEPT_FOR, now=clock.now())
            at_desk.forget_steps(clock.now())
            drafts.erase_old_drafts(clock.now())
            expiring.remove_due(clock.now(), settings=app.config)
        finally:
            db.session.remove()


def save_when_due(app: Flask) -> None:
    """A backup whenever the newest is as old as the clinic lets it become. In the demo nothing is worth saving."""
    hours, folder = app.config["CLINIC_BACKUP_HOURS"], app.config["CLINIC_BACKUP_DIR"]
    if app.config["CLINIC_DEMO"] or not backups.is_due(folder, dt.timedelta(hours=hours), now=clock.now()):
        return
    with app.app_context():
        path = backups.save(db.engine, app.config, now=clock.now())
    log.info("backup_made", bytes=path.stat().st_size)


def sender() -> tuple[str, str]:
    """The name and address that mails come from."""
    row = premises.clinic()
    return row.name, row.mail_sender


def work_until(app: Flask, stop: threading.Event) -> None:
    """Rounds until told to stop. A round that fails is logged and tried again: nothing is lost in between."""
    done_on, look_again_at = None, clock.now()
    while not stop.wait(PAUSE_SECONDS):
        try:
            work_once(app)
            if done_on != clock.now().date():
                work_daily(app)
                done_on = clock.now().date()
            if clock.now() >= look_again_at:
                look_again_at = clock.now() + LOOKS_FOR_BACKUPS
                save_when_due(app)
        except backups.BackupFailed as error:
            log.error("backup_failed", reason=str(error))
        except (SQLAlchemyError, OSError) as error:
            log.warning("worker_round_failed", kind=type(error).__name__)
