"""The sick call: visits given to somebody else, offered another time, or called off, each told and each judged."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from clinic.booking.models import CallRequest, Claim, Offer, StatusChange, Visit
from clinic.booking.queries import taking_back
from clinic.booking.queries.rest import Rest
from clinic.booking.queries.waitlist import Instead
from clinic.booking.services import answering, covering, in_line, sick_day, time_off
from clinic.booking.services.aims import say_aim
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.swapping import swap_visits
from clinic.booking.services.undoing import take_back
from clinic.booking.services.visits import cancel_visit, change_visit, mark_visit
from clinic.clients.models import Client
from clinic.diary.queries import therapist as diary
from clinic.premises import services as premises
from clinic.premises.models import Clinic, Location
from clinic.rules.errors import HoldExpired, MoveNotAllowed, SlotTaken, TooLate
from clinic.rules.sick_day import Deed, Way, best_for_all
from clinic.rules.taking_back import TIME_TO_TAKE_BACK
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import WeeklyHours, moment
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.shared.seen import mark_of
from clinic.therapists import queries as therapist_queries
from clinic.therapists import services as therapists
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")

BLOCKED = {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}}
SICK, BUSY, FREE = 0, 1, 2


@pytest.fixture
def world(app: Flask) -> w.World:
    """Three therapists: one is going to be off, one has visits beside the first's."""
    return w.build(therapists=3)


def patient(*, email: bool = True) -> int:
    client = w.person(email=f"s{w.new_number()}@people.example" if email else "")
    w.sign(client)
    return client


def book(world: w.World, therapist: int, hour: int, client: int = 0, *, by_name: bool = False) -> int:
    """A visit with this therapist, who was asked for by name or came by chance."""
    made = w.at_desk(
        world,
        client or patient(),
        "deep_tissue",
        when=w.at(3, hour),
        therapist_id=world.therapists[therapist],
    ).visit_id
    assert made is not None
    visit = db.session.get_one(Visit, made)
    visit.any_therapist = not by_name
    db.session.commit()
    return made


def the_case(world: w.World) -> covering.Case:
    """The one visit that the sick therapist has."""
    db.session.rollback()
    (found,) = covering.cases(world.therapists[SICK], NOW)
    return found


def call_in(world: w.World) -> None:
    time_off.add_time_off(
        world.therapists[SICK], "off", w.at(3, 0), w.at(4, 0), "Not in today", by=world.desk_id, now=NOW
    )


def get(visit_id: int) -> Visit:
    db.session.rollback()
    return db.session.get_one(Visit, visit_id)


def client_of(visit_id: int) -> Client:
    return db.session.get_one(Client, get(visit_id).client_id)


def queued(already: int) -> list[OutgoingMail]:
    """The mails after the first so many."""
    db.session.rollback()
    return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))[already:]


def claims_of(visit_id: int) -> int:
    return db.session.scalar(select(func.count()).where(Claim.visit_id == visit_id)) or 0


def subjects() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(OutgoingMail.subject).order_by(OutgoingMail.id)))


def test_a_plan_for_the_day_and_what_it_does(app: Flask, world: w.World) -> None:
    first, by_name = book(world, SICK, 8), book(world, SICK, 10, by_name=True)
    apart = patient()
    kept_apart = book(world, SICK, 12, apart)
    book(world, BUSY, 12)
    factories.make_never_together(
        db.session.get_one(Client, apart), db.session.get_one(Therapist, world.therapists[FREE])
    )
    unsafe_client = patient()
    unsafe = book(world, SICK, 16, unsafe_client)
    call_in(world)
    found = covering.cases(world.therapists[SICK], NOW)
    assert [one.visit.id for one in found] == [first, by_name, kept_apart, unsafe]
    plan = {one.visit_id: one for one in best_for_all(one.touched for one in found)}
    assert {one: (plan[one].deed, plan[one].is_ticked) for one in plan} == {
        first: (Deed.GIVE, True),
        by_name: (Deed.GIVE, False),
        kept_apart: (Deed.OFFER, True),
        unsafe: (Deed.GIVE, True),
    }
    room = get(first).room_id
    to = plan[first].way
    assert to is not None
    assert room in to.taken  # the room is kept when it can be
    sick_day.give_to(first, to.therapist, revision=get(first).revision, by=world.desk_id, now=NOW)
    given = get(first)
    assert (given.status, given.therapist_id, given.starts_at, given.any_therapist) == (
        "confirmed", to.therapist, w.at(3, 8), True
    )  # fmt: skip
    assert claims_of(first) == 3
    assert re.fullmatch(r"Your visit on .* is with Terry \d", subjects()[-1])
    # The gate again: what has become unsafe meanwhile is given to nobody.
    db.session.rollback()
    w.sign_answers(unsafe_client, BLOCKED)
    assert unsafe not in [one.visit.id for one in covering.cases(world.therapists[SICK], NOW) if one.is_safe]
    # Neither to the one who is off, nor to one who is busy, nor in a form that was changed meanwhile.
    revision = get(kept_apart).revision
    for therapist in world.therapists:
        with pytest.raises(SlotTaken):
            sick_day.give_to(kept_apart, therapist, revision=revision, by=world.desk_id, now=NOW)
    with pytest.raises(MoveNotAllowed):
        sick_day.give_to(by_name, to.therapist, revision=99, by=world.desk_id, now=NOW)
    assert (get(kept_apart).therapist_id, claims_of(kept_apart)) == (world.therapists[SICK], 3)


