"""The owner's team: invitations, roles, switching off; everything acts on the next request."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts import services
from clinic.accounts.models import User
from clinic.rules.errors import InvalidInput, LastOwner, NotFound
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from tests.accounts.people import (
    OTHER_PASSWORD,
    browser_of,
    deeds,
    how_many,
    is_signed_in,
    key_in,
    mails,
    make_person,
    roles_of,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("premises", "now")

NEW = {"name": "Dana Desk", "email": "Dana@Mail.Example", "roles": ["front_desk"]}


@pytest.fixture
def boss(app: Flask, client: FlaskClient) -> FlaskClient:
    """The browser of an owner."""
    make_person("owner@mail.example", Role.OWNER)
    return browser_of(app, "owner@mail.example")


def find(email: str) -> User:
    return db.session.scalars(select(User).where(User.email == email)).one()


def test_invited_person_sets_a_password_and_has_the_roles(boss: FlaskClient, client: FlaskClient) -> None:
    answer = boss.post("/owner/team/new", data={**NEW, "roles": ["front_desk", "therapist"]})
    assert (answer.status_code, answer.location) == (303, "/owner/team")
    dana = find("dana@mail.example")
    assert (dana.name, dana.roles, dana.given, dana.password_hash) == (
        "Dana Desk",
        frozenset({Role.FRONT_DESK, Role.THERAPIST}),
        frozenset(),
        None,
    )
    [mail] = mails()
    assert (mail.to, mail.subject) == ("dana@mail.example", "Your account for the team")
    assert "Invited, no password yet" in boss.get("/owner/team").text
    assert client.post(f"/password/{key_in(mail)}", data={"password": OTHER_PASSWORD}).status_code == 303
    assert sign_in(client, "dana@mail.example", OTHER_PASSWORD).status_code == 303
    assert deeds() == ["signed_in", "invited", "password_set_by_link", "signed_in"]


def test_a_name_writes_no_paragraph_into_the_mail(boss: FlaskClient) -> None:
    boss.post("/owner/team/new", data={**NEW, "name": "Dana\r\n\r\nYour account is closed.\nCall us"})
    assert find("dana@mail.example").name == "Dana  Your account is closed. Call us"
    [mail] = mails()
    assert "Hello Dana  Your account is closed. Call us,\n" in mail.text


def test_second_invitation_ends_the_first(boss: FlaskClient, client: FlaskClient) -> None:
    boss.post("/owner/team/new", data=NEW)
    dana = find("dana@mail.example")
    assert boss.post(f"/owner/team/{dana.id}/invite-again").status_code == 303
    first, second = (key_in(mail) for mail in mails())
    assert client.get(f"/password/{first}").status_code == 404
    assert client.get(f"/password/{second}").status_code == 200


def test_reviewing_and_erasing_are_given_by_name(boss: FlaskClient) -> None:
    boss.post("/owner/team/new", data={**NEW, "clinical_review": "y"})
    dana = find("dana@mail.example")
    assert dana.given == {Permission.CLINICAL_REVIEW}
    assert dana.may(Permission.CLINICAL_REVIEW)
    assert re.search(
        r'name="clinical_review"[^>]* checked|checked[^>]* name="clinical_review"',
        boss.get(f"/owner/team/{dana.id}").text,
    )
    boss.post(f"/owner/team/{dana.id}", data={"roles": ["front_desk"], "may_erase": "y"})
    assert find("dana@mail.example").given == {Permission.CLIENT_ANY_ERASE}
    assert "Erases clients" in boss.get("/owner/team").text
    boss.post(f"/owner/team/{dana.id}", data={"roles": ["front_desk"]})
    assert find("dana@mail.example").given == frozenset()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"email": ""}, "email"),
        ({"email": "dana"}, "email"),
        ({"roles": []}, "roles"),
        ({"roles": ["client"]}, "roles"),
        ({"roles": ["front_desk", "superuser"]}, "roles"),
        ({"email": "owner@mail.example"}, "email"),
    ],
)
def test_refused_invitation_says_why_at_its_field_and_keeps_the_rest(
    boss: FlaskClient, changed: dict[str, object], field: str
) -> None:
    answer = boss.post("/owner/team/new", data={**NEW, **changed, "role": "owner", "is_active": "0"})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    kept = {"name": "Dana Desk", "email": "Dana@Mail.Example"}
    for name in kept.keys() - changed.keys():
        assert f'value="{kept[name]}"' in answer.text
    assert how_many(User) == 1
    assert mails() == []


def test_clients_account_joins_the_team_with_a_new_longer_password(
    app: Flask, boss: FlaskClient, client: FlaskClient
) -> None:
    make_person("dana@mail.example", Role.CLIENT)
    theirs = browser_of(app, "dana@mail.example")
    boss.post("/owner/team/new", data=NEW)
    assert not is_signed_in(theirs)
    assert find("dana@mail.example").roles == {Role.CLIENT, Role.FRONT_DESK}
    assert sign_in(client, "dana@mail.example").status_code == 422
    [mail] = mails("Your account for the team")
    assert client.post(f"/password/{key_in(mail)}", data={"password": "kettle on moor"}).status_code == 422


def test_changed_role_acts_on_the_next_request(app: Flask, boss: FlaskClient) -> None:
    dana = make_person("dana@mail.example", Role.FRONT_DESK)
    theirs = browser_of(app, "dana@mail.example")
    assert theirs.get("/owner/team").status_code == 403
    assert boss.post(f"/owner/team/{dana.id}", data={"roles": ["owner"]}).status_code == 303
    assert theirs.get("/owner/team").status_code == 200
    boss.post(f"/owner/team/{dana.id}", data={"roles": ["therapist"]})
    assert theirs.get("/owner/team").status_code == 403
    detail = db.session.scalars(select(AuditRow.detail).order_by(AuditRow.sequence.desc())).first()
    assert detail == {"roles": "therapist", "given": ""}


def test_switched_off_person_is_out_on_the_next_request(
    app: Flask, boss: FlaskClient, client: FlaskClient
) -> None:
    dana = make_person("dana@mail.example", Role.FRONT_DESK)
    theirs = browser_of(app, "dana@mail.example")
    client.post("/password/forgot", data={"email": "dana@mail.example"})
    assert boss.post(f"/owner/team/{dana.id}/off", data={"sure": "1"}).status_code == 303
    assert not is_signed_in(theirs)
    assert sign_in(client, "dana@mail.example").status_code == 422
    assert client.get(f"/password/{key_in(mails()[0])}").status_code == 404
    assert boss.post(f"/owner/team/{dana.id}/invite-again").status_code == 303
    assert len(mails("Your account for the team")) == 0
    assert boss.post(f"/owner/team/{dana.id}/on").status_code == 303
    assert not is_signed_in(theirs)  # the old session stays ended
    assert sign_in(client, "dana@mail.example").status_code == 303
    assert deeds()[-3:] == ["switched_off", "switched_on", "signed_in"]


@pytest.mark.parametrize("others", [[], [{"is_active": False}], [{"password": None}]])
def test_last_owner_stays(boss: FlaskClient, others: list[dict[str, Any]]) -> None:
    for values in others:
        make_person("second@mail.example", Role.OWNER, **values)
    owner = find("owner@mail.example")
    answer = boss.post(f"/owner/team/{owner.id}/off", data={"sure": "1"})
    assert answer.location == f"/owner/team/{owner.id}"
    assert "The clinic needs at least one owner." in boss.get(answer.location).text
    answer = boss.post(f"/owner/team/{owner.id}", data={"roles": ["front_desk"]})
    assert answer.status_code == 422
    assert "The clinic needs at least one owner." in answer.text
    assert (find("owner@mail.example").is_active, roles_of(owner.id)) == (True, {Role.OWNER})


def test_one_of_two_owners_may_leave(boss: FlaskClient) -> None:
    second = make_person("second@mail.example", Role.OWNER)
    assert boss.post(f"/owner/team/{second.id}/off", data={"sure": "1"}).status_code == 303
    assert not find("second@mail.example").is_active


def test_two_owners_cannot_remove_each_other_at_once(app: Flask, now: datetime) -> None:
    first = make_person("first@mail.example", Role.OWNER).id
    second = make_person("second@mail.example", Role.OWNER).id

    def remove(pair: tuple[int, int]) -> bool:
        with app.app_context():
            try:
                services.switch_off(pair[0], by=pair[1], now=now)
            except LastOwner:
                return False
            return True

    with ThreadPoolExecutor(2) as threads:
        removed = list(threads.map(remove, [(first, second), (second, first)]))
    assert sorted(removed) == [False, True]


@pytest.mark.parametrize("deed", ["", "/off", "/on", "/invite-again", "/let-try-again"])
def test_clients_and_nobody_are_not_in_the_team(boss: FlaskClient, deed: str) -> None:
    ann = make_person("ann@mail.example", Role.CLIENT)
    for number in (ann.id, 999_999):
        answer = boss.post(f"/owner/team/{number}{deed}", data={"roles": ["owner"]})
        assert answer.status_code == 404
    assert boss.get(f"/owner/team/{ann.id}").status_code == 404
    assert "ann@mail.example" not in boss.get("/owner/team").text
    assert roles_of(ann.id) == {Role.CLIENT}


@pytest.mark.parametrize("count", [1, 3])
def test_team_page_asks_a_fixed_number_of_questions(app: Flask, boss: FlaskClient, count: int) -> None:
    from sqlalchemy import event

    for number in range(count):
        make_person(f"p{number}@mail.example", Role.THERAPIST)
    asked: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    shown, _locked = boss.get("/owner/team").text.split("</main>")  # the lock names who is signed in
    assert shown.count("@mail.example") == count + 1
    event.remove(db.engine, "before_cursor_execute", note)
    assert len([one for one in asked if one.startswith("SELECT")]) == 8


@pytest.mark.parametrize("service", [services.switch_off, services.switch_on])
def test_services_know_only_the_team(app: Flask, now: datetime, service: object) -> None:
    ann = make_person("ann@mail.example", Role.CLIENT)
    assert callable(service)
    with pytest.raises(NotFound):
        service(ann.id, by=1, now=now)


def test_services_give_staff_roles_only(app: Flask, now: datetime) -> None:
    desk = make_person("desk@mail.example", Role.FRONT_DESK)
    for roles in ([], [Role.CLIENT], [Role.OWNER, Role.ANYONE]):
        with pytest.raises(InvalidInput):
            services.change_member(desk.id, roles, [], by=1, now=now)
    services.change_member(desk.id, [Role.OWNER], [Permission.CLINIC_ANY_WRITE], by=1, now=now)
    assert find("desk@mail.example").given == frozenset()
