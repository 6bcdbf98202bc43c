"""What is sent about a visit, and when: written with it, anew when it moves, and looked at once more as it leaves."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from clinic.booking.models import Visit
from clinic.booking.services import visits
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.booking.services.undoing import take_back
from clinic.booking.timed_messages import TimedMessage
from clinic.catalogue.aftercare import GENERAL
from clinic.clients import choices
from clinic.clients.choices import Whose
from clinic.clients.models import Client
from clinic.premises.models import Clinic
from clinic.rules.messages import AFTERCARE, ANSWERS_MISSING, REMINDER, SMS
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.mailing import sent_at, words_of

HOUR = dt.timedelta(hours=1)


def booked(world: w.World, when: dt.datetime, *, signs: bool = True) -> int:
    client = w.person(email="pat@people.example", phone="+12125550147")
    if signs:
        w.sign(client)
    return w.at_desk(world, client, "relaxation", when=when).visit_id or 0


def move(world: w.World, visit_id: int, to: dt.datetime, now: dt.datetime = NOW) -> None:
    wish = Change(visit_of(visit_id).revision, to, therapist_id=world.therapists[0], by=world.desk_id)
    change_at_desk(visit_id, wish, now=now)


def mark(world: w.World, visit_id: int, *steps: VisitStatus, now: dt.datetime) -> None:
    for step in steps:
        visits.mark_visit(visit_id, step, revision=visit_of(visit_id).revision, by=world.desk_id, now=now)


def planned() -> list[tuple[str, dt.datetime]]:
    """Kind and time of what is still to come."""
    db.session.rollback()
    rows = select(TimedMessage).where(TimedMessage.written_at.is_(None)).order_by(TimedMessage.due_at)
    return [(row.kind, row.due_at) for row in db.session.scalars(rows)]


def subjects(now: dt.datetime) -> list[str]:
    return [str(one["Subject"]).partition(":")[0] for one in sent_at(now)]


def test_reminders_follow_a_visit_and_none_is_sent_twice(world: w.World) -> None:
    start, other = w.at(5, 14), w.at(4, 10)
    visit = booked(world, start)
    assert planned() == [(REMINDER, start - 48 * HOUR), (REMINDER, start - 3 * HOUR)]
    sent_at(NOW)
    assert subjects(start - 48 * HOUR - dt.timedelta(minutes=1)) == []
    assert subjects(start - 48 * HOUR) == ["Reminder"]
    assert subjects(start - 47 * HOUR) == []
    move(world, visit, other, now=start - 47 * HOUR)
    assert planned() == [(REMINDER, other - 3 * HOUR)]  # the one of two days before is past
    move(world, visit, start, now=start - 46 * HOUR)
    assert planned() == [(REMINDER, start - 3 * HOUR)]  # what was sent for this time is not sent again
    visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=start - 45 * HOUR)
    assert planned() == []


def test_a_clock_that_is_put_back_or_forward_sends_nothing_twice_and_leaves_nothing_out(
    world: w.World,
) -> None:
    start = w.at(5, 14)
    visit = booked(world, start)
    sent_at(NOW)
    first, minutes = start - 48 * HOUR, dt.timedelta(minutes=5)
    assert subjects(first + minutes) == ["Reminder"]
    for wrong in (-HOUR, HOUR, -HOUR):
        assert subjects(first + minutes + wrong) == []
    assert subjects(start - 3 * HOUR - minutes + HOUR) == [
        "Reminder"
    ]  # an hour ahead: what was due is made up for
    assert [subjects(start - one) for one in (3 * HOUR + minutes, 3 * HOUR, 2 * HOUR)] == [[], [], []]
    assert visit_of(visit).starts_at == start


def test_a_reminder_within_the_notice_says_to_call_and_names_no_hours_that_are_over(world: w.World) -> None:
    start = w.at(5, 14)
    booked(world, start)
    sent_at(NOW)
    early, late = (words_of(sent_at(start - hours * HOUR)[0]) for hours in (48, 3))
    assert "See, move or cancel your visit: http" in early
    assert "up to 24 hours before" in early
    assert "See your visit: http" in late
    assert "up to 24 hours before" not in late
    assert "if you have to move or cancel it, please call us" in late


@pytest.mark.parametrize(
    ("hours", "says"), [(0, "until it begins"), (1, "up to 1 hour before"), (2, "up to 2 hours before")]
)
def test_a_short_notice_is_said_in_words(world: w.World, hours: int, says: str) -> None:
    start = w.at(5, 14)
    booked(world, start)
    sent_at(NOW)
    with transaction() as session:
        session.execute(update(Clinic).values(cancel_notice_hours=hours))
    assert f"move or cancel it {says}" in words_of(sent_at(start - 48 * HOUR)[0])


def test_a_late_booking_gets_the_next_reminder_or_none(world: w.World) -> None:
    soon = w.at(1, 14)
    booked(world, soon)
    assert planned() == [(REMINDER, soon - 3 * HOUR)]


def test_a_step_back_at_the_desk_takes_its_messages_back(world: w.World) -> None:
    start = w.at(5, 14)
    visit = booked(world, start)
    wish = Change(visit_of(visit).revision, w.at(4, 10), therapist_id=world.therapists[0], by=world.desk_id)
    change_at_desk(visit, wish, now=NOW)
    assert planned() != [(REMINDER, start - 48 * HOUR), (REMINDER, start - 3 * HOUR)]
    take_back(visit, by=world.desk_id, now=NOW)
    assert planned() == [(REMINDER, start - 48 * HOUR), (REMINDER, start - 3 * HOUR)]


def test_after_days_without_a_worker_one_reminder_leaves_and_none_of_what_is_over(world: w.World) -> None:
    start = w.at(5, 14)
    booked(world, start)
    sent_at(NOW)
    assert subjects(start - HOUR) == ["Reminder"]
    assert planned() == []


def test_a_message_that_waited_is_looked_at_again_as_it_leaves(world: w.World) -> None:
    """The mail server is away while the person moves, cancels, says no, goes, or gets another address."""
    start = w.at(5, 14)
    visit = booked(world, start)
    sent_at(NOW)
    for change, leaves in (("address", True), ("says no", False), ("moved", False), ("erased", False)):
        with transaction() as session:
            row = OutgoingMail(
                key=change, kind=REMINDER, visit_id=visit, starts_at=start, to="pat@people.example",
                subject="Reminder", text="Soon", due_at=start - 48 * HOUR,
            )  # fmt: skip
            session.add(row)
            client = session.scalars(select(Client)).one()
            if change == "address":
                client.email = "new@people.example"
            elif change == "erased":
                client.email = None
            elif change == "moved":
                row.starts_at = start + HOUR
            choices.choose(session, Whose(client.id), REMINDER, is_wanted=change != "says no", now=NOW)
        found = [one for one in sent_at(start - 47 * HOUR) if one["Subject"] == "Reminder"]
        assert [one["To"] for one in found] == (["new@people.example"] if leaves else []), change
        db.session.rollback()
        [kept] = db.session.scalars(select(OutgoingMail).where(OutgoingMail.key == change))
        assert (kept.ended_as, kept.text) == (None if leaves else "dropped", ""), change


def test_answers_that_are_missing_are_asked_for_a_day_before_the_deadline(world: w.World) -> None:
    visit = booked(world, w.at(6, 14), signs=False)
    deadline = visit_of(visit).deadline_at
    assert deadline is not None
    asked = deadline - 24 * HOUR
    assert (ANSWERS_MISSING, asked) in planned()
    sent_at(NOW)
    [mail] = sent_at(asked)
    assert str(mail["Subject"]).endswith("something is still missing")
    assert "/visit/" in words_of(mail)


def test_aftercare_comes_at_ten_on_the_day_after_with_a_way_out(world: w.World) -> None:
    start = w.at(0, 14)
    visit = booked(world, start)
    mark(world, visit, VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE, now=start)
    [(kind, due)] = planned()
    assert (kind, due) == (AFTERCARE, w.at(1, 10))
    sent_at(start)
    [mail] = sent_at(due)
    assert all(line in words_of(mail) for line in GENERAL)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/messages/stop/" in mail["List-Unsubscribe"]
    assert "/messages/stop/" in words_of(mail)
    assert "Get no more mails of this kind</a>" in words_of(mail, "html")


def test_an_sms_goes_only_to_whoever_wished_for_it_and_not_at_night(world: w.World) -> None:
    start = w.at(5, 9)
    visit = booked(world, start)
    sent_at(NOW)
    texts: list[tuple[str, str]] = []
    sent_at(start - 48 * HOUR, texts=texts)
    assert texts == []
    with transaction() as session:
        whose = Whose(session.get_one(Visit, visit).client_id)
        choices.choose(session, whose, SMS, is_wanted=True, now=NOW)
    sent_at(start - 3 * HOUR, texts=texts)  # six in the morning
    assert texts == []
    sent_at(start - HOUR, texts=texts)
    [(number, text)] = texts
    assert number == "+12125550147"
    assert "see you on" in text
    assert "relaxation" not in text.lower()
