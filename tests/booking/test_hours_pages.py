"""Weekly hours on the pages: what new ones would leave outside is shown before they are saved."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.booking.models import Visit
from clinic.rules.permissions import Role
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import db
from clinic.therapists import queries
from clinic.therapists.services import set_hours_of_day
from tests.booking import world as w
from tests.conftest import NOW
from tests.diary.staff import ME, person_with, staffed
from tests.typed_forms import form_on

pytestmark = pytest.mark.usefixtures("now")


def test_new_hours_show_whom_they_leave_outside_and_wait_for_a_word(app: Flask) -> None:
    clinic = staffed(app)
    place, names = clinic.world.place_id, {}
    for day, hour, therapist in (
        (3, 10, clinic.me),
        (3, 15, clinic.me),
        (4, 10, clinic.me),
        (3, 10, clinic.other),
    ):
        client = w.person()
        w.sign(client)
        visit = w.at_desk(
            clinic.world, client, "relaxation", when=w.at(day, hour), therapist_id=therapist
        ).visit_id
        row = db.session.get_one(Visit, visit)
        names[day, hour, therapist] = row.client.name if row.client else ""
    kept = (w.at(4)).date()  # a date with hours of its own keeps them
    own = [WeeklyHours(kept.weekday(), dt.time(9), dt.time(12))]
    set_hours_of_day(clinic.me, place, kept, own, by=None, now=NOW)
    browser, desk = clinic.browser(ME), person_with(Role.FRONT_DESK)
    assert "Visits outside the hours" not in clinic.browser(desk).get("/todo").text
    assert "/diary/hours" in browser.get("/diary/me").text
    action = f"/diary/hours?place={place}"
    weekdays = {w.at(3).weekday(), kept.weekday()}
    typed = form_on(browser.get(action).text, action) | {f"work.{one}.0.starts": "12:00" for one in weekdays}
    look = browser.post(action, data=typed)
    shown = [key for key, name in names.items() if name in look.text]
    assert (look.status_code, shown) == (200, [(3, 10, clinic.me)])
    assert "Nothing is saved yet" in look.text
    assert queries.week_of(clinic.me, place)["work"][0].starts == dt.time(8)
    answer = browser.post(action, data=form_on(look.text, action) | {"act": "save"})
    assert answer.location == "/diary/me"
    assert "1 visit needs a new time." in browser.get("/diary/me").text
    todo = clinic.browser(desk).get("/todo").text
    assert "Visits outside the hours" in todo, "the desk's work"
    assert [name in todo for name in names.values()] == [True, False, False, False]
    work = {one.weekday: one.starts for one in queries.week_of(clinic.me, place)["work"]}
    assert {one for one, starts in work.items() if starts == dt.time(12)} == weekdays
    assert queries.week_of(clinic.other, place)["work"][0].starts == dt.time(8), "nobody else's"
    # Who is outside already does not ask again; a wrong week is said at its row, before any preview.
    again = form_on(browser.get(action).text, action)
    assert browser.post(action, data=again).status_code == 303
    wrong = browser.post(
        action,
        data=again | {f"break.{kept.weekday()}.0.starts": "06:00", f"break.{kept.weekday()}.0.ends": "07:00"},
    )
    assert wrong.status_code == 422
    for email, code in ((desk, 403), (person_with(Role.THERAPIST), 404)):
        other = clinic.browser(email)  # the desk may not, and who treats nobody has no hours
        assert [other.get(action).status_code, other.post(action, data=again).status_code] == [code, code]
