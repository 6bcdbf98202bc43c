"""Two visits change places: both judged and claimed anew, or both as they were. What counts is what stands."""

from __future__ import annotations

import datetime as dt
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.api.services import make_token
from clinic.booking.models import Claim, Offer, Screening, Visit
from clinic.booking.queries import taking_back
from clinic.booking.services import sick_day, visits
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.swapping import swap_visits
from clinic.clients.models import Client
from clinic.rules.errors import InvalidInput, MoveNotAllowed, NotFound, RestNeeded, SlotTaken, TooSoon
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests.api.conftest import Program
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_from_day import OPERATED
from tests.booking.test_series import rows, somebody
from tests.booking.test_series_pages import pressed
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
Place = tuple[dt.datetime, int, int]


def booked(
    world: w.World,
    when: dt.datetime,
    number: int,
    client: int = 0,
    service: str = "relaxation",
    **values: int,
) -> int:
    """A visit with the therapist of this number."""
    therapist = world.therapists[number]
    made = w.at_desk(
        world, client or somebody(), service, when=when, therapist_id=therapist, **values
    ).visit_id
    assert made is not None
    return made


def row(visit_id: int) -> Visit:
    db.session.rollback()
    return db.session.get_one(Visit, visit_id)


def place(visit_id: int) -> Place:
    one = row(visit_id)
    return one.starts_at, one.therapist_id, one.room_id


def claims(visit_id: int) -> dict[int, tuple[dt.datetime, dt.datetime]]:
    db.session.rollback()
    found = db.session.scalars(select(Claim).where(Claim.visit_id == visit_id))
    return {one.resource_id: (one.starts_at, one.ends_at) for one in found}


def test_each_takes_the_place_of_the_other(world: w.World) -> None:
    one, other = booked(world, w.at(3), 0), booked(world, w.at(4, 14), 1, service="swedish")
    before, judged = (place(one), place(other)), rows(Screening)
    assert swap_visits(one, other, by=world.desk_id, now=NOW).is_done
    assert (place(other), place(one)) == before
    for visit_id in (one, other):
        visit = row(visit_id)
        assert claims(visit_id) == {
            visit.therapist_id: (visit.starts_at, visit.free_at),
            visit.room_id: (visit.starts_at, visit.free_at),
            visit.client_id: (visit.starts_at, visit.ends_at),
        }
        screening = db.session.get_one(Screening, visit.screening_id)
        assert (visit.status, screening.day, screening.door) == ("confirmed", visit.day, "move")
    assert rows(Screening) == judged + 2
    trace = db.session.scalars(
        select(AuditRow).where(AuditRow.deed == "visit.swapped").order_by(AuditRow.sequence)
    ).all()
    assert [(row_.thing_id, row_.detail) for row_ in trace] == [
        (one, {"other": other}),
        (other, {"other": one}),
    ]
    subjects = [mail.subject for mail in db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))]
    assert len(subjects) == 4


def test_therapists_are_kept_where_that_is_asked_for(world: w.World) -> None:
    one, other = booked(world, w.at(3), 0), booked(world, w.at(4), 1)
    assert swap_visits(one, other, keeps_therapists=True, by=world.desk_id, now=NOW).is_done
    assert [place(visit_id)[:2] for visit_id in (one, other)] == [
        (w.at(4), world.therapists[0]), (w.at(3), world.therapists[1])
    ]  # fmt: skip


def test_whoever_asked_for_a_woman_keeps_one(world: w.World) -> None:
    with transaction() as session:
        for number, gender in enumerate(("woman", "man")):
            session.get_one(Therapist, world.therapists[number]).gender = gender
    one = w.at_desk(world, somebody(), "relaxation", when=w.at(3), gender="woman").visit_id or 0
    other = booked(world, w.at(4, 14), 1)
    before = place(one), place(other)
    assert swap_visits(one, other, by=world.desk_id, now=NOW).is_done
    assert place(one)[:2] == (before[1][0], world.therapists[0])
    assert place(other) == before[0]


def test_visits_that_touch_or_overlap_change_places_too(world: w.World) -> None:
    """The claims of both are given up before either is made anew."""
    one, other = booked(world, w.at(3), 0), booked(world, w.at(3, 10, 30), 1)
    before = place(one), place(other)
    swap_visits(one, other, by=world.desk_id, now=NOW)
    assert (place(other), place(one)) == before
    for near, minutes in ((w.at(5, 11, 30), 60), (w.at(6, 11, 30), 90)):
        first, second = (
            booked(world, near - dt.timedelta(minutes=90), 0),
            booked(world, near, 0, minutes=minutes),
        )
        if minutes == 60:
            swap_visits(first, second, by=world.desk_id, now=NOW)
            assert [place(one)[0] for one in (first, second)] == [near, w.at(5)]
            continue
        with pytest.raises(SlotTaken):  # half an hour longer: the same therapist would be in two places
            swap_visits(first, second, by=world.desk_id, now=NOW)
        assert [place(one)[0] for one in (first, second)] == [w.at(6), near]


