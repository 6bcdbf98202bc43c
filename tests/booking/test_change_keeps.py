"""The desk's page "Move or change": what the owner has switched off since stays with the visit that has it."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from clinic.booking.models import Visit
from clinic.catalogue.models import Addon, Service, ServiceLength
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests.booking import world as w
from tests.typed_forms import Fields, form_on

pytestmark = pytest.mark.usefixtures("now")
ELSEWHEN = w.at(4, 11)


def booked(world: w.World, *addons: str, gender: str = "") -> int:
    """A confirmed Swedish massage; its first therapist is a woman where a gender is asked for."""
    client = w.person(email="pat@people.example")
    w.sign(client)
    if gender:
        say(world, gender)
    visit_id = w.at_desk(world, client, "swedish", addons=addons, gender=gender).visit_id
    assert visit_id is not None
    return visit_id


def say(world: w.World, gender: str) -> None:
    with transaction() as session:
        session.get_one(Therapist, world.therapists[0]).gender = gender


def switch_off(what: str) -> None:
    """The length of an hour, the service, or the add-on "aromatherapy"."""
    with transaction() as session:
        swedish = Service.key == "swedish"
        if what == "length":
            an_hour = ServiceLength.service_id.in_(db.select(Service.id).where(swedish)) & (
                ServiceLength.minutes == 60
            )
            session.execute(delete(ServiceLength).where(an_hour))
        elif what == "service":
            session.execute(update(Service).where(swedish).values(is_active=False))
        else:
            session.execute(update(Addon).where(Addon.key == what).values(is_active=False))


def visit_now(visit_id: int) -> Visit:
    db.session.rollback()
    return db.session.get_one(Visit, visit_id)


def what_it_is(visit_id: int) -> tuple[object, ...]:
    one = visit_now(visit_id)
    return (
        one.service_id,
        one.minutes,
        one.addons,
        one.price,
        one.any_therapist,
        one.asked_gender,
        one.therapist_id,
    )


def form_of(desk: FlaskClient, visit_id: int) -> Fields:
    address = f"/desk/visits/{visit_id}/change"
    return form_on(desk.get(address).text, address)


def send(
    desk: FlaskClient, visit_id: int, typed: Fields | None = None, *, moved: bool = False
) -> TestResponse:
    """The form with what it shows, but for what is `typed`."""
    pressed = {"start": [ELSEWHEN.isoformat()]} if moved else {"keep": ["1"]}
    return desk.post(
        f"/desk/visits/{visit_id}/change", data=form_of(desk, visit_id) | (typed or {}) | pressed
    )


def mistake_at(field: str, answer: TestResponse) -> str:
    found = re.search(rf'id="{field}-error"[^>]*>(?:<svg.*?</svg>)?\s*([^<]*)', answer.text, re.DOTALL)
    return found[1].strip() if found else ""


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("gone", ["aromatherapy", "length", "service"])
def test_a_visit_keeps_what_is_no_longer_on_offer(
    world: w.World, desk: FlaskClient, gone: str, moved: bool
) -> None:
    visit_id = booked(world, "aromatherapy")
    before, began = what_it_is(visit_id), visit_now(visit_id).starts_at
    switch_off(gone)
    page = desk.get(f"/desk/visits/{visit_id}/change").text
    assert page.count("(no longer on offer)") == 1
    assert 'name="start"' in page
    assert send(desk, visit_id, moved=moved).status_code == 303
    assert what_it_is(visit_id) == before
    assert visit_now(visit_id).starts_at == (ELSEWHEN if moved else began)


def test_the_free_times_of_a_first_visit_are_as_long_as_it_is(world: w.World, desk: FlaskClient) -> None:
    visit_id = booked(world)
    switch_off("length")
    assert visit_now(visit_id).first_visit
    assert "1 hour 15 minutes" in desk.get(f"/desk/visits/{visit_id}/change").text


@pytest.mark.parametrize("moved", [True, False])
def test_a_woman_is_still_asked_for_when_nobody_says_so_any_more(
    world: w.World, desk: FlaskClient, moved: bool
) -> None:
    visit_id = booked(world, gender="woman")
    before = what_it_is(visit_id)
    with transaction() as session:
        session.get_one(Therapist, world.therapists[0]).is_active = False
    assert "A woman (no longer on offer)" in desk.get(f"/desk/visits/{visit_id}/change").text
    assert send(desk, visit_id, moved=moved).status_code == 409
    assert what_it_is(visit_id) == before


def test_a_woman_is_still_asked_for_where_all_are_women(world: w.World, desk: FlaskClient) -> None:
    visit_id = booked(world, gender="woman")
    with transaction() as session:
        session.execute(update(Therapist).values(gender="woman"))
    assert form_of(desk, visit_id)["therapist"] == ["woman"]
    assert "no longer on offer" not in desk.get(f"/desk/visits/{visit_id}/change").text
    assert send(desk, visit_id, moved=True).status_code == 303
    assert visit_now(visit_id).asked_gender == "woman"


@pytest.mark.parametrize(
    ("gone", "typed", "field", "said"),
    [
        ("length", {"areas": ["back"]}, "what", "This is not on offer. Choose another one."),
        ("service", {"addons": []}, "what", "This is not on offer. Choose another one."),
        (
            "aromatherapy", {"what": ["relaxation||60"]}, "addons",
            "This is not on offer with that service. Take it off, or choose another service.",
        ),
    ],
)  # fmt: skip
def test_what_is_gone_is_not_chosen_with_anything_new(
    world: w.World, desk: FlaskClient, gone: str, typed: Fields, field: str, said: str
) -> None:
    visit_id = booked(world, "aromatherapy")
    before = what_it_is(visit_id)
    switch_off(gone)
    answer = send(desk, visit_id, typed)
    assert (answer.status_code, mistake_at(field, answer)) == (422, said)
    assert what_it_is(visit_id) == before


def test_what_is_gone_stands_on_no_other_visits_form(world: w.World, desk: FlaskClient) -> None:
    visit_id = booked(world)
    switch_off("aromatherapy")
    assert "romatherapy" not in desk.get(f"/desk/visits/{visit_id}/change").text
    answer = send(desk, visit_id, {"addons": ["aromatherapy"]})
    assert (answer.status_code, visit_now(visit_id).addons) == (422, [])


@pytest.mark.parametrize("what", ["", "swedish", "|||"])
def test_nothing_chosen_is_said_at_the_field(world: w.World, desk: FlaskClient, what: str) -> None:
    answer = send(desk, booked(world), {"what": [what]})
    assert (answer.status_code, mistake_at("what", answer)) == (422, "Choose a service and a length.")
