"""Two people at the same time in one room: both or neither, at every step. What counts is what stands."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from clinic.booking.models import Claim, Couple, Screening, StatusChange, Visit
from clinic.booking.queries.in_the_way import visits_under
from clinic.booking.services import visits
from clinic.booking.services._pairing import CoupleOutcome
from clinic.booking.services.couple_changes import (
    cancel_couple,
    cancel_one,
    go_on_alone,
    move_couple,
    times_to_move,
)
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.deadlines import keep_deadlines
from clinic.booking.services.time_off import add_closure, add_time_off
from clinic.premises.models import Location
from clinic.rules.errors import InvalidInput, MoveNotAllowed, NotFound, SlotTaken
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.booking.test_from_day import OPERATED
from tests.booking.test_series import BLEEDS, rows, somebody
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    return build()


def build(therapists: int = 3) -> w.World:
    world = w.build(therapists)
    w.add_room_for_two(world)
    return world


def both(
    one: int, other: int, when: dt.datetime | None = None, key: str = "", **values: Any
) -> CoupleOutcome:
    halves = Half(one, w.choice("relaxation", **values)), Half(other, w.choice("swedish"))
    return book_couple(
        halves, when or w.at(3), request_key=key or None, source="desk", by=None, now=NOW, reconfirmed=True
    )


def pair(couple_id: int | None) -> tuple[Visit, Visit]:
    """The two visits, in the order in which they were booked, whether they still belong together or not."""
    db.session.rollback()
    ids = db.session.scalars(
        select(AuditRow).where(AuditRow.deed == "visit.booked").order_by(AuditRow.sequence)
    )
    one, other = [row.thing_id for row in ids if row.detail.get("couple") == couple_id]
    return db.session.get_one(Visit, one), db.session.get_one(Visit, other)


def states(couple_id: int | None) -> list[tuple[str, str | None]]:
    return [(one.status, one.waiting_for) for one in pair(couple_id)]


def claims() -> set[tuple[int, int | None, int | None]]:
    """Resource, visit, couple of every claim."""
    db.session.rollback()
    return {
        tuple(row) for row in db.session.execute(select(Claim.resource_id, Claim.visit_id, Claim.couple_id))
    }


CONFIRMED, SUSPENDED = ("confirmed", None), ("suspended", "partner")


def test_both_are_confirmed_with_two_therapists_and_one_room(world: w.World) -> None:
    outcome = both(somebody(), somebody(), minutes=90, key="once")
    one, other = pair(outcome.couple_id)
    assert states(outcome.couple_id) == [CONFIRMED, CONFIRMED]
    assert one.therapist_id != other.therapist_id
    assert (one.room_id, one.starts_at) == (other.room_id, w.at(3))
    assert claims() == {
        (one.therapist_id, one.id, None), (other.therapist_id, other.id, None), (one.client_id, one.id, None),
        (other.client_id, other.id, None), (one.room_id, None, outcome.couple_id),
    }  # fmt: skip
    shared = db.session.scalars(select(Claim).where(Claim.couple_id.is_not(None))).one()
    assert (shared.starts_at, shared.ends_at) == (w.at(3), one.free_at), "once, until the longer one is over"
    judged = {row.visit_id: row.client_id for row in db.session.scalars(select(Screening))}
    assert judged == {one.id: one.client_id, other.id: other.client_id}
    assert (rows(StatusChange), rows(OutgoingMail)) == (2, 2)
    again = book_couple(
        (Half(1, w.choice("swedish")), Half(2, w.choice("swedish"))), w.at(3), request_key="once", source="desk",
        by=None, now=NOW,
    )  # fmt: skip
    assert (again.couple_id, rows(Couple)) == (outcome.couple_id, 1)
    with pytest.raises(SlotTaken):  # the only room for two is taken, two others are not
        both(somebody(), somebody())
    assert rows(Couple) == 1


def test_one_is_refused_and_nothing_is_booked(world: w.World) -> None:
    ill = somebody(**BLEEDS)
    halves = Half(somebody(), w.choice("relaxation")), Half(ill, w.choice("deep_tissue"))
    outcome = book_couple(halves, w.at(3), request_key=None, source="desk", by=None, now=NOW)
    assert (outcome.couple_id, [one.refuses for one in outcome.judged]) == (None, [False, True])
    assert (rows(Visit), rows(Claim), rows(Couple), rows(OutgoingMail)) == (0, 0, 0, 0)
    kept = {(one.client_id == ill, one.permits) for one in db.session.scalars(select(Screening))}
    assert kept == {(False, True), (True, False)}


def test_when_one_waits_both_wait_and_are_confirmed_together(world: w.World) -> None:
    late, ready = w.person(), somebody()
    couple = both(late, ready).couple_id
    assert states(couple) == [("pending", "intake"), ("pending", "partner")]
    assert [one.permits for one in pair(couple)] == [None, None]
    w.sign(ready)  # new answers of the one who is ready confirm nobody
    assert states(couple) == [("pending", "intake"), ("pending", "partner")]
    w.sign(late)
    assert states(couple) == [CONFIRMED, CONFIRMED]
    assert {one.permits for one in pair(couple)} == {True}
    steps = db.session.scalars(select(StatusChange.reason).where(StatusChange.status == "confirmed")).all()
    assert sorted(steps) == ["judged again", "with the other visit of the two"]
    w.sign_answers(late, OPERATED)
    assert states(couple) == [("suspended", "clearance"), SUSPENDED]
    assert len(claims()) == 5
    w.sign_answers(ready, OPERATED)
    w.sign(late)
    assert [status for status, _waits in states(couple)] == ["suspended", "suspended"]


def test_refused_by_new_answers_the_other_one_waits_for_a_word(world: w.World) -> None:
    ill, well = somebody(), somebody()
    halves = Half(ill, w.choice("deep_tissue")), Half(well, w.choice("swedish"))
    couple = book_couple(
        halves, w.at(3), request_key=None, source="desk", by=None, now=NOW, reconfirmed=True
    ).couple_id
    w.sign_answers(ill, BLEEDS)
    one, other = pair(couple)
    assert states(couple) == [("cancelled", None), SUSPENDED]
    assert claims() == {
        (taken, other.id, None) for taken in (other.therapist_id, other.client_id, other.room_id)
    }
    assert (one.couple_id, other.couple_id, db.session.get_one(Couple, couple).ended_at) == (
        couple,
        None,
        NOW,
    )
    w.sign(well)
    assert states(couple)[1] == SUSPENDED, "new answers are not yet a word"
    assert go_on_alone(other.id, by=None, now=NOW) == "confirmed"
    assert states(couple)[1] == CONFIRMED
    with pytest.raises(NotFound):
        go_on_alone(other.id, by=None, now=NOW)


def test_a_deadline_gives_back_the_one_that_lacks_something(world: w.World) -> None:
    ready, late = somebody(), w.person()
    couple = both(ready, late).couple_id
    deadline = pair(couple)[0].deadline_at
    assert deadline == pair(couple)[1].deadline_at == w.at(2)
    assert deadline is not None
    with transaction() as session:  # the one that lacks nothing is looked at first
        sooner = deadline - dt.timedelta(minutes=1)
        session.execute(update(Visit).where(Visit.client_id == ready).values(deadline_at=sooner))
    assert sum(keep_deadlines(deadline) for _round in range(3)) == 1
    assert states(couple) == [("pending", "partner"), ("released", "intake")]
    first, _second = pair(couple)
    assert (first.status, first.waiting_for, first.deadline_at) == ("pending", "partner", w.at(3, 8))
    assert claims() == {
        (taken, first.id, None) for taken in (first.therapist_id, first.client_id, first.room_id)
    }
    assert go_on_alone(first.id, by=None, now=w.at(2, 12)) == "confirmed"


def test_one_cancels_and_the_other_goes_on_or_waits_for_a_word(world: w.World) -> None:
    couple = both(somebody(), w.person()).couple_id
    one, other = pair(couple)
    cancel_one(other.id, by=world.desk_id, by_clinic=False, now=NOW)
    assert states(couple) == [CONFIRMED, ("cancelled", None)]
    assert claims() == {(taken, one.id, None) for taken in (one.therapist_id, one.client_id, one.room_id)}
    with pytest.raises(NotFound):
        cancel_one(one.id, by=world.desk_id, by_clinic=False, now=NOW)
    second = both(somebody(), somebody(), when=w.at(5)).couple_id
    visits.cancel_visit(pair(second)[0].id, by=None, by_clinic=False, by_client=True, now=NOW)
    assert states(second) == [("cancelled", None), SUSPENDED]
    visits.cancel_visit(pair(second)[1].id, by=None, by_clinic=False, now=NOW)
    third = both(somebody(), somebody(), when=w.at(5)).couple_id or 0
    assert cancel_couple(third, by=None, by_clinic=False, now=w.at(4, 12)) == ["late_cancelled"] * 2
    assert cancel_couple(third, by=None, by_clinic=True, now=w.at(4, 12)) == ["late_cancelled"] * 2
    assert len(claims()) == 3
    with pytest.raises(NotFound):
        cancel_couple(987_654, by=None, by_clinic=True, now=NOW)


def test_moving_moves_both_or_none(world: w.World) -> None:
    operated = somebody()
    couple = both(operated, somebody(), when=w.at(15)).couple_id or 0
    before = claims()
    move_couple(couple, w.at(15, 10, 15), by=None, now=NOW)  # into the time that it takes itself
    assert {one.starts_at for one in pair(couple)} == {w.at(15, 10, 15)}
    assert (claims(), states(couple)) == (before, [CONFIRMED, CONFIRMED])
    w.sign_answers(operated, OPERATED)
    assert states(couple) == [CONFIRMED, CONFIRMED]
    outcome = move_couple(couple, w.at(5), by=None, now=NOW)  # a letter would be needed there
    assert (outcome.couple_id, [one.permits for one in outcome.judged]) == (None, [False, True])
    assert {one.starts_at for one in pair(couple)} == {w.at(15, 10, 15)}
    both(somebody(), somebody(), when=w.at(16))
    with pytest.raises(SlotTaken):
        move_couple(couple, w.at(16, 11), by=None, now=NOW)
    with pytest.raises(MoveNotAllowed):
        move_couple(couple, w.at(17), seen=[1, 1], by=None, now=NOW)
    alone = pair(couple)[0]
    with pytest.raises(MoveNotAllowed, match="two people"):
        visits.change_visit(alone.id, revision=alone.revision, starts_at=w.at(17), by=None, now=NOW)
    assert {one.starts_at for one in pair(couple)} == {w.at(15, 10, 15)}
    waiting = both(w.person(), somebody(), when=w.at(18)).couple_id or 0
    move_couple(waiting, w.at(19), by=None, now=NOW)
    assert states(waiting) == [("pending", "intake"), ("pending", "partner")]
    assert {one.day for one in pair(waiting)} == {w.TODAY + dt.timedelta(days=19)}


def test_a_couple_may_move_by_a_few_minutes_whatever_else_the_room_is_taken_for(world: w.World) -> None:
    """Their own place is not in their way, in whatever order the book is read."""
    for hour in (14, 8):
        both(somebody(), somebody(), w.at(3, hour))
    couple = both(somebody(), somebody(), w.at(3, 11)).couple_id
    assert couple is not None
    for hour in (16, 17):
        assert w.at_desk(world, somebody(), "relaxation", when=w.at(3, hour, 30)).visit_id
    free = times_to_move(couple, w.TODAY + dt.timedelta(days=3), now=NOW)
    assert free is not None
    offered = {moment(one.starts_at) for one in free.starts()}
    db.session.rollback()
    near = {w.at(3, 10, 45), w.at(3, 11), w.at(3, 11, 15)}
    assert near <= offered
    for when in sorted(near):
        assert move_couple(couple, when, by=world.desk_id, now=NOW).couple_id == couple


@pytest.mark.parametrize("name", ["most_visits_a_day", "most_minutes_a_day"])
def test_what_a_therapist_gives_to_one_of_the_two_is_free_for_the_other_when_both_move(
    app: Flask, name: str
) -> None:
    """Who treats the second is away at the new hour, and the third may not give that: the first one's has to."""
    world = build(therapists=2)
    third = factories.make_therapist(name="Third", skills=[key for key in w.SKILLS if key != "deep_tissue"])
    factories.make_hours(
        third, db.session.get_one(Location, world.place_id), starts="12:00", ends="20:00", weekdays=range(7)
    )
    with transaction() as session:
        for one in session.scalars(select(Therapist)):
            setattr(one, name, 1 if name == "most_visits_a_day" else 100)
    halves = Half(somebody(), w.choice("sports")), Half(somebody(), w.choice("deep_tissue"))
    couple = book_couple(
        halves, w.at(3), request_key=None, source="desk", by=None, now=NOW, reconfirmed=True
    ).couple_id
    assert couple is not None
    first, second = (one.therapist_id for one in pair(couple))
    db.session.rollback()
    assert third.id not in (first, second)
    add_time_off(second, "off", w.at(3, 13), w.at(3, 20), "", by=world.desk_id, now=NOW)
    free = times_to_move(couple, w.TODAY + dt.timedelta(days=3), now=NOW)
    assert free is not None
    assert w.at(3, 14) in {moment(one.starts_at) for one in free.starts()}
    db.session.rollback()
    move_couple(couple, w.at(3, 14), by=world.desk_id, now=NOW)
    assert [one.therapist_id for one in pair(couple)] == [third.id, first]


