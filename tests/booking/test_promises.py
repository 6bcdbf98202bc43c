"""What a program was told holds: the kept time, the nearest times, the alternatives of a series, the rules for two."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from clinic.accounts.models import User
from clinic.api.services import make_token
from clinic.booking.models import Visit
from clinic.booking.queries import in_the_way
from clinic.booking.services import deadlines, time_off
from clinic.premises.models import Clinic, Location, Room
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.api.conftest import Program
from tests.booking import world as w
from tests.booking.test_offered_is_booked import DAY, a_team, at, book
from tests.booking.world import healthy
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
_keys = itertools.count(1)
NINE, TEN = dt.time(9), dt.time(10)


@pytest.fixture
def team(app: Flask) -> list[int]:
    return a_team()


@pytest.fixture
def program(app: Flask, team: list[int]) -> Program:
    return Program(app.test_client(), make_token("tests", "desk", (), per_minute=0, now=NOW))


def wish(client: int, start: dt.time, day: dt.date = DAY, **more: Any) -> dict[str, Any]:
    return {
        "service": "swedish", "minutes": 60, "areas": ["upper_back"], "client": client,
        "starts_at": at(start, day).isoformat(), **more,
    }  # fmt: skip


def two(*clients: int) -> list[dict[str, Any]]:
    return [{"client": one, "service": "swedish", "minutes": 60, "areas": ["upper_back"]} for one in clients]


def post(program: Program, path: str, body: dict[str, Any]) -> Any:
    return program.post(path, body, Idempotency_Key=f"k{next(_keys)}")


def offered(program: Program, **query: Any) -> list[str]:
    """Hours and minutes of the free starts of the day."""
    asked = {"service": "swedish", "minutes": 60, "from": DAY.isoformat(), **query}
    return [one["starts_at"][11:16] for one in program.get("/availability", **asked).get_json()["starts"]]


def desk_user() -> int:
    user: User = factories.make_user(email=f"d{next(_keys)}@clinic.example", roles=[])
    return user.id


# ── a kept time ──────────────────────────────────────────────────────────────────────────────────────────


def test_who_was_told_is_who_comes(program: Program, team: list[int]) -> None:
    """Also where somebody else would be the better choice by now."""
    client = healthy()
    held = post(program, "/holds", wish(client, NINE)).json
    assert book(healthy(), at(dt.time(12, 30)), therapist=held["therapist"])
    made = post(program, "/visits", wish(client, NINE, hold=held["id"]))
    assert made.status_code == 201
    assert (made.json["therapist"], made.json["room"]) == (held["therapist"], held["room"])


def test_who_was_told_and_is_not_here_any_more_is_replaced(program: Program, team: list[int]) -> None:
    client = healthy()
    held = post(program, "/holds", wish(client, NINE)).json
    with transaction() as session:
        session.get_one(Therapist, held["therapist"]).is_active = False
    made = post(program, "/visits", wish(client, NINE, hold=held["id"]))
    assert made.status_code == 201
    assert made.json["therapist"] != held["therapist"]


def test_a_kept_time_outlasts_other_steps(program: Program, team: list[int]) -> None:
    client = healthy()
    held = post(program, "/holds", wish(client, dt.time(9, 30))).json
    with transaction() as session:
        session.execute(update(Clinic).values(slot_step_minutes=60))
    assert "09:30" not in offered(program, client=healthy())
    assert post(program, "/visits", wish(client, dt.time(9, 30), hold=held["id"])).status_code == 201


def test_a_time_kept_with_one_opens_no_other_ones(program: Program, team: list[int]) -> None:
    """The notice has passed meanwhile: only what was kept may still be booked."""
    ana, ben = team
    client, late = healthy(), NOW + dt.timedelta(minutes=45)
    with transaction() as session:
        session.execute(update(Clinic).values(hold_minutes=60, hold_max_minutes=60))
    kept = wish(client, dt.time(10, 30), w.TODAY, therapist=ana)
    held = post(program, "/holds", kept).json
    with time_machine.travel(late, tick=False):
        other = post(program, "/visits", {**kept, "therapist": ben, "hold": held["id"]})
        assert other.status_code == 409
        assert post(program, "/visits", {**kept, "hold": held["id"]}).status_code == 201


def test_a_kept_time_opens_no_longer_visit_and_none_for_another_person(
    program: Program, team: list[int]
) -> None:
    """What keeping it settled, the notice and that it leaves no hole, was settled for this length and person."""
    factories.make_service(key="sports", prices={60: 6000, 90: 9000}, first_visit_minutes=0)
    client, late = healthy(), NOW + dt.timedelta(minutes=45)
    with transaction() as session:
        session.execute(update(Clinic).values(hold_minutes=60, hold_max_minutes=60))
    kept = wish(client, dt.time(10, 30), w.TODAY)
    held = post(program, "/holds", kept).json["id"]
    with time_machine.travel(late, tick=False):
        for other in ({"service": "sports", "minutes": 90}, {"client": healthy()}):
            answer = post(program, "/visits", {**kept, **other, "hold": held})
            assert (answer.status_code, answer.json["code"]) == (409, "too_late")
        safe = post(program, "/visits", {**kept, "service": "sports", "hold": held})
        assert safe.status_code == 201, "what is safe instead, as long, may still be booked"


def test_the_times_named_when_a_kept_one_does_not_fit_are_offered(program: Program, team: list[int]) -> None:
    client = healthy()
    assert book(client, at(TEN), therapist=team[0])
    refused = post(program, "/holds", wish(client, TEN, therapist=team[1]))
    assert refused.status_code == 409
    free = offered(program, client=client, therapist=team[1])
    assert {one["starts_at"][11:16] for one in refused.json["nearest"]} <= set(free)


@pytest.mark.parametrize("block", ["time off", "closure"])
def test_what_is_closed_under_a_kept_time_is_free_at_no_moment(
    program: Program, team: list[int], block: str
) -> None:
    """Not when it has run out and nobody has given it back yet; and once it is given back the block has it."""
    ana, desk = team[0], desk_user()
    client, other = healthy(), healthy()
    held = post(program, "/holds", wish(client, NINE, therapist=ana)).json
    if block == "time off":
        time_off.add_time_off(ana, "off", at(dt.time(8)), at(dt.time(14, 30)), "Flood", by=desk, now=NOW)
    else:
        place = db.session.scalars(select(Location.id)).one()
        time_off.add_closure(place, None, at(dt.time(8)), at(dt.time(14, 30)), "Flood", by=desk, now=NOW)
    assert post(program, f"/holds/{held['id']}/renew", {}).status_code == 200, "it goes on while it is kept"
    later = NOW + dt.timedelta(minutes=50)
    with time_machine.travel(later, tick=False):
        assert offered(program, client=other, therapist=ana) == []
        assert post(program, "/visits", wish(other, NINE, therapist=ana)).status_code == 409
        deadlines.keep_deadlines(later)
        db.session.rollback()
        assert db.session.get_one(Visit, held["id"]).status == "released"
        assert offered(program, client=other, therapist=ana) == []


@pytest.mark.parametrize("block", ["time off", "a whole day off", "closure"])
def test_what_was_kept_before_time_off_is_booked_until_the_hold_ends(
    program: Program, team: list[int], block: str
) -> None:
    """And nothing else is: not by anybody else, not for longer, not after the hold. It is work to do, as what was
    booked before is."""
    ana, ben = team
    client, other = healthy(), healthy()
    held = post(program, "/holds", wish(client, NINE, therapist=ana)).json["id"]
    day = at(NINE).date()
    if block == "closure":
        place = db.session.scalars(select(Location.id)).one()
        time_off.add_closure(place, None, at(dt.time(8)), at(dt.time(18)), "Flood", by=desk_user(), now=NOW)
    else:
        days = (day, day) if block == "a whole day off" else None
        for one in team:
            time_off.add_time_off(one, "off", at(dt.time()), at(dt.time(18)), "", by=None, now=NOW, days=days)
    assert post(program, f"/holds/{held}/renew", {}).status_code == 200
    factories.make_service(key="sports", prices={90: 9000}, first_visit_minutes=0)
    longer = {**wish(client, NINE, therapist=ana), "service": "sports", "minutes": 90, "hold": held}
    assert post(program, "/visits", longer).status_code == 409
    assert post(program, "/visits", wish(other, NINE, therapist=ana)).status_code == 409
    assert post(program, "/visits", wish(client, NINE, therapist=ben) | {"hold": held}).status_code == 409
    booked = post(program, "/visits", wish(client, NINE, therapist=ana) | {"hold": held})
    assert (booked.status_code, booked.json["therapist"]) == (201, ana)
    assert [one.id for one in in_the_way.visits_under(NOW)] == [booked.json["id"]]
    for hour in (8, 10, 12):
        assert post(program, "/visits", wish(other, dt.time(hour), therapist=ana)).status_code == 409
    post(program, f"/visits/{booked.json['id']}/cancel", {})
    assert post(program, "/visits", wish(other, NINE, therapist=ana)).status_code == 409, (
        "it is blocked again"
    )


def test_a_hold_that_is_over_books_nothing_under_time_off(program: Program, team: list[int]) -> None:
    client, ana = healthy(), team[0]
    held = post(program, "/holds", wish(client, NINE, therapist=ana)).json["id"]
    time_off.add_time_off(ana, "off", at(dt.time(8)), at(dt.time(18)), "", by=None, now=NOW)
    with time_machine.travel(NOW + dt.timedelta(minutes=50), tick=False):
        answer = post(program, "/visits", wish(client, NINE, therapist=ana) | {"hold": held})
        assert answer.status_code == 409


def test_a_kept_time_is_no_visit(program: Program, team: list[int]) -> None:
    """Nobody's is not there at all; somebody's is read, and given back as what it is."""
    nobodys = post(program, "/holds", {k: v for k, v in wish(0, NINE).items() if k != "client"}).json["id"]
    somebodys = post(program, "/holds", wish(healthy(), NINE)).json["id"]
    assert [program.get(f"/visits/{one}").status_code for one in (nobodys, somebodys)] == [404, 200]
    for one in (nobodys, somebodys):
        answer = post(program, f"/visits/{one}/cancel", {})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        db.session.rollback()
        assert db.session.get_one(Visit, one).status == "held"
        assert post(program, f"/holds/{one}/release", {}).status_code == 200


# ── other times that are named ───────────────────────────────────────────────────────────────────────────


def test_the_nearest_times_are_long_enough_for_a_first_visit(program: Program, team: list[int]) -> None:
    """Before the person's first visit another one would be the first: it takes half an hour longer."""
    ana, ben = team
    client = healthy()
    assert book(client, at(dt.time(10, 30)), therapist=ana)
    time_off.add_time_off(
        ben, "off", at(dt.time(10, 15)), at(dt.time(14, 30)), "", by=desk_user(), now=NOW
    )  # an hour and a quarter is free from nine
    assert book(healthy(), at(dt.time(12, 30)), therapist=ana)
    taken = post(program, "/visits", wish(client, dt.time(12, 30)))
    assert (taken.status_code, taken.json["code"]) == (409, "slot_taken")
    for one in taken.json["nearest"]:
        assert (
            post(program, "/visits", {**wish(client, NINE), "starts_at": one["starts_at"]}).status_code == 201
        )


