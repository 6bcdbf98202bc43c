"""No confirmed visit comes about where the table says block or clearance: through every door, on both databases."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from sqlalchemy import select

from clinic.booking.models import Claim, Screening, Visit
from clinic.booking.services import people, visits
from clinic.booking.services.checkout import Choice
from clinic.clients.models import Client
from clinic.intake.services import consents, intakes, reviews
from clinic.rules.errors import MoveNotAllowed, ReviewNeeded
from clinic.rules.permissions import Role
from clinic.rules.visit_status import NEEDING_PERMIT, VisitStatus
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

Details = Mapping[str, object]

# condition, details, service, what may come of it: "clearance" (waits) or "block" (nothing)
CASES: list[tuple[str, Details, str, str]] = [
    # what the clinic's literature names for suction
    ("fragile_skin", {"cause": "age"}, "decompression_vacuum", "block"),
    ("open_wound_burn", {"type": "wound", "site": ["lower_back"], "extent": "small"}, "decompression_vacuum", "block"),
    ("skin_infection", {"type": "ringworm", "status": "active", "site": ["left_foot"]}, "decompression_vacuum", "block"),
    ("varicose_veins", {"status": "quiet", "site": ["lower_back"]}, "decompression_vacuum", "block"),
    ("bleeding_disorder", {"type": "haemophilia", "bleed_last_4_weeks": False}, "decompression_vacuum", "block"),
    ("clotting_tendency", {"type": "factor V Leiden"}, "decompression_vacuum_magnetic", "block"),
    # … and for any massage
    ("cancer_metastatic", {"bone_metastases": True}, "swedish", "block"),
    ("cancer_metastatic", {"bone_metastases": False}, "relaxation", "clearance"),
    ("clotting_tendency", {"type": "factor V Leiden"}, "relaxation", "clearance"),
    ("bleeding_disorder", {"type": "haemophilia", "bleed_last_4_weeks": False}, "swedish", "clearance"),
    ("osteoporosis", {"severity": "advanced"}, "deep_tissue", "block"),
    ("osteoporosis", {"severity": "advanced"}, "relaxation", "clearance"),
    ("recent_surgery", {"date": "2026-05-20", "type": "hip", "site": ["left_hip"], "minor": False, "complications": False}, "relaxation", "block"),
    ("recent_surgery", {"date": "2026-04-20", "type": "hip", "site": ["left_hip"], "minor": False, "complications": False}, "relaxation", "clearance"),
    ("spine_instability", {"type": "unstable", "severity": "severe", "date": "2020-01-01"}, "decompression_traction", "block"),
    ("spinal_stenosis_cord", {"type": "cord_compression", "site": ["neck"]}, "swedish", "clearance"),
    # others from the table
    ("blood_clot", {"status": "current", "date": "2026-05-01", "still_on_treatment": True}, "relaxation", "block"),
    ("aneurysm", {"status": "present", "date": "2024-05-01", "site": ["abdomen"]}, "decompression_traction", "block"),
    ("sickle_cell", {"crisis_now": False, "trait_only": False}, "deep_tissue", "block"),
    ("heart_disease", {"type": "heart_attack", "date": "2026-04-01"}, "relaxation", "block"),
    ("heart_failure", {"worsening": False}, "swedish", "clearance"),
    ("high_blood_pressure", {"status": "uncontrolled", "systolic": 150, "diastolic": 95}, "deep_tissue", "block"),
    ("pacemaker_icd", {"date": "2020-01-01"}, "decompression_vacuum_magnetic", "block"),
    ("implanted_device", {"device_type": "insulin_pump", "site": ["abdomen"]}, "decompression_vacuum_magnetic", "block"),
    ("pregnancy", {"status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none"}, "deep_tissue", "block"),
    ("pregnancy", {"status": "possible", "weeks": 4, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none"}, "swedish", "clearance"),
    ("blood_thinners", {"med_class": "anticoagulant", "medication": "warfarin", "stable_3_months": True, "bruising": False}, "sports", "block"),
    ("blood_thinners", {"med_class": "anticoagulant", "medication": "warfarin", "stable_3_months": False, "bruising": False}, "swedish", "clearance"),
    ("stroke_tia", {"date": "2026-03-01"}, "relaxation", "block"),
    ("epilepsy", {"status": "uncontrolled", "date": "2026-05-01"}, "swedish", "clearance"),
    ("diabetes", {"status": "uncontrolled", "complications": True, "insulin": True}, "deep_tissue", "block"),
    ("kidney_liver_disease", {"severity": "advanced"}, "relaxation", "clearance"),
    ("doctor_said_no", {"reason": "back", "date": "2025-01-01"}, "relaxation", "clearance"),
    ("contagious_illness", {"type": "flu", "improving": False, "symptom_free_hours": 0}, "swedish", "block"),
]  # fmt: skip
NAMES = [f"{condition}-{service}-{expected}" for condition, _, service, expected in CASES]


def areas(service: str) -> tuple[str, ...]:
    return ("lower_back",) if service.startswith("decompression_vacuum") else ("full_body",)


def confirmed() -> list[int]:
    """Every visit that stands as good, whoever's."""
    db.session.rollback()
    return list(db.session.scalars(select(Visit.id).where(Visit.status.in_(tuple(NEEDING_PERMIT)))))


