"""The owner's texts and times, everybody's own choice, and the way out in a mail."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.booking.models import Visit
from clinic.booking.timed_messages import TimedMessage
from clinic.clients import choices
from clinic.clients.choices import Whose
from clinic.clients.models import Client, ClientAccess, MessageChoice
from clinic.clients.steps import speaking_to
from clinic.messages import queries as messages
from clinic.messages.services import write_digests
from clinic.premises.models import Clinic
from clinic.rules import language
from clinic.rules.messages import AFTERCARE, DAY_OF_DESK, DAY_OF_THERAPIST, KINDS, REMINDER, SMS
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail, OwnText, standard_text
from tests.accounts.people import browser_of, make_person
from tests.booking import world as w
from tests.conftest import NOW
from tests.mailing import sent_at, words_of
from tests.owners import save_page
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")
HOUR = dt.timedelta(hours=1)
ENDED = {"trying": None, "failed": "failed", "refused": "failed", "dropped": "dropped"}


@pytest.fixture
def owner(world: w.World, app: Flask) -> FlaskClient:
    make_person("owner@people.example", Role.OWNER)
    return browser_of(app, "owner@people.example")


def all_of(kind: type[Any]) -> list[Any]:
    db.session.rollback()
    return list(db.session.scalars(select(kind)))


def test_reminders_of_booked_visits_follow_the_owners_hours(world: w.World, owner: FlaskClient) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client)
    w.at_desk(world, client, "relaxation", when=w.at(5, 14))
    page = owner.get("/owner/messages").text
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen
    for typed, status in (("48; 3", 422), ("0", 422), ("1 2 3 4 5", 422), ("24, 2", 303)):
        form = {"seen": seen[1], "reminder_hours": typed, "sends_aftercare": "y"}
        assert owner.post("/owner/messages", data=form).status_code == status, typed
    [clinic] = all_of(Clinic)
    assert (clinic.reminder_hours, clinic.sends_aftercare, clinic.sends_digests) == ("24, 2", True, False)
    assert re.search(r'class="effect">Of a visit on [^<]+ people are reminded on [^<]+ and ', page)
    assert sorted(w.at(5, 14) - one.due_at for one in all_of(TimedMessage)) == [2 * HOUR, 24 * HOUR]


def test_an_owner_writes_a_text_looks_at_it_tests_it_and_goes_back(owner: FlaskClient) -> None:
    url = "/owner/messages/visit_reminder"
    assert owner.get("/owner/messages/nothing").status_code == 404
    assert "{therapist}" in owner.get(url).text
    for subject, body, wrong in (
        ("Hi {service}", "{link}", "There is no {service}"),
        ("Hi {link}", "{link}", "There is no {link}"),
        ("Hi", "{{ 7 }} {link}", "There is no { 7 }"),
        ("Hi", "} {link}", "stands alone"),
        ("Hi", "Come soon", "needs its {link}"),
        ("Hi", "{name.__class__} {link}", "There is no {name.__class__}"),
    ):
        answer = owner.post(url, data={"subject": subject, "body": body})
        assert answer.status_code == 422, body
        assert wrong in answer.text, body
    own = {"subject": "See you {when}", "body": "Dear <b>{name}</b>\r\n\r\nLook at it: {link}"}
    looked = owner.post(url, data={**own, "act": "look"})
    assert "See you Tuesday 9 June 2026 at 2:30 pm" in looked.text
    assert "Dear &lt;b&gt;Robin&lt;/b&gt;" in looked.text
    assert '<span class="btn btn-primary">Look at it</span>' in looked.text
    assert all_of(OwnText) == []
    assert saved(owner, url, **own, act="send").status_code == 303
    assert [one.text for one in all_of(OwnText)] == [
        "See you {when}\nDear <b>{name}</b>\n\nLook at it: {link}"
    ]
    page_with_own = owner.get(url).text
    [mail] = [one for one in sent_at(NOW) if one["To"] == "owner@people.example"]
    assert mail["Subject"] == "See you Tuesday 9 June 2026 at 2:30 pm"
    assert "Dear <b>Robin</b>" in words_of(mail)
    back = f"{url}/standard?language=en"
    for _twice in range(2):
        owner.post(back, data=form_on(page_with_own, back) | {"sure": ["1"]})
        assert all_of(OwnText) == []
    assert standard_text("visit_reminder").startswith("Reminder: your visit on {when}\nHello {name},")


def saved(owner: FlaskClient, url: str, language: str = "en", **typed: str) -> TestResponse:
    """What the owner types on the page of this text, sent."""
    return save_page(owner, f"{url}?language={language}", **typed)


def test_a_colleagues_text_is_not_lost_to_an_older_page(owner: FlaskClient) -> None:
    url = "/owner/messages/visit_booked?language=en"
    older = form_on(owner.get(url).text, url)
    theirs = {"subject": "Booked", "body": "Please bring your insulin card: {link}"}
    assert save_page(owner, url, **theirs).status_code == 303
    older["subject"] = ["My own"]
    looked = owner.post(url, data=older | {"act": ["look"]})
    refused = owner.post(url, data=form_on(looked.text, url))
    assert refused.status_code == 422
    assert "Somebody changed this while you had it open" in refused.text
    assert ["insulin" in one.text for one in all_of(OwnText)] == [True]
    typed = form_on(refused.text, url)
    assert typed["subject"] == ["My own"]
    assert owner.post(url, data=typed).status_code == 303
    assert ["insulin" in one.text for one in all_of(OwnText)] == [False]


def test_a_colleagues_text_is_not_taken_away_by_an_older_page(owner: FlaskClient) -> None:
    url, back = (f"/owner/messages/visit_booked{one}?language=en" for one in ("", "/standard"))
    assert save_page(owner, url, subject="Booked").status_code == 303
    older = form_on(owner.get(url).text, back) | {"sure": ["1"]}
    assert save_page(owner, url, subject="Booked, and bring your insulin card").status_code == 303
    refused = owner.post(back, data=older)
    assert refused.status_code == 409
    assert "it was not taken away" in refused.text
    assert form_on(refused.text, url)["subject"] == ["Booked, and bring your insulin card"]
    assert len(all_of(OwnText)) == 1
    assert owner.post(back, data=form_on(refused.text, back) | {"sure": ["1"]}).status_code == 303
    assert all_of(OwnText) == []


def test_each_language_of_the_clinic_has_its_own_preview_text_and_test(
    world: w.World, owner: FlaskClient
) -> None:
    for kind in KINDS:
        shown = repr(messages.preview(kind, messages.text_of(kind, "de")[0], "de"))
        assert not re.search(r"Tuesday|Monday|Friday| pm|[^/]visits?\b|hour|minutes|Sample Clinic", shown), (
            kind
        )
    url = "/owner/messages/visit_reminder"
    page = owner.get(f"{url}?language=de").text
    assert "Erinnerung: Ihr Termin am Dienstag, 9. Juni 2026 um 14:30" in page
    assert '<div lang="de">' in page
    own = {"subject": "Bis {when}", "body": "Hallo {name}: {link}"}
    assert saved(owner, url, "de", **own).status_code == 303
    assert "your own text: <bdi>Deutsch</bdi>" in owner.get("/owner/messages").text
    assert "Reminder: your visit on Tuesday 9 June" in owner.get(url).text
    saved(owner, url, "de", **own, act="send")
    english = {"subject": "See you {when}", "body": "Hello {name}: {link}"}
    saved(owner, url, **english, act="send")
    sent = [one["Subject"] for one in sent_at(NOW) if one["To"] == "owner@people.example"]
    assert sent == ["Bis Dienstag, 9. Juni 2026 um 14:30", "See you Tuesday 9 June 2026 at 2:30 pm"]
    client = w.person(email="pat@people.example")
    with transaction() as session:
        clinic = session.scalars(select(Clinic)).one()
        clinic.language, clinic.offers_languages = "de", False
        session.get_one(Client, client).language = "en"
    page = owner.get(f"{url}?language=en").text
    assert "Bis Dienstag" in page
    assert "language=en" not in page
    with speaking_to(db.session.get_one(Client, client)):
        assert language.spoken() == "de"


def test_everybody_chooses_for_those_they_act_for_and_for_nobody_else(world: w.World, app: Flask) -> None:
    pat, other = w.person(email="pat@people.example"), w.person(email="other@people.example")
    user = make_person("pat@people.example", Role.CLIENT).id
    with transaction() as session:
        session.add(ClientAccess(user_id=user, client_id=pat, relation="self", since=NOW))
    mine = browser_of(app, "pat@people.example")
    page = mine.get("/my/messages").text
    assert "The day after" in page
    assert "SMS" not in page
    assert mine.post("/my/messages", data={"client": pat, "kind": REMINDER}).status_code == 303
    assert mine.post("/my/messages", data={"client": other, "kind": REMINDER}).status_code == 404
    mine.post("/my/messages", data={"client": pat, "kind": [REMINDER, SMS, "visit_booked"]})
    kept = {(one.client_id, one.kind): one.is_wanted for one in all_of(MessageChoice)}
    assert kept == {(pat, REMINDER): True, (pat, AFTERCARE): False}


def test_an_older_page_changes_only_what_was_changed_on_it(world: w.World, app: Flask) -> None:
    """What a mail's link switched off meanwhile, or on again, stays so."""
    pat = w.person(email="pat@people.example")
    user = make_person("pat@people.example", Role.CLIENT).id
    with transaction() as session:
        session.add(ClientAccess(user_id=user, client_id=pat, relation="self", since=NOW))
    mine, url = browser_of(app, "pat@people.example"), "/my/messages"
    link = f"/messages/stop/{choices.stop_key(Whose(client_id=pat), AFTERCARE)}"
    for act, is_wanted in (("", False), ("again", True)):
        older = form_on(mine.get(url).text, url)
        app.test_client().post(link, data={"act": act})
        ticked = {*older.get("kind", [])} ^ {REMINDER}
        assert mine.post(url, data=older | {"kind": sorted(ticked)}).status_code == 303
        kept = {one.kind: one.is_wanted for one in all_of(MessageChoice)}
        assert kept == {REMINDER: is_wanted, AFTERCARE: is_wanted}
    untouched = form_on(mine.get(url).text, url)
    assert mine.post(url, data=untouched | {"kind": []}).status_code == 303
    assert {one.is_wanted for one in all_of(MessageChoice)} == {False}


