"""The desk's door: what its pages book, refuse, move and mark, and what they never show."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from clinic.booking.models import StatusChange, Visit
from clinic.booking.queries import in_the_way
from clinic.booking.services.at_desk import Change, change_at_desk
from clinic.clients import steps
from clinic.clients.models import Client
from clinic.clients.services import create_client
from clinic.premises.models import Clinic, Closure
from clinic.rules.errors import InvalidInput, SlotTaken
from clinic.rules.permissions import Role
from clinic.rules.rule_table import TABLE
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests import factories
from tests.booking import world as w
from tests.booking.desk import book, desk_browser, order
from tests.booking.test_gate import CASES, NAMES, areas
from tests.conftest import NOW
from tests.owners import browser_of

Details = Mapping[str, object]
THINNERS = {
    "med_class": "anticoagulant",
    "medication": "warfarin",
    "stable_3_months": True,
    "bruising": False,
}
PREGNANT = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("now")


def visit_of(client_id: int) -> Visit:
    """This client's one visit, read afresh."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Visit).where(Visit.client_id == client_id)).one()


def change(desk: FlaskClient, visit: Visit, **changes: Any) -> Any:
    """Send the page of a change with what the visit is now, but for these fields."""
    data: dict[str, Any] = {
        "what": f"{visit.service.key}|{visit.mode or ''}|{visit.minutes}",
        "areas": list(visit.areas),
        "addons": list(visit.addons),
        "therapist": "",
        "day": visit.day.isoformat(),
        "revision": visit.revision,
    }
    return desk.post(f"/desk/visits/{visit.id}/change", data={**data, **changes})


@pytest.mark.parametrize(("condition", "details", "service", "expected"), CASES, ids=NAMES)
def test_what_the_table_forbids_is_never_confirmed_and_never_named(
    world: w.World, desk: FlaskClient, condition: str, details: Details, service: str, expected: str
) -> None:
    client = w.person()
    declared: dict[str, Any] = {condition: details}
    w.sign(client, **declared)
    answer = book(desk, client, service, areas=areas(service))
    assert w.statuses(client) == (["pending"] if expected == "clearance" else [])
    assert answer.status_code == (303 if expected == "clearance" else 409)
    page = desk.get(answer.location).text if answer.location else answer.text
    said = TABLE.conditions[condition]
    assert said.label not in page
    assert said.plain_reason not in page
    assert said.question not in page


@pytest.mark.parametrize("service", w.SERVICES)
def test_a_healthy_person_is_confirmed(world: w.World, desk: FlaskClient, service: str) -> None:
    client = w.person()
    w.sign(client)
    answer = book(desk, client, service, areas=areas(service))
    assert (answer.status_code, w.statuses(client)) == (303, ["confirmed"])
    assert "Booked and confirmed" in desk.get(answer.location).text


def test_a_refusal_offers_what_is_safe_and_books_it(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client, blood_thinners=THINNERS)
    page = book(desk, client, "deep_tissue", areas=("lower_back",))
    assert page.status_code == 409
    safe = page.text[page.text.index("What Pat can have") :]
    assert "Relaxation massage" in safe
    assert "Sports massage" not in safe
    again = book(desk, client, "relaxation", request_key="after the refusal")
    assert (again.status_code, w.statuses(client)) == (303, ["confirmed"])


@pytest.mark.parametrize(("service", "is_said"), [("deep_tissue", True), ("relaxation", False)])
def test_before_a_time_is_pressed_the_desk_reads_that_it_will_be_refused(
    world: w.World, desk: FlaskClient, service: str, is_said: bool
) -> None:
    client = w.person()
    w.sign(client, blood_thinners=THINNERS)
    form = {
        name: value
        for name, value in order(client, service, areas=("lower_back",)).items()
        if name != "start"
    }
    page = desk.post("/desk/visits/new", data=form)
    assert page.status_code == 200
    assert ("cannot have this on that day" in page.text) is is_said
    assert "thinner" not in page.text
    assert w.statuses(client) == []


