"""What becomes a message about a visit when its time has come: whose, by which way, and when nothing does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clinic.booking.models import CheckinLink, Visit
from clinic.booking.services import sending, visits
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
from tests import factories
from tests.booking import world as w
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.mailing import sent_at

HOUR, MINUTE, DAY = dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(days=1)
START = w.at(5, 14)
FIRST = START - 48 * HOUR
PHONE = "+12125550147"


def booked(
    world: w.World, when: dt.datetime = START, *, signs: bool = True, wishes: bool = False, **values: Any
) -> int:
    """A visit whose news have left. `wishes`: for a reminder by SMS, too."""
    client = w.person(email=f"pat{w.new_number()}@people.example", phone=PHONE)
    if signs:
        w.sign(client)
    if wishes:
        chosen(client, SMS, is_wanted=True)
    visit = w.at_desk(world, client, "relaxation", when=when, **values).visit_id or 0
    sent_at(NOW)
    return visit


def chosen(client_id: int, kind: str, *, is_wanted: bool) -> None:
    with transaction() as session:
        choices.choose(session, Whose(client_id), kind, is_wanted=is_wanted, now=NOW)


def done(world: w.World, visit_id: int, now: dt.datetime) -> None:
    for step in (VisitStatus.ARRIVED, VisitStatus.IN_SESSION, VisitStatus.DONE):
        visits.mark_visit(visit_id, step, revision=visit_of(visit_id).revision, by=world.desk_id, now=now)


def written(*kinds: str) -> list[OutgoingMail]:
    db.session.rollback()
    rows = select(OutgoingMail).where(OutgoingMail.kind.in_(kinds or (REMINDER, SMS, AFTERCARE)))
    return list(db.session.scalars(rows.order_by(OutgoingMail.id)))


def taken() -> list[tuple[int, dt.datetime, dt.datetime | None]]:
    """Of every message that was planned: the visit, when it was due, when it was taken."""
    db.session.rollback()
    rows = select(TimedMessage).order_by(TimedMessage.due_at, TimedMessage.visit_id)
    return [(row.visit_id, row.due_at, row.written_at) for row in db.session.scalars(rows)]


def test_each_visit_is_told_of_once_and_at_its_own_time(world: w.World) -> None:
    one, other = sorted((booked(world), booked(world)))
    later = booked(world, START + DAY)
    assert sending.write_due(FIRST - MINUTE, by_sms=False) == 0
    assert written() == []
    assert sending.write_due(FIRST, by_sms=False) == 2
    assert [(row.key, row.visit_id, row.starts_at) for row in written()] == [
        (f"{REMINDER}:{visit}:{FIRST:%Y%m%d%H%M}", visit, START) for visit in (one, other)
    ]
    assert sending.write_due(FIRST, by_sms=False) == 0
    second = START - 3 * HOUR
    assert sending.write_due(second, by_sms=False) == 3
    assert len(written()) == 5
    assert taken() == [
        (one, FIRST, FIRST), (other, FIRST, FIRST), (later, FIRST + DAY, second),
        (one, second, second), (other, second, second), (later, second + DAY, None),
    ]  # fmt: skip


def test_what_was_written_holds_nothing_else_up(world: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are looked at in one round, those that wait longest first."""
    first, second = booked(world), booked(world, START + HOUR)
    monkeypatch.setattr(sending, "AT_ONCE", 1)
    rounds = [sending.write_due(FIRST + HOUR, by_sms=False) for _round in range(3)]
    assert (rounds, [row.visit_id for row in written()]) == ([1, 1, 0], [first, second])


def another_time(session: Session, visit: Visit) -> None:
    """As though it had been planned for a visit that has moved since."""
    session.execute(update(TimedMessage).values(starts_at=visit.starts_at + HOUR))


def a_no(session: Session, visit: Visit) -> None:
    choices.choose(session, Whose(visit.client_id), REMINDER, is_wanted=False, now=NOW)


def no_address(session: Session, visit: Visit) -> None:
    session.execute(update(Client).where(Client.id == visit.client_id).values(email=None))


def nothing(_session: Session, _visit: Visit) -> None:
    """Nothing happens meanwhile."""


@pytest.mark.parametrize(
    ("meanwhile", "now", "count"),
    [
        (nothing, FIRST, 1),
        (nothing, START - MINUTE, 1),
        (nothing, START, 0),
        (nothing, START + DAY, 0),
        (another_time, FIRST, 0),
        (a_no, FIRST, 0),
        (no_address, FIRST, 0),
    ],
)
def test_a_reminder_is_written_while_it_is_true_and_welcome(
    world: w.World, meanwhile: Callable[[Session, Visit], None], now: dt.datetime, count: int
) -> None:
    visit = booked(world)
    with transaction() as session:
        meanwhile(session, session.get_one(Visit, visit))
    assert sending.write_due(now, by_sms=False) == 1
    assert len(written()) == count
    assert [at for _visit, due, at in taken() if due <= now] == [now] * sum(
        due <= now for _visit, due, _at in taken()
    )


def test_a_visit_that_waits_is_not_reminded_of(world: w.World) -> None:
    """What it waits for was told; a reminder would say that it stands."""
    visit = booked(world, signs=False)
    assert visit_of(visit).is_waiting
    with transaction() as session:
        session.execute(update(Visit).values(deadline_at=START - HOUR))
    for hours in (48, 3):
        sending.write_due(START - hours * HOUR, by_sms=True)
    assert written(REMINDER, SMS) == []


def after(visit_id: int) -> dt.datetime:
    return visit_of(visit_id).ends_at + 3 * DAY