@pytest.mark.parametrize(("condition", "details", "service", "expected"), CASES, ids=NAMES)
def test_declared_online_never_confirms(
    world: w.World, condition: str, details: Details, service: str, expected: str
) -> None:
    result = w.online(service, {condition: details}, areas=areas(service))
    assert confirmed() == []
    assert result.status == (VisitStatus.PENDING if expected == "clearance" else VisitStatus.RELEASED)
    held = db.session.scalars(select(Claim).where(Claim.visit_id == result.visit_id)).all()
    assert bool(held) == (expected == "clearance")
    record = db.session.scalars(select(Screening).where(Screening.visit_id == result.visit_id)).one()
    assert (record.permits, record.verdict) == (False, expected)


@pytest.mark.parametrize(("condition", "details", "service", "expected"), CASES, ids=NAMES)
def test_declared_at_the_desk_never_confirms(
    world: w.World, condition: str, details: Details, service: str, expected: str
) -> None:
    client = w.person()
    w.sign_answers(client, {condition: details})
    outcome = w.at_desk(world, client, service, areas=areas(service))
    assert confirmed() == []
    assert w.statuses(client) == (["pending"] if expected == "clearance" else [])
    assert outcome.judged is not None
    assert outcome.judged.refuses == (expected == "block")


@pytest.mark.parametrize(("condition", "details", "service", "expected"), CASES, ids=NAMES)
def test_declared_after_booking_takes_the_confirmation_away(
    world: w.World, condition: str, details: Details, service: str, expected: str
) -> None:
    client = w.person()
    w.sign(client)
    w.at_desk(world, client, service, areas=areas(service))
    assert w.statuses(client) == ["confirmed"]
    w.sign_answers(client, {condition: details})
    assert w.statuses(client) == (["suspended"] if expected == "clearance" else ["cancelled"])
    visit = db.session.scalars(select(Visit)).one()
    assert bool(db.session.scalars(select(Claim).where(Claim.visit_id == visit.id)).all()) == (
        expected == "clearance"
    )


@pytest.mark.parametrize("service", w.SERVICES)
def test_a_healthy_person_is_confirmed_everywhere(world: w.World, service: str) -> None:
    result = w.online(service, {}, areas=areas(service))
    client = w.person()
    w.sign(client)
    outcome = w.at_desk(world, client, service, when=w.at(4), areas=areas(service))
    assert (result.status, outcome.status) == (VisitStatus.CONFIRMED, VisitStatus.CONFIRMED)
    assert len(confirmed()) == 2


