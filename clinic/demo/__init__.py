"""The demo clinic: invented people and three weeks of visits around today, the same for the same day.

Only `clinic demo` fills it in, and only into an empty database. Every visit goes through the gate and the claims
like a real one.
"""

from __future__ import annotations

import datetime as dt
import random

from clinic.accounts.passwords import hash_password
from clinic.catalogue.services import add_starter_catalogue
from clinic.demo.notes import write_notes, write_wishes
from clinic.demo.people import make_clients
from clinic.demo.team import ZONE, make_premises, make_team, make_users
from clinic.demo.visits import fill_day, fill_diary, give_visits, make_blocks
from clinic.demo.waiting import VISITS_THEN, call_in_sick, make_waitlist, sick_day
from clinic.shared.database import transaction
from clinic.starting import is_empty

__all__ = ["PASSWORD", "SIGN_INS", "ZONE", "fill_if_empty"]

SEED = 20260301
PASSWORD = "quiet-willow"  # noqa: S105 (printed on purpose: everything in the demo is invented)
SIGN_INS = (
    ("Client", "client@willow.example", PASSWORD),
    ("Therapist", "therapist@willow.example", PASSWORD),
    ("Front desk", "desk@willow.example", PASSWORD),
    ("Owner", "owner@willow.example", PASSWORD),
)


def fill_if_empty(now: dt.datetime) -> bool:
    """Fill an empty database with the demo; returns whether it did."""
    if not is_empty():
        return False
    password_hash = hash_password(PASSWORD)  # slow on purpose, so outside the transaction
    # S311: this makes demo people, not secrets.
    chance = random.Random(SEED)  # noqa: S311
    with transaction() as session:
        place = make_premises(session)
        add_starter_catalogue(session)
        users = make_users(session, password_hash, now)
        team = make_team(session, place, users, now)
        people = make_clients(session, users, chance, now)
        session.flush()
        sick, day = team[0], sick_day(now)
        own, *others = people
        fill_day(session, place, sick, others, day=day, most=VISITS_THEN, now=now)
        fill_diary(session, place, team, others, chance, now)
        give_visits(session, place, team, own, now)
        session.flush()
        write_notes(session, random.Random(SEED))  # noqa: S311 - of its own: it moves nothing else
        write_wishes(session, random.Random(SEED))  # noqa: S311
        make_blocks(session, team, users, now)
        call_in_sick(session, sick, day, users["owner"], now)
        make_waitlist(session, place, people, sick, day, users, now)
    return True
