"""What the door reads from a request, what it lets a browser keep, and where it leads."""

from __future__ import annotations

import contextvars
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest
from flask import Flask, Response, session
from flask_login import login_user
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response as BaseResponse

from clinic.accounts import access, services
from clinic.accounts.passkeys import Site
from clinic.rules.permissions import Permission, Role
from tests.conftest import NOW

T = TypeVar("T")
pytestmark = pytest.mark.usefixtures("premises", "now")
only_once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # nothing here asks the database
MARK = "m" * 43
SECOND = dt.timedelta(seconds=1)


def person(roles: Iterable[Role], *given: Permission, **values: Any) -> access.SignedIn:
    plain: dict[str, Any] = {
        "id": 7, "name": "Dana Desk", "email": "dana@clinic.example", "language": None, "session_id": 9,
        "last_seen_at": NOW, "is_locked": False, "proved_at": NOW, "factor_at": NOW, "token": "key",
    }  # fmt: skip
    return access.SignedIn(**{**plain, **values}, roles=frozenset(roles), given=frozenset(given))


def asked(
    app: Flask, what: Callable[[], T], *, by: access.SignedIn | None = None, path: str = "/", **request: Any
) -> T:
    """What comes of it in a request of its own, by this person."""

    def do() -> T:
        with app.test_request_context(path, **request):
            if by is not None:
                login_user(by)
            return what()

    return contextvars.Context().run(do)


def cookie_of(answer: BaseResponse) -> tuple[str, set[str]]:
    """The only cookie that is set, and how it is kept."""
    [said] = answer.headers.getlist("Set-Cookie")
    kept, *how = said.split("; ")
    return kept, set(how) - {one for one in how if one.startswith("Expires")}


@only_once
@pytest.mark.parametrize(
    ("is_https", "name", "secure"), [(False, "browser", set()), (True, "__Host-browser", {"Secure"})]
)
def test_a_browser_is_known_again_by_its_mark(
    app: Flask, monkeypatch: pytest.MonkeyPatch, name: str, secure: set[str], *, is_https: bool
) -> None:
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", is_https)
    for kept, is_known in ((MARK, True), (MARK + "m", False), (MARK[1:] + "é", False), ("", False)):
        mark, again, origin, answer = asked(
            app,
            lambda: (
                access.known_mark(),
                access.known_mark(),
                access.origin(),
                access._keep_mark(Response()),
            ),
            environ_overrides={"HTTP_COOKIE": f"{name}={kept}", "REMOTE_ADDR": "192.0.2.7"},
        )
        assert (mark == kept) is is_known
        assert access.MARK.fullmatch(mark)
        assert (again, origin.device, origin.address) == (mark, mark, "192.0.2.7")
        assert cookie_of(answer) == (
            f"{name}={mark}", {"Max-Age=34560000", "HttpOnly", "Path=/", "SameSite=Lax", *secure},
        )  # fmt: skip
    other = "browser" if is_https else "__Host-browser"
    assert asked(app, access.known_mark, headers={"Cookie": f"{other}={MARK}"}) != MARK


@only_once
@pytest.mark.parametrize(("is_https", "secure"), [(False, set()), (True, {"Secure"})])
def test_a_browser_keeps_its_language_or_none(
    app: Flask, monkeypatch: pytest.MonkeyPatch, secure: set[str], *, is_https: bool
) -> None:
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", is_https)

    def kept(language: str) -> tuple[str, set[str]]:
        answer: BaseResponse = asked(
            app, lambda: access._read_as_before(language, is_text_large=True)(Response())
        )
        text, chosen = sorted(answer.headers.getlist("Set-Cookie"), reverse=True)
        assert text.startswith("text=large;")
        return cookie_of(BaseResponse(headers={"Set-Cookie": chosen}))

    assert kept("de") == ("language=de", {"Max-Age=31536000", "Path=/", "SameSite=Lax", *secure})
    assert kept("") == ("language=", {"Max-Age=0", "Path=/"})


@only_once
def test_who_is_at_the_screen_and_what_they_were_given_by_name(app: Flask) -> None:
    review, erase = Permission.CLINICAL_REVIEW, Permission.CLIENT_ANY_ERASE

    def seen() -> tuple[int | None, bool, bool]:
        return access.who(), access.is_named(review), access.is_named(erase)

    assert asked(app, seen) == (None, False, False)
    assert asked(app, seen, by=person([Role.OWNER])) == (7, False, False)
    assert asked(app, seen, by=person([Role.THERAPIST], review)) == (7, True, False)


