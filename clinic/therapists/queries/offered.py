"""At which places of the clinic therapists work, and services are given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select, union

from clinic.catalogue.models import Service, ServiceMode
from clinic.premises import queries as premises
from clinic.premises.models import Location
from clinic.shared.database import db
from clinic.therapists.models import DatedHours, Therapist, WorkingHours


def working_at(today: dt.date) -> dict[int, list[int]]:
    """Therapist who can be booked → the places in use where they have hours, weekly or on a date from today on."""
    hours = union(
        select(WorkingHours.therapist_id, WorkingHours.location_id).where(WorkingHours.kind == "work"),
        select(DatedHours.therapist_id, DatedHours.location_id).where(DatedHours.day >= today),
    ).subquery()
    rows = db.session.execute(
        select(hours.c.therapist_id, hours.c.location_id)
        .join(Location, Location.id == hours.c.location_id)
        .join(Therapist, Therapist.id == hours.c.therapist_id)
        .where(Location.is_active, Therapist.is_active)
        .order_by(hours.c.therapist_id, hours.c.location_id)
    )
    found: dict[int, list[int]] = {}
    for therapist, place in rows:
        found.setdefault(therapist, []).append(place)
    return found


def given_at(services: Iterable[Service], today: dt.date) -> dict[str, list[int]]:
    """Service → the places that open, with a room, the devices and a therapist for it, in at least one of its forms."""
    working, opening = working_at(today), premises.places_that_open(today)
    team: dict[int, list[Therapist]] = {}
    for one in db.session.scalars(select(Therapist).where(Therapist.id.in_(working)).order_by(Therapist.id)):
        for place in working[one.id]:
            team.setdefault(place, []).append(one)
    kinds = premises.kinds_at_places()
    return {
        row.key: [
            place
            for place, people in sorted(team.items())
            if place in opening and _is_given(row, people, today, *kinds.get(place, ((), ())))
        ]
        for row in services
    }


def given_by_nobody(services: Iterable[Service], today: dt.date) -> list[tuple[Service, list[ServiceMode]]]:
    """Services for which no therapist who can be booked has the licence and the skills, today or later; with the ways
    in which nobody gives them, where somebody gives the others."""
    team = list(db.session.scalars(select(Therapist).where(Therapist.is_active).order_by(Therapist.id)))
    found = []
    for row in services:
        forms = _forms(row)
        missing = [form for form in forms if not _may_be_given(row, form, team, today)]
        if missing:
            ways = [form for form in missing if isinstance(form, ServiceMode)]
            found.append((row, ways if len(missing) < len(forms) else []))
    return found


def _forms(row: Service) -> list[Service | ServiceMode]:
    modes = {mode.key: mode for mode in row.modes}
    return [modes.get(key or "", row) for key in dict.fromkeys(length.mode for length in row.lengths)]


def _is_given(
    row: Service, people: list[Therapist], today: dt.date, rooms: Iterable[str], devices: Iterable[str]
) -> bool:
    return any(
        form.room_kind in rooms
        and set(form.device_kinds) <= set(devices)
        and _may_be_given(row, form, people, today)
        for form in _forms(row)
    )


def _may_be_given(
    row: Service, form: Service | ServiceMode, people: Iterable[Therapist], today: dt.date
) -> bool:
    return any(
        one.licence_kind == row.licence_kind
        and one.licence_expires_on >= today
        and one.skills_from(today) >= frozenset(form.skills)
        for one in people
    )