def test_another_time_is_only_offered(app: Flask, world: w.World) -> None:
    """The visit stays until the client says yes; a no or silence leaves it as work to do."""
    for other in (BUSY, FREE):
        book(world, other, 10)
    visit_id = book(world, SICK, 10)
    say_aim(visit_id, "A loose neck", by=None, now=NOW)
    call_in(world)
    way = the_case(world).touched.other_times[0]
    assert moment(way.starts_at) >= w.at(3, 8)
    start, shown = moment(way.starts_at), get(visit_id).revision

    def offer(revision: int = 0) -> int:
        revision = revision or get(visit_id).revision
        return sick_day.offer_time(
            visit_id, start, way.therapist, revision=revision, by=world.desk_id, now=NOW
        )

    made = offer(shown)
    asked = len(subjects())
    with pytest.raises(MoveNotAllowed, match="changed meanwhile"):  # the same plan, open at a second desk
        offer(shown)
    assert len(subjects()) == asked, "nobody is asked twice"
    assert (get(visit_id).status, claims_of(visit_id)) == ("confirmed", 3)
    assert "Another time for your visit" in subjects()[-1]
    answering.decline(made, by=None, now=NOW)
    assert (get(visit_id).status, the_case(world).asked.last_answer) == (
        "confirmed",
        "declined",
    )
    made = offer()
    in_line.keep_line(NOW + dt.timedelta(hours=1))
    assert the_case(world).asked.last_answer == "expired"
    made = offer()
    again = offer()  # another offer for the same visit takes the place of the first
    with pytest.raises(HoldExpired):
        answering.accept(made, by=None, now=NOW)
    answered = answering.accept(again, by=None, now=NOW)
    assert (answered.status, get(visit_id).status, claims_of(visit_id)) == ("confirmed", "cancelled", 0)
    assert (get(answered.visit_id).starts_at, claims_of(answered.visit_id)) == (start, 3)
    assert (get(answered.visit_id).note, get(visit_id).note) == ("A loose neck", None), "it goes along"
    assert answering.accept(again, by=None, now=NOW).visit_id == answered.visit_id
    assert [one.visit.id for one in covering.cases(world.therapists[SICK], NOW)] == []
    me = diary.Me(world.therapists[SICK], "", 1, w.TODAY)
    (day,) = diary.own_days(me, w.TODAY + dt.timedelta(days=3), 1, NOW)
    assert [(one.id, one.moved) for one in day.ended] == [(visit_id, True)], "moved, not lost"


def test_another_time_that_the_gate_refuses_takes_nothing_away(app: Flask, world: w.World) -> None:
    """The visit that it would have stood in for stands as its own judgement says, with all that it claims."""
    client = patient()
    visit_id = w.at_desk(
        world, client, "relaxation", addons=("hot_stone", "aromatherapy"), when=w.at(3, 10),
        therapist_id=world.therapists[SICK],
    ).visit_id  # fmt: skip
    assert visit_id is not None
    say_aim(visit_id, "A loose neck", by=None, now=NOW)
    made = sick_day.offer_time(
        visit_id, w.at(5), world.therapists[FREE], revision=get(visit_id).revision, by=world.desk_id, now=NOW
    )
    later = NOW + dt.timedelta(minutes=1)
    w.sign(
        client, now=later, diabetes={"status": "controlled", "complications": False, "insulin": False},
        reduced_feeling={"cause_known": True, "site": ["left_foot"]},
    )  # fmt: skip
    assert (get(visit_id).status, get(visit_id).addons) == ("confirmed", ["aromatherapy"])
    with pytest.raises(MoveNotAllowed, match="cannot book this time for you"):
        answering.accept(made, by=None, now=later)
    assert (get(visit_id).status, get(visit_id).note) == ("confirmed", "A loose neck")
    assert claims_of(visit_id) >= 3
    assert db.session.scalars(select(Offer.ended_as).where(Offer.id == made)).one() == "not_possible"


