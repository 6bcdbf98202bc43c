"""Several consents of guardians: each counts for what it names; one that was taken back counts for nothing."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.queries.checkouts import has_consent
from clinic.booking.queries.visits import plan_of
from clinic.booking.services.people import merge_clients
from clinic.clients.models import Client
from clinic.intake.desk_forms import PaperForm
from clinic.intake.models import Consent
from clinic.intake.services import consents, intakes
from clinic.intake.views.desk import _is_good_date as is_good_date
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

SIXTEEN, FOURTEEN = dt.date(2010, 1, 1), dt.date(2012, 1, 1)
LATER = NOW + dt.timedelta(minutes=5)


def agree(client: int, *services: str, now: dt.datetime = NOW, in_room: bool = True) -> int:
    consents.give_guardian_consent(
        client, name="Ma", relation="mother", services=services, will_be_in_room=in_room, signed_on=w.TODAY,
        by=None, now=now,
    )  # fmt: skip
    return db.session.scalars(select(Consent.id).order_by(Consent.id.desc())).first() or 0


def child(born_on: dt.date = SIXTEEN) -> int:
    client = w.person(born_on=born_on)
    w.sign(client)
    return client


def test_a_consent_for_something_else_takes_nothing_back(world: w.World) -> None:
    client = child()
    agree(client, "swedish")
    assert w.at_desk(world, client, "swedish").status == "confirmed"
    agree(client, "relaxation", now=LATER)
    assert w.statuses(client) == ["confirmed"]
    assert w.at_desk(world, client, "relaxation", when=w.at(5)).status == "confirmed"
    assert w.at_desk(world, client, "sports", when=w.at(7)).status == "pending"


def test_each_consent_carries_its_own_promise_to_be_in_the_room(world: w.World) -> None:
    client = child(FOURTEEN)
    agree(client, "swedish", in_room=True)
    agree(client, "relaxation", now=LATER, in_room=False)
    assert w.at_desk(world, client, "swedish").status == "confirmed"
    assert w.at_desk(world, client, "relaxation", when=w.at(5)).status == "pending"


def test_one_that_is_taken_back_leaves_the_other(world: w.World) -> None:
    client = child()
    first = agree(client, "swedish")
    agree(client, "relaxation", now=LATER)
    w.at_desk(world, client, "swedish")
    w.at_desk(world, client, "relaxation", when=w.at(5))
    db.session.rollback()
    consents.withdraw_consent(first, client, by=None, now=LATER)
    assert w.statuses(client) == ["suspended", "confirmed"]


def test_taken_back_in_the_evening_it_does_not_count_that_evening(world: w.World) -> None:
    """20:05 in New York is the next day in Greenwich: no date is compared, taken back is taken back."""
    client = child()
    number = agree(client, "relaxation")
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(0, 18, 30)).visit_id
    db.session.rollback()
    consents.withdraw_consent(number, client, by=None, now=w.at(0, 20, 5))
    assert w.statuses(client) == ["suspended"]
    visit = db.session.get_one(Visit, visit_id)
    assert not has_consent(db.session.get_one(Client, client), visit, plan_of(visit))


@pytest.mark.usefixtures("now")
def test_a_parent_takes_it_back_on_the_own_page_and_coming_visits_wait(app: Flask, world: w.World) -> None:
    parent = factories.make_user(email="ma@people.example", roles=[Role.CLIENT])
    mine = factories.make_client(
        first_name="Mia", last_name="Ma", born_on=SIXTEEN, acts={parent.id: "parent"}
    ).id
    w.sign(mine)
    another = child()
    agree(mine, "swedish")
    agree(another, "swedish")
    kept = dict(
        db.session.execute(select(Consent.client_id, Consent.id).where(Consent.kind == "guardian"))
        .tuples()
        .all()
    )
    w.at_desk(world, mine, "swedish")
    assert w.statuses(mine) == ["confirmed"]
    db.session.rollback()
    browser, page = browser_of(app, parent), f"/my/health/{mine}"
    for one, status in ((kept[another], 404), (kept[mine], 303), (kept[mine], 303)):
        assert browser.post(f"{page}/consents/{one}/withdraw").status_code == status
    assert w.statuses(mine) == ["suspended"]
    assert db.session.scalars(select(Visit.waiting_for).where(Visit.client_id == mine)).one() == "consent"
    text = browser.get(page).text
    assert ("is taken back" in text, "not there any more" in text) == (True, True)
    assert "As parent or guardian" not in text

    visit_id = db.session.scalars(select(Visit.id).where(Visit.client_id == mine)).one()
    db.session.rollback()
    visit_page = f"/my/visits/{visit_id}"
    assert f'href="{visit_page}/consent"' in browser.get(visit_page).text
    assert browser.post(f"{visit_page}/consent", data={"guardian_name": "Ma Ma"}).status_code == 422
    agrees = {"guardian_name": "Ma Ma", "relation": "mother", "agree": "y"}
    for _again in range(2):
        assert browser.post(f"{visit_page}/consent", data=agrees).status_code == 303
    assert w.statuses(mine) == ["confirmed"]
    assert (
        len(
            db.session.scalars(
                select(Consent.id).where(Consent.client_id == mine, Consent.kind == "guardian")
            ).all()
        )
        == 2
    )


WORDS = {"treatment": "The treatment", "privacy": "Keeping these answers"}


def own_client(app: Flask) -> tuple[int, FlaskClient]:
    me = factories.make_user(email="me@people.example", roles=[Role.CLIENT])
    mine = factories.make_client(
        first_name="Ida", last_name="Iba", born_on=dt.date(1980, 1, 1), acts={me.id: "self"}
    ).id
    agree_to_all(mine)
    return mine, browser_of(app, me)


def agree_to_all(client: int, now: dt.datetime = NOW) -> None:
    """The whole form signed as its page does it: with both consents."""
    intakes.submit_intake(
        client, w.answers(), intakes.Signature("Ida Iba"), writer="client", source="online",
        consents={"treatment": {}, "privacy": {}}, by=None, now=now, today=w.TODAY,
    )  # fmt: skip


def number_of(client: int, kind: str) -> int:
    row = select(Consent.id).where(Consent.client_id == client, Consent.kind == kind)
    found = db.session.scalars(row).one()
    db.session.rollback()
    return found


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("kind", ["treatment", "privacy"])
def test_who_takes_a_consent_back_sees_before_what_follows_and_agrees_anew_by_the_whole_form(
    app: Flask, world: w.World, kind: str
) -> None:
    mine, browser = own_client(app)
    w.at_desk(world, mine, "swedish")
    agree_to_all(mine)  # a second time: one line is enough of what each signing agrees to
    page = f"/my/health/{mine}"
    asks = rf'href="({page}/consents/\d+)">Take back<span class="visually-hidden">: {WORDS[kind]}'
    (question,) = re.findall(asks, browser.get(page).text)
    before = browser.get(question).text
    assert ("1 visit is put on hold at once" in before, "Swedish massage" in before) == (True, True)
    assert ("Ask us to erase it" in before) is (kind == "privacy")
    assert w.statuses(mine) == ["confirmed"]

    assert browser.post(f"{question}/withdraw").status_code == 303
    assert w.statuses(mine) == ["suspended"]
    assert db.session.scalars(select(Visit.waiting_for)).one() == "intake"
    assert "You have taken your consent back" in browser.get(page).text
    visit_id = db.session.scalars(select(Visit.id)).one()
    assert f'action="{page}"' in browser.get(f"/my/visits/{visit_id}").text
    assert browser.get(question).status_code == 404
    assert w.at_desk(world, mine, "relaxation", when=w.at(5)).status == "pending"

    same = intakes.Signature("Ida Iba")
    intakes.confirm_still_right(mine, same, source="online", by=None, now=LATER, today=w.TODAY)
    assert w.statuses(mine) == ["suspended", "pending"]
    agree_to_all(mine, LATER)
    assert w.statuses(mine) == ["confirmed", "confirmed"]


@pytest.mark.usefixtures("now")
def test_what_one_of_two_records_took_back_is_taken_back_when_they_are_joined(
    app: Flask, world: w.World
) -> None:
    mine, browser = own_client(app)
    other = factories.make_client(first_name="Ida", last_name="Iba", born_on=dt.date(1980, 1, 1)).id
    agree_to_all(other)
    consents.withdraw_consent(number_of(other, "treatment"), other, by=None, now=LATER)
    merge_clients(mine, other, by=world.desk_id, now=LATER)
    assert w.at_desk(world, mine, "swedish").status == "pending"
    assert "You have taken your consent back" in browser.get(f"/my/health/{mine}").text


@pytest.mark.usefixtures("now")
def test_the_desk_reads_it_and_enters_no_paper_from_before(app: Flask, world: w.World) -> None:
    mine, _mine = own_client(app)
    now = NOW + dt.timedelta(days=1)
    consents.withdraw_consent(number_of(mine, "privacy"), mine, by=None, now=now)
    desk = browser_of(app, db.session.get_one(User, world.desk_id))
    assert "The consent was taken back." in desk.get(f"/clients/{mine}").text
    form = PaperForm(data={"signed_on": w.TODAY})
    form.signed_on.errors = []
    assert not is_good_date(form, mine, w.TODAY + dt.timedelta(days=2))
    assert "took the consent back after this paper" in str(form.signed_on.errors)
    form.signed_on.data, form.signed_on.errors = w.TODAY + dt.timedelta(days=1), []
    assert is_good_date(form, mine, w.TODAY + dt.timedelta(days=2))


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("kind", ["treatment", "privacy"])
def test_the_desk_takes_a_consent_back_for_somebody_on_the_telephone(
    app: Flask, world: w.World, kind: str
) -> None:
    mine, _mine = own_client(app)
    w.at_desk(world, mine, "swedish")
    unsigned = w.person(born_on=dt.date(1980, 1, 1))
    w.at_desk(world, unsigned, "relaxation", when=w.at(5))
    number = number_of(mine, kind)
    desk = browser_of(app, db.session.get_one(User, world.desk_id))
    card, question = f"/clients/{mine}", f"/clients/{mine}/consent/{number}"
    assert f'href="{question}"' in desk.get(card).text
    asked = desk.get(question).text
    assert ("1 visit is put on hold at once" in asked, f'action="{question}/withdraw"' in asked) == (
        True,
        True,
    )
    assert desk.get(f"/clients/{unsigned}/consent/{number}").status_code == 404

    for sentence in ("no longer counts", "not there any more"):  # pressed twice
        assert desk.post(f"{question}/withdraw", data={"sure": "1"}).status_code == 303
        assert sentence in desk.get(card).text
    assert w.statuses(mine) == ["suspended"]
    assert f'href="{question}"' not in desk.get(card).text
    assert desk.get(question).status_code == 404
    trace = db.session.scalars(select(AuditRow).where(AuditRow.deed == "consent.withdrawn")).one()
    assert (trace.by_user_id, trace.detail["kind"]) == (world.desk_id, kind)

    visit_id = db.session.scalars(select(Visit.id).where(Visit.client_id == mine)).one()
    db.session.rollback()
    work = desk.get("/todo").text
    assert (work.count("Consent taken back"), work.count("The health questions are not signed yet")) == (1, 1)
    assert "Consent taken back" in desk.get(f"/desk/visits/{visit_id}").text
