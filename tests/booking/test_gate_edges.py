"""The gate where facts change beside the answers: details, merged records, add-ons, a consent taken back."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from clinic.booking.models import Screening, StatusChange, Visit
from clinic.booking.services import checkout, people, visits
from clinic.booking.services._judging import Order, client_of, judge
from clinic.booking.taken_back import TakeBack
from clinic.catalogue.models import Addon
from clinic.catalogue.queries import plan_for
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.intake.models import Consent, HealthStop, Intake
from clinic.intake.services import consents
from clinic.rules.body_areas import expand
from clinic.rules.errors import MoveNotAllowed, NotFound
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

HAEMOPHILIA = {"type": "haemophilia", "bleed_last_4_weeks": False}
PREGNANT = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip


def stranger(service: str, *, email: str = "new@people.example", phone: str = "+1 212 555 0177") -> int:
    """Somebody not signed in books with healthy answers. Returns their record."""
    token = checkout.hold_slot(None, w.choice(service), w.at(3), first_visit=True, user_id=None, now=NOW)
    details = Details("Some", "Body", dt.date(1991, 2, 3), email=email, phone=phone)
    client = checkout.name_person(token, details, relation="self", now=NOW)
    w.sign(client)
    checkout.confirm(token, user_id=None, now=NOW)
    return client


def details_of(client_id: int, **changes: str) -> Details:
    row = db.session.get_one(Client, client_id)
    values = {"email": row.email or "", "phone": row.phone or "", **changes}
    return Details(row.first_name, row.last_name, row.born_on, **values)


def test_a_known_person_gets_the_phone_of_a_strangers_visit(world: w.World) -> None:
    """The stranger looks like somebody known from then on, so the visit is judged on both; and back again."""
    known = w.person(email="known@people.example")
    w.sign(known, bleeding_disorder=HAEMOPHILIA)
    unknown = stranger("deep_tissue")
    assert w.statuses(unknown) == ["confirmed"]
    people.change_details(known, details_of(known, phone="(212) 555-0177"), by=world.desk_id, now=NOW)
    assert w.statuses(unknown) == ["suspended"]
    people.change_details(known, details_of(known, phone=""), by=world.desk_id, now=NOW)
    assert w.statuses(unknown) == ["confirmed"]


def test_the_phone_of_a_merged_record_still_names_a_known_person(world: w.World) -> None:
    keep, lose = w.person(phone="(212) 555-0111"), w.person(phone="(212) 555-0177")
    w.sign(keep)
    w.sign(lose, bleeding_disorder=HAEMOPHILIA)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    unknown = stranger("deep_tissue")
    assert w.statuses(unknown) == ["pending"]
    reviewer = factories.make_user(email="reviewer@clinic.example", roles=[Role.THERAPIST])
    people.say_two_people(keep, unknown, by=reviewer.id, now=NOW)
    assert w.statuses(unknown) == ["confirmed"]


def test_new_answers_reach_a_stranger_who_gave_the_phone_of_a_merged_record(world: w.World) -> None:
    keep, lose = w.person(), w.person(phone="(212) 555-0177")
    w.sign(keep)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    unknown = stranger("deep_tissue")
    assert w.statuses(unknown) == ["confirmed"]
    w.sign(keep, now=NOW + dt.timedelta(minutes=5), bleeding_disorder=HAEMOPHILIA)
    assert w.statuses(unknown) == ["suspended"]


def test_told_apart_from_a_record_is_told_apart_from_what_it_was_merged_into(world: w.World) -> None:
    lose = w.person(phone="(212) 555-0177")
    w.sign(lose, bleeding_disorder=HAEMOPHILIA)
    unknown = stranger("deep_tissue")
    reviewer = factories.make_user(email="reviewer@clinic.example", roles=[Role.THERAPIST])
    people.say_two_people(lose, unknown, by=reviewer.id, now=NOW)
    assert w.statuses(unknown) == ["confirmed"]
    keep = w.person()
    w.sign(keep)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    assert w.statuses(unknown) == ["confirmed"]


def test_merging_makes_a_strangers_visit_wait_when_the_kept_record_gains_their_phone(world: w.World) -> None:
    keep, lose = w.person(), w.person(phone="(212) 555-0177")
    w.sign(keep, bleeding_disorder=HAEMOPHILIA)
    unknown = stranger("deep_tissue")
    assert w.statuses(unknown) == ["confirmed"]
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    assert w.statuses(unknown) == ["suspended"]


def test_merging_takes_an_unsafe_addon_off_the_visit_that_follows(world: w.World) -> None:
    keep, lose = w.person(), w.person()
    w.sign(keep, pregnancy=PREGNANT)
    w.sign(lose)
    w.at_desk(world, lose, "relaxation", addons=("hot_stone",))
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    db.session.rollback()
    visit = db.session.scalars(select(Visit)).one()
    assert (visit.client_id, visit.status, visit.addons) == (keep, "confirmed", [])


def test_a_judgement_with_an_unsafe_addon_carries_no_visit(world: w.World) -> None:
    client = w.person()
    w.sign(client, pregnancy=PREGNANT)
    w.at_desk(world, client, "relaxation", addons=("hot_stone",))
    w.at_desk(world, client, "relaxation")
    rows = db.session.execute(select(Screening.addons, Screening.permits)).all()
    assert sorted((list(addons), permits) for addons, permits in rows) == [([], True), (["hot_stone"], False)]


def test_an_addon_that_became_unsafe_comes_off_at_the_door(world: w.World) -> None:
    """The owner has it judged as another column, and the client is there before the visits are judged again."""
    client = w.person()
    w.sign(client, pregnancy=PREGNANT)
    booked = w.at_desk(world, client, "relaxation", when=w.at(0, 11), addons=("aromatherapy",))
    assert booked.status == VisitStatus.CONFIRMED
    with transaction() as session:
        session.execute(update(Addon).where(Addon.key == "aromatherapy").values(judged_as="hot_stone"))
    visit = db.session.get_one(Visit, booked.visit_id)
    visits.mark_visit(visit.id, VisitStatus.ARRIVED, revision=visit.revision, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert (visit.status, visit.addons) == ("arrived", [])
    assert db.session.get_one(Screening, visit.screening_id).addons == []


def test_a_consent_taken_back_in_the_evening_does_not_count_that_evening(world: w.World) -> None:
    """Half past eight at the clinic is the next day in UTC already."""
    evening = w.at(0, 18)
    client = w.person(born_on=dt.date(2009, 1, 1))
    w.sign(client)
    consents.give_guardian_consent(
        client, name="Gil Number", relation="parent", services=["relaxation"], will_be_in_room=True,
        signed_on=w.TODAY, by=None, now=NOW,
    )  # fmt: skip
    booked = w.at_desk(world, client, "relaxation", when=evening)
    assert w.statuses(client) == ["confirmed"]
    late = w.at(0, 20, 30)
    consents.withdraw_consent(db.session.scalars(select(Consent.id)).one(), client, by=None, now=late)
    db.session.rollback()
    visit = db.session.get_one(Visit, booked.visit_id)
    assert visit.status == "suspended"
    with pytest.raises(MoveNotAllowed):
        visits.mark_visit(
            visit.id, VisitStatus.CONFIRMED, revision=visit.revision, by=world.desk_id, now=late
        )


def test_a_warning_sign_that_is_signed_stops_the_person(world: w.World) -> None:
    """Pages never let it come that far; whoever signs it by another way is stopped like everybody else."""
    client = w.person()
    w.sign(client, rf_saddle_numbness={"checked_by_doctor": False})
    assert db.session.scalars(select(HealthStop.needs).where(HealthStop.client_id == client)).all() == [
        "review"
    ]
    w.sign(client, now=NOW + dt.timedelta(days=1))
    assert w.at_desk(world, client, "relaxation").visit_id is None


def test_nothing_is_judged_for_a_record_that_was_joined_with_another_meanwhile(world: w.World) -> None:
    keep, lose = w.person(), w.person()
    w.sign(lose)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    plan = plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    with transaction() as session, pytest.raises(NotFound, match="joined with another"):
        judge(
            session, session.get_one(Client, lose), Order(plan, ("full_body",), w.TODAY), door="desk", visit_id=None,
            by=world.desk_id, now=NOW,
        )  # fmt: skip
    assert db.session.scalars(select(Screening).where(Screening.client_id == lose)).all() == []


def test_nothing_is_judged_for_who_is_not_in_the_book(world: w.World) -> None:
    erased = w.person()
    w.sign(erased)
    plan = plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    with transaction() as session:
        session.get_one(Client, erased).erased_at = NOW
    with transaction() as session, pytest.raises(NotFound, match="not in the clinic's book"):
        judge(
            session, session.get_one(Client, erased), Order(plan, ("full_body",), w.TODAY), door="desk",
            visit_id=None, by=world.desk_id, now=NOW,
        )  # fmt: skip
    with pytest.raises(NotFound, match="not in the clinic's book"):
        client_of(999_999)
    assert db.session.scalars(select(Screening)).all() == []


def test_what_is_kept_of_a_judgement_says_by_which_answers_and_where_to_keep_away(world: w.World) -> None:
    client = w.person()
    where = {"areas": ("left_knee", "right_knee")}
    w.at_desk(world, client, "swedish", when=w.at(3), **where)
    db.session.rollback()
    [unsaid] = db.session.scalars(select(Screening))
    assert (unsaid.question_version, unsaid.intake_ids, unsaid.findings["places"]) == (None, [], [])
    signed = w.sign(client, chart_avoid={"site": ["left_leg"]})
    w.at_desk(world, client, "swedish", when=w.at(4), **where)
    db.session.rollback()
    [said] = db.session.scalars(select(Screening).where(Screening.day == w.TODAY + dt.timedelta(days=4)))
    version = db.session.scalars(select(Intake.question_version).where(Intake.id == signed)).one()
    assert (said.question_version, said.intake_ids) == (version, [signed])
    [place] = said.findings["places"]
    assert set(place) == {"rule", "label", "areas", "avoid"}
    assert (place["rule"], place["avoid"], "left_knee" in expand(place["areas"])) == (
        "chart_avoid",
        True,
        True,
    )
    assert said.findings["alone"] == {
        "permits": said.permits, "verdict": said.verdict, "outcome": said.outcome, "clearance_ids": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ({}, "arrived"),
        ({"cancer_metastatic": {"bone_metastases": True}}, "cancelled"),
        ({"heart_failure": {"worsening": False}}, "suspended"),
    ],
)
def test_a_start_is_taken_back_whatever_was_told_since(
    world: w.World, told: dict[str, dict[str, object]], stands: str
) -> None:
    """Answers change nothing in a visit that has begun; once it is said that it has not, they count."""
    client, now = w.person(), w.at(0, 11)
    w.sign(client)
    booked = w.at_desk(world, client, "swedish", when=now)
    visit = db.session.get_one(Visit, booked.visit_id)
    started = VisitStatus.IN_SESSION
    assert visits.mark_visit(visit.id, started, revision=visit.revision, by=world.desk_id, now=now) is started
    w.sign(client, now=now + dt.timedelta(minutes=1), **told)
    db.session.rollback()
    assert visit.status == "in_session"
    later = now + dt.timedelta(minutes=2)
    back = visits.mark_visit(
        visit.id, VisitStatus.ARRIVED, revision=visit.revision, by=world.desk_id, now=later, can_go_back=True
    )
    db.session.rollback()
    assert back == visit.status == stands
    assert bool(visit.permits) is (stands == "arrived")
    steps = db.session.scalars(
        select(StatusChange.status).where(StatusChange.visit_id == visit.id).order_by(StatusChange.id)
    ).all()
    rest = [] if stands == "arrived" else [stands]
    assert list(steps) == ["confirmed", "arrived", "in_session", "arrived", *rest]
    can_undo = db.session.scalars(select(TakeBack).where(TakeBack.visit_id == visit.id)).all()
    assert bool([one for one in can_undo if one.revision == visit.revision]) is (stands == "arrived")


def test_at_the_door_a_visit_that_is_no_longer_allowed_goes_on_hold(world: w.World) -> None:
    """What changes without anybody signing, such as a birth date, is seen when the client comes in."""
    client = w.person()
    w.sign(client)
    booked = w.at_desk(world, client, "relaxation", when=w.at(0, 11))
    with transaction() as session:
        session.execute(update(Client).where(Client.id == client).values(born_on=dt.date(2010, 6, 1)))
    visit = db.session.get_one(Visit, booked.visit_id)
    stands = visits.mark_visit(
        visit.id, VisitStatus.ARRIVED, revision=visit.revision, by=world.desk_id, now=NOW, can_go_back=True
    )
    db.session.rollback()
    assert stands == visit.status == "suspended"
    assert (visit.permits, visit.waiting_for) == (None, "consent")


def test_a_finished_visit_is_not_reopened_against_what_is_known_by_now(world: w.World) -> None:
    client, now = w.person(), w.at(0, 11)
    w.sign(client)
    booked = w.at_desk(world, client, "deep_tissue", when=now)
    visit = db.session.get_one(Visit, booked.visit_id)
    for mark in (VisitStatus.IN_SESSION, VisitStatus.DONE):
        visits.mark_visit(visit.id, mark, revision=visit.revision, by=world.desk_id, now=now)
        db.session.rollback()
    w.sign(client, now=now + dt.timedelta(minutes=1), bleeding_disorder=HAEMOPHILIA)
    db.session.rollback()
    with pytest.raises(MoveNotAllowed, match="stays as it is"):
        visits.mark_visit(
            visit.id, VisitStatus.IN_SESSION, revision=visit.revision, by=world.desk_id, now=now
        )
    db.session.rollback()
    assert visit.status == "done"
