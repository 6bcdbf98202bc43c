"""A request sent again: the same answer, one visit, also when both come at the same moment."""

from __future__ import annotations

import contextvars
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from clinic.api import repeats
from clinic.api import services as api_services
from clinic.api.models import ApiAnswer
from clinic.api.repeats import OF_NOBODY
from clinic.booking.models import Couple, Offer, RestPass, Series, Visit
from clinic.booking.services import holds, in_line, people, sick_day, visits
from clinic.clients.models import Client
from clinic.intake.models import Intake
from clinic.keeping.services import erasing
from clinic.premises import queries as premises
from clinic.premises.models import Room
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.waitlist import ASKED_AGAIN_AFTER
from clinic.shared import crypto, rotation
from clinic.shared.crypto import ring
from clinic.shared.database import db, transaction
from clinic.shared.keyring import sealed_by
from tests.api.conftest import Program
from tests.booking import world
from tests.booking.world import healthy
from tests.conftest import NOW


@pytest.fixture
def settings() -> dict[str, object]:
    return {"PROPAGATE_EXCEPTIONS": False}


def wish(client: int, day: int = 3, hour: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "client": client, "service": "relaxation", "minutes": 60,
        "starts_at": world.at(day, hour).isoformat(), **more,
    }  # fmt: skip


def booked() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Visit).where(Visit.status == "confirmed")) or 0


