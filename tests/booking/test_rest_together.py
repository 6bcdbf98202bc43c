"""Too little rest is passed with a reason in series, couples and swaps as in a single booking, and by nobody else."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import RestPass, Series, Visit
from clinic.booking.services.couple_changes import move_couple
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.resting import RestSaid, RestShort
from clinic.booking.services.swapping import swap_visits
from clinic.shared.database import db
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_couple_pages import order as couple_order
from tests.booking.test_series import rows, somebody
from tests.booking.test_series_pages import order as series_order
from tests.booking.test_series_pages import picks
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
WHY = "Agreed with the therapist"


@pytest.fixture
def world(app: Flask) -> w.World:
    made = w.build(minds_rest=True)
    w.add_room_for_two(made)
    return made


def passes() -> list[tuple[dt.datetime, str | None]]:
    db.session.rollback()
    return [
        (one.starts_at, one.reason)
        for one in db.session.scalars(select(RestPass).order_by(RestPass.starts_at))
    ]


def seen_in(page: str) -> str:
    found = re.search(r'name="rest_seen" value="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def test_in_a_series_where_it_is_chosen_and_said_why(app: Flask, world: w.World) -> None:
    """Every week is an hour short of a week of rest: the second visit, and then the third, come too soon."""
    desk, client = desk_browser(app, world), somebody()
    address = f"/clients/{client}/series/new"
    sent = series_order(what="decompression_vacuum||45", areas=["lower_back"], every="1", count="3")
    page = desk.post(address, data=sent)
    assert "2 of 3 fit." in page.text
    assert "sooner than advised" in page.text
    offered = re.findall(r'name="date-1" id="[^"]+" value="([^"]+)"', page.text)[0]
    chosen = {**sent, **picks(page.text), "date-1": offered, "book": "1"}
    short = desk.post(address, data={**chosen, "rest_reason": "x"})
    assert (short.status_code, rows(Series)) == (422, 0)
    assert desk.post(address, data={**chosen, "date-1": offered.rpartition("|")[0] + "|made-up",
                                    "rest_reason": WHY}).status_code == 409  # fmt: skip
    third = desk.post(address, data={**chosen, "rest_reason": WHY})
    assert third.status_code == 409, "with the second one, the third comes too soon as well"
    last = re.findall(r'name="date-2" id="[^"]+" value="([^"]+)"', third.text)[0]
    again = {**sent, **picks(third.text), "date-2": last, "book": "1", "rest_reason": WHY}
    assert again["date-1"] == offered, "what was passed stays chosen"
    assert desk.post(address, data=again).status_code == 303
    assert passes() == [(w.at(10), WHY), (w.at(17), WHY)]
    visits = db.session.scalars(select(Visit).order_by(Visit.starts_at)).all()
    assert [(one.status, one.starts_at) for one in visits] == [
        ("confirmed", w.at(days)) for days in (3, 10, 17)
    ]
    assert "passed by" in desk.get(f"/desk/visits/{visits[1].id}").text
    sealed = db.session.scalars(select(RestPass.reason_sealed)).all()
    assert not any(WHY.encode() in one for one in sealed if one)


def test_for_two_when_booked_and_when_moved(app: Flask, world: w.World) -> None:
    desk, one, other = desk_browser(app, world), somebody(), somebody()
    w.at_desk(world, one, "deep_tissue", when=w.at(2))
    w.at_desk(world, other, "deep_tissue", when=w.at(20))
    name = db.session.get_one(Visit, rows_of(one)[0]).client
    assert name is not None
    whole = name.name
    address = f"/clients/{one}/couple/new"
    what = {"one-what": "deep_tissue||60", "two-what": "deep_tissue||60",
            "one-areas": ["full_body"], "two-areas": ["full_body"]}  # fmt: skip
    sent = couple_order(other, **what, start=w.at(3).isoformat())
    page = desk.post(address, data=sent)
    assert (page.status_code, rows(Visit)) == (409, 2)
    assert f'<strong dir="auto">{whole}</strong>' in page.text
    said = {**sent, "rest_seen": seen_in(page.text), "rest_reason": "x"}
    assert desk.post(address, data=said).status_code == 409, "too short a reason"
    answer = desk.post(address, data={**said, "rest_reason": WHY})
    assert answer.status_code == 303
    assert passes() == [(w.at(3), WHY)], "only for the one who comes too soon"
    pair = db.session.scalars(select(Visit).where(Visit.couple_id.is_not(None)).order_by(Visit.id)).all()
    move = {"start": w.at(19, 12).isoformat(), "revision": [str(v.revision) for v in pair]}
    asked = desk.post(f"{answer.location}/move", data=move)
    assert asked.status_code == 409
    moved = desk.post(
        f"{answer.location}/move", data={**move, "rest_seen": seen_in(asked.text), "rest_reason": WHY}
    )
    assert moved.status_code == 303
    assert passes() == [(w.at(3), WHY), (w.at(19, 12), WHY)]


def rows_of(client_id: int) -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit.id).where(Visit.client_id == client_id)))


def test_in_a_swap(app: Flask, world: w.World) -> None:
    desk, client = desk_browser(app, world), somebody()
    ana, ben, _cleo = world.therapists
    w.at_desk(world, client, "deep_tissue", when=w.at(10), therapist_id=ana)
    far = w.at_desk(world, client, "deep_tissue", when=w.at(20), therapist_id=ana).visit_id
    near = w.at_desk(world, somebody(), "deep_tissue", when=w.at(11, 14), therapist_id=ben).visit_id
    assert far is not None
    assert near is not None
    address = f"/desk/visits/{far}/swap?day=2026-06-20"
    sent = {"other": f"{near}.{db.session.get_one(Visit, near).revision}",
            "revision": str(db.session.get_one(Visit, far).revision)}  # fmt: skip
    db.session.rollback()
    page = desk.post(address, data=sent)
    assert page.status_code == 409
    assert "Swap them all the same" in page.text
    said = {**sent, "rest_seen": seen_in(page.text), "rest_reason": WHY}
    assert desk.post(address, data={**said, "rest_seen": "made-up"}).status_code == 409
    assert passes() == []
    assert desk.post(address, data=said).status_code == 303
    assert passes() == [(w.at(11, 14), WHY)]


def test_programs_pass_it_with_a_reason_alone(world: w.World) -> None:
    """The services as the JSON API calls them: without a reason all of it is refused."""
    one, other = somebody(), somebody()
    w.at_desk(world, one, "deep_tissue", when=w.at(2))
    halves = Half(one, w.choice("deep_tissue")), Half(other, w.choice("deep_tissue"))
    said = RestSaid(reason=WHY, books_anyway=True)
    with pytest.raises(RestShort):
        book_couple(halves, w.at(3), request_key=None, source="api", by=None, now=NOW, reconfirmed=True)
    couple = book_couple(
        halves, w.at(3), request_key=None, source="api", by=None, now=NOW, reconfirmed=True, rest=said
    ).couple_id
    assert couple is not None
    with pytest.raises(RestShort):
        move_couple(couple, w.at(3, 14), by=None, now=NOW)
    assert move_couple(couple, w.at(3, 14), by=None, now=NOW, rest=said).couple_id == couple
    far = w.at_desk(world, one, "deep_tissue", when=w.at(30)).visit_id
    near = w.at_desk(world, somebody(), "deep_tissue", when=w.at(4)).visit_id
    assert far is not None
    assert near is not None
    with pytest.raises(RestShort):
        swap_visits(far, near, by=None, now=NOW)
    assert swap_visits(far, near, by=None, now=NOW, rest=said).is_done
    assert [why for _at, why in passes()] == [WHY, WHY, WHY]