def test_alternatives_of_the_first_of_a_series_are_first_visits(program: Program, team: list[int]) -> None:
    for therapist in team:
        for away in range(-3, 4):
            day = DAY + dt.timedelta(days=away)
            if day >= w.TODAY:
                time_off.add_time_off(
                    therapist, "off", at(dt.time(10, 15), day), at(dt.time(14, 30), day), "", by=desk_user(), now=NOW
                )  # fmt: skip
    asked = wish(healthy(), TEN, every_weeks=1)
    plan = post(program, "/series/plan", {**asked, "count": 3}).json["starts"]
    assert [one["fits"] for one in plan] == [False, True, True]
    assert plan[0]["alternatives"] == [], "an hour and a quarter is too short for ninety minutes"


def test_alternatives_around_ones_first_visit_take_as_long_as_each_would(
    program: Program, team: list[int]
) -> None:
    client, desk = healthy(), desk_user()
    assert book(client, at(NINE), therapist=team[0])
    for therapist in team:
        time_off.add_time_off(
            therapist, "off", at(dt.time(12, 30)), at(dt.time(14, 30)), "", by=desk, now=NOW
        )
        for away in (-2, -1, 1, 2, 3):
            day = DAY + dt.timedelta(days=away)
            since = dt.time(10, 15) if away < 0 else NINE
            time_off.add_time_off(
                therapist, "off", at(since, day), at(dt.time(14, 30), day), "", by=desk, now=NOW
            )
    asked = wish(client, dt.time(13), every_weeks=1)
    plan = post(program, "/series/plan", {**asked, "count": 2}).json["starts"]
    assert [one["fits"] for one in plan] == [False, True]
    for one in plan[0]["alternatives"]:
        starts = [{"starts_at": one["starts_at"]}, {"starts_at": plan[1]["starts_at"]}]
        body = {key: value for key, value in asked.items() if key != "starts_at"}
        made = post(program, "/series", {**body, "starts": starts, "rest_reason": "they asked for it"})
        assert made.status_code in (201, 202), made.text
        post(program, f"/series/{made.json['id']}/cancel", {"by_clinic": True})


