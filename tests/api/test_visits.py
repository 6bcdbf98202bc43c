"""Visits through the API: booked, pending, refused, repeated, moved, changed, cancelled. What counts is what stands in
the database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from clinic.booking.models import Claim, Screening, Visit
from clinic.booking.services import sick_day, time_off, visits
from clinic.booking.services.checkout import Choice, hold_slot
from clinic.keeping.services import erasing
from clinic.premises.models import Location
from clinic.shared.database import db, transaction
from tests import factories
from tests.api.conftest import Program
from tests.booking import world
from tests.booking.world import healthy
from tests.conftest import NOW

BLOCKED = {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}}


def wish(
    client: int, service: str = "swedish", when: dt.datetime | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "client": client, "service": service, "minutes": world.SERVICES[service],
        "starts_at": (when or world.at(3)).isoformat(), **more,
    }  # fmt: skip


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_visit_is_booked_and_stands(desk: Program) -> None:
    client = healthy()
    answer = desk.post("/visits", wish(client))
    assert answer.status_code == 201, answer.get_json()
    body = answer.get_json()
    assert (body["status"], body["code"], body["client"]) == ("confirmed", None, client)
    assert body["starts_at"] == "2026-06-12T10:00:00-04:00"
    assert world.statuses(client) == ["confirmed"]
    assert desk.get(f"/visits/{body['id']}").get_json() == body


def test_somebody_without_an_intake_waits(desk: Program) -> None:
    client = world.person()
    answer = desk.post("/visits", wish(client))
    assert answer.status_code == 202
    assert (answer.get_json()["code"], answer.get_json()["waiting_for"]) == ("screening_pending", "intake")
    assert world.statuses(client) == ["pending"]


def test_what_is_not_safe_is_refused_and_says_no_diagnosis(desk: Program) -> None:
    client = world.person()
    world.sign_answers(client, BLOCKED)
    answer = desk.post("/visits", wish(client, "deep_tissue"))
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    body = answer.get_json()
    assert (body["code"], body["outcome"], body["instead"]) == ("screening_refuses", "refuse", [])
    assert "bleed" not in answer.get_data(as_text=True).casefold()
    assert world.statuses(client) == []
    assert count(Claim) == 0
    assert [row.permits for row in db.session.scalars(select(Screening))] == [False]


def test_the_same_key_books_once(desk: Program) -> None:
    client = healthy()
    first = desk.post("/visits", wish(client), Idempotency_Key="k1")
    again = desk.post("/visits", wish(client), Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json()["id"] == again.get_json()["id"]
    assert count(Visit) == 1


def test_the_same_key_for_another_request_is_refused(desk: Program) -> None:
    client = healthy()
    assert desk.post("/visits", wish(client), Idempotency_Key="k1").status_code == 201
    other = desk.post("/visits", wish(client, when=world.at(4)), Idempotency_Key="k1")
    assert (other.status_code, other.get_json()["code"]) == (409, "not_allowed")
    assert count(Visit) == 1


def test_a_taken_time_says_the_nearest(desk: Program, clinic: world.World) -> None:
    therapist = clinic.therapists[0]
    assert desk.post("/visits", wish(healthy(), therapist=therapist)).status_code == 201
    answer = desk.post("/visits", wish(healthy(), therapist=therapist))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "slot_taken")
    assert answer.get_json()["nearest"][0] == {
        "starts_at": "2026-06-12T08:30:00-04:00", "therapists": [therapist]
    }  # fmt: skip


def test_what_is_offered_can_be_booked(desk: Program) -> None:
    client = healthy()
    offered = desk.get(
        "/availability", service="swedish", minutes=60, **{"from": "2026-06-12"}, client=client
    )
    assert offered.status_code == 200, offered.get_json()
    starts = offered.get_json()["starts"]
    assert starts[0]["starts_at"] == "2026-06-12T08:00:00-04:00"
    assert desk.post("/visits", wish(client) | {"starts_at": starts[5]["starts_at"]}).status_code == 201


def test_a_visit_starts_at_the_very_text_that_was_offered(desk: Program, clinic: world.World) -> None:
    """Also where the clock shows the time of Greenwich: an offset of zero is written in one way."""
    with transaction() as session:
        session.get_one(Location, clinic.place_id).zone = "Africa/Accra"
    client = healthy()
    asked = {"service": "swedish", "minutes": 60}
    first = desk.get("/availability", **asked, **{"from": "2026-06-12"}).get_json()["starts"][0]["starts_at"]
    assert first == "2026-06-12T08:00:00+00:00"
    booked = desk.post("/visits", wish(client) | {"starts_at": first}).get_json()
    assert (booked["starts_at"], booked["ends_at"]) == (first, "2026-06-12T09:15:00+00:00")
    assert desk.get("/visits", day="2026-06-12").get_json()["items"][0]["starts_at"] == first


def test_what_is_not_offered_cannot_be_booked(desk: Program) -> None:
    between = world.at(3, 10, 5)
    assert desk.post("/visits", wish(healthy(), when=between)).get_json()["code"] == "slot_taken"
    too_soon = desk.post("/visits", wish(healthy(), when=world.at(0, 9, 15)))
    assert (too_soon.status_code, too_soon.get_json()["code"]) == (409, "too_late")


def test_moving_is_judged_for_the_new_day(desk: Program) -> None:
    client = world.person()
    world.sign(client, recent_surgery={"date": "2026-05-05", "minor": False, "complications": False})
    later = desk.post("/visits", wish(client, when=world.at(80)) | {"service": "swedish"})
    assert later.status_code == 409
    assert later.get_json()["code"] == "too_late"  # beyond the horizon
    booked = desk.post("/visits", wish(client, when=world.at(58)))
    assert booked.status_code in (201, 202)
    moved = desk.post(f"/visits/{booked.get_json()['id']}/move", {"starts_at": world.at(2).isoformat()})
    assert (moved.status_code, moved.get_json()["code"]) == (409, "screening_refuses")
    assert (
        desk.get(f"/visits/{booked.get_json()['id']}").get_json()["starts_at"]
        == booked.get_json()["starts_at"]
    )


def test_where_a_visit_can_be_moved_to_is_listed_and_nothing_else_is_taken(
    desk: Program, program: Any, clinic: world.World
) -> None:
    client = healthy()
    visit = desk.post("/visits", wish(client, therapist=clinic.therapists[0])).get_json()
    asked = {"service": "swedish", "minutes": 60, "from": "2026-06-12"}
    listed = desk.get("/availability", **asked, visit=visit["id"]).get_json()["starts"]
    own = {one["starts_at"] for one in listed}
    assert visit["starts_at"] in own  # its own time is not in the way
    assert {one for start in listed for one in start["therapists"]} == {clinic.therapists[0]}
    hours = [world.at(3, 10, minute) for minute in range(5, 60, 5)]
    for start in hours:
        moved = desk.post(f"/visits/{visit['id']}/move", {"starts_at": start.isoformat()})
        is_listed = any(dt.datetime.fromisoformat(one) == start for one in own)
        assert (moved.status_code == 200) == is_listed == (start.minute % 15 == 0), start
        assert is_listed or moved.get_json()["code"] == "slot_taken"
    soon = desk.post(f"/visits/{visit['id']}/move", {"starts_at": world.at(0, 9, 15).isoformat()})
    assert (soon.status_code, soon.get_json()["code"]) == (409, "too_late")
    far = desk.post(f"/visits/{visit['id']}/move", {"starts_at": world.at(80).isoformat()})
    assert (far.status_code, far.get_json()["code"]) == (409, "too_late")


def test_the_time_that_is_kept_for_the_visit_itself_is_listed_for_its_move(
    desk: Program, clinic: world.World
) -> None:
    """Its client has been asked whether they would come then; a move to it gives that offer up."""
    visit = desk.post("/visits", wish(healthy(), therapist=clinic.therapists[0])).get_json()
    for one in clinic.therapists[1:]:
        time_off.add_time_off(one, "off", world.at(3, 0), world.at(4, 0), "", by=clinic.desk_id, now=NOW)
    start = world.at(3, 15)
    sick_day.offer_time(visit["id"], start, clinic.therapists[0], revision=1, by=clinic.desk_id, now=NOW)
    asked = {"service": "swedish", "minutes": 60, "from": "2026-06-12", "days": 1}
    own = desk.get("/availability", **asked, visit=visit["id"]).get_json()["starts"]
    anybodys = desk.get("/availability", **asked).get_json()["starts"]
    assert [
        start in {dt.datetime.fromisoformat(one["starts_at"]) for one in found} for found in (own, anybodys)
    ] == [True, False]
    assert desk.post(f"/visits/{visit['id']}/move", {"starts_at": start.isoformat()}).status_code == 200


def test_a_longer_visit_takes_the_time_that_is_kept_for_its_own_move(
    desk: Program, clinic: world.World
) -> None:
    """The other time was offered for the visit as it was."""
    visit = desk.post("/visits", wish(healthy(), therapist=clinic.therapists[0])).get_json()
    after = dt.datetime.fromisoformat(visit["ends_at"]) + dt.timedelta(minutes=30)
    sick_day.offer_time(visit["id"], after, clinic.therapists[0], revision=1, by=clinic.desk_id, now=NOW)
    asked = {"service": "swedish", "minutes": 90, "from": "2026-06-12", "days": 1}
    listed = desk.get("/availability", **asked, therapist=clinic.therapists[0], visit=visit["id"]).get_json()
    assert visit["starts_at"] in {one["starts_at"] for one in listed["starts"]}
    longer = visits.change_visit(
        visit["id"], revision=db.session.get_one(Visit, visit["id"]).revision, by=None, by_program=True, now=NOW,
        choice=Choice("swedish", 90, therapist_id=clinic.therapists[0]),
    )  # fmt: skip
    assert longer.status == "confirmed"


def test_who_may_ask_where_a_visit_can_be_moved_to(desk: Program, program: Any, clinic: world.World) -> None:
    client, other = healthy(), healthy()
    visit = desk.post("/visits", wish(client)).get_json()["id"]
    asked = {"service": "swedish", "minutes": 60, "from": "2026-06-12"}
    for scopes in (("availability:read",), ("availability:read", "visits:read")):
        assert program("desk", *scopes).get("/availability", **asked, visit=visit).status_code == 403
    assert program("site").get("/availability", **asked, visit=visit).status_code == 403
    enough = program("desk", "availability:read", "visits:read", "clients:read")
    for address in ("/availability", "/availability/reasons"):
        assert enough.get(address, **asked, visit=visit, client=client).status_code == 200
        assert enough.get(address, **asked, visit=987_654).get_json()["code"] == "not_found"
        wrong = enough.get(address, **asked, visit=visit, client=other)
        assert (wrong.status_code, wrong.get_json()["errors"][0]["field"]) == (409, "client")
    desk.post(f"/visits/{visit}/cancel", {})
    over = enough.get("/availability", **asked, visit=visit)
    assert (over.status_code, over.get_json()["code"]) == (409, "not_allowed")


def test_changing_is_judged(desk: Program) -> None:
    client = world.person()
    world.sign(client, varicose_veins={"site": ["left_lower_leg"]})
    visit = desk.post("/visits", wish(client, "relaxation")).get_json()
    answer = desk.post(
        f"/visits/{visit['id']}/change",
        {"service": "deep_tissue", "minutes": 60, "areas": ["left_leg"]},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "screening_refuses")
    assert desk.get(f"/visits/{visit['id']}").get_json()["service"] == "relaxation"


def test_cancelling_frees_the_time(desk: Program) -> None:
    visit = desk.post("/visits", wish(healthy())).get_json()
    assert desk.post(f"/visits/{visit['id']}/cancel", {}).get_json()["status"] == "cancelled"
    assert count(Claim) == 0


def test_a_hold_keeps_the_time_and_becomes_the_visit(desk: Program, clinic: world.World) -> None:
    client, therapist = healthy(), clinic.therapists[0]
    body = wish(client, therapist=therapist)
    held = desk.post("/holds", body)
    assert held.status_code == 201, held.get_json()
    assert desk.post("/visits", wish(healthy(), therapist=therapist)).get_json()["code"] == "slot_taken"
    booked = desk.post("/visits", body | {"hold": held.get_json()["id"]})
    assert booked.status_code == 201, booked.get_json()
    assert world.statuses(client) == ["confirmed"]


def test_a_refusal_leaves_the_hold_for_what_is_safe_instead(desk: Program) -> None:
    ill = world.person()
    world.sign_answers(ill, BLOCKED)
    held = desk.post("/holds", wish(ill, "deep_tissue")).get_json()["id"]
    refused = desk.post("/visits", wish(ill, "deep_tissue") | {"hold": held})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "screening_refuses")
    assert db.session.get_one(Visit, held).status == "held"
    booked = desk.post("/visits", wish(ill, "relaxation") | {"hold": held})
    assert booked.status_code in (201, 202), booked.get_json()
    db.session.rollback()
    assert db.session.get_one(Visit, held).status == "released"


def test_what_is_safe_instead_is_named_and_can_be_booked(desk: Program) -> None:
    client = world.person()
    world.sign(client, hypermobility={"type": "hypermobile"})
    body = wish(client, "decompression_traction")
    refused = desk.post("/visits", body).get_json()
    assert refused["code"] == "screening_refuses", refused
    assert {one["service"] for one in refused["instead"]} == {"swedish", "relaxation"}
    for one in refused["instead"]:
        booked = desk.post("/visits", body | one)
        assert booked.status_code == 201, (one, booked.get_json())
        assert desk.post(f"/visits/{booked.get_json()['id']}/cancel", {}).status_code == 200


def test_a_hold_can_be_given_back(desk: Program) -> None:
    held = desk.post("/holds", wish(healthy())).get_json()
    assert desk.post(f"/holds/{held['id']}/release", {}).get_json() == {"id": held["id"], "released": True}
    assert count(Claim) == 0


def test_no_program_gives_back_or_prolongs_what_a_person_keeps_while_they_book(desk: Program) -> None:
    hold_slot(None, Choice("swedish", 60), world.at(3), first_visit=True, user_id=None, now=NOW)
    kept = db.session.scalars(select(Visit.id)).one()
    for deed in ("renew", "release"):
        answers = [desk.post(f"/holds/{one}/{deed}", {}) for one in (kept, 987_654_321)]
        assert [(one.status_code, one.get_json()["code"]) for one in answers] == [(404, "not_found")] * 2
    db.session.rollback()
    assert db.session.scalars(select(Visit.status)).all() == ["held"]


def test_the_day_is_listed_in_pages(desk: Program) -> None:
    made = [
        desk.post("/visits", wish(healthy(), when=world.at(3, hour))).get_json()["id"] for hour in (9, 11, 13)
    ]
    page = desk.get("/visits", day="2026-06-12", per_page=2, page=2).get_json()
    assert (page["total"], [one["id"] for one in page["items"]]) == (3, made[2:])


def test_however_many_a_search_finds_each_is_on_a_page(desk: Program) -> None:
    """Whoever is not found is put into the book a second time."""
    healthy()
    made = [
        factories.make_client(first_name="Zoe", last_name=f"Zed{number:03}", born_on=dt.date(1980, 1, 1)).id
        for number in range(104)
    ]
    pages = [desk.get("/clients", search="zoe", per_page=50, page=page).get_json() for page in (1, 2, 3, 4)]
    assert [one["total"] for one in pages] == [104] * 4
    assert [one["id"] for page in pages for one in page["items"]] == made
    assert desk.get("/clients", search="z").get_json()["total"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"minutes": "60"}, "minutes"),
        ({"client": True}, "client"),
        ({"starts_at": 5}, "starts_at"),
        ({"starts_at": "2026-06-12T10:00:00"}, "starts_at"),
        ({"areas": ["nowhere"]}, "areas.0"),
        ({"status": "confirmed"}, "status"),
        ({"price": 1}, "price"),
    ],
)
def test_what_cannot_be_read_is_named(desk: Program, change: dict[str, Any], field: str) -> None:
    answer = desk.post("/visits", wish(healthy()) | change)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")
    assert [one["field"] for one in answer.get_json()["errors"]] == [field]
    assert count(Visit) == 0


def test_verdict_says_what_to_do_and_not_why(desk: Program) -> None:
    client = world.person()
    world.sign_answers(client, BLOCKED)
    answer = desk.post(
        "/verdicts", {"client": client, "service": "deep_tissue", "minutes": 60, "day": "2026-06-12"}
    )
    assert answer.status_code == 200, answer.get_json()
    assert answer.get_json()["outcome"] == "refuse"
    assert "bleed" not in answer.get_data(as_text=True).casefold()
    assert count(Screening) == 0


def test_intake_by_a_program_is_whole_or_refused(desk: Program) -> None:
    client = world.person()
    whole = world.answers()
    some = dict(list(whole.items())[:5])
    assert desk.post(f"/clients/{client}/intakes", {"answers": some, "signed_by": "Pat"}).status_code == 422
    made = desk.post(f"/clients/{client}/intakes", {"answers": whole, "signed_by": "Pat"})
    said = made.get_json()
    assert (made.status_code, said["stopped"], said["urgency"]) == (201, False, "none")
    assert desk.post("/visits", wish(client)).status_code == 201


def test_a_warning_sign_stops(desk: Program) -> None:
    client = healthy()
    visit = desk.post("/visits", wish(client)).get_json()
    answers = world.answers(rf_saddle_numbness={})
    made = desk.post(f"/clients/{client}/intakes", {"answers": answers, "signed_by": "Pat"})
    assert (made.get_json()["stopped"], made.get_json()["urgency"]) == (True, "emergency")
    assert desk.get(f"/visits/{visit['id']}").get_json()["status"] == "cancelled"
    refused = desk.post("/visits", wish(client, when=world.at(5))).get_json()
    wanted = {"client": client, "service": "relaxation", "minutes": 60, "day": "2026-06-14"}
    judged = desk.post("/verdicts", wanted).get_json()
    assert refused["code"] == "screening_refuses"
    for one in (refused, judged):  # how urgent it is was told at once; a booking is refused all the same
        assert (one["outcome"], one["urgency"]) == ("refuse", "prompt")


def test_a_program_finds_nobody_where_somebody_was_erased(app: Flask, desk: Program) -> None:
    client = healthy()
    db.session.rollback()
    erasing.erase_person(client, settings=app.config, by=None, now=NOW)
    made = count(Visit)
    answers = [desk.post("/visits", wish(client)), desk.post("/holds", wish(client))]
    assert [(one.status_code, one.get_json()["code"]) for one in answers] == [(404, "not_found")] * 2
    assert count(Visit) == made
