"""What asks first: no button with a dialog leads to a deed that would act without one, and none acts unasked."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from clinic.paths import ROOT
from tests.architecture.access_table import NEEDS
from tests.architecture.doors import browser, doors, everything, some_rows
from tests.architecture.test_access import add_people, held_by

FIRST_IS_UNASKED = {
    "booking.make_my_calendar", "booking.make_diary_calendar", "booking.make_therapist_calendar"
}  # fmt: skip
BUTTON = re.compile(r'button_form\(url_for\("([\w.]+)"')


def asking(app: Flask) -> set[str]:
    """The endpoints that are declared with a question."""
    return {endpoint for endpoint, view in app.view_functions.items() if is_asking(view)}


def is_asking(view: object) -> bool:
    return getattr(getattr(view, "__code__", None), "co_name", "") == "ask_or_act"


def parts_of_call(text: str) -> list[str]:
    """What stands between the commas of the call that TEXT begins with."""
    depth, parts = 0, [""]
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and char == ")":
            break
        if depth == 1 and char == ",":
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def has_dialog(call: str) -> bool:
    """Whether it gives `confirm`, by its name or as the fourth."""
    parts = parts_of_call(call)
    return any(one.startswith("confirm=") for one in parts) or (
        len(parts) > 3 and not re.match(r"\w+=", parts[2]) and not re.match(r"\w+=", parts[3])
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_button_with_a_dialog_leads_to_a_deed_that_asks(app: Flask) -> None:
    texts = [page.read_text() for page in (ROOT / "templates").rglob("*.html")]
    with_dialog = {
        one[1] for text in texts for one in BUTTON.finditer(text) if has_dialog(text[one.start() :])
    }
    assert len(with_dialog) > 15, "they are found"
    assert with_dialog - asking(app) == {"booking.cancel_my_series", "intake.tablet_give_back"}, (
        "the one asks by itself, with all its visits; the other keeps what was typed"
    )


@pytest.mark.parametrize("kind", ["client", "therapist", "front desk", "owner"])
def test_no_deed_that_asks_is_done_unasked(demo: Flask, kind: str) -> None:
    people = add_people()
    rows = {**some_rows(demo), "user_id": people["therapist"] or 0}
    person = browser(demo, people[kind])
    for door in doors(demo, rows=rows):  # the first address of a calendar is made unasked: none is lost by it
        if door.method == "POST" and door.endpoint in FIRST_IS_UNASKED:
            person.post(door.address)
    before = everything()
    tried = [
        person.post(door.address).status_code
        for door in doors(demo, rows=rows)
        if door.endpoint in asking(demo) and NEEDS[door.endpoint] in held_by(kind)
    ]
    assert 200 in tried
    assert set(tried) <= {200, 303, 404, 409}
    assert everything() == before
