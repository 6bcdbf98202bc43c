"""Requests that somebody wrote by hand to see what happens: each gets a problem document, and nothing is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient

from clinic.booking.models import Visit
from clinic.clients.models import Client
from clinic.shared.database import db
from tests.api.conftest import Program
from tests.booking import world

PERSON = {"first_name": "Ada", "last_name": "Hall", "born_on": "1950-02-28"}
BIDI = "\N{RIGHT-TO-LEFT OVERRIDE}"


def rows(model: Any) -> int:
    db.session.rollback()
    return int(db.session.query(model).count())


def test_people_of_every_age_can_be_added(desk: Program) -> None:
    for born_on in ("1950-02-28", "1924-02-29", world.TODAY.isoformat()):
        answer = desk.post("/clients", {**PERSON, "born_on": born_on})
        assert (answer.status_code, answer.get_json()["born_on"]) == (201, born_on)


WRONG_WITH_A_PERSON: tuple[tuple[dict[str, Any], str], ...] = (
    ({"born_on": (world.TODAY + dt.timedelta(days=1)).isoformat()}, "born_on"),
    ({"born_on": "1890-01-01"}, "born_on"),
    ({"born_on": "2001-02-29"}, "born_on"),
    ({"born_on": 19500228}, "born_on"),
    ({"first_name": f"Ada{BIDI}"}, "first_name"),
    ({"first_name": "a\tb"}, "first_name"),
    ({"last_name": "\N{NO-BREAK SPACE}"}, "last_name"),
    ({"last_name": "\N{ZERO WIDTH SPACE}\N{HANGUL FILLER}"}, "last_name"),
    ({"last_name": "\N{TAG LATIN SMALL LETTER A}"}, "last_name"),
    ({"last_name": "x" * 101}, "last_name"),
    ({"email": "ada"}, "email"),
    ({"email": "ada@x.example\nBcc: all@x.example"}, "email"),
    ({"phone": "call me"}, "phone"),
    ({"id": 1}, "id"),
)


def test_what_is_wrong_with_a_person_is_named(desk: Program) -> None:
    for change, field in WRONG_WITH_A_PERSON:
        answer = desk.post("/clients", {**PERSON, **change})
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid"), change
        assert [one["field"] for one in answer.get_json()["errors"]] == [field]
    assert rows(Client) == 0


def test_what_nobody_sees_is_taken_out_of_names_as_on_the_pages(desk: Program) -> None:
    hidden = "\N{ZERO WIDTH SPACE}A\N{SOFT HYPHEN}da\N{RIGHT-TO-LEFT MARK} "
    answer = desk.post(
        "/clients", {**PERSON, "first_name": hidden, "email": "ad\N{ZERO WIDTH SPACE}a@x.example"}
    )
    assert answer.status_code == 201
    assert (answer.get_json()["first_name"], answer.get_json()["email"]) == ("Ada", "ada@x.example")


def test_a_whole_number_in_the_address_line_may_be_written_as_in_a_body(desk: Program) -> None:
    """JSON Schema's 60.0 is an integer, and the document says no more than that."""
    asked = {"service": "swedish", "minutes": "60", "from": "2026-06-12"}
    plain = desk.get("/availability", **asked)
    assert plain.status_code == 200
    for text in ("60.0", "60.000", "6e1", "6E+1", "600e-1", "0.6e2"):
        again = desk.get("/availability", **{**asked, "minutes": text})
        assert (again.status_code, again.get_json()) == (200, plain.get_json()), text
    assert desk.get("/availability", **asked, client="5.0").status_code == 404  # read, and nobody


def test_what_is_no_whole_number_is_refused_in_the_address_line(desk: Program) -> None:
    asked = {"service": "swedish", "minutes": "60", "from": "2026-06-12"}
    wrong = (
        "5.5",
        "",
        "true",
        "NaN",
        "Infinity",
        "6.",
        ".6e2",
        "1e-1",
        " 60",
        "60\n",
        "6_0",
        "0x3c",
        "sixty",
    )
    beyond = ("4.0", "481.0", "48.1e1", "-60.0", "1e999", "9" * 19, "1e17")
    for text in (*wrong, *beyond):
        answer = desk.get("/availability", **{**asked, "minutes": text})
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid"), text
        assert answer.get_json()["errors"][0]["field"] == "minutes"