def test_called_off_and_who_has_no_mail_is_called(app: Flask, world: w.World) -> None:
    silent, visit_id = book(world, SICK, 12, patient(email=False)), book(world, SICK, 10)
    call_in(world)
    for one in (silent, visit_id):
        sick_day.call_off(one, revision=get(one).revision, by=world.desk_id, now=NOW)
        assert (get(one).status, claims_of(one)) == ("cancelled", 0)
    assert db.session.scalars(select(CallRequest.visit_id)).all() == [silent]
    assert "cannot take place" in subjects()[-1]


def test_the_desk_walks_through_the_sick_call(app: Flask, world: w.World, client: FlaskClient) -> None:
    """Entered, planned, carried out: four taps, whatever the number of visits; then the client says no by the link."""
    therapist = world.therapists[SICK]
    first, second, by_name = book(world, SICK, 8), book(world, SICK, 10), book(world, SICK, 12, by_name=True)
    call_in(world)
    desk = desk_browser(app, world)
    work = desk.get(f"/desk/sick-day/{therapist}")
    assert "3 visits, 3 still to settle." in work.text
    assert work.text.count("Cancel and tell") == 3
    assert "Find a way for the visits of Terry 0" in desk.get("/todo").text
    plan = desk.get(f"/desk/sick-day/{therapist}/plan")
    boxes = re.findall(r'name="do" id="do-\d" value="([^"]+)"( checked)?', plan.text)
    assert [bool(ticked) for _value, ticked in boxes] == [True, True, False]
    assert [get(one).therapist_id for one in (first, second, by_name)] == [
        therapist
    ] * 3  # nothing is saved yet
    ticked = [value for value, is_ticked in boxes if is_ticked]
    wrong = ["x", "1 2", f"{by_name} 1 {therapist} tomorrow", f"{by_name} 999 {therapist}"]
    done = desk.post(f"/desk/sick-day/{therapist}/plan", data={"do": [*ticked, *wrong]})
    after = desk.get(walk.location(done))
    assert "2 visits given to somebody else." in after.text
    assert "1 visit, 1 still to settle." in after.text
    assert [get(one).therapist_id != therapist for one in (first, second, by_name)] == [True, True, False]
    revision = str(get(by_name).revision)
    offered = desk.post(
        f"/desk/visits/{by_name}/offer-time",
        data={"start": "2026-06-12T21:00Z", "therapist": str(world.therapists[FREE]), "revision": revision},
    )
    assert "Kept until" in desk.get(walk.location(offered)).text
    older = {"revision": revision, "sure": "1"}
    desk.post(f"/desk/visits/{by_name}/call-off", data=older)  # not of this page any more
    assert get(by_name).status == "confirmed"
    desk.post(f"/desk/visits/{by_name}/call-off", data={"revision": str(get(by_name).revision), "sure": "1"})
    assert "Every visit has found its way" in desk.get(f"/desk/sick-day/{therapist}").text
    assert [one.ended_as for one in db.session.scalars(select(Offer).where(Offer.kind == "move"))] == [
        "withdrawn"
    ]
    mail = db.session.scalars(
        select(OutgoingMail.text).where(OutgoingMail.subject.contains("is with"))
    ).first()
    link = re.search(r"/offer/[\w-]+", mail or "")
    assert link is not None
    assert "Cancel this visit" in client.get(link[0]).text
    client.post(f"{link[0]}/decline", data={"sure": "1"})
    assert "Choose another time" in client.get(link[0]).text
    assert sorted(get(one).status for one in (first, second)) == ["cancelled", "confirmed"]


def test_a_press_on_an_old_page_says_of_whom_and_stays_with_the_therapist_who_is_off(
    app: Flask, world: w.World
) -> None:
    visit_id = book(world, SICK, 10)
    call_in(world)
    desk = desk_browser(app, world)
    page = f"/desk/sick-day/{world.therapists[SICK]}"
    assert f'name="of" value="{world.therapists[SICK]}"' in desk.get(page).text
    stands = {"revision": str(get(visit_id).revision), "of": str(world.therapists[SICK])}
    give = {**stands, "therapist": str(world.therapists[BUSY])}
    done = desk.post(f"/desk/visits/{visit_id}/give", data=give)
    name = client_of(visit_id).name
    assert walk.location(done) == page
    assert (
        f"{name}: Given to Terry 1. They get a mail when this cannot be undone any more."
        in desk.get(page).text
    )
    assert get(visit_id).therapist_id == world.therapists[BUSY]
    for deed in ("give", "call-off"):  # it is not the sick therapist's any more
        late = desk.post(
            f"/desk/visits/{visit_id}/{deed}", data={**give, "therapist": world.therapists[FREE], "sure": "1"}
        )
        assert walk.location(late) == page
        assert f"{name}: This visit was changed meanwhile." in desk.get(page).text
    assert (get(visit_id).therapist_id, get(visit_id).status) == (world.therapists[BUSY], "confirmed")


