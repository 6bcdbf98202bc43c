"""A client who asks for a woman or a man: times, the hold, the move and whoever stands in are of that gender."""

from __future__ import annotations

import re
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Visit, WaitlistWish
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services import covering, sick_day, visits, waitlist
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.catalogue import queries as catalogue
from clinic.premises.models import Location
from clinic.rules.errors import SlotTaken
from clinic.rules.typed_span import TypedSpan
from clinic.rules.waitlist import When
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_nearest_changes import away, get, helps
from tests.conftest import NOW
from tests.owners import browser_of
from tests.web import Visitor

TABS = re.compile(r'aria-label="With whom">(.*?)</nav>', re.DOTALL)


def mixed() -> tuple[w.World, dict[str, int]]:
    """Terry 0 is a woman, Terry 1 a man, Terry 2 does not say."""
    here = w.build()
    genders = dict(zip(here.therapists, ("woman", "man", ""), strict=True))
    with transaction() as session:
        for one, gender in genders.items():
            session.get_one(Therapist, one).gender = gender
    return here, {gender or "unsaid": one for one, gender in genders.items()}


def only_visit() -> Visit:
    db.session.rollback()
    return db.session.scalars(select(Visit).where(Visit.status != "released")).one()


def test_times_are_those_of_one_gender_and_so_is_who_gives_the_visit(app: Flask, now: None) -> None:
    app.test_client_class = Visitor
    here, team = mixed()
    browser = app.test_client()
    page = get(browser)
    tabs = TABS.search(page)
    assert tabs
    names = [re.sub(r"<[^>]+>|\s+", " ", one).split(" ", 3)[-1].strip() for one in tabs[1].split("</a>")[:-1]]
    assert [one for one in names if "Terry" not in one] == ["Any therapist", "A woman", "A man"]
    page = get(browser, gender="man")
    assert "with a man" in page
    assert walk.location(walk.hold(browser, "swedish", gender="man")) == "/book/next"
    visit = only_visit()
    assert (visit.therapist_id, visit.any_therapist, visit.asked_gender) == (team["man"], True, "man")
    # Nobody of that gender is free at that time any more: the other's time is not given instead.
    other = app.test_client()
    assert walk.hold(other, "swedish", gender="man").status_code == 409
    assert walk.location(walk.hold(other, "swedish", gender="woman")) == "/book/next"
    # What is not known, and a gender beside a name, say nothing.
    assert "with any therapist" in get(browser, gender="unicorn")
    assert "with Terry 1" in get(browser, gender="woman", therapist=team["man"])
    assert here.therapists


def test_no_times_with_this_choice_says_so_and_offers_the_nearest_change(app: Flask, now: None) -> None:
    app.test_client_class = Visitor
    here, team = mixed()
    away(here, team["woman"], 0, 70)
    page = get(app.test_client(), gender="woman")
    assert "No free times in these two weeks with a woman" in page
    found = helps(page)
    assert list(found) == ["With Terry 1: Tuesday 9 June, 10:00 am"]
    assert "gender" not in found["With Terry 1: Tuesday 9 June, 10:00 am"]


def test_without_a_difference_nothing_is_asked(app: Flask, now: None) -> None:
    app.test_client_class = Visitor
    w.build()
    with transaction() as session:
        for one in session.scalars(select(Therapist)):
            one.gender = "woman"
    assert "A woman" not in get(app.test_client())


def test_the_wish_is_kept_by_moves_by_whoever_stands_in_and_on_the_waitlist(app: Flask) -> None:
    here, team = mixed()
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(here, client, "swedish", gender="woman").visit_id
    assert visit_id is not None
    visit = only_visit()
    assert (visit.therapist_id, visit.asked_gender) == (team["woman"], "woman")
    # Another woman works only in the afternoon: a move to the afternoon, with the first one away, goes to her.
    second = factories.make_therapist(name="Wanda", gender="woman", skills=w.SKILLS)
    place = db.session.get_one(Location, here.place_id)
    factories.make_hours(second, place, starts="13:00", ends="20:00", weekdays=range(7))
    second_id = second.id
    away(here, team["woman"], 4, 1)
    visits.change_visit(visit_id, revision=visit.revision, starts_at=w.at(4, 14), by=here.desk_id, now=NOW)
    visit = only_visit()
    assert (visit.therapist_id, visit.asked_gender) == (second_id, "woman")
    # She falls ill: at the same time only a woman would do, and none is there; other times are of women.
    (case,) = covering.cases_in(second_id, TypedSpan(w.at(4, 0), w.at(5, 0)), NOW)
    assert not case.touched.same_time
    assert {one.therapist for one in case.touched.other_times} <= {team["woman"], second_id}
    assert case.touched.other_times
    db.session.rollback()
    when = When(w.TODAY, w.TODAY, frozenset(range(7)), frozenset({"morning"}), 0)
    waitlist.join(w.choice("swedish", gender="man"), when, client, source="desk", by=here.desk_id, now=NOW)
    assert db.session.scalars(select(WaitlistWish)).one().asked_gender == "man"


@pytest.mark.parametrize(("gender", "is_given"), [("woman", True), ("man", False), ("", False)])
def test_a_visit_asked_for_by_a_woman_is_given_to_a_woman(app: Flask, gender: str, is_given: bool) -> None:
    """Also where somebody asks for another therapist by name, whom no list proposes."""
    here, _team = mixed()
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(here, client, "swedish", gender="woman").visit_id or 0
    other = factories.make_therapist(name="Wilma", gender=gender, skills=w.SKILLS)
    factories.make_hours(
        other, db.session.get_one(Location, here.place_id), starts="08:00", ends="20:00", weekdays=range(7)
    )
    other_id, was = other.id, only_visit().therapist_id
    (case,) = covering.cases_in(was, TypedSpan(w.at(3, 0), w.at(4, 0)), NOW)
    assert {one.therapist for one in case.touched.same_time} == ({other_id} if is_given else set())
    revision = only_visit().revision
    db.session.rollback()
    give = partial(sick_day.give_to, visit_id, other_id, revision=revision, by=here.desk_id, now=NOW)
    if is_given:
        give()
    else:
        with pytest.raises(SlotTaken, match="The client asked for a woman here"):
            give()
    assert only_visit().therapist_id == (other_id if is_given else was)
    revision = only_visit().revision
    db.session.rollback()
    change_at_desk(visit_id, Change(revision, w.at(3, 12), therapist_id=other_id, by=here.desk_id), now=NOW)
    assert only_visit().therapist_id == other_id, "by hand it is"


def test_a_named_therapist_needs_no_gender(app: Flask) -> None:
    here, team = mixed()
    plan = catalogue.plan_for("swedish", None, (), 60, first_visit=False)
    assert plan is not None
    ask = Ask(plan, here.place_id, w.TODAY, 2, NOW, therapist_id=team["man"], gender="woman")
    assert {one.therapists for one in look(ask).starts()} == {(team["man"],)}


def test_the_desk_asks_for_a_gender_too(app: Flask, now: None) -> None:
    here, team = mixed()
    client = w.person()
    w.sign(client)
    browser: FlaskClient = browser_of(app, db.session.get_one(User, here.desk_id))
    page = browser.get(f"/desk/visits/new?client={client}&what=swedish||60&therapist=man&at=10:00").text
    assert '<option selected value="man">' in page
    assert "Terry 1" in page.split('id="times"')[-1]
    assert "Terry 0" not in page.split('id="times"')[-1]
    assert team