def test_without_an_intake_nothing_is_confirmed(world: w.World) -> None:
    client = w.person()
    outcome = w.at_desk(world, client, "relaxation")
    assert (outcome.status, w.statuses(client)) == (VisitStatus.PENDING, ["pending"])
    w.sign(client)
    assert w.statuses(client) == ["confirmed"]


def test_an_intake_older_than_a_year_on_the_day_does_not_count(world: w.World) -> None:
    client = w.person()
    w.sign(client, now=NOW - dt.timedelta(days=362))
    assert w.at_desk(world, client, "relaxation", when=w.at(3)).status == VisitStatus.CONFIRMED  # day 365
    assert w.at_desk(world, client, "relaxation", when=w.at(4)).status == VisitStatus.PENDING  # day 366


def test_moving_to_a_day_inside_a_window_is_judged_again(world: w.World) -> None:
    client = w.person()
    # Operation on 20 March: 81 days ago today; on day 84 the clearance becomes a caution.
    surgery = {
        "date": "2026-03-20",
        "type": "knee",
        "site": ["left_knee"],
        "minor": False,
        "complications": False,
    }
    w.sign(client, recent_surgery=surgery)
    booked = w.at_desk(world, client, "relaxation", when=w.at(3))  # day 84
    assert booked.status == VisitStatus.CONFIRMED
    visit = db.session.get_one(Visit, booked.visit_id)
    moved = visits.change_visit(
        visit.id, revision=visit.revision, starts_at=w.at(2), by=world.desk_id, now=NOW
    )
    assert moved.visit_id is None
    db.session.rollback()
    assert (visit.status, visit.starts_at, visit.day) == (
        "confirmed",
        w.at(3),
        w.TODAY + dt.timedelta(days=3),
    )
    later = visits.change_visit(
        visit.id, revision=visit.revision, starts_at=w.at(5), by=world.desk_id, now=NOW
    )
    db.session.rollback()
    assert (later.status, visit.starts_at) == (VisitStatus.CONFIRMED, w.at(5))


@pytest.mark.parametrize(
    "wanted",
    [
        w.choice("deep_tissue"),
        w.choice("decompression_vacuum", areas=("lower_back",)),
        w.choice("decompression_vacuum", mode="interval", minutes=30),
    ],
    ids=["service", "suction", "chamber"],
)
def test_changing_to_what_is_not_safe_changes_nothing(world: w.World, wanted: Choice) -> None:
    client = w.person()
    w.sign(
        client,
        blood_thinners={
            "med_class": "anticoagulant",
            "medication": "warfarin",
            "stable_3_months": True,
            "bruising": False,
        },
    )
    booked = w.at_desk(world, client, "relaxation")
    visit = db.session.get_one(Visit, booked.visit_id)
    before = (visit.service_id, visit.mode, visit.minutes, visit.judged_key, visit.screening_id)
    outcome = visits.change_visit(visit.id, revision=visit.revision, choice=wanted, by=world.desk_id, now=NOW)
    db.session.rollback()
    assert outcome.visit_id is None
    assert (visit.service_id, visit.mode, visit.minutes, visit.judged_key, visit.screening_id) == before
    assert visit.status == "confirmed"


def test_changing_the_area_onto_the_place_is_refused(world: w.World) -> None:
    client = w.person()
    w.sign(client, open_wound_burn={"type": "wound", "site": ["left_lower_leg"], "extent": "small"})
    booked = w.at_desk(world, client, "sports", areas=("shoulders",))
    assert booked.status == VisitStatus.CONFIRMED
    visit = db.session.get_one(Visit, booked.visit_id)
    wanted = w.choice("sports", areas=("left_leg",))
    outcome = visits.change_visit(visit.id, revision=visit.revision, choice=wanted, by=world.desk_id, now=NOW)
    assert outcome.visit_id is None
    assert w.statuses(client) == ["confirmed"]


