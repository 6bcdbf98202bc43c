"""What every answer says to the browser, whatever it answers: pages, refusals, files, mistakes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.accounts.people import PASSWORD, make_person
from tests.factories import make_clinic, make_location
from tests.web import Visitor

pytestmark = [
    pytest.mark.usefixtures("now"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

HTTPS = {
    "CLINIC_PUBLIC_URL": "https://book.example",
    "SESSION_COOKIE_NAME": "__Host-clinic",
    "SESSION_COOKIE_SECURE": True,
    "TRUSTED_HOSTS": ["book.example"],
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "manifest-src": "'self'",
}
PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}
HIDDEN = (
    "/.git/config",
    "/.env",
    "/config.py",
    "/static/../config.py",
    "/static/%2e%2e/config.py",
    "/static/.git",
)


@pytest.fixture
def settings() -> dict[str, object]:
    """A clinic behind https whose mistakes are answered as in real life."""
    return {**HTTPS, "PROPAGATE_EXCEPTIONS": False, "WTF_CSRF_ENABLED": True, "FOR": "a page that breaks"}


class ByHttps(Visitor):
    """Somebody who opens the clinic's own address."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Every request goes there."""
        return super().open(*args, base_url="https://book.example", **kwargs)


def visitor_of(app: Flask) -> FlaskClient:
    """Somebody who comes by https, to a clinic."""
    make_clinic()
    make_location(zone="America/New_York")
    app.test_client_class = ByHttps
    return app.test_client()


def asked(app: Flask) -> dict[str, TestResponse]:
    """One answer of each kind, by what was asked."""
    make_person("ann@mail.example")
    visitor = visitor_of(app)
    app.view_functions["catalogue.services"] = lambda: str(1 // 0)
    found = {
        "200": visitor.get("/sign-in"),
        "303": visitor.get("/account"),
        "400 token": visitor.post("/sign-in", data={"email": "a"}),
        "400 text": visitor.get("/sign-in?next=%00"),
        "400 host": visitor.get("/sign-in", headers={"Host": "evil.example"}),
        "404": visitor.get("/nothing"),
        "404 file": visitor.get("/static/css/nothing.css"),
        "405 file": visitor.post("/static/css/app.css"),
        "416 file": visitor.get("/static/css/app.css", headers={"Range": "bytes=99999999-"}),
        "404 program": visitor.get("/api/v1/nothing"),
        "405": visitor.delete("/sign-in"),
        "405 trace": visitor.open("/sign-in", method="TRACE"),
        "413": visitor.post("/sign-in", data={"email": "a" * (2 * 1024 * 1024)}),
        "422": _sign_in(visitor, "x"),
        "500": visitor.get("/services"),
    }
    found["429"] = [_sign_in(visitor, "x") for _ in range(11)][-1]
    found["file"] = visitor.get("/static/css/app.css")
    found["asks"] = visitor.options("/sign-in")
    for answer in found.values():
        answer.get_data()  # is kept, whatever is closed
        answer.close()
    return found


def _sign_in(visitor: FlaskClient, password: str, email: str = "ann@mail.example") -> TestResponse:
    page = visitor.get("/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token.group(1), "email": email, "password": password}
    return visitor.post("/sign-in", data=form, headers={"Referer": "https://book.example/sign-in"})


def test_every_answer_has_the_headers(app: Flask) -> None:
    wrong: dict[str, Any] = {}
    for name, answer in asked(app).items():
        status = int(name.split()[0]) if name[0].isdigit() else 200
        assert "Content-Security-Policy" in answer.headers, name
        policy = dict(
            one.strip().split(" ", 1) for one in answer.headers["Content-Security-Policy"].split(";")
        )
        said = {key: answer.headers.get(key) for key in PLAIN}
        keeps = "no-store" in answer.headers.get("Cache-Control", "") or name == "file"
        cross = [key for key, _ in answer.headers if key.lower().startswith("access-control")]
        if (answer.status_code, policy, said, keeps, cross) != (status, POLICY, PLAIN, True, []):
            wrong[name] = (answer.status_code, policy, said, keeps, cross)
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Traceback" not in answer.text
    assert wrong == {}


def test_cookies_are_for_this_site_alone(app: Flask) -> None:
    make_person("ann@mail.example")
    visitor = visitor_of(app)
    answers = [
        visitor.get("/sign-in"),
        _sign_in(visitor, PASSWORD),
        visitor.get("/account"),
    ]
    cookies = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
    assert {line.split("=")[0] for line in cookies} == {"__Host-clinic", "__Host-browser"}
    for line in cookies:
        parts = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts, line
        assert not any(part.startswith("domain") for part in parts)
        assert len(line) < 4096


def test_a_page_whose_address_is_a_key_tells_nobody_its_address(app: Flask) -> None:
    visitor = visitor_of(app)
    keyed = [
        re.sub("<[^>]*>", "x" * 43, re.sub("<int:[^>]*>", "1", rule.rule))
        for rule in app.url_map.iter_rules()
        if "token" in rule.arguments and "GET" in (rule.methods or ())
    ]
    assert len(keyed) > 5
    assert {path: visitor.get(path).headers["Referrer-Policy"] for path in keyed} == dict.fromkeys(
        keyed, "strict-origin"
    )


def test_what_is_hidden_or_asked_for_by_another_site_is_not_there(app: Flask) -> None:
    visitor = visitor_of(app)
    assert {path: visitor.get(path).status_code for path in HIDDEN} == dict.fromkeys(HIDDEN, 404)
    forwarded = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "/owner",
        "X-Rewrite-URL": "/owner",
        "X-HTTP-Method-Override": "DELETE",
        "Origin": "https://evil.example",
    }
    answer = visitor.get("/account", headers=forwarded)
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/account")
    assert "evil.example" not in visitor.get("/sign-in", headers=forwarded).text
