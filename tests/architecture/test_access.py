"""Every route against every role: closed unless the table opens it, nothing written by GET or without a token."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic.rules.permissions import GIVEN_BY_NAME, GRANTS, STAFF, Permission, Role, may
from clinic.shared import clock, heartbeat
from clinic.shared.web import Pages, needs_of
from tests.architecture.access_table import MAY, NEEDS
from tests.architecture.doors import Door, browser, doors, everything, outcome, some_rows
from tests.factories import make_clinic, make_location, make_user

# What opens a door does not depend on the database.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PEOPLE: dict[str, tuple[list[Role], list[Permission]]] = {
    "nobody": ([], []),
    "client": ([Role.CLIENT], []),
    "therapist": ([Role.THERAPIST], []),
    "front desk": ([Role.FRONT_DESK], []),
    "front desk with clinical review": ([Role.FRONT_DESK], [Permission.CLINICAL_REVIEW]),
    "front desk that may erase": ([Role.FRONT_DESK], [Permission.CLIENT_ANY_ERASE]),
    "owner": ([Role.OWNER], []),
}
BY_NAME = {Permission.CLINICAL_REVIEW, Permission.CLIENT_ANY_ERASE}
# Where these lead is the sign-in page itself.
ENDS_AT_SIGN_IN = {"POST /sign-out", "POST /sign-in/again"}
USE_UP_THE_SESSION = ENDS_AT_SIGN_IN | {"POST /account/lock"}
TOKEN_OR_NUMBER = re.compile(r'(?<=csrf-token" content=")[^"]+|(?<=name="csrf_token" value=")[^"]+|\d+')


@pytest.fixture
def settings() -> dict[str, object]:
    """Errors are answered as in a real clinic, so that a broken page shows as one."""
    return {"PROPAGATE_EXCEPTIONS": False}


@pytest.fixture
def people(app: Flask, now: object) -> dict[str, int | None]:
    """A clinic with one person of each kind; the id of their account."""
    make_clinic()
    make_location(zone="America/New_York")
    return add_people()


def add_people() -> dict[str, int | None]:
    heartbeat.beat(clock.now())  # the worker is at work: /readyz says so
    ids: dict[str, int | None] = {"nobody": None}
    for kind, (roles, given) in PEOPLE.items():
        if roles:
            email = f"{kind.replace(' ', '.')}@doors.example"
            ids[kind] = make_user(email=email, roles=roles, given=given).id
    return ids


def held_by(kind: str) -> set[Permission]:
    """What the table written out by hand allows a person of this kind."""
    roles, given = PEOPLE[kind]
    return {need for need, allowed in MAY.items() if allowed & {Role.ANYONE, *roles}} | set(given)


def test_policy_is_what_is_written_out_by_hand() -> None:
    assert dict(GRANTS) == MAY
    assert set(MAY) == set(Permission)
    assert BY_NAME == GIVEN_BY_NAME
    assert {Role.THERAPIST, Role.FRONT_DESK, Role.OWNER} == STAFF


@pytest.mark.parametrize("permission", Permission)
def test_only_two_can_be_given_by_name(permission: Permission) -> None:
    is_open = Role.ANYONE in MAY[permission]
    assert may([], permission) is is_open
    assert may([], permission, [permission]) is (is_open or permission in BY_NAME)


def test_route_without_a_need_is_refused_at_import() -> None:
    pages = Pages("late", __name__)
    with pytest.raises(TypeError):
        pages.get("/late")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        pages.route("/late")
    pages.get("/late", needs=Permission.SITE_ANY_READ, endpoint="late")(str)
    with pytest.raises(TypeError):
        pages.post("/late", needs=Permission.CLINIC_ANY_WRITE, endpoint="late")(str)


@on_sqlite
def test_table_names_every_route_and_what_it_needs(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    assert endpoints == set(needs_of(app))
    assert {endpoint: Permission(need) for endpoint, need in needs_of(app).items()} == NEEDS


@on_sqlite
@pytest.mark.parametrize("kind", PEOPLE)
def test_every_route_answers_each_person_as_the_policy_says(
    app: Flask, people: dict[str, int | None], kind: str
) -> None:
    shut = "sign in" if kind == "nobody" else "closed"
    client = browser(app, people[kind])
    found, expected = {}, {}
    for door in doors(app):
        is_open = NEEDS.get(door.endpoint) in held_by(kind)
        expected[str(door)] = ("sign in" if str(door) in ENDS_AT_SIGN_IN else "open") if is_open else shut
        visitor = browser(app, people[kind]) if str(door) in USE_UP_THE_SESSION else client
        found[str(door)] = outcome(visitor.open(door.address, method=door.method))
    assert found == expected


@on_sqlite
def test_unknown_address_is_not_found_for_everybody(app: Flask, people: dict[str, int | None]) -> None:
    for user_id in people.values():
        client = browser(app, user_id)
        answers = [client.open("/nothing/here", method=method) for method in ("GET", "POST", "DELETE")]
        assert [answer.status_code for answer in answers] == [404, 404, 404]


@on_sqlite
@pytest.mark.parametrize(
    "settings", [{"PROPAGATE_EXCEPTIONS": False, "FOR": "an application that gets a route"}]
)
def test_route_that_declares_nothing_stays_closed(app: Flask, people: dict[str, int | None]) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open to everybody")
    assert {browser(app, user_id).get("/forgotten").status_code for user_id in people.values()} == {404}


@on_sqlite
@pytest.mark.parametrize("settings", [{"PROPAGATE_EXCEPTIONS": False, "WTF_CSRF_ENABLED": True}])
@pytest.mark.parametrize("kind", ["nobody", "owner"])
def test_every_writing_route_refuses_a_missing_or_foreign_token(
    app: Flask, people: dict[str, int | None], kind: str
) -> None:
    client, stranger = browser(app, people[kind]), browser(app, None)
    tokens = ["junk", token_of(stranger)]
    before = everything()
    taken = {}
    for door in (one for one in doors(app) if one.method != "GET"):
        if door.endpoint == "messages.stop":
            continue  # a mail program presses it without a cookie: its signed key is the permission (tests/messages)
        answers = [client.open(door.address, method=door.method, data={"csrf_token": one}) for one in tokens]
        answers.append(client.open(door.address, method=door.method))
        answers.append(
            client.open(door.address, method=door.method, data='{"a":1}', content_type="text/plain")
        )
        if {answer.status_code for answer in answers} != {400}:
            taken[str(door)] = [answer.status_code for answer in answers]
    assert taken == {}
    assert everything() == before


@on_sqlite
@pytest.mark.parametrize("settings", [{"PROPAGATE_EXCEPTIONS": False, "WTF_CSRF_ENABLED": True}])
def test_own_token_is_taken(app: Flask, people: dict[str, int | None]) -> None:
    client = browser(app, people["client"])
    answer = client.post("/sign-out", data={"csrf_token": token_of(client)})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def token_of(client: FlaskClient) -> str:
    """The token that the pages of this browser carry."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/password/forgot").text)
    assert found
    return found.group(1)


