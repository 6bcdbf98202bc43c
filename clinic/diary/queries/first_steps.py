"""What a clinic still needs before anybody can be booked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import exists, select

from clinic.premises import queries as premises
from clinic.premises.models import DatedOpening, Location, OpeningHours, Room
from clinic.shared.database import db
from clinic.therapists import queries as therapists
from clinic.therapists.models import DatedHours, Therapist, WorkingHours


@dataclass(frozen=True)
class PlaceSteps:
    """What a place has of all that a visit needs. Whether a therapist is there counts only with hours to work in."""

    has_opening_hours: bool
    has_room: bool
    has_therapist: bool

    @property
    def are_done(self) -> bool:
        """Whether something could be booked there."""
        return self.has_opening_hours and self.has_room and self.has_therapist


@dataclass(frozen=True)
class FirstSteps(PlaceSteps):
    """Which of the first steps of a clinic are done, at whichever place; an address is only good to have."""

    has_address: bool


def first_steps() -> FirstSteps:
    """How far this clinic has come, in one statement."""
    weekly, dated = (
        exists().where(one.therapist_id == Therapist.id).correlate(Therapist)
        for one in (WorkingHours, DatedHours)
    )
    return FirstSteps(
        *db.session.execute(
            select(
                exists().where(Location.is_active, Location.id == OpeningHours.location_id)
                | exists().where(Location.is_active, Location.id == DatedOpening.location_id),
                exists().where(Room.is_active),
                exists().where(Therapist.is_active, weekly | dated),
                exists().where(Location.is_active, Location.address != ""),
            )
        ).one()
    )


def steps_of_places(today: dt.date) -> dict[int, PlaceSteps]:
    """How far each place in use has come."""
    opening, kinds = premises.places_that_open(today), premises.kinds_at_places()
    working = {place for places in therapists.working_at(today).values() for place in places}
    return {
        one.id: PlaceSteps(one.id in opening, bool(kinds.get(one.id, ((), ()))[0]), one.id in working)
        for one in premises.places()
    }
