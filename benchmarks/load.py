"""Put a generated book (workload.py) into the clinic's database, as if every visit in it had been booked.

The clinic is empty before; its zone is UTC. Each therapist has a room of their own: the book has one for each, deals
them out anew every day, and its own answers look at therapists alone. Dealt like that, a free therapist now and then
finds no room free for a whole visit, and the clinic would rightly offer less than the book says. Everything goes
through the tables with all guards on: claims that would overlap, or a confirmed visit without its judgement, would be
refused here too. What has been over for long is archived as a worker would have done on the day after: a clinic with
such a history has not been without one for years.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from benchmarks.workload import BUFFER, CLOSE, DURATION, LUNCH, OPEN, STEP, WORKDAYS
from clinic.api.services import make_token
from clinic.booking.models import Claim, Screening, StatusChange, Visit
from clinic.booking.queries import judged_by
from clinic.booking.services._judging import Order, judged_key
from clinic.booking.services.archiving import KEPT_FOR, archive_claims
from clinic.catalogue import queries as catalogue
from clinic.catalogue.models import Service, ServiceLength
from clinic.clients.models import Client
from clinic.intake.models import Intake
from clinic.premises.models import Clinic, Location, OpeningHours, Room
from clinic.rules import questionnaire
from clinic.rules.api_scopes import ApiRole
from clinic.rules.errors import InvalidInput
from clinic.rules.verdicts import Outcome, Urgency, Verdict
from clinic.shared.database import db, transaction
from clinic.starting import is_empty
from clinic.therapists.models import Therapist, TherapistSkill, WorkingHours

SERVICE = "swedish"
FREE_CLIENTS = 600
"""Clients without a visit, so that whoever books for them meets no visit of their own."""
BOOKED_CLIENTS = 1000
"""More than can be treated within one visit's length: nobody in the book is in two places at once."""
BATCH = 2000
LAST_LICENCE_DAY = dt.date(2099, 12, 31)


def load(path: Path, *, now: dt.datetime) -> dict[str, Any]:
    """Fill the database with the book in this file; returns what a load driver needs to ask.

    Raises InvalidInput when the database holds a clinic already.
    """
    work = json.loads(path.read_text(encoding="utf-8"))
    if not is_empty():
        raise InvalidInput("database", "This database already holds a clinic. Nothing was changed.")
    with transaction() as session:
        place_id = _premises(session, work)
        people = _therapists(session, work, place_id)
        free = _clients(session, FREE_CLIENTS, "Free", now)
        booked = _clients(session, BOOKED_CLIENTS, "Booked", now)
    rooms = dict(zip(range(1, work["rooms"] + 1), _room_ids(), strict=True))
    _sign(free + booked, now)
    plan = catalogue.plan_for(SERVICE, None, (), DURATION, first_visit=False)
    if plan is None:
        raise InvalidInput("service", "The service of the book is not on offer.")
    basis = judged_by.basis_of(plan.judged_as, (), judged_by.gate_settings(), rules=judged_by.rules_version())
    db.session.rollback()
    rows = sorted((day, minute, therapist) for therapist, _, day, minute in work["history"] + work["future"])
    with db.engine.begin() as connection:
        for start in range(0, len(rows), BATCH):
            visits = [
                _visit(
                    booked[number % len(booked)],
                    people[therapist],
                    rooms[therapist],
                    day,
                    minute,
                    place_id,
                    plan,
                )
                for number, (day, minute, therapist) in enumerate(rows[start : start + BATCH], start)
            ]
            _put(connection, visits, plan, basis, now)
    archive_claims(now - KEPT_FOR, now=now)
    _settle()
    token = make_token("benchmark", ApiRole.DESK, (), per_minute=0, now=now)
    active = [people[one["id"]] for one in work["therapists"] if one["active"]]
    return {"token": token, "service": SERVICE, "therapists": active, "clients": free}


def _settle() -> None:
    """What a database does by itself in a while after so many rows: count them, and PostgreSQL tidies up too."""
    command = "ANALYZE" if db.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(command))


def _premises(session: Any, work: dict[str, Any]) -> int:
    session.add(
        Clinic(
            id=1, name="Benchmark", mail_sender="desk@clinic.example", emergency_number="112",
            lead_time_minutes=0, horizon_days=365, slot_step_minutes=STEP, check_in_needed=False,
        )
    )  # fmt: skip
    place = Location(name="Benchmark", address="1 Main Street", phone="+12125550100", zone="UTC")
    session.add(place)
    session.flush()
    session.add_all(
        OpeningHours(location_id=place.id, weekday=day, opens=_wall(OPEN), closes=_wall(CLOSE))
        for day in WORKDAYS
    )
    session.add_all(
        Room(location_id=place.id, name=f"Room {number}", room_kind="treatment")
        for number in range(1, work["rooms"] + 1)
    )
    service = Service(
        key=SERVICE, name="Swedish", family=SERVICE, judged_as=[SERVICE], summary="Whole body.",
        turnover_minutes=BUFFER, first_visit_minutes=0,
    )  # fmt: skip
    service.lengths = [ServiceLength(mode=None, minutes=DURATION, price=9000)]
    session.add(service)
    session.flush()
    return int(place.id)


