"""Opening hours of a place on the pages: what new ones would leave outside is shown before they are saved."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.booking.models import Visit
from clinic.premises import queries
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests.booking import world as w
from tests.diary.staff import person_with, staffed
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")


def test_new_opening_hours_show_whom_they_leave_outside_and_wait_for_a_word(app: Flask) -> None:
    clinic = staffed(app)
    place, names = clinic.world.place_id, []
    for ahead, hour in ((3, 10), (3, 15), (4, 10)):
        client = w.person()
        w.sign(client)
        made = w.at_desk(clinic.world, client, "relaxation", when=w.at(ahead, hour), therapist_id=clinic.me)
        row = db.session.get_one(Visit, made.visit_id)
        names.append(row.client.name if row.client else "")
    owner, desk = clinic.browser(person_with(Role.OWNER)), clinic.browser(person_with(Role.FRONT_DESK))

    def shown(text: str) -> list[int]:
        return [index for index, name in enumerate(names) if name in text]

    def listed() -> list[int]:
        todo = desk.get("/todo").text
        return shown(todo) if "Visits outside the hours" in todo else []

    # One day: from noon on.
    days, day = f"/owner/locations/{place}/days", w.at(4).date()
    typed = {"day": day.isoformat(), "starts": "12:00", "ends": "18:00"}
    look = owner.post(days, data=form_on(owner.get(days).text, days) | typed)
    assert (look.status_code, shown(look.text), "Nothing is saved yet" in look.text) == (200, [2], True)
    assert (queries.days_ahead(place, day), listed()) == ([], [])
    assert owner.post(days, data=form_on(look.text, days) | typed | {"act": "save"}).status_code == 303
    assert "1 visit needs a new time." in owner.get(days).text
    assert ([one for one, _ in queries.days_ahead(place, day)], listed()) == ([day], [2])

    # The week: the other weekday opens at noon, the day with hours of its own keeps them.
    hours, weekday = f"/owner/locations/{place}/hours", w.at(3).weekday()
    noon = form_on(owner.get(hours).text, hours) | {f"work.{weekday}.0.starts": "12:00"}
    look = owner.post(hours, data=noon)
    assert (look.status_code, shown(look.text)) == (200, [0])
    assert {one.starts for one in queries.week_of(place)} == {dt.time(8)}
    assert owner.post(hours, data=form_on(look.text, hours) | {"act": "save"}).status_code == 303
    assert [one.weekday for one in queries.week_of(place) if one.starts == dt.time(12)] == [weekday]
    assert listed() == [0, 2]
    again = form_on(owner.get(hours).text, hours)
    assert owner.post(hours, data=again).status_code == 303, "who is outside already does not ask again"

    # The day's own hours taken away: its visit lies in the week again.
    drop = f"{days}/{day.isoformat()}/drop"
    assert owner.post(drop, data=form_on(owner.get(days).text, drop)).status_code == 303
    assert "hold again" in owner.get(days).text
    assert listed() == [0]
