"""No unsafe visit comes about under another name, no page tells who is known, and families book without ado."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.booking.models import Screening, Visit
from clinic.booking.queries import check_ins, look_alikes, visits
from clinic.booking.services import asking, checkout, people, restricting
from clinic.booking.services.checkout import Result
from clinic.clients import queries as clients
from clinic.clients.models import Client, NotSamePerson
from clinic.clients.services import add_person, bar_online, create_client
from clinic.clients.steps import Details, give_access
from clinic.intake import queries as intake
from clinic.intake.services import intakes
from clinic.rules.errors import BarredOnline, InvalidInput, NotFound, ReviewNeeded, SlotTaken, TooManyPending
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
WHO = Details("Sam", "Same", dt.date(1985, 5, 5), email="sam@people.example", phone="(212) 555-0188")
FAR = Details("Ann", "Other", dt.date(1970, 1, 1), email="ann@people.example", phone="(212) 555-0123")
HEART: dict[str, dict[str, object]] = {"heart_failure": {"worsening": False}}
SIGN: dict[str, dict[str, object]] = {"rf_chest_pain_breathless": {}}
PREGNANT: dict[str, dict[str, object]] = {
    "pregnancy": {
        "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none"
    }
}  # fmt: skip


def known(declared: Mapping[str, Mapping[str, object]] | None, details: Details = WHO) -> int:
    """Somebody in the clinic's book; None: nothing is signed yet."""
    client = create_client(details, region="US", by=None, now=NOW)
    if declared is not None:
        w.sign_answers(client, declared)
    return client


def stopped(client: int) -> None:
    intakes.raise_stop(client, w.answers(**SIGN), source="online", by=None, now=NOW, today=w.TODAY)


def held(
    service: str, details: Details, *, when: dt.datetime, now: dt.datetime, **values: Any
) -> tuple[str, int]:
    token = checkout.hold_slot(
        None, w.choice(service, **values), when, first_visit=True, user_id=None, now=now
    )
    return token, checkout.name_person(token, details, relation="self", now=now)


def stranger(
    declared: Mapping[str, Mapping[str, object]],
    details: Details = WHO,
    *,
    service: str = "swedish",
    when: dt.datetime | None = None,
    now: dt.datetime = NOW,
    **values: Any,
) -> tuple[Result, int]:
    """Booked online by somebody who is not signed in."""
    token, client = held(service, details, when=when or w.at(4), now=now, **values)
    w.sign_answers(client, declared, now=now)
    return checkout.confirm(token, user_id=None, now=now), client


def account(client: int, relation: str = "self") -> int:
    """An account that acts for this client."""
    user_id = factories.make_user(email="sam@people.example", roles=[Role.CLIENT]).id
    with transaction() as session:
        give_access(session, user_id, client, relation, now=NOW)
    return user_id


def by_account(user_id: int, client: int, service: str, *, when: dt.datetime) -> Result:
    token = checkout.hold_slot(None, w.choice(service), when, first_visit=True, user_id=user_id, now=NOW)
    checkout.choose_person(token, client, user_id=user_id, now=NOW)
    if not intake.newest(client):
        w.sign(client)
    return checkout.confirm(token, user_id=user_id, now=NOW)


def reviewer() -> int:
    return factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id


def mails(template: str = "") -> int:
    """How many mails are on their way; by the beginning of their keys, which name the text."""
    wanted = select(func.count()).select_from(OutgoingMail).where(OutgoingMail.key.startswith(template))
    return db.session.scalar(wanted) or 0


# ── another record for the same person ────────────────────────────────────────────────────────────────────


def test_adding_oneself_again_after_a_warning_sign_opens_nothing(world: w.World) -> None:
    me = known({})
    user_id = account(me)
    stopped(me)
    for other, relation, field in (
        (WHO, "carer", "first_name"),
        (dataclasses.replace(WHO, first_name=WHO.first_name.upper()), "self", "first_name"),
        (dataclasses.replace(WHO, first_name="Somebody"), "self", "relation"),
    ):
        with pytest.raises(InvalidInput) as told:
            add_person(user_id, other, relation, region="US", now=NOW)
        assert told.value.field == field
    assert [one.client_id for one in clients.people_of(user_id)] == [me]


