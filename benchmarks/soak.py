"""Races over real HTTP: many browsers ask for one slot at the same moment, many times over.

`python -m benchmarks.soak [--rounds 200] [--browsers 50] [--processes 4] [--databases SQLite,PostgreSQL]` serves the
demo clinic with so many `clinic serve` on SQLite and on a throw-away PostgreSQL. What counts is what then stands in the
database: one hold a round, never two claims that overlap, and no answer that is an error page.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import os
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import func, select, text

from benchmarks.booking import served
from benchmarks.databases import OVERLAPS, each_database
from clinic.booking.models import Offer, Visit
from clinic.demo import ZONE, fill_if_empty
from clinic.shared import clock
from clinic.shared.database import db
from tests.web import app_on, migrate

SERVICE, MINUTES = "relaxation", 60
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """A cookie, a form token, and one request at a time."""

    def __init__(self, port: int, therapist: int, service: str = SERVICE) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.cookie = ""
        self.token = ""
        self.went_to = ""
        self.extra: dict[str, str] = {}
        self.therapist = therapist
        self.page = f"/book/{service}/times"

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": self.cookie, **self.extra}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        body = answer.read().decode()
        self.went_to = answer.getheader("Location") or ""
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.cookie = value.split(";")[0]
        return answer.status, body

    def open_times(self) -> None:
        query = f"minutes={MINUTES}&areas=full_body&therapist={self.therapist}"
        status, body = self.ask("GET", f"{self.page}?{query}")
        found = TOKEN.search(body)
        if status != 200 or found is None:
            raise SystemExit(f"the page of times answered {status}")
        self.token = found.group(1)

    def hold(self, slot: str) -> str:
        form = {
            "csrf_token": self.token,
            "minutes": str(MINUTES),
            "areas": "full_body",
            "therapist": str(self.therapist),
            "slot": slot,
        }
        status, body = self.ask("POST", self.page, form)
        if status == 303:
            return "held" if self.went_to.endswith("/book/next") else f"sent to {self.went_to}"
        return "told kindly" if status in (200, 409) and "taken" in body else f"error {status}"


def slots(app: Flask, therapist: int, rounds: int) -> list[str]:
    """Free starts of one therapist, one for each round, as the page sends them; the same again when they run out."""
    from clinic.booking.forms.choice import moment_text
    from clinic.booking.queries.availability import Ask, look
    from clinic.catalogue.queries import plan_for
    from clinic.premises.queries import clinic_facts
    from clinic.rules.wall_time import moment

    with app.app_context():
        facts, plan = clinic_facts(), plan_for(SERVICE, None, (), MINUTES, first_visit=True)
        if facts is None or plan is None:
            raise SystemExit("the demo has no such service")
        now = clock.now()
        ask = Ask(
            plan, facts.location_id, now.astimezone(ZoneInfo(ZONE)).date(), 30, now, therapist_id=therapist
        )
        starts = [moment_text(moment(one.starts_at)) for one in look(ask).starts()]
        db.session.remove()
    return [starts[number % len(starts)] for number in range(rounds)]


def release_all(app: Flask) -> tuple[int, int]:
    """How many holds stand, without those that the demo's waitlist offers by day, and how many claims overlap; then
    everything held is given back."""
    from clinic.booking.services.deadlines import keep_deadlines

    with app.app_context():
        chosen = Visit.status == "held", Visit.id.not_in(select(Offer.visit_id))
        held = db.session.scalar(select(func.count()).select_from(Visit).where(*chosen)) or 0
        overlaps = db.session.scalar(text(OVERLAPS))
        db.session.rollback()
        keep_deadlines(clock.now() + dt.timedelta(hours=1))
        db.session.remove()
    return held, overlaps or 0


def race(name: str, address: str, folder: Path, rounds: int, browsers: int, processes: int) -> bool:
    """Run all rounds on one database; print and return whether every round was won exactly once."""
    app = app_on(address, folder, WTF_CSRF_ENABLED=True, TESTING=False, CLINIC_DEMO=True)
    migrate(app)
    with app.app_context():
        fill_if_empty(clock.now())
        therapist = db.session.scalar(text("SELECT min(id) FROM therapist"))
        db.session.remove()
    answers: Counter[str] = Counter()
    bad = 0
    environment = {
        **os.environ,
        "CLINIC_DATA_DIR": str(folder),
        "CLINIC_DATABASE_URL": address.replace("+psycopg", ""),
    }
    with served(environment, processes) as (urls, _pids), ThreadPoolExecutor(browsers) as pool:
        ports = [int(url.rpartition(":")[2]) for url in urls]
        crowd = [Browser(ports[number % processes], therapist) for number in range(browsers)]
        list(pool.map(Browser.open_times, crowd))
        for slot in slots(app, therapist, rounds):
            found = Counter(pool.map(lambda one, slot=slot: one.hold(slot), crowd))  # type: ignore[misc]
            held, overlaps = release_all(app)
            answers.update(found)
            bad += (held, overlaps, found["held"]) != (1, 0, 1)
    print(
        f"{name}, {processes} processes: {rounds} rounds of {browsers}: {rounds - bad} won exactly once, {bad} not;"
        f" {dict(answers)}",
        flush=True,
    )
    return bad == 0 and set(answers) <= {"held", "told kindly"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--browsers", type=int, default=50)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    asked = parser.parse_args()
    good = True
    for name, address, folder in each_database(asked.databases):
        good &= race(name, address, folder, asked.rounds, asked.browsers, asked.processes)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
