"""Somebody in the clinic's book whose record was joined with one that waits: what is said of them counts as it did."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import OpenQuestion, Visit
from clinic.booking.queries import open_questions
from clinic.booking.services import people
from clinic.booking.services.forgetting import forget_unfinished
from clinic.clients.models import Client
from clinic.keeping.services import erasing
from clinic.rules.errors import ReviewNeeded
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.booking.test_named_again import Waits, waits
from tests.booking.test_open_questions import (
    cancels,
    known_married,
    named_after_a_yes,
    nora_again,
    reviewer,
    visits_of,
)
from tests.booking.test_said_stays_said import CLOTS
from tests.conftest import NOW

ADDRESS = "k@people.example"  # of who is known, and of their family
pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(check_in=True)


def joined(app: Flask, world: w.World) -> tuple[int, Waits]:
    """Somebody known, joined with a record whose visit waits."""
    known = known_married()
    found = waits(app)
    people.merge_clients(known, found.client, by=world.desk_id, now=NOW)
    assert db.session.get_one(Client, known).is_unproven
    db.session.rollback()
    return known, found


@pytest.mark.parametrize("is_joined", [False, True])
def test_what_a_known_person_says_holds_who_looks_like_them_also_once_joined_with_who_waits(
    app: Flask, world: w.World, is_joined: bool
) -> None:
    known = known_married()
    alike = nora_again()
    booked = w.at_desk(world, alike, "deep_tissue", when=w.at(12))
    assert booked.status == "confirmed"
    if is_joined:
        found = waits(app)
        people.merge_clients(known, found.client, by=world.desk_id, now=NOW)
    later = NOW + dt.timedelta(minutes=5)
    w.sign_answers(known, CLOTS, now=later)
    assert visits_of(alike) != ["confirmed"]


def family() -> int:
    return factories.make_client(
        first_name="Tim", last_name="Walker", born_on=dt.date(1999, 1, 2), email=ADDRESS, phone=None
    ).id


def is_known(client_id: int) -> bool:
    db.session.rollback()
    return not db.session.get_one(Client, client_id).is_unproven


@pytest.mark.parametrize("first", ["known", "waits"])
def test_whoever_was_known_is_known_again_once_it_was_decided(app: Flask, world: w.World, first: str) -> None:
    """Also somebody who came online, and whose family has the same telephone."""
    family()
    known, found = known_married(), waits(app)
    keep, lose = (known, found.client) if first == "known" else (found.client, known)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    assert not is_known(keep)
    with pytest.raises(ReviewNeeded):
        people.say_two_people(keep, found.nora, by=world.desk_id, now=NOW)
    people.say_two_people(keep, found.nora, by=reviewer(), now=NOW)
    assert is_known(keep)
    assert visits_of(keep) == ["confirmed"]


def test_whoever_was_known_is_known_again_once_all_three_are_one(app: Flask, world: w.World) -> None:
    known, found = joined(app, world)
    people.merge_clients(known, found.nora, by=reviewer(), now=NOW)
    assert is_known(known)
    assert visits_of(known) != ["confirmed"], "what was typed for the third one is theirs now"


def test_whoever_was_known_is_known_again_when_what_waited_was_called_off_and_its_time_is_over(
    app: Flask, world: w.World
) -> None:
    known, found = joined(app, world)
    ends_at = db.session.get_one(Visit, found.visit).ends_at
    cancels(found, world)
    for when, is_over in (
        (ends_at + open_questions.GRACE, False),
        (ends_at + open_questions.GRACE + dt.timedelta(seconds=1), True),
    ):
        forget_unfinished(when)
        assert bool(db.session.scalars(select(OpenQuestion)).all()) != is_over
        assert is_known(known) == is_over


def test_what_a_known_persons_family_said_holds_them_no_longer_once_it_is_over(
    app: Flask, world: w.World
) -> None:
    known, found = joined(app, world)
    w.sign_answers(family(), CLOTS)
    cancels(found, world)
    later = db.session.get_one(Visit, found.visit).ends_at + dt.timedelta(days=7)
    db.session.rollback()
    forget_unfinished(later - dt.timedelta(days=2))
    assert w.at_desk(world, known, "deep_tissue", when=later).status == "confirmed"


@pytest.mark.parametrize("says", ["no", "yes"])
def test_what_is_likely_theirs_too_keeps_them_from_being_known_again(
    app: Flask, world: w.World, says: str
) -> None:
    known, found = joined(app, world)
    alike = nora_again()
    if says == "yes":
        w.sign_answers(alike, CLOTS, now=NOW + dt.timedelta(minutes=1))
    people.say_two_people(known, found.nora, by=reviewer(), now=NOW)
    assert is_known(known) == (says == "no")


def test_a_record_that_would_wait_is_booked_first_also_for_who_was_known_before(
    app: Flask, world: w.World
) -> None:
    known, _found = joined(app, world)
    would_wait = named_after_a_yes(app.test_client())
    with pytest.raises(ReviewNeeded):
        people.merge_clients(known, would_wait, by=reviewer(), now=NOW)


def test_a_harmless_record_is_joined_with_who_was_known_before(app: Flask, world: w.World) -> None:
    known, _found = joined(app, world)
    people.merge_clients(known, nora_again(), by=world.desk_id, now=NOW)
    assert not is_known(known)


def test_of_two_whom_nobody_knew_nobody_is_known_again(app: Flask, world: w.World) -> None:
    guest, found = nora_again(), waits(app)
    people.merge_clients(guest, found.client, by=world.desk_id, now=NOW)
    people.say_two_people(guest, found.nora, by=reviewer(), now=NOW)
    assert not db.session.get_one(Client, guest).was_proven
    alike = nora_again()
    booked = w.at_desk(world, alike, "deep_tissue", when=w.at(12))
    w.sign_answers(guest, CLOTS, now=NOW + dt.timedelta(minutes=5))
    assert (booked.status, visits_of(alike)) == ("confirmed", ["confirmed"]), "what a stranger types later"


def test_what_held_their_visit_is_let_go_when_they_are_known_again(app: Flask, world: w.World) -> None:
    known, found = joined(app, world)
    alike = nora_again()
    w.sign_answers(alike, CLOTS, now=NOW + dt.timedelta(minutes=1))
    people.say_two_people(known, found.nora, by=reviewer(), now=NOW)
    assert w.at_desk(world, known, "deep_tissue", when=w.at(14)).status == "pending"
    erasing.erase_person(alike, settings=app.config, by=world.desk_id, now=NOW)
    db.session.rollback()
    forget_unfinished(NOW + dt.timedelta(minutes=2))
    assert is_known(known)
    assert set(visits_of(known)) == {"confirmed"}