def test_where_a_place_is_not_used_any_more_no_time_is_offered_to_move_to(
    program: Program, team: list[int]
) -> None:
    visit = book(healthy(), at(NINE))
    with transaction() as session:
        session.execute(update(Location).values(is_active=False))
    query = {"service": "swedish", "minutes": 60, "visit": visit, "from": DAY.isoformat()}
    assert program.get("/availability", **query).status_code == 404


# ── two people, two visits ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "day"), [(dt.time(9, 35), DAY), (TEN, w.TODAY + dt.timedelta(1)), (NINE, w.TODAY + dt.timedelta(9))]
)  # fmt: skip
def test_two_are_moved_to_what_they_could_book(
    program: Program, team: list[int], start: dt.time, day: dt.date
) -> None:
    with transaction() as session:
        session.execute(update(Room).values(tables=2))
        session.execute(update(Clinic).values(lead_time_minutes=2 * 1440, horizon_days=5))
    made = post(program, "/couples", {"people": two(healthy(), healthy()), "starts_at": at(NINE).isoformat()})
    assert made.status_code == 201
    to = {"starts_at": at(start, day).isoformat(), "rest_reason": "agreed with them"}
    assert post(program, f"/couples/{made.json['id']}/move", to).status_code in (409, 422)
    new = {"people": two(healthy(), healthy()), "starts_at": to["starts_at"]}
    assert post(program, "/couples", new).status_code in (409, 422)
    stays = post(program, f"/couples/{made.json['id']}/move", {**to, "starts_at": at(NINE).isoformat()})
    assert stays.status_code == 200
    good = post(
        program, f"/couples/{made.json['id']}/move", {**to, "starts_at": at(dt.time(12, 30)).isoformat()}
    )
    assert good.status_code == 200