def test_an_unsafe_addon_comes_off_before_anything_is_booked(world: w.World) -> None:
    pregnant = {
        "status": "confirmed",
        "weeks": 20,
        "weeks_as_of": "2026-06-09",
        "high_risk": False,
        "complication": "none",
    }
    client = w.person()
    w.sign(client, pregnancy=pregnant)
    outcome = w.at_desk(world, client, "relaxation", addons=("hot_stone",))
    assert (outcome.visit_id, outcome.unsafe_addons, w.statuses(client)) == (None, ("hot_stone",), [])
    assert w.at_desk(world, client, "relaxation").status == VisitStatus.CONFIRMED


def test_an_addon_that_becomes_unsafe_is_taken_off_the_booked_visit(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    booked = w.at_desk(world, client, "relaxation", addons=("hot_stone", "aromatherapy"))
    full_price = db.session.get_one(Visit, booked.visit_id).price
    w.sign(client, reduced_feeling={"cause_known": True, "site": ["left_foot"]})
    db.session.rollback()
    visit = db.session.get_one(Visit, booked.visit_id)
    assert visit.status == "confirmed"
    assert "hot_stone" in visit.addons  # a numb foot elsewhere is a caution for warm stones
    w.sign(
        client,
        diabetes={"status": "controlled", "complications": False, "insulin": False},
        reduced_feeling={"cause_known": True, "site": ["left_foot"]},
    )
    db.session.rollback()
    assert (visit.status, visit.addons) == (
        "confirmed",
        ["aromatherapy"],
    )  # together they rule warm stones out
    assert visit.price < full_price


def test_a_warning_sign_stops_every_door_until_it_is_reviewed_and_signed_anew(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    w.at_desk(world, client, "relaxation")
    told = w.answers(rf_saddle_numbness={"checked_by_doctor": False})
    urgency = intakes.raise_stop(client, told, source="online", by=None, now=NOW, today=w.TODAY)
    assert urgency == "emergency"
    assert w.statuses(client) == ["cancelled"]
    later = NOW + dt.timedelta(hours=1)
    w.sign(client, now=later)  # answering again does not open anything
    assert w.at_desk(world, client, "relaxation").visit_id is None
    reviewer = factories.make_user(email="t@clinic.example", roles=[Role.THERAPIST])
    stop = intake_stop(client)
    reviews.end_stop(stop, "assessed", "Assessed by Dr Gray on 9 June", by=reviewer.id, now=later)
    assert w.at_desk(world, client, "relaxation").visit_id is None
    w.sign(client, now=later + dt.timedelta(minutes=5))
    assert w.at_desk(world, client, "relaxation").status == VisitStatus.CONFIRMED


def intake_stop(client_id: int) -> int:
    from clinic.intake.models import HealthStop

    return db.session.scalars(select(HealthStop.id).where(HealthStop.client_id == client_id)).one()


def test_taking_an_answer_back_does_not_open_what_it_closed(world: w.World) -> None:
    client = w.person()
    w.sign(client, clotting_tendency={"type": "factor V Leiden"})
    assert w.at_desk(world, client, "decompression_vacuum", areas=("lower_back",)).visit_id is None
    newer = w.sign(client, now=NOW + dt.timedelta(minutes=10))
    assert (
        w.at_desk(world, client, "decompression_vacuum", areas=("lower_back",)).status == VisitStatus.PENDING
    )
    reviewer = factories.make_user(email="t@clinic.example", roles=[Role.THERAPIST])
    reviews.review_softened(newer, True, "Ticked by mistake, asked by phone.", by=reviewer.id, now=NOW)
    assert w.statuses(client) == ["confirmed"]


def test_a_minor_waits_for_the_guardians_consent(world: w.World) -> None:
    client = w.person(born_on=dt.date(2010, 6, 20))  # 15 on the day
    w.sign(client)
    assert w.at_desk(world, client, "relaxation").status == VisitStatus.PENDING

    def consent(service: str, *, in_room: bool, minutes: int) -> None:
        consents.give_guardian_consent(
            client, name="Gil Number", relation="parent", services=[service], will_be_in_room=in_room,
            signed_on=w.TODAY, by=None, now=NOW + dt.timedelta(minutes=minutes),
        )  # fmt: skip

    consent("swedish", in_room=True, minutes=0)
    assert w.statuses(client) == ["pending"]  # another service
    consent("relaxation", in_room=False, minutes=1)
    assert w.statuses(client) == ["pending"]  # at 15 the guardian stays in the room
    consent("relaxation", in_room=True, minutes=2)
    assert w.statuses(client) == ["confirmed"]


def test_another_name_for_a_known_person_waits_for_the_desk(world: w.World) -> None:
    """The same phone, healthy answers: judged on the strictest of both, and the known record stays as it was."""
    known = w.person(phone="(212) 555-0177", email="known@people.example")
    w.sign(known, bleeding_disorder={"type": "haemophilia", "bleed_last_4_weeks": False})
    before = db.session.scalar(select(Client.phone).where(Client.id == known))
    from clinic.booking.services import checkout
    from clinic.clients.steps import Details

    token = checkout.hold_slot(
        None, w.choice("deep_tissue"), w.at(3), first_visit=True, user_id=None, now=NOW
    )
    other = checkout.name_person(
        token,
        Details("Somebody", "Else", dt.date(1991, 2, 3), email="new@people.example", phone="+1 212 555 0177"),
        relation="self",
        now=NOW,
    )
    w.sign(other)
    result = checkout.confirm(token, user_id=None, now=NOW)
    assert (result.status, confirmed()) == (VisitStatus.PENDING, [])
    assert db.session.scalar(select(Client.phone).where(Client.id == known)) == before
    with pytest.raises(ReviewNeeded):
        people.say_two_people(known, other, by=world.desk_id, now=NOW)
    reviewer = factories.make_user(email="t@clinic.example", roles=[Role.THERAPIST])
    people.say_two_people(known, other, by=reviewer.id, now=NOW)
    assert w.statuses(other) == ["confirmed"]


def test_merging_unites_the_answers_and_judges_again(world: w.World) -> None:
    keep, lose = w.person(), w.person()
    w.sign(keep)
    w.sign(lose, clotting_tendency={"type": "factor V Leiden"})
    w.at_desk(world, keep, "deep_tissue")
    w.at_desk(world, lose, "relaxation", when=w.at(5))
    assert (w.statuses(keep), w.statuses(lose)) == (["confirmed"], ["pending"])
    records = db.session.scalars(select(Screening.id).where(Screening.client_id == lose)).all()
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW)
    assert confirmed() == []
    assert w.statuses(lose) == []
    assert db.session.scalars(select(Screening.id).where(Screening.client_id == lose)).all() == records


def test_check_in_is_judged_too(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    booked = w.at_desk(world, client, "relaxation")
    visit = db.session.get_one(Visit, booked.visit_id)
    w.sign(client, blood_clot={"status": "current", "date": "2026-06-01", "still_on_treatment": True})
    db.session.rollback()
    with pytest.raises(MoveNotAllowed):
        visits.mark_visit(visit.id, VisitStatus.ARRIVED, revision=visit.revision, by=world.desk_id, now=NOW)
    assert confirmed() == []


def test_a_waiting_visit_moved_to_a_safe_day_is_confirmed(world: w.World) -> None:
    client = w.person()
    surgery = {
        "date": "2026-03-20",
        "type": "knee",
        "site": ["left_knee"],
        "minor": False,
        "complications": False,
    }
    w.sign(client, recent_surgery=surgery)
    booked = w.at_desk(world, client, "relaxation", when=w.at(2))  # day 83: a letter is needed
    assert booked.status == VisitStatus.PENDING
    visit = db.session.get_one(Visit, booked.visit_id)
    moved = visits.change_visit(
        visit.id, revision=visit.revision, starts_at=w.at(3), by=world.desk_id, now=NOW
    )
    db.session.rollback()
    assert (moved.status, visit.status, visit.deadline_at) == (VisitStatus.CONFIRMED, "confirmed", None)