def test_who_has_no_mail_is_not_called_told(app: Flask, world: w.World) -> None:
    visit_id = book(world, SICK, 10, patient(email=False))
    call_in(world)
    desk = desk_browser(app, world)
    page = desk.get(f"/desk/sick-day/{world.therapists[SICK]}").text
    assert "Has no e-mail" in page
    gone = desk.post(
        f"/desk/visits/{visit_id}/call-off", data={"revision": str(get(visit_id).revision), "sure": "1"}
    )
    assert "Cancelled. They have no e-mail: please call them." in desk.get(walk.location(gone)).text


def test_the_answer_to_another_time_is_taken_on_the_telephone(app: Flask, world: w.World) -> None:
    visit_id = book(world, SICK, 10)
    call_in(world)
    way = the_case(world).touched.other_times[0]
    desk = desk_browser(app, world)
    page = f"/desk/sick-day/{world.therapists[SICK]}"
    of = {"of": str(world.therapists[SICK])}

    def offer() -> int:
        revision = get(visit_id).revision
        return sick_day.offer_time(
            visit_id, moment(way.starts_at), way.therapist, revision=revision, by=world.desk_id, now=NOW
        )

    told = ("/todo", f"/desk/visits/{visit_id}", page)  # nobody at the desk asks the same client twice
    made = offer()
    assert desk.get(page).text.count("Client says") == 2
    assert [desk.get(one).text.count("<strong>Asked: ") for one in told] == [1, 1, 1]
    no = desk.post(f"/desk/offers/{made}/decline", data={**of, "sure": "1"})
    assert walk.location(no) == page
    assert "said no. The time goes to the next in line." in desk.get(page).text
    assert [desk.get(one).text.count("<strong>Said no to another time.") for one in told] == [1, 0, 1]
    assert (the_case(world).asked.last_answer, get(visit_id).status) == ("declined", "confirmed")
    late = desk.post(f"/desk/offers/{made}/accept", data=of)
    assert "This offer has been answered, or has run out." in desk.get(walk.location(late)).text
    yes = desk.post(f"/desk/offers/{offer()}/accept", data=of)
    assert walk.location(yes) == page
    assert "Booked and confirmed." in desk.get(page).text
    assert get(visit_id).status == "cancelled"
    moved = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
    assert moved.starts_at == moment(way.starts_at)


def offer_of(visit_id: int) -> int:
    """The one open offer that keeps this visit."""
    db.session.rollback()
    return db.session.scalars(
        select(Offer.id).where(Offer.visit_id == visit_id, Offer.ended_at.is_(None))
    ).one()


def link_in(subject: str) -> str:
    """The way to the page of an offer, out of the newest such mail."""
    text = db.session.scalars(
        select(OutgoingMail.text)
        .where(OutgoingMail.subject.contains(subject))
        .order_by(OutgoingMail.id.desc())
    ).first()
    link = re.search(r"/offer/[\w-]+", text or "")
    assert link is not None
    return link[0]


@pytest.mark.parametrize("meanwhile", ["moved", "arrived", "begun"])
def test_a_late_no_to_another_therapist_cancels_nothing(
    app: Flask, world: w.World, client: FlaskClient, meanwhile: str
) -> None:
    """What was asked about is over: the visit was moved by the desk since, its client is there, or it has begun."""
    visit_id, late = book(world, SICK, 10), NOW
    call_in(world)
    to = the_case(world).touched.same_time[0].therapist
    sick_day.give_to(visit_id, to, revision=get(visit_id).revision, by=world.desk_id, now=NOW)
    link = link_in("is with")
    if meanwhile == "moved":
        change_at_desk(visit_id, Change(get(visit_id).revision, w.at(4, 12), by=world.desk_id), now=NOW)
    else:
        late = w.at(3, 10) + dt.timedelta(minutes=-5 if meanwhile == "arrived" else 5)
    if meanwhile == "arrived":
        arrived = VisitStatus.ARRIVED
        mark_visit(visit_id, arrived, revision=get(visit_id).revision, by=world.desk_id, now=late)
    status = get(visit_id).status
    with time_machine.travel(late, tick=False):
        assert "Cancel this visit" not in client.get(link).text
        answer = client.post(f"{link}/decline", data={"sure": "1"})
        assert "is cancelled" not in client.get(link).text
    assert (answer.status_code, get(visit_id).status) == (409, status)
    assert "has begun, or it was changed since" in answer.text


