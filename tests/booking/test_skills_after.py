"""Answers given after booking that ask for a skilled therapist: the visit goes to one, or waits for one."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Claim, Visit
from clinic.booking.queries import blocks, unfit
from clinic.booking.services import checkout, visits
from clinic.premises.models import Location
from clinic.rules.errors import MoveNotAllowed, SlotTaken
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist, TherapistSkill
from clinic.therapists.services import keep_apart
from tests import factories
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.world import visit_of
from tests.conftest import NOW

EXPECTING = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(skills=w.SERVICE_SKILLS)


def add_skilled(world: w.World) -> int:
    one = factories.make_therapist(name="Skilled Sam", skills=w.SKILLS)
    place = db.session.get_one(Location, world.place_id)
    factories.make_hours(one, place, starts="08:00", ends="20:00", weekdays=range(7))
    return one.id


def booked(
    world: w.World, therapist_id: int | None = None, when: dt.datetime | None = None
) -> tuple[int, int]:
    """A client and their confirmed visit; then they tell of a pregnancy."""
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit_id = w.at_desk(world, client, "swedish", when=when, therapist_id=therapist_id).visit_id
    assert visit_id is not None
    return client, visit_id


def tell(client: int) -> None:
    w.sign_answers(client, {"pregnancy": EXPECTING}, now=NOW + dt.timedelta(hours=1))


def mails() -> list[str]:
    rows = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))
    return [row.key.split(":")[0] for row in rows]


def test_another_therapist_takes_the_visit_over_where_any_was_asked_for(world: w.World) -> None:
    client, visit_id = booked(world)
    skilled = add_skilled(world)
    before = visit_of(visit_id).starts_at
    tell(client)
    visit = visit_of(visit_id)
    assert (visit.status, visit.therapist_id, visit.starts_at) == ("confirmed", skilled, before)
    claimed = set(db.session.scalars(select(Claim.resource_id).where(Claim.visit_id == visit_id)))
    assert claimed >= {skilled, client}
    assert not claimed & set(world.therapists)
    assert mails()[-1] == "visit_changed"
    text = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
    assert text is not None
    assert "Skilled Sam" in text.text
    assert "pregnan" not in (text.text + text.subject).lower()


def test_nobody_with_the_skill_means_it_waits_for_another_therapist(app: Flask, world: w.World) -> None:
    client, visit_id = booked(world)
    claims = len(db.session.scalars(select(Claim).where(Claim.visit_id == visit_id)).all())
    tell(client)
    visit = visit_of(visit_id)
    assert (visit.status, visit.waiting_for, visit.permits) == ("suspended", "another_therapist", None)
    assert visit.deadline_at is not None
    assert len(db.session.scalars(select(Claim).where(Claim.visit_id == visit_id)).all()) == claims
    assert mails()[-1] == "visit_on_hold"
    assert unfit.visits_to_reassign(blocks.coming(NOW)) == []
    desk = desk_browser(app, world)
    assert "This visit needs another therapist" in desk.get("/todo").text
    page = desk.get(f"/desk/visits/{visit_id}").text
    assert "Choose another therapist" in page
    assert "pregnan" not in page.lower()


def test_whoever_was_asked_for_by_name_is_not_replaced_unasked(world: w.World) -> None:
    client, visit_id = booked(world, therapist_id=world.therapists[0])
    add_skilled(world)
    tell(client)
    visit = visit_of(visit_id)
    assert (visit.status, visit.therapist_id) == ("suspended", world.therapists[0])


def test_it_is_confirmed_again_only_with_a_skilled_therapist(world: w.World) -> None:
    client, visit_id = booked(world, therapist_id=world.therapists[0])
    skilled = add_skilled(world)
    tell(client)
    w.sign_answers(client, {"pregnancy": EXPECTING}, now=NOW + dt.timedelta(hours=2))
    visit = visit_of(visit_id)
    assert visit.status == "suspended"
    with pytest.raises(SlotTaken):
        visits.change_visit(
            visit_id, revision=visit.revision, starts_at=w.at(3, 14), by=world.desk_id, now=NOW
        )
    assert visit_of(visit_id).status == "suspended"
    visits.change_visit(
        visit_id,
        revision=visit_of(visit_id).revision,
        choice=checkout.Choice("swedish", 60, therapist_id=skilled),
        by=world.desk_id,
        now=NOW,
    )
    assert (visit_of(visit_id).status, visit_of(visit_id).therapist_id) == ("confirmed", skilled)


def lose_skills(client: int, visit_id: int) -> None:
    """The visit's therapist loses a skill after the visit was confirmed: nothing judges it before the door."""
    tell(client)
    with transaction() as session:
        for row in session.scalars(
            select(TherapistSkill).where(
                TherapistSkill.therapist_id == session.get_one(Visit, visit_id).therapist_id,
                TherapistSkill.skill == "prenatal",
            )
        ).all():
            session.delete(row)