def test_a_family_in_one_account_is_booked_without_ado(world: w.World) -> None:
    """Phone and e-mail are shared; name and birth date are their own, and the account says who they are."""
    me = known(PREGNANT)
    user_id = account(me)
    child = dataclasses.replace(WHO, first_name="Kim", born_on=dt.date(1999, 1, 2))
    other = add_person(user_id, child, "carer", region="US", now=NOW)
    assert by_account(user_id, other, "deep_tissue", when=w.at(4)).status == VisitStatus.CONFIRMED
    assert not db.session.get_one(Client, other).is_unproven


@pytest.mark.parametrize("shared", ["name", "phone", "e-mail"])
def test_a_new_record_of_the_desk_does_not_shake_off_a_warning_sign(world: w.World, shared: str) -> None:
    stopped(known({}))
    new = {
        "name": dataclasses.replace(WHO, email="", phone=""),
        "phone": dataclasses.replace(FAR, phone=WHO.phone),
        "e-mail": dataclasses.replace(FAR, email=WHO.email),
    }[shared]
    client = create_client(new, region="US", by=world.desk_id, now=NOW)
    w.sign(client)
    assert w.at_desk(world, client, "relaxation").status == VisitStatus.PENDING
    [pair] = look_alikes.pairs_to_review(w.TODAY)
    with pytest.raises(ReviewNeeded):
        people.say_two_people(pair.first.id, pair.second.id, by=world.desk_id, now=NOW)
    assert w.statuses(client) == ["pending"]
    people.say_two_people(pair.first.id, pair.second.id, by=reviewer(), now=NOW)
    assert w.statuses(client) == ["confirmed"]
    assert not db.session.get_one(Client, client).is_unproven
    assert look_alikes.pairs_to_review(w.TODAY) == []


def test_two_who_are_both_known_are_told_apart_by_the_desk(world: w.World) -> None:
    """What one of them says counts for nobody but them: no therapist has it on a list."""
    one, ill = known({}, dataclasses.replace(FAR, phone=WHO.phone)), known(HEART)
    assert look_alikes.pairs_to_review(w.TODAY) == []
    people.say_two_people(one, ill, by=world.desk_id, now=NOW)
    assert clients.look_alikes(db.session.get_one(Client, one)) == []