@pytest.mark.parametrize("is_named_first", [True, False])
def test_a_longer_one_that_does_not_fit_leaves_both_and_is_named(
    world: w.World, is_named_first: bool
) -> None:
    short, long = booked(world, w.at(3), 0), booked(world, w.at(4), 0, minutes=90)
    for number in range(3):
        booked(world, w.at(3, 11, 30), number)
    before = place(short), claims(short), place(long), claims(long), rows(Screening), rows(OutgoingMail)
    name = db.session.get_one(Client, row(long).client_id).name
    pair = (long, short) if is_named_first else (short, long)
    sentence = rf"the visit of {re.escape(name)} does not fit on Fri.* 12 Jun.* 10:00.*takes 2 hours"
    with pytest.raises(SlotTaken, match=sentence):
        swap_visits(*pair, by=world.desk_id, now=NOW)
    assert (
        place(short),
        claims(short),
        place(long),
        claims(long),
        rows(Screening),
        rows(OutgoingMail),
    ) == before


def test_both_are_judged_for_their_new_day(world: w.World) -> None:
    """What needs no letter in three weeks needs one in three days: neither moves, and both judgements are kept."""
    later, sooner = booked(world, w.at(21), 0, client=somebody(**OPERATED)), booked(world, w.at(3), 1)
    before, judged = (place(later), place(sooner)), rows(Screening)
    outcome = swap_visits(later, sooner, by=world.desk_id, now=NOW)
    assert (outcome.is_done, [one.permits for one in outcome.judged]) == (False, [False, True])
    assert ((place(later), place(sooner)), rows(Screening)) == (before, judged + 2)
    waiting = booked(world, w.at(4), 2, client=somebody(**OPERATED))
    assert row(waiting).status == "pending"
    assert swap_visits(waiting, later, by=world.desk_id, now=NOW).is_done is False
    fine = booked(world, w.at(22), 2)
    assert swap_visits(waiting, fine, by=world.desk_id, now=NOW).is_done
    assert (row(waiting).status, row(waiting).day) == ("confirmed", w.TODAY + dt.timedelta(days=22))


def test_rest_of_each_client_counts_on_the_new_day(app: Flask) -> None:
    world = w.build(minds_rest=True)
    client = somebody()
    booked(world, w.at(10), 0, client, "deep_tissue")
    far, near = booked(world, w.at(20), 0, client, "deep_tissue"), booked(world, w.at(11, 14), 1)
    before = place(far), place(near)
    with pytest.raises(RestNeeded, match="too soon"):
        swap_visits(far, near, by=world.desk_id, now=NOW)
    assert (place(far), place(near)) == before


def test_bad_input(world: w.World) -> None:
    one, other = booked(world, w.at(3), 0), booked(world, w.at(4), 1)
    gone = booked(world, w.at(5), 1)
    visits.cancel_visit(gone, by=world.desk_id, by_clinic=True, now=NOW)
    w.add_room_for_two(world)
    halves = Half(somebody(), w.choice("swedish")), Half(somebody(), w.choice("swedish"))
    book_couple(halves, w.at(6), request_key=None, source="desk", by=None, now=NOW)
    paired = db.session.scalars(select(Visit.id).where(Visit.couple_id.is_not(None)).limit(1)).one()
    for first, second, seen, error in (
        (one, one, None, InvalidInput),
        (one, 987_654, None, NotFound),
        (one, gone, None, MoveNotAllowed),
        (one, paired, None, MoveNotAllowed),
        (one, other, [1, 7], MoveNotAllowed),
    ):
        with pytest.raises(error):
            swap_visits(first, second, seen=seen, by=world.desk_id, now=NOW)
    with pytest.raises(TooSoon):
        swap_visits(one, other, by=world.desk_id, now=w.at(3, 11))
    assert [place(one)[0], place(other)[0]] == [w.at(3), w.at(4)]


