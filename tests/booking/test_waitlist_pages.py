"""The waitlist on the pages: joined from the times, answered by a link or from the own pages, run at the desk."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.accounts.models import User
from clinic.booking.models import Offer, Visit, WaitlistWish
from clinic.booking.services import in_line, time_off, waitlist
from clinic.clients.models import Client, ClientAccess
from clinic.rules.booking_policy import LINKS_LAST
from clinic.rules.permissions import Role
from clinic.rules.waitlist import When
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.owners import browser_of
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")

DAY = "2026-06-12"
WAIT = "/book/swedish/wait"
SURE = {"sure": "1"}
WHEN = {
    "minutes": "60", "first_day": DAY, "last_day": DAY, "weekdays": ["4"], "day_parts": ["morning", "evening"],
    "notice_hours": "2",
}  # fmt: skip


@pytest.fixture
def world(app: Flask) -> w.World:
    """One therapist, with one free time: on the day at ten."""
    world = w.build(therapists=1)
    for start, end in ((w.at(0, 0), w.at(3, 10)), (w.at(3, 11, 30), w.at(30, 0))):
        time_off.add_time_off(world.therapists[0], "off", start, end, "", by=world.desk_id, now=NOW)
    return world


SERIOUS = {"heart_disease": {"not_sure": True}}


def account(app: Flask, client_id: int) -> FlaskClient:
    """The browser of somebody who acts for this person."""
    user: User = factories.make_user(email=f"u{client_id}@people.example", roles=[Role.CLIENT])
    factories.save(ClientAccess(user_id=user.id, client_id=client_id, relation="self", since=NOW))
    return browser_of(app, user)


def healthy() -> int:
    client = w.person(email=f"h{w.new_number()}@people.example")
    w.sign(client)
    return client


def mailed(word: str) -> str:
    """The address of the last link with this word that was mailed."""
    db.session.rollback()
    texts = db.session.scalars(select(OutgoingMail.text).order_by(OutgoingMail.id.desc())).all()
    return next(found[0] for text in texts if (found := re.search(rf"/{word}/[\w-]+", text)))


def then(browser: FlaskClient, answer: TestResponse) -> TestResponse:
    """The page to which a deed leads."""
    return browser.get(walk.location(answer))


def ends() -> list[str | None]:
    db.session.rollback()
    return list(db.session.scalars(select(WaitlistWish.ended_as).order_by(WaitlistWish.id)))


def statuses() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit.status).order_by(Visit.created_at, Visit.id)))


def test_somebody_not_signed_in_joins_and_leaves(client: FlaskClient, world: w.World) -> None:
    for address in ("/book/swedish/times?minutes=60", "/book/swedish/times?minutes=90"):
        assert client.get(address).text.count("Tell me when a time comes free") == 1
    assert "Put me on the list" in client.get(f"{WAIT}?minutes=60").text
    assert "All days are chosen at the start" in client.get(f"{WAIT}?minutes=60").text
    in_german = client.get(f"{WAIT}?minutes=60", headers={"Accept-Language": "de"}).text
    assert ("24 Stunden" in in_german, "24 hours" in in_german) == (True, False)
    wrong = client.post(WAIT, data={**WHEN, **walk.details(email="no", first_name=""), "weekdays": ["0"]})
    assert wrong.status_code == 422
    assert "Enter the first name" in wrong.text
    nothing = client.post(
        WAIT, data={**WHEN, **walk.details(first_name=""), "weekdays": [], "day_parts": []}
    ).text
    for words in ("at least one day of the week", "at least one part of the day", "Enter the first name"):
        assert words in nothing
    wrong = client.post(WAIT, data={**WHEN, **walk.details(email=""), "weekdays": ["0"]})
    assert "Enter your e-mail address: we send the offer there." in wrong.text
    assert "confirmation" not in wrong.text
    wrong = client.post(WAIT, data={**WHEN, **walk.details(), "weekdays": ["0"], "day_parts": []})
    assert (wrong.status_code, ends()) == (422, [])
    for name in ("Win at www.prize.example", "Sie haben gewonnen: gewinn24.de/abholen"):
        wrong = client.post(WAIT, data={**WHEN, **walk.details(last_name=name)})
        assert (wrong.status_code, "without a web address" in wrong.text) == (422, True)
    wrong = client.post(WAIT, data={**WHEN, **walk.details(last_name="gewinn24.de/" * 9)})
    assert (wrong.status_code, "without a web address" in wrong.text) == (422, False), (
        "it takes long, so it ends here"
    )
    forged = walk.details(
        first_name="Nora\r\n\r\nSend us money"
    )  # no browser sends it, and mails begin with it
    joined = then(client, client.post(WAIT, data={**WHEN, **forged}))
    assert "You are on the list" in joined.text
    assert 'href="/sign-in?next=/my">Answer the health questions</a>' in joined.text
    row = db.session.scalars(select(WaitlistWish)).one()
    assert (row.weekdays, row.parts, row.notice_hours, row.source) == (
        [4],
        ["evening", "morning"],
        2,
        "online",
    )
    person = db.session.get_one(Client, row.client_id)
    assert (person.is_unproven, person.first_name) == (True, "Nora  Send us money")
    page = mailed("waiting")
    assert client.get(page).status_code == 200
    in_line.keep_line(NOW)  # nothing is signed yet: nothing can be offered
    assert statuses() == []
    assert (
        "not on the list any more" in then(client, client.post(f"{page}/withdraw", data={"sure": "1"})).text
    )
    assert ends() == ["withdrawn"]
    assert client.get("/waiting/nothing-here").status_code == 404
    with time_machine.travel(NOW + LINKS_LAST, tick=False):
        assert client.get(page).status_code == 404


def test_mistakes_are_listed_as_the_fields_stand_on_the_page(client: FlaskClient, world: w.World) -> None:
    page = client.post(WAIT, data={"minutes": "60", "guardian_name": "www.spam.example"}).text
    listed = re.findall(r'href="#([\w-]+)"', page[page.index("data-error-summary") : page.index("<form")])
    assert [one for one in listed if f'id="{one}"' not in page] == []
    places = [page.index(f'id="{one}"') for one in listed]
    assert {"email", "phone", "guardian_name", "first_name"} < set(listed)
    assert places == sorted(places), listed


def test_whether_an_e_mail_has_an_account_does_not_show_in_the_work_it_makes(
    app: Flask, client: FlaskClient, world: w.World
) -> None:
    factories.make_user(email="ann@mail.example", roles=[Role.CLIENT], password_hash="x")  # it was entered
    writes, people = [], []
    for email in ("warm@mail.example", "ann@mail.example", "new@mail.example"):
        with counted() as sent:
            assert client.post(WAIT, data={**WHEN, **walk.details(email=email)}).status_code == 303
        writes.append(sorted(one.split("(")[0] for one in sent if one.startswith("INSERT")))
        people.append(len(db.session.scalars(select(User)).all()))
    assert writes[1] == writes[2]
    assert people[1:] == [people[0], people[0] + 1]
    assert not db.session.scalars(select(OutgoingMail.id).where(OutgoingMail.to.contains("nobody"))).all()
    told = db.session.scalars(select(OutgoingMail.kind).where(OutgoingMail.to == "ann@mail.example")).all()
    assert told == ["waitlist_joined"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # counting is tried on both in test_tries.py
def test_nobody_is_flooded_with_mails_by_strangers_who_type_their_e_mail(
    client: FlaskClient, world: w.World
) -> None:
    def join(email: str) -> int:
        return client.post(WAIT, data={**WHEN, **walk.details(email=email)}).status_code

    assert [join(one) for one in ["Ann@mail.example", "ann@mail.example"] * 3] == [303] * 5 + [429]
    refused = client.post(WAIT, data={**WHEN, **walk.details(email="ann@mail.example")})
    assert "There were too many tries. Please wait 60 minutes" in refused.text
    assert [join(f"p{number}@mail.example") for number in range(16)] == [303] * 15 + [429]
    assert len(ends()) == 20
    client.environ_base["REMOTE_ADDR"] = "198.51.100.200"
    assert join("bob@mail.example") == 303
    with time_machine.travel(NOW + dt.timedelta(hours=1, seconds=1), tick=False):
        assert join("ann@mail.example") == 303


def test_an_account_joins_is_offered_and_answers(app: Flask, world: w.World) -> None:
    me, other = healthy(), healthy()
    mine = account(app, me)
    assert mine.post(WAIT, data={**WHEN, "person": str(other)}).status_code == 404
    assert mine.post(WAIT, data=WHEN).status_code == 422
    joined = then(mine, mine.post(WAIT, data={**WHEN, "person": str(me)})).text
    assert "You are on the list" in joined
    assert "Answer the health questions" not in joined, "they are answered"
    in_line.keep_line(NOW)
    offer, wish = (
        one.id for one in (*db.session.scalars(select(Offer)), *db.session.scalars(select(WaitlistWish)))
    )
    page = mine.get("/my").text
    assert "Kept for you" in page
    assert "On the waitlist" in page
    stranger = account(app, other)
    for deed in (f"/my/offers/{offer}/accept", f"/my/offers/{offer}/decline", f"/my/waiting/{wish}/withdraw"):
        assert stranger.post(deed).status_code == 404
    assert mine.post(f"/my/offers/{offer}/decline", data={"sure": "1"}).status_code == 303
    assert statuses() == ["released"]
    mine.post(f"/my/waiting/{wish}/withdraw", data={"sure": "1"})
    assert ends() == ["withdrawn"]
    mine.post(WAIT, data={**WHEN, "person": str(me)})  # a new wish: what was refused before counts no more
    in_line.keep_line(NOW)
    second = db.session.scalars(select(Offer.id).order_by(Offer.id.desc())).first()
    assert "The time is yours" in then(mine, mine.post(f"/my/offers/{second}/accept")).text
    assert sorted(statuses()) == ["confirmed", "released"]


def test_who_may_not_have_the_offered_time_any_more_reads_why_and_what_is_safe(
    app: Flask, world: w.World
) -> None:
    me = healthy()
    mine = account(app, me)
    mine.post(WAIT, data={**WHEN, "person": str(me)})
    in_line.keep_line(NOW)
    offer = db.session.scalars(select(Offer.id)).one()
    assert walk.location(mine.get(f"/my/offers/{offer}")) == "/my", "nothing is refused yet"
    w.sign_answers(me, SERIOUS)
    for _again in range(2):
        refused = then(mine, mine.post(f"/my/offers/{offer}/accept")).text
    assert "We can’t book Swedish massage for you just yet" in refused
    assert "You told us:" in refused
    assert account(app, healthy()).get(f"/my/offers/{offer}").status_code == 404


def test_an_offer_that_ran_out_is_not_shown_as_kept_before_the_next_round_ends_it(
    app: Flask, world: w.World
) -> None:
    me = healthy()
    mine = account(app, me)
    place = walk.location(mine.post(WAIT, data={**WHEN, "person": str(me)}))
    in_line.keep_line(NOW)
    offer, over = db.session.execute(select(Offer.id, Offer.expires_at)).one()
    db.session.rollback()
    for moment, is_kept in ((over - dt.timedelta(seconds=1), True), (over, False)):
        with time_machine.travel(moment, tick=False):
            assert ("Kept for you" in mine.get("/my").text) is is_kept
            assert ("A time is kept for you" in mine.get(place).text) is is_kept
    with time_machine.travel(over, tick=False):
        late = then(mine, mine.post(f"/my/offers/{offer}/accept")).text
    assert "This offer has run out" in late
    assert "Take this time" not in late
    assert ends() == [None], "no round came"


def test_a_link_promises_no_other_time_once_the_gate_refused(client: FlaskClient, world: w.World) -> None:
    me = healthy()
    waitlist.join(
        w.choice("swedish"), When(w.TODAY, w.TODAY.replace(day=20)), me, source="desk", by=None, now=NOW
    )
    in_line.keep_line(NOW)
    page = mailed("offer")
    w.sign_answers(me, SERIOUS)
    refused, later = client.post(f"{page}/accept"), client.get(page)
    assert (refused.status_code, later.status_code) == (409, 200)
    for text in (refused.text, later.text):
        assert text.count("We cannot book this time for you at the moment. Please call us") == 1
        assert "we write again" not in text
        assert "heart" not in text.casefold()


def test_a_link_shows_and_one_tap_answers(client: FlaskClient, world: w.World) -> None:
    first, second = healthy(), healthy()
    when = When(w.TODAY, w.TODAY.replace(day=20))
    for one in (first, second):
        waitlist.join(w.choice("swedish"), when, one, source="desk", by=None, now=NOW)
    in_line.keep_line(NOW)
    page = mailed("offer")
    for _ in range(2):
        shown = client.get(page)
        assert "Take this time" in shown.text
        assert "1 hour 15 minutes" in shown.text.replace("\xa0", " "), "as the mail says: it is a first visit"
    assert statuses() == ["held"]
    assert (
        walk.heading(then(client, client.post(f"{page}/decline", data={"sure": "1"})))
        == "Thank you for telling us"
    )
    assert "You stay on the list." in client.get(page).text
    waitlist.withdraw(
        db.session.scalars(select(WaitlistWish.id).order_by(WaitlistWish.id)).all()[0], by=None, now=NOW
    )
    left = client.get(page).text
    assert ("The next person is asked." in left, "You stay on the list." in left) == (True, False)
    gone = client.post(f"{page}/accept")
    assert (gone.status_code, "run out" in gone.text) == (409, True)
    page = mailed("offer")  # the next one's
    booked = then(client, client.post(f"{page}/accept"))
    assert "Thank you. The time is yours." in booked.text
    assert "You took this time" in then(client, client.post(f"{page}/accept")).text
    assert sorted(statuses()) == ["confirmed", "released"]
    assert client.get("/offer/nothing-here").status_code == 404
    over = max(db.session.scalars(select(Offer.expires_at)))
    for later, status in ((LINKS_LAST - dt.timedelta(seconds=1), 200), (LINKS_LAST, 404)):
        with time_machine.travel(over + later, tick=False):
            assert client.get(page).status_code == status


def test_a_long_line_takes_no_more_statements(app: Flask, world: w.World) -> None:
    desk = desk_browser(app, world)

    def wait(client: int) -> None:
        when = When(dt.date.fromisoformat(DAY), dt.date.fromisoformat(DAY), parts=frozenset({"evening"}))
        waitlist.join(w.choice("swedish"), when, client, source="desk", by=world.desk_id, now=NOW)

    wait(healthy())
    with counted() as few:
        desk.get("/desk/waitlist")
    for client in (healthy(), healthy(), w.person()):
        wait(client)
    with counted() as many:
        page = desk.get("/desk/waitlist").text
    assert len(many) == len(few)
    assert page.count("The health questions are not signed yet") == 1


def test_the_desk_runs_the_list(app: Flask, world: w.World) -> None:
    desk, one = desk_browser(app, world), healthy()
    assert "Nobody waits" in desk.get("/desk/waitlist").text
    name = db.session.get_one(Client, one).last_name
    assert "Choose<" in desk.get(f"/desk/waitlist/new?q={name}").text
    form = {**WHEN, "what": "swedish||60", "therapist": ""}
    assert desk.get(f"/desk/waitlist/new?client={one}").status_code == 200
    assert desk.post(f"/desk/waitlist/new?client={one}", data={**form, "what": ""}).status_code == 422
    assert desk.post(f"/desk/waitlist/new?client={one}", data={**form, "weekdays": ["0"]}).status_code == 422
    assert desk.post("/desk/waitlist/new?client=x", data=form).status_code == 303
    assert ends() == []
    added = then(desk, desk.post(f"/desk/waitlist/new?client={one}", data=form))
    assert name in added.text
    wish = db.session.scalars(select(WaitlistWish)).one().id
    offered = then(desk, desk.post(f"/desk/waitlist/{wish}/offer"))
    assert "Give this time to somebody else" in offered.text
    assert ("Take off the list and end the offer" in offered.text, "end the offer" in added.text) == (
        True,
        False,
    )
    assert "The time that is kept for them goes to the next in line." in offered.text
    offer = db.session.scalars(select(Offer)).one().id
    kept = db.session.scalars(select(Visit.id)).one()
    assert walk.location(desk.get(f"/desk/visits/{kept}")) == "/desk/waitlist"
    ended = desk.post(f"/desk/offers/{offer}/end", data={"sure": "1"})
    assert "at=10:00" in ended.location.replace("%3A", ":")
    assert "The time you asked for" in desk.get(ended.location).text
    assert statuses() == ["released"]
    assert "any more" in then(desk, desk.post(f"/desk/waitlist/{wish + 1}/offer")).text
    desk.post(f"/desk/waitlist/{wish}/withdraw", data={"sure": "1"})
    assert ends() == ["withdrawn"]


def wished(client_id: int) -> int:
    """In line for the one free time of this clinic."""
    wish, _key = waitlist.join(
        w.choice("swedish"),
        When(w.TODAY, w.TODAY.replace(day=20)),
        client_id,
        source="desk",
        by=None,
        now=NOW,
    )
    return wish


def test_the_desk_takes_the_answer_on_the_telephone(app: Flask, world: w.World) -> None:
    desk, one, two = desk_browser(app, world), healthy(), healthy()
    wished(one), wished(two)
    in_line.keep_line(NOW)
    page = desk.get("/desk/waitlist").text
    assert (page.count("Client says yes"), page.count("Client says no")) == (1, 1)
    first = db.session.scalars(select(Offer.id)).one()
    assert (
        "said no. The time goes to the next in line."
        in then(desk, desk.post(f"/desk/offers/{first}/decline", data={"sure": "1"})).text
    )
    second = db.session.scalars(select(Offer).where(Offer.ended_at.is_(None))).one()
    assert db.session.get_one(Visit, second.visit_id).client_id == two
    assert "Booked and confirmed." in then(desk, desk.post(f"/desk/offers/{second.id}/accept")).text
    assert sorted(statuses()) == ["confirmed", "released"]
    assert ends() == [None, "booked"]
    for again in ("accept", "decline"):
        late = then(desk, desk.post(f"/desk/offers/{first}/{again}")).text
        assert ("has been answered, or has run out" in late) is (again == "accept"), (
            "a second no changes nothing"
        )
    assert desk.post("/desk/offers/999/accept").status_code == 404


def test_a_yes_on_old_answers_waits_and_says_what_is_needed(app: Flask, world: w.World) -> None:
    desk, one = desk_browser(app, world), w.person(email="old@people.example")
    w.sign(one, now=NOW - dt.timedelta(days=20))
    wished(one)
    in_line.keep_line(NOW)
    offer = db.session.scalars(select(Offer.id)).one()
    page = then(desk, desk.post(f"/desk/offers/{offer}/accept")).text
    assert "The time is kept. The visit is not confirmed yet: see what is still needed." in page
    assert "Read the questions now" in page


@pytest.mark.parametrize("ended", ["declined", "expired", "not_possible"])
def test_the_list_says_what_became_of_the_last_offer(app: Flask, world: w.World, ended: str) -> None:
    desk, one = desk_browser(app, world), healthy()
    wished(one)
    in_line.keep_line(NOW)
    offer = db.session.scalars(select(Offer.id)).one()
    assert "their card says what is next" not in desk.get("/desk/waitlist").text
    if ended == "declined":
        desk.post(f"/desk/offers/{offer}/decline", data={"sure": "1"})
        said = "Said no to Friday"
    elif ended == "expired":
        db.session.get_one(Offer, offer).ended_at, db.session.get_one(Offer, offer).ended_as = NOW, ended
        db.session.commit()
        said = "Has not answered about Friday"
    else:
        w.sign_answers(one, SERIOUS)
        refused = then(desk, desk.post(f"/desk/offers/{offer}/accept")).text
        assert "This time cannot be booked with their health answers." in refused
        said = "could not be booked with their health answers. Please call: their card says what is next."
    page = desk.get("/desk/waitlist").text
    assert said in page
    assert "heart" not in page.casefold()


def test_nothing_to_offer_says_why(app: Flask, world: w.World) -> None:
    desk, one, unsafe, barred = desk_browser(app, world), healthy(), healthy(), healthy()
    w.sign_answers(unsafe, SERIOUS)
    db.session.get_one(Client, barred).is_barred_online = True
    db.session.commit()

    def why(client_id: int) -> str:
        return then(desk, desk.post(f"/desk/waitlist/{wished(client_id)}/offer")).text

    assert "A time is kept for them, and they are told." in why(healthy())
    assert "No free time fits this wish at the moment." in why(one)
    assert "This person does not book online, so nothing is offered" in why(barred)
    refused = why(unsafe)
    assert "Their health answers do not allow it on these days." in refused
    assert "heart" not in refused.casefold()


def test_the_list_keeps_itself_up_to_date(app: Flask, world: w.World) -> None:
    desk = desk_browser(app, world)
    mark = desk.get("/desk/waitlist").headers["ETag"]
    assert desk.get("/desk/waitlist", headers={"If-None-Match": mark}).status_code == 304
    wished(healthy())
    assert desk.get("/desk/waitlist", headers={"If-None-Match": mark}).status_code == 200
