"""Closed answers, opened in an emergency: with a reason and the second step, for a while, never silently."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.clients.models import Client
from clinic.intake.models import AnswersOpening
from clinic.rules.answers_in_words import declared_in_words
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, db
from tests.accounts.people import PASSWORD, browser_of, code_of, mails, make_person
from tests.booking import world as w
from tests.conftest import NOW
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

WHY = "She fainted in room 2 and cannot speak"
DECLARED: dict[str, dict[str, object]] = {"diabetes": {}}


class Clinic:
    """A client with answers, and staff who do not treat them."""

    def __init__(self, app: Flask) -> None:
        app.test_client_class = Visitor
        w.build()
        self.app, self.client_id, self.other_id = app, w.person(), w.person()
        for one in (self.client_id, self.other_id):
            w.sign_answers(one, DECLARED)
        self.word = declared_in_words(w.answers(**DECLARED))[0].label

    def browser(self, email: str, role: Role) -> FlaskClient:
        make_person(email, role)
        return browser_of(self.app, email)

    def address(self, client_id: int | None = None) -> str:
        return f"/clients/{client_id or self.client_id}/closed-answers"


def test_nobodys_name_is_learned_by_trying_numbers(app: Flask) -> None:
    """Whoever searches no clients reads on the closed page only of whom they treat."""
    clinic = Clinic(app)
    client = db.session.get_one(Client, clinic.client_id)
    name = client.name
    shown = {
        role: name in clinic.browser(f"{role.value}@mail.example", role).get(clinic.address()).text
        for role in (Role.OWNER, Role.FRONT_DESK, Role.THERAPIST)
    }
    assert shown == {Role.OWNER: True, Role.FRONT_DESK: True, Role.THERAPIST: False}


def openings() -> list[tuple[str, dict[str, object]]]:
    rows = db.session.scalars(
        select(AuditRow).where(AuditRow.deed.like("answers.%")).order_by(AuditRow.sequence)
    )
    return [(row.deed, {k: v for k, v in row.detail.items() if k != "opening"}) for row in rows]


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.FRONT_DESK, Role.OWNER])
def test_reason_and_second_step_open_one_clients_answers_for_a_quarter_of_an_hour(
    app: Flask, role: Role
) -> None:
    clinic = Clinic(app)
    boss = clinic.browser("boss@mail.example", Role.OWNER)
    staff = clinic.browser("staff@mail.example", role)
    closed = staff.get(clinic.address())
    assert (closed.status_code, clinic.word in closed.text) == (200, False)
    assert openings() == []
    code = code_of("staff@mail.example")
    without = [
        {"reason": WHY},  # signed in with the second step a moment ago: it does not count
        {"reason": WHY, "proof_password": PASSWORD},
        {"reason": WHY, "proof_code": "123456"},
    ]
    for data in without:
        asked = staff.post(clinic.address(), data=data)
        assert (asked.status_code, clinic.word in asked.text, WHY in asked.text) == (422, False, True)
    assert staff.post(clinic.address(), data={"reason": "", "proof_code": code}).status_code == 422
    code = code_of("staff@mail.example")
    assert staff.post(clinic.address(), data={"reason": "x", "proof_code": code}).status_code == 422
    assert (openings(), clinic.word in staff.get(clinic.address()).text) == ([], False)
    done = staff.post(clinic.address(), data={"reason": WHY, "proof_code": code_of("staff@mail.example")})
    assert done.location == clinic.address()
    for _ in range(2):
        assert clinic.word in staff.get(clinic.address()).text
    assert openings() == [
        ("answers.opened", {}), ("answers.read", {"door": "opened"}), ("answers.read", {"door": "opened"})
    ]  # fmt: skip
    assert clinic.word not in staff.get(clinic.address(clinic.other_id)).text
    assert clinic.word not in boss.get(clinic.address()).text
    with time_machine.travel(NOW + dt.timedelta(minutes=15), tick=False):
        assert clinic.word not in staff.get(clinic.address()).text
    assert len(openings()) == 3


def test_owners_are_told_without_a_health_word_and_find_it_in_their_list(app: Flask) -> None:
    clinic = Clinic(app)
    boss = clinic.browser("boss@mail.example", Role.OWNER)
    desk = clinic.browser("desk@mail.example", Role.FRONT_DESK)
    desk.post(clinic.address(), data={"reason": WHY, "proof_code": code_of("desk@mail.example")})
    told = [one for one in mails() if one.subject == "Closed records were opened"]
    owners = db.session.scalars(select(User)).all()
    assert {one.to for one in told} == {one.email for one in owners if Role.OWNER in one.roles}
    assert "Desk" in told[0].text
    assert not any(word in told[0].text for word in ("fainted", clinic.word, "Pat Number"))
    page = boss.get("/owner/opened-answers").text
    assert "Desk" in page
    assert WHY in page
    assert clinic.word not in page
    assert desk.get("/owner/opened-answers").status_code == 403
    row = db.session.scalars(select(AnswersOpening)).one()
    assert (row.reason, row.ends_at - row.opened_at) == (WHY, dt.timedelta(minutes=15))
    kept = " ".join(
        repr(tuple(one)) for table in Base.metadata.sorted_tables for one in db.session.execute(select(table))
    )
    assert WHY not in kept


def test_clients_open_nothing_and_nobody_opens_nobody(app: Flask) -> None:
    clinic = Clinic(app)
    ann = clinic.browser("ann@mail.example", Role.CLIENT)
    assert ann.get(clinic.address()).status_code == 403
    assert ann.post(clinic.address(), data={"reason": WHY}).status_code == 403
    desk = clinic.browser("desk@mail.example", Role.FRONT_DESK)
    assert desk.get(clinic.address(987654)).status_code == 404
    data = {"reason": WHY, "proof_code": code_of("desk@mail.example")}
    assert desk.post(clinic.address(987654), data=data).status_code == 404
    assert openings() == []
