"""The own copy of somebody who looks like a known person says nothing of that person, nor that they are known."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import Screening
from clinic.booking.services import checkout, people
from clinic.clients.services import add_person, bar_online, create_client
from clinic.clients.steps import Details
from clinic.intake.services import intakes
from clinic.records.queries.own_copy import copy_of
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")

BORN = dt.date(1985, 5, 5)
WHO = Details("Sam", "Same", BORN, email="known@people.example", phone="(212) 555-0188")
HEART: dict[str, dict[str, object]] = {"heart_failure": {"worsening": False}}
SIGN: dict[str, dict[str, object]] = {"rf_chest_pain_breathless": {}}
Declared = dict[str, dict[str, object]]


def booked(name: str, own: Declared) -> int:
    """A person of an account of their own, with these answers, who has booked online."""
    email = f"{name.lower()}@people.example"
    user = factories.make_user(email=email, roles=[Role.CLIENT], name=f"{name} Same").id
    details = Details(name, "Same", BORN, email=email, phone="")
    mine = add_person(user, details, "self", region="US", now=NOW)
    w.sign_answers(mine, own)
    token = checkout.hold_slot(None, w.choice("swedish"), w.at(3), first_visit=True, user_id=user, now=NOW)
    checkout.choose_person(token, mine, user_id=user, now=NOW)
    checkout.confirm(token, user_id=user, now=NOW)
    db.session.rollback()
    return mine


def copies(app: Flask, name: str, client_id: int) -> tuple[object, str]:
    """The file and the page, without the numbers of rows, and as if all had the same name and therapist."""
    user = db.session.scalars(select(User).where(User.email == f"{name.lower()}@people.example")).one()
    browser = browser_of(app, user)
    page = browser.get(f"/my/people/{client_id}/data", buffered=True).text
    file = browser.get(f"/my/people/{client_id}/data.json", buffered=True).text
    db.session.rollback()
    return json.loads(_plain(file), object_hook=_without_numbers), _plain(
        page[page.index("<main") : page.index("</main")]
    )


def _plain(text: str) -> str:
    return re.sub(r"Terry \d", "Terry", re.sub(r"(?i)\b(sam|tim)\b", "Name", re.sub(r"people/\d+", "", text)))


def _without_numbers(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if not re.search(r"(^|_)ids?$", name)}


@pytest.mark.parametrize("own", [{}, HEART], ids=["nothing", "heart"])
@pytest.mark.parametrize("theirs", [{}, HEART, SIGN, None], ids=["healthy", "heart", "sign", "barred"])
def test_it_is_the_same_with_and_without_a_look_alike(
    app: Flask, world: w.World, own: Declared, theirs: Declared | None
) -> None:
    known = create_client(WHO, region="US", by=None, now=NOW)
    w.sign_answers(known, {})
    if theirs is None:
        bar_online(known, True, "Owes us", by=world.desk_id, now=NOW)
    elif theirs is SIGN:
        intakes.raise_stop(known, w.answers(**SIGN), source="online", by=None, now=NOW, today=w.TODAY)
    else:
        w.sign_answers(known, theirs)
    alike, alone = booked("Sam", own), booked("Tim", own)
    judged = dict(db.session.execute(select(Screening.client_id, Screening.permits)).tuples().all())
    assert (judged[alike], judged[alone]) == (not own and theirs == {}, not own)
    assert copies(app, "Sam", alike) == copies(app, "Tim", alone)


def test_it_stays_the_same_when_their_answers_change_and_when_it_is_settled(
    app: Flask, world: w.World
) -> None:
    """Only what the person was told themselves remains: that the visit waited, and the mails about it."""
    known = create_client(WHO, region="US", by=None, now=NOW)
    w.sign_answers(known, HEART)
    alike, alone = booked("Sam", {}), booked("Tim", {})
    w.sign_answers(known, {**HEART, "pregnancy": {"status": "confirmed"}}, now=NOW + dt.timedelta(minutes=5))
    reviewer = factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id
    count = select(Screening).where(Screening.client_id == alike)
    assert len(db.session.scalars(count).all()) == 2
    db.session.rollback()
    people.say_two_people(alike, known, by=reviewer, now=NOW + dt.timedelta(hours=1))
    assert w.statuses(alike) == ["confirmed"]
    assert [one.permits for one in db.session.scalars(count.order_by(Screening.judged_at))] == [
        False,
        False,
        True,
    ]
    db.session.rollback()
    told = [copies(app, name, one)[0] for name, one in (("Sam", alike), ("Tim", alone))]
    kept = [{table: one[table] for table in ("screening", "status_change", "client")} for one in told]  # type: ignore[index]
    assert kept[0] == kept[1]
    for one in (alike, known):  # whoever is known learns as little that somebody looks like them
        tables = {part.table: list(part.rows) for part in copy_of(one, None)}
        assert "not_same_person" not in tables
        assert "client.two_people" not in [row["deed"] for row in tables["audit_row"]]
