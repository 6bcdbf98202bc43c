"""The demo's waitlist, and the day on which a therapist has called in sick."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.booking.models import WaitlistWish
from clinic.booking.services._claims import claim_blocks
from clinic.booking.services._line import offer_next
from clinic.catalogue import queries as catalogue
from clinic.clients.models import Client
from clinic.demo.team import ZONE
from clinic.premises.models import Location
from clinic.rules.waitlist import EVERY_DAY, Part
from clinic.rules.wall_time import WallClock, moment
from clinic.therapists.models import Therapist, TimeOff

SICK_DAYS_AHEAD = 1
VISITS_THEN = 6


def sick_day(now: dt.datetime) -> dt.date:
    """The day on which a therapist is going to call in sick."""
    return now.astimezone(ZoneInfo(ZONE)).date() + dt.timedelta(days=SICK_DAYS_AHEAD)


def call_in_sick(session: Session, therapist: Therapist, day: dt.date, user: User, now: dt.datetime) -> None:
    """The therapist is off on that day, with visits in it: work for the desk."""
    starts, ends = WallClock(ZoneInfo(ZONE)).day_bounds(day)
    session.add(
        TimeOff(
            therapist_id=therapist.id, kind="off", starts_at=moment(starts), ends_at=moment(ends),
            note="Not in: called in sick", created_at=now, created_by_id=user.id,
        )
    )  # fmt: skip
    session.flush()
    claim_blocks(session, [therapist.id], now)


def make_waitlist(
    session: Session,
    place: Location,
    people: list[Client],
    sick: Therapist,
    day: dt.date,
    users: Mapping[str, User],
    now: dt.datetime,
) -> None:
    """Two who would like the therapist who is off; and one to whom a free time is offered now."""
    morning, evening = [Part.MORNING.value], [Part.EVENING.value]
    for person, service, minutes, therapist, parts in (
        (people[0], "deep_tissue", 60, sick.id, morning),
        (people[3], "sports", 45, sick.id, [*morning, *evening]),
        (people[6], "relaxation", 60, None, [Part.AFTERNOON.value, *evening]),
    ):
        plan = catalogue.plan_for(service, None, (), minutes, first_visit=False)
        if plan is not None:
            session.add(
                WaitlistWish(
                    location_id=place.id, client_id=person.id, service_id=plan.service_id,
                    therapist_id=therapist, mode=None, addons=[],
                    areas=["full_body"], minutes=minutes, first_day=day, last_day=day, weekdays=list(EVERY_DAY),
                    parts=parts, notice_hours=2, source="desk", made_at=now - dt.timedelta(hours=5),
                    made_by_id=users["front_desk"].id,
                )
            )  # fmt: skip
    session.flush()
    offer_next(session, day, now)