@only_once
@pytest.mark.parametrize(
    ("roles", "page"),
    [
        ([], "/"),
        ([Role.CLIENT], "/my"),
        ([Role.THERAPIST], "/diary"),
        ([Role.FRONT_DESK], "/desk"),
        ([Role.OWNER], "/desk"),
        ([Role.CLIENT, Role.THERAPIST], "/diary"),
        ([Role.THERAPIST, Role.FRONT_DESK], "/desk"),
    ],
)
def test_where_everybody_goes_first(app: Flask, roles: list[Role], page: str) -> None:
    assert asked(app, access.first_page, by=person(roles) if roles else None) == page


OWN, TEAM, ERASE = "/account", "/owner/team", "/owner/erasures"


@only_once
@pytest.mark.parametrize(
    ("who", "own", "locks"),
    [
        (None, [OWN], False),
        (person([Role.CLIENT]), [OWN], False),
        (person([Role.FRONT_DESK]), [OWN], True),
        (person([Role.OWNER]), [OWN, TEAM], True),
        (person([Role.OWNER], Permission.CLIENT_ANY_ERASE), [OWN, TEAM], True),
        (person([Role.THERAPIST]), [OWN], True),
        (person([Role.THERAPIST], Permission.CLIENT_ANY_ERASE), [OWN, ERASE], True),
        (person([Role.FRONT_DESK], Permission.CLIENT_ANY_ERASE), [OWN], True),
    ],
)
@pytest.mark.parametrize("is_handed_over", [False, True])
def test_what_the_frame_of_a_page_shows(
    app: Flask, who: access.SignedIn | None, own: list[str], *, locks: bool, is_handed_over: bool
) -> None:
    def doors() -> dict[str, Any]:
        if is_handed_over:
            session[access.TABLET] = "pass"
        return access._doors()

    found = asked(app, doors, by=who)
    shown = {
        OWN: ("Your account", "person"), TEAM: ("Team", "people"), ERASE: ("Requests to be erased", "person-x"),
    }  # fmt: skip
    assert [(one["href"], (one["label"], one["icon"])) for one in found["account_nav"]] == [
        (one, shown[one]) for one in own
    ]
    assert (found["sign_in_href"], found["sign_out_href"]) == (
        "" if is_handed_over else "/sign-in", "/sign-out",
    )  # fmt: skip
    assert found["lock_after"] == (dt.timedelta(minutes=15) if locks else None)


PAGE = {"Referer": "http://localhost/my/people?from=mail"}


@only_once
@pytest.mark.parametrize(
    ("method", "path", "headers", "leads"),
    [
        ("GET", "/my", {}, "/sign-in?next=/my"),
        ("GET", "/my?from=mail", PAGE, "/sign-in?next=/my?from%3Dmail"),
        ("GET", "/visit/keyX?", {}, "/sign-in?next=/visit/keyX"),
        ("POST", "/my/people", PAGE, "/sign-in?next=/my/people&undone=y"),
        ("POST", "/my/people", {}, "/sign-in?undone=y"),
        ("POST", "/sign-out", PAGE, "/sign-in"),
    ],
)
@pytest.mark.parametrize("by_htmx", [False, True])
def test_whoever_is_not_signed_in_is_led_back(
    app: Flask, method: str, path: str, headers: dict[str, str], leads: str, *, by_htmx: bool
) -> None:
    more = {"HX-Request": "true"} if by_htmx else {}
    answer = asked(app, access._to_sign_in, path=path, method=method, headers={**headers, **more})
    found = (answer.status_code, answer.headers.get("Location"), answer.headers.get("HX-Redirect"))
    assert found == ((204, None, leads) if by_htmx else (303, leads, None))


@only_once
@pytest.mark.parametrize(("ago", "noted"), [(59, []), (60, [(9, NOW)]), (61, [(9, NOW)])])
@pytest.mark.parametrize("breaks", [False, True])
def test_what_somebody_does_is_noted_once_a_minute_and_fails_no_page(
    app: Flask, monkeypatch: pytest.MonkeyPatch, ago: int, noted: list[object], *, breaks: bool
) -> None:
    seen: list[object] = []

    def note(session_id: int, now: dt.datetime) -> None:
        seen.append((session_id, now))
        if breaks:
            raise OperationalError("UPDATE", {}, Exception("no room left"))

    monkeypatch.setattr(services, "note_activity", note)
    someone = person([Role.CLIENT], last_seen_at=NOW - ago * SECOND)
    asked(app, lambda: access._note_activity(someone))
    assert seen == noted


