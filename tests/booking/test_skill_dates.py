"""A skill counts from its first to its last day: what is offered, booked and moved is judged by the visit's own day."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.booking.models import Visit
from clinic.booking.queries import availability, blocks, bookable, unfit
from clinic.booking.services import visits
from clinic.rules.errors import SlotTaken
from clinic.shared.database import db, transaction
from clinic.therapists.models import TherapistSkill
from tests.booking import world as w
from tests.booking.test_skills_after import EXPECTING
from tests.booking.test_why_no_times import wish
from tests.conftest import NOW
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")
FIRST, LAST = 5, 6


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(therapists=1)


def only_on(skill: str, first: int | None = FIRST, last: int | None = LAST) -> None:
    """The skill of everybody who has it is good from one day to another."""
    with transaction() as session:
        for row in session.query(TherapistSkill).where(TherapistSkill.skill == skill):
            row.starts_on = None if first is None else w.TODAY + dt.timedelta(days=first)
            row.ends_on = None if last is None else w.TODAY + dt.timedelta(days=last)


def days_offered(**values: object) -> list[int]:
    """On which of the next days there are times."""
    db.session.rollback()
    ask, place = bookable.ask_of(wish(3, 6, addons=("hot_stone",), **values), now=NOW)
    return sorted(
        {(one.starts_at // 1440 - minute_of_today()) for one in availability.look(ask, place).starts()}
    )


def minute_of_today() -> int:
    return int(w.at(0, 10).timestamp() // 60 // 1440)


def test_times_are_offered_on_its_days_alone_by_the_same_statements(world: w.World) -> None:
    with counted() as before:
        assert days_offered() == [3, 4, 5, 6, 7, 8]
    only_on("hot_stone")
    with counted() as after:
        assert days_offered() == [5, 6]
    assert len(after) == len(before)
    only_on("hot_stone", None, LAST)
    assert days_offered() == [3, 4, 5, 6]
    only_on("hot_stone", FIRST, None)
    assert days_offered() == [5, 6, 7, 8]


def test_booked_and_moved_on_its_days_alone(world: w.World) -> None:
    only_on("hot_stone")
    client = w.person()
    w.sign(client)
    made = {}
    for day in (FIRST - 1, FIRST, LAST, LAST + 1):
        try:
            made[day] = w.at_desk(world, client, "swedish", when=w.at(day), addons=("hot_stone",)).visit_id
        except SlotTaken:
            made[day] = None
    assert [bool(one) for one in made.values()] == [False, True, True, False]
    visit_id = made[LAST] or 0
    revision = db.session.get_one(Visit, visit_id).revision
    with pytest.raises(SlotTaken):
        visits.change_visit(visit_id, revision=revision, starts_at=w.at(LAST + 1, 15), by=None, now=NOW)
    assert unfit.visits_to_reassign(blocks.coming(NOW)) == []
    only_on("hot_stone", None, FIRST)
    assert [one.id for one in unfit.visits_to_reassign(blocks.coming(NOW))] == [visit_id]


def test_what_only_the_answers_ask_for_is_judged_by_the_day_too(world: w.World) -> None:
    """Also for a therapist who is asked for by name."""
    only_on("prenatal")
    client = w.person()
    w.sign_answers(client, {"pregnancy": EXPECTING})
    terry = world.therapists[0]
    with pytest.raises(SlotTaken, match="another therapist"):
        w.at_desk(world, client, "relaxation", when=w.at(LAST + 1), therapist_id=terry)
    assert w.at_desk(world, client, "relaxation", when=w.at(LAST), therapist_id=terry).visit_id
