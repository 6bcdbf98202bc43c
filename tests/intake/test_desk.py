"""The health questions at the desk: typed in, from paper, on the tablet; and never shown again at the desk."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from clinic.accounts.models import UserSession
from clinic.booking.services import people
from clinic.intake import queries
from clinic.intake.models import HealthStop, Intake
from clinic.rules import questionnaire
from clinic.shared.database import db
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import book
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")

CANARY = "Zanzibaramycin"
STABLE = {"med_class": "anticoagulant", "medication": CANARY, "stable_3_months": True, "bruising": False}
COUNT = len(questionnaire.pages("intake"))


def answer_no(browser: FlaskClient, address: str) -> None:
    """Go through every page with "none of these"."""
    for number, page in enumerate(questionnaire.pages("intake"), start=1):
        answer = browser.post(f"{address}/{number}", data={f"none.{page.key}": "1"})
        assert answer.status_code == 303, answer.text


def page_of(condition: str) -> int:
    pages = questionnaire.pages("intake")
    return next(n for n, page in enumerate(pages, 1) if condition in [one.key for one in page.conditions])


def landed(browser: FlaskClient, address: str) -> TestResponse:
    """The page that is shown in the end, after every redirect."""
    answer = browser.get(address)
    for _ in range(4):
        if answer.status_code != 303:
            break
        answer = browser.get(answer.location)
    return answer


def newest(client_id: int) -> Intake:
    db.session.rollback()
    row = queries.newest(client_id)
    assert row is not None
    return row


def test_typed_in_at_the_desk_it_confirms_what_waited(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    book(desk, client, "relaxation")
    assert w.statuses(client) == ["pending"]
    begin = desk.post(f"/clients/{client}/intake", data={"source": "desk"})
    assert begin.location == f"/clients/{client}/intake/desk/1"
    answer_no(desk, f"/clients/{client}/intake/desk")
    signed = desk.post(
        f"/clients/{client}/intake/desk/sign", data={"name": "Pat Number", "treatment": "y", "privacy": "y"}
    )
    assert signed.status_code == 303, signed.text
    assert w.statuses(client) == ["confirmed"]
    row = newest(client)
    assert (row.source, row.recorded_by_id, row.signature["name"]) == ("desk", world.desk_id, "Pat Number")


def test_an_update_starts_from_empty_questions_and_shows_no_earlier_answer(
    world: w.World, desk: FlaskClient
) -> None:
    client = w.person()
    w.sign(client, blood_thinners=STABLE)
    desk.post(f"/clients/{client}/intake", data={"source": "desk"})
    for number in range(1, COUNT + 1):
        page = desk.get(f"/clients/{client}/intake/desk/{number}").text
        assert re.search(r'type="(radio|checkbox)"', page), "a page of questions"
        assert CANARY not in page
        assert not re.search(r'type="radio"[^>]* checked', page)


def test_typed_in_after_booking_it_takes_a_confirmation_away(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "swedish")
    assert w.statuses(client) == ["confirmed"]
    address = f"/clients/{client}/intake/desk"
    desk.post(f"/clients/{client}/intake", data={"source": "desk"})
    answer_no(desk, address)
    number = page_of("heart_failure")
    page = questionnaire.pages("intake")[number - 1]
    form = {f"c.{one.key}": "no" for one in page.conditions}
    form |= {"c.heart_failure": "yes", "f.heart_failure.worsening": "no"}
    assert desk.post(f"{address}/{number}", data=form).status_code == 303
    desk.post(f"{address}/sign", data={"name": "Pat Number", "treatment": "y", "privacy": "y"})
    assert w.statuses(client) == ["suspended"]
    visit = book(desk, client, "swedish", when=w.at(5))
    assert "Waiting for a doctor" in desk.get(visit.location).text


def test_a_warning_sign_typed_in_is_read_out_and_takes_every_visit_back(
    world: w.World, desk: FlaskClient
) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation")
    desk.post(f"/clients/{client}/intake", data={"source": "desk"})
    number = page_of("rf_saddle_numbness")
    page = desk.post(f"/clients/{client}/intake/desk/{number}", data={"c.rf_saddle_numbness": "yes"})
    assert page.status_code == 200
    assert "Read this out" in page.text
    assert w.statuses(client) == ["cancelled"]
    assert len(db.session.scalars(select(HealthStop)).all()) == 1
    assert book(desk, client, "relaxation", when=w.at(4)).status_code == 409
    assert "Nothing can be booked at the moment" in desk.get(f"/clients/{client}").text


@pytest.mark.parametrize(
    ("signed_on", "status"),
    [
        ("2026-06-09", 303),
        ("2026-05-20", 303),
        ("2026-06-10", 422),
        ("2026-01-01", 422),
        ("", 422),
        ("x", 422),
    ],
)
def test_paper_counts_from_the_day_it_was_signed(
    world: w.World, desk: FlaskClient, signed_on: str, status: int
) -> None:
    client = w.person()
    desk.post(f"/clients/{client}/intake", data={"source": "paper"})
    answer_no(desk, f"/clients/{client}/intake/paper")
    assert desk.get(f"/clients/{client}/intake/paper/sign").status_code == 200
    form = {"name": "Pat Number", "signed_on": signed_on, "treatment": "y", "privacy": "y"}
    answer = desk.post(f"/clients/{client}/intake/paper/sign", data=form)
    assert answer.status_code == status
    if status == 303:
        row = newest(client)
        assert (row.source, row.completed_on.isoformat()) == ("paper", signed_on)
    else:
        assert queries.newest(client) is None
        assert 'value="Pat Number"' in answer.text


def paper_to_sign(desk: FlaskClient, client: int) -> dict[str, str]:
    """A paper with a heart failure on it, copied; what its page for the signature sends."""
    base = f"/clients/{client}/intake/paper"
    desk.post(f"/clients/{client}/intake", data={"source": "paper"})
    walk.answer(desk, {"heart_failure": {"worsening": False}}, base)
    page = desk.get(f"{base}/sign")
    assert "Every question: no." not in page.text
    hidden = {name: walk.hidden(page, name) for name in ("whose", "shown")}
    return {
        "name": "Pat Number",
        "signed_on": w.TODAY.isoformat(),
        "treatment": "y",
        "privacy": "y",
        **hidden,
    }


def test_a_paper_is_signed_as_its_page_showed_it(world: w.World, desk: FlaskClient) -> None:
    """And not as a second tab has changed it meanwhile: nobody looked at that."""
    client = w.person()
    base, form = f"/clients/{client}/intake/paper", paper_to_sign(desk, client)
    number = page_of("heart_failure")
    seen = {"seen": walk.hidden(desk.get(f"{base}/{number}"), "seen")}
    desk.post(f"{base}/{number}", data={f"none.{questionnaire.pages('intake')[number - 1].key}": "1", **seen})
    answer = desk.post(f"{base}/sign", data=form)
    assert (answer.status_code, answer.location) == (303, f"{base}/sign")
    assert queries.newest(client) is None
    page = desk.get(f"{base}/sign")
    assert "in another tab" in page.text
    assert desk.post(f"{base}/sign", data=form | {"shown": walk.hidden(page, "shown")}).status_code == 303
    assert newest(client).answers["heart_failure"] == {"present": False}


def test_a_paper_signs_nothing_of_a_record_that_was_joined_meanwhile(
    world: w.World, desk: FlaskClient
) -> None:
    client, other = w.person(), w.person()
    w.sign(other, now=NOW - dt.timedelta(days=30), pregnancy={"not_sure": True})
    form = paper_to_sign(desk, client)
    db.session.rollback()
    people.merge_clients(other, client, by=world.desk_id, now=NOW)
    answer = desk.post(f"/clients/{client}/intake/paper/sign", data=form)
    assert (answer.status_code, newest(other).version) == (303, 1)
    assert "were joined meanwhile" in landed(desk, answer.location or "").text


def test_paper_older_than_signed_answers_is_refused(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    desk.post(f"/clients/{client}/intake", data={"source": "paper"})
    answer_no(desk, f"/clients/{client}/intake/paper")
    form = {"name": "Pat Number", "signed_on": "2026-06-01", "treatment": "y", "privacy": "y"}
    assert desk.post(f"/clients/{client}/intake/paper/sign", data=form).status_code == 422
    assert newest(client).version == 1


def test_paper_with_a_question_left_open_cannot_be_signed(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    desk.post(f"/clients/{client}/intake", data={"source": "paper"})
    form = {"name": "Pat Number", "signed_on": "2026-06-09", "treatment": "y", "privacy": "y"}
    answer = desk.post(f"/clients/{client}/intake/paper/sign", data=form)
    assert (answer.status_code, queries.newest(client)) == (303, None)
    assert answer.location == f"/clients/{client}/intake/paper/1"


def test_the_blank_form_asks_every_question(world: w.World, desk: FlaskClient) -> None:
    page = desk.get("/intake/blank").text
    asked = [one for page_ in questionnaire.pages("intake") for one in page_.conditions]
    assert page.count("paper-q") == len(asked)


def test_the_tablet_is_signed_out_and_opens_one_clients_questions_only(
    world: w.World, desk: FlaskClient
) -> None:
    client, other = w.person(), w.person()
    answer = desk.post(f"/clients/{client}/tablet")
    assert (answer.status_code, answer.location) == (303, "/tablet")
    db.session.rollback()
    assert db.session.scalars(select(UserSession.ended_at)).one() is not None
    welcome = desk.get("/tablet").text
    assert "Are you Pat Number" in welcome
    for address in ("/desk", "/", f"/clients/{client}", f"/clients/{other}/intake", "/sign-in", "/services"):
        assert landed(desk, address).request.path == "/tablet", address
    links = set(re.findall(r'<a [^>]*href="(/[^"]*)"', welcome))
    assert links == {"/tablet", "/tablet/1"}
    answer_no(desk, "/tablet")
    end = desk.post("/tablet/sign", data={"name": "Pat Number", "treatment": "y", "privacy": "y"})
    assert end.location == "/tablet"
    assert (newest(client).source, newest(client).recorded_by_id) == ("tablet", None)
    for _again in range(2):  # it says how it ended, after a reload as well
        assert "Your answers are signed." in desk.get("/tablet").text
    assert desk.get("/desk").status_code == 303
    assert desk.get("/services").location == "/tablet"  # locked, until somebody of the team signs in


def test_the_tablets_pass_runs_out(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    desk.post(f"/clients/{client}/tablet")
    with time_machine.travel(NOW + dt.timedelta(minutes=46), tick=False):
        page = desk.post("/tablet/1", data={})
    assert "no questions open" in page.text


def test_a_warning_sign_on_the_tablet_ends_it(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    desk.post(f"/clients/{client}/tablet")
    page = desk.post(f"/tablet/{page_of('rf_saddle_numbness')}", data={"c.rf_saddle_numbness": "yes"})
    assert "front desk now" in page.text
    again = desk.get(
        "/tablet/1"
    ).text  # no question any more; the warning stays until staff take the tablet back
    assert ("front desk now" in again, "c.rf_" in again) == (True, False)


def test_a_guardians_signed_consent_confirms_and_taking_it_back_suspends(
    world: w.World, desk: FlaskClient
) -> None:
    child = w.person(born_on=dt.date(2009, 5, 5))
    w.sign(child)
    book(desk, child, "relaxation")
    assert w.statuses(child) == ["pending"]
    assert "Not agreed in writing yet" in desk.get(f"/clients/{child}").text
    form = {
        "guardian_name": "Mo Number",
        "relation": "mother",
        "services": ["relaxation"],
        "signed_on": "2026-06-09",
    }
    mistakes: list[dict[str, object]] = [
        {"services": []},
        {"signed_on": "2026-06-20"},
        {"guardian_name": ""},
        {"services": ["x"]},
    ]
    for wrong in mistakes:
        assert desk.post(f"/clients/{child}/consent", data={**form, **wrong}).status_code == 422
    assert desk.post(f"/clients/{child}/consent", data=form).status_code == 303
    assert w.statuses(child) == ["confirmed"]
    page = desk.get(f"/clients/{child}/consent").text
    assert "Mo Number" in page
    address = re.findall(rf"/clients/{child}/consent/\d+/withdraw", page)[0]
    desk.post(address, data={"sure": "1"})
    assert w.statuses(child) == ["suspended"]


def test_no_page_of_the_desk_shows_an_answer(app: Flask, world: w.World, desk: FlaskClient) -> None:
    client = factories.make_client(
        first_name="Ann", last_name="Same", born_on=dt.date(1980, 4, 1), email="ann@people.example"
    ).id
    other = factories.make_client(first_name="Ann", last_name="Same", born_on=dt.date(1980, 4, 1)).id
    w.sign(client, blood_thinners=STABLE)
    booked = book(desk, client, "relaxation").location
    w.sign(client, blood_thinners={**STABLE, "stable_3_months": False})
    w.sign(other, blood_thinners={**STABLE, "medication": f"{CANARY} forte"})
    refused = book(desk, client, "deep_tissue", when=w.at(4), areas=("lower_back",))
    visit = re.sub(r".*?/desk", "/desk", booked)
    addresses = [
        "/desk?day=2026-06-12", "/desk?day=2026-06-12&view=list", "/todo", "/clients?q=ann", f"/clients/{client}",
        f"/clients/{client}/edit", f"/clients/{client}/intake", f"/clients/{client}/consent",
        f"/clients/{client}/compare/{other}", "/clients/duplicates", visit, f"{visit}/change", f"{visit}/cancel",
        f"/desk/visits/new?client={client}", "/intake/blank", f"/clients/{client}/intake/desk/1",
        f"/clients/{client}/intake/desk/sign",
    ]  # fmt: skip
    pages = [landed(desk, address) for address in addresses]
    assert [page.status_code for page in pages] == [200] * len(addresses)
    assert refused.status_code == 409
    for page in (*pages, refused):
        assert CANARY not in page.text, page.request.path
        if page.request.path not in ("/intake/blank", f"/clients/{client}/intake/desk/1"):
            assert "blood thinner" not in page.text.lower(), page.request.path


@pytest.mark.parametrize("source", ["desk", "paper"])
def test_pressed_twice_it_is_signed_once_and_nobody_is_asked_again(
    world: w.World, desk: FlaskClient, source: str
) -> None:
    client = w.person()
    base = f"/clients/{client}/intake/{source}"
    desk.post(f"/clients/{client}/intake", data={"source": source})
    walk.answer(desk, {}, base)
    data = {"name": "Pat Number", "treatment": "y", "privacy": "y", "signed_on": w.TODAY.isoformat()}
    answers = [desk.post(f"{base}/sign", data=data) for _ in range(2)]
    assert [one.location for one in answers] == [f"/clients/{client}"] * 2
    db.session.rollback()
    assert len(queries.versions(client)) == 1
    with time_machine.travel(NOW + dt.timedelta(minutes=3), tick=False):
        assert desk.post(f"{base}/sign", data=data).location == f"{base}/1", "a new round begins"
