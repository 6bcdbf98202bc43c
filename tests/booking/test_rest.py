"""The rest between visits at every door: not offered and not booked online, passed with a reason at the desk."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from clinic.booking.models import RestPass, Visit
from clinic.booking.queries import free_times, rest
from clinic.booking.queries.availability import Ask
from clinic.booking.services import checkout, people, visits
from clinic.booking.services.resting import NOT_SAID, RestSaid
from clinic.catalogue import queries as catalogue
from clinic.clients.models import ClientAccess
from clinic.premises.models import Clinic
from clinic.rules.body_areas import expand
from clinic.rules.errors import RestNeeded
from clinic.rules.frequency import FIGURES
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.booking.test_desk_pages import THINNERS
from tests.conftest import NOW

BACK = ("lower_back",)
WHY = "Asked for it before a marathon"

pytestmark = [pytest.mark.every_way_on_both, pytest.mark.usefixtures("now")]


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(minds_rest=True)


@pytest.fixture
def client_id(world: w.World) -> int:
    """A healthy person with deep tissue on the back in ten days, from 10:00; a first visit, until 11:15."""
    made = w.person()
    w.sign(made)
    assert w.at_desk(world, made, "deep_tissue", when=w.at(10), areas=BACK).visit_id
    return made


def again(
    world: w.World, client_id: int, said: RestSaid, *, days: int = 12, service: str = "deep_tissue"
) -> visits.Outcome:
    """The desk books once more, two days later and so a day too soon unless DAYS says otherwise."""
    return visits.book_visit(
        w.choice(service, areas=BACK), client_id, w.at(days), request_key=f"again {random.random()}",
        source="desk", by=world.desk_id, now=NOW, rest=said,
    )  # fmt: skip


def passes() -> list[RestPass]:
    db.session.rollback()
    return list(db.session.scalars(select(RestPass).order_by(RestPass.passed_at)))


# ── the desk's service ───────────────────────────────────────────────────────────────────────────────────


def test_too_soon_is_not_booked_until_staff_pass_this_very_warning(world: w.World, client_id: int) -> None:
    first = again(world, client_id, RestSaid())
    assert (first.visit_id, w.statuses(client_id), passes()) == (None, ["confirmed"], [])
    assert first.rest is not None
    assert [(one.rule, one.figure) for one in first.rest.short] == [("same_area", 3)]
    assert first.rest.fine_from == w.at(13, 11, 15)
    for said in (
        RestSaid(WHY),
        RestSaid(WHY, "of another warning"),
        RestSaid(" abc ", first.rest.seen),
        RestSaid("", first.rest.seen),
    ):
        assert again(world, client_id, said).visit_id is None
    assert again(world, client_id, RestSaid(WHY, first.rest.seen), days=9).visit_id is None, "another time"
    assert w.statuses(client_id) == ["confirmed"]
    assert again(world, client_id, RestSaid(WHY, first.rest.seen)).status == VisitStatus.CONFIRMED
    assert w.statuses(client_id) == ["confirmed", "confirmed"]


def test_who_passed_what_and_why_is_kept_sealed_and_never_edited(world: w.World, client_id: int) -> None:
    warned = again(world, client_id, RestSaid()).rest
    assert warned is not None
    visit_id = again(world, client_id, RestSaid(f" {WHY} ", warned.seen)).visit_id
    [kept] = passes()
    assert (kept.visit_id, kept.passed_by_id, kept.passed_at, kept.starts_at, kept.reason) == (
        visit_id, world.desk_id, NOW, w.at(12), WHY
    )  # fmt: skip
    assert kept.passed == ["The body needs 3 days of rest between visits that work on the same area."]
    assert kept.reason_sealed is not None
    assert b"marathon" not in kept.reason_sealed
    rows = db.session.scalars(select(AuditRow).order_by(AuditRow.sequence.desc()).limit(2)).all()
    assert [(one.deed, one.thing_id) for one in rows] == [
        ("visit.booked", visit_id), ("visit.rest_passed", visit_id)
    ]  # fmt: skip
    assert "marathon" not in repr([one.detail for one in db.session.scalars(select(AuditRow))])
    for statement in ("UPDATE rest_pass SET passed_by_id = 1", "DELETE FROM rest_pass"):
        with pytest.raises(IntegrityError, match="ap_rest_pass"):
            db.session.execute(text(statement))
        db.session.rollback()


def test_another_program_books_and_is_told(world: w.World, client_id: int) -> None:
    outcome = again(world, client_id, RestSaid(books_anyway=True))
    assert outcome.status == VisitStatus.CONFIRMED
    assert outcome.rest is not None
    assert [one.rule for one in outcome.rest.short] == ["same_area"]
    assert [(one.visit_id, one.reason) for one in passes()] == [(outcome.visit_id, None)]
    fine = again(world, client_id, RestSaid(books_anyway=True), days=25)
    assert (fine.status, fine.rest, len(passes())) == (VisitStatus.CONFIRMED, None, 1)


@pytest.mark.parametrize("days", [7, 8, 9, 11, 12])
def test_before_counts_as_after_does(world: w.World, client_id: int, days: int) -> None:
    warned = again(world, client_id, RestSaid(), days=days).rest
    assert warned is not None
    assert warned.fine_from == w.at(13, 11, 15)


@pytest.mark.parametrize("days", [6, 14])
def test_with_rest_enough_nothing_is_asked(world: w.World, client_id: int, days: int) -> None:
    outcome = again(world, client_id, RestSaid(), days=days)
    assert (outcome.status, outcome.rest, passes()) == (VisitStatus.CONFIRMED, None, [])


def test_a_block_is_decided_before_and_passed_by_nobody(world: w.World, client_id: int) -> None:
    w.sign(client_id, blood_thinners=THINNERS)
    before = w.statuses(client_id)
    for said in (RestSaid(), RestSaid(WHY, "seen"), RestSaid(WHY, books_anyway=True)):
        outcome = again(world, client_id, said)
        assert (outcome.visit_id, outcome.rest) == (None, None)
        assert outcome.judged is not None
        assert outcome.judged.refuses
    assert w.statuses(client_id) == before
    assert passes() == []


def test_what_waits_for_a_letter_goes_on_waiting_when_the_rest_is_passed(world: w.World) -> None:
    client_id = w.person()
    w.sign(client_id, kidney_liver_disease={"severity": "advanced"})
    assert w.at_desk(world, client_id, "relaxation", when=w.at(11, 15)).status == VisitStatus.PENDING
    outcome = again(world, client_id, RestSaid(WHY, books_anyway=True), service="relaxation")
    assert (outcome.status, outcome.rest is not None) == (VisitStatus.PENDING, True)
    visit = db.session.get_one(Visit, outcome.visit_id)
    assert (visit.waiting_for, visit.permits) == ("clearance", None)
    moved = move(world, visit.id, w.at(12, 11), RestSaid(WHY, books_anyway=True))
    assert (moved.status, moved.rest is not None) == (VisitStatus.PENDING, True)


def test_switched_off_nothing_is_minded(world: w.World, client_id: int) -> None:
    with transaction() as session:
        session.scalars(select(Clinic)).one().minds_rest = False
    outcome = again(world, client_id, RestSaid(), days=11)
    assert (outcome.status, outcome.rest, passes()) == (VisitStatus.CONFIRMED, None, [])


def test_what_did_not_take_place_does_not_count(world: w.World, client_id: int) -> None:
    visit = db.session.scalars(select(Visit)).one()
    visits.cancel_visit(visit.id, by=world.desk_id, by_clinic=True, now=NOW)
    assert again(world, client_id, RestSaid(), days=11).status == VisitStatus.CONFIRMED


def test_a_visit_that_took_place_under_a_record_merged_since_counts(world: w.World, client_id: int) -> None:
    keep, later = w.person(), w.at(11)
    w.sign(keep)
    people.merge_clients(keep, client_id, by=world.desk_id, now=later)
    assert db.session.scalars(select(Visit)).one().client_id == client_id, "past visits stay where they were"
    outcome = visits.book_visit(
        w.choice("deep_tissue", areas=BACK), keep, w.at(12), request_key="after the merge", source="desk",
        by=world.desk_id, now=later,
    )  # fmt: skip
    assert outcome.visit_id is None
    assert outcome.rest is not None


def test_two_near_visits_of_records_that_turn_out_to_be_one_both_stand(
    world: w.World, client_id: int
) -> None:
    other = w.person()
    w.sign(other)
    assert again(world, other, RestSaid()).status == VisitStatus.CONFIRMED
    people.merge_clients(client_id, other, by=world.desk_id, now=NOW)
    stand = db.session.scalars(select(Visit.status).where(Visit.status != "released")).all()
    assert list(stand) == ["confirmed", "confirmed"]


# ── moving and changing at the desk ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def second(world: w.World, client_id: int) -> int:
    """A second visit of the same client, with rest enough."""
    made = again(world, client_id, RestSaid(), days=20).visit_id
    assert made is not None
    return made


def move(world: w.World, visit_id: int, when: dt.datetime, said: RestSaid = NOT_SAID) -> visits.Outcome:
    revision = db.session.get_one(Visit, visit_id).revision
    return visits.change_visit(
        visit_id, revision=revision, starts_at=when, by=world.desk_id, now=NOW, rest=said
    )


def test_a_visit_that_staff_move_too_near_stays_where_it_is(world: w.World, second: int) -> None:
    outcome = move(world, second, w.at(12))
    assert (outcome.visit_id, outcome.status) == (None, None)
    assert outcome.rest is not None
    db.session.rollback()
    assert db.session.get_one(Visit, second).starts_at == w.at(20)
    passed = move(world, second, w.at(12), RestSaid(WHY, outcome.rest.seen))
    assert passed.visit_id == second
    assert [(one.visit_id, one.starts_at) for one in passes()] == [(second, w.at(12))]
    assert db.session.get_one(Visit, second).starts_at == w.at(12)


def test_what_was_passed_is_not_asked_again_while_the_body_feels_no_change(
    world: w.World, second: int
) -> None:
    move(world, second, w.at(12), RestSaid(WHY, books_anyway=True))
    therapist = next(one for one in world.therapists if one != db.session.get_one(Visit, second).therapist_id)
    with_another = w.choice("deep_tissue", areas=BACK, therapist_id=therapist)
    revision = db.session.get_one(Visit, second).revision
    outcome = visits.change_visit(second, revision=revision, choice=with_another, by=world.desk_id, now=NOW)
    assert (outcome.visit_id, outcome.rest, len(passes())) == (second, None, 1)
    with_cups = w.choice("decompression_vacuum", areas=BACK)
    revision = db.session.get_one(Visit, second).revision
    outcome = visits.change_visit(second, revision=revision, choice=with_cups, by=world.desk_id, now=NOW)
    assert outcome.visit_id is None
    assert outcome.rest is not None


def test_a_visit_moved_away_is_not_called_sooner_than_advised(world: w.World, second: int) -> None:
    move(world, second, w.at(12), RestSaid(WHY, books_anyway=True))
    assert rest.passed([second])[second].reason == WHY
    move(world, second, w.at(25))
    assert (rest.passed([second]), len(passes())) == ({}, 1)


# ── online ───────────────────────────────────────────────────────────────────────────────────────────────


def account_of(client_id: int) -> int:
    """An account that acts for this client alone."""
    user = factories.make_user(email=f"c{client_id}@people.example", roles=[Role.CLIENT])
    factories.save(
        ClientAccess(user_id=user.id, client_id=client_id, relation="self", since=factories.LONG_AGO)
    )
    return user.id


def held(choice: checkout.Choice, when: dt.datetime, user_id: int) -> str:
    return checkout.hold_slot(None, choice, when, first_visit=False, user_id=user_id, now=NOW)


def test_a_client_is_told_kindly_when_they_say_who_is_coming(world: w.World, client_id: int) -> None:
    user_id = account_of(client_id)
    token = held(w.choice("deep_tissue", areas=BACK), w.at(12), user_id)
    with pytest.raises(RestNeeded) as refused:
        checkout.choose_person(token, client_id, user_id=user_id, now=NOW)
    assert refused.value.sentence == (
        "This time comes too soon. The body needs 3 days of rest between visits that work on the same area."
        " From Monday 22 June 2026 at 11:15 am on it is fine again. If you need it sooner, call us."
    )
    assert w.statuses(client_id) == ["confirmed"]


def test_of_two_tabs_the_second_is_refused_at_the_last_button(world: w.World) -> None:
    client_id = w.person()
    w.sign(client_id)
    user_id = account_of(client_id)
    choice = w.choice("deep_tissue", areas=BACK)
    tabs = [held(choice, when, user_id) for when in (w.at(10), w.at(12))]
    for tab in tabs:
        checkout.choose_person(tab, client_id, user_id=user_id, now=NOW)
    assert checkout.confirm(tabs[0], user_id=user_id, now=NOW).status == VisitStatus.CONFIRMED
    with pytest.raises(RestNeeded):
        checkout.confirm(tabs[1], user_id=user_id, now=NOW)
    assert w.statuses(client_id) == ["confirmed", "held"]


def test_a_client_cannot_move_a_visit_too_near(world: w.World, client_id: int, second: int) -> None:
    visit = db.session.get_one(Visit, second)
    with pytest.raises(RestNeeded):
        visits.change_visit(
            second, revision=visit.revision, starts_at=w.at(12), by=None, by_client=True, now=NOW,
            rest=RestSaid(WHY, books_anyway=True),
        )  # fmt: skip
    db.session.rollback()
    assert db.session.get_one(Visit, second).starts_at == w.at(20)
    assert passes() == []


def test_who_is_not_signed_in_has_no_known_visits(world: w.World, client_id: int) -> None:
    known = db.session.scalars(select(Visit)).one()
    assert known.client_id == client_id
    result = w.online("deep_tissue", {}, when=w.at(11), areas=BACK)
    assert result.status == VisitStatus.CONFIRMED


SOME = (
    ("deep_tissue", None), ("swedish", None), ("relaxation", None), ("sports", None),
    ("decompression_vacuum", None), ("decompression_vacuum", "interval"),
)  # fmt: skip
PLACES = (BACK, ("left_leg",), ("upper_back", "shoulders"), ("full_body",))


def choices(chance: random.Random) -> Iterator[checkout.Choice]:
    """What somebody may ask for, without end."""
    while True:
        service, mode = chance.choice(SOME)
        areas = ("full_body",) if service in ("swedish", "relaxation") else chance.choice(PLACES)
        minutes = 30 if mode else w.SERVICES[service]
        yield w.choice(service, mode=mode, minutes=minutes, areas=areas)


def breaks_a_gap(visit: Visit, choice: checkout.Choice, start: dt.datetime, minutes: int) -> bool:
    """The gap between two visits, worked out once more by hand; no change of the clock lies in these weeks."""
    rows = [
        FIGURES["interval" if mode else key]
        for key, mode in ((visit.service.key, visit.mode), (choice.service, choice.mode))
    ]
    below = {"lower_back", "buttocks", "abdomen", "groin", "lower_legs", "feet", "left_leg", "right_leg"}
    ours, theirs = (
        expand({*areas, *(below if mode else ())})
        for areas, mode in ((choice.areas, choice.mode), (visit.areas, visit.mode))
    )
    days = max(one.same_area_days if ours & theirs else one.other_area_days for one in rows)
    gap, end = dt.timedelta(days=days), start + dt.timedelta(minutes=minutes)
    return start < visit.ends_at + gap and visit.starts_at < end + gap


@pytest.mark.parametrize("seed", range(4))
def test_what_is_offered_books_and_what_would_be_refused_is_not_offered(world: w.World, seed: int) -> None:
    chance = random.Random(seed)
    wishes = choices(chance)
    client_id = w.person()
    w.sign(client_id)
    user_id = account_of(client_id)
    for _ in range(3):
        visits.book_visit(
            next(wishes), client_id, w.at(chance.randrange(2, 14), chance.randrange(9, 17)),
            request_key=f"seed {chance.random()}", source="desk", by=world.desk_id, now=NOW,
            rest=RestSaid(books_anyway=True),
        )  # fmt: skip
    there = db.session.scalars(select(Visit).where(Visit.client_id == client_id)).all()
    assert there
    choice = next(wishes)
    plan = catalogue.plan_for(choice.service, choice.mode, choice.addons, choice.minutes, first_visit=False)
    assert plan is not None
    ask = Ask(
        plan=plan, location_id=world.place_id, first_day=w.TODAY, days=14, now=NOW, client_id=client_id,
    )  # fmt: skip
    every = [one.starts_at for one in free_times.window(ask).times]
    offered = {one.starts_at for one in free_times.window(replace(ask, rested_areas=choice.areas)).times}
    assert offered <= set(every)
    total = plan.total_minutes
    near = {one for one in every if any(breaks_a_gap(visit, choice, one, total) for visit in there)}
    assert offered.isdisjoint(near)
    refused = [one for one in every if one not in offered]
    for when in chance.sample(sorted(offered), min(3, len(offered))):
        token = held(choice, when, user_id)
        checkout.choose_person(token, client_id, user_id=user_id, now=NOW)
        made = checkout.confirm(token, user_id=user_id, now=NOW)
        assert made.status == VisitStatus.CONFIRMED, when
        visits.cancel_visit(made.visit_id, by=world.desk_id, by_clinic=True, now=NOW)
    for when in chance.sample(refused, min(3, len(refused))):
        token = held(choice, when, user_id)
        with pytest.raises(RestNeeded):
            checkout.choose_person(token, client_id, user_id=user_id, now=NOW)


def test_where_times_are_left_out_is_said_with_its_end(world: w.World, client_id: int) -> None:
    plan = catalogue.plan_for("deep_tissue", None, (), 60, first_visit=False)
    assert plan is not None
    ask = Ask(
        plan=plan, location_id=world.place_id, first_day=w.TODAY, days=14, now=NOW, client_id=client_id,
        rested_areas=BACK,
    )  # fmt: skip
    zone = ZoneInfo(w.ZONE)
    [(start, end)] = free_times.window(ask).left_out
    assert (start.astimezone(zone).isoformat(), end) == ("2026-06-16T09:15:00-04:00", w.at(13, 11, 15))