def test_a_no_to_another_therapist_is_kept_told_and_said_once(app: Flask, world: w.World) -> None:
    visit_id = book(world, SICK, 10)
    call_in(world)
    to = the_case(world).touched.same_time[0].therapist
    sick_day.give_to(visit_id, to, revision=get(visit_id).revision, by=world.desk_id, now=NOW)
    made = db.session.scalars(select(Offer).where(Offer.visit_id == visit_id)).one()
    offer_id, before = made.id, len(subjects())
    db.session.rollback()
    assert answering.accept(offer_id, by=None, now=NOW).visit_id == visit_id, "it stands without a yes"
    answering.decline(offer_id, by=None, now=NOW)
    answering.decline(offer_id, by=None, now=NOW)
    visit = get(visit_id)
    assert (visit.status, visit.deadline_at, visit.waiting_for, claims_of(visit_id)) == (
        "cancelled",
        None,
        None,
        0,
    )
    assert db.session.scalars(
        select(StatusChange.reason).where(
            StatusChange.visit_id == visit_id, StatusChange.status == "cancelled"
        )
    ).all() == ["other therapist declined"]
    assert [one for one in subjects()[before:] if "is cancelled" in one] != []
    said = select(AuditRow.thing, AuditRow.thing_id).where(AuditRow.deed == "offer.declined")
    assert [tuple(one) for one in db.session.execute(said)] == [("offer", offer_id)], (
        "said twice, it is one no"
    )


def test_a_time_that_was_taken_is_declined_no_more(app: Flask, world: w.World) -> None:
    visit_id = book(world, SICK, 10)
    made = sick_day.offer_time(
        visit_id, w.at(5), world.therapists[FREE], revision=get(visit_id).revision, by=world.desk_id, now=NOW
    )
    taken = answering.accept(made, by=None, now=NOW)
    old = get(visit_id)
    assert (old.status, old.deadline_at, old.waiting_for) == ("cancelled", None, None)
    assert (get(taken.visit_id).deadline_at, get(taken.visit_id).status) == (None, "confirmed")
    with pytest.raises(HoldExpired, match="over already"):
        answering.decline(made, by=None, now=NOW)
    assert get(taken.visit_id).status == "confirmed"


@pytest.mark.parametrize("meanwhile", ["moved", "swapped", "moved by the client", "cancelled"])
def test_a_late_yes_to_another_time_leaves_what_was_agreed_since(
    app: Flask, world: w.World, client: FlaskClient, meanwhile: str
) -> None:
    visit_id, other = book(world, SICK, 10), book(world, FREE, 14)
    call_in(world)
    way = the_case(world).touched.other_times[0]
    sick_day.offer_time(
        visit_id,
        moment(way.starts_at),
        way.therapist,
        revision=get(visit_id).revision,
        by=world.desk_id,
        now=NOW,
    )
    link, stands = link_in("Another time"), get(visit_id).revision
    assert "Take this time" in client.get(link).text
    if meanwhile == "cancelled":
        cancel_visit(visit_id, by=None, by_clinic=False, by_client=True, now=NOW)
    elif meanwhile == "swapped":
        seen = stands, get(other).revision
        swap_visits(visit_id, other, seen=seen, by=world.desk_id, now=NOW)
    elif meanwhile == "moved":
        change_at_desk(visit_id, Change(stands, w.at(5, 12), by=world.desk_id), now=NOW)
    else:
        get(visit_id).any_therapist = True
        db.session.commit()
        change_visit(visit_id, revision=stands, starts_at=w.at(5, 12), by=None, by_client=True, now=NOW)
    status, start = get(visit_id).status, get(visit_id).starts_at
    assert "Take this time" not in client.get(link).text
    late = client.post(f"{link}/accept")
    assert late.status_code == 409
    assert "Your visit was changed meanwhile" in late.text
    assert "See free times" not in late.text, "it would be a second visit"
    assert (get(visit_id).status, get(visit_id).starts_at) == (status, start)
    in_line.keep_line(NOW)
    assert db.session.scalars(select(Offer.ended_as).where(Offer.kind == "move")).all() == ["withdrawn"]


