"""What the desk did to several visits is one deed: taken back whole while nobody has been told, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.booking.models import Couple, Visit
from clinic.booking.queries import taking_back
from clinic.booking.queries.visits import visits_of
from clinic.booking.services import couple_changes as couples
from clinic.booking.services import visits
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.series import book_series
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.services.swapping import swap_visits
from clinic.booking.services.undoing import take_back
from clinic.rules.errors import MoveNotAllowed, SlotTaken, TooLate
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.booking.test_at_desk import LATER, LETTER, SOON, book, place, sent
from tests.booking.test_couples import build, claims
from tests.booking.test_series import as_planned, every, of_series, plan, somebody
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    return build()


def places(ids: Iterable[int]) -> list[tuple[object, ...]]:
    return [place(one) for one in ids]


def series(world: w.World, client: int, *, at_desk: bool = False, key: str | None = None) -> list[int]:
    made = book_series(
        w.choice("relaxation"), client, as_planned(plan(client, every(2, 3))), every_weeks=2, request_key=key,
        source="desk", by=world.desk_id, now=NOW, reconfirmed=True, at_desk=at_desk,
    )  # fmt: skip
    return [one.id for one in of_series(made.series_id)]


def couple(
    world: w.World, *people: int, at_desk: bool = False, key: str | None = None
) -> tuple[int, list[int]]:
    one, other = people or (somebody(), somebody())
    halves = Half(one, w.choice("relaxation")), Half(other, w.choice("swedish"))
    made = book_couple(
        halves, w.at(3), request_key=key, source="desk", by=world.desk_id, now=NOW, reconfirmed=True,
        at_desk=at_desk,
    )  # fmt: skip
    assert made.couple_id is not None
    return made.couple_id, pair_of(made.couple_id)


def pair_of(couple_id: int) -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit.id).where(Visit.couple_id == couple_id).order_by(Visit.id)))


def waiting_mails() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(OutgoingMail.sent_at.is_(None))) or 0


def test_a_cancelled_series_comes_back_whole_or_not_at_all(world: w.World) -> None:
    ids = series(world, somebody())
    assert len(sent(NOW)) == 1
    before = places(ids)
    series_id = db.session.get_one(Visit, ids[0]).series_id or 0
    cancel_rest(series_id, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    step = taking_back.last_step_of(world.desk_id, SOON)
    assert step is not None
    assert (set(step.visit_ids), step.words, len(step.clients)) == (set(ids), "3 visits cancelled", 1)
    assert sent(SOON) == []
    assert take_back(ids[1], by=world.desk_id, now=SOON) == ("cancelled", 3), "any of them takes all back"
    assert places(ids) == before
    assert sent(LATER) == []

    cancel_rest(series_id, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    other = somebody()
    taken = db.session.get_one(Visit, ids[2])
    w.at_desk(world, other, "relaxation", when=taken.starts_at, therapist_id=taken.therapist_id)
    gone = places(ids)
    with pytest.raises(SlotTaken, match="taken meanwhile"):
        take_back(ids[0], by=world.desk_id, now=SOON)
    assert places(ids) == gone
    with pytest.raises(TooLate):
        take_back(ids[0], by=world.desk_id, now=LATER)
    assert len(sent(LATER)) == 2, "one about the series, one about the visit of somebody else"


def test_what_was_booked_at_the_desk_is_taken_out_again(world: w.World) -> None:
    client = somebody()
    ids = series(world, client, at_desk=True, key="once")
    both = somebody(), somebody()
    couple_id, two = couple(world, *both, at_desk=True, key="two")
    single = visits.book_visit(
        w.choice("swedish"), client, w.at(5), request_key="single", source="desk", by=world.desk_id, now=NOW,
        reconfirmed=True, at_desk=True,
    )  # fmt: skip
    one = single.visit_id or 0
    assert (sent(SOON), waiting_mails()) == ([], 4)
    for visits_of_deed in (ids, two, [one]):
        assert take_back(visits_of_deed[0], by=world.desk_id, now=SOON) == ("booked", len(visits_of_deed))
    assert {place(visit)[0] for visit in (*ids, *two, one)} == {"released"}
    assert visits_of([client]) == [], "for the client it never was"
    assert (claims(), waiting_mails()) == (set(), 0)
    assert pair_of(couple_id) == two, "what they were is still known"
    rows = [db.session.get_one(Visit, visit) for visit in (*ids, *two, one)]
    assert {(row.deadline_at, row.waiting_for, row.request_key) for row in rows} == {(None, None, None)}
    again = series(world, client, key="once")
    assert set(again).isdisjoint(ids), "the same form books anew"
    assert set(couple(world, *both, key="two")[1]).isdisjoint(two)


def test_a_swap_is_taken_back_by_one_undo(world: w.World) -> None:
    one, other = book(world, 10), book(world, 14, 4)
    before = places((one, other))
    assert swap_visits(one, other, by=world.desk_id, now=NOW, at_desk=True).is_done
    step = taking_back.last_step_of(world.desk_id, SOON)
    assert step is not None
    assert (set(step.visit_ids), step.words, len(step.clients)) == ({one, other}, "2 visits moved", 2)
    assert sent(SOON) == []
    assert take_back(other, by=world.desk_id, now=SOON) == ("moved", 2)
    assert places((one, other)) == before

    assert swap_visits(one, other, by=world.desk_id, now=NOW, at_desk=True).is_done
    swapped = places((one, other))
    w.sign_answers(db.session.get_one(Visit, other).client_id or 0, LETTER, now=NOW)

    with pytest.raises(MoveNotAllowed):  # one of them has changed: the other one stays too
        take_back(one, by=world.desk_id, now=SOON)
    assert place(one) == swapped[0]


def test_of_several_the_one_that_is_meant_says_which_deed(world: w.World) -> None:
    """Each has its own revision: that of another one would be the mark of another deed."""

    def revision(visit: int) -> int:
        db.session.rollback()
        return db.session.get_one(Visit, visit).revision

    one, other = book(world, 10), book(world, 14, 4)
    visits.change_visit(other, revision=revision(other), starts_at=w.at(4, 15), by=world.desk_id, now=NOW)
    before = places((one, other))
    swap_visits(one, other, by=world.desk_id, now=NOW, at_desk=True)
    seen = revision(one), revision(other)
    assert seen[0] != seen[1]
    for visit, wrong in ((one, seen[1]), (other, seen[0])):
        with pytest.raises(MoveNotAllowed, match="changed meanwhile"):
            take_back(visit, seen=wrong, by=world.desk_id, now=SOON)
    assert take_back(other, seen=seen[1], by=world.desk_id, now=SOON) == ("moved", 2)
    assert places((one, other)) == before
    assert (revision(one), revision(other)) == (seen[0] + 1, seen[1] + 1), "what a page has seen is over"


def test_a_later_step_of_one_of_them_ends_it_for_all(world: w.World) -> None:
    one, other = book(world, 10), book(world, 14, 4)
    swap_visits(one, other, by=world.desk_id, now=NOW, at_desk=True)
    visits.cancel_visit(other, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    with pytest.raises(TooLate, match="nothing to undo"):
        take_back(one, by=world.desk_id, now=SOON)
    assert take_back(other, by=world.desk_id, now=SOON) == ("cancelled", 1)
    swap_visits(one, other, by=world.desk_id, now=NOW, at_desk=True)
    visits.cancel_visit(other, by=None, by_clinic=True, now=NOW)  # through another door
    with pytest.raises(MoveNotAllowed, match="Nothing was undone"):
        take_back(one, by=world.desk_id, now=SOON)


def test_two_people_are_moved_and_cancelled_and_come_back_to_their_room(world: w.World) -> None:
    couple_id, ids = couple(world)
    sent(NOW)
    before, held = places(ids), claims()

    def move(at: dt.datetime) -> None:
        couples.move_couple(couple_id, at, by=world.desk_id, now=NOW, at_desk=True)

    deeds: dict[str, Callable[[], object]] = {
        "moved": lambda: move(w.at(4, 15)),
        "cancelled": lambda: couples.cancel_couple(
            couple_id, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True
        ),
        "one cancelled": lambda: couples.cancel_one(
            ids[0], by=world.desk_id, by_clinic=True, now=NOW, at_desk=True
        ),
    }
    for name, deed in deeds.items():
        deed()
        assert places(ids) != before, name
        assert sent(SOON) == [], name
        step = taking_back.last_step_of(world.desk_id, SOON)
        assert step is not None
        said = {"moved": "2 visits moved", "cancelled": "2 visits cancelled", "one cancelled": "cancelled"}
        assert step.words == said[name]
        assert len(step.clients) == (1 if name == "one cancelled" else 2), (
            "who stays is not said to be cancelled"
        )
        assert take_back(ids[1], by=world.desk_id, now=SOON)[1] == 2, name
        assert (places(ids), claims(), pair_of(couple_id)) == (before, held, ids), name
        assert db.session.get_one(Couple, couple_id).ended_at is None, name
        assert sent(LATER) == [], name
    move(w.at(4, 15))
    assert len(sent(LATER)) == 2


def test_two_who_waited_wait_for_the_same_again(world: w.World) -> None:
    couple_id, ids = couple(world, w.person(), somebody())

    def waits() -> list[tuple[object, ...]]:
        db.session.rollback()
        rows = [db.session.get_one(Visit, one) for one in ids]
        return [(one.status, one.waiting_for, one.deadline_at, one.starts_at) for one in rows]

    before = waits()
    assert {one[:2] for one in before} == {("pending", "intake"), ("pending", "partner")}
    couples.move_couple(couple_id, w.at(3, 14), by=world.desk_id, now=NOW, at_desk=True)
    assert take_back(ids[1], by=world.desk_id, now=SOON)[1] == 2
    assert waits() == before
    traces = db.session.scalars(select(AuditRow).where(AuditRow.deed == "visit.taken_back")).all()
    assert {(one.thing, one.thing_id, one.by_user_id, one.detail["step"]) for one in traces} == {
        ("visit", one, world.desk_id, "moved") for one in ids
    }


def test_marks_of_two_people_are_taken_back_one_by_one(world: w.World) -> None:
    _couple_id, (one, other) = couple(world)
    start = w.at(3)
    revision = db.session.get_one(Visit, one).revision
    before = places((one, other))
    visits.mark_visit(
        one, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=start, can_go_back=True
    )
    assert take_back(one, by=world.desk_id, now=start) == ("marked", 1)
    assert places((one, other)) == before


def test_what_confirmed_the_other_one_is_told_at_once(world: w.World) -> None:
    """Of two the one waits for a letter, the other for the first: cancelled, it lets the other one be confirmed."""
    waits = w.person(email=f"letter{w.new_number()}@people.example")
    w.sign_answers(waits, LETTER)
    couple_id, ids = couple(world, waits, somebody())
    sent(NOW)
    first = next(one for one in ids if db.session.get_one(Visit, one).client_id == waits)
    couples.cancel_one(first, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    assert taking_back.last_step_of(world.desk_id, NOW) is None
    assert len(sent(NOW)) == 2
    assert pair_of(couple_id) == [first]