def test_the_link_in_a_mail_asks_first_and_a_mail_program_needs_one_press(
    world: w.World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)  # a mail program has no token
    pat = w.person(email="pat@people.example")
    key = choices.stop_key(Whose(client_id=pat), AFTERCARE)
    assert choices.stop_key(Whose(client_id=pat), REMINDER) is None
    anybody = app.test_client()
    url = f"/messages/stop/{key}"
    assert "Stop these mails" in anybody.get(url).text
    assert choices.wants(Whose(client_id=pat), AFTERCARE)
    assert anybody.post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    db.session.rollback()
    assert not choices.wants(Whose(client_id=pat), AFTERCARE)
    anybody.post(url, data={"act": "again"})
    db.session.rollback()
    assert choices.wants(Whose(client_id=pat), AFTERCARE)
    for wrong in (url[:-1], "/messages/stop/x", url.replace("stop/", "stop/a")):
        assert anybody.get(wrong).status_code == anybody.post(wrong).status_code == 404


def test_the_team_gets_its_morning_mails_once_without_a_name_or_treatment(world: w.World, app: Flask) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit = w.at_desk(world, client, "relaxation", when=w.at(1, 14)).visit_id
    me = make_person("me@people.example", Role.THERAPIST).id
    desk = make_person("desk@people.example", Role.FRONT_DESK).id
    with transaction() as session:
        session.get_one(Visit, visit or 0).therapist.user_id = me
        choices.choose(session, Whose(user_id=desk), DAY_OF_DESK, is_wanted=False, now=NOW)
    local = w.at(1, 7)
    assert write_digests(w.at(1, 5)) == 0
    assert [write_digests(local) for _again in range(2)] == [1, 0]
    rows = [one for one in all_of(OutgoingMail) if one.kind in (DAY_OF_DESK, DAY_OF_THERAPIST)]
    assert [(one.to, one.kind) for one in rows] == [("me@people.example", DAY_OF_THERAPIST)]
    assert "1 visit on" in rows[0].text
    assert "P.N." in rows[0].text
    for word in ("Pat", "Relaxation", "relaxation"):
        assert word not in rows[0].text
    assert "/messages/stop/" in rows[0].text


def test_staff_read_on_the_visit_what_was_sent_and_how_it_went(world: w.World, owner: FlaskClient) -> None:
    client = w.person(email="pat@people.example")
    w.sign(client)
    visit = w.at_desk(world, client, "relaxation", when=w.at(5, 14)).visit_id
    sent_at(NOW)
    with transaction() as session:
        for number, state in enumerate(ENDED):
            session.add(
                OutgoingMail(
                    key=state, kind="visit_moved", visit_id=visit, to="pat@people.example", subject="", text="",
                    due_at=NOW + number * HOUR, attempts=5, ended_as=ENDED[state],
                    trouble="refused" if state == "refused" else "",
                )
            )  # fmt: skip
    page = owner.get(f"/desk/visits/{visit}").text
    for words in (
        "Visit booked", "Sent Tuesday", "Tried 5 times. Next try", "Tried 5 times. Not delivered, last try",
        "The address does not exist", "no longer true", "Goes out Friday", "Goes out Sunday",
    ):  # fmt: skip
        assert words in page.replace("\N{NO-BREAK SPACE}", " "), words