def test_time_off_under_a_couple_is_not_offered_for_its_move(world: w.World) -> None:
    """Two of three therapists are taken for both; one of these two is off, and the third as well."""
    couple = both(somebody(), somebody()).couple_id
    one, other = pair(couple)
    third = next(iter(set(world.therapists) - {one.therapist_id, other.therapist_id}))
    assert couple is not None
    for therapist in (one.therapist_id, third):
        add_time_off(therapist, "off", w.at(3, 9), w.at(3, 12), "", by=world.desk_id, now=NOW)
    free = times_to_move(couple, w.TODAY + dt.timedelta(days=3), now=NOW)
    assert free is not None
    offered = [moment(start.starts_at) for start in free.starts()]
    db.session.rollback()
    assert [start for start in offered if w.at(3, 9) <= start < w.at(3, 12)] == []
    assert w.at(3, 12) in offered
    with pytest.raises(SlotTaken):
        move_couple(couple, w.at(3, 10, 15), by=world.desk_id, now=NOW)


def test_bad_input(world: w.World) -> None:
    client, ana = somebody(), world.therapists[0]
    wish = w.choice("swedish", therapist_id=ana)
    for halves, error in (
        ((Half(client, wish), Half(client, w.choice("swedish"))), InvalidInput),
        ((Half(client, wish), Half(somebody(), wish)), InvalidInput),
        ((Half(client, wish), Half(987_654, w.choice("swedish"))), NotFound),
        ((Half(client, wish), Half(somebody(), w.choice("swedish", minutes=55))), InvalidInput),
    ):
        with pytest.raises(error):
            book_couple(halves, w.at(3), request_key=None, source="desk", by=None, now=NOW)
    assert (rows(Visit), rows(Claim)) == (0, 0)