def test_a_third_record_is_not_told_apart_by_joining_two(world: w.World) -> None:
    one, ill = known({}, dataclasses.replace(FAR, phone=WHO.phone)), known(HEART)
    people.say_two_people(one, ill, by=world.desk_id, now=NOW)
    result, guest = stranger({}, dataclasses.replace(FAR, phone=WHO.phone, email=WHO.email))
    assert result.status == VisitStatus.PENDING
    with pytest.raises(ReviewNeeded, match="A third record may be the same person"):
        people.merge_clients(one, guest, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert w.statuses(guest) == ["pending"]
    pairs = [{pair.first.id, pair.second.id} for pair in look_alikes.pairs_to_review(w.TODAY)]
    assert {ill, guest} in pairs
    people.say_two_people(ill, guest, by=reviewer(), now=NOW)
    people.merge_clients(one, guest, by=world.desk_id, now=NOW)
    assert w.statuses(one) == ["confirmed"]


def test_records_that_do_not_look_alike_are_not_taken_apart_beforehand(world: w.World) -> None:
    """It would hide a likeness that comes later."""
    ill, by = known(HEART), reviewer()
    far = create_client(FAR, region="US", by=world.desk_id, now=NOW)
    for pair in ((ill, far), (far, ill)):
        with pytest.raises(NotFound, match="do not look alike"):
            people.say_two_people(*pair, by=by, now=NOW)
    people.change_details(far, dataclasses.replace(FAR, phone=WHO.phone), by=world.desk_id, now=NOW)
    assert db.session.scalar(select(func.count()).select_from(NotSamePerson)) == 0
    for _press in (1, 2):
        people.say_two_people(far, ill, by=by, now=NOW)
    assert db.session.scalar(select(func.count()).select_from(NotSamePerson)) == 1


def test_the_desk_books_who_shares_a_phone_with_somebody_less_healthy(world: w.World) -> None:
    """Only where the other would not be let in does the desk's own record wait."""
    known(PREGNANT)
    child = dataclasses.replace(WHO, first_name="Kim", born_on=dt.date(1999, 1, 2))
    client = create_client(child, region="US", by=world.desk_id, now=NOW)
    w.sign(client)
    booked = w.at_desk(world, client, "swedish")
    assert booked.status == VisitStatus.CONFIRMED
    row = db.session.scalars(select(Screening).where(Screening.visit_id == booked.visit_id)).one()
    assert row.findings["strictest"] == row.findings["own"] == []  # nothing of the other's is kept or shown
    assert w.at_desk(world, client, "deep_tissue", when=w.at(5)).status == VisitStatus.PENDING


def test_the_desk_adds_people_who_look_like_somebody_healthy(world: w.World) -> None:
    known({})
    client = create_client(WHO, region="US", by=world.desk_id, now=NOW)
    assert not db.session.get_one(Client, client).is_unproven


# ── what others than the answers say ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["the restriction", "the booking"])
def test_a_therapists_restriction_holds_under_another_name(world: w.World, first: str) -> None:
    client = known({})
    w.at_desk(world, client, "swedish", therapist_id=world.therapists[0])

    def restrict() -> int:
        return restricting.ask_for_more_care(
            world.therapists[0], client, services=(), verdict="block", reason="no more visits", until=None,
            by=world.desk_id, now=NOW,
        )  # fmt: skip

    if first == "the restriction":
        row = restrict()
        result, other = stranger({}, when=w.at(5))
        assert (result.status, w.statuses(other)) == (VisitStatus.PENDING, ["pending"])
    else:
        result, other = stranger({}, when=w.at(5))
        assert result.status == VisitStatus.CONFIRMED
        row = restrict()
        assert w.statuses(other) == ["suspended"]
    screening = visits.newest_screening(
        db.session.scalars(select(Visit.id).where(Visit.client_id == other)).one()
    )
    assert screening is not None
    assert [one["rule"] for one in screening.findings["own"]] == []  # what they are shown
    restricting.withdraw(row, therapist_id=None, by=world.desk_id, now=NOW)
    assert w.statuses(other) == ["confirmed"]


def test_an_add_on_that_a_therapist_asked_to_leave_out_waits_under_another_name(world: w.World) -> None:
    client = known({})
    w.at_desk(world, client, "swedish", therapist_id=world.therapists[0])
    restricting.ask_for_more_care(
        world.therapists[0], client, services=("hot_stone",), verdict="block", reason="was burnt", until=None,
        by=world.desk_id, now=NOW,
    )  # fmt: skip
    assert stranger({}, when=w.at(5), addons=("hot_stone",))[0].status == VisitStatus.PENDING
    assert stranger({}, FAR, when=w.at(6), addons=("hot_stone",))[0].status == VisitStatus.CONFIRMED


def test_who_is_barred_online_waits_under_another_name(world: w.World) -> None:
    client = known({})
    result, before = stranger({}, when=w.at(5))
    assert result.status == VisitStatus.CONFIRMED
    bar_online(client, True, "did not behave", by=world.desk_id, now=NOW + MINUTE)
    result, other = stranger({}, when=w.at(6), now=NOW + 2 * MINUTE)
    assert result.status == VisitStatus.PENDING
    w.sign(other, now=NOW + 3 * MINUTE)  # signing once more does not open it
    w.sign(before, now=NOW + 3 * MINUTE)  # and what was booked before stays
    assert (w.statuses(other), w.statuses(before)) == (["pending"], ["confirmed"])
    people.say_two_people(client, other, by=world.desk_id, now=NOW + 4 * MINUTE)
    assert w.statuses(other) == ["confirmed"]


def test_who_is_never_booked_together_is_not_under_another_name(world: w.World) -> None:
    client = db.session.get_one(Client, known({}))
    factories.make_never_together(client, db.session.get_one(Therapist, world.therapists[0]))
    with pytest.raises(SlotTaken):
        stranger({}, therapist_id=world.therapists[0])
    result, _ = stranger({}, when=w.at(5))  # with any therapist: another one has the visit
    assert result.status == VisitStatus.CONFIRMED
    visit = db.session.get_one(Visit, result.visit_id)
    assert visit.therapist_id != world.therapists[0]


# ── a match that comes about later ────────────────────────────────────────────────────────────────────────


def test_details_that_come_to_match_are_judged_at_once_and_let_go_again(world: w.World) -> None:
    _, other = stranger({}, service="deep_tissue")
    client = known(HEART, FAR)
    assert w.statuses(other) == ["confirmed"]
    people.change_details(client, WHO, by=world.desk_id, now=NOW)
    assert w.statuses(other) == ["suspended"]
    people.change_details(client, FAR, by=world.desk_id, now=NOW)
    assert w.statuses(other) == ["confirmed"]


def test_a_merge_that_brings_a_match_is_judged_at_once(world: w.World) -> None:
    _, other = stranger({}, service="deep_tissue")
    keep, lose = (
        known(HEART, dataclasses.replace(FAR, phone="")),
        known(None, Details("Ann", "Twin", dt.date(1971, 1, 1), phone=WHO.phone)),
    )
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)  # the kept record had no phone: now it has
    assert w.statuses(other) == ["suspended"]


