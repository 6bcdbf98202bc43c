"""A mail that waited for the mail server is looked at once more as it leaves: the last word of all is true."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from clinic.booking.models import Visit
from clinic.booking.services import people, reconciling, sending, series, undoing, visits
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.services.series_starts import OneStart
from clinic.clients.steps import Details
from clinic.intake.services import checkins
from clinic.intake.services.intakes import Signature
from clinic.shared import mail
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW
from tests.mailing import HEAD, sent_at

pytestmark = pytest.mark.usefixtures("now")
MINUTE = dt.timedelta(minutes=1)


def away_until(minute: int) -> None:
    """The mail server takes nothing for so many minutes."""

    def refuse(_letter: EmailMessage) -> None:
        raise ConnectionRefusedError

    for one in range(minute):
        now = NOW + one * MINUTE
        mail.drain(
            mail.Senders(refuse), lambda: HEAD, now,
            is_wanted=lambda session, row, now=now: sending.is_wanted(session, row, now),  # type: ignore[misc]
        )  # fmt: skip


def told(minutes: range) -> list[str]:
    """The kinds of what leaves in these minutes, in order."""
    letters = [letter for minute in minutes for letter in sent_at(NOW + minute * MINUTE)]
    db.session.rollback()
    kinds = {row.subject: row.kind for row in db.session.scalars(select(OutgoingMail))}
    return [kinds[str(letter["Subject"])] for letter in letters]


def a_visit(world: w.World) -> tuple[int, int]:
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit = w.at_desk(world, client, "relaxation", when=w.at(5, 14)).visit_id
    assert visit is not None
    return client, visit


def test_nobody_reads_that_a_visit_is_booked_after_it_could_not_go_ahead(world: w.World) -> None:
    client, visit = a_visit(world)
    away_until(18)
    w.sign(client, now=NOW + 19 * MINUTE, rf_chest_pain_breathless={})
    reconciling.judge_out_of_date(NOW + 19 * MINUTE)
    assert told(range(19, 60)) == ["visit_booked", "visit_cannot_go_ahead"]
    db.session.rollback()
    assert db.session.get_one(Visit, visit).status == "cancelled"


@pytest.mark.parametrize("how", ["address", "refused"])
def test_nobody_reads_that_a_visit_is_on_hold_after_it_was_confirmed(world: w.World, how: str) -> None:
    client, visit = a_visit(world)
    assert told(range(1)) == ["visit_booked"]
    checkins.take_check_in(
        client,
        {},
        Signature("Pat Number"),
        renewal=True,
        source="online",
        by=None,
        now=NOW + MINUTE,
        today=w.TODAY,
    )
    away_until(18)
    if how == "address":
        correct_address(client, world)
    w.sign(client, now=NOW + 19 * MINUTE)
    if how == "refused":  # for the moment, and only the elder one
        with transaction() as session:
            session.execute(
                update(OutgoingMail).where(OutgoingMail.kind == "visit_on_hold").values(attempts=0)
            )
    # at a corrected address all that is to come is told once more, with links that open
    before = ["visit_on_hold", "visit_waiting"] if how == "address" else []
    assert told(range(19, 180)) == [*before, "visit_confirmed_now"]
    assert db.session.get_one(Visit, visit).status == "confirmed"


def test_nobody_reads_that_a_visit_is_on_hold_after_it_was_confirmed_and_called_off(world: w.World) -> None:
    client, visit = a_visit(world)
    assert told(range(1)) == ["visit_booked"]
    checkins.take_check_in(
        client, {}, Signature("Pat Number"), renewal=True, source="online", by=None, now=NOW + MINUTE,
        today=w.TODAY,
    )  # fmt: skip
    with transaction() as session:  # refused for the moment, and only this one
        later = update(OutgoingMail).where(OutgoingMail.kind == "visit_on_hold")
        session.execute(later.values(due_at=NOW + 20 * MINUTE))
    w.sign(client, now=NOW + 2 * MINUTE)
    assert told(range(3, 10)) == ["visit_confirmed_now"]
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW + 19 * MINUTE, at_desk=True)
    assert told(range(20, 60)) == ["visit_called_off"]


def test_the_new_time_is_read_last_also_where_the_address_was_corrected(world: w.World) -> None:
    client, visit = a_visit(world)
    away_until(18)
    move(visit, world, NOW + 18 * MINUTE)
    correct_address(client, world)
    assert told(range(19, 60)) == ["visit_moved", "visit_booked"], "once, with the link that opens"


def test_nobody_reads_that_a_visit_is_booked_after_the_clinic_called_it_off(world: w.World) -> None:
    _client, visit = a_visit(world)
    away_until(18)
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW + 19 * MINUTE)
    assert told(range(19, 60)) == ["visit_booked", "visit_called_off"]


def test_the_old_time_is_told_before_the_new_one_with_the_link_to_the_visit(world: w.World) -> None:
    _client, visit = a_visit(world)
    away_until(18)
    move(visit, world, NOW + 19 * MINUTE)
    assert told(range(19, 60)) == ["visit_booked", "visit_moved"]


def in_the_hands_of_a_killed_worker(kind: str) -> None:
    """Nobody can take it before a younger one."""
    with transaction() as session:
        held = update(OutgoingMail).where(OutgoingMail.kind == kind)
        session.execute(held.values(lease_until=NOW + 5 * MINUTE, attempts=1))


def test_what_says_that_a_visit_stands_is_dropped_once_its_client_read_that_it_does_not(
    world: w.World,
) -> None:
    _client, visit = a_visit(world)
    in_the_hands_of_a_killed_worker("visit_booked")
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW + MINUTE)
    assert told(range(1, 60)) == ["visit_called_off"]


def test_the_first_mail_with_the_link_leaves_also_after_the_visit_was_moved(world: w.World) -> None:
    _client, visit = a_visit(world)
    in_the_hands_of_a_killed_worker("visit_booked")
    move(visit, world, NOW + MINUTE)
    assert told(range(1, 60)) == ["visit_moved", "visit_booked"]


def test_what_was_called_off_and_taken_back_at_the_desk_is_told_to_be_booked(world: w.World) -> None:
    """A round of the worker in the moment in which it may be taken back drops nothing."""
    _client, visit = a_visit(world)
    away_until(18)
    done = NOW + 19 * MINUTE
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=done, at_desk=True)
    with transaction() as session:  # something else that the same person reads
        mail.queue_mail(
            session, "visit_cancelled", "pat@people.example", key="visit_cancelled:0", now=done, name="Pat",
            when="Monday", phone="1", clinic="Still Waters",
        )  # fmt: skip
    letters = sent_at(done + dt.timedelta(seconds=1))
    undoing.take_back(visit, by=world.desk_id, now=done + dt.timedelta(seconds=5))
    letters += [letter for minute in range(20, 60) for letter in sent_at(NOW + minute * MINUTE)]
    db.session.rollback()
    assert db.session.get_one(Visit, visit).status == "confirmed"
    kinds = db.session.scalars(select(OutgoingMail.kind).where(OutgoingMail.sent_at.is_not(None))).all()
    assert (len(letters), sorted(kinds)) == (2, ["visit_booked", "visit_cancelled"])


def test_what_stands_at_its_time_is_told_however_late_it_leaves(world: w.World) -> None:
    a_visit(world)
    away_until(18)
    assert told(range(18, 60)) == ["visit_booked"]


def test_a_series_that_was_called_off_is_told_in_order(world: w.World) -> None:
    assert told_of_series(world, called_off=2) == ["series_booked", "visit_called_off", "visit_called_off"]


def test_of_a_series_that_still_stands_in_part_its_booking_is_told_first(world: w.World) -> None:
    assert told_of_series(world, called_off=1) == ["series_booked", "visit_called_off"]


def test_a_series_is_told_in_order_also_where_the_address_was_corrected(world: w.World) -> None:
    in_order = ["series_booked", "visit_called_off", "visit_called_off"]
    assert told_of_series(world, called_off=2, is_corrected=True) == in_order


def test_a_series_that_was_told_as_called_off_is_not_told_as_booked_at_the_new_address(
    world: w.World,
) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client)
    booked = series.book_series(
        w.choice("relaxation"), client, [OneStart(w.at(days)) for days in (3, 10)], every_weeks=1,
        request_key=None, source="desk", by=None, now=NOW, reconfirmed=True,
    )  # fmt: skip
    with transaction() as session:  # refused for the moment, and only this one
        session.execute(update(OutgoingMail).values(due_at=NOW + 20 * MINUTE, attempts=1))
    assert booked.series_id is not None
    cancel_rest(booked.series_id, by=world.desk_id, by_clinic=True, now=NOW + MINUTE)
    with transaction() as session:
        gone = update(OutgoingMail).where(OutgoingMail.kind == "series_cancelled")
        session.execute(gone.values(sent_at=NOW + 2 * MINUTE))
    correct_address(client, world)
    assert told(range(20, 60)) == []


def told_of_series(world: w.World, *, called_off: int, is_corrected: bool = False) -> list[str]:
    client = w.person(email="pat@people.example")
    w.sign(client)
    series.book_series(
        w.choice("relaxation"), client, [OneStart(w.at(days)) for days in (3, 10)], every_weeks=1,
        request_key=None, source="desk", by=None, now=NOW, reconfirmed=True,
    )  # fmt: skip
    away_until(18)
    if is_corrected:
        correct_address(client, world)
    db.session.rollback()
    booked = list(
        db.session.scalars(select(Visit.id).where(Visit.client_id == client).order_by(Visit.starts_at))
    )
    for visit in booked[:called_off]:
        visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW + 19 * MINUTE)
    return told(range(19, 60))


def correct_address(client: int, world: w.World) -> None:
    card = Details("Pat", "Changed", dt.date(1985, 5, 5), email="new@people.example", phone="")
    people.change_details(client, card, by=world.desk_id, now=NOW + 18 * MINUTE)
    sending.follow_addresses(NOW + 18 * MINUTE)


def move(visit: int, world: w.World, now: dt.datetime) -> None:
    db.session.rollback()
    revision = db.session.get_one(Visit, visit).revision
    change = Change(revision, w.at(6, 9), therapist_id=world.therapists[0], by=world.desk_id)
    change_at_desk(visit, change, now=now)
