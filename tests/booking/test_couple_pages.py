"""The desk books two people at once, moves both, and parts them; what each page says and never says."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.booking.models import Couple, Visit
from clinic.booking.services import visits
from clinic.booking.services.couple_changes import move_couple
from clinic.clients.models import Client
from clinic.shared.database import db
from tests.booking import world as w
from tests.booking.test_couples import CONFIRMED, SUSPENDED, both, build, pair, states
from tests.booking.test_series import BLEEDS, rows, somebody
from tests.booking.test_series_pages import pressed
from tests.conftest import NOW
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    return build()


def order(other: int | str, **values: Any) -> dict[str, Any]:
    return {
        "other": str(other), "one-what": "relaxation||60", "two-what": "swedish||60", "one-therapist": "",
        "two-therapist": "", "day": "2026-06-12", "request_key": f"c-{w.new_number()}", **values,
    }  # fmt: skip


def starts(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'name="start" value="([^"]+)"', page)]


def focused(page: str) -> list[str]:
    """What of the form has the focus when the page comes."""
    return re.findall(r'<(?:input|select|button)\b(?=[^>]*\bautofocus\b)[^>]*\b(?:id|name)="([^"]+)"', page)


def test_times_for_both_are_shown_and_pressing_one_books_both(desk: FlaskClient) -> None:
    one, other = somebody(), somebody()
    address = f"/clients/{one}/couple/new"
    name = db.session.get_one(Client, other).last_name
    found = desk.post(address, data={"q": name, "day": "2026-06-12"})
    assert (found.status_code, f'value="{other}" checked' in found.text) == (200, True)
    page = desk.post(address, data=order(other)).text
    assert starts(page)[:2] == [w.at(3, 8).isoformat(), w.at(3, 8, 15).isoformat()]
    sent = order(other, start=w.at(3).isoformat())
    answer = desk.post(address, data=sent)
    assert answer.status_code == 303
    assert desk.post(address, data=sent).location == answer.location, "a double click"
    assert (rows(Couple), rows(Visit)) == (1, 2)
    shown = desk.get(answer.location).text
    assert "Visit for two" in shown
    assert "Both are in the book." in shown
    couple = int(answer.location.rpartition("/")[2])
    assert states(couple) == [CONFIRMED, CONFIRMED]
    first, second = (visit.id for visit in pair(couple))
    card = desk.get(f"/desk/visits/{first}").text
    assert name in card
    assert answer.location in card
    assert f"/desk/visits/{first}/change" not in card
    for end in ("change", "move?day=2026-06-12&at=10:00"):
        on = desk.get(f"/desk/visits/{first}/{end}").location
        assert on == f"{answer.location}?day=2026-06-12", "to where both are moved"
    assert "both are moved together" in desk.get(on).text
    assert desk.get(f"/desk/visits/{first}/cancel").location == f"{answer.location}#cancel"
    near = desk.get(f"{answer.location}?day=2026-06-12").text
    assert w.at(3, 10, 15).isoformat() in starts(near)
    assert w.at(3).isoformat() not in starts(near), "the time that they have"
    assert focused(near) == ["start"]
    revisions = [visit.revision for visit in pair(couple)]
    moved = desk.post(
        f"{answer.location}/move", data={"start": w.at(3, 10, 15).isoformat(), "revision": revisions}
    )
    assert moved.status_code == 303
    assert {visit.starts_at for visit in pair(couple)} == {w.at(3, 10, 15)}
    for data, status in (({"start": "soon"}, 422), ({"start": w.at(4).isoformat(), "revision": [1, 1]}, 409)):
        assert desk.post(f"{answer.location}/move", data=data).status_code == status
    assert "goes on alone" in pressed(desk, f"{answer.location}/cancel", visit=str(second), sure="1")
    assert [status for status, _waits in states(couple)] == ["confirmed", "cancelled"]


def test_the_desk_is_told_that_a_visit_of_two_waits(desk: FlaskClient) -> None:
    one, other = somebody(), w.person()
    sent = order(other, start=w.at(3).isoformat())
    answer = desk.post(f"/clients/{one}/couple/new", data=sent)
    page = desk.get(answer.location).text
    assert states(int(answer.location.rpartition("/")[2])) == [("pending", "partner"), ("pending", "intake")]
    assert "Not every visit is confirmed yet" in page
    assert "Both are in the book." not in page


def test_who_was_found_is_let_go_with_another_search(desk: FlaskClient) -> None:
    one, former, wanted = somebody(), somebody(), somebody()
    address = f"/clients/{one}/couple/new"
    names = [db.session.get_one(Client, client).last_name for client in (former, wanted)]
    page = desk.post(address, data=order(former, q=names[0])).text
    assert f'name="searched" value="{names[0]}"' in page
    typed_over = order(former, q=names[1], searched=names[0])
    pressed_too = desk.post(address, data=typed_over | {"start": w.at(3).isoformat()})
    assert (pressed_too.status_code, rows(Couple)) == (422, 0)
    assert f'value="{former}" checked' not in pressed_too.text
    found = desk.post(address, data=typed_over).text
    assert f'value="{wanted}" checked' in found
    assert starts(found)


def test_an_old_page_of_both_cancels_nothing(desk: FlaskClient, world: w.World) -> None:
    couple = both(somebody(), somebody()).couple_id
    address, second = f"/desk/couples/{couple}", pair(couple)[1].id

    def seen() -> list[str]:
        form = desk.get(address).text.rpartition(f'action="{address}/cancel"')[2].partition("</form>")[0]
        return re.findall(r'name="revision" value="(\d+)"', form)

    old = seen()
    move_couple(couple or 0, w.at(3, 10, 15), by=world.desk_id, now=NOW)
    for which in ({}, {"visit": second}):
        page = desk.post(f"{address}/cancel", data={"revision": old, "sure": "1", **which})
        assert "changed meanwhile" in desk.get(page.location).text
    assert states(couple) == [CONFIRMED, CONFIRMED]
    done = desk.post(f"{address}/cancel", data={"revision": seen(), "visit": second, "sure": "1"})
    assert "goes on alone" in desk.get(done.location).text
    assert [status for status, _waits in states(couple)] == ["confirmed", "cancelled"]


def test_the_focus_goes_to_the_first_that_is_still_to_be_chosen_and_then_to_the_times(
    desk: FlaskClient, world: w.World
) -> None:
    """By keyboard alone the way through the page's head was gone again after every answer."""
    one, other = somebody(), somebody()
    third, only = somebody(), somebody()
    for client in (other, third):
        db.session.get_one(Client, client).name_key = "mara twice"
    db.session.get_one(Client, only).name_key = "only one"
    db.session.commit()
    address, name = f"/clients/{one}/couple/new", db.session.get_one(Client, one).last_name
    swedish = "swedish||60"

    assert focused(desk.get(address).text) == ["one-what"]
    for sent, expected in (
        ({"one-what": swedish}, "q"),
        ({"one-what": swedish, "q": "mara"}, "other-0"),
        ({"one-what": swedish, "q": "mara", "other": other}, "two-what"),
        (order(other), "start"),
        (order("", q="only"), "start"),  # found alone is chosen: one press less
        (order(other, day="2026-06-07"), "day"),
        (order(other, day="x"), None),  # the summary of what is wrong has it
    ):
        page = desk.post(address, data={"day": "2026-06-12"} | sent).text
        assert focused(page) == ([expected] if expected else []), sent
    assert name in page
    assert focused(desk.get(f"/clients/{one}/series/new").text) == ["what"]


