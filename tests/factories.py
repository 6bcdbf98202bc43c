"""Rows for tests. Each function demands what a test must say and fills in the rest; it commits and returns the row.

Moments are fixed: nothing here reads the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from clinic.accounts.models import User, UserGrant, UserRole
from clinic.catalogue.models import Addon, Service, ServiceLength, ServiceMode
from clinic.clients.models import Client, ClientAccess
from clinic.premises.models import Clinic, Device, Location, OpeningHours, Room
from clinic.rules.contact import email_key, name_key, phone_key
from clinic.rules.permissions import Permission, Role
from clinic.shared.database import Base, transaction
from clinic.therapists.models import NeverTogether, Therapist, TherapistSkill, TimeOff, WorkingHours

LONG_AGO = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
LATER_THAN_ANY_TEST = dt.date(2099, 12, 31)
WORKDAYS = range(5)
STILL_WATERS = {
    "name": "Still Waters", "mail_sender": "hello@stillwaters.example", "emergency_number": "911",
}  # fmt: skip

Row = TypeVar("Row", bound=Base)


def save(row: Row) -> Row:
    """Commit one row."""
    with transaction() as session:
        session.add(row)
    return row


def make_clinic(**values: Any) -> Clinic:
    """The clinic's settings, with the defaults of the model. Has no place yet: see make_location."""
    return save(Clinic(**{**STILL_WATERS, **values}))


def make_location(
    *, zone: str, opens: str | None = "08:00", closes: str = "20:00", **values: Any
) -> Location:
    """A place that is open every day from `opens` to `closes`, or never when `opens` is None."""
    values = {
        "name": "Main Street",
        "address": "12 Main Street\nSpringfield",
        "phone": "+12125550100",
        **values,
    }
    place = save(Location(zone=zone, **values))
    if opens is not None:
        make_opening_hours(place, opens=opens, closes=closes)
    return place


def make_opening_hours(
    location: Location, *, opens: str, closes: str, weekdays: Iterable[int] = range(7)
) -> list[OpeningHours]:
    """Weekly opening hours; times as 09:00."""
    rows = [
        OpeningHours(location_id=location.id, weekday=weekday, opens=_time(opens), closes=_time(closes))
        for weekday in weekdays
    ]
    with transaction() as session:
        session.add_all(rows)
    return rows


def make_room(
    location: Location, *, name: str = "Room 1", room_kind: str = "treatment", **values: Any
) -> Room:
    return save(Room(location_id=location.id, name=name, room_kind=room_kind, **values))


def make_device(location: Location, *, device_kind: str, name: str = "", **values: Any) -> Device:
    return save(Device(location_id=location.id, name=name or device_kind, device_kind=device_kind, **values))


def make_user(*, email: str, roles: Iterable[Role], given: Iterable[Permission] = (), **values: Any) -> User:
    """An account without a password unless `password_hash` is given."""
    values = {"name": email.partition("@")[0].title(), "created_at": LONG_AGO, **values}
    user = User(email=email, password_hash=values.pop("password_hash", None), **values)
    user.role_rows = [UserRole(role=role) for role in roles]
    user.grant_rows = [UserGrant(permission=permission) for permission in given]
    return save(user)


def make_therapist(*, name: str, skills: Iterable[str], **values: Any) -> Therapist:
    """A therapist with a licence that outlasts the tests, and no hours yet: see make_hours."""
    values = {"licence_number": "T-1", "licence_expires_on": LATER_THAN_ANY_TEST, **values}
    row = Therapist(name=name, **values)
    row.skill_rows = [TherapistSkill(skill=skill) for skill in sorted(skills)]
    return save(row)


def make_hours(
    therapist: Therapist,
    location: Location,
    *,
    starts: str,
    ends: str,
    weekdays: Iterable[int] = WORKDAYS,
    kind: str = "work",
) -> list[WorkingHours]:
    """Weekly hours, or breaks with `kind="break"`; times as 09:00."""
    rows = [
        WorkingHours(
            therapist_id=therapist.id,
            location_id=location.id,
            kind=kind,
            weekday=weekday,
            starts=_time(starts),
            ends=_time(ends),
        )
        for weekday in weekdays
    ]
    with transaction() as session:
        session.add_all(rows)
    return rows


def make_time_off(
    therapist: Therapist, *, starts_at: dt.datetime, ends_at: dt.datetime, **values: Any
) -> TimeOff:
    """Only the row: the claims it makes are the booking's work."""
    return save(
        TimeOff(
            therapist_id=therapist.id,
            starts_at=starts_at,
            ends_at=ends_at,
            **{"created_at": LONG_AGO, **values},
        )
    )


def make_never_together(
    client: Client, therapist: Therapist, *, reason: str = "Asked for it."
) -> NeverTogether:
    return save(
        NeverTogether(client_id=client.id, therapist_id=therapist.id, created_at=LONG_AGO, reason=reason)
    )


def make_service(
    *,
    key: str,
    prices: Mapping[int, int],
    judged_as: Iterable[str] = (),
    addons: Iterable[Addon] = (),
    modes: Iterable[ServiceMode] = (),
    mode_prices: Mapping[tuple[str, int], int] | None = None,
    **values: Any,
) -> Service:
    """A service with its lengths: `prices` is minutes → price in cents, `mode_prices` (mode, minutes) → price.

    It is judged as its key unless `judged_as` says otherwise. No first-visit minutes unless they are given.
    """
    values = {
        "name": key.replace("_", " ").capitalize(),
        "family": key,
        "summary": f"What {key} is.",
        "first_visit_minutes": 0,
        **values,
    }
    row = Service(key=key, judged_as=list(judged_as) or [key], **values)
    row.lengths = [
        ServiceLength(mode=None, minutes=minutes, price=price) for minutes, price in prices.items()
    ]
    for (mode, minutes), price in (mode_prices or {}).items():
        row.lengths.append(ServiceLength(mode=mode, minutes=minutes, price=price))
    row.modes = list(modes)
    row.addons = list(addons)
    return save(row)


def make_addon(*, key: str, price: int, minutes: int = 0, turnover_minutes: int = 5, **values: Any) -> Addon:
    values = {"name": key.replace("_", " ").capitalize(), "judged_as": key, **values}
    return save(Addon(key=key, price=price, minutes=minutes, turnover_minutes=turnover_minutes, **values))


def make_client(
    *,
    first_name: str,
    last_name: str,
    born_on: dt.date,
    email: str | None = None,
    phone: str | None = None,
    acts: Mapping[int, str] | None = None,
    **values: Any,
) -> Client:
    """A client; `acts` is account id → relation for those who may act for this person: accounts that were entered."""
    row = Client(
        first_name=first_name,
        last_name=last_name,
        name_key=name_key(first_name, last_name),
        born_on=born_on,
        email=email,
        email_key=email_key(email),
        phone=phone,
        phone_key=phone_key(phone, "US"),
        **{"created_at": LONG_AGO, **values},
    )
    save(row)
    for user_id, relation in (acts or {}).items():
        save(ClientAccess(user_id=user_id, client_id=row.id, relation=relation, since=LONG_AGO))
        with transaction() as session:
            user = session.get_one(User, user_id)
            user.password_hash = user.password_hash or "x"
    return row


def _time(text: str) -> dt.time:
    return dt.time.fromisoformat(text)
