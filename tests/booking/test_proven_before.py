"""Somebody in the clinic's book whose record was joined with one that waits: what is said of them counts as it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import OpenQuestion, Visit
from clinic.booking.queries import open_questions
from clinic.booking.services import checkout, people, restricting
from clinic.booking.services.forgetting import forget_unfinished
from clinic.clients import services as records
from clinic.clients.models import Client
from clinic.clients.steps import Details, who_stands
from clinic.intake.services import intakes
from clinic.keeping.services import erasing
from clinic.rules.errors import ReviewNeeded
from clinic.shared.database import db
from tests import factories
from tests.at_once import Deeds, deeds
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_named_again import BEN, MARRIED, Waits, waits
from tests.booking.test_open_questions import (
    BORN,
    cancels,
    known_married,
    named_after_a_yes,
    nora_again,
    reviewer,
    visits_of,
)
from tests.booking.test_pages_own import Account
from tests.booking.test_said_stays_said import CLOTS
from tests.conftest import NOW

__all__ = ["deeds"]

Values = dict[str, Any]
ADDRESS = "k@people.example"  # of who is known, and of their family
OTHERWISE_BORN = Details("Norah", "Walker", dt.date(1988, 7, 5), email=ADDRESS)
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


def test_what_their_family_said_holds_who_was_known_until_they_were_compared(
    app: Flask, world: w.World
) -> None:
    known, found = joined(app, world)
    tim = family()
    w.sign_answers(tim, CLOTS)
    cancels(found, world)
    later = db.session.get_one(Visit, found.visit).ends_at + dt.timedelta(days=7)
    db.session.rollback()
    forget_unfinished(later - dt.timedelta(days=2))
    assert not is_known(known)
    assert w.at_desk(world, known, "deep_tissue", when=later).status == "pending"
    with pytest.raises(ReviewNeeded):
        people.say_two_people(known, tim, by=world.desk_id, now=NOW)
    people.say_two_people(known, tim, by=reviewer(), now=NOW)
    assert is_known(known)
    assert "confirmed" in visits_of(known)


def on_the_known_card() -> Values:
    return {"first_name": "Nora", "last_name": "Walker-Smith", "born_on": BORN, "email": "u@people.example"}


def on_the_joined_card() -> Values:
    return {**on_the_known_card(), "born_on": dt.date(1989, 7, 4)}


def said_nothing(_world: w.World, _alike: int) -> None:
    pass


def said_yes(_world: w.World, alike: int) -> None:
    w.sign_answers(alike, CLOTS)


def typed_yes(_world: w.World, alike: int) -> None:
    intakes.save_draft(alike, "client", "full", {"clotting_tendency": CLOTS["clotting_tendency"]}, now=NOW)


def is_restricted(world: w.World, alike: int) -> None:
    restricting.ask_for_more_care(
        world.therapists[0], alike, services=(), verdict="block", reason="no more", until=None,
        by=world.desk_id, now=NOW,
    )  # fmt: skip


def is_barred(world: w.World, alike: int) -> None:
    records.bar_online(alike, True, "shouted", by=world.desk_id, now=NOW)


@pytest.mark.parametrize("first", ["known", "waits"])
@pytest.mark.parametrize("card", [on_the_known_card, on_the_joined_card])
@pytest.mark.parametrize("says", [said_nothing, said_yes, typed_yes, is_restricted, is_barred])
def test_what_is_said_of_whoever_looks_like_one_of_the_two_keeps_them_from_being_known_again(
    app: Flask, world: w.World, first: str, card: Callable[[], Values], says: Callable[[w.World, int], None]
) -> None:
    known, found = known_married(), waits(app, (BEN, {**MARRIED, "born_year": "1989"}))
    alike = factories.make_client(**card(), phone=None, is_unproven=True).id
    if says is is_restricted:
        w.at_desk(world, alike, "swedish", when=w.at(5), therapist_id=world.therapists[0])
    says(world, alike)
    keep, lose = (known, found.client) if first == "known" else (found.client, known)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    people.say_two_people(keep, found.nora, by=reviewer(), now=NOW)
    forget_unfinished(NOW)
    assert is_known(keep) == (says is said_nothing)


def tim_takes_it(world: w.World, _known: int, alike: int) -> None:
    """A family member in the book."""
    people.merge_clients(family(), alike, by=world.desk_id, now=NOW)


def its_card_is_corrected(world: w.World, _known: int, alike: int) -> None:
    people.change_details(alike, OTHERWISE_BORN, by=world.desk_id, now=NOW)


def their_card_is_corrected(world: w.World, known: int, _alike: int) -> None:
    people.change_details(known, OTHERWISE_BORN, by=world.desk_id, now=NOW)


def they_are_joined_with_another_record(world: w.World, known: int, _alike: int) -> None:
    people.merge_clients(known, known_married(), by=world.desk_id, now=NOW)


@pytest.mark.parametrize(
    "step",
    [tim_takes_it, its_card_is_corrected, their_card_is_corrected, they_are_joined_with_another_record],
)
def test_no_step_of_the_desk_and_the_worker_sheds_what_may_be_theirs(
    app: Flask, world: w.World, step: Callable[[w.World, int, int], None]
) -> None:
    known, found = joined(app, world)
    alike = nora_again(email=ADDRESS)
    w.sign_answers(alike, CLOTS, now=NOW - dt.timedelta(minutes=1))
    people.say_two_people(known, found.nora, by=reviewer(), now=NOW)
    booked = w.at_desk(world, known, "deep_tissue", when=w.at(14))
    step(world, known, alike)
    forget_unfinished(NOW)
    db.session.rollback()
    assert not is_known(known)
    assert db.session.get_one(Visit, booked.visit_id).status == "pending"


def test_an_account_proves_nobody_who_is_just_being_joined_with_a_record_that_waits(
    app: Flask, world: w.World, deeds: Deeds
) -> None:
    account = Account(app, born_on=dt.date(1960, 1, 1))
    partner = factories.make_client(
        first_name="Paul", last_name="Moss", born_on=dt.date(1979, 2, 2), acts={account.user_id: "partner"},
        is_unproven=True,
    ).id  # fmt: skip
    found = waits(app)
    walk.location(walk.hold(account.browser, "deep_tissue", w.at(9)))
    db.session.rollback()
    deeds.stop_in(checkout, "named_before")
    deeds.do(
        lambda: account.browser.post("/book/person", data={"person": str(partner)}),
        lambda: people.merge_clients(partner, found.client, by=world.desk_id, now=NOW),
    )
    assert not is_known(partner)
    assert db.session.scalars(select(OpenQuestion)).all()


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


def test_nobody_is_locked_while_nothing_is_decided(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker looks every few seconds, and somebody may wait for weeks."""
    known, found = joined(app, world)
    locked: list[int] = []

    def noted(session: Any, client_id: int) -> Any:
        locked.append(client_id)
        return who_stands(session, client_id)

    monkeypatch.setattr("clinic.booking.services.forgetting.who_stands", noted)
    forget_unfinished(NOW)
    assert (locked, is_known(known)) == ([], False)
    cancels(found, world)
    forget_unfinished(NOW + dt.timedelta(days=30))
    assert (locked, is_known(known)) == ([known], True)
