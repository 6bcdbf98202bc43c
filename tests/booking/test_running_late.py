"""Running late: the desk sees it, the chosen clients get one kind mail, and nobody else's visit can be named."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from clinic.booking.models import Visit
from clinic.booking.queries import running_late as queries
from clinic.booking.services import running_late as services
from clinic.clients.models import Client
from clinic.diary.queries.desk import desk_day
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.taking_back import TIME_TO_TAKE_BACK
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, staffed

pytestmark = pytest.mark.usefixtures("now")


def mails() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.scalars(
        select(OutgoingMail).where(OutgoingMail.subject.contains("later")).order_by(OutgoingMail.id)
    )
    return [(row.to, row.subject + row.text) for row in rows]


def send_all() -> None:
    with transaction() as session:
        session.execute(update(OutgoingMail).values(sent_at=NOW))


def test_what_was_said_by_a_slip_is_not_mailed_and_what_was_said_before_is_said_again(app: Flask) -> None:
    clinic = staffed(app)
    client = w.person(email="at10@people.example")
    w.sign(client)
    visit = w.at_desk(clinic.world, client, "relaxation", when=w.at(0, 10), therapist_id=clinic.me).visit_id
    browser = clinic.browser(ME)

    def say(minutes: int) -> str:
        data = {"minutes": str(minutes), "tell": [str(visit)]}
        assert browser.post("/diary/late", data=data).status_code == 303
        return browser.get("/diary").text

    say(60)
    due = db.session.scalars(select(OutgoingMail.due_at).where(OutgoingMail.kind == "running_late")).one()
    assert due == NOW + TIME_TO_TAKE_BACK
    page = say(15)
    assert "Told by e-mail: Pat Number" in page
    assert 'value="15" checked' in browser.get("/diary/late").text
    assert ["15 minutes" in text for _to, text in mails()] == [True], "nobody hears of the hour"
    page = say(0)
    assert mails() == []
    assert "may come later" not in page
    for minutes in (15, 30, 15, 15):
        say(minutes)
        send_all()
    assert len(mails()) == 3, "15, 30 and 15 again; pressed twice is told once"
    page = say(0)
    assert "Told before that you are late, and may come later: Pat Number" in page
    browser.post("/diary/late", data={"minutes": "5"})
    assert "No client is told" in browser.get("/diary").text


def test_the_desk_sees_it_and_the_chosen_clients_are_told_once(app: Flask) -> None:
    clinic = staffed(app)
    me, by = clinic.me, clinic.world.desk_id

    def booked(hour: int, therapist: int = me, days: int = 0) -> int:
        client = w.person(email=f"at{hour}@people.example" if hour != 14 else None)
        w.sign(client)
        made = w.at_desk(
            clinic.world, client, "relaxation", when=w.at(days, hour), therapist_id=therapist
        ).visit_id
        return int(made or 0)

    first, second, third = booked(10), booked(12), booked(14)
    theirs, tomorrow = booked(10, clinic.other), booked(16, days=1)
    assert [one.id for one in queries.coming_visits(me, w.TODAY, NOW)] == [first, second, third]
    for foreign in (theirs, tomorrow, 1):
        with pytest.raises(NotFound):
            services.say_late(me, 15, [first, foreign], by=by, now=NOW)
    for wrong in (-5, 7, 600):
        with pytest.raises(InvalidInput):
            services.say_late(me, wrong, [], by=by, now=NOW)
    assert (mails(), queries.minutes_late(w.TODAY)) == ([], {})
    name = db.session.scalars(select(Client).where(Client.email.is_(None)).order_by(Client.id.desc())).first()
    assert name is not None
    said = services.say_late(me, 15, [first, third], by=by, now=NOW)
    assert said.unreached == [name.name]
    services.say_late(me, 15, [first], by=by, now=NOW)  # pressed twice
    ((to, text),) = mails()
    assert to == "at10@people.example"
    assert "about 15 minutes" in text
    assert "10:15 am" in text
    assert "Relaxation" not in text
    columns = {one.key: one.note for one in desk_day(clinic.world.place_id, w.TODAY, NOW).columns}
    assert (columns[me], columns[clinic.other]) == ("About 15 minutes late", "")
    send_all()
    assert services.say_late(me, 0, [], by=by, now=NOW).believe_late == said.told
    assert (len(mails()), queries.minutes_late(w.TODAY)) == (1, {})
    browser = clinic.browser(ME)
    page = browser.get("/diary/late").text
    assert page.count(" checked") == 3  # 15 minutes, and the next two
    assert browser.post("/diary/late", data={"minutes": "20", "tell": [str(second)]}).status_code == 303
    assert [to for to, _text in mails()] == ["at10@people.example", "at12@people.example"]
    assert "20 minutes late" in browser.get("/diary").text
    for data in ({}, {"minutes": "7"}, {"minutes": "x"}, {"minutes": "15", "tell": [str(theirs)]}):
        assert browser.post("/diary/late", data=data).status_code == 422
    assert browser.post("/diary/late", data={"minutes": "0"}).status_code == 303
    db.session.rollback()
    assert queries.minutes_late(w.TODAY) == {}


def test_with_no_visit_left_nobody_is_late(app: Flask) -> None:
    clinic = staffed(app)
    client = w.person()
    w.sign(client)
    visit = w.at_desk(clinic.world, client, "relaxation", when=w.at(0, 10), therapist_id=clinic.me).visit_id
    browser = clinic.browser(ME)
    browser.post("/diary/late", data={"minutes": "15"})
    page = browser.get("/diary").text
    assert ("15 minutes late" in page, "I am running late" in page) == (True, True)
    for status in ("in_session", "done"):
        revision = db.session.get_one(Visit, visit).revision
        browser.post(f"/diary/visits/{visit}/mark", data={"status": status, "revision": str(revision)})
        db.session.rollback()
    assert db.session.get_one(Visit, visit).status == "done"
    page = browser.get("/diary").text
    assert ("15 minutes late" in page, "I am running late" in page) == (False, False)
