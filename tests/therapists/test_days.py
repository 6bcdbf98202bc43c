"""The owner's pages for hours of single dates, of a therapist and of a place, and the limits of a day."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.premises import queries as premises
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.database import db
from clinic.therapists import queries
from clinic.therapists.models import Therapist
from tests.factories import make_clinic, make_location, make_therapist
from tests.owners import deeds, owner_browser, save_page

pytestmark = pytest.mark.usefixtures("now")
TODAY = dt.date(2026, 6, 9)
DAY = dt.date(2026, 12, 24)
SPAN = {"day": "2026-12-24", "starts": "9:00", "ends": "12:00"}
MORNING = [WeeklyHours(3, dt.time(9), dt.time(12))]


def test_an_owner_sets_and_drops_the_hours_of_a_day(app: Flask) -> None:
    make_clinic()
    place, second = (make_location(zone="America/New_York", name=name).id for name in ("First", "Second"))
    ana = make_therapist(name="Ana Ruiz", skills=[]).id
    owner = owner_browser(app)
    for address, more in (
        (f"/owner/therapists/{ana}/days", {"place": str(second)}),
        (f"/owner/locations/{place}/days", {}),
    ):
        wrong = save_page(owner, address, **{**SPAN, "ends": "nine", "starts_again": "14:00"}, **more)
        assert wrong.status_code == 422
        assert wrong.text.count("Type a time such as 9:30 or 2 pm.") >= 2
        past = save_page(owner, address, **{**SPAN, "day": "2026-06-08"}, **more)
        assert (past.status_code, "This day has passed." in past.text) == (422, True)
        assert save_page(owner, address, **SPAN, **more).status_code == 303
        shown = owner.get(address).text
        assert "9:00" in shown
        assert f"{address}/2026-12-24/drop" in shown
    for nobody in ("/owner/therapists/999/days", "/owner/locations/999/days"):
        assert (owner.get(nobody).status_code, owner.post(nobody, data=SPAN).status_code) == (404, 404)
    assert queries.days_ahead(ana, TODAY) == [(DAY, second, MORNING)]
    assert premises.days_ahead(place, TODAY) == [(DAY, MORNING)]
    for address in (f"/owner/therapists/{ana}/days", f"/owner/locations/{place}/days"):
        assert owner.post(f"{address}/no-day/drop").status_code == 404
        for _twice in range(2):
            assert owner.post(f"{address}/2026-12-24/drop").status_code == 303
    assert (queries.days_ahead(ana, TODAY), premises.days_ahead(place, TODAY)) == ([], [])
    assert [deed for deed, _fields in deeds() if "day_" in deed] == [
        "therapist.day_set", "location.day_set", "therapist.day_dropped", "location.day_dropped",
    ]  # fmt: skip


def test_an_owner_sets_limits_and_rules_for_new_clients(app: Flask) -> None:
    make_clinic()
    make_location(zone="America/New_York")
    ana = make_therapist(name="Ana Ruiz", skills=[]).id
    owner = owner_browser(app)
    address = f"/owner/therapists/{ana}"
    assert save_page(owner, address, most_minutes_a_day="many").status_code == 422
    assert (
        save_page(
            owner, address, most_minutes_a_day="300", most_intense_minutes_a_day="", pause_minutes="20"
        ).status_code
        == 303
    )
    row = db.session.get_one(Therapist, ana)
    assert (row.most_minutes_a_day, row.most_intense_minutes_a_day) == (300, None)
    assert (row.most_visits_a_day, row.pause_minutes) == (None, 20)
    settings = "/owner/settings"
    for changes, sentence in (
        ({"new_lead_time_minutes": "60"}, "This cannot be shorter than for everybody."),
        ({"new_horizon_days": "90"}, "This cannot be longer than for everybody."),
        ({"gaps": "never"}, "Choose one from the list."),
    ):
        refused = save_page(owner, settings, **changes)
        assert (refused.status_code, sentence in refused.text) == (422, True), changes
    assert (
        save_page(
            owner, settings, new_lead_time_minutes="1440", new_horizon_days="30", gaps="first"
        ).status_code
        == 303
    )
    kept = premises.booking_settings()
    assert (kept.new_lead_minutes, kept.new_horizon_days, kept.gaps) == (1440, 30, "first")
    assert (kept.for_new().lead_minutes, kept.for_new().horizon_days) == (1440, 30)
    assert save_page(owner, settings, new_lead_time_minutes="", new_horizon_days="").status_code == 303
    assert not premises.booking_settings().tells_new_apart
