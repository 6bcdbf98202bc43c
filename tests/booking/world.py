"""A small clinic for booking tests: one place in New York, three therapists with every skill, the starter catalogue.

All moments are built from the fixed `NOW` of tests/conftest.py (Tuesday 9 June 2026, 09:00 in New York).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.services import checkout, visits
from clinic.booking.services.checkout import Choice
from clinic.catalogue.models import Service, ServiceLength
from clinic.catalogue.services import add_starter_catalogue
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.intake.services import intakes
from clinic.premises.models import Location
from clinic.rules import questionnaire
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests import factories, repeating
from tests.conftest import NOW

ZONE = "America/New_York"
SERVICE_SKILLS = ("traction", "cupping", "chamber", "deep_tissue", "sports", "hot_stone", "aromatherapy")
SKILLS = (*SERVICE_SKILLS, "prenatal", "oncology")
SERVICES = {
    "decompression_traction": 45,
    "decompression_vacuum": 45,
    "decompression_vacuum_magnetic": 30,
    "swedish": 60,
    "deep_tissue": 60,
    "sports": 45,
    "relaxation": 60,
}
TODAY = NOW.astimezone(ZoneInfo(ZONE)).date()
_numbers = itertools.count(1)


@dataclass(frozen=True)
class World:
    """Ids, so that no transaction can expire them."""

    place_id: int
    therapists: tuple[int, ...]
    desk_id: int


def build(
    therapists: int = 3,
    *,
    check_in: bool = False,
    minds_rest: bool = False,
    skills: Iterable[str] = SKILLS,
) -> World:
    """Make it in the current application's database. `check_in`: nobody arrives without the check-in of the day.

    `minds_rest`: visits of one client keep their distance. Off, because many tests book the same client several times
    in a few days to look at something else.
    """
    skills = tuple(skills)
    return repeating.rows_of(
        ("world", therapists, check_in, minds_rest, skills),
        lambda: _build(therapists, check_in=check_in, minds_rest=minds_rest, skills=skills),
    )


def build_for_two() -> World:
    """The same with a room for two."""
    made = build()
    add_room_for_two(made)
    return made


def add_room_for_two(world: World) -> None:
    """One with two tables."""
    factories.make_room(db.session.get_one(Location, world.place_id), name="For two", tables=2)


def _build(therapists: int, *, check_in: bool, minds_rest: bool, skills: Iterable[str]) -> World:
    factories.make_clinic(lead_time_minutes=60, check_in_needed=check_in, minds_rest=minds_rest)
    place: Location = factories.make_location(zone=ZONE)
    for number in range(1, 4):
        factories.make_room(place, name=f"Room {number}")
    factories.make_room(place, name="Chamber", room_kind="chamber")
    for kind in (
        "vacuum_unit",
        "vacuum_unit",
        "magnet_cups",
        "interval_chamber",
        "stone_heater",
        "stone_heater",
    ):
        factories.make_device(place, device_kind=kind)
    with transaction() as session:
        add_starter_catalogue(session)
    team = []
    for number in range(therapists):
        one = factories.make_therapist(name=f"Terry {number}", skills=skills)
        factories.make_hours(one, place, starts="08:00", ends="20:00", weekdays=range(7))
        team.append(one.id)
    desk: User = factories.make_user(email="desk@clinic.example", roles=[Role.FRONT_DESK])
    return World(place.id, tuple(team), desk.id)


def at(days: int, hour: int = 10, minute: int = 0) -> dt.datetime:
    """That wall time, `days` from today, as a moment."""
    day = TODAY + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour, minute), ZoneInfo(ZONE)).astimezone(dt.UTC)


def new_number() -> int:
    """A number that nobody else in this run has: for names, addresses and telephones."""
    return next(_numbers)


def person(born_on: dt.date = dt.date(1985, 5, 5), **values: Any) -> int:
    """A client with a name of their own."""
    number = next(_numbers)
    return factories.make_client(first_name="Pat", last_name=f"Number{number}", born_on=born_on, **values).id


def answers(**declared: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """A whole intake: everything "no" but what is declared (details without `present`)."""
    whole: dict[str, Mapping[str, object]] = {
        condition.key: {"present": False}
        for page in questionnaire.pages("intake")
        for condition in page.conditions
    }
    return {**whole, **{key: {"present": True, **details} for key, details in declared.items()}}


def sign(client_id: int, *, now: dt.datetime = NOW, **declared: Mapping[str, object]) -> int:
    """The client signs an intake."""
    return sign_answers(client_id, declared, now=now)


def sign_answers(
    client_id: int, declared: Mapping[str, Mapping[str, object]], *, now: dt.datetime = NOW
) -> int:
    """The client signs an intake that declares these conditions."""
    return intakes.submit_intake(
        client_id, answers(**declared), signature(client_id, now), writer="client", source="online",
        consents={}, by=None, now=now, today=now.astimezone(ZoneInfo(ZONE)).date(),
    )  # fmt: skip


def signature(client_id: int, now: dt.datetime = NOW) -> intakes.Signature:
    """Their own; for a young person that of a parent, with their own yes."""
    client = db.session.get(Client, client_id)
    is_minor = client is not None and client.age_on(now.astimezone(ZoneInfo(ZONE)).date()) < 18
    db.session.rollback()
    if is_minor:
        return intakes.Signature("Gil Guardian", "parent", young_person_agrees=True)
    return intakes.Signature("Pat Number")


def choice(service: str, **values: Any) -> Choice:
    return Choice(service=service, minutes=values.pop("minutes", SERVICES[service]), **values)


def catalogue_price(service: str) -> int:
    """What the usual length of this service costs on the list of now."""
    listed = select(ServiceLength.price).join(Service).where(
        Service.key == service, ServiceLength.mode.is_(None), ServiceLength.minutes == SERVICES[service]
    )  # fmt: skip
    price = db.session.scalars(listed).one()
    db.session.rollback()
    return price


def at_desk(
    world: World, client_id: int, service: str, *, when: dt.datetime | None = None, **values: Any
) -> visits.Outcome:
    """Booked by the desk, which has asked what has changed since the last answers unless `reconfirmed` is False."""
    reconfirmed = values.pop("reconfirmed", True)
    return visits.book_visit(
        choice(service, **values), client_id, when or at(3), request_key=f"r{next(_numbers)}", source="desk",
        by=world.desk_id, now=NOW, reconfirmed=reconfirmed,
    )  # fmt: skip


def online(
    service: str,
    declared: Mapping[str, Mapping[str, object]],
    *,
    when: dt.datetime | None = None,
    **values: Any,
) -> checkout.Result:
    """Booked by somebody who is not signed in: hold, name, intake, confirm."""
    number = next(_numbers)
    token = checkout.hold_slot(
        None, choice(service, **values), when or at(3), first_visit=True, user_id=None, now=NOW
    )
    details = Details(
        first_name="Only", last_name=f"Online{number}", born_on=dt.date(1990, 1, 1),
        email=f"online{number}@people.example", phone=f"(212) 555-{2000 + number % 7000}",
    )  # fmt: skip
    client_id = checkout.name_person(token, details, relation="self", now=NOW)
    sign_answers(client_id, declared)
    return checkout.confirm(token, user_id=None, now=NOW)


def statuses(client_id: int) -> list[str]:
    """What stands in the database for this client, oldest first; holds that were given back left out."""
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Visit.status)
            .where(Visit.client_id == client_id, Visit.status != "released")
            .order_by(Visit.starts_at)
        )
    )


def visit_of(visit_id: int) -> Visit:
    """The visit as it is in the database by now."""
    db.session.rollback()
    return db.session.get_one(Visit, visit_id)


def healthy(**details: Any) -> int:
    """Somebody who has signed that nothing speaks against a treatment; returns their id."""
    client = person(**details)
    sign(client)
    return client