def test_a_known_person_made_later_counts_when_they_sign(world: w.World) -> None:
    _, other = stranger({}, service="deep_tissue")
    known(HEART)
    assert w.statuses(other) == ["suspended"]


# ── two people who are not signed in ──────────────────────────────────────────────────────────────────────

MUM = dataclasses.replace(WHO, first_name="Mia", born_on=dt.date(1986, 1, 1), email="mia@people.example")


def test_what_somebody_not_signed_in_declares_touches_nobody_elses_visit(world: w.World) -> None:
    _, dad = stranger({})
    sent = mails()
    result, mum = stranger(HEART, MUM, when=w.at(5), now=NOW + 9 * MINUTE)
    assert (result.status, w.statuses(dad)) == (VisitStatus.PENDING, ["confirmed"])
    new = list(db.session.scalars(select(OutgoingMail.to).order_by(OutgoingMail.id)))[sent:]
    assert WHO.email not in new
    w.sign(dad, now=NOW + 20 * MINUTE)  # judged again for any reason, it still stands
    assert w.statuses(dad) == ["confirmed"]
    assert [(one.first.id, one.second.id) for one in clients.pairs()] == [(dad, mum)]  # the desk's list


def test_two_records_not_signed_in_are_no_way_round(world: w.World) -> None:
    """Refused by honest answers, then clean ones under a new record, or in the tab that was open before."""
    token, early = held("deep_tissue", WHO, when=w.at(4), now=NOW)
    w.sign(early)
    refused, _ = stranger(HEART, service="deep_tissue", when=w.at(5), now=NOW + MINUTE)
    assert refused.status == VisitStatus.RELEASED
    assert checkout.confirm(token, user_id=None, now=NOW + 2 * MINUTE).status == VisitStatus.PENDING
    other = dataclasses.replace(
        WHO, email="new@people.example", phone="(212) 555-0199"
    )  # name and birth date
    with pytest.raises(BarredOnline):  # one of this person waits already: not said, but not booked either
        stranger({}, other, service="deep_tissue", when=w.at(6), now=NOW + 3 * MINUTE)
    assert w.statuses(early) == ["pending"]
    w.sign(early, now=NOW + 4 * MINUTE)
    assert w.statuses(early) == ["pending"]


def test_a_healthy_family_that_is_not_signed_in_is_booked_without_ado(world: w.World) -> None:
    known({}, dataclasses.replace(WHO, first_name="Old", born_on=dt.date(1950, 1, 1)))
    assert stranger({})[0].status == VisitStatus.CONFIRMED
    assert stranger({}, MUM, when=w.at(5))[0].status == VisitStatus.CONFIRMED


def test_one_waiting_visit_for_each_person_whatever_the_record(world: w.World) -> None:
    assert stranger(HEART)[0].status == VisitStatus.PENDING
    before = db.session.scalar(select(func.count(Screening.id)))
    for number in range(2):
        with pytest.raises(BarredOnline) as refusal:
            stranger(HEART, when=w.at(5 + number))
        assert "waits" not in refusal.value.sentence
    db.session.rollback()
    waiting = db.session.scalars(select(Visit.id).where(Visit.status == VisitStatus.PENDING)).all()
    assert len(waiting) == 1
    assert db.session.scalar(select(func.count(Screening.id))) == (before or 0) + 2  # judged, and kept


def test_a_second_booking_does_not_tell_that_the_first_one_waits(world: w.World) -> None:
    known(HEART)
    me = factories.make_client(
        first_name="Nora", last_name="Own", born_on=dt.date(1988, 7, 4), phone=WHO.phone, is_unproven=True
    ).id
    user_id = account(me)
    w.sign(me)
    assert by_account(user_id, me, "swedish", when=w.at(4)).status == VisitStatus.PENDING
    with pytest.raises(BarredOnline):
        by_account(user_id, me, "swedish", when=w.at(5))
    kept = db.session.scalars(select(Screening).where(Screening.client_id == me)).all()
    assert len(kept) == 2