def test_a_number_that_only_looks_like_one_is_refused_by_the_clinic(desk: Program) -> None:
    answer = desk.post("/clients", {**PERSON, "phone": "000000000000000"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_allowed")
    assert answer.get_json()["errors"][0]["field"] == "phone"


def test_a_young_persons_answers_are_signed_by_a_parent_who_says_that_the_child_agrees(desk: Program) -> None:
    child = world.person(born_on=dt.date(2014, 5, 5))
    body = {"answers": world.answers(), "signed_by": "Kim Hall"}
    alone = desk.post(f"/clients/{child}/intakes", body)
    assert (alone.status_code, alone.get_json()["code"]) == (409, "not_allowed")
    signed = {**body, "relation": "mother", "young_person_agrees": True}
    assert desk.post(f"/clients/{child}/intakes", signed).status_code == 201


def test_an_intake_with_an_unanswered_question_does_not_fit(desk: Program) -> None:
    answers = world.answers()
    answers.pop("doctor_said_no")
    answer = desk.post(f"/clients/{world.person()}/intakes", {"answers": answers, "signed_by": "Kim"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


WRONG_WITH_A_WISH: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"service": "sauna"}, 422, "service"),
    ({"minutes": 61}, 422, "minutes"),
    ({"mode": "turbo"}, 422, "mode"),
    ({"addons": ["champagne"]}, 422, "addons"),
    ({"mode": "interval"}, 409, "service"),  # there is such a mode, and such a service, not together
)


def test_what_is_on_no_list_is_malformed_and_what_does_not_go_together_is_refused(desk: Program) -> None:
    client, when = world.person(), world.at(3)
    for change, status, field in WRONG_WITH_A_WISH:
        wish = {"service": "swedish", "minutes": 60, **change}
        asked = {**wish, "addons": ",".join(wish.get("addons", []))}
        answers = [
            desk.post("/visits", {**wish, "client": client, "starts_at": when.isoformat()}),
            desk.post("/holds", {**wish, "starts_at": when.isoformat()}),
            desk.post("/verdicts", {**wish, "client": client, "day": when.date().isoformat()}),
            desk.get("/availability", **asked, **{"from": "2026-06-12"}),
        ]
        for answer in answers:
            assert answer.status_code == status, change
            assert [one["field"] for one in answer.get_json()["errors"]] == [field]
    assert rows(Visit) == 0


def test_a_key_is_asked_for_before_the_body_is_read(client: FlaskClient, clinic: Any) -> None:
    for path in ("/visits", "/holds", "/holds/1/renew"):
        answer = client.post(f"/api/v1{path}", data=b"{", content_type="text/plain")
        assert answer.status_code == 401


def test_an_operation_without_a_body_needs_none(desk: Program) -> None:
    held = desk.post("/holds", {"service": "swedish", "minutes": 60, "starts_at": world.at(3).isoformat()})
    headers = {"Authorization": f"Bearer {desk.key}"}
    answer = desk.client.post(f"/api/v1/holds/{held.get_json()['id']}/release", headers=headers)
    assert (answer.status_code, answer.get_json()["released"]) == (200, True)


WISHES_NOBODY_ASKED_FOR: tuple[dict[str, Any], ...] = (
    {"service": "swedish"},
    {"service": "swedish", "minutes": "x"},
    {"service": ["a"], "minutes": 60},
    {"people": 5},
    {"people": [1]},
)


def test_an_operation_without_a_wish_reads_none_that_is_sent_all_the_same(desk: Program) -> None:
    for wish in WISHES_NOBODY_ASKED_FOR:
        answers = [
            desk.post(path, wish) for path in ("/holds/9/renew", "/holds/9/release", "/waitlist/9/accept")
        ]
        answers += [desk.get(path, **wish) for path in ("/visits/9", "/clients/9", "/series/9")]
        assert {(answer.status_code, answer.get_json()["code"]) for answer in answers} == {(404, "not_found")}


WRONG_ADDRESSES = (
    "service=swedish&service=sports&minutes=60&from=2026-06-12",
    "service=swedish&minutes=60&from=2026-06-12&from=2026-06-13",
    "service=swedish&minutes=60&from=2026-06-12&therapist=999999999999999999999",
    "service=swedish&minutes=60&from=2026-06-12&days=61",
    "service=swedish&minutes=60&from=2026-06-31",
    "service=swedish&minutes=60&from=2026-06-12&areas=neck,nowhere",
    "service=swedish&minutes=60&from=2026-06-12&areas=,",
    "service=swedish&minutes=6e-1&from=2026-06-12",
    "service=swedish&minutes=60&from=2026-06-12&page=1",
    f"service={quote(BIDI)}&minutes=60&from=2026-06-12",
)


def test_addresses_that_say_something_else_are_refused(desk: Program) -> None:
    headers = {"Authorization": f"Bearer {desk.key}"}
    for asked in WRONG_ADDRESSES:
        answer = desk.client.get(f"/api/v1/availability?{asked}", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid"), asked
    nul = desk.client.get("/api/v1/availability?service=%00&minutes=60&from=2026-06-12", headers=headers)
    assert (nul.status_code, nul.get_json()["code"]) == (400, "malformed")


def test_pages_that_are_not_there_are_empty_and_impossible_ones_refused(desk: Program) -> None:
    world.person()
    assert desk.get("/clients", page=100000).get_json()["items"] == []
    for wrong in (
        {"page": 0},
        {"page": -1},
        {"page": "x"},
        {"per_page": 101},
        {"page": 10**30},
        {"search": BIDI},
    ):
        assert desk.get("/clients", **wrong).status_code == 422


def test_an_id_in_the_path_has_the_digits_that_the_document_names(desk: Program) -> None:
    client = str(world.person())
    arabic = "".join(chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + int(one)) for one in client)
    assert desk.get(f"/clients/{client}").status_code == 200
    answer = desk.get(f"/clients/{arabic}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_bodies_that_say_something_twice_or_too_much_are_refused(desk: Program) -> None:
    def sent(body: bytes) -> int:
        headers = {"Authorization": f"Bearer {desk.key}"}
        asked = desk.client.post(
            "/api/v1/clients", data=body, content_type="application/json", headers=headers
        )
        assert asked.content_type == "application/problem+json"
        return asked.status_code

    twice = b'{"first_name": "A", "first_name": "B", "last_name": "C", "born_on": "1950-01-01"}'
    assert sent(twice) == 400
    assert sent(b'{"first_name": "%s"}' % (b"x" * 1_000_000)) == 422
    assert sent(b'{"first_name": "%s"}' % (b"x" * 1_100_000)) == 413
    assert rows(Client) == 0


def test_a_key_of_repetition_is_a_plain_word(desk: Program) -> None:
    for key in ("", "x" * 201, "a b", "\xe9"):
        assert desk.post("/clients", PERSON, Idempotency_Key=key).status_code == 422
    assert rows(Client) == 0


def test_what_is_not_there_is_a_problem_document_under_every_address_for_programs(
    desk: Program, client: FlaskClient
) -> None:
    for path in ("/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/visits", "/api/docs/x"):
        for answer in (client.get(path), client.post(path, json={})):
            assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), path
            assert answer.get_json()["code"] == "not_found"
    wrong = client.post("/api/openapi.json")
    assert (wrong.status_code, wrong.get_json()["code"]) == (405, "method_not_allowed")
    for path in ("/apiary", "/api.html"):
        assert client.get(path).mimetype == "text/html", path
    assert client.get("/api/docs").mimetype == "text/html"
    assert client.post("/api/docs").mimetype == "text/html"  # for people