def asked_about_another_time(world: w.World) -> tuple[int, Way, int]:
    """The visit of the therapist who is off, the time that its client was asked about, and the offer."""
    visit_id = book(world, SICK, 10)
    call_in(world)
    way = the_case(world).touched.other_times[0]
    made = sick_day.offer_time(
        visit_id, moment(way.starts_at), way.therapist, revision=get(visit_id).revision, by=world.desk_id, now=NOW
    )  # fmt: skip
    return visit_id, way, made


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_is_offered_with_somebody_who_falls_ill_too_is_not_taken(
    app: Flask, world: w.World, is_answered: bool
) -> None:
    """The visit stands as it was, and is work to do again; the desk may offer another time."""
    visit_id = book(world, SICK, 10, by_name=True)
    call_in(world)
    revision = get(visit_id).revision
    sick_day.offer_time(
        visit_id, w.at(3, 14), world.therapists[FREE], revision=revision, by=world.desk_id, now=NOW
    )
    offer = db.session.scalars(select(Offer)).one()
    number, kept = offer.id, offer.visit_id
    db.session.rollback()
    time_off.add_time_off(
        world.therapists[FREE], "off", w.at(3, 0), w.at(4, 0), "", by=world.desk_id, now=NOW
    )
    if is_answered:
        with pytest.raises(HoldExpired, match=r"not free any more\. We call you"):
            answering.accept(number, by=None, now=NOW)
    else:
        in_line.keep_line(NOW)
    assert (get(visit_id).status, get(kept).status) == ("confirmed", "released")
    assert the_case(world).asked == Instead(None, "blocked")


def test_an_offer_that_ran_out_says_who_does_what_next(
    app: Flask, world: w.World, client: FlaskClient
) -> None:
    visit_id, _way, _made = asked_about_another_time(world)
    link = link_in("Another time")
    with time_machine.travel(NOW + dt.timedelta(hours=3), tick=False):
        for page in (client.get(link), client.post(f"{link}/accept")):
            assert "We call you and find another way." in page.text
            assert "on the list" not in page.text
            assert "See free times" not in page.text
    assert get(visit_id).status == "confirmed"


