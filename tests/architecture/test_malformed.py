"""What no browser sends: no door breaks at it, and one place refuses what cannot be read, for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clinic.rules.permissions import GIVEN_BY_NAME, Role
from clinic.shared import clock, heartbeat
from tests.architecture.doors import browser, doors, everything, some_rows
from tests.factories import make_user

FORM = "application/x-www-form-urlencoded"
UNREADABLE = ("a%00b", "%ED%A0%80", "%FF%FE", "%C3%28", "%F0%28%8C%BC", "%C0%AF")
"""As part of an address or a form: NUL, a lone surrogate, bytes that are no UTF-8."""
NAMES = ("q", "day", "do", "next", "name", "email", "note")
HOSTILE = (
    "9" * 400, "-1", "NaN", "1e999", "[" * 2000,
    '{"a":' * 500, "' OR '1'='1' --", "x; DROP TABLE user", "../../etc/passwd",
    "\u202e\u2066\U0001f4a9\u0130\u1e9e", "%s%n{0}{{1}}", "2026-02-30", "0000-00-00", "a\r\nSet-Cookie: b=1",
)  # fmt: skip
FIELDS = (
    "act", "areas", "at", "client", "day", "do", "from", "keep", "kind", "minutes", "name", "email", "note", "next",
    "other", "page", "person", "phone", "place", "q", "reason", "revision", "seen", "size", "slot", "sort", "order",
    "source", "start", "status", "therapist", "topic", "version", "view", "visit", "first_name", "born_on", "addons",
)  # fmt: skip
BODIES = (
    (b"[" * 100_000, "application/json"),
    (b'{"a":"\\ud800"}', "application/json"),
    (b"\xff\xfe\x00", "application/json"),
    (b"a=1&" * 5000, FORM),
    (b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", "multipart/form-data; boundary=x"),
    (b"junk", "multipart/form-data"),
    (b"<a/>", "application/xml"),
    (b"a" * 1024 * 1100, FORM),
)  # fmt: skip


def everybody(app: Flask) -> int:
    heartbeat.beat(clock.now())  # the worker is at work: /readyz says so
    roles = [Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER]
    return make_user(email="all@doors.example", roles=roles, given=GIVEN_BY_NAME).id


def test_what_cannot_be_read_is_refused_in_one_place_for_every_door(demo: Flask) -> None:
    user_id = everybody(demo)
    visitor = browser(demo, user_id)
    before, wrong = everything(), {}
    for number, door in enumerate(doors(demo)):
        text, name = UNREADABLE[number % len(UNREADABLE)], NAMES[number % len(NAMES)]
        answers = [visitor.open(f"{door.address}?{name}={text}", method=door.method)]
        if door.method == "POST":
            answers.append(visitor.post(door.address, data=f"{name}={text}", content_type=FORM))
        if {answer.status_code for answer in answers} != {400}:
            wrong[str(door)] = [answer.status_code for answer in answers]
    for text in UNREADABLE:
        answer = visitor.get(f"/services/{text}")
        if answer.status_code != 400:
            wrong[text] = [answer.status_code]
    assert wrong == {}
    assert everything() == before


def test_no_door_breaks_at_what_it_does_not_expect(demo: Flask) -> None:
    user_id = everybody(demo)
    visitor = browser(demo, user_id)
    broken: dict[str, object] = {}

    def look(answer: TestResponse, what: object) -> None:
        if answer.status_code >= 500 or "b=1" in str(answer.headers.getlist("Set-Cookie")):
            broken[str(what)] = answer.status_code

    for number, door in enumerate(doors(demo, rows={**some_rows(demo), "user_id": user_id})):
        if door.endpoint in ("accounts.sign_out", "accounts.sign_in_again", "accounts.lock_screen"):
            continue
        text = HOSTILE[number % len(HOSTILE)]
        typed = dict.fromkeys(FIELDS, text)
        if door.method == "POST":
            look(visitor.post(door.address, data=typed), (door, text[:9]))
        elif "<" not in door.rule:  # a page about one row takes nothing else
            look(visitor.get(door.address, query_string=typed), (door, text[:9]))
    assert broken == {}


def test_no_body_and_no_header_breaks_a_page(demo: Flask) -> None:
    visitor = browser(demo, everybody(demo))
    answers = {}
    for body, kind in BODIES:
        for address in ("/sign-in", "/book/details", "/api/v1/visits", "/desk/visits/new"):
            answers[address, kind, body[:9]] = visitor.post(address, data=body, content_type=kind).status_code
    for name in (
        "Cookie",
        "Accept-Language",
        "If-None-Match",
        "Range",
        "If-Modified-Since",
        "Authorization",
        "Referer",
    ):
        for text in ("\xff\x80", "x" * 9000, "a=b; clinic=.e.e.e"):
            answers[name, text[:9], b""] = visitor.get("/sign-in", headers={name: text}).status_code
    assert {asked: status for asked, status in answers.items() if not 200 <= status < 500} == {}


@pytest.mark.parametrize("odd", ["https://[", "https://book.example:x/", "https://book.example:99999999/"])
def test_half_an_address_to_come_from_is_refused(demo: Flask, odd: str) -> None:
    """The check of forms compares it on https, and fails at it."""
    visitor = browser(demo, None)
    for method, address in (("GET", "/sign-in"), ("POST", "/text-size"), ("POST", "/sign-in")):
        answer = visitor.open(address, method=method, headers={"Referer": odd})
        assert answer.status_code == 400, (method, address)


def test_log_lines_hold_nothing_of_a_request(
    demo: Flask, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    visitor = browser(demo, None)
    said = "planted\nlevel='error' event='forged'"
    for answer in (
        visitor.post("/sign-in", data={"email": said, "password": said}),
        visitor.get("/sign-in", query_string={"next": said}, headers={"User-Agent": "planted"}),
        visitor.get("/planted%0aforged"),
        visitor.post("/sign-in/link/planted%0aforged"),
    ):
        assert answer.status_code < 500
    out = "".join(capsys.readouterr())
    assert "planted" not in out
    assert "forged" not in out
