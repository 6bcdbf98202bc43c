"""A number in an address or a form that no row can have is a row that is not there, never a fault."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.routing.converters import NumberConverter

from clinic.rules.permissions import Role
from clinic.shared.web import PlainNumber
from tests.booking import world as w
from tests.booking.desk import desk_browser, order
from tests.factories import make_user
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")
TOO_LARGE = (
    "99999999999",
    str(2**63),
    "9" * 30,
    "9" * 5000,
)  # beyond four bytes, eight, and what int() reads


@pytest.mark.parametrize("number", TOO_LARGE, ids=len)
def test_every_address_with_an_id_survives_it(app: Flask, number: str) -> None:
    w.build()
    roles = [Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER]
    browser = browser_of(app, make_user(email="all@clinic.example", roles=roles))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if "<int:" in rule.rule and "GET" in (rule.methods or ()) and not rule.endpoint.startswith("api.")
    ]
    assert len(rules) > 10
    answers = {rule.rule: browser.get(re.sub(r"<[^>]*>", number, rule.rule)).status_code for rule in rules}
    assert {path: code for path, code in answers.items() if code not in (302, 303, 403, 404)} in (
        {},
        {"/tablet/<int:number>": 200},  # says that no tablet is handed over
    )


def test_no_address_takes_an_id_in_the_digits_of_another_script(app: Flask) -> None:
    """A program that reads addresses, as a proxy does, would take them for something else."""
    desk = desk_browser(app, w.build())
    client = w.person()
    arabic = "".join(chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + int(one)) for one in str(client))
    assert [desk.get(f"/clients/{one}").status_code for one in (client, arabic)] == [200, 404]
    numbers = [one for rule in app.url_map.iter_rules() for one in rule._converters.values()]
    assert {type(one) for one in numbers if isinstance(one, NumberConverter)} == {PlainNumber}


@pytest.mark.parametrize("number", TOO_LARGE, ids=len)
def test_ids_typed_into_queries_and_forms_survive_it(app: Flask, number: str) -> None:
    desk = desk_browser(app, w.build())
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert desk.get(f"/desk/time-off?therapist={number}").status_code == 404
    sent = order(1, "swedish", client=number)
    assert desk.post("/desk/visits/new", data=sent).status_code in (404, 409, 422)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_day_at_the_end_of_the_calendar_gets_a_sentence(app: Flask, day: str) -> None:
    world = w.build()
    client = w.person()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    sent = order(client, "swedish", day=day)
    del sent["start"]
    answer = desk_browser(app, world).post("/desk/visits/new", data=sent)
    assert answer.status_code == 422
    assert "Check the year" in answer.text
