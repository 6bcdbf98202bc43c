"""What a clinic still needs before anybody can be booked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select

from clinic.premises.models import DatedOpening, Location, OpeningHours, Room
from clinic.shared.database import db
from clinic.therapists.models import DatedHours, Therapist, WorkingHours


@dataclass(frozen=True)
class FirstSteps:
    """Which of the first steps are done. Whether a therapist is there counts only with hours to work in."""

    has_address: bool
    has_opening_hours: bool
    has_room: bool
    has_therapist: bool

    @property
    def are_done(self) -> bool:
        """Whether somebody could be booked; an address is only good to have."""
        return self.has_opening_hours and self.has_room and self.has_therapist


def first_steps() -> FirstSteps:
    """How far this clinic has come, in one statement."""
    weekly, dated = (
        exists().where(one.therapist_id == Therapist.id).correlate(Therapist)
        for one in (WorkingHours, DatedHours)
    )
    return FirstSteps(
        *db.session.execute(
            select(
                exists().where(Location.is_active, Location.address != ""),
                exists().where(Location.is_active, Location.id == OpeningHours.location_id)
                | exists().where(Location.is_active, Location.id == DatedOpening.location_id),
                exists().where(Room.is_active),
                exists().where(Therapist.is_active, weekly | dated),
            )
        ).one()
    )