@only_once
def test_how_long_people_stay_signed_in_is_set(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("STAFF_IDLE_MINUTES", 11), ("CLIENT_IDLE_DAYS", 12), ("CLIENT_DAYS", 13)):
        monkeypatch.setitem(app.config, f"CLINIC_{name}", value)
    rules = asked(app, access.session_rules)
    assert (rules.staff_idle, rules.client_idle, rules.client_longest) == (
        dt.timedelta(minutes=11), dt.timedelta(days=12), dt.timedelta(days=13),
    )  # fmt: skip


@only_once
def test_where_passkeys_are_bound_to_and_whether_all_is_invented(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "CLINIC_PUBLIC_URL", "https://still.example")
    for is_demo in (False, True):
        monkeypatch.setitem(app.config, "CLINIC_DEMO", is_demo)
        found = asked(app, lambda: (access.site(), access.is_demo()), headers={"Host": "other.example"})
        assert found == (Site("https://still.example", "Still Waters"), is_demo)


@only_once
def test_the_frame_is_on_pages_and_what_pages_are_made_of_needs_no_sign_in(app: Flask) -> None:
    browser = app.test_client()
    assert 'href="/sign-in"' in browser.get("/services").text
    assert browser.get("/static/css/site.css").status_code == 200
    assert browser.get("/no-such-page").status_code == 404
    assert browser.get("/sign-in?next=%ff").status_code == 400


def let_in(
    app: Flask, monkeypatch: pytest.MonkeyPatch, who: access.SignedIn | None, **kept: str
) -> tuple[dict[str, Any], list[object], list[str], int | None]:
    """What a browser that held this holds afterwards, which session was ended, which cookies are set, who is in."""
    ended: list[object] = []
    monkeypatch.setattr(access, "_load", lambda _token: who)
    monkeypatch.setattr(services, "end_session", lambda *one: ended.append(one))

    def do() -> tuple[dict[str, Any], list[object], list[str], int | None]:
        session.update(kept)
        access.let_in("key")
        cookies = app.process_response(Response()).headers.getlist("Set-Cookie")
        return dict(session), ended, [one for one in cookies if one.startswith("language")], access.who()

    return asked(app, do)


@only_once
def test_a_device_of_the_team_lets_no_client_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {access.TABLET: "pass", access.HALFWAY: "half", access.READ_BEFORE: "de"}
    held, ended, cookies, who = let_in(app, monkeypatch, person([Role.CLIENT]), **kept)
    [(kind, _words)] = held.pop("_flashes")
    assert (kind, held) == ("care", {access.TABLET: "pass", access.READ_BEFORE: "de"})
    assert (ended, cookies, who) == ([(7, 9, NOW)], [], None)


@only_once
@pytest.mark.parametrize(
    ("kept", "language"),
    [
        ({}, []),
        ({access.READ_BEFORE: "de"}, []),
        ({access.TABLET: "pass"}, ["language="]),
        ({access.TABLET: "pass", access.READ_BEFORE: "de"}, ["language=de"]),
    ],
)
def test_whoever_signs_in_finds_nothing_of_who_was_here_but_a_booking(
    app: Flask, monkeypatch: pytest.MonkeyPatch, kept: dict[str, str], language: list[str]
) -> None:
    more = {access.CHECKOUT: "booking", access.HALFWAY: "half", access.AHEAD: "/my"}
    held, ended, cookies, who = let_in(app, monkeypatch, person([Role.FRONT_DESK]), **kept, **more)
    assert {key for key in held if not key.startswith("_")} == {access.CHECKOUT}
    assert (held[access.CHECKOUT], held["_user_id"], who) == ("booking", "key", 7)
    assert (ended, [one.partition(";")[0] for one in cookies]) == ([], language)


@only_once
def test_a_key_that_opens_nothing_lets_nobody_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {access.CHECKOUT: "booking", access.HALFWAY: "half"}
    assert let_in(app, monkeypatch, None, **kept) == ({access.CHECKOUT: "booking"}, [], [], None)
