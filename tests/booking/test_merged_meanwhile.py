"""What somebody saves on a record that is just being merged away, or was since their page came, is said of the person.

Two deeds at one moment: the merge is stopped in its middle, and the other deed started; SQLite has one writer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from clinic.booking.models import CallRequest, Claim, Offer, Visit, WaitlistWish
from clinic.booking.services import (
    _line,
    answering,
    calls,
    checkout,
    deadlines,
    holds,
    in_line,
    own_phone,
    people,
    undoing,
    waitlist,
)
from clinic.booking.services import visits as bookings
from clinic.booking.services.couples import Half, book_couple
from clinic.clients import queries as clients
from clinic.clients import services as keeping
from clinic.clients.models import Client, MessageChoice
from clinic.clients.steps import Details
from clinic.intake import queries as intake
from clinic.intake.models import Consent, HealthStop, Intake, IntakeDraft
from clinic.intake.services import checkins, consents, intakes, reactions, reviews
from clinic.keeping.models import Erasure
from clinic.keeping.services import erasing
from clinic.messages import services as messages
from clinic.rules.errors import InvalidInput, MoveNotAllowed, SlotTaken
from clinic.rules.messages import FOR_CLIENTS
from clinic.rules.permissions import Role
from clinic.rules.waitlist import When
from clinic.shared.database import db
from clinic.therapists import services as therapists
from tests import factories
from tests.at_once import Deeds, deeds
from tests.booking import world as w
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.booking.test_pages_own import Account
from tests.booking.test_records_at_once import make_alike, noted_rings
from tests.conftest import NOW

__all__ = ["deeds"]
pytestmark = [pytest.mark.every_way_on_both, pytest.mark.usefixtures("now")]
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
WHO = Details("Sam", "Same", dt.date(1985, 5, 5), email="sam@people.example", phone="(212) 555-0188")


def merged(keep: int, lose: int, world: w.World) -> Callable[[], None]:
    return partial(people.merge_clients, keep, lose, by=world.desk_id, now=NOW)


def as_on_card(client_id: int, **changed: Any) -> Details:
    one = db.session.get_one(Client, client_id)
    found = Details(one.first_name, one.last_name, one.born_on, email=one.email or "", phone=one.phone or "")
    return replace(found, **changed)


def test_a_birth_date_is_put_right_on_the_person(deeds: Deeds, world: w.World) -> None:
    keep, lose = w.person(), w.person(email="lose@people.example", phone="(212) 555-0101")
    for one in (keep, lose):
        w.sign(one)
    w.at_desk(world, lose, "relaxation")
    young = as_on_card(lose, born_on=dt.date(2012, 1, 1))
    deeds.stop_in(people, "_fill_gaps")
    change = partial(people.change_details, lose, young, by=world.desk_id, now=NOW)
    assert deeds.do(merged(keep, lose, world), change) == ("done", "done")
    assert db.session.get_one(Client, keep).born_on == dt.date(2012, 1, 1)
    assert w.statuses(keep) != ["confirmed"]  # no parent has agreed


def test_two_who_come_to_look_alike_by_two_changes_are_seen(deeds: Deeds, world: w.World) -> None:
    known, guest = w.person(), w.person()
    w.sign(known, heart_failure={"worsening": False})
    w.sign(guest)
    db.session.execute(update(Client).where(Client.id == guest).values(is_unproven=True))
    db.session.commit()
    w.at_desk(world, guest, "deep_tissue")
    assert w.statuses(guest) == ["confirmed"]
    one, other = (as_on_card(each, phone="(212) 555-0177") for each in (known, guest))
    deeds.stop_in(people, "judge_visits_of_all")
    staff: dict[str, Any] = {"by": world.desk_id, "now": NOW}
    first = partial(people.change_details, known, one, **staff)
    assert deeds.do(first, partial(people.change_details, guest, other, **staff)) == ("done", "done")
    assert w.statuses(guest) != ["confirmed"]


@pytest.mark.parametrize("is_before", [True, False])
def test_what_the_desk_writes_down_stands_on_the_card_of_the_person(
    deeds: Deeds, world: w.World, is_before: bool
) -> None:
    keep, lose = w.person(), w.person()

    def write() -> None:
        keeping.bar_online(lose, True, "Rude", by=world.desk_id, now=NOW)
        keeping.write_note(lose, "Allergic to nuts", by=world.desk_id, now=NOW)
        therapists.keep_apart(lose, world.therapists[0], "She asked", by=world.desk_id, now=NOW)

    if is_before:  # the page stood open meanwhile
        merged(keep, lose, world)()
        write()
    else:
        deeds.stop_in(people, "judge_visits_of_all")
        assert deeds.do(merged(keep, lose, world), write) == ("done", "done")
    assert db.session.get_one(Client, keep).is_barred_online
    assert "Allergic to nuts" in {one.text for one in clients.notes(keep)}
    w.sign(keep)
    with pytest.raises(SlotTaken):
        w.at_desk(world, keep, "relaxation", therapist_id=world.therapists[0])


@pytest.mark.parametrize("middle", ["_fill_gaps", "leave_trace"])
def test_a_consent_that_is_taken_back_stops_the_visit(deeds: Deeds, world: w.World, middle: str) -> None:
    keep, lose = w.person(), w.person()
    intakes.submit_intake(
        lose, w.answers(), w.signature(lose), writer="client", source="online",
        consents={"treatment": {}, "privacy": {}}, by=None, now=NOW, today=w.TODAY,
    )  # fmt: skip
    w.at_desk(world, lose, "relaxation")
    assert w.statuses(lose) == ["confirmed"]
    number = db.session.scalars(select(Consent.id).where(Consent.kind == "treatment")).one()
    deeds.stop_in(people, middle)
    take_back = partial(consents.withdraw_consent, number, lose, by=world.desk_id, now=NOW + MINUTE)
    assert deeds.do(merged(keep, lose, world), take_back) == ("done", "done")
    assert w.statuses(keep) == ["suspended"]


@pytest.mark.parametrize("middle", ["_fill_gaps", "leave_trace"])
def test_a_review_that_keeps_the_earlier_answer_stops_the_visit(
    deeds: Deeds, world: w.World, middle: str
) -> None:
    keep, lose = w.person(), w.person()
    reviewer = factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id
    w.sign(lose, bleeding_disorder=HAEMOPHILIA)
    softer = w.sign(lose, now=NOW + MINUTE)
    deeds.stop_in(people, middle)
    review = partial(reviews.review_softened, softer, False, "Asked again", by=reviewer, now=NOW + 2 * MINUTE)
    assert deeds.do(merged(keep, lose, world), review) == ("done", "done")
    assert w.at_desk(world, keep, "deep_tissue").status != "confirmed"


def test_a_bad_reaction_waits_at_once_for_those_who_look_alike(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = w.person(), w.person()
    make_alike(one, two)
    make_alike(two, one)
    broken_off = noted_rings(monkeypatch)
    deeds.stop_in(reactions, "judge_again")
    reaction = partial(
        reactions.record_bad_reaction, two, "Fainted twice", happened_on=w.TODAY, visit_id=None,
        by=world.desk_id, now=NOW, today=w.TODAY,
    )  # fmt: skip
    assert deeds.do(reaction, partial(w.sign, one)) == ("done", "done")
    assert broken_off == []


def test_a_guest_whose_record_was_merged_may_type_again(world: w.World) -> None:
    """Under a record of their own: nobody who is not signed in writes on the card of somebody who is known."""
    keep = w.person(email="sam@people.example")
    w.sign(keep)
    token = checkout.hold_slot(None, w.choice("relaxation"), w.at(3), first_visit=True, user_id=None, now=NOW)
    guest = checkout.name_person(token, WHO, relation="self", now=NOW)
    w.sign(guest)
    merged(keep, guest, world)()
    before = as_on_card(keep)
    later = NOW + MINUTE
    named = checkout.name_person(token, replace(WHO, phone="(212) 555-0189"), relation="self", now=later)
    w.sign(named, now=later)
    assert checkout.confirm(token, user_id=None, now=later).status == "confirmed"
    assert (named not in (keep, guest), as_on_card(keep)) == (True, before)
    assert w.statuses(named) == ["confirmed"]


def test_a_cancellation_is_not_taken_back_for_another_record(world: w.World) -> None:
    keep, lose = w.person(email="k@people.example"), w.person(email="l@people.example")
    for one in (keep, lose):
        w.sign(one)
    visit_id = w.at_desk(world, lose, "relaxation").visit_id or 0
    bookings.cancel_visit(visit_id, by_clinic=True, at_desk=True, by=world.desk_id, now=NOW)
    merged(keep, lose, world)()
    with pytest.raises(MoveNotAllowed, match="Nothing was undone"):
        undoing.take_back(visit_id, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert set(db.session.scalars(select(Visit.status))) == {"cancelled"}


@pytest.mark.parametrize("deed", ["wish", "call", "choice", "phone", "erase", "hold"])
def test_what_they_save_themselves_is_the_persons(deeds: Deeds, world: w.World, deed: str) -> None:
    own = factories.make_user(email="me@people.example", roles=[Role.CLIENT]).id
    keep = w.person(email="k@people.example")
    lose = w.person(email="l@people.example", phone="(212) 555-0101", acts={own: "self"})
    kind = sorted(FOR_CLIENTS)[0]
    when = When(first_day=w.TODAY + 2 * DAY, last_day=w.TODAY + 20 * DAY)
    wish = w.choice("relaxation", areas=("full_body",))
    does: dict[str, tuple[Any, Callable[[], object]]] = {
        "wish": (WaitlistWish, lambda: waitlist.join(wish, when, lose, source="online", by=own, now=NOW)),
        "call": (
            CallRequest,
            lambda: calls.ask_for_call(
                client_id=lose, visit_id=None, phone="2125550111", about="call", now=NOW
            ),
        ),
        "choice": (MessageChoice, lambda: messages.choose_for(own, lose, {kind: False}, now=NOW)),
        "phone": (Client, lambda: own_phone.change_phone(own, lose, "(212) 555-0199", now=NOW)),
        "erase": (Erasure, lambda: erasing.ask_to_be_erased(lose, by=own, now=NOW)),
        "hold": (
            Visit,
            lambda: holds.keep_time(wish, w.at(3, 11), client_id=lose, source="api", by=None, now=NOW),
        ),
    }
    table, save = does[deed]
    deeds.stop_in(people, "leave_trace")
    came = deeds.do(merged(keep, lose, world), save)
    if came[1] == "NotFound":  # the account does not act for that record any more: told, and nothing is saved
        assert deed in ("phone", "erase")
        assert (db.session.scalars(select(Erasure.id)).all(), as_on_card(lose).phone) == (
            [],
            "(212) 555-0101",
        )
    elif table is Client:
        assert as_on_card(keep).phone == "(212) 555-0199"
    else:
        assert db.session.scalars(select(table.client_id)).all() == [keep]


@pytest.mark.parametrize("is_own_first", [True, False])
def test_an_own_number_and_the_desks_at_one_moment_are_compared(
    deeds: Deeds, world: w.World, is_own_first: bool
) -> None:
    own = factories.make_user(email="me@people.example", roles=[Role.CLIENT]).id
    known, guest = w.person(acts={own: "self"}), w.person()
    w.sign(known, heart_failure={"worsening": False})
    w.sign(guest)
    db.session.execute(update(Client).where(Client.id == guest).values(is_unproven=True))
    db.session.commit()
    w.at_desk(world, guest, "deep_tissue")
    of_guest = as_on_card(guest, phone="(212) 555-0177")
    mine = partial(own_phone.change_phone, own, known, "(212) 555-0177", now=NOW)
    desk = partial(people.change_details, guest, of_guest, by=world.desk_id, now=NOW)
    deeds.stop_in(*((own_phone, "leave_trace") if is_own_first else (people, "judge_visits_of_all")))
    assert deeds.do(*((mine, desk) if is_own_first else (desk, mine))) == ("done", "done")
    row = db.session.get_one(Client, known)
    assert row.phone_key != "+12125550177" or w.statuses(guest) != ["confirmed"]


def test_nobody_reviews_their_own_after_their_records_were_merged(world: w.World) -> None:
    own = factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id
    keep, lose = w.person(acts={own: "self"}), w.person()
    w.sign(lose, bleeding_disorder=HAEMOPHILIA)
    softer = w.sign(lose, now=NOW + MINUTE)
    intakes.raise_stop(
        lose, w.answers(rf_chest_pain_breathless={}), source="online", by=None, now=NOW, today=w.TODAY
    )
    merged(keep, lose, world)()
    stop = db.session.scalars(select(HealthStop.id)).one()
    db.session.rollback()
    with pytest.raises(InvalidInput, match="somebody else"):
        reviews.end_stop(stop, "assessed", "Seen by myself", by=own, now=NOW)
    with pytest.raises(InvalidInput, match="somebody else"):
        reviews.review_softened(softer, True, "It is fine", by=own, now=NOW)


@pytest.mark.parametrize("is_typed_first", [True, False])
def test_what_is_typed_while_records_are_merged_waits_where_the_record_goes_on(
    deeds: Deeds, world: w.World, is_typed_first: bool
) -> None:
    """All of it can be seen, signed or taken back there, and a "no" of that page takes back nothing of it."""
    keep, lose = w.person(), w.person()
    w.sign(keep)
    says: Any = {
        keep: {"recent_surgery": {"present": True}},
        lose: {"fracture": {"present": True, "where": "arm"}},
    }
    for who, answers in says.items():
        intakes.save_draft(who, "client", "full", answers, now=NOW + MINUTE)
    page = {"heart_failure": {"present": True, "worsening": False}, "recent_surgery": {"present": False}}
    more = partial(intakes.save_draft, lose, "client", "full", page, now=NOW + 2 * MINUTE, asked=list(page))
    merge = merged(keep, lose, world)
    deeds.stop_in(*((IntakeDraft, "write") if is_typed_first else (people, "leave_trace")))
    assert deeds.do(*((more, merge) if is_typed_first else (merge, more))) == ("done", "done")
    (waits,) = db.session.scalars(select(IntakeDraft)).all()
    assert waits.client_id == keep
    assert waits.answered["fracture"] == {"present": True, "where": "arm"}
    assert waits.answered["heart_failure"]["present"]
    assert waits.answered["recent_surgery"]["present"]


@pytest.mark.parametrize("said", ["chest", "fracture", "bigger", "no", "unsigned"])
def test_a_check_in_is_heard_on_the_record_that_stands(deeds: Deeds, world: w.World, said: str) -> None:
    """A warning sign stops it, a "yes" waits there, and nothing is signed for it."""
    keep, lose = w.person(), w.person()
    for one in (keep, lose):
        w.sign(one)
    booked = w.at_desk(world, lose, "relaxation", when=w.at(0, 16)).visit_id
    arm: Any = {"fracture": {"present": True, "not_sure": True}}
    told: Any = {"chest": {"rf_chest_pain_breathless": {"present": True}}, "fracture": arm}
    does: Any = partial(
        checkins.take_check_in, lose, told.get(said, {"fracture": {"present": False}}), w.signature(lose),
        renewal=said == "bigger", source="online", by=None, now=NOW + MINUTE, today=w.TODAY,
    )  # fmt: skip
    if said == "unsigned":
        does = partial(checkins.keep_unsigned, lose, arm, by=None, now=NOW + MINUTE)
    deeds.stop_in(people, "leave_trace")
    assert deeds.do(merged(keep, lose, world), does) == ("done", "done")
    assert list(db.session.scalars(select(HealthStop.client_id))) == ([keep] if said == "chest" else [])
    waits = said in ("fracture", "bigger", "unsigned")
    assert intake.has_unsigned(keep) is waits
    assert "checkin" not in list(db.session.scalars(select(Intake.kind)))
    stands = "cancelled" if said == "chest" else "suspended" if waits else "confirmed"
    assert db.session.get_one(Visit, booked).status == stands


def test_a_check_in_that_a_merge_overtook_is_asked_for_once_more(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, keep = Account(app), w.person()
    for one in (keep, account.client_id):
        w.sign(one)
    visit_id = w.at_desk(world, account.client_id, "relaxation", when=w.at(0, 16)).visit_id
    service = checkins.take_check_in

    def overtaken(*arguments: Any, **options: Any) -> checkins.CheckedIn:
        if clients.client(keep) == clients.client(account.client_id):
            return service(*arguments, **options)
        db.session.rollback()
        merged(keep, account.client_id, world)()
        return service(*arguments, **options)

    monkeypatch.setattr(checkins, "take_check_in", overtaken)
    address = f"/my/visits/{visit_id}/check-in"
    shown = account.browser.post(address, data={"step": "nothing"})
    assert (shown.status_code, "changed at the same moment" in shown.text) == (409, True)
    assert "checkin" not in list(db.session.scalars(select(Intake.kind)))
    assert account.browser.post(address, data={"step": "nothing"}).status_code == 200
    assert "checkin" in list(db.session.scalars(select(Intake.kind)))


@pytest.mark.parametrize("deed", ["give up", "give back", "another time", "run out", "go on"])
def test_a_time_that_is_only_kept_may_be_given_back_meanwhile(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """One of both waits for the other, and nothing is kept for the record that went."""
    keep = w.person(email="k@people.example")
    wish = w.choice("relaxation")
    if deed == "give back":
        lose = w.person(email="l@people.example")
        visit = holds.keep_time(wish, w.at(3), client_id=lose, source="api", by=None, now=NOW)
        does: Any = partial(holds.give_back, visit, now=NOW)
    else:
        token = checkout.hold_slot(None, wish, w.at(3), first_visit=True, user_id=None, now=NOW)
        lose = checkout.name_person(token, WHO, relation="self", now=NOW)
        does = {
            "give up": partial(checkout.leave, token, now=NOW),
            "go on": partial(checkout.renew_hold, token, now=NOW + 5 * MINUTE),
            "another time": partial(
                checkout.hold_slot, token, wish, w.at(4), first_visit=True, user_id=None, now=NOW
            ),
            "run out": partial(deadlines.keep_deadlines, NOW + 40 * MINUTE),
        }[deed]
    broken_off = noted_rings(monkeypatch)
    deeds.stop_in(people, "leave_trace")
    assert deeds.do(merged(keep, lose, world), does) == ("done", "done")
    assert broken_off == []
    assert db.session.scalars(select(Claim.id).where(Claim.resource_id == lose)).all() == []


@pytest.mark.parametrize("is_merge_first", [True, False])
def test_a_time_that_is_offered_meanwhile_can_be_taken(
    deeds: Deeds, world: w.World, is_merge_first: bool
) -> None:
    keep, lose = w.person(email="k@people.example"), w.person(email="l@people.example")
    for one in (keep, lose):
        w.sign(one)
    when = When(first_day=w.TODAY + 2 * DAY, last_day=w.TODAY + 20 * DAY)
    wish = w.choice("relaxation", areas=("full_body",))
    waitlist.join(wish, when, lose, source="online", by=None, now=NOW)
    both: tuple[Callable[[], object], ...] = merged(keep, lose, world), partial(in_line.keep_line, NOW)
    deeds.stop_in(*((people, "leave_trace") if is_merge_first else (_line, "claim_best")))
    assert deeds.do(*(both if is_merge_first else both[::-1])) == ("done", "done")
    held = select(Visit.id).where(Visit.client_id == lose, Visit.status == "held")
    assert db.session.scalars(held).all() == []
    in_line.keep_line(NOW + MINUTE)
    offer = db.session.scalars(select(Offer.id).where(Offer.ended_at.is_(None))).one()
    answering.accept(offer, by=None, now=NOW + MINUTE, reconfirmed=True)
    assert w.statuses(keep) == ["confirmed"]


@pytest.mark.parametrize("middle", ["_fill_gaps", "leave_trace"])
@pytest.mark.parametrize(
    "deed", ["confirm", "say yes to an offer", "book for two", "change one who looks alike"]
)
def test_a_merge_and_what_is_booked_meanwhile_never_wait_in_a_ring(
    deeds: Deeds, world: w.World, monkeypatch: pytest.MonkeyPatch, deed: str, middle: str
) -> None:
    own = factories.make_user(email="me@people.example", roles=[Role.CLIENT]).id
    other, keep = (w.person(email=f"{one}@people.example") for one in ("o", "k"))
    lose = w.person(email="l@people.example", acts={own: "self"})
    for one in (keep, lose, other):
        w.sign(one)
    staff: dict[str, Any] = {"by": world.desk_id, "now": NOW}
    wish = w.choice("relaxation")
    second: Callable[[], object]
    if deed == "confirm":
        token = checkout.hold_slot(None, wish, w.at(3), first_visit=True, user_id=own, now=NOW)
        checkout.choose_person(token, lose, user_id=own, now=NOW)
        second = partial(checkout.confirm, token, user_id=own, now=NOW)
    elif deed == "say yes to an offer":
        when = When(first_day=w.TODAY + 2 * DAY, last_day=w.TODAY + 20 * DAY)
        waitlist.join(wish, when, lose, source="online", by=own, now=NOW)
        in_line.keep_line(NOW)
        offer = db.session.scalars(select(Offer.id)).one()
        second = partial(answering.accept, offer, by=None, now=NOW, reconfirmed=True)
    elif deed == "book for two":
        w.add_room_for_two(world)
        halves = Half(lose, wish), Half(other, wish)
        second = partial(
            book_couple, halves, w.at(3), request_key="two", source="desk", reconfirmed=True, **staff
        )
    else:
        make_alike(other, keep)
        typed = as_on_card(other, phone="(212) 555-0144")
        second = partial(people.change_details, other, typed, **staff)
    broken_off = noted_rings(monkeypatch)
    deeds.stop_in(people, middle)
    assert deeds.do(merged(keep, lose, world), second)[0] == "done"
    assert broken_off == []
    assert w.statuses(lose) == []


@pytest.mark.parametrize("middle", ["_fill_gaps", "leave_trace"])
def test_nobody_asks_for_an_adult_to_be_erased_as_the_parent_of_a_child(
    deeds: Deeds, world: w.World, middle: str
) -> None:
    """The record that goes is of a child, the one that stays of somebody of age."""
    own = factories.make_user(email="mum@people.example", roles=[Role.CLIENT]).id
    keep = w.person(email="k@people.example")
    lose = w.person(born_on=dt.date(2015, 5, 5), acts={own: "parent"})
    deeds.stop_in(people, middle)
    deeds.do(merged(keep, lose, world), partial(erasing.ask_to_be_erased, lose, by=own, now=NOW))
    assert clients.may_know_all(own, keep, adult_age=18, today=w.TODAY) == ""
    assert db.session.scalars(select(Erasure.client_id)).all() == []
