"""The demo's clinic: its rooms and devices, who signs in, and the therapists with their hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.accounts.models import User, UserRole
from clinic.premises.models import Clinic, Device, Location, OpeningHours, Room
from clinic.rules.permissions import Role
from clinic.therapists.models import Therapist, TherapistSkill, WorkingHours

ZONE = "America/New_York"


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


def make_premises(session: Session) -> Location:
    """The clinic, its place, rooms and devices."""
    session.add(
        Clinic(
            id=1,
            name="Willow Clinic",
            mail_sender="hello@willow.example",
            currency="USD",
            month_first=True,
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
        tables = 2 if name == "Fern" else 1  # for two people at once
        session.add(Room(location_id=place.id, name=name, room_kind=kind, tables=tables))
    for name, kind in (
        ("Vacuum unit A", "vacuum_unit"), ("Vacuum unit B", "vacuum_unit"), ("Magnet cups", "magnet_cups"),
        ("Interval chamber", "interval_chamber"), ("Stone heater 1", "stone_heater"),
        ("Stone heater 2", "stone_heater"),
    ):  # fmt: skip
        session.add(Device(location_id=place.id, name=name, device_kind=kind))
    session.flush()
    return place


def make_users(session: Session, password_hash: str, now: dt.datetime) -> dict[str, User]:
    """One account for each role."""
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


def make_team(
    session: Session, place: Location, users: Mapping[str, User], now: dt.datetime
) -> list[Therapist]:
    """The therapists with skills, hours and lunch."""
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
