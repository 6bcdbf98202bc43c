"""A client's card at the desk: what is next with the health questions, and which visits are still to come."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from time_machine import travel

from clinic.accounts.models import UserRole
from clinic.booking.services import visits
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.intake.services import intakes, reviews
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.conftest import NOW
from tests.diary.staff import ME, Staffed, staffed


@pytest.fixture
def clinic(app: Flask, now: dt.datetime) -> Staffed:
    return staffed(app)


FEVER: dict[str, dict[str, object]] = {"fever": {"present": True}}
SWOLLEN: dict[str, dict[str, object]] = {"rf_chest_pain_breathless": {"present": True}}


@pytest.mark.parametrize(
    ("declared", "is_assessed", "days", "next_step"),
    [
        (SWOLLEN, False, 0, "review"),
        (SWOLLEN, True, 0, "answers"),
        (FEVER, False, 0, "another_day"),
        (FEVER, False, 1, "answers"),
    ],
)
def test_the_card_says_what_opens_booking_again(
    clinic: Staffed, declared: dict[str, dict[str, object]], is_assessed: bool, days: int, next_step: str
) -> None:
    words = {
        "review": "Somebody with clinical review has to look",
        "another_day": "From tomorrow on new answers can be signed",
        "answers": "Ask the health questions now",
    }
    client = w.person()
    w.sign(client)
    intakes.raise_stop(client, declared, source="desk", by=None, now=NOW, today=w.TODAY)
    if is_assessed:
        stop = intake.stops_in_force(client)[0]
        reviews.end_stop(stop.id, "assessed", "Dr. Ng on the phone", by=clinic.world.desk_id, now=NOW)
    now = NOW + dt.timedelta(days=days)
    with travel(now, tick=False):
        desk = desk_browser(clinic.app, clinic.world)
        card = desk.get(f"/clients/{client}").text
        assert [key for key, text in words.items() if text in card] == [next_step]
        w.sign(client, now=now + dt.timedelta(minutes=1))
        card = desk.get(f"/clients/{client}").text
    opened = next_step == "answers"
    assert ("Nothing can be booked at the moment" not in card) is opened


def test_the_card_says_that_changed_answers_are_not_signed(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    intakes.save_draft(client, "client", "full", FEVER, now=NOW)
    card = desk_browser(clinic.app, clinic.world).get(f"/clients/{client}").text
    assert "Some answers were changed and are not signed yet" in card
    assert "ever" not in card.split("Some answers")[1][:300]


def test_what_is_done_or_called_off_is_no_coming_visit(clinic: Staffed) -> None:
    client = w.person()
    w.sign(client)
    name = db.session.get_one(Client, client).name
    visit_id = w.at_desk(clinic.world, client, "relaxation", therapist_id=clinic.me).visit_id
    assert visit_id is not None
    desk = desk_browser(clinic.app, clinic.world)

    def coming() -> tuple[bool, bool]:
        card = desk.get(f"/clients/{client}").text
        part = card.split('id="coming"')[1].split('id="past"')[0]
        return f"/desk/visits/{visit_id}" in part, "Next:" in desk.get(
            "/desk/search", query_string={"q": name}
        ).text

    assert coming() == (True, True)
    visits.cancel_visit(visit_id, by=None, by_clinic=True, now=NOW)
    assert coming() == (False, False)


@pytest.mark.parametrize("treats", [False, True])
def test_somebody_at_the_desk_who_also_treats_is_offered_what_opens(clinic: Staffed, treats: bool) -> None:
    with transaction() as session:
        user_id = session.get_one(Therapist, clinic.me).user_id
        session.add(UserRole(user_id=user_id, role=Role.FRONT_DESK))
    client = w.person()
    w.sign(client)
    if treats:
        w.at_desk(clinic.world, client, "relaxation", when=w.at(3), therapist_id=clinic.me)
    browser = clinic.browser(ME)
    card = browser.get(f"/clients/{client}").text
    for address in (f"/reviews/clients/{client}/clearances", f"/clients/{client}/data"):
        assert (f'"{address}"' in card) == treats
        assert browser.get(address, buffered=True).status_code == (200 if treats else 404)