def _wall(minute: int) -> dt.time:
    return dt.time(minute // 60, minute % 60)


def _room_ids() -> list[int]:
    return [row.id for row in db.session.query(Room).order_by(Room.id)]


def _therapists(session: Any, work: dict[str, Any], place_id: int) -> dict[int, int]:
    """The clinic's id of each therapist of the book."""
    found = {}
    for one in work["therapists"]:
        row = Therapist(
            name=f"Therapist {one['id']:03}", licence_number=str(one["id"]), licence_expires_on=LAST_LICENCE_DAY,
            is_active=one["active"],
        )  # fmt: skip
        row.skill_rows = [TherapistSkill(skill=skill) for skill in ("prenatal", "oncology")]
        session.add(row)
        session.flush()
        found[one["id"]] = row.id
        for day in WORKDAYS:
            hours = (("work", OPEN, CLOSE), ("break", *LUNCH))
            session.add_all(
                WorkingHours(
                    therapist_id=row.id, location_id=place_id, kind=kind, weekday=day, starts=_wall(first),
                    ends=_wall(last),
                )
                for kind, first, last in hours
            )  # fmt: skip
    return found


def _clients(session: Any, count: int, name: str, now: dt.datetime) -> list[int]:
    rows = [
        Client(
            first_name=name, last_name=f"Person {number}", name_key=f"{name} person {number}".casefold(),
            born_on=dt.date(1980, 1, 1), email=None, phone=None, created_at=now,
        )
        for number in range(count)
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def _sign(clients: list[int], now: dt.datetime) -> None:
    """Everybody signed a whole intake today in which nothing is declared."""
    answers = {
        condition.key: {"present": False}
        for page in questionnaire.pages("intake")
        for condition in page.conditions
    }
    today = now.date()
    with transaction() as session:
        for client in clients:
            row = Intake(
                client_id=client, version=1, kind="full", question_version=questionnaire.QUESTION_VERSION,
                completed_on=today, answered_on=today, signed_at=now, source="desk", softens=False, renewal=False,
            )  # fmt: skip
            row.answers = answers
            row.signature = {"name": "Benchmark", "relation": "self", "points": None}
            session.add(row)


def _visit(
    client: int, therapist: int, room: int, day: str, minute: int, place_id: int, plan: catalogue.VisitPlan
) -> dict[str, Any]:
    date = dt.date.fromisoformat(day)
    starts = dt.datetime.combine(date, _wall(minute), dt.UTC)
    ends = starts + dt.timedelta(minutes=DURATION)
    key = judged_key(client, Order(plan, ("full_body",), date))
    made = Visit(client_id=client)
    return {
        "id": made.id, "location_id": place_id, "client_id": client, "therapist_id": therapist, "room_id": room,
        "service_id": plan.service_id, "mode": None, "addons": [], "areas": ["full_body"], "minutes": DURATION,
        "starts_at": starts, "ends_at": ends, "free_at": ends + dt.timedelta(minutes=BUFFER), "day": date,
        "local_time": starts.time(), "fold": 0, "zone": "UTC", "status": "confirmed", "judged_key": key,
        "permits": True, "first_visit": False, "price": plan.price, "currency": "USD", "source": "desk",
        "any_therapist": False, "revision": 1,
    }  # fmt: skip


def _put(
    connection: Connection,
    visits: list[dict[str, Any]],
    plan: catalogue.VisitPlan,
    basis: str,
    now: dt.datetime,
) -> None:
    screenings, claims, steps = [], [], []
    for visit in visits:
        judged = Screening(client_id=visit["client_id"])
        judged.findings = {"own": [], "strictest": [], "stopped": False, "places": []}
        visit["screening_id"], visit["created_at"] = judged.id, now
        past = visit["ends_at"] < now
        visit["status"] = "done" if past else "confirmed"
        screenings.append(
            {
                "id": judged.id, "client_id": visit["client_id"], "judged_key": visit["judged_key"],
                "day": visit["day"], "permits": True, "service": plan.key, "mode": None, "addons": [],
                "areas": ["full_body"], "minutes": DURATION, "verdict": Verdict.CLEAR.word,
                "outcome": Outcome.ALLOW.word, "urgency": Urgency.NONE.word,
                "rules_version": judged_by.rules_version(), "basis": basis,
                "question_version": questionnaire.QUESTION_VERSION, "intake_ids": [], "clearance_ids": [],
                "door": "desk", "visit_id": visit["id"], "judged_at": now,
                "findings_sealed": judged.findings_sealed,
            }
        )  # fmt: skip
        for resource, until in (
            (visit["therapist_id"], visit["free_at"]), (visit["room_id"], visit["free_at"]),
            (visit["client_id"], visit["ends_at"]),
        ):  # fmt: skip
            claims.append(
                {
                    "resource_id": resource,
                    "visit_id": visit["id"],
                    "starts_at": visit["starts_at"],
                    "ends_at": until,
                }
            )
        steps.append({"visit_id": visit["id"], "status": visit["status"], "at": now, "reason": ""})
    for table, rows in ((Screening, screenings), (Visit, visits), (Claim, claims), (StatusChange, steps)):
        connection.execute(insert(table), rows)
