"""At the desk a change is tried before it is done, and can be taken back while nobody has been told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from clinic.booking.models import Claim, Screening, StatusChange, Visit
from clinic.booking.queries import check_ins, taking_back
from clinic.booking.services import in_line, visits, waitlist
from clinic.booking.services.at_desk import Change, change_at_desk, try_change
from clinic.booking.services.undoing import forget_steps, take_back
from clinic.rules.errors import MoveNotAllowed, SlotTaken, TooLate, TooSoon
from clinic.rules.permissions import Role
from clinic.rules.taking_back import SHOWN_SECONDS, TIME_TO_TAKE_BACK
from clinic.rules.visit_status import VisitStatus as S
from clinic.rules.waitlist import When
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW
from tests.factories import make_user
from tests.mailing import sent_at

SOON = NOW + dt.timedelta(seconds=SHOWN_SECONDS)
LATER = NOW + TIME_TO_TAKE_BACK
LETTER = {"heart_failure": {"worsening": False}}


@pytest.fixture
def booked(world: w.World) -> int:
    """A confirmed visit with the first therapist, in three days at ten; the mail about it has left."""
    return book(world)


def book(world: w.World, hour: int = 10, days: int = 3, **values: object) -> int:
    client = w.person(email=f"at{w.new_number()}@people.example")
    w.sign(client)
    done = w.at_desk(
        world, client, "relaxation", when=w.at(days, hour), therapist_id=world.therapists[0], **values
    )
    sent(NOW)
    assert done.visit_id is not None
    return done.visit_id


def sent(now: dt.datetime) -> list[str]:
    """The subjects that leave at that moment."""
    return [str(one["Subject"]) for one in sent_at(now)]


def place(visit_id: int) -> tuple[object, ...]:
    """Where the visit stands: all that a person would notice, and every claim."""
    db.session.rollback()
    one = db.session.get_one(Visit, visit_id)
    claims = db.session.execute(
        select(Claim.resource_id, Claim.starts_at, Claim.ends_at)
        .where(Claim.visit_id == visit_id)
        .order_by(Claim.resource_id)
    ).all()
    return (
        one.status, one.starts_at, one.ends_at, one.free_at, one.day, one.therapist_id, one.room_id,
        one.service_id, one.minutes, list(one.addons), list(one.areas), one.price, one.waiting_for,
        one.deadline_at, one.permits, [tuple(row) for row in claims],
    )  # fmt: skip


def move(
    visit_id: int, world: w.World, *, hour: int = 14, days: int = 3, to: int = 1, by: int | None = None
) -> Change:
    db.session.rollback()
    revision = db.session.get_one(Visit, visit_id).revision
    return Change(revision, w.at(days, hour), therapist_id=world.therapists[to], by=by or world.desk_id)


def counted() -> list[int]:
    db.session.rollback()
    kinds = (Screening, Claim, StatusChange, AuditRow, OutgoingMail)
    return [db.session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


def test_what_is_tried_is_what_is_saved_and_trying_keeps_nothing(world: w.World, booked: int) -> None:
    before, rows = place(booked), counted()
    wish = move(booked, world)
    tried = try_change(booked, wish, now=NOW)
    assert (place(booked), counted()) == (before, rows)
    saved = change_at_desk(booked, wish, now=NOW)
    assert tried.facts is not None
    assert saved.facts is not None
    assert tried.facts == saved.facts
    assert place(booked)[1] == saved.facts.starts_at == w.at(3, 14)
    assert place(booked)[5] == world.therapists[1]


def test_a_move_goes_to_the_very_therapist_or_nowhere(world: w.World) -> None:
    """Also where any therapist was asked for when it was booked."""
    client = w.person()
    w.sign(client)
    visit = w.at_desk(world, client, "relaxation", when=w.at(3, 9)).visit_id or 0
    book(world, 14)
    wish = move(visit, world, hour=14, to=0)
    for attempt in (try_change, change_at_desk):
        with pytest.raises(SlotTaken):
            attempt(visit, wish, now=NOW)
    assert place(visit)[1] == w.at(3, 9)
    with pytest.raises(TooSoon):
        try_change(visit, replace(wish, starts_at=w.at(-1, 14)), now=NOW)
    with pytest.raises(MoveNotAllowed):
        try_change(visit, replace(wish, revision=wish.revision + 1), now=NOW)


def test_nobody_is_told_of_a_move_that_is_taken_back(world: w.World, booked: int) -> None:
    before = place(booked)
    change_at_desk(booked, move(booked, world), now=NOW)
    assert sent(SOON) == []
    step = taking_back.last_step_of(world.desk_id, SOON)
    assert step is not None
    assert (step.visit_ids, step.deed) == ((booked,), "moved")
    assert take_back(booked, by=world.desk_id, now=SOON) == ("moved", 1)
    assert place(booked) == before
    assert sent(LATER + dt.timedelta(days=1)) == []
    assert taking_back.last_step_of(world.desk_id, SOON) is None
    with pytest.raises(TooLate):
        take_back(booked, by=world.desk_id, now=SOON)


def test_what_another_desk_did_since_is_not_undone(world: w.World, booked: int) -> None:
    """Both have moved the same visit: the undo of the first took back what the second had done."""
    change_at_desk(booked, move(booked, world), now=NOW)
    mine = taking_back.last_step_of(world.desk_id, SOON)
    assert mine is not None
    colleague = make_user(email="second@desk.example", roles=[Role.FRONT_DESK]).id
    db.session.commit()
    change_at_desk(booked, move(booked, world, hour=16, by=colleague), now=NOW)
    theirs = place(booked)
    for seen in (None, mine.revision):
        with pytest.raises(MoveNotAllowed, match="changed meanwhile"):
            take_back(booked, seen=seen, by=world.desk_id, now=SOON)
    with pytest.raises(MoveNotAllowed, match="changed meanwhile"):  # one account at two desks, or in two tabs
        take_back(booked, seen=mine.revision, by=colleague, now=SOON)
    assert place(booked) == theirs
    last = taking_back.last_step_of(colleague, SOON)
    assert last is not None
    assert take_back(booked, seen=last.revision, by=colleague, now=SOON) == ("moved", 1)
    assert place(booked)[1] == w.at(3, 14)


def test_after_the_moment_the_client_is_told_and_it_is_too_late(world: w.World, booked: int) -> None:
    """Also when the program was not running in between: the mail stands in the database with its time."""
    change_at_desk(booked, move(booked, world), now=NOW)
    moved = place(booked)
    with pytest.raises(TooLate):
        take_back(booked, by=world.desk_id, now=LATER)
    assert len(sent(LATER)) == 1
    assert [forget_steps(at) for at in (SOON, LATER, LATER + dt.timedelta(seconds=1))] == [0, 0, 1]
    with pytest.raises(TooLate):
        take_back(booked, by=world.desk_id, now=SOON)
    assert place(booked) == moved


def test_a_place_that_was_taken_meanwhile_is_not_given_back(world: w.World, booked: int) -> None:
    change_at_desk(booked, move(booked, world), now=NOW)
    moved = place(booked)
    book_other = w.person()
    w.sign(book_other)
    w.at_desk(world, book_other, "relaxation", when=w.at(3, 10), therapist_id=world.therapists[0])
    with pytest.raises(SlotTaken, match="taken meanwhile"):
        take_back(booked, by=world.desk_id, now=SOON)
    assert place(booked) == moved
    assert len(sent(LATER)) == 1


def test_a_later_change_ends_it(world: w.World, booked: int) -> None:
    change_at_desk(booked, move(booked, world), now=NOW)
    visits.change_visit(booked, revision=move(booked, world).revision, starts_at=w.at(4, 9), by=None, now=NOW)
    assert taking_back.last_step_of(world.desk_id, NOW) is None
    with pytest.raises(MoveNotAllowed, match="This visit was changed meanwhile"):
        take_back(booked, by=world.desk_id, now=SOON)


@pytest.mark.parametrize(
    ("days", "by_clinic", "status"), [(3, False, "cancelled"), (0, False, "late_cancelled")]
)
def test_a_cancelled_visit_comes_back_with_its_place(
    world: w.World, days: int, by_clinic: bool, status: str
) -> None:
    visit = book(world, 15, days)
    before = place(visit)
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=by_clinic, now=NOW, at_desk=True)
    assert place(visit)[0] == status
    assert sent(SOON) == []
    take_back(visit, by=world.desk_id, now=SOON)
    assert place(visit) == before
    assert sent(LATER) == []


def test_new_answers_keep_a_cancelled_visit_from_coming_back(world: w.World, booked: int) -> None:
    client = db.session.get_one(Visit, booked).client_id or 0
    visits.cancel_visit(booked, by=world.desk_id, by_clinic=False, now=NOW, at_desk=True)
    w.sign_answers(client, LETTER)
    with pytest.raises(MoveNotAllowed, match="something has changed"):
        take_back(booked, by=world.desk_id, now=SOON)
    assert place(booked)[0] == "cancelled"


def test_every_mark_is_taken_back_in_one_step(world: w.World) -> None:
    visit = book(world, 9, 0)
    start = w.at(0, 9, 30)
    for new in (S.ARRIVED, S.IN_SESSION, S.DONE):
        before = place(visit)
        mark(visit, new, world, start)
        take_back(visit, by=world.desk_id, now=start)
        assert place(visit) == before, new
        mark(visit, new, world, start)
    mark(visit, S.IN_SESSION, world, start)  # and later, by the ordinary way
    mark(visit, S.ARRIVED, world, start)
    mark(visit, S.CONFIRMED, world, start)
    before = place(visit)
    mark(visit, S.NO_SHOW, world, start)
    assert place(visit)[-1] == []
    take_back(visit, by=world.desk_id, now=start)
    assert place(visit) == before
    db.session.rollback()
    steps = db.session.scalars(
        select(StatusChange).where(StatusChange.visit_id == visit).order_by(StatusChange.id)
    ).all()
    assert [one.reason for one in steps].count("taken back") == 4
    assert all(one.at for one in steps), "the time of every step is kept"


def test_answers_given_once_it_had_begun_keep_a_visit_from_waiting_again(world: w.World) -> None:
    visit, start = book(world, 9, 0), w.at(0, 9, 30)
    mark(visit, S.ARRIVED, world, start)
    mark(visit, S.IN_SESSION, world, start)
    w.sign_answers(db.session.get_one(Visit, visit).client_id or 0, LETTER, now=start)
    with pytest.raises(MoveNotAllowed, match="something has changed"):
        take_back(visit, by=world.desk_id, now=start)
    assert place(visit)[0] == "in_session"


def test_put_back_a_visit_rests_on_what_is_known_today(world: w.World) -> None:
    """A slip between two marks leaves the judgement alone; answers given since the visit began are judged."""
    visit, start = book(world, 9, 0), w.at(0, 9, 30)

    def judgement() -> Screening:
        db.session.rollback()
        return db.session.get_one(Screening, db.session.get_one(Visit, visit).screening_id)

    mark(visit, S.ARRIVED, world, start)  # whoever comes is judged as well
    come = judgement().id
    take_back(visit, by=world.desk_id, now=start)
    assert judgement().id == come
    mark(visit, S.ARRIVED, world, start)
    mark(visit, S.IN_SESSION, world, start)
    begun = judgement().id
    veins = {"varicose_veins": {"site": ["left_lower_leg"], "status": "quiet"}}
    w.sign_answers(db.session.get_one(Visit, visit).client_id or 0, veins, now=start)
    assert judgement().id == begun, "new answers leave it to the therapist"
    take_back(visit, by=world.desk_id, now=start)
    assert (place(visit)[0], judgement().outcome) == ("arrived", "allow_flag_therapist")


def mark(visit_id: int, new: S, world: w.World, now: dt.datetime) -> None:
    db.session.rollback()
    revision = db.session.get_one(Visit, visit_id).revision
    visits.mark_visit(visit_id, new, revision=revision, by=world.desk_id, now=now, can_go_back=True)


def test_the_bar_says_what_was_marked(world: w.World) -> None:
    """A tap on the wrong button is undone only by who sees that it was the wrong one: “marked” said nothing."""
    visit, late = book(world, 9, 0), book(world, 15, 0)
    start = w.at(0, 9, 30)
    words = []
    for new in (S.ARRIVED, S.IN_SESSION, S.DONE, S.IN_SESSION, S.ARRIVED, S.CONFIRMED, S.NO_SHOW):
        mark(visit, new, world, start)
        words.append(last_words(world, start))
    assert words == [
        "marked as arrived",
        "marked as in session",
        "marked as done",
        "marked as in session",
        "marked as arrived",
        "marked as not here yet",
        "marked: did not come",
    ]
    visits.cancel_visit(late, by=world.desk_id, by_clinic=False, now=start, at_desk=True)
    assert last_words(world, start) == "cancelled late"


def last_words(world: w.World, now: dt.datetime) -> str:
    db.session.rollback()
    step = taking_back.last_step_of(world.desk_id, now)
    assert step is not None
    return step.words


def test_coming_after_all_is_taken_back_with_its_place(world: w.World) -> None:
    visit, start = book(world, 9, 0), w.at(0, 9, 30)
    mark(visit, S.NO_SHOW, world, start)
    before = place(visit)
    mark(visit, S.ARRIVED, world, start)
    assert place(visit)[-1] != []
    take_back(visit, by=world.desk_id, now=start)
    assert place(visit) == before, "nobody is kept waiting by a visit that did not take place"


def test_a_late_cancellation_is_let_pass_and_that_is_taken_back(world: w.World) -> None:
    visit = book(world, 15, 0)
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=False, now=NOW)
    assert len(sent(LATER)) == 1
    before = place(visit)
    assert before[0] == "late_cancelled"
    mark(visit, S.CANCELLED, world, LATER)
    mark(visit, S.CANCELLED, world, LATER)  # a second tap changes nothing
    assert place(visit) == ("cancelled", *before[1:])
    step = taking_back.last_step_of(world.desk_id, LATER)
    assert step is not None
    assert step.words == "counts as cancelled in time"
    take_back(visit, by=world.desk_id, now=LATER)
    assert place(visit) == before
    assert sent(LATER + dt.timedelta(days=1)) == [], (
        "the client was told that it is cancelled, and that is all"
    )


@pytest.mark.parametrize("status", [S.CONFIRMED, S.ARRIVED, S.NO_SHOW])
def test_only_a_late_cancellation_is_let_pass(world: w.World, status: S) -> None:
    visit, start = book(world, 9, 0), w.at(0, 9, 30)
    if status != S.CONFIRMED:
        mark(visit, status, world, start)
    with pytest.raises(MoveNotAllowed):
        mark(visit, S.CANCELLED, world, start)
    assert place(visit)[0] == status


def test_what_is_done_stays_done_on_another_day(world: w.World) -> None:
    visit = book(world, 9, 0)
    for new in (S.ARRIVED, S.IN_SESSION, S.DONE):
        mark(visit, new, world, w.at(0, 9, 30))
    with pytest.raises(MoveNotAllowed):
        mark(visit, S.IN_SESSION, world, w.at(1, 9))


def test_the_time_is_offered_to_nobody_while_it_may_be_taken_back(world: w.World) -> None:
    client = w.person(email="waits@people.example")
    w.sign(client)
    blocked = [book(world, 10, 3)]
    day = w.TODAY + dt.timedelta(days=3)
    visits.cancel_visit(blocked[0], by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    waitlist.join(w.choice("relaxation"), When(day, day), client, source="desk", by=None, now=NOW)
    assert in_line.keep_line(SOON) == 0
    assert in_line.keep_line(LATER) == 1


def test_a_waiting_visit_goes_back_to_its_own_deadline(world: w.World) -> None:
    client = w.person(email="letter@people.example")
    w.sign_answers(client, LETTER)
    visit = (
        w.at_desk(world, client, "swedish", when=w.at(9, 10), therapist_id=world.therapists[0]).visit_id or 0
    )
    before = place(visit)
    assert before[0] == "pending"
    change_at_desk(visit, move(visit, world, days=5), now=NOW)
    assert place(visit) != before
    take_back(visit, by=world.desk_id, now=SOON)
    assert place(visit) == before


def test_no_other_mail_tells_of_a_move_before_its_moment(world: w.World, booked: int) -> None:
    """Moved into the day on which the link of the check-in goes out."""
    change_at_desk(booked, move(booked, world, days=0), now=NOW)
    assert list(check_ins.to_ask(SOON)) == []
    assert list(check_ins.to_ask(LATER)) == [booked]


def test_a_clock_that_is_behind_takes_nothing_back_that_was_told(world: w.World, booked: int) -> None:
    change_at_desk(booked, move(booked, world), now=NOW)
    moved = place(booked)
    assert len(sent(LATER)) == 1
    with pytest.raises(TooLate, match="being told"):
        take_back(booked, by=world.desk_id, now=SOON)
    assert place(booked) == moved