@pytest.mark.parametrize("new", [VisitStatus.ARRIVED, VisitStatus.IN_SESSION])
def test_at_the_door_nobody_is_started_without_the_skill(world: w.World, new: VisitStatus) -> None:
    skilled = add_skilled(world)
    client, visit_id = booked(world, therapist_id=skilled, when=w.at(0, 15))
    lose_skills(client, visit_id)
    assert visit_of(visit_id).status == "confirmed"
    with pytest.raises(MoveNotAllowed, match="another therapist"):
        visits.mark_visit(
            visit_id, new, revision=visit_of(visit_id).revision, by=world.desk_id, now=w.at(0, 14, 55)
        )
    assert visit_of(visit_id).status == "confirmed"


def test_at_the_door_a_skilled_therapist_who_is_free_takes_over(world: w.World) -> None:
    add_skilled(world)
    client, visit_id = booked(world, when=w.at(0, 15))
    tell(client)
    other = add_skilled(world)
    lose_skills(client, visit_id)
    visits.mark_visit(
        visit_id,
        VisitStatus.ARRIVED,
        revision=visit_of(visit_id).revision,
        by=world.desk_id,
        now=w.at(0, 14, 55),
    )
    assert (visit_of(visit_id).status, visit_of(visit_id).therapist_id) == ("arrived", other)


def test_nobody_is_begun_by_a_therapist_whose_licence_has_ended(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    visit = visit_of(w.at_desk(world, client, "swedish", when=w.at(0, 12)).visit_id or 0)
    key, revision, therapist = visit.id, visit.revision, visit.therapist_id

    def arrives_with_a_licence_until(last: dt.date) -> None:
        with transaction() as session:
            session.get_one(Therapist, therapist).licence_expires_on = last
        visits.mark_visit(key, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=w.at(0, 11, 50))

    with pytest.raises(MoveNotAllowed, match="needs another therapist first"):
        arrives_with_a_licence_until(w.TODAY - dt.timedelta(days=1))
    assert visit_of(key).status == "confirmed"
    arrives_with_a_licence_until(w.TODAY)
    assert visit_of(key).status == "arrived"


def test_a_visit_of_two_who_are_kept_apart_by_now_goes_to_another_therapist_first(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    visit = visit_of(w.at_desk(world, client, "swedish", when=w.at(0, 12)).visit_id or 0)
    key, revision, therapist = visit.id, visit.revision, visit.therapist_id
    assert unfit.visits_to_reassign(blocks.coming(NOW)) == []
    keep_apart(client, therapist, "They ask for it.", by=None, now=NOW)
    assert [one.id for one in unfit.visits_to_reassign(blocks.coming(NOW))] == [key]
    with pytest.raises(MoveNotAllowed, match="needs another therapist first"):
        visits.mark_visit(key, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=w.at(0, 11, 50))