@pytest.mark.parametrize("kind", PEOPLE)
def test_no_page_writes_or_breaks(demo: Flask, kind: str) -> None:
    people = add_people()
    client, rows = browser(demo, people[kind]), {**some_rows(demo), "user_id": people["owner"] or 0}
    before = but_the_audit()
    broken = {}
    for door in (one for one in doors(demo, rows=rows) if one.method == "GET"):
        answers = [client.get(door.address, buffered=True)]
        if not PEOPLE[kind][
            1
        ]:  # whoever has a permission by name besides is answered like the others of their role
            answers.append(client.head(door.address, buffered=True))
        if any(answer.status_code >= 500 for answer in answers):
            broken[str(door)] = [answer.status_code for answer in answers]
    assert broken == {}
    assert but_the_audit() == before


def but_the_audit() -> dict[str, list[tuple[object, ...]]]:
    """Everything but the record of who opened what: that some pages were read is written on purpose."""
    return {name: rows for name, rows in everything().items() if not name.startswith("audit_")}


@pytest.mark.parametrize("kind", ["client", "therapist"])
def test_somebody_elses_row_looks_like_a_missing_one(demo: Flask, kind: str) -> None:
    """A new client and a new therapist own nothing in the demo: every row there is somebody else's."""
    people = add_people()
    browser(demo, people["owner"])  # the first session is somebody else's too
    client, rows = browser(demo, people[kind]), some_rows(demo)
    before = everything()
    leaks = {}
    for there, missing in zip(doors(demo, rows=rows), doors(demo), strict=True):
        if there.address == missing.address or not about_ones_own(there):
            continue
        answers = [client.open(one.address, method=one.method) for one in (there, missing)]
        words = [TOKEN_OR_NUMBER.sub("", answer.text) for answer in answers]
        if words[0] != words[1] or answers[0].status_code != answers[1].status_code:
            leaks[str(there)] = [answer.status_code for answer in answers]
    assert leaks == {}
    assert everything() == before


def about_ones_own(door: Door) -> bool:
    """Whether the route is for one's own rows only, by the name of what it needs."""
    need = NEEDS.get(door.endpoint, "")
    return ":own:" in need or ":treated:" in need


def test_rows_of_the_demo_stand_for_most_arguments(demo: Flask) -> None:
    """Otherwise the two tests above would try missing rows only."""
    assert {"client_id", "visit_id", "therapist_id", "service_id", "room_id", "intake_id"} <= set(
        some_rows(demo)
    )