def test_who_comes_along_is_looked_up_once(desk: FlaskClient) -> None:
    one, other = somebody(), somebody()
    name = db.session.get_one(Client, other).last_name
    for sent in ({"q": name}, {"q": name, **order(other)}):
        with counted() as asked:
            assert desk.post(f"/clients/{one}/couple/new", data=sent).status_code == 200
        assert sum("name_key LIKE" in one or "name_key ILIKE" in one for one in asked) == 1, sent


def test_not_both_can_be_booked_and_no_reason_is_shown(desk: FlaskClient) -> None:
    well, ill = somebody(), somebody(**BLEEDS)
    sent = order(ill, **{"two-what": "deep_tissue||60", "two-areas": "lower_back"}, start=w.at(3).isoformat())
    answer = desk.post(f"/clients/{well}/couple/new", data=sent)
    assert answer.status_code == 409
    assert "Not both of them can be booked like this." in answer.text
    assert "This treatment is not suitable for" in answer.text
    assert "bleed" not in answer.text.casefold()
    assert (rows(Couple), rows(Visit)) == (0, 0)


def test_the_other_one_fell_away_and_the_desk_is_told(desk: FlaskClient, world: w.World) -> None:
    couple = both(somebody(), somebody()).couple_id
    one, other = (visit.id for visit in pair(couple))
    visits.cancel_visit(one, by=None, by_clinic=False, by_client=True, now=NOW)
    assert states(couple)[1] == SUSPENDED
    assert "The other of the two visits was called off" in desk.get("/todo").text
    card = desk.get(f"/desk/visits/{other}").text
    assert "Confirm that they come alone" in card
    assert "Confirmed: they come alone." in pressed(desk, f"/desk/visits/{other}/alone")
    assert states(couple)[1] == CONFIRMED
    assert "does not wait for anybody else" in pressed(desk, f"/desk/visits/{other}/alone")
    second = both(somebody(), somebody(), when=w.at(5)).couple_id
    page = pressed(desk, f"/desk/couples/{second}/cancel", cancelled_by="clinic", sure="1")
    assert "Both visits are cancelled." in page
    assert [status for status, _waits in states(second)] == ["cancelled", "cancelled"]


def test_bad_input(desk: FlaskClient, world: w.World) -> None:
    client, ana = somebody(), str(world.therapists[0])
    address, other = f"/clients/{client}/couple/new", somebody()
    when = {"start": w.at(3).isoformat()}
    for sent, status in (
        (when, 422),
        (order(client, **when), 422),
        (order(987_654, **when), 404),
        (order(other, **when, **{"one-what": "nothing||60"}), 422),
        (order(other, **when, **{"one-therapist": ana, "two-therapist": ana}), 422),
        (order(other, start=w.at(-1).isoformat()), 409),
        (order(other, day="x"), 422),
    ):
        assert desk.post(address, data=sent).status_code == status, sent
    assert rows(Visit) == 0
    for missing in ("/clients/987654/couple/new", "/desk/couples/987654"):
        assert desk.get(missing).status_code == 404
    for deed in ("move", "cancel"):
        assert desk.post(f"/desk/couples/987654/{deed}", data=when).status_code == 404
