"""The demo clinic: invented people and three weeks of visits around today, the same for the same day.

Only `clinic demo` fills it in, and only into an empty database. Every visit goes through the gate and the claims
like a real one.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.accounts.models import User, UserRole
from clinic.accounts.passwords import hash_password
from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services._claims import claim_best, claim_blocks, give_up
from clinic.booking.services._judging import Order, judge
from clinic.booking.services._steps import first_status, rest_on, set_plan, wait_for
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.catalogue.services import add_starter_catalogue
from clinic.clients.models import Client, ClientAccess
from clinic.clients.steps import Details, add_client
from clinic.intake.models import Consent, Intake
from clinic.premises.models import Clinic, Device, Location, OpeningHours, Room
from clinic.rules import questionnaire
from clinic.rules.errors import SlotTaken
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared.database import transaction
from clinic.starting import is_empty
from clinic.therapists.models import Therapist, TherapistSkill, TimeOff, WorkingHours

SEED = 20260301
PASSWORD = "quiet-willow"  # noqa: S105 (printed on purpose: everything in the demo is invented)
SIGN_INS = (
    ("Client", "client@willow.example", PASSWORD),
    ("Therapist", "therapist@willow.example", PASSWORD),
    ("Front desk", "desk@willow.example", PASSWORD),
    ("Owner", "owner@willow.example", PASSWORD),
)
ZONE = "America/New_York"
DAYS_BACK, DAYS_AHEAD = 10, 11


@dataclass(frozen=True)
class Person:
    """A demo therapist: `hours` are weekday → (start, end); everybody has lunch at `lunch` for 45 minutes."""

    name: str
    bio: str
    gender: str
    skills: tuple[str, ...]
    hours: Mapping[int, tuple[int, int]]
    lunch: tuple[int, int]
    licence_days: int


TEAM = (
    Person("Maya Okafor", "Slow, deep and precise. Trained in hand traction.", "woman",
           ("traction", "cupping", "deep_tissue", "prenatal", "hot_stone", "aromatherapy"),
           dict.fromkeys(range(7), (9, 17)), (12, 30), 420),
    Person("Jonas Lindqvist", "Works with runners and climbers.", "man",
           ("traction", "deep_tissue", "sports"), dict.fromkeys((1, 2, 3, 4, 5, 6), (10, 18)), (13, 30), 300),
    Person("Priya Raman", "Cups, chamber and quiet rooms.", "woman",
           ("cupping", "chamber", "aromatherapy", "hot_stone"),
           {0: (8, 16), 2: (8, 16), 3: (12, 20), 5: (8, 16), 6: (8, 16)}, (14, 0), 700),
    Person("Tom Becker", "Sports massage before and after the event.", "man",
           ("sports", "deep_tissue"), dict.fromkeys((0, 1, 2, 4, 6), (12, 20)), (16, 0), 9),
    Person("Lucia Moretti", "Gentle work for calm and sleep.", "woman",
           ("hot_stone", "aromatherapy", "prenatal", "oncology"),
           dict.fromkeys((1, 2, 3, 4, 5), (9, 15)), (12, 0), 180),
    Person("Sam Whitfield", "Evening hours for people who sit all day.", "",
           ("cupping", "deep_tissue", "chamber", "traction"), dict.fromkeys(range(4), (13, 20)), (17, 0), 540),
)  # fmt: skip

FIRST = (
    "Ana", "Ben", "Clara", "Daniel", "Elif", "Felix", "Grace", "Hugo", "Ines", "Jamal", "Kate", "Leo", "Mina",
    "Noah", "Olga", "Pablo", "Quinn", "Rosa", "Sven", "Tara",
)  # fmt: skip
LAST = (
    "Alder", "Bright", "Castell", "Duarte", "Engel", "Farouk", "Gallo", "Hartmann", "Ito", "Jensen", "Khan",
    "Larsen", "Mbeki", "Novak", "O'Hara", "Petrov", "Quist", "Rossi", "Santos", "Tanaka",
)  # fmt: skip


def declared(today: dt.date) -> list[dict[str, dict[str, object]]]:
    """What some of the sixty clients told; the others have nothing to tell."""

    def ago(days: int) -> str:
        return (today - dt.timedelta(days=days)).isoformat()

    return [
        {"bleeding_disorder": {"present": True, "type": "von Willebrand disease", "bleed_last_4_weeks": False,
                               "under_treatment": True}},
        {"blood_thinners": {"present": True, "med_class": "anticoagulant", "medication": "apixaban",
                            "stable_3_months": True, "bruising": False}},
        {"pregnancy": {"present": True, "status": "confirmed", "weeks": 18, "weeks_as_of": ago(20),
                       "high_risk": False, "complication": "none"}},
        {"osteoporosis": {"present": True, "severity": "osteopenia"}},
        {"diabetes": {"present": True, "status": "controlled", "complications": False, "insulin": False}},
        {"high_blood_pressure": {"present": True, "status": "controlled", "systolic": 132, "diastolic": 84}},
        {"disc_herniation": {"present": True, "nerve_signs": False, "site": ["lower_back"],
                             "under_treatment": True}},
        {"recent_surgery": {"present": True, "date": ago(120), "type": "knee arthroscopy",
                            "site": ["right_knee"], "minor": False, "complications": False}},
        {"varicose_veins": {"present": True, "site": ["left_lower_leg"], "status": "quiet"}},
        {"allergy_contact": {"present": True, "type": "nut_oil", "severity": "mild"}},
        {"asthma_breathing": {"present": True, "status": "controlled"}},
        {"low_blood_pressure": {"present": True, "last_faint": ago(300)}},
        {"clotting_tendency": {"present": True, "type": "factor V Leiden", "under_treatment": True}},
        {"cancer_past": {"present": True, "date": ago(900), "type": "skin", "nodes_removed": False}},
        {"epilepsy": {"present": True, "status": "controlled", "date": ago(800)}},
        {"eczema_psoriasis": {"present": True, "status": "flare", "site": ["left_forearm"]}},
    ]  # fmt: skip


def fill_if_empty(now: dt.datetime) -> bool:
    """Fill an empty database with the demo; returns whether it did."""
    if not is_empty():
        return False
    password_hash = hash_password(PASSWORD)  # slow on purpose, so outside the transaction
    # S311: this makes demo people, not secrets.
    chance = random.Random(SEED)  # noqa: S311
    with transaction() as session:
        place = _premises(session)
        add_starter_catalogue(session)
        users = _users(session, password_hash, now)
        team = _team(session, place, users, now)
        people = _clients(session, users, chance, now)
        session.flush()
        _diary(session, place, team, people, chance, now)
        _blocks(session, team, users, now)
    return True


def _premises(session: Session) -> Location:
    session.add(
        Clinic(
            id=1,
            name="Willow Clinic",
            mail_sender="hello@willow.example",
            currency="USD",
            emergency_number="911",
            health_line_name="the nurse line",
            health_line_number="555-0111",
        )
    )
    place = Location(
        name="Elm Street", address="14 Elm Street\n2nd floor, lift available\nSpringfield", phone="(212) 555-0142",
        zone=ZONE,
    )  # fmt: skip
    session.add(place)
    session.flush()
    for weekday in range(7):
        session.add(OpeningHours(location_id=place.id, weekday=weekday, opens=dt.time(8), closes=dt.time(20)))
    for name, kind in (
        ("Birch", "treatment"), ("Cedar", "treatment"), ("Fern", "treatment"), ("Stone", "chamber")
    ):  # fmt: skip
        session.add(Room(location_id=place.id, name=name, room_kind=kind))
    for name, kind in (
        ("Vacuum unit A", "vacuum_unit"), ("Vacuum unit B", "vacuum_unit"), ("Magnet cups", "magnet_cups"),
        ("Interval chamber", "interval_chamber"), ("Stone heater 1", "stone_heater"),
        ("Stone heater 2", "stone_heater"),
    ):  # fmt: skip
        session.add(Device(location_id=place.id, name=name, device_kind=kind))
    session.flush()
    return place


def _users(session: Session, password_hash: str, now: dt.datetime) -> dict[str, User]:
    made = {}
    for role, email, name in (
        (Role.CLIENT, "client@willow.example", "Ana Alder"),
        (Role.THERAPIST, "therapist@willow.example", TEAM[0].name),
        (Role.FRONT_DESK, "desk@willow.example", "Robin Desk"),
        (Role.OWNER, "owner@willow.example", "Olive Owner"),
    ):
        user = User(email=email, name=name, password_hash=password_hash, created_at=now)
        user.role_rows = [UserRole(role=role)]
        session.add(user)
        made[role.value] = user
    session.flush()
    return made


def _team(session: Session, place: Location, users: Mapping[str, User], now: dt.datetime) -> list[Therapist]:
    today = now.astimezone(ZoneInfo(ZONE)).date()
    team = []
    for number, one in enumerate(TEAM):
        row = Therapist(
            name=one.name, bio=one.bio, gender=one.gender, tint=number % 4 + 1,
            user_id=users["therapist"].id if number == 0 else None, licence_number=f"NY-{27100 + number * 37}",
            licence_expires_on=today + dt.timedelta(days=one.licence_days),
        )  # fmt: skip
        row.skill_rows = [TherapistSkill(skill=skill) for skill in one.skills]
        session.add(row)
        session.flush()
        for weekday, (start, end) in one.hours.items():
            _hours(session, row, place, "work", weekday, dt.time(start), dt.time(end % 24))
            hour, minute = one.lunch
            lunch_ends = (
                dt.datetime(2000, 1, 1, hour, minute, tzinfo=dt.UTC) + dt.timedelta(minutes=45)
            ).time()
            _hours(session, row, place, "break", weekday, dt.time(hour, minute), lunch_ends)
        team.append(row)
    return team


def _hours(
    session: Session, one: Therapist, place: Location, kind: str, weekday: int, starts: dt.time, ends: dt.time
) -> None:
    session.add(
        WorkingHours(
            therapist_id=one.id, location_id=place.id, kind=kind, weekday=weekday, starts=starts, ends=ends
        )
    )


def _clients(
    session: Session, users: Mapping[str, User], chance: random.Random, now: dt.datetime
) -> list[Client]:
    today = now.astimezone(ZoneInfo(ZONE)).date()
    told = declared(today)
    people = []
    for number in range(60):
        first, last = FIRST[number % 20], LAST[(number * 7 + number // 20) % 20]
        born = dt.date(chance.randint(1948, 2003), chance.randint(1, 12), chance.randint(1, 28))
        details = Details(
            first_name=first, last_name=last, born_on=born,
            email="client@willow.example" if number == 0 else f"{first}.{number}@people.example".lower(),
            phone=f"(212) 555-{1000 + number}",
        )  # fmt: skip
        client = add_client(session, details, region="US", by=None, now=now - dt.timedelta(days=200))
        people.append(client)
        if number % 12 != 11:  # some have not filled in their health form yet
            # The sixteen with something to tell are spread over the sixty.
            answers = told[(number - 1) // 3] if number % 3 == 1 and (number - 1) // 3 < len(told) else {}
            _intake(session, client, answers, now - dt.timedelta(days=15 + number))
    session.add(ClientAccess(user_id=users["client"].id, client_id=people[0].id, relation="self", since=now))
    return people


def _intake(
    session: Session, client: Client, declared_answers: Mapping[str, Mapping[str, object]], when: dt.datetime
) -> None:
    day = when.astimezone(ZoneInfo(ZONE)).date()
    asked = [condition.key for page in questionnaire.pages("intake") for condition in page.conditions]
    row = Intake(
        client_id=client.id, version=1, kind="full", question_version=questionnaire.QUESTION_VERSION,
        completed_on=day, answered_on=day, signed_at=when, source="online", recorded_by_id=None, softens=False,
    )  # fmt: skip
    row.answers = {key: declared_answers.get(key, {"present": False}) for key in asked}
    row.signature = {"name": client.name, "relation": "self", "points": None}
    session.add(row)
    for kind in ("treatment", "privacy"):
        consent = Consent(
            client_id=client.id, kind=kind, text_version="1", given_at=when, given_on=day, recorded_by_id=None
        )
        consent.detail = {}
        session.add(consent)


def _diary(
    session: Session,
    place: Location,
    team: list[Therapist],
    people: list[Client],
    chance: random.Random,
    now: dt.datetime,
) -> None:
    """About three visits a day for each therapist who works, judged and claimed like any other."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    plans = _plans()
    for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
        day = today + dt.timedelta(days=offset)
        for one, therapist in zip(TEAM, team, strict=True):
            if day.weekday() not in one.hours or day > therapist.licence_expires_on:
                continue
            for _ in range(chance.choice((2, 3, 3, 4))):
                plan = chance.choice([plan for plan in plans if plan.skills <= set(one.skills)])
                _visit(
                    session,
                    place,
                    therapist,
                    chance.choice(people),
                    plan=plan,
                    day=day,
                    chance=chance,
                    now=now,
                )


