"""Marks on the body chart at the gate: drawn area by area, ticked as a group, through every page, kept sealed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from clinic.booking.models import Screening
from clinic.intake import queries as intake
from clinic.intake.services import intakes
from clinic.rules.body_areas import expand
from clinic.shared.database import db
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

CHART = walk.number_of("chart")


def marks(client_id: int, desk: FlaskClient, kind: str, areas: list[str]) -> None:
    """The desk types in a whole intake with this page of the chart."""
    address = f"/clients/{client_id}/intake/desk"
    desk.post(f"/clients/{client_id}/intake", data={"source": "desk"})
    for number in range(1, CHART):
        desk.post(f"{address}/{number}", data=walk.page_form(number, {}))
    other = {"chart_pain": "chart_avoid", "chart_avoid": "chart_pain"}[kind]
    form = {f"c.{kind}": "yes", f"f.{kind}.site": areas, f"c.{other}": "no"}
    assert desk.post(f"{address}/{CHART}", data=form).location.endswith("/sign")
    assert "left" in desk.get(f"{address}/sign").text.lower()
    signed = desk.post(f"{address}/sign", data={"name": "Pat Number", "treatment": "y", "privacy": "y"})
    assert signed.location == f"/clients/{client_id}"


ASKED = (("left_knee", "left_foot"), ("left_knee", "right_knee"), ("full_body",), ("right_leg",))


def judged(
    world: w.World, client_id: int, service: str = "swedish"
) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the gate said to each of these requests, on a day each: the outcome, and the places that are drawn."""
    for day, areas in enumerate(ASKED, start=3):
        w.at_desk(world, client_id, service, when=w.at(day), areas=areas)
    db.session.rollback()
    kept = db.session.scalars(
        select(Screening).where(Screening.client_id == client_id).order_by(Screening.day)
    )
    return [
        (
            row.outcome,
            [(place["rule"], str(sorted(expand(place["areas"])))) for place in row.findings["places"]],
        )
        for row in kept
    ]


def test_an_area_that_was_drawn_acts_as_the_same_area_that_was_ticked(app: Flask, world: w.World) -> None:
    desk = desk_browser(app, world)
    drawn, signed = w.person(), w.person()
    marks(drawn, desk, "chart_avoid", sorted(expand(["left_leg"])))
    w.sign(signed, chart_avoid={"site": ["left_leg"]})
    found = [judged(world, client) for client in (drawn, signed)]
    assert found[0] == found[1]
    assert [outcome for outcome, _places in found[0]] == ["refuse", *["allow_flag_therapist"] * 3]
    assert {rule for _outcome, places in found[0] for rule, _areas in places} == {"chart_avoid"}
    assert w.statuses(signed) == ["confirmed"] * 3


def test_marks_are_sealed_kept_with_the_answers_and_go_on_until_the_person_says_otherwise(
    app: Flask, world: w.World
) -> None:
    desk = desk_browser(app, world)
    client = w.person()
    marks(client, desk, "chart_pain", ["left_knee", "lower_back"])
    first = intake.newest(client)
    assert first is not None
    assert first.answers["chart_pain"] == {"present": True, "site": ["lower_back", "left_knee"]}
    raw = db.session.scalar(text("SELECT answers_sealed FROM intake"))
    assert b"knee" not in bytes(raw)
    # A program that does not know the chart hands in a whole intake without it.
    answers = {key: one for key, one in w.answers().items() if not key.startswith("chart_")}
    intakes.submit_intake(
        client, answers, w.signature(client), writer="api", source="desk", consents={}, by=None,
        now=NOW, today=w.TODAY,
    )  # fmt: skip
    second = intake.newest(client)
    assert second is not None
    assert (second.version, second.softens) == (2, False)
    assert second.answers["chart_pain"] == first.answers["chart_pain"]
    w.sign(client)  # every question with "no", the chart too: nobody has to look at that
    third = intake.newest(client)
    assert third is not None
    assert (third.softens, third.answers["chart_pain"]["present"]) == (False, False)


def test_who_asks_for_nothing_but_what_is_not_to_be_touched_reads_why_and_what_helps(
    app: Flask, world: w.World
) -> None:
    app.test_client_class = Visitor
    declared = {"chart_avoid": {"site": ["lower_back"]}}
    page = walk.book(
        app.test_client(), "decompression_vacuum", declared=declared, where="parts", areas="lower_back"
    )
    assert "You told us: Please do not touch" in page.text
    assert "Choose another part of the body, or change this mark" in page.text
