"""What is about no visit is looked at once more as it leaves: whether its person still has that address."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import update

from clinic.accounts.models import User
from clinic.booking.services import people
from clinic.clients.steps import Details
from clinic.intake.services import letters
from clinic.rules.messages import DAY_OF_THERAPIST
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import queue_mail
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


@pytest.mark.parametrize("is_active", [True, False])
def test_the_morning_mail_is_for_who_is_in_the_team(app: Flask, is_active: bool) -> None:
    w.build()
    user = factories.make_user(email="terry@people.example", roles=[Role.THERAPIST]).id
    with transaction() as session:
        queue_mail(
            session, DAY_OF_THERAPIST, "terry@people.example", key=f"{DAY_OF_THERAPIST}:{user}:x", now=NOW,
            name="Terry", day="today", count="1 visit", visits="10:00 am, A.B.", lines="", clinic="Clinic", phone="",
        )  # fmt: skip
        session.execute(update(User).where(User.id == user).values(is_active=is_active))
    assert [one["To"] for one in sent_at(NOW)] == (["terry@people.example"] if is_active else [])