def test_the_rest_is_only_worked_out_for_times_that_would_be_named(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done for every free time of a fortnight it was a good part of the ten seconds that a month off took."""
    world, client = w.build(therapists=3, minds_rest=True), patient()
    w.at_desk(world, client, "deep_tissue", when=w.at(25))
    book(world, SICK, 10, client, by_name=True)
    call_in(world)
    asked: list[int] = []
    work_out = Rest.is_short

    def counted(self: Rest, minute: int) -> bool:
        asked.append(minute)
        return work_out(self, minute)

    monkeypatch.setattr(Rest, "is_short", counted)
    named = the_case(world).touched.other_times
    assert len(named) > 10
    assert len(asked) <= len(named) + 1


@pytest.mark.parametrize("minds_rest", [True, False])
def test_no_time_is_proposed_that_comes_too_soon_for_the_body(app: Flask, minds_rest: bool) -> None:
    """One press asks the client, and nobody has to say why it should be sooner, as for a move by hand."""
    world, client = w.build(therapists=2, minds_rest=minds_rest), patient()
    book(world, SICK, 10, client)
    w.at_desk(world, client, "deep_tissue", when=w.at(7, 8), therapist_id=world.therapists[BUSY])
    call_in(world)
    days = {moment(one.starts_at).date() for one in the_case(world).touched.other_times}
    assert w.at(3).date() in days
    assert (w.at(4).date() in days) != minds_rest


def test_whoever_comes_too_soon_already_is_offered_no_other_time_that_is_too_soon(app: Flask) -> None:
    """Staff have passed it for the time that was booked, and not for another one: it would be refused when it is
    pressed."""
    world, client = w.build(therapists=2), patient()
    visit_id = book(world, SICK, 10, client)
    w.at_desk(world, client, "deep_tissue", when=w.at(4, 8), therapist_id=world.therapists[BUSY])
    with transaction() as session:
        session.execute(update(Clinic).values(minds_rest=True))
    call_in(world)
    proposed = the_case(world).touched.other_times
    assert proposed
    for one in proposed:
        revision = get(visit_id).revision
        assert sick_day.offer_time(
            visit_id, moment(one.starts_at), one.therapist, revision=revision, by=world.desk_id, now=NOW
        )


def test_other_times_are_on_the_step_of_a_clock_that_is_a_quarter_off(app: Flask) -> None:
    world, zone = w.build(therapists=2), ZoneInfo("Asia/Kathmandu")
    with transaction() as session:
        session.execute(update(Location).values(zone=zone.key))
        session.execute(update(Clinic).values(slot_step_minutes=60))
    start = dt.datetime(2026, 6, 12, 11, tzinfo=zone).astimezone(dt.UTC)
    w.at_desk(world, patient(), "deep_tissue", when=start, therapist_id=world.therapists[SICK])
    off = dt.timedelta(hours=3)
    time_off.add_time_off(world.therapists[SICK], "off", start - off, start + off, "", by=None, now=NOW)
    times = the_case(world).touched.other_times
    assert times
    assert {moment(one.starts_at).astimezone(zone).minute for one in times} == {0}


@pytest.mark.parametrize("whole_day", [False, True])
@pytest.mark.parametrize("deed", ["moved", "cancelled"])
def test_a_slip_is_undone_though_the_therapist_is_off(world: w.World, deed: str, whole_day: bool) -> None:
    """Time off keeps new visits away, not the one that was there before: also not when it comes back."""
    visit_id = book(world, SICK, 10)
    days = (w.at(3).date(), w.at(3).date()) if whole_day else None
    time_off.add_time_off(
        world.therapists[SICK], "off", w.at(3, 0), w.at(4, 0), "", by=world.desk_id, now=NOW, days=days
    )
    stood, therapist = get(visit_id).starts_at, world.therapists[SICK]
    if deed == "moved":
        wish = Change(get(visit_id).revision, stood, therapist_id=world.therapists[FREE], by=world.desk_id)
        change_at_desk(visit_id, wish, now=NOW)
    else:
        cancel_visit(visit_id, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    assert take_back(visit_id, by=world.desk_id, now=NOW) == (deed, 1)
    back = get(visit_id)
    assert (back.status, back.therapist_id, back.starts_at) == ("confirmed", therapist, stood)
    assert claims_of(visit_id) == 3
    assert the_case(world).visit.id == visit_id, "work to do, as before"
    blocked = select(func.count(Claim.id)).where(Claim.visit_id.is_(None), Claim.resource_id == therapist)
    assert db.session.scalar(blocked) == 2, "before it and after it nothing can be booked"
    with pytest.raises(SlotTaken):
        book(world, SICK, 14)


def change_meanwhile(world: w.World, what: str) -> None:
    """What keeps new visits away from the third day at ten with the therapist who is going to be off."""
    therapist, day = world.therapists[SICK], w.at(3).date()
    afternoon = [WeeklyHours(day.weekday(), dt.time(15), dt.time(18))]
    if what == "hours of the day":
        therapists.set_hours_of_day(therapist, world.place_id, day, afternoon, by=None, now=NOW)
    elif what == "no hours at all":
        seen = mark_of(therapist_queries.week_of(therapist, world.place_id))
        therapists.save_weekly_hours(therapist, world.place_id, [], [], seen=seen, by=None, now=NOW)
    elif what == "opening":
        premises.set_opening_of_day(world.place_id, day, afternoon, by=None, now=NOW)
    else:
        db.session.get_one(Therapist, therapist).most_minutes_a_day = 30
        db.session.commit()


@pytest.mark.parametrize("what", ["hours of the day", "no hours at all", "opening", "limit of a day"])
@pytest.mark.parametrize("deed", ["moved", "cancelled"])
def test_a_slip_is_undone_though_the_hours_were_changed_meanwhile(
    world: w.World, deed: str, what: str
) -> None:
    """A visit that stays put keeps its place when hours change: so does one that comes back to it."""
    visit_id = book(world, SICK, 10)
    stood, therapist = get(visit_id).starts_at, world.therapists[SICK]
    if deed == "moved":
        wish = Change(get(visit_id).revision, w.at(4), therapist_id=therapist, by=world.desk_id)
        change_at_desk(visit_id, wish, now=NOW)
    else:
        cancel_visit(visit_id, by=world.desk_id, by_clinic=True, now=NOW, at_desk=True)
    change_meanwhile(world, what)
    with pytest.raises(SlotTaken):
        book(world, SICK, 12)
    assert take_back(visit_id, by=world.desk_id, now=NOW) == (deed, 1)
    back = get(visit_id)
    assert (back.status, back.therapist_id, back.starts_at) == ("confirmed", therapist, stood)
    assert claims_of(visit_id) == 3


@pytest.mark.parametrize("has_mail", [True, False])
@pytest.mark.parametrize("deed", ["give", "call-off"])
def test_one_press_on_the_page_of_work_is_undone_before_anybody_is_told(
    app: Flask, world: w.World, deed: str, has_mail: bool
) -> None:
    visit_id = book(world, SICK, 10, patient(email=has_mail))
    call_in(world)
    stood, mails = get(visit_id).starts_at, subjects()
    desk = desk_browser(app, world)
    page = f"/desk/sick-day/{world.therapists[SICK]}"
    sent = {"revision": str(get(visit_id).revision), "of": str(world.therapists[SICK]), "sure": "1"}
    desk.post(f"/desk/visits/{visit_id}/{deed}", data={**sent, "therapist": str(world.therapists[FREE])})
    shown = desk.get(page).text
    assert "Nobody has been told yet." in shown
    assert ("They get a mail when this cannot be undone any more." in shown) == has_mail
    assert all(one.due_at == NOW + TIME_TO_TAKE_BACK for one in queued(len(mails)))
    assert len(queued(len(mails))) == has_mail
    assert db.session.scalar(select(func.count(CallRequest.id))) == (not has_mail)
    undone = desk.post(
        f"/desk/visits/{visit_id}/undo",
        data={"back": f"sick-{world.therapists[SICK]}", "revision": str(get(visit_id).revision)},
    )
    assert walk.location(undone) == page
    assert "Undone." in desk.get(page).text
    back = get(visit_id)
    assert (back.status, back.therapist_id, back.starts_at) == ("confirmed", world.therapists[SICK], stood)
    assert subjects() == mails
    assert db.session.scalar(select(func.count(CallRequest.id))) == 0, "nobody is called for nothing"
    assert the_case(world).asked.offer is None
    assert [one.ended_as for one in db.session.scalars(select(Offer))] == ["withdrawn"] * (deed == "give")
    in_line.keep_line(NOW)
    assert get(visit_id).status == "confirmed"


def test_who_was_asked_about_a_time_can_be_moved_to_it_by_hand_and_is_told_at_once(
    app: Flask, world: w.World
) -> None:
    """The time that was kept for them stood in their own way, and an undo left them with a dead link."""
    visit_id, way, made = asked_about_another_time(world)
    start = moment(way.starts_at)
    desk = desk_browser(app, world)
    typed = {"start": start.isoformat(), "therapist": str(way.therapist)}
    assert "They are told at once" in desk.get(f"/desk/visits/{visit_id}/move", query_string=typed).text
    moved = change_at_desk(
        visit_id,
        Change(get(visit_id).revision, start, therapist_id=way.therapist, by=world.desk_id, at_desk=True),
        now=NOW,
    )
    assert moved.visit_id == visit_id
    assert (get(visit_id).starts_at, get(visit_id).therapist_id, claims_of(visit_id)) == (
        start,
        way.therapist,
        3,
    )
    with pytest.raises(HoldExpired):
        answering.accept(made, by=None, now=NOW)
    assert taking_back.last_step_of(world.desk_id, NOW) is None
    assert subjects()[-1].startswith("Your visit is now on")
    told = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
    assert told is not None
    assert told.due_at <= NOW


@pytest.mark.parametrize("deed", ["give", "call off"])
def test_what_ends_an_offer_that_was_mailed_is_told_at_once_and_not_taken_back(
    app: Flask, world: w.World, deed: str
) -> None:
    """An undo brought the visit back, and the client's link to the other time was dead without a word."""
    visit_id, _way, _made = asked_about_another_time(world)
    revision = get(visit_id).revision
    if deed == "give":
        sick_day.give_to(
            visit_id, world.therapists[FREE], revision=revision, by=world.desk_id, now=NOW, can_go_back=True
        )
    else:
        sick_day.call_off(visit_id, revision=revision, by=world.desk_id, now=NOW, can_go_back=True)
    assert taking_back.last_step_of(world.desk_id, NOW) is None
    told = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
    assert told is not None
    assert told.due_at <= NOW


def test_one_of_two_is_called_off_for_good(world: w.World) -> None:
    """The other one is told with it. An undo that was offered broke down, and left both as they were."""
    w.add_room_for_two(world)
    halves = Half(patient(), w.choice("relaxation")), Half(patient(), w.choice("swedish"))
    book_couple(halves, w.at(3), request_key=None, source="desk", reconfirmed=True, by=world.desk_id, now=NOW)
    db.session.rollback()
    one, other = db.session.scalars(select(Visit.id).order_by(Visit.id)).all()
    sick_day.call_off(one, revision=get(one).revision, by=world.desk_id, now=NOW, can_go_back=True)
    assert (get(one).status, get(other).status) == ("cancelled", "suspended")
    assert taking_back.last_step_of(world.desk_id, NOW) is None
    with pytest.raises(TooLate):
        take_back(one, by=world.desk_id, now=NOW)
