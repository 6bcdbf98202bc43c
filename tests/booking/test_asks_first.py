"""What cannot be taken back is asked once, behind a mailed link, in an account and at the desk, without JavaScript."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Offer, WaitlistWish
from clinic.booking.services import in_line, sick_day, time_off, waitlist
from clinic.clients.models import Client
from clinic.rules.waitlist import When
from clinic.shared.database import db
from tests.asking import asked, pressed_twice
from tests.booking import test_couples, test_series, test_sick_day, walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_waitlist_pages import account, ends, healthy, mailed, statuses, then
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def world(app: Flask) -> w.World:
    """One therapist, with one free time: on the day at ten."""
    world = w.build(therapists=1)
    for start, end in ((w.at(0, 0), w.at(3, 10)), (w.at(3, 11, 30), w.at(30, 0))):
        time_off.add_time_off(world.therapists[0], "off", start, end, "", by=world.desk_id, now=NOW)
    return world


def offered(client_id: int) -> tuple[int, int]:
    """Their wish, and the time that is kept for it."""
    when = When(w.TODAY, w.TODAY.replace(day=20))
    waitlist.join(w.choice("swedish"), when, client_id, source="desk", by=None, now=NOW)
    in_line.keep_line(NOW)
    wish, offer = db.session.scalars(select(WaitlistWish)).one(), db.session.scalars(select(Offer)).one()
    return wish.id, offer.id


def test_a_kept_time_and_a_place_in_line_are_given_up_by_link(
    app: Flask, world: w.World, client: FlaskClient
) -> None:
    offered(healthy())
    page, wish = mailed("offer"), mailed("waiting")
    assert "Give this time back" in client.get(page).text
    question = asked(client, f"{page}/decline", {"typed": "as it was", "several": ["one", "two"]})
    assert (walk.heading(question), walk.title(question)) == ("Give this time back?",) * 2
    assert "The next person is asked. You stay on the list." in question.text
    assert f'<a class="btn btn-ghost" href="{page}">Leave it as it is</a>' in question.text
    assert statuses() == ["held"]
    left = then(client, pressed_twice(client, f"{page}/decline"))
    assert (walk.heading(left), walk.title(left)) == ("Thank you for telling us",) * 2
    assert "See free times" in left.text
    assert ("The link to your wish is in the e-mail" in left.text, "/my" in left.text) == (True, False)
    assert statuses() == ["released"]
    assert walk.location(client.post(f"{page}/decline")) == page, "said before: there is nothing to ask"

    question = asked(client, f"{wish}/withdraw")
    assert walk.heading(question) == "Take this wish off the list?"
    assert f'href="{wish}">Leave it as it is' in question.text
    assert ends() == [None]
    pressed_twice(client, f"{wish}/withdraw")
    assert ends() == ["withdrawn"]
    assert walk.location(client.post(f"{wish}/withdraw")) == wish


def test_the_page_of_an_offer_says_why_it_is_over(app: Flask, world: w.World, client: FlaskClient) -> None:
    wish, _offer = offered(healthy())
    waitlist.withdraw(wish, by=None, now=NOW)
    page = client.get(mailed("offer"))
    assert (walk.heading(page), walk.title(page)) == ("This offer is over",) * 2
    assert "This wish was taken off the list." in page.text


def test_the_same_in_an_account(app: Flask, world: w.World) -> None:
    me = healthy()
    mine = account(app, me)
    wish, offer = offered(me)
    assert 'data-confirm="Give this time back? The next person is asked. You stay on the list."' in (
        mine.get("/my").text
    )
    question = asked(mine, f"/my/offers/{offer}/decline")
    assert (walk.heading(question), 'href="/my">Leave it' in question.text) == ("Give this time back?", True)
    left = then(mine, pressed_twice(mine, f"/my/offers/{offer}/decline"))
    assert "Thank you for telling us. The next person is asked. You stay on the list." in left.text
    assert "See my visits and wishes" in mine.get(mailed("offer")).text
    pressed_twice(mine, f"/my/waiting/{wish}/withdraw")
    assert (statuses(), ends()) == (["released"], ["withdrawn"])
    stranger = account(app, healthy())
    for deed in (f"/my/offers/{offer}/decline", f"/my/waiting/{wish}/withdraw"):
        for sent in ({}, {"sure": "1"}):
            assert stranger.post(deed, data=sent).status_code == 404


def test_it_asks_in_german_and_leads_back_to_the_page_before(app: Flask, world: w.World) -> None:
    _wish, offer = offered(healthy())
    desk = desk_browser(app, world)
    headers = {"Referer": "http://localhost/desk/waitlist?shown=all"}
    question = desk.post(f"/desk/offers/{offer}/decline", headers=headers)
    assert 'href="/desk/waitlist?shown=all">Leave it as it is' in question.text
    for elsewhere in ("http://elsewhere.example/desk/waitlist", "http://localhost/desk/offers/1/decline"):
        question = desk.post(f"/desk/offers/{offer}/decline", headers={"Referer": elsewhere})
        assert 'href="/desk/waitlist">Leave it as it is' in question.text
    desk.set_cookie("language", "de")
    question = desk.post(f"/desk/offers/{offer}/decline")
    assert ('lang="de"' in question.text, "So lassen" in question.text) == (True, True)


def test_the_desk_is_asked_about_the_list(app: Flask, world: w.World) -> None:
    one = healthy()
    wish, offer = offered(one)
    desk, name = desk_browser(app, world), db.session.get_one(Client, one).name
    for deed in (f"offers/{offer}/decline", f"offers/{offer}/end", f"waitlist/{wish}/withdraw"):
        assert name in asked(desk, f"/desk/{deed}").text
    assert f'data-confirm="Did {name} say no? The time goes to the next in line."' in (
        desk.get("/desk/waitlist").text
    )
    pressed_twice(desk, f"/desk/offers/{offer}/end")
    assert statuses() == ["released"]
    pressed_twice(desk, f"/desk/waitlist/{wish}/withdraw")
    assert ends() == ["withdrawn"]
    for deed in (f"offers/{offer}/decline", f"offers/{offer}/end", f"waitlist/{wish}/withdraw"):
        assert desk.post(f"/desk/{deed}").status_code == 303, "over: the deed says so"


def given_to_somebody_else(world: w.World) -> int:
    """A visit whose therapist is off: somebody else gives it."""
    visit_id = test_sick_day.book(world, test_sick_day.SICK, 10)
    test_sick_day.call_in(world)
    to = test_sick_day.the_case(world).touched.same_time[0].therapist
    revision = test_sick_day.get(visit_id).revision
    sick_day.give_to(visit_id, to, revision=revision, by=world.desk_id, now=NOW)
    return visit_id


def test_a_visit_with_somebody_else_is_cancelled_after_a_question(app: Flask, client: FlaskClient) -> None:
    visit_id = given_to_somebody_else(w.build(therapists=3))
    page = test_sick_day.link_in("is with")
    shown = client.get(page)
    assert walk.title(shown) == walk.heading(shown)
    assert "Your visit is with" in walk.title(shown)
    assert "See free times" in shown.text
    question = asked(client, f"{page}/decline")
    assert (walk.heading(question), "It costs you nothing." in question.text) == ("Cancel this visit?", True)
    assert test_sick_day.get(visit_id).status == "confirmed"
    gone = then(client, pressed_twice(client, f"{page}/decline"))
    assert (walk.title(gone), test_sick_day.get(visit_id).status) == ("Your visit is cancelled", "cancelled")


def test_who_gives_another_time_back_reads_that_the_visit_stays(app: Flask, client: FlaskClient) -> None:
    visit_id, _way, _offer = test_sick_day.asked_about_another_time(w.build(therapists=3))
    page = test_sick_day.link_in("Another time")
    question = asked(client, f"{page}/decline")
    assert "We call you and find another way." in question.text
    left = then(client, pressed_twice(client, f"{page}/decline"))
    assert "We call you and find another way." in left.text
    assert "stays booked" in left.text
    assert test_sick_day.get(visit_id).status == "confirmed"


def test_the_desk_is_asked_before_it_cancels_and_tells(app: Flask) -> None:
    world = w.build(therapists=3)
    visit_id, desk = test_sick_day.book(world, test_sick_day.SICK, 10), desk_browser(app, world)
    test_sick_day.call_in(world)
    sent = {"revision": str(test_sick_day.get(visit_id).revision), "of": str(world.therapists[0])}
    done = pressed_twice(desk, f"/desk/visits/{visit_id}/call-off", sent)
    assert walk.location(done) == f"/desk/sick-day/{world.therapists[0]}"
    assert test_sick_day.get(visit_id).status == "cancelled"


@pytest.mark.parametrize("side", ["client", "clinic"])
def test_a_whole_series_is_cancelled_after_a_question(app: Flask, side: str) -> None:
    world = w.build(therapists=3)
    client, desk = test_series.somebody(), desk_browser(app, world)
    fits = test_series.as_planned(test_series.plan(client, test_series.every(1, 4)))
    made = test_series.book(client, fits).series_id
    address = f"/desk/series/{made}/cancel"
    assert 'data-confirm="Cancel 4 visits? The client is told in one mail."' in (
        desk.get(f"/desk/series/{made}").text
    )
    question = asked(desk, address, {"cancelled_by": side})
    assert walk.heading(question) == "Cancel 4 visits?"
    pressed_twice(desk, address, {"cancelled_by": side})
    assert w.statuses(client) == ["cancelled"] * 4


def test_both_of_a_couple_or_one_are_cancelled_after_a_question(app: Flask) -> None:
    world = test_couples.build()
    couple = test_couples.both(test_series.somebody(), test_series.somebody()).couple_id
    desk = desk_browser(app, world)
    first, second = test_couples.pair(couple)
    here = f"/desk/couples/{couple}"
    names = [db.session.get_one(Client, one.client_id).name for one in (first, second)]
    seen, gone, left = [str(one.revision) for one in (first, second)], first.id, second.id
    shown = desk.get(here).text
    for name, number in zip(names, (gone, left), strict=True):  # each under the name of whose visit goes
        part = shown.partition(f"<h3>Only {name}</h3>")[2].partition("</form>")[0]
        assert f'name="visit" value="{number}"' in part
        assert f"Cancel {name}, keep" in part
    both_of_them = asked(desk, f"{here}/cancel", {"revision": seen, "cancelled_by": "clinic"})
    assert "Cancel both from our side" in both_of_them.text
    question = asked(desk, f"{here}/cancel", {"revision": seen, "visit": str(gone)})
    assert walk.heading(question) == f"Cancel the visit of {names[0]}?"
    assert f"{names[1]} goes on alone, in the same room." in question.text
    pressed_twice(desk, f"{here}/cancel", {"revision": seen, "visit": str(gone)})
    assert [status for status, _waits in test_couples.states(couple)] == ["cancelled", "confirmed"]
    stranger = {"revision": seen, "visit": "987654"}
    assert desk.post(f"{here}/cancel", data=stranger).status_code == 404
