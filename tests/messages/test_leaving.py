"""What is about no visit is looked at once more as it leaves: whether its person still has that address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from clinic.accounts import steps
from clinic.accounts.models import User
from clinic.accounts.notices import Notice, tell, tell_owners
from clinic.booking.services import people, series
from clinic.booking.services.series_starts import OneStart
from clinic.clients import choices
from clinic.clients.choices import Whose
from clinic.clients.steps import Details
from clinic.intake.services import letters
from clinic.rules.messages import DAY_OF_THERAPIST
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail, queue_mail
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.mailing import sent_at

pytestmark = pytest.mark.usefixtures("now")


def test_a_letter_is_asked_for_at_the_address_of_today(app: Flask) -> None:
    world = w.build()
    client = factories.make_client(
        first_name="Ann", last_name="Known", born_on=dt.date(1985, 5, 5), email="wrong@people.example"
    ).id
    db.session.rollback()
    letters.ask_for_letter(client, by=world.desk_id, now=NOW)
    right = Details("Ann", "Known", dt.date(1985, 5, 5), email="right@people.example", phone="")
    people.change_details(client, right, by=world.desk_id, now=NOW)
    assert [one["To"] for one in sent_at(NOW)] == ["right@people.example"]


def to(kind: str) -> list[str]:
    """Where mails of this kind have left for a little later."""
    sent_at(NOW + dt.timedelta(minutes=1))
    rows = select(OutgoingMail.to).where(OutgoingMail.kind == kind, OutgoingMail.sent_at.is_not(None))
    db.session.rollback()
    return list(db.session.scalars(rows.order_by(OutgoingMail.id)))


def test_a_series_is_told_at_the_address_of_today(app: Flask) -> None:
    world = w.build()
    client = w.person(email="wrong@people.example")
    w.sign_answers(client, {})
    series.book_series(
        w.choice("relaxation"), client, [OneStart(w.at(days)) for days in (3, 10)], every_weeks=1,
        request_key=None, source="desk", by=None, now=NOW, reconfirmed=True,
    )  # fmt: skip
    right = Details("Pat", "Regular", dt.date(1985, 5, 5), email="right@people.example", phone="")
    people.change_details(client, right, by=world.desk_id, now=NOW)
    assert to("series_booked") == ["right@people.example"]


def in_the_team(role: Role = Role.THERAPIST) -> int:
    return factories.make_user(email="terry@people.example", roles=[role]).id


def switched_off(session: Session, user: int) -> None:
    session.execute(update(User).where(User.id == user).values(is_active=False))


def moved(session: Session, user: int) -> None:
    session.execute(update(User).where(User.id == user).values(email="new@people.example"))


def declined(session: Session, user: int) -> None:
    choices.choose(session, Whose(user_id=user), DAY_OF_THERAPIST, is_wanted=False, now=NOW)


TOLD: list[tuple[Callable[[Session, int], None] | None, list[str]]] = [
    (None, ["terry@people.example"]), (switched_off, []), (moved, ["new@people.example"]),
]  # fmt: skip


@pytest.mark.parametrize(("meanwhile", "reached"), [*TOLD, (declined, [])])
def test_the_morning_mail_is_for_who_is_in_the_team(
    app: Flask, meanwhile: Callable[[Session, int], None] | None, reached: list[str]
) -> None:
    w.build()
    user = in_the_team()
    with transaction() as session:
        queue_mail(
            session, DAY_OF_THERAPIST, "terry@people.example", key=f"{DAY_OF_THERAPIST}:{user}:x", now=NOW,
            name="Terry", day="today", count="1 visit", visits="10:00 am, A.B.", lines="", clinic="Clinic", phone="",
        )  # fmt: skip
        if meanwhile is not None:
            meanwhile(session, user)
    assert to(DAY_OF_THERAPIST) == reached


@pytest.mark.parametrize(("meanwhile", "reached"), TOLD)
def test_what_owners_are_told_is_for_who_is_in_the_team(
    app: Flask, meanwhile: Callable[[Session, int], None] | None, reached: list[str]
) -> None:
    w.build()
    user = in_the_team(Role.OWNER)
    with transaction() as session:
        tell_owners(session, Notice.BREAK_GLASS, now=NOW, who="Tess")
        if meanwhile is not None:
            meanwhile(session, user)
    assert to("notice_break_glass") == reached


def test_no_link_leaves_for_an_account_that_was_switched_off(app: Flask) -> None:
    """What was done with an account is told all the same, at the address that it had then."""
    w.build()
    user = in_the_team()
    with transaction() as session:
        person = session.get_one(User, user)
        steps.mail_welcome(session, person, steps.new_link(session, person, "welcome", NOW), NOW)
        tell(session, Notice.PASSWORD_CHANGED, person, now=NOW)
        moved(session, user)
        switched_off(session, user)
    assert (to("invitation"), to("notice_password_changed")) == ([], ["terry@people.example"])