def test_the_same_form_sent_twice_books_once(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    form = order(client, "relaxation")
    first = desk.post("/desk/visits/new", data=form)
    second = desk.post("/desk/visits/new", data=form)
    assert (first.location, w.statuses(client)) == (second.location, ["confirmed"])


def test_a_time_that_went_is_answered_with_the_nearest_and_keeps_what_was_typed(
    app: Flask, now: dt.datetime
) -> None:
    world = w.build(therapists=1)
    desk = desk_browser(app, world)
    first, second = w.person(), w.person()
    w.sign(second)
    book(desk, first, "relaxation", when=w.at(3, 10))
    page = book(desk, second, "relaxation", when=w.at(3, 10, 30), addons=("aromatherapy",))
    assert page.status_code == 409
    assert w.statuses(second) == []
    assert "Nearest free times" in page.text
    assert '<option selected value="relaxation||60">' in page.text
    assert 'value="aromatherapy"' in page.text


def test_an_unsafe_addon_is_named_and_comes_off_with_one_press(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client, pregnancy=PREGNANT)
    form = order(client, "relaxation", addons=("hot_stone", "aromatherapy"))
    page = desk.post("/desk/visits/new", data=form)
    assert (page.status_code, w.statuses(client)) == (409, [])
    assert "Book without" in page.text
    assert "hot_stone" in page.text[page.text.index("formaction=") :][:120]
    gone = "hot_stone,aromatherapy" if "hot_stone%2Caromatherapy" in page.text else "hot_stone"
    answer = desk.post(f"/desk/visits/new?without={gone}", data=form)
    assert (answer.status_code, w.statuses(client)) == (303, ["confirmed"])
    assert "hot_stone" not in visit_of(client).addons


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"what": "surgery||60"}, 422),
        ({"what": "relaxation||61"}, 422),
        ({"what": "relaxation|interval|60"}, 422),
        ({"what": "x" * 5000}, 422),
        ({"addons": ["leeches"]}, 422),
        ({"areas": ["moon"], "what": "sports||45"}, 422),
        ({"areas": [], "what": "sports||45"}, 422),
        ({"client": "99999999"}, 409),
        ({"client": "9" * 60}, 422),
        ({"client": "'; DROP TABLE client"}, 422),
        ({"therapist": "424242"}, 409),
        ({"start": (NOW - dt.timedelta(days=1)).isoformat()}, 409),
        ({"start": "2026-06-12T10:00"}, 200),
        ({"start": "yesterday"}, 200),
        ({"day": "31 June"}, 422),
    ],
    ids=str,
)
def test_edited_fields_book_nothing_and_break_nothing(
    world: w.World, desk: FlaskClient, changes: dict[str, Any], status: int
) -> None:
    client = w.person()
    w.sign(client)
    answer = desk.post("/desk/visits/new", data={**order(client, "relaxation"), **changes})
    assert (answer.status_code, db.session.scalar(select(func.count(Visit.id)))) == (status, 0)


def test_nobody_is_booked_at_a_place_of_the_body_that_was_not_named(
    world: w.World, desk: FlaskClient
) -> None:
    client = w.person()
    w.sign(client, open_wound_burn={"type": "wound", "site": ["left_lower_leg"], "extent": "small"})
    assert book(desk, client, "sports", areas=("left_leg",)).status_code == 409
    assert book(desk, client, "sports", areas=()).status_code == 422
    assert w.statuses(client) == []


