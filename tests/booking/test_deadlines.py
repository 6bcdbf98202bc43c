"""A visit that waits is given back at its deadline, unless its client is at the questions at that moment."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services.deadlines import keep_deadlines
from clinic.intake.models import TabletPass
from clinic.intake.queries import AT_IT
from clinic.intake.services import intakes
from clinic.rules.booking_policy import AT_THE_DESK
from clinic.shared.database import db, transaction
from tests.booking import world as w

pytestmark = pytest.mark.usefixtures("now")
MINUTE, SECOND = dt.timedelta(minutes=1), dt.timedelta(seconds=1)


@pytest.fixture
def waits(world: w.World) -> Visit:
    """Booked by the desk for somebody who has answered nothing yet."""
    visit = db.session.get_one(Visit, w.at_desk(world, w.person(), "swedish").visit_id)
    db.session.expunge(visit)
    assert (visit.status, visit.waiting_for) == ("pending", "intake")
    return visit


def types(visit: Visit, when: dt.datetime) -> None:
    assert visit.client_id is not None
    intakes.save_draft(visit.client_id, "tablet", "full", {}, now=when, half={"q": ["half"]})


def handed_over(visit: Visit, world: w.World, when: dt.datetime, *, ended: bool) -> None:
    with transaction() as session:
        session.add(
            TabletPass(
                client_id=visit.client_id, token_hash="t", made_at=when, seen_at=when, made_by_id=world.desk_id,
                expires_at=when + 45 * MINUTE, ended_at=when if ended else None,
            )
        )  # fmt: skip


def status(visit: Visit) -> str:
    db.session.rollback()
    return db.session.scalars(select(Visit.status).where(Visit.id == visit.id)).one()


def ends(visit: Visit) -> dt.datetime:
    assert visit.deadline_at is not None
    return visit.deadline_at


@pytest.mark.parametrize(
    ("typed_before", "after", "kept"),
    [
        (AT_IT - SECOND, 0 * SECOND, "pending"),
        (AT_IT, 0 * SECOND, "released"),
        (SECOND, AT_THE_DESK - SECOND, "pending"),
        (SECOND, AT_THE_DESK, "released"),
    ],
    ids=["just now", "ten minutes ago", "to the end of the half hour", "no longer than that"],
)
def test_whoever_is_at_the_questions_keeps_the_time(
    waits: Visit, typed_before: dt.timedelta, after: dt.timedelta, kept: str
) -> None:
    now = ends(waits) + after
    types(waits, now - typed_before)
    assert keep_deadlines(now) == (kept == "released")
    assert status(waits) == kept


def test_nobody_at_the_questions_and_the_time_is_given_back(waits: Visit) -> None:
    assert keep_deadlines(ends(waits) - SECOND) == 0
    assert keep_deadlines(ends(waits)) == 1
    assert status(waits) == "released"


def test_what_somebody_else_types_keeps_no_time(waits: Visit) -> None:
    other = db.session.get_one(Visit, waits.id)
    db.session.expunge(other)
    other.client_id = w.person()
    types(other, ends(waits) - SECOND)
    keep_deadlines(ends(waits))
    assert status(waits) == "released"


@pytest.mark.parametrize("ended", [False, True], ids=["in their hands", "given back"])
def test_the_tablet_in_their_hands_keeps_the_time_before_a_word_is_typed(
    waits: Visit, world: w.World, ended: bool
) -> None:
    handed_over(waits, world, ends(waits) - 2 * MINUTE, ended=ended)
    keep_deadlines(ends(waits))
    assert status(waits) == ("released" if ended else "pending")


def test_answers_signed_in_the_half_hour_confirm_the_visit(waits: Visit) -> None:
    assert waits.client_id is not None
    now = ends(waits) + 20 * MINUTE
    types(waits, now - MINUTE)
    keep_deadlines(now)
    w.sign(waits.client_id, now=now)
    assert status(waits) == "confirmed"