def test_who_knows_that_a_visit_waits_is_told_so(world: w.World) -> None:
    me = known(HEART)
    user_id = account(me)
    assert by_account(user_id, me, "swedish", when=w.at(4)).status == VisitStatus.PENDING
    with pytest.raises(TooManyPending):
        by_account(user_id, me, "swedish", when=w.at(5))


# ── with a match and without it is the same to see ────────────────────────────────────────────────────────


def test_a_match_takes_as_many_statements_as_none(world: w.World) -> None:
    known(HEART)
    sent = []
    for number, details in enumerate((WHO, FAR)):
        token, client = held("swedish", details, when=w.at(4 + number), now=NOW)
        w.sign(client)
        with counted() as statements:
            checkout.confirm(token, user_id=None, now=NOW)
        sent.append(len(statements))
        assert w.statuses(client) == [("pending", "confirmed")[number]]
    assert abs(sent[0] - sent[1]) <= 3


def test_a_visit_that_waits_unseen_is_asked_to_check_in_like_any_other(app: Flask, now: object) -> None:
    w.build(check_in=True)
    known(HEART)
    result, _ = stranger({}, when=w.at(0, 15), now=NOW - 2 * DAY)
    assert result.status == VisitStatus.PENDING
    visit = visits.visit(result.visit_id)
    assert visit is not None
    assert check_ins.may_client_check_in(visit, NOW)
    db.session.rollback()
    assert asking.ask_for_check_ins(NOW) == 1
    assert mails("visit_check_in") == 1


def test_a_proven_client_whose_visit_waits_for_review_is_mailed_so(world: w.World) -> None:
    me = known(HEART)
    w.sign(me, now=NOW + MINUTE)  # takes it back: looked at first
    user_id = account(me)
    assert by_account(user_id, me, "deep_tissue", when=w.at(4)).status == VisitStatus.PENDING
    assert (mails("visit_waiting"), mails("visit_booked")) == (1, 0)


# ── what a match is found by ──────────────────────────────────────────────────────────────────────────────

OTHERWISE = dataclasses.replace(WHO, email="q@people.example", phone="(212) 555-0123")


@pytest.mark.parametrize(
    "typed",
    [
        dataclasses.replace(OTHERWISE, first_name="Same", last_name="Sam"),
        dataclasses.replace(OTHERWISE, last_name="Same Jr."),
        dataclasses.replace(OTHERWISE, last_name="Same III"),
        dataclasses.replace(OTHERWISE, first_name="SÁM"),
        dataclasses.replace(FAR, email="Sam+1@people.example"),
        dataclasses.replace(FAR, phone="+1 212.555.0188"),
    ],
    ids=["swapped", "junior", "third", "accent", "plus", "phone"],
)  # fmt: skip
def test_other_spellings_are_a_match(world: w.World, typed: Details) -> None:
    client = known(HEART)
    result, other = stranger({}, typed)
    assert result.status == VisitStatus.PENDING
    [pair] = clients.pairs()
    assert (pair.first.id, pair.second.id, len(pair.shared)) == (client, other, 1)


def test_somebody_else_is_no_match(world: w.World) -> None:
    known(HEART)
    assert stranger({}, FAR)[0].status == VisitStatus.CONFIRMED
    assert clients.pairs() == []


def test_what_is_kept_of_a_match_is_the_strictest_of_both(world: w.World) -> None:
    """Whoever looks at it reads what speaks against it; the person reads what their own answers say."""
    known({"doctor_said_no": {"reason": "rest", "date": "2026-05-01"}})
    result, client = stranger({})
    assert result.status == VisitStatus.PENDING
    db.session.rollback()
    row = db.session.scalars(
        select(Screening)
        .where(Screening.client_id == client)
        .order_by(Screening.judged_at.desc(), Screening.id)
    ).first()
    assert row is not None
    assert (row.outcome, row.permits) == ("needs_review", False)
    rules = {kind: {one["rule"] for one in row.findings[kind]} for kind in ("own", "strictest")}
    assert "doctor_said_no" in rules["strictest"]
    assert "doctor_said_no" not in rules["own"]
    assert row.verdict != "CLEAR"