def test_somebody_new_is_added_once_and_waits_for_the_health_questions(
    world: w.World, desk: FlaskClient
) -> None:
    typed = {
        "first_name": "Nora", "last_name": "Newman", "born_on": "1990-02-03", "phone": "(212) 555-7777",
    }  # fmt: skip
    form = {**order(0, "relaxation"), **typed, "client": "new"}
    answer = desk.post("/desk/visits/new", data=form)
    assert answer.status_code == 303
    card = desk.get(answer.location).text
    assert "The health questions are not signed yet" in card
    assert "Ask the health questions" in card
    again = {**form, "request_key": "another window", "start": w.at(4).isoformat()}
    page = desk.post("/desk/visits/new", data=again)
    assert page.status_code == 422
    assert "Is it one of these people?" in page.text
    found = db.session.scalars(select(Client).where(Client.name_key == "nora newman")).all()
    assert [w.statuses(one.id) for one in found] == [["pending"]]
    twin = desk.post("/desk/visits/new", data={**again, "nobody_known": "1"})
    assert twin.status_code == 303
    assert len(db.session.scalars(select(Client).where(Client.name_key == "nora newman")).all()) == 2


def test_somebody_new_is_booked_as_was_searched_for_where_only_the_birth_date_is_typed(
    world: w.World, desk: FlaskClient
) -> None:
    """A time that is pressed before the page has heard that nobody is called that. Not where somebody is."""
    typed = {**order(0, "swedish"), "client": "", "q": "zora quimby", "born_on": "1988-05-20"}
    known = db.session.get_one(Client, w.person())
    refused = desk.post("/desk/visits/new", data={**typed, "q": known.last_name})
    assert (refused.status_code, db.session.scalar(select(func.count()).select_from(Client))) == (422, 1)
    assert desk.post("/desk/visits/new", data=typed).status_code == 303
    db.session.rollback()
    newest = db.session.scalars(select(Client).order_by(Client.id.desc()).limit(1)).one()
    assert newest.name == "Zora Quimby"


def test_what_is_needed_of_somebody_new_is_not_called_optional(world: w.World, desk: FlaskClient) -> None:
    page = desk.get("/desk/visits/new").text
    labels = dict(re.findall(r'<label class="form-label" for="(\w+)">(.*?)</label>', page))
    optional = {name for name, label in labels.items() if "optional" in label}
    assert optional >= {"phone", "email"}
    assert not optional & {"first_name", "last_name", "born_on", "q"}


def test_a_new_client_needs_a_birth_date(world: w.World, desk: FlaskClient) -> None:
    form = {**order(0, "relaxation"), "client": "new", "first_name": "Nora", "last_name": "Newman"}
    page = desk.post("/desk/visits/new", data=form)
    assert page.status_code == 422
    assert "birth date" in page.text
    assert 'value="Nora"' in page.text


def test_all_that_is_wrong_of_somebody_new_is_said_at_once(world: w.World, desk: FlaskClient) -> None:
    """An address that no mail reaches was taken, and the person counted as told of a warning sign."""
    wrong = {"client": "new", "phone": "12", "email": "nomail"}
    page = desk.post("/desk/visits/new", data={**order(0, "relaxation"), **wrong})
    assert page.status_code == 422
    for said in (
        "Enter the first and last name.",
        "Enter the birth date",
        "does not look like a phone number",
        "does not look like an e-mail address",
    ):
        assert said in page.text, said
    known = w.person()
    assert book(desk, known, "relaxation", **wrong | {"client": str(known)}).status_code == 303, (
        "not read of others"
    )


def test_no_client_has_an_address_that_no_mail_reaches(world: w.World) -> None:
    """Whatever the door."""
    details = steps.Details("Nora", "Newman", dt.date(1990, 2, 3), email="nomail")
    with pytest.raises(InvalidInput, match="e-mail"):
        create_client(details, region="US", by=None, now=NOW)


def test_the_search_finds_by_three_letters_and_by_digits(world: w.World, desk: FlaskClient) -> None:
    factories.make_client(
        first_name="Zoë", last_name="Quartermaine", born_on=dt.date(1980, 1, 1), phone="(212) 555-8765"
    )
    for text in ("qua", "zoe", "8765"):
        page = desk.post("/desk/visits/new", data={"q": text, "day": w.TODAY.isoformat()})
        assert (page.status_code, "Zoë Quartermaine" in page.text) == (200, True), text