@pytest.mark.parametrize(("late", "count"), [(-MINUTE, 1), (0 * MINUTE, 0), (DAY, 0)])
def test_after_days_without_a_worker_nobody_is_told_what_to_do_after_a_visit(
    world: w.World, late: dt.timedelta, count: int
) -> None:
    visit = booked(world, w.at(0, 14), wishes=True)
    done(world, visit, w.at(0, 14))
    sending.write_due(after(visit) + late, by_sms=True)
    rows = written(AFTERCARE, SMS)
    assert [row.kind for row in rows] == [AFTERCARE] * count, "an SMS reminds, and tells nothing else"
    for row in rows:
        assert "\n\n" + "\n".join(f"- {line}" for line in GENERAL) + "\n\n" in row.text


@pytest.mark.parametrize(("own", "called"), [("+12125550122", "+12125550122"), ("", "+12125550100")])
def test_an_sms_says_when_and_whom_to_call(world: w.World, own: str, called: str) -> None:
    """At a place without a telephone that of the clinic's first place."""
    place = factories.make_location(zone=w.ZONE, name="Second", phone=own)
    factories.make_room(place, name="Second 1")
    therapist = factories.make_therapist(name="Sam", skills=w.SKILLS)
    factories.make_hours(therapist, place, starts="08:00", ends="20:00", weekdays=range(7))
    visit = booked(world, wishes=True, therapist_id=therapist.id, location_id=place.id)
    sending.write_due(FIRST, by_sms=True)
    [row] = written(SMS)
    assert (row.key, row.channel, row.to) == (f"{SMS}:{visit}:{FIRST:%Y%m%d%H%M}", "sms", PHONE)
    assert (row.visit_id, row.starts_at, row.due_at) == (visit, START, FIRST)
    assert row.text.rstrip() == (
        "Still Waters: see you on Sunday 14 June 2026 at 2:00 pm. If you cannot come, please call us: "
        + called
    )


@pytest.mark.parametrize(
    ("when", "now", "leaves"),
    [
        (w.at(5, 9), w.at(5, 6), w.at(5, 8)),
        (w.at(5, 9), w.at(5, 8), w.at(5, 8)),
        (w.at(5, 18), w.at(3, 18), w.at(3, 18)),
        (w.at(5, 18), w.at(3, 21), w.at(4, 8)),
    ],
)
def test_an_sms_waits_for_the_end_of_the_night(
    world: w.World, when: dt.datetime, now: dt.datetime, leaves: dt.datetime
) -> None:
    booked(world, when, wishes=True)
    sending.write_due(now, by_sms=True)
    [row] = written(SMS)
    assert row.due_at == leaves


@pytest.mark.parametrize(
    ("wishes", "by_sms", "phone"), [(False, True, PHONE), (True, False, PHONE), (True, True, "")]
)
def test_no_sms_is_written_unwished_or_without_a_way(
    world: w.World, *, wishes: bool, by_sms: bool, phone: str
) -> None:
    visit = booked(world, wishes=wishes)
    with transaction() as session:
        session.execute(update(Client).values(phone=phone, phone_key=phone))
    sending.write_due(FIRST, by_sms=by_sms)
    assert [(row.kind, row.visit_id) for row in written()] == [(REMINDER, visit)]


@pytest.mark.parametrize(
    ("state", "kind", "now", "leaves"),
    [
        ("stands", REMINDER, START - MINUTE, True),
        ("stands", REMINDER, START, False),
        ("stands", "visit_moved", START - MINUTE, True),
        ("stands", "visit_moved", START, False),
        ("stands", ANSWERS_MISSING, FIRST, False),
        ("cancelled", REMINDER, FIRST, False),
        ("cancelled", "visit_moved", FIRST, False),
        ("waits for answers", REMINDER, FIRST, False),
        ("waits for answers", ANSWERS_MISSING, FIRST, True),
        ("waits for answers", "visit_moved", FIRST, True),
        ("waits for a paper", REMINDER, FIRST, False),
        ("waits for a paper", ANSWERS_MISSING, FIRST, False),
        ("stands", "visit_check_in", FIRST, True),
        ("is checked in", "visit_check_in", FIRST, False),
        ("is checked in", "visit_moved", FIRST, True),
        ("is checked in", REMINDER, FIRST, True),
    ],
)
def test_what_waited_leaves_while_it_is_true_of_the_visit(
    world: w.World, state: str, kind: str, now: dt.datetime, *, leaves: bool
) -> None:
    visit = booked(world, signs=not state.startswith("waits"))
    if state == "cancelled":
        visits.cancel_visit(visit, by=world.desk_id, by_clinic=True, now=NOW)
        sent_at(NOW)
    with transaction() as session:
        session.execute(update(Clinic).values(check_in_needed=state == "stands"))
        if state == "waits for a paper":
            session.execute(update(Visit).values(waiting_for="clearance"))
        session.execute(update(TimedMessage).values(written_at=NOW))
        session.add(CheckinLink(visit_id=visit, token_hash="mailed", made_at=NOW, expires_at=START))
        session.add(
            OutgoingMail(
                key="waited", kind=kind, visit_id=visit, starts_at=START, to="old@people.example",
                subject="Hello", text="Good morning", due_at=NOW,
            )
        )  # fmt: skip
    letters = sent_at(now)
    [row] = written(kind) if kind != REMINDER else [one for one in written(kind) if one.key == "waited"]
    assert (len(letters), row.ended_as) == ((1, None) if leaves else (0, "dropped"))
