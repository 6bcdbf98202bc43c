"""Which massage suits me: with and without a known person, on both databases."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.booking.services.suggesting import suggest
from clinic.intake.services import intakes
from clinic.rules.goals import BY_KEY
from tests.booking import world as w
from tests.conftest import NOW

NUMBERS = {key: str(number) for number, key in enumerate(BY_KEY, start=1)}


@pytest.fixture
def world(app: Flask) -> w.World:
    return w.build(therapists=1)


def test_without_a_person_the_table_speaks(world: w.World) -> None:
    found = suggest(BY_KEY["knots"], None, day=w.TODAY)
    assert [one.service for one in found.advice.suggestions] == [
        "deep_tissue",
        "decompression_vacuum",
        "sports",
    ]
    assert (found.knows_person, found.advice.fallen_out) == (False, ())


def test_what_is_not_safe_for_the_person_falls_out_with_its_reason(world: w.World) -> None:
    client = w.person()
    w.sign(client, clotting_tendency={"type": "factor V Leiden"})
    found = suggest(BY_KEY["knots"], client, day=w.TODAY)
    assert found.knows_person
    assert found.advice.suggestions == ()
    assert found.advice.fallen_out == ("decompression_vacuum", "deep_tissue", "sports")
    assert all(found.reasons[key] for key in found.advice.fallen_out)


def test_only_the_named_places_are_judged_where_a_service_is_given_on_some(world: w.World) -> None:
    client = w.person()
    w.sign(client, eczema_psoriasis={"status": "flare", "site": ["left_forearm"]})
    everywhere = suggest(BY_KEY["knots"], client, day=w.TODAY)
    on_the_leg = suggest(BY_KEY["knots"], client, day=w.TODAY, areas=("right_leg",))
    on_the_arm = suggest(BY_KEY["knots"], client, day=w.TODAY, areas=("left_arm",))
    assert "deep_tissue" in [one.service for one in on_the_leg.advice.suggestions]
    assert [len(one.advice.suggestions) for one in (everywhere, on_the_arm)] == [0, 0]


def test_the_page_carries_the_named_places_on(world: w.World, client: FlaskClient, now: object) -> None:
    page = client.get(f"/which-massage?goal={NUMBERS['knots']}&areas=right_leg&areas=nonsense")
    assert "/book/deep_tissue?areas=right_leg" in page.text
    assert "nonsense" not in page.text
    assert "areas=" not in client.get(f"/which-massage?goal={NUMBERS['calm']}").text


def test_asked_without_a_goal_the_page_says_what_is_missing(world: w.World, client: FlaskClient) -> None:
    assert "Choose what you are after." in client.get("/which-massage?show=y&areas=right_leg").text
    assert [
        "Choose what you are after." in client.get(address).text
        for address in (
            "/which-massage",
            "/which-massage?areas=right_leg",
            f"/which-massage?show=y&goal={NUMBERS['calm']}",
        )
    ] == [False, False, False]


def test_somebody_without_answers_is_not_guessed_about(world: w.World) -> None:
    assert not suggest(BY_KEY["calm"], w.person(), day=w.TODAY).knows_person


def test_a_warning_sign_stands_against_all(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    intakes.raise_stop(
        client, w.answers(rf_saddle_numbness={}), source="online", by=None, now=NOW, today=w.TODAY
    )
    found = suggest(BY_KEY["calm"], client, day=w.TODAY)
    assert found.stopped
    assert found.advice.suggestions == ()


@pytest.mark.parametrize("goal", ["", *BY_KEY, "nonsense"])
def test_the_page_answers_for_every_goal(world: w.World, client: FlaskClient, now: object, goal: str) -> None:
    page = client.get("/which-massage", query_string={"goal": NUMBERS.get(goal, goal), "person": "12345"})
    assert page.status_code == 200
    assert ("Left out" in page.text) is False
    assert ("Our first suggestion" in page.text) == (
        goal in BY_KEY and goal not in {"after_injury", "after_operation", "heavy_legs"}
    )


def test_no_address_says_what_somebody_is_after(world: w.World, client: FlaskClient) -> None:
    """A link, a log or the browser's list of pages would tell of an operation or of pain."""
    page = client.get("/which-massage").text
    assert [key for key in BY_KEY if f'value="{key}"' in page] == []
    for key in BY_KEY:
        assert "Our first suggestion" not in client.get(f"/which-massage?goal={key}").text