def test_a_red_flag_is_read_out_and_nothing_is_booked(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client, rf_limb_swelling={})
    page = book(desk, client, "relaxation")
    assert (page.status_code, w.statuses(client)) == (409, [])
    assert "Read this out" in page.text
    assert "What Pat can have" not in page.text


def test_moving_into_a_window_changes_nothing_and_says_so(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    surgery = {
        "date": "2026-03-20",
        "type": "knee",
        "site": ["left_knee"],
        "minor": False,
        "complications": False,
    }
    w.sign(client, recent_surgery=surgery)
    book(desk, client, "relaxation", when=w.at(3))
    visit = visit_of(client)
    assert visit.status == "confirmed"
    page = change(desk, visit, start=w.at(2).isoformat())
    assert page.status_code == 409
    assert "The visit stands as it was" in page.text
    after = visit_of(client)
    assert (after.status, after.starts_at) == ("confirmed", w.at(3))
    assert change(desk, after, start=w.at(5).isoformat()).status_code == 303
    assert (visit_of(client).status, visit_of(client).starts_at) == ("confirmed", w.at(5))


@pytest.mark.parametrize(
    "wanted",
    [
        {"what": "deep_tissue||60", "areas": ["lower_back"]},
        {"what": "decompression_vacuum||45", "areas": ["lower_back"]},
        {"what": "decompression_vacuum|interval|30", "areas": ["lower_back"]},
    ],
    ids=["service", "suction", "chamber"],
)
def test_a_change_to_what_is_unsafe_is_not_saved(
    world: w.World, desk: FlaskClient, wanted: dict[str, Any]
) -> None:
    client = w.person()
    w.sign(client, blood_thinners=THINNERS)
    book(desk, client, "relaxation")
    before = visit_of(client)
    key = before.judged_key
    for how in ({"keep": "1"}, {"start": w.at(4).isoformat()}):
        assert change(desk, visit_of(client), **wanted, **how).status_code == 409
    assert (visit_of(client).status, visit_of(client).judged_key) == ("confirmed", key)


def test_a_stale_window_changes_nothing(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation")
    old = visit_of(client).revision
    assert change(desk, visit_of(client), start=w.at(4).isoformat()).status_code == 303
    page = change(desk, visit_of(client), start=w.at(5).isoformat(), revision=old)
    assert page.status_code == 409
    assert "changed meanwhile" in page.text
    assert visit_of(client).starts_at == w.at(4)
    card = f"/desk/visits/{visit_of(client).id}"
    desk.post(f"{card}/cancel", data={"cancelled_by": "client", "revision": old})
    assert "changed meanwhile" in desk.get(card).text
    assert visit_of(client).status == "confirmed", "it was the time of before that was called off"
    for asking in (card, f"{card}/cancel"):
        form = desk.get(asking).text.partition(f'action="{card}/cancel"')[2].partition("</form>")[0]
        assert f'name="revision" value="{visit_of(client).revision}"' in form


def test_the_length_the_therapist_and_the_addons_are_changed_where_it_is_safe(
    world: w.World, desk: FlaskClient
) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation")
    wanted = world.therapists[2]
    answer = change(
        desk, visit_of(client), what="relaxation||90", therapist=wanted, addons=["aromatherapy"], keep="1"
    )
    after = visit_of(client)
    assert answer.status_code == 303
    assert (after.minutes, after.therapist_id, after.addons, after.status) == (
        90, wanted, ["aromatherapy"], "confirmed",
    )  # fmt: skip


def test_each_step_of_the_day_is_one_tap_and_keeps_its_time(
    world: w.World, desk: FlaskClient, now: dt.datetime
) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation", when=w.at(0, 9))
    for status in ("arrived", "in_session", "done"):
        visit = visit_of(client)
        desk.post(f"/desk/visits/{visit.id}/mark", data={"status": status, "revision": visit.revision})
        assert visit_of(client).status == status
    steps = db.session.scalars(select(StatusChange).order_by(StatusChange.id)).all()
    assert [(one.status, one.at, one.by_user_id) for one in steps] == [
        (status, NOW, world.desk_id) for status in ("confirmed", "arrived", "in_session", "done")
    ]


@pytest.mark.parametrize("status", ["arrived", "in_session", "done", "no_show", "held", "released", "x"])
def test_a_visit_of_another_day_is_not_marked(world: w.World, desk: FlaskClient, status: str) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation", when=w.at(3))
    visit = visit_of(client)
    desk.post(f"/desk/visits/{visit.id}/mark", data={"status": status, "revision": visit.revision})
    assert visit_of(client).status == "confirmed"


def test_a_pending_visit_cannot_be_marked_as_arrived(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    book(desk, client, "relaxation", when=w.at(0, 9))
    visit = visit_of(client)
    assert visit.status == "pending"
    desk.post(f"/desk/visits/{visit.id}/mark", data={"status": "arrived", "revision": visit.revision})
    assert visit_of(client).status == "pending"


@pytest.mark.parametrize(("who", "status"), [("client", "late_cancelled"), ("clinic", "cancelled")])
def test_a_cancellation_inside_the_notice_is_late_only_by_the_client(
    world: w.World, desk: FlaskClient, who: str, status: str
) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation", when=w.at(0, 18))
    visit = visit_of(client)
    assert "Cancel at the client’s request" in desk.get(f"/desk/visits/{visit.id}/cancel").text
    assert "Cancel late at the client’s request" in desk.get(f"/desk/visits/{visit.id}").text
    desk.post(f"/desk/visits/{visit.id}/cancel", data={"cancelled_by": who})
    assert w.statuses(client) == [status]


def test_nobody_is_promised_a_mail_without_an_address(world: w.World, desk: FlaskClient) -> None:
    for email in ("pat@people.example", ""):
        client = w.person(email=email, phone="(212) 555-0177")
        w.sign(client)
        book(desk, client, "swedish", when=w.at(4 if email else 5))
        page = desk.get(f"/desk/visits/{visit_of(client).id}/cancel").text
        assert ("told by mail, and" in page, "please call" in page) == (bool(email), not email)


def test_the_desk_lets_a_late_cancellation_pass(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "relaxation", when=w.at(1, 9))
    visit = visit_of(client)
    with transaction() as session:
        session.scalars(select(Clinic)).one().cancel_notice_hours = 48
    desk.post(f"/desk/visits/{visit.id}/cancel", data={"cancelled_by": "client"})
    assert w.statuses(client) == ["late_cancelled"]
    assert "Let it pass" in desk.get(f"/desk/visits/{visit.id}").text
    form = {"status": "cancelled", "revision": visit_of(client).revision}
    desk.post(f"/desk/visits/{visit.id}/mark", data=form)
    page = desk.get(f"/desk/visits/{visit.id}").text
    assert w.statuses(client) == ["cancelled"]
    assert "it counts as cancelled in time now" in page
    assert "(let pass)" in page
    assert "Let it pass" not in page
    in_german = desk.get(f"/desk/visits/{visit.id}", headers={"Accept-Language": "de"}).text
    assert "(von der Person selbst)" in in_german


def test_a_closure_shuts_the_place_and_opens_it_again(app: Flask, world: w.World) -> None:
    browser = browser_of(app, factories.make_user(email="owner@clinic.example", roles=[Role.OWNER]))
    client = w.person()
    w.sign(client)
    day = (w.TODAY + dt.timedelta(days=3)).isoformat()
    form = {"what": "place", "first_day": day, "reason": "Public holiday"}
    assert browser.post("/owner/closures", data={**form, "reason": ""}).status_code == 422
    assert browser.post("/owner/closures", data={**form, "what": "4242"}).status_code == 422
    assert "a time that exists" in browser.post("/owner/closures", data={**form, "starts": "25:00"}).text
    assert browser.post("/owner/closures", data={**form, "last_day": "2026-06-01"}).status_code == 422
    assert browser.post("/owner/closures", data=form).status_code == 303
    assert book(browser, client, "relaxation").status_code == 409
    page = browser.get("/owner/closures").text
    assert ("Close the place, a room or a device" in page, "Open this time again" in page) == (True, True)
    address = page[page.index("/owner/closures/") :].split('"')[0]
    assert browser.post(address, data={"sure": "1"}).status_code == 303
    assert book(browser, client, "relaxation").status_code == 303
    shown = browser.post("/owner/closures", data=form).text
    assert "1 booked visit lies in this time" in shown
    listed, button = shown.split('name="act" value="save"')
    assert 'class="queue"' in listed.split("1 booked visit lies in this time")[1], (
        "what it warns of comes first"
    )
    assert "Close this time all the same, with 1 booked visit in it" in button
    assert "Public holiday" in shown
    assert db.session.scalars(select(Closure)).all() == [], "nothing is closed before it was seen"
    assert browser.post("/owner/closures", data={**form, "act": "save"}).status_code == 303
    assert [one.id for one in in_the_way.visits_under(NOW)] == [visit_of(client).id]


def test_opening_again_returns_to_the_place_that_was_shown(app: Flask, world: w.World) -> None:
    other = factories.make_location(zone="Europe/Madrid", name="Second Street")
    browser = browser_of(app, factories.make_user(email="owner@clinic.example", roles=[Role.OWNER]))
    day = (w.TODAY + dt.timedelta(days=3)).isoformat()
    here = f"/owner/closures?place={other.id}"
    form = {"what": "place", "first_day": day, "reason": "Painting", "place": other.id}
    assert browser.post("/owner/closures", data=form).location == here
    address = re.search(
        r'action="(/owner/closures/\d+/remove)".*?name="place" value="(\d+)"', browser.get(here).text, re.S
    )
    assert address is not None
    for _twice in range(2):  # the second time it is not there any more
        assert browser.post(address[1], data={"place": address[2], "sure": "1"}).location == here


def test_a_walk_in_is_booked_now_and_says_so(world: w.World, desk: FlaskClient) -> None:
    client = w.person()
    w.sign(client)
    page = desk.get(f"/desk/visits/new?walk_in=1&client={client}").text
    assert "Walk-in" in page
    answer = book(desk, client, "relaxation", when=NOW, walk_in="1")
    assert (answer.status_code, visit_of(client).source, visit_of(client).starts_at) == (303, "walk_in", NOW)


def test_the_link_is_sent_again_only_where_there_is_an_address(world: w.World, desk: FlaskClient) -> None:
    reachable, silent = w.person(email="pat@people.example"), w.person()
    for number, client in enumerate((reachable, silent)):
        book(desk, client, "relaxation", when=w.at(3, 9 + 3 * number))
        desk.post(f"/desk/visits/{visit_of(client).id}/send-link")
    sent = db.session.scalars(select(OutgoingMail.to)).all()
    assert sent == ["pat@people.example"] * 2  # when it was booked, and once more


def test_the_visit_of_somebody_switched_off_is_shown_times_of_those_who_work(
    world: w.World, desk: FlaskClient
) -> None:
    client = w.person()
    w.sign(client)
    book(desk, client, "swedish", areas=("full_body",))
    visit = visit_of(client)
    address, theirs = f"/desk/visits/{visit.id}/change", visit.therapist_id
    with transaction() as session:
        session.get_one(Visit, visit.id).any_therapist = False
    assert f'<option selected value="{theirs}">' in desk.get(address).text
    with transaction() as session:
        session.get_one(Therapist, theirs).is_active = False
    page = desk.get(address).text
    assert ("No free time on this day" in page, 'name="start"' in page) == (False, True)
    revision, name = visit_of(client).revision, db.session.get_one(Therapist, theirs).name
    assert f"{name} gives no visits any more. Please choose another therapist." in page
    with pytest.raises(SlotTaken, match=f"{name} gives no visits any more"):  # dragged to another time
        change_at_desk(visit.id, Change(revision, w.at(4), by=world.desk_id), now=NOW)
