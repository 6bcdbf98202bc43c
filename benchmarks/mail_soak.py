"""Mails over real SMTP with workers that are killed: nothing lost, at most one extra for each kill inside a send.

`python -m benchmarks.mail_soak [--mails 300] [--kills 25] [--databases SQLite,PostgreSQL]` queues so many mails in a
clinic, starts two `clinic worker`, kills one of them every 0.4 seconds, loses a few answers of the mail server, and
then lets them finish. A killed worker's lease runs out after five minutes, so this takes about six for each database.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.databases import each_database
from clinic.shared import clock
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail, queue_mail
from clinic.shared.mail.outbox import LEASE
from tests import factories
from tests.smtp_sink import Sink, sink
from tests.web import app_on, migrate

EVERY_SECONDS = 0.4
LOST_ANSWERS = 3


def worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A worker of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "clinic", "worker"], env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def left() -> int:
    """How many have not gone out."""
    db.session.rollback()
    return db.session.scalar(select(func.count(OutgoingMail.id)).where(OutgoingMail.sent_at.is_(None))) or 0


def fill(mails: int) -> None:
    """A clinic with so many mails that are due."""
    factories.make_clinic()
    factories.make_location(zone="America/New_York")
    with transaction() as session:
        for number in range(mails):
            queue_mail(
                session, "visit_cannot_go_ahead", f"p{number}@people.example", key=f"soak:{number}",
                now=clock.now(), name="Pat", when="Monday", phone="1", clinic="Still Waters",
            )  # fmt: skip


def drill(server: Sink, environment: dict[str, str], kills: int) -> None:
    """Two workers, one of them killed again and again; in the middle the mail server loses answers."""
    workers = [worker(environment), worker(environment)]
    while not server.mails:
        time.sleep(EVERY_SECONDS)
    for turn in range(kills):
        time.sleep(EVERY_SECONDS)
        if turn == kills // 2:
            server.lose_answers = LOST_ANSWERS
        workers[turn % 2].send_signal(signal.SIGKILL)
        workers[turn % 2].wait()
        workers[turn % 2] = worker(environment)
    ends = time.monotonic() + LEASE.total_seconds() + 180
    while left() and time.monotonic() < ends:
        time.sleep(2)
    for one in workers:
        one.terminate()
        one.wait()


def soak(name: str, address: str, folder: Path, mails: int, kills: int) -> bool:
    """All of it on one database; whether nothing was lost or sent more often than it may be."""
    app = app_on(address, folder)
    migrate(app)
    with sink() as server, app.app_context():
        environment = {
            **os.environ, "CLINIC_DATA_DIR": str(folder), "CLINIC_MAIL_URL": server.url, "CLINIC_BACKUP_HOURS": "0",
            "CLINIC_DATABASE_URL": address.replace("+psycopg", ""),
        }  # fmt: skip
        fill(mails)
        drill(server, environment, kills)
        lost = left()
        db.session.remove()
        db.engine.dispose()
        ids = server.ids()
    extra = sum(ids.values()) - len(ids)
    print(
        f"{name}: {mails} mails, {kills} kills: {lost} lost, {extra} doubled, {len(ids)} identities",
        flush=True,
    )
    return not lost and len(ids) == mails and extra <= kills + LOST_ANSWERS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    given, good = parser.parse_args(), True
    for name, address, folder in each_database(given.databases):
        good &= soak(name, address, folder, given.mails, given.kills)
    if not good:
        sys.exit("mails were lost or doubled")


if __name__ == "__main__":
    main()
