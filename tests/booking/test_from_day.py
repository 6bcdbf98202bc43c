"""“From 21 June on it may be possible”: one promised day, kept by everything that counts, and shown first."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.queries.visits import plan_of
from clinic.booking.services import restricting, safe_online
from clinic.clients.models import Client
from clinic.shared.database import db
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import Staffed, staffed

DAY = dt.timedelta(days=1)
OPERATED = {
    "recent_surgery": {"date": "2026-03-29", "type": "hip", "site": ["left_hip"], "minor": False,
                       "complications": False}
}  # fmt: skip
FINE = dt.date(2026, 6, 21)
EXPECTING = {
    "pregnancy": {
        "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
    }
}  # fmt: skip


@pytest.fixture
def clinic(app: Flask, now: dt.datetime) -> Staffed:
    return staffed(app)


def slots(page: str) -> list[str]:
    return re.findall(r'name="slot" value="([^"]+)"', page)


def promised(visit_id: int) -> dt.date | None:
    db.session.rollback()
    visit = db.session.get_one(Visit, visit_id)
    return safe_online.possible_from(visit, db.session.get_one(Client, visit.client_id), plan_of(visit))


def waiting(clinic: Staffed, declared: dict[str, dict[str, object]] = OPERATED) -> tuple[int, int]:
    """A visit that waits for a letter."""
    client = w.person()
    w.sign_answers(client, declared)
    visit_id = w.at_desk(clinic.world, client, "relaxation", therapist_id=clinic.me).visit_id
    assert visit_id is not None
    assert w.statuses(client) == ["pending"]
    return client, visit_id


def test_the_times_begin_with_the_promised_day(clinic: Staffed, client: FlaskClient) -> None:
    page = walk.book(client, "relaxation", declared=OPERATED)
    assert re.search(r"From [^<]*21 June[^<]* on this can be booked without a letter", page.text)
    link = re.search(r'href="([^"]+from=2026-06-21[^"]*)"', page.text)
    assert link is not None
    times = client.get(link[1].replace("&amp;", "&"))
    assert min(slots(times.text))[:10] == "2026-06-21"
    assert "Earlier" not in times.text


def test_nothing_earlier_is_offered_and_later_days_keep_it(clinic: Staffed, client: FlaskClient) -> None:
    address = "/book/swedish/times?minutes=60&from=2026-06-21"
    page = client.get(address).text
    assert min(slots(page))[:10] == "2026-06-21"
    later = re.search(r'href="([^"]+)"><svg(?:(?!</a>).)*Later', page)
    assert later is not None
    further = client.get(later[1].replace("&amp;", "&")).text
    assert min(slots(further))[:10] == "2026-07-05"
    assert min(slots(client.get(f"{address}&day=2026-06-10").text))[:10] == "2026-06-21"


def test_beyond_the_horizon_it_says_when_it_opens(clinic: Staffed, client: FlaskClient) -> None:
    page = client.get("/book/swedish/times?minutes=60&from=2026-09-01").text
    assert slots(page) == []
    assert re.search(r"Times from [^<]*1 September[^<]* on can be booked online from [^<]*3 July", page)
    assert "The next free day" not in page


def test_the_day_is_promised_by_everything_that_counts(clinic: Staffed) -> None:
    client, visit_id = waiting(clinic)
    assert promised(visit_id) == FINE
    restricting.ask_for_more_care(
        clinic.me, client, services=("relaxation",), verdict="clearance", reason="please not", until=FINE + 9 * DAY,
        by=clinic.world.desk_id, now=NOW,
    )  # fmt: skip
    assert promised(visit_id) == FINE + 10 * DAY


def test_weakened_answers_in_force_count_too(clinic: Staffed) -> None:
    client, visit_id = waiting(
        clinic, {**OPERATED, "doctor_said_no": {"reason": "back", "date": "2026-05-01"}}
    )
    w.sign_answers(client, OPERATED, now=NOW + DAY)
    assert promised(visit_id) is None


def test_the_visits_pages_say_it_too(app: Flask, clinic: Staffed) -> None:
    _client, visit_id = waiting(clinic)
    page = desk_browser(app, clinic.world).get(f"/desk/visits/{visit_id}").text
    assert re.search(r"From [^<]*21 June[^<]* on it can be booked without a letter", page)
    assert db.session.scalars(select(Visit.waiting_for)).one() == "clearance"