def test_the_database_keeps_the_shared_room(world: w.World) -> None:
    couple = both(somebody(), somebody()).couple_id
    with pytest.raises(IntegrityError, match="ap_claim_kept"), transaction() as session:
        session.execute(delete(Claim).where(Claim.couple_id == couple))
    one, other = pair(couple)
    before = claims()
    add_closure(
        world.place_id, one.room_id, w.at(3, 9), w.at(3, 12), "Painting", by=world.desk_id, now=NOW
    )  # what was booked stays booked, and becomes work to do
    assert before < claims()
    assert {visit.id for visit in visits_under(NOW)} == {one.id, other.id}
    with pytest.raises(IntegrityError, match="ck_claim_owner"), transaction() as session:
        session.add(
            Claim(
                resource_id=one.room_id,
                visit_id=one.id,
                couple_id=couple,
                starts_at=w.at(9),
                ends_at=w.at(10),
            )
        )
    with pytest.raises(IntegrityError, match="ex_claim_overlap"), transaction() as session:
        session.add(Claim(resource_id=one.room_id, starts_at=w.at(3, 10, 30), ends_at=w.at(3, 11)))


def test_couples_and_singles_race_for_the_same_hour(app: Flask) -> None:
    """Two couples and two singles want the same hour of two therapists: one couple, or at most two singles."""
    world = build(therapists=2)
    for round_ in range(3):
        when = w.at(3 + round_)
        people = [somebody() for _one in range(6)]
        deeds: list[Callable[[], object]] = [
            lambda p=people, t=when: both(p[0], p[1], when=t),  # type: ignore[misc]
            lambda p=people, t=when: both(p[2], p[3], when=t),  # type: ignore[misc]
            lambda p=people, t=when: w.at_desk(world, p[4], "relaxation", when=t),  # type: ignore[misc]
            lambda p=people, t=when: w.at_desk(world, p[5], "relaxation", when=t),  # type: ignore[misc]
        ]
        gate = threading.Barrier(len(deeds))

        def run(deed: Callable[[], object], gate: threading.Barrier = gate) -> str:
            with app.app_context():
                gate.wait()
                try:
                    deed()
                except SlotTaken:
                    return "taken"
                finally:
                    db.session.remove()
            return "booked"

        with ThreadPoolExecutor(len(deeds)) as pool:
            results = list(pool.map(run, deeds))
        standing = [len(w.statuses(one)) for one in people]
        assert standing[0] == standing[1] == (results[0] == "booked")
        assert standing[2] == standing[3] == (results[1] == "booked")
        assert 1 <= sum(standing) <= 2
        shared = db.session.scalar(
            select(func.count())
            .select_from(Claim)
            .where(Claim.couple_id.is_not(None), Claim.starts_at == when)
        )
        assert shared == results[:2].count("booked")