def _plans() -> list[VisitPlan]:
    wanted = (
        ("relaxation", None, (), 60), ("relaxation", None, ("hot_stone",), 60), ("swedish", None, (), 60),
        ("swedish", None, ("aromatherapy",), 90), ("deep_tissue", None, (), 60), ("sports", None, (), 45),
        ("decompression_traction", None, (), 45), ("decompression_vacuum", None, (), 45),
        ("decompression_vacuum", "interval", (), 30), ("decompression_vacuum_magnetic", None, (), 30),
    )  # fmt: skip
    plans = [
        catalogue.plan_for(key, mode, addons, minutes, first_visit=False)
        for key, mode, addons, minutes in wanted
    ]
    return [plan for plan in plans if plan is not None]


def _visit(
    session: Session,
    place: Location,
    therapist: Therapist,
    client: Client,
    *,
    plan: VisitPlan,
    day: dt.date,
    chance: random.Random,
    now: dt.datetime,
) -> None:
    made_at = min(now, dt.datetime.combine(day, dt.time(12), dt.UTC) - dt.timedelta(days=6))
    ask = Ask(
        plan=plan, location_id=place.id, first_day=day, days=1, now=made_at, therapist_id=therapist.id,
        client_id=client.id, by_staff=True,
    )  # fmt: skip
    starts = [moment(start.starts_at) for start in look(ask).starts() if start.starts_at % 15 == 0]
    if not starts:
        return
    visit = Visit(
        location_id=place.id, client_id=client.id, areas=_areas(plan, chance), zone=ZONE,
        starts_at=chance.choice(starts), status=VisitStatus.CONFIRMED, first_visit=False, currency="USD",
        source=chance.choice(("online", "online", "desk")), any_therapist=chance.random() < 0.6,
        created_at=made_at, created_by_id=None, revision=1,
    )  # fmt: skip
    set_plan(visit, plan)
    order = Order(plan, tuple(visit.areas), visit.day)
    judged = judge(session, client, order, door="demo", visit_id=visit.id, by=None, now=made_at)
    if judged.refuses or judged.unsafe_addons:
        return
    if judged.permits and judged.row is not None:
        rest_on(visit, judged.row)
    elif visit.starts_at < now + dt.timedelta(days=2):
        return
    else:
        visit.status = VisitStatus.PENDING
        wait_for(session, visit, judged, now=now)
    try:
        claim_best(session, visit, ask, expires_at=None)
    except SlotTaken:
        return
    first_status(session, visit, by=None, now=made_at)
    if visit.permits:
        _live_through(session, visit, chance, now)