def at_once(asked: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Every request in its own thread, started together."""
    gate = threading.Barrier(len(asked))

    def run(ask: Callable[[], TestResponse]) -> TestResponse:
        gate.wait()
        return contextvars.Context().run(ask)

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(run, asked))


def test_a_key_stands_for_one_request(app: Flask, desk: Program) -> None:
    first, other = healthy(), healthy()
    booking = desk.post("/visits", wish(first), Idempotency_Key="books")
    assert (booking.status_code, "Idempotency-Replayed" in booking.headers) == (201, False)
    refused = desk.post("/visits", wish(other, hour=3), Idempotency_Key="refused")
    assert refused.status_code == 409
    # Sent again the refusal stays, and neither key books anything else.
    again = desk.post("/visits", wish(other, hour=3), Idempotency_Key="refused")
    assert (again.status_code, again.get_json()) == (409, refused.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    for key in ("books", "refused"):
        answer = desk.post("/visits", wish(other, day=4), Idempotency_Key=key)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "not_allowed")
        assert [one["field"] for one in answer.get_json()["errors"]] == ["Idempotency-Key"]
    # That another request came under the key of a visit changes nothing for the first.
    once_more = desk.post("/visits", wish(first), Idempotency_Key="books")
    assert (once_more.status_code, once_more.headers["Idempotency-Replayed"]) == (201, "true")
    assert booked() == 1


def test_the_same_request_many_times_at_the_same_moment(app: Flask, desk: Program) -> None:
    client = healthy()
    asked = [lambda: desk.post("/visits", wish(client), Idempotency_Key="same") for _ in range(6)]
    answers = at_once(asked)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert booked() == 1


def test_different_requests_under_one_key_at_the_same_moment(app: Flask, desk: Program) -> None:
    clients = [healthy() for _ in range(4)]

    def ask(client: int, day: int) -> Callable[[], TestResponse]:
        return lambda: desk.post("/visits", wish(client, day), Idempotency_Key="one")

    answers = at_once([ask(client, day) for day, client in enumerate(clients, 3)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert booked() == 1


@pytest.mark.parametrize("first", ["booked", "refused"])
def test_one_of_two_requests_under_one_key_is_kept(
    first: str, app: Flask, desk: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One can be booked and one cannot, and each has begun before the other has ended: the visit stands for the key."""
    good, bad = wish(healthy()), wish(healthy(), hour=3)
    inner = list[TestResponse]()
    place, name, outside, inside = {
        "booked": (api_services, "keep_answer", bad, good), "refused": (visits, "book_visit", good, bad),
    }[first]  # fmt: skip
    deed = getattr(place, name)

    def meanwhile(*args: Any, **more: Any) -> Any:
        """What came in between is answered to its end, then this goes on."""
        monkeypatch.undo()
        inner.append(contextvars.Context().run(desk.post, "/visits", inside, Idempotency_Key="one"))
        return deed(*args, **more)

    monkeypatch.setattr(place, name, meanwhile)
    outer = desk.post("/visits", outside, Idempotency_Key="one")
    told = {"booked": (inner[0], outer), "refused": (outer, inner[0])}[first]
    assert (told[0].status_code, booked()) == (201, 1)
    assert told[1].get_json()["code"] == ("not_allowed" if first == "booked" else "slot_taken")
    for _time in range(2):
        again = desk.post("/visits", good, Idempotency_Key="one")
        assert (again.status_code, again.get_json()) == (201, told[0].get_json())
        other = desk.post("/visits", bad, Idempotency_Key="one")
        assert (other.status_code, other.get_json()["code"]) == (409, "not_allowed")


def test_a_failure_does_not_stick(desk: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    client = healthy()
    for path, place, name in (("/visits", visits, "book_visit"), ("/holds", holds, "keep_time")):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, lambda *_args, **_more: 1 / 0)
            assert desk.post(path, wish(client), Idempotency_Key=path).status_code == 500
        answer = desk.post(path, wish(client, hour=12), Idempotency_Key=path)
        assert answer.status_code == 201, answer.get_json()
        client = healthy()


def died(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends once all is done, before the answer is kept."""
    monkeypatch.setattr(api_services, "end_answer", lambda *_args, **_more: None)


def failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server fails once all is done, before it has answered."""
    deed = repeats._answer

    def fails(*args: Any, **more: Any) -> Any:
        deed(*args, **more)
        raise ZeroDivisionError

    monkeypatch.setattr(repeats, "_answer", fails)


def state() -> tuple[list[Any], ...]:
    """What the deeds below change."""
    db.session.rollback()
    asked = (
        select(Visit.id, Visit.starts_at, Visit.status), select(Offer.id, Offer.ended_as), select(Client.id),
        select(Intake.id),
    )  # fmt: skip
    return tuple(sorted(map(tuple, db.session.execute(one))) for one in asked)


@pytest.mark.parametrize("breaks", [died, failed])
def test_what_may_have_been_done_is_not_done_twice(
    desk: Program, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """A swap was swapped back, somebody new was there twice, and a no was said to a time that nobody had seen."""
    first, second = (desk.post("/visits", wish(healthy(), day)).get_json()["id"] for day in (3, 5))
    waits = wish(healthy()) | {"first_day": "2026-06-12", "last_day": "2026-06-12"}
    del waits["starts_at"]
    wished = desk.post("/waitlist", waits).get_json()["id"]
    in_line.keep_line(NOW)
    signed = {"answers": world.answers(), "signed_by": "Pat Number"}
    deeds = {
        "/visits/swap": {"first": first, "second": second}, "/clients": PAT,
        f"/clients/{world.person()}/intakes": signed, f"/waitlist/{wished}/decline": {},
    }  # fmt: skip
    before = state()
    with monkeypatch.context() as broken:
        breaks(broken)
        for path, body in deeds.items():
            desk.post(path, body, Idempotency_Key=path)
    in_line.keep_line(NOW + ASKED_AGAIN_AFTER)
    done = state()
    assert [was != is_now for was, is_now in zip(before, done, strict=True)] == [True] * 4
    assert [ended for _id, ended in done[1]] == ["declined", None]
    for seconds, code in ((59, "in_progress"), (61, "not_known")):
        with time_machine.travel(NOW + dt.timedelta(seconds=seconds), tick=False):
            for path, body in deeds.items():
                again = desk.post(path, body, Idempotency_Key=path)
                assert (again.status_code, again.get_json()["code"]) == (409, code), path
    assert "new key" in again.get_json()["detail"]
    assert state() == done
    with time_machine.travel(NOW + dt.timedelta(seconds=61), tick=False):
        other = desk.post("/clients", {**PAT, "last_name": "Else"}, Idempotency_Key="/clients")
        assert (other.status_code, other.get_json()["code"]) == (409, "not_allowed")
        made = desk.post("/clients", PAT, Idempotency_Key="new")
        assert made.status_code == 201, made.get_json()


def test_what_comes_to_the_same_when_it_is_done_twice_is_done_anew(
    desk: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved, ended = (desk.post("/visits", wish(healthy(), day)).get_json()["id"] for day in (3, 5))
    deeds = {
        f"/visits/{moved}/move": {"starts_at": world.at(4).isoformat()}, f"/visits/{ended}/cancel": {},
        "/series": two_weeks(healthy(), "a fall"),
    }  # fmt: skip
    with monkeypatch.context() as broken:
        died(broken)
        first = [desk.post(path, body, Idempotency_Key=path) for path, body in deeds.items()]
    done = state()
    with time_machine.travel(NOW + dt.timedelta(seconds=61), tick=False):
        again = [desk.post(path, body, Idempotency_Key=path) for path, body in deeds.items()]
    assert [one.status_code for one in again] == [one.status_code for one in first] == [200, 200, 201]
    assert state() == done


def test_a_hold_is_kept_once(desk: Program) -> None:
    first = desk.post("/holds", wish(healthy()), Idempotency_Key="hold")
    assert first.status_code == 201, first.get_json()
    other = wish(healthy(), day=4)
    assert desk.post("/holds", other, Idempotency_Key="hold").status_code == 409


def test_the_key_of_a_visit_stands_for_nothing_else_either(desk: Program) -> None:
    asked = wish(healthy())
    visit = desk.post("/visits", asked, Idempotency_Key="v-1").get_json()
    for path, body in (("/holds", wish(healthy(), day=4)), (f"/visits/{visit['id']}/cancel", {})):
        other = desk.post(path, body, Idempotency_Key="v-1")
        assert (other.status_code, other.get_json()["code"]) == (409, "not_allowed"), path
    assert desk.post("/visits", asked, Idempotency_Key="v-1").get_json() == visit
    assert booked() == 1


def test_a_program_is_told_of_too_little_rest(desk: Program) -> None:
    """What the free times offer can be booked: the program hears of the rest, as staff would."""
    with transaction():
        premises.clinic().minds_rest = True
    client = healthy()
    for day, warns in ((3, False), (4, True)):
        body = wish(client, day, service="deep_tissue")
        offered = desk.get(
            "/availability",
            service="deep_tissue",
            minutes=60,
            client=client,
            **{"from": body["starts_at"][:10]},
        )
        starts = [dt.datetime.fromisoformat(one["starts_at"]) for one in offered.get_json()["starts"]]
        assert dt.datetime.fromisoformat(body["starts_at"]) in starts
        answer = desk.post("/visits", body)
        assert answer.status_code == 201, answer.get_json()
        assert bool(answer.get_json()["warnings"]) is warns
    assert db.session.scalars(select(RestPass.passed_by_id)).all() == [None]


def test_a_program_that_asks_again_is_told_of_too_little_rest_again(desk: Program) -> None:
    """Its first answer may have been lost. Once the visit stands at a better time there is nothing to tell."""
    with transaction():
        premises.clinic().minds_rest = True
    client = healthy()
    early, late = (wish(client, day, service="deep_tissue") for day in (3, 4))
    assert desk.post("/visits", early, Idempotency_Key="early").status_code == 201
    first, again = (desk.post("/visits", late, Idempotency_Key="late") for _time in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json()["warnings"] != []
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert desk.post("/visits", early, Idempotency_Key="early").get_json()["warnings"] == []
    move = {"starts_at": world.at(10).isoformat()}
    assert desk.post(f"/visits/{first.get_json()['id']}/move", move).get_json()["warnings"] == []
    assert desk.post("/visits", late, Idempotency_Key="late").get_json()["warnings"] == []


PAT = {
    "first_name": "Patriciana", "last_name": "Numbersmith", "born_on": "1980-01-01", "email": "pn@people.example",
    "phone": "+1 212 555 0123",
}  # fmt: skip


def test_a_person_added_twice_is_one_and_only_their_number_is_kept(desk: Program) -> None:
    """A repetition shows the record as it is by then; once they were erased the same words are of somebody new."""
    first = desk.post("/clients", PAT, Idempotency_Key="pat")
    again = desk.post("/clients", PAT, Idempotency_Key="pat")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    number = first.get_json()["id"]
    db.session.rollback()
    assert [one.body for one in db.session.scalars(select(ApiAnswer))] == [{"id": number}]
    assert desk.post("/clients", {**PAT, "last_name": "Else"}, Idempotency_Key="pat").status_code == 409
    with transaction() as session:
        session.get_one(Client, number).last_name = "Renamed"
    assert desk.post("/clients", PAT, Idempotency_Key="pat").get_json()["last_name"] == "Renamed"
    erasing.erase_person(number, settings=desk.client.application.config, by=None, now=NOW)
    assert kept_answers() == [], "it told whose visits hang on the number that is left"
    anew = desk.post("/clients", PAT, Idempotency_Key="pat")
    assert (anew.status_code, "Idempotency-Replayed" in anew.headers) == (201, False)
    assert anew.get_json()["id"] != number
    for one in ("Patriciana", "Renamed", "pn@", "1980", "0123"):
        assert one not in desk.get(f"/clients/{number}").text, one
    refused = [
        desk.post("/clients", {**PAT, "born_on": "2999-01-01"}, Idempotency_Key="no") for _ in range(2)
    ]
    assert [one.status_code for one in refused] == [422, 422]
    assert refused[0].get_json()["errors"] == refused[1].get_json()["errors"]


def kept_answers() -> list[tuple[int, int | None, str | None, Any]]:
    """Of every kept answer: its status, whose it is, whose key sealed it (None: the clinic's), and what it says."""
    db.session.rollback()
    found = []
    for row in db.session.scalars(select(ApiAnswer).order_by(ApiAnswer.asked_at, ApiAnswer.id)):
        name = sealed_by(bytes(row.body_sealed or b""))
        found.append((row.status or 0, row.client_id, None if name == ring().current else name, row.body))
    return found


def test_what_was_answered_about_a_person_is_sealed_for_them_and_goes_with_them(desk: Program) -> None:
    """A stop, the name of an answer in an error, a refusal: erased, and closed in backups by the key that is gone."""
    one = world.person()
    stop = {"answers": world.answers(rf_chest_pain_breathless={}), "signed_by": "Ann Canary"}
    wrong = {"answers": world.answers(heart_failure={"present": "perhaps"}), "signed_by": "Ann Canary"}
    asked = [
        (f"/clients/{one}/intakes", stop, 201),
        (f"/clients/{one}/intakes", wrong, 422),
        ("/visits", wish(one), 409),
        ("/holds", wish(one), 201),
    ]
    for number, (path, body, status) in enumerate(asked):
        first = desk.post(path, body, Idempotency_Key=f"key-{number}")
        again = desk.post(path, body, Idempotency_Key=f"key-{number}")
        assert (first.status_code, again.status_code, again.get_json()) == (status, status, first.get_json())
        assert again.headers["Idempotency-Replayed"] == "true"
    hold = desk.post("/holds", wish(one, day=4)).get_json()["id"]
    assert desk.post(f"/holds/{hold}/release", {}, Idempotency_Key="back").status_code == 200
    kept = kept_answers()
    assert len(kept) == 5
    assert {(whose, name is not None) for _status, whose, name, _body in kept} == {(one, True)}
    db.session.execute(update(Visit).values(status="released", deadline_at=None))
    db.session.commit()
    erasing.erase_person(one, settings=desk.client.application.config, by=None, now=NOW)
    assert kept_answers() == []
    for number, (path, body, _status) in enumerate(asked):
        gone = desk.post(path, body, Idempotency_Key=f"key-{number}")
        assert gone.status_code in (404, 422), (path, gone.get_json())
        assert "Idempotency-Replayed" not in gone.headers
        assert "stopped" not in gone.text
    assert {whose for _status, whose, _name, _body in kept_answers()} == {None}


def test_a_refusal_of_two_people_is_kept_without_what_it_says_of_either(desk: Program) -> None:
    both = healthy(), world.person()
    world.sign(both[1], bleeding_disorder={"type": "haemophilia", "bleed_last_4_weeks": False})
    asked = {
        "people": [{"client": one, "service": "deep_tissue", "minutes": 60} for one in both],
        "starts_at": world.at(3, 10).isoformat(),
    }
    first, again = (desk.post("/couples", asked, Idempotency_Key="two") for _ in range(2))
    assert (first.status_code, again.status_code) == (409, 409)
    told, kept = first.get_json(), again.get_json()
    assert {one["client"] for one in told["people"]} == set(both)
    assert (kept["code"], kept["detail"]) == (told["code"], told["detail"])
    assert "people" not in kept
    ((status, whose, name, body),) = kept_answers()
    assert (status, whose, name, "people" in body) == (409, None, None, False)


def test_a_refusal_to_swap_says_nothing_of_either_once_it_is_kept(desk: Program) -> None:
    sick, well = healthy(), healthy()
    one, two = (
        desk.post("/visits", wish(client, day, service="deep_tissue", areas=["full_body"])).get_json()["id"]
        for client, day in ((sick, 3), (well, 5))
    )
    world.sign_answers(sick, {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}})
    first = desk.post("/visits/swap", {"first": one, "second": two}, Idempotency_Key="swap")
    again = desk.post("/visits/swap", {"first": one, "second": two}, Idempotency_Key="swap")
    assert (first.status_code, again.status_code) == (409, 409)
    assert again.get_json()["code"] == first.get_json()["code"]
    ((_status, whose, name, body),) = kept_answers()
    assert (whose, name, set(body) - set(OF_NOBODY)) == (None, None, set())


def test_what_is_done_with_a_visit_of_somebody_erased_is_done_and_not_kept(desk: Program) -> None:
    """It was done, answered with 404, and its repetition with “still at work”."""
    client = healthy()
    visit = desk.post("/visits", wish(client)).get_json()["id"]
    assert desk.post(f"/visits/{visit}/cancel", {"by_clinic": True}).status_code == 200
    erasing.erase_person(client, settings=desk.client.application.config, by=None, now=NOW)
    plain = desk.post(f"/visits/{visit}/cancel", {"by_clinic": True})
    keyed = [desk.post(f"/visits/{visit}/cancel", {"by_clinic": True}, Idempotency_Key="k") for _ in range(2)]
    assert {one.status_code for one in keyed} == {plain.status_code}
    assert not [row for row in kept_answers() if row[1] == client]


def test_an_answer_by_the_number_of_a_merged_record_is_the_persons(
    desk: Program, clinic: world.World
) -> None:
    """The path names the record that was merged away, the answer the one that it became."""
    keep, lose = healthy(), healthy()
    people.merge_clients(keep, lose, by=clinic.desk_id, now=NOW)
    stop = {"answers": world.answers(rf_chest_pain_breathless={}), "signed_by": "Ann Canary"}
    wanted = {
        "client": lose, "service": "relaxation", "minutes": 60, "first_day": "2026-06-12", "last_day": "2026-06-20",
    }  # fmt: skip
    for number, (path, body) in enumerate((("/waitlist", wanted), (f"/clients/{lose}/intakes", stop))):
        assert desk.post(path, body, Idempotency_Key=f"key-{number}").status_code == 201
    assert [(whose, name is not None) for _status, whose, name, _body in kept_answers()] == [(keep, True)] * 2
    erasing.erase_person(keep, settings=desk.client.application.config, by=None, now=NOW)
    assert kept_answers() == []


def test_why_a_visit_of_a_sick_day_was_left_is_not_kept(
    desk: Program, clinic: world.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = world.at_desk(clinic, healthy(), "relaxation", therapist_id=clinic.therapists[0])
    visit = db.session.get_one(Visit, booked.visit_id)
    deed = {
        "deed": "give", "visit": visit.id, "revision": visit.revision, "therapist": clinic.therapists[1]
    }  # fmt: skip
    db.session.rollback()
    canary = MoveNotAllowed("Canary of the answers")

    def refused(*_arguments: object, **_options: object) -> None:
        raise canary

    monkeypatch.setattr(sick_day, "give_to", refused)
    path = f"/therapists/{clinic.therapists[0]}/sick-days"
    body = {"first_day": "2026-06-12", "days": 1, "deeds": [deed]}
    first, again = (desk.post(path, body, Idempotency_Key="key").get_json() for _time in range(2))
    assert first["done"][0]["detail"] == canary.sentence
    assert again["done"] == [{**first["done"][0], "detail": ""}]
    assert "Canary" not in str(kept_answers())


def test_what_was_asked_cannot_be_found_by_trying_from_what_is_kept(app: Flask, desk: Program) -> None:
    """Whoever has the database alone, and knows how the program writes, would try one illness after the other."""
    path = f"/api/v1/clients/{world.person()}/intakes"
    asked = {"answers": world.answers(rf_chest_pain_breathless={}), "signed_by": "Ann Canary"}
    body = json.dumps(asked).encode()
    named = {"Authorization": f"Bearer {desk.key}", "Idempotency-Key": "one"}
    sent = desk.client.post(path, data=body, content_type="application/json", headers=named)
    assert sent.status_code == 201, sent.get_json()
    db.session.rollback()
    (mark,) = db.session.scalars(select(ApiAnswer.fingerprint))
    for tried in (b"\n".join([b"POST", path.encode(), body]), body):
        assert hashlib.sha256(tried).hexdigest() != mark


@pytest.mark.parametrize("is_dropped", [False, True])
@pytest.mark.parametrize("is_refused", [False, True])
def test_a_repetition_under_a_key_that_was_changed_since_is_answered_alike(
    app: Flask, desk: Program, is_refused: bool, is_dropped: bool
) -> None:
    path, asked = ("/visits", wish(healthy(), hour=3)) if is_refused else ("/holds", wish(healthy()))
    first = desk.post(path, asked, Idempotency_Key="one")
    assert first.status_code == (409 if is_refused else 201)
    change_keys(app, is_dropped=is_dropped)
    again = desk.post(path, asked, Idempotency_Key="one")
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = desk.post(path, {**asked, "minutes": 90}, Idempotency_Key="one")
    assert (other.status_code, other.get_json()["code"]) == (409, "not_allowed")


def change_keys(app: Flask, *, is_dropped: bool) -> None:
    """As `clinic keys add` and `reseal` do, and `drop`."""
    path = Path(app.config["CLINIC_KEY_FILE"])
    crypto.use(rotation.add_key(path))
    if is_dropped:
        rotation.seal_anew()
        crypto.use(rotation.drop_old_keys(path))
        rotation.forget_old_person_keys()
    db.session.rollback()


@pytest.mark.parametrize("marks", ["under a key of the clinic", "not at all"])
def test_what_the_version_of_before_answered_is_known(app: Flask, desk: Program, marks: str) -> None:
    asked = wish(healthy())
    body = json.dumps(asked).encode()
    headers = {
        "Authorization": f"Bearer {desk.key}",
        "Idempotency-Key": "one",
        "Content-Type": "application/json",
    }
    first = desk.client.post("/api/v1/holds", data=body, headers=headers)
    assert first.status_code == 201
    mark = hashlib.sha256(b"\n".join([b"POST", b"/api/v1/holds", body])).hexdigest()
    if marks == "under a key of the clinic":
        mark = hmac.digest(ring().keys[ring().current], mark.encode(), "sha256").hex()
    with transaction() as session:
        session.execute(update(ApiAnswer).values(fingerprint=mark))
    again = desk.client.post("/api/v1/holds", data=body, headers=headers)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    other = desk.client.post("/api/v1/holds", data=body + b" ", headers=headers)
    assert (other.status_code, other.get_json()["code"]) == (409, "not_allowed")


def two_weeks(client: int, reason: str) -> dict[str, Any]:
    starts = [{"starts_at": world.at(day).isoformat()} for day in (3, 17)]
    return {
        "client": client, "service": "relaxation", "minutes": 60, "every_weeks": 2, "starts": starts,
        "rest_reason": reason,
    }  # fmt: skip


def two_people(reason: str) -> dict[str, Any]:
    with transaction() as session:
        session.execute(update(Room).values(tables=2))
    people = [{"client": healthy(), "service": "relaxation", "minutes": 60} for _time in range(2)]
    return {"people": people, "starts_at": world.at(3).isoformat(), "rest_reason": reason}


@pytest.mark.parametrize("path", ["/series", "/couples"])
def test_what_books_several_is_done_once_and_its_words_cannot_be_found_by_trying(
    app: Flask, desk: Program, path: str
) -> None:
    """Also after the keys were changed, and when the answer is kept no more."""
    kind: Any = Series if path == "/series" else Couple
    asked = two_weeks(healthy(), "a fall") if path == "/series" else two_people("a fall")
    body = json.dumps(asked).encode()
    headers = {
        "Authorization": f"Bearer {desk.key}",
        "Idempotency-Key": "one",
        "Content-Type": "application/json",
    }
    first = desk.client.post(f"/api/v1{path}", data=body, headers=headers)
    assert first.status_code == 201, first.get_json()
    db.session.rollback()
    (kept,) = db.session.scalars(select(kind.request_key))
    for tried in (b"\n".join([b"POST", f"/api/v1{path}".encode(), body]), body):
        assert hashlib.sha256(tried).hexdigest() not in kept
    change_keys(app, is_dropped=True)
    for _time in range(2):
        again = desk.client.post(f"/api/v1{path}", data=body, headers=headers)
        assert (again.status_code, again.get_json()["id"]) == (201, first.get_json()["id"])
        api_services.drop_old_answers(NOW + dt.timedelta(days=3))
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(ApiAnswer)) == 0
    assert booked() == 2


@pytest.mark.parametrize("path", ["/series", "/couples"])
def test_nothing_of_what_was_asked_for_several_is_left_of_somebody_erased(
    app: Flask, desk: Program, path: str
) -> None:
    asked = two_weeks(healthy(), "a fall") if path == "/series" else two_people("a fall")
    client = asked["client"] if path == "/series" else asked["people"][1]["client"]
    made = desk.post(path, asked, Idempotency_Key="one").get_json()
    assert desk.post(f"{path}/{made['id']}/cancel", {"by_clinic": True}).status_code == 200
    erasing.erase_person(client, settings=app.config, by=None, now=NOW)
    db.session.rollback()
    for kind in (Series, Couple):
        assert [key for key in db.session.scalars(select(kind.request_key)) if key] == []
