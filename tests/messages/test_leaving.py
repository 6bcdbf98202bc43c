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
    # once, with links that open: those of the first one may have been read at the other address
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


def test_a_link_leaves_for_an_account_in_use(app: Flask) -> None:
    w.build()
    user = in_the_team()
    with transaction() as session:
        person = session.get_one(User, user)
        steps.mail_welcome(session, person, steps.new_link(session, person, "welcome", NOW), NOW)
    assert to("invitation") == ["terry@people.example"]


def test_each_series_is_told_to_its_own_person(app: Flask) -> None:
    w.build()
    told = [f"pat{number}@people.example" for number in range(2)]
    for number, address in enumerate(told):
        client = w.person(email=address)
        w.sign_answers(client, {})
        series.book_series(
            w.choice("relaxation"), client, [OneStart(w.at(days, 10 + 2 * number)) for days in (3, 10)],
            every_weeks=1, request_key=None, source="desk", by=None, now=NOW, reconfirmed=True,
        )  # fmt: skip
    assert to("series_booked") == told


@pytest.mark.parametrize(
    ("kind", "number", "reached"),
    [
        ("papers_needed", ":{known}", "new@people.example"),
        ("papers_needed", ":{silent}", ""),
        ("papers_needed", ":{gone}", ""),
        ("papers_run_out", ":{gone}", ""),
        ("series_booked", ":{gone}", ""),
        # Whoever has no number that says whom they are about leave as they were written.
        ("papers_needed", "", "old@people.example"),
        ("papers_needed", ":all", "old@people.example"),
        ("visit_moved", ":{known}", "old@people.example"),
        ("a_kind_of_before", ":{known}", "old@people.example"),
        ("a_kind_of_before", "", "old@people.example"),
        (DAY_OF_THERAPIST, ":{gone}", ""),
        ("notice_password_changed", ":{gone}", "old@people.example"),
        ("reset", ":{gone}", ""),
    ],
)
def test_whom_a_message_of_before_still_reaches(app: Flask, kind: str, number: str, reached: str) -> None:
    w.build()
    numbers = {
        "known": w.person(email="new@people.example"), "silent": w.person(email=None), "gone": 999_999,
    }  # fmt: skip
    assert left(kind, kind + number.format(**numbers)) == (reached, None if reached else "dropped")


def test_what_is_about_a_visit_that_is_gone_does_not_leave(app: Flask) -> None:
    w.build()
    assert left("visit_moved", "visit_moved:1:1", visit_id=999_999) == ("", "dropped")


def left(kind: str, key: str, **values: int) -> tuple[str, str | None]:
    """Where this message has gone, and as what it has ended."""
    factories.save(
        OutgoingMail(
            key=key, kind=kind, to="old@people.example", subject="Hello", text="Good morning", due_at=NOW, **values
        )
    )  # fmt: skip
    letters = sent_at(NOW)
    db.session.rollback()
    row = db.session.scalars(select(OutgoingMail)).one()
    assert [one["To"] for one in letters] == ([row.to] if row.sent_at and not row.ended_as else [])
    return (row.to if letters else ""), row.ended_as