def _areas(plan: VisitPlan, chance: random.Random) -> list[str]:
    return [chance.choice(("upper_back", "lower_back", "shoulders"))] if plan.asks_area else ["full_body"]


def _live_through(session: Session, visit: Visit, chance: random.Random, now: dt.datetime) -> None:
    """What the clock has made of a visit by now."""
    if visit.ends_at <= now:
        steps = [VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE]
        if chance.random() < 0.06:
            steps = [VisitStatus.NO_SHOW]
    elif visit.starts_at <= now:
        steps = [VisitStatus.ARRIVED, VisitStatus.IN_SESSION]
    elif visit.starts_at <= now + dt.timedelta(minutes=15):
        steps = [VisitStatus.ARRIVED]
    else:
        return
    for number, step in enumerate(steps):
        visit.status = step
        at = visit.starts_at + dt.timedelta(minutes=5 * number - 5)
        session.add(StatusChange(visit_id=visit.id, status=step, at=at, by_user_id=None, reason=""))
    session.flush()
    if visit.status == VisitStatus.NO_SHOW:
        give_up(session, visit, now)


def _blocks(session: Session, team: list[Therapist], users: Mapping[str, User], now: dt.datetime) -> None:
    """A team meeting and a laundry hour, so that other blocks are seen on the grid."""
    today = now.astimezone(ZoneInfo(ZONE)).date()
    for therapist, kind, days, hour, note in (
        (team[0], "meeting", 1, 16, "Team meeting"), (team[2], "laundry", 2, 15, "Laundry"),
        (team[4], "off", 6, 9, "Family day"),
    ):  # fmt: skip
        start = dt.datetime.combine(today + dt.timedelta(days=days), dt.time(hour), ZoneInfo(ZONE))
        length = dt.timedelta(hours=6 if kind == "off" else 1)
        session.add(
            TimeOff(
                therapist_id=therapist.id,
                kind=kind,
                starts_at=start.astimezone(dt.UTC),
                ends_at=(start + length).astimezone(dt.UTC),
                note=note,
                created_at=now,
                created_by_id=users["owner"].id,
            )
        )
    session.flush()
    claim_blocks(session, [team[0].id, team[2].id, team[4].id], now)