def test_one_of_two_does_not_come_and_the_other_has_the_room(world: w.World) -> None:
    couple = both(somebody(), somebody()).couple_id
    one, other = pair(couple)
    late = w.at(3) + dt.timedelta(minutes=20)

    def mark(visit: Visit, status: VisitStatus) -> None:
        visits.mark_visit(
            visit.id, status, revision=visit.revision, by=world.desk_id, now=late, can_go_back=True
        )

    mark(one, VisitStatus.ARRIVED)
    mark(pair(couple)[1], VisitStatus.NO_SHOW)
    assert states(couple) == [("arrived", None), ("no_show", None)]
    assert {row for row in claims() if other.id not in row} >= {
        (one.therapist_id, one.id, None), (one.client_id, one.id, None),
    }  # fmt: skip
    assert one.room_id in {resource for resource, _visit, _couple in claims()}, "who came keeps the room"
    mark(pair(couple)[1], VisitStatus.ARRIVED)  # late, but there: by themselves from now on
    assert states(couple) == [("arrived", None), ("arrived", None)]
    one, other = pair(couple)
    assert (one.couple_id, other.couple_id) == (None, None)
    assert one.room_id != other.room_id
    assert {(other.therapist_id, other.id, None), (other.room_id, other.id, None)} <= claims()
