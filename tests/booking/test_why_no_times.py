"""Why there are no free times: what the desk and its programs are told, from what stands in the book."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from clinic.api.services import make_token
from clinic.booking.queries import availability, bookable
from clinic.booking.queries.why_no_times import Explained, why_no_times
from clinic.booking.services import couples, time_off
from clinic.catalogue.models import Service
from clinic.premises.models import Device, Room
from clinic.rules.why_no_times import Why
from clinic.shared.database import transaction
from clinic.therapists.models import DatedHours, Therapist
from tests import factories
from tests.booking import world
from tests.booking.desk import desk_browser
from tests.booking.test_gate_edges import HAEMOPHILIA
from tests.conftest import NOW
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")


def wish(days: int = 3, length: int = 1, **values: object) -> bookable.Wish:
    plain: dict[str, object] = {
        "service": "swedish", "minutes": 60, "mode": None, "addons": (), "areas": ("full_body",),
        "first_day": world.TODAY + dt.timedelta(days=days), "days": length, "therapist_id": None, "client_id": None,
    }  # fmt: skip
    return bookable.Wish(**{**plain, **values})  # type: ignore[arg-type]


def explain(one: bookable.Wish) -> Explained:
    """Also: the number of free starts is the number that is offered."""
    ask, _place = bookable.ask_of(one, now=NOW)
    found = why_no_times(ask)
    opening = availability.look(ask)
    assert found.free == len(opening.starts())
    return found


def said(found: Explained) -> dict[str, tuple[int, int]]:
    return {one.sentence: (one.starts, one.alone) for one in found.reasons}


def test_each_thing_in_the_book_is_named(app: Flask) -> None:
    here = world.build(therapists=2)
    ana, ben = here.therapists
    client = world.person()
    world.sign(client)
    assert world.at_desk(here, client, "swedish", when=world.at(3, 10), therapist_id=ana).visit_id
    time_off.add_time_off(ben, "off", world.at(3, 0), world.at(4, 0), "at the sea", by=here.desk_id, now=NOW)
    found = explain(wish())
    assert said(found) == {
        "Terry 1 is off.": (11, 11),
        "Terry 0 is taken by another visit.": (11, 11),
    }
    assert "sea" not in str(found)
    for_ana = explain(wish(therapist_id=ana))
    assert said(for_ana) == {"Terry 0 is taken by another visit.": (11, 11)}
    for_client = explain(wish(client_id=client))
    assert (
        "The client has another visit, or a time that is kept for them, at 10:00 am on Friday 12 June 2026."
        in said(for_client)
    )


def test_the_room_that_two_people_share_is_taken(app: Flask) -> None:
    """A closure of it in the same hour stands in the way of nothing by itself: without it no time more is free."""
    here = world.build(therapists=3, skills=["swedish"])
    with transaction() as session:
        rooms = session.scalars(select(Room).where(Room.room_kind == "treatment").order_by(Room.id)).all()
        for room in rooms:
            room.is_active, room.tables = room is rooms[0], 2
        only = rooms[0].id
    two = world.person(), world.person()
    for one in two:
        world.sign(one)
    halves = couples.Half(two[0], world.choice("swedish")), couples.Half(two[1], world.choice("swedish"))
    booked = couples.book_couple(
        halves, world.at(3, 10), request_key=None, source="desk", by=here.desk_id, now=NOW
    )
    assert booked.couple_id is not None
    closure = time_off.add_closure(
        here.place_id, only, world.at(3, 10), world.at(3, 11), "painting", by=here.desk_id, now=NOW
    )
    found = explain(wish())
    shut = [one for one in found.reasons if one.why == Why.SHUT]
    taken = [one for one in found.reasons if one.why == Why.TAKEN]
    assert [one.alone for one in shut] == [0]
    assert sum(one.starts for one in taken) > 0
    time_off.remove_closure(closure, by=here.desk_id, now=NOW)
    assert explain(wish()).free == found.free


def test_bounds_closures_licence_and_devices_are_named(app: Flask) -> None:
    here = world.build(therapists=1)
    (ana,) = here.therapists
    with transaction() as session:
        session.get_one(Therapist, ana).licence_expires_on = world.TODAY + dt.timedelta(days=4)
        for device in session.query(Device).where(Device.device_kind == "stone_heater"):
            device.is_active = False
    time_off.add_closure(
        here.place_id, None, world.at(3, 0), world.at(4, 0), "Public holiday", by=here.desk_id, now=NOW
    )
    assert said(explain(wish())) == {"Closed on Friday 12 June 2026: Public holiday.": (44, 44)}
    assert said(explain(wish(5))) == {"The licence of Terry 0 ends on Saturday 13 June 2026.": (44, 44)}
    with transaction() as session:
        ana_row = session.get_one(Therapist, ana)
        ana_row.licence_expires_on = world.TODAY + dt.timedelta(days=400)
        for row in ana_row.skill_rows:
            row.ends_on = world.TODAY + dt.timedelta(days=4)
    assert said(explain(wish(5, addons=("hot_stone",))))[
        "Terry 0 may give this only until Saturday 13 June 2026."
    ]
    # On a date with hours of its own, which do not fit, it is these that are named beside the licence.
    own_day = world.TODAY + dt.timedelta(days=6)
    own = DatedHours(
        therapist_id=ana, location_id=here.place_id, day=own_day, starts=dt.time(9), ends=dt.time(10, 30)
    )
    factories.save(own)
    with transaction() as session:
        session.get_one(Therapist, ana).licence_expires_on = world.TODAY + dt.timedelta(days=4)
    assert (
        said(explain(wish(6)))["It does not fit into the working hours of Terry 0, or runs into a break."][0]
        > 0
    )
    today = explain(wish(0))
    assert said(today) == {"Lead time: online this is booked at least 1 hour ahead.": (4, 4)}
    assert (today.starts, today.free) == (40, 36)
    hot = explain(wish(4, addons=("hot_stone",)))
    assert said(hot)["There is no stone heater in use here."] == (hot.starts, hot.starts)
    far = explain(wish(61))
    assert "Too far ahead: online this is booked up to 60 days ahead." in said(far)
    with transaction() as session:
        session.execute(update(Service).where(Service.key == "swedish").values(known_clients_only=True))
    assert said(explain(wish(0))) == {
        "Online this is only for clients who have been here before.": (40, 36),
        "Lead time: online this is booked at least 1 hour ahead.": (4, 0),
    }


def test_the_number_of_statements_does_not_grow(app: Flask) -> None:
    here = world.build(therapists=3)
    client = world.person()
    world.sign(client)
    with counted() as few:
        why_no_times(bookable.ask_of(wish(), now=NOW)[0])
    for day in range(4, 8):
        assert world.at_desk(here, client, "swedish", when=world.at(day)).visit_id
        time_off.add_time_off(
            here.therapists[0], "off", world.at(day, 12), world.at(day, 13), "", by=here.desk_id, now=NOW
        )
    with counted() as many:
        why_no_times(bookable.ask_of(wish(length=30), now=NOW)[0])
    assert len(many) == len(few) <= 22


def test_the_desk_sees_the_reasons_under_its_times(app: Flask) -> None:
    here = world.build(therapists=1)
    time_off.add_time_off(
        here.therapists[0], "off", world.at(3, 0), world.at(4, 0), "ill", by=here.desk_id, now=NOW
    )
    client = desk_browser(app, here)
    day = (world.TODAY + dt.timedelta(days=3)).isoformat()
    page = client.get(f"/desk/visits/new?what=swedish||60&day={day}").get_data(as_text=True)
    assert "No free time on this day." in page
    assert "Terry 0 is off." in page
    assert "ill" not in page.partition("Terry 0 is off.")[2][:200]
    free = "/desk/visits/new?what=swedish||60&day=2026-06-15"
    assert "Nothing stands in the way." not in client.get(free).get_data(as_text=True)
    assert "Nothing stands in the way." in client.get(f"{free}&why=1").get_data(as_text=True)
    client_id = world.person()
    world.sign(client_id)
    visit_id = world.at_desk(here, client_id, "swedish", when=world.at(4)).visit_id
    late = client.post(
        f"/desk/visits/{visit_id}/change",
        data={"what": "swedish||60", "areas": "full_body", "day": "2026-06-13", "at": "19:30"},
    ).get_data(as_text=True)
    assert "The time you asked for does not fit" in late
    assert "This time has passed, or lies outside the opening hours." in late
    at_ten = client.get("/desk/visits/new?what=swedish||60&day=2026-06-13&at=10:30").get_data(as_text=True)
    assert "Why this time is not free" in at_ten
    assert "Terry 0 is taken by another visit." in at_ten


def test_a_program_of_the_desk_is_told_and_a_web_site_is_not(app: Flask) -> None:
    here = world.build(therapists=1)
    time_off.add_time_off(
        here.therapists[0], "off", world.at(3, 0), world.at(4, 0), "ill", by=here.desk_id, now=NOW
    )
    query = {"service": "swedish", "minutes": 60, "from": "2026-06-12", "days": 1}

    def ask(role: str, *scopes: str, **more: object) -> TestResponse:
        key = make_token("tests", role, scopes, per_minute=0, now=NOW)
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().get(
            "/api/v1/availability/reasons", query_string=query | more, headers=headers
        )

    off = {
        "reason": "off",
        "about": here.therapists[0],
        "sentence": "Terry 0 is off.",
        "starts": 44,
        "alone": 44,
    }
    assert ask("desk").get_json() == {
        "zone": world.ZONE, "starts": 44, "free": 0, "reasons": [off], "closed_days": [],
    }  # fmt: skip
    assert ask("site").status_code == 403
    assert ask("desk", "visits:read", client=1).get_json()["code"] == "forbidden"
    assert ask("desk", service="nothing").get_json()["code"] == "invalid"
    assert ask("desk", client=999).status_code == 404
    barred = world.person()
    world.sign(barred, bleeding_disorder=HAEMOPHILIA)
    vacuum = {"service": "decompression_vacuum", "minutes": 45, "from": "2026-06-13", "client": barred}
    found = ask("desk", **vacuum).get_json()
    assert (found["free"], [one["reason"] for one in found["reasons"]]) == (0, ["refused"])
    assert "bleed" not in str(found)