def test_nobody_gets_a_place_in_between(app: Flask) -> None:
    """While two visits change places again and again, others try to book their hours: nobody ever gets one."""
    world = w.build(therapists=1)
    one, other = booked(world, w.at(3), 0), booked(world, w.at(4), 0)
    people = [somebody() for _one in range(3)]
    gate = threading.Barrier(4)

    def swap() -> list[str]:
        with app.app_context():
            gate.wait()
            for _round in range(6):
                assert swap_visits(one, other, by=None, now=NOW).is_done
            db.session.remove()
        return []

    def book(client: int) -> list[str]:
        got = []
        with app.app_context():
            gate.wait()
            for _round in range(6):
                try:
                    w.at_desk(world, client, "relaxation", when=w.at(3 + _round % 2))
                    got.append("booked")
                except SlotTaken:
                    pass
                finally:
                    db.session.remove()
        return got

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(swap), *(pool.submit(book, client) for client in people)]
        assert [one.result() for one in done] == [[], [], [], []]
    assert [place(one)[0], place(other)[0]] == [w.at(3), w.at(4)]


def test_the_desk_swaps_two_visits(app: Flask, world: w.World) -> None:
    desk = desk_browser(app, world)
    one, other = booked(world, w.at(3), 0), booked(world, w.at(4, 14), 1)
    address = f"/desk/visits/{one}/swap"
    assert "can be swapped with this one" in desk.get(f"{address}?day=2026-06-20").text
    page = desk.get(f"{address}?day=2026-06-13").text
    [choice] = re.findall(r'name="other" id="other-0" value="([^"]+)"', page)
    assert choice == f"{other}.{row(other).revision}"
    assert address in desk.get(f"/desk/visits/{one}").text
    for wrong, status in (("", 422), ("x.1", 422), (f"{other}.99", 409), ("987654.1", 409)):
        answer = desk.post(address, data={"other": wrong, "revision": str(row(one).revision)})
        assert answer.status_code == status, wrong
    assert "Swapped" in pressed(desk, address, other=choice, revision=str(row(one).revision))
    assert [place(one)[0], place(other)[0]] == [w.at(4, 14), w.at(3)]
    sick = booked(world, w.at(21), 2, client=somebody(**OPERATED))
    refused = desk.post(
        f"/desk/visits/{sick}/swap",
        data={"other": f"{other}.{row(other).revision}", "revision": str(row(sick).revision)},
    )
    assert (refused.status_code, "The health answers do not allow this visit" in refused.text) == (409, True)
    assert desk.get("/desk/visits/987654/swap").status_code == 404
    assert desk.post("/desk/visits/987654/swap", data={}).status_code == 404


def test_programs_swap_two_visits(app: Flask, world: w.World) -> None:
    program = Program(app.test_client(), make_token("tests", "desk", (), per_minute=0, now=NOW))
    one, other = booked(world, w.at(3), 0), booked(world, w.at(4, 14), 1)
    before = place(one), place(other)
    body = {"first": one, "second": other, "first_revision": row(one).revision}
    answer = program.post("/visits/swap", body, Idempotency_Key="swap")
    assert answer.status_code == 200, answer.get_json()
    assert [visit["id"] for visit in answer.get_json()["visits"]] == [one, other]
    assert answer.get_json()["visits"][0]["starts_at"] == "2026-06-13T14:00:00-04:00"
    assert program.post("/visits/swap", body, Idempotency_Key="swap").get_json() == answer.get_json()
    assert (place(other), place(one)) == before
    sick = booked(world, w.at(21), 2, client=somebody(**OPERATED))
    for sent, status, code in (
        (body, 409, "not_allowed"),
        ({"first": one, "second": one}, 409, "not_allowed"),
        ({"first": one, "second": 987_654}, 404, "not_found"),
        ({"first": one}, 422, "invalid"),
        ({"first": sick, "second": other}, 409, "screening_refuses"),
    ):
        wrong = program.post("/visits/swap", sent)
        assert (wrong.status_code, wrong.get_json()["code"]) == (status, code)
    assert [one["outcome"] for one in wrong.get_json()["visits"]] == ["hold_until_clearance", "allow"]


def test_two_change_places_though_one_was_asked_about_a_time_beside_the_others(world: w.World) -> None:
    """The time that was kept for their answer stood in their own way. The offer is over, and nothing is taken back."""
    one, other = booked(world, w.at(3, 9), 0), booked(world, w.at(3, 14), 1)
    places = place(one), place(other)
    sick_day.offer_time(
        one, w.at(3, 14, 30), world.therapists[0], revision=row(one).revision, by=world.desk_id, now=NOW
    )
    assert swap_visits(one, other, by=world.desk_id, now=NOW, at_desk=True).is_done
    assert (place(one)[:2], place(other)[:2]) == (places[1][:2], places[0][:2])
    assert db.session.scalars(select(Offer.ended_as)).all() == ["withdrawn"]
    assert taking_back.last_step_of(world.desk_id, NOW) is None
    told = db.session.scalars(select(OutgoingMail).where(OutgoingMail.kind == "visit_moved")).all()
    assert [mail.due_at <= NOW for mail in told] == [True, True]