def test_two_leave_no_hole_either_where_nobody_may(program: Program, team: list[int]) -> None:
    with transaction() as session:
        session.execute(update(Room).values(tables=2))
        session.execute(update(Clinic).values(gaps="only"))
    for_one = set(offered(program, client=healthy()))
    people = two(healthy(), healthy())
    found = post(program, "/couples/times", {"people": people, "from": DAY.isoformat(), "days": 1}).json[
        "starts"
    ]
    times = [one["starts_at"] for one in found]
    assert times
    assert {one[11:16] for one in times} <= for_one
    hole = post(program, "/couples", {"people": people, "starts_at": at(dt.time(9, 30)).isoformat()})
    assert (hole.status_code, hole.json["code"]) == (409, "slot_taken")
    assert post(program, "/couples", {"people": people, "starts_at": times[0]}).status_code == 201


def test_who_gives_one_visit_a_day_may_exchange_it_for_another(program: Program, team: list[int]) -> None:
    ana, ben = team
    desk = desk_user()
    first = post(program, "/visits", wish(healthy(), NINE, therapist=ana)).json["id"]
    second = post(program, "/visits", wish(healthy(), dt.time(12, 30), therapist=ben)).json["id"]
    time_off.add_time_off(ana, "off", at(dt.time(12)), at(dt.time(14, 30)), "Flood", by=desk, now=NOW)
    time_off.add_time_off(ben, "off", at(NINE), at(dt.time(12)), "", by=desk, now=NOW)
    with transaction() as session:
        session.execute(update(Therapist).values(most_visits_a_day=1))
    assert post(program, "/visits/swap", {"first": first, "second": second}).status_code == 200
    db.session.rollback()
    rows = [db.session.get_one(Visit, one) for one in (first, second)]
    assert [(one.therapist_id, one.starts_at) for one in rows] == [
        (ben, at(dt.time(12, 30))),
        (ana, at(NINE)),
    ]


@pytest.mark.parametrize("is_shut", [False, True])
def test_who_goes_on_alone_keeps_the_room_as_long_as_they_need_it(
    program: Program, team: list[int], is_shut: bool
) -> None:
    """What the longer one of the two would have needed is free again, or shut, where the room is."""
    factories.make_service(key="sports", prices={30: 3000, 120: 9000})
    with transaction() as session:
        first, second = session.scalars(select(Room).order_by(Room.id))
        first.tables, second.is_active = 2, False
        room, place = first.id, first.location_id
    people = [{**one, "service": "sports"} for one in two(healthy(), healthy())]
    people[0]["minutes"], people[1]["minutes"] = 30, 120
    made = post(program, "/couples", {"people": people, "starts_at": at(NINE).isoformat()}).json
    if is_shut:
        time_off.add_closure(place, room, at(TEN), at(dt.time(12)), "Repairs", by=desk_user(), now=NOW)
    short, long = (one["id"] for one in made["visits"])
    assert post(program, f"/visits/{long}/cancel", {"by_clinic": True}).status_code == 200
    free = offered(program, service="sports", minutes=30)
    assert ("10:00" in free, "09:00" in free, "12:00" in free) == (not is_shut, False, False)
    other = {**wish(healthy(), TEN), "service": "sports", "minutes": 30}
    assert post(program, "/visits", other).status_code == (409 if is_shut else 201)
    db.session.rollback()
    assert db.session.get_one(Visit, short).status == "suspended", "it waits for whether they come alone"
