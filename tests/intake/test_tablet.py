"""A device in a client's hands: it opens nothing else, locks itself, and a PIN takes it back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from clinic.accounts import services as accounts
from clinic.accounts.models import FailedTry, User, UserSession
from clinic.accounts.tries import PIN_ACCOUNT
from clinic.intake import queries
from clinic.intake.models import HealthStop, IntakeDraft, TabletPass
from clinic.intake.services import drafts
from clinic.intake.views.tablet import OF_EVERY_PAGE
from clinic.premises.models import Clinic
from clinic.rules import questionnaire
from clinic.rules.permissions import Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.worker import Job, do, tidy
from tests.accounts.people import PASSWORD, code_of, hashed, make_person, sign_in
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of
from tests.web import Visitor

pytestmark = pytest.mark.usefixtures("now")

PIN = "271828"
DESK = "desk@pins.example"
PAGES = questionnaire.pages("intake")


@pytest.fixture
def world(app: Flask) -> w.World:
    app.test_client_class = Visitor
    return w.build()


@pytest.fixture
def desk(app: Flask, world: w.World) -> FlaskClient:
    """A browser of the front desk, who has a PIN."""
    return browser_of(app, make_person(DESK, Role.FRONT_DESK, name="Dana Desk", pin_hash=hashed(PIN)))


def handed_over(desk: FlaskClient) -> int:
    client = w.person()
    assert desk.post(f"/clients/{client}/tablet").location == "/tablet"
    return client


def at(minutes: float) -> time_machine.travel:
    return time_machine.travel(NOW + dt.timedelta(minutes=minutes), tick=False)


def address_of(rule: Rule) -> str:
    return re.sub(r"<(\w+:)?\w+>", "1", rule.rule)


def test_every_other_address_leads_back_to_the_questions(app: Flask, desk: FlaskClient) -> None:
    handed_over(desk)
    # What every page shows, and what holds nothing of anybody.
    own = {"static", "accounts.text_size", "accounts.choose_language", "premises.theme", "premises.picture"}
    assert own == OF_EVERY_PAGE
    opened = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OF_EVERY_PAGE or rule.endpoint.startswith("intake.tablet"):
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = desk.open(address_of(rule), method=method)
            # Whatever needs somebody signed in leads to the sign-in first, and that is closed as well.
            leads = (answer.location or "").partition("?")[0]
            if answer.status_code != 303 or leads not in ("/tablet", "/sign-in"):
                opened.append((method, rule.rule, answer.status_code))
    assert opened == []
    assert desk.get("/sign-in").location == "/tablet"
    assert sign_in(desk, DESK).location == "/tablet"
    assert desk.get("/no/such/page").location == "/tablet"
    page = desk.get("/tablet/1").text
    links = set(re.findall(r'<a [^>]*href="(/[^"]*)"', page))
    assert links == {"/tablet"}
    assert set(re.findall(r'action="(/[^"]*)"', page)) == {
        "/tablet/1",
        "/tablet/back",
        "/text-size",
        "/language",
    }


def test_locked_it_shows_nothing_of_the_client_and_the_pin_takes_it_back(desk: FlaskClient) -> None:
    client = handed_over(desk)
    desk.post("/tablet/1", data={f"none.{PAGES[0].key}": "1"})
    assert desk.post("/tablet/pin", data={"pin": PIN}).location == "/tablet"  # open: the PIN is not asked for
    assert desk.post("/tablet/back").location == "/tablet"
    page = desk.get("/tablet").text
    assert "Please hand the tablet back" in page
    assert "PIN of Dana" in page
    assert "Pat" not in page
    assert "Services" not in page
    assert [desk.get(f"/tablet/{one}").text.count("PIN of Dana") for one in ("1", "sign")] == [1, 1]
    assert desk.get("/").location == "/tablet"
    assert desk.get(desk.get("/desk").location).location == "/tablet"
    assert "Services" not in desk.get("/sign-in").text
    assert desk.post("/tablet/pin", data={"pin": ""}).status_code == 422
    wrong = desk.post("/tablet/pin", data={"pin": "314159"})
    assert (wrong.status_code, "What you answered is kept." in wrong.text) == (422, True)
    answer = desk.post("/tablet/pin", data={"pin": PIN})
    assert answer.location == f"/clients/{client}"
    assert desk.get("/desk").status_code == 200
    db.session.rollback()
    events = db.session.scalars(select(AuditRow.deed).order_by(AuditRow.sequence)).all()
    assert [one for one in events if one.startswith(("tablet", "pin"))] == [
        "tablet.handed_over", "tablet.locked", "pin_accepted",
    ]  # fmt: skip
    # What was typed is there when it is handed over again.
    desk.post(f"/clients/{client}/tablet")
    assert 'href="/tablet/2"' in desk.get("/tablet").text


def test_the_pin_lasts_as_long_as_the_password_would_have(desk: FlaskClient) -> None:
    handed_over(desk)
    desk.post("/tablet/back")
    with at(60 * 12 - 1):
        assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 303
        db.session.rollback()
        began = db.session.scalars(select(UserSession.created_at).where(UserSession.ended_at.is_(None))).one()
        assert began == NOW
    with at(60 * 12 + 1):
        assert desk.get("/desk").location.startswith("/sign-in")


def test_too_late_switched_off_or_taken_away_the_pin_opens_nothing_but_the_password_does(
    app: Flask, desk: FlaskClient
) -> None:
    handed_over(desk)
    desk.post("/tablet/back")
    desk.get("/tablet")
    with at(60 * 12 + 1):
        late = desk.post("/tablet/pin", data={"pin": PIN})
    assert (late.status_code, "This PIN does not fit" in late.text) == (422, True)
    with transaction() as session:
        user = session.scalars(select(User).where(User.email == DESK)).one()
        user.is_active = False
        user_id = user.id
    assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 422
    with transaction() as session:
        session.get_one(User, user_id).is_active = True
    accounts.remove_pin(user_id, NOW)
    page = desk.get("/tablet").text
    assert "PIN of" not in page
    assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 422
    assert sign_in(desk, DESK).status_code == 303
    assert desk.get("/desk").status_code == 200


def test_wrong_pins_are_counted_in_the_database_and_the_right_one_is_not(desk: FlaskClient) -> None:
    handed_over(desk)
    desk.post("/tablet/back")
    statuses = []
    for number in range(PIN_ACCOUNT.most + 1):
        desk.environ_base["REMOTE_ADDR"] = f"198.51.100.{number + 1}"
        statuses.append(desk.post("/tablet/pin", data={"pin": "314159"}).status_code)
    assert statuses == [422] * PIN_ACCOUNT.most + [429]
    assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 429  # the right one too
    db.session.rollback()
    kept = db.session.scalars(select(FailedTry).where(FailedTry.kind == "pin_account")).all()
    assert len(kept) == PIN_ACCOUNT.most
    assert DESK not in str([row.who for row in kept])
    with at(16):
        assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 303
    db.session.rollback()
    assert len(db.session.scalars(select(FailedTry).where(FailedTry.kind == "pin_account")).all()) == 5


def test_left_alone_it_locks_itself_and_keeps_what_was_typed_on_the_page(desk: FlaskClient) -> None:
    client = handed_over(desk)
    with at(4):
        assert desk.post("/tablet/awake").status_code == 204  # touched
    with at(8.9):
        assert "Page 1 of" in desk.get("/tablet/1").text
    with at(14):
        left = desk.post("/tablet/2", data={f"none.{PAGES[1].key}": "1"}).text
        assert "it locked itself" in left
        assert "PIN of Dana" in left
        assert "it locked itself" in desk.get("/tablet/1").text
        assert (
            desk.post(
                "/tablet/sign", data={"name": "Pat Number", "treatment": "y", "privacy": "y"}
            ).status_code
            == 200
        )
    db.session.rollback()
    draft = queries.draft(client, "tablet")
    assert draft is not None
    assert set(draft.answers) == {one.key for one in PAGES[1].conditions}
    assert queries.newest(client) is None
    desk.post("/tablet/back")
    with at(15):
        # Given back: nothing more is taken.
        desk.post("/tablet/3", data={f"none.{PAGES[2].key}": "1"})
        assert desk.post("/tablet/3/keep", data={f"none.{PAGES[2].key}": "1"}).status_code == 409
        assert desk.post("/tablet/awake").status_code == 409
    db.session.rollback()
    assert queries.draft(client, "tablet").answers.keys() == draft.answers.keys()  # type: ignore[union-attr]


def test_a_warning_sign_on_a_page_that_was_sent_too_late_stops_the_visits_all_the_same(
    desk: FlaskClient,
) -> None:
    client = handed_over(desk)
    warning = next(one.key for one in PAGES[0].conditions)
    with at(14):
        assert desk.post("/tablet/1/keep", data={f"c.{warning}": "yes"}).status_code == 409  # typed, not sent
        assert db.session.scalars(select(HealthStop)).all() == []
        page = desk.post("/tablet/1", data={f"c.{warning}": "yes"}).text
        assert "911" in page
        assert "front desk now" in page
        db.session.rollback()
        assert [one.client_id for one in db.session.scalars(select(HealthStop))] == [client]
        assert "PIN of Dana" in desk.get("/tablet/1").text


def test_what_is_half_typed_is_there_when_one_comes_back(desk: FlaskClient) -> None:
    client = handed_over(desk)
    half = {"c.fracture": "yes", "f.fracture.site": "left_foot", "f.fracture.date.year": "20"}
    page = next(number for number, one in enumerate(PAGES, 1) if one.key == "bones")
    others = {f"c.{one.key}": "no" for one in PAGES[page - 1].conditions if one.key != "fracture"}
    back = desk.post(f"/tablet/{page}", data={**others, **half, "go": "back"})
    assert back.location == f"/tablet/{page - 1}"
    shown = desk.get(f"/tablet/{page}").text
    assert re.search(r'name="c.fracture" id="c.fracture-0" value="yes" checked', shown)
    assert re.search(r'value="left_foot"[^>]* checked', shown)
    assert 'name="f.fracture.date.year" value="20"' in shown
    db.session.rollback()
    draft = queries.draft(client, "tablet")
    assert draft is not None
    assert "fracture" not in draft.answered, "half an answer is none"
    # Other pages leave it alone; a whole answer takes its place, and starting anew forgets it.
    desk.post("/tablet/1/keep", data={f"none.{PAGES[0].key}": "1"})
    assert 'name="f.fracture.date.year" value="20"' in desk.get(f"/tablet/{page}").text
    desk.post(f"/tablet/{page}/keep", data={**others, "c.fracture": "no"})
    assert 'date.year" value="20"' not in desk.get(f"/tablet/{page}").text
    db.session.rollback()
    draft = queries.draft(client, "tablet")
    assert draft is not None
    assert (draft.half_typed, draft.answered["fracture"]) == ({}, {"present": False})


def test_a_parent_of_a_young_person_is_not_told_to_hand_it_back(desk: FlaskClient) -> None:
    client = w.person(dt.date(2014, 5, 3))
    desk.post(f"/clients/{client}/tablet")
    page = desk.get("/tablet").text
    assert "Is this for Pat" in page
    assert "A parent or guardian goes through them too, and signs at the end." in page
    assert "Are you Pat" not in page


def test_only_the_team_signs_in_on_a_device_that_was_handed_over(app: Flask, desk: FlaskClient) -> None:
    handed_over(desk)
    desk.post("/tablet/back")
    make_person("pat@pins.example", Role.CLIENT)
    refused = sign_in(desk, "pat@pins.example")
    assert desk.get(refused.location or "").location == "/tablet"
    page = desk.get("/tablet").text
    assert "only they can sign in here" in page
    assert "PIN of Dana" in page
    assert desk.get(desk.get("/my").location).location == "/tablet"
    db.session.rollback()
    assert db.session.scalars(select(UserSession).where(UserSession.ended_at.is_(None))).all() == []
    sign_in(desk, DESK)
    assert desk.get("/desk").status_code == 200


@pytest.mark.parametrize("number", [0, len(PAGES) + 1, len(PAGES) + 2])
def test_a_page_that_there_is_none_of_leads_to_the_questions(desk: FlaskClient, number: int) -> None:
    handed_over(desk)
    assert desk.get(f"/tablet/{number}").location == "/tablet"
    kept = desk.post(f"/tablet/{number}/keep").location
    assert kept == (None if number == len(PAGES) + 1 else "/tablet"), "there the signature is kept"


def test_how_long_it_waits_is_a_setting(desk: FlaskClient) -> None:
    with transaction() as session:
        session.scalars(select(Clinic)).one().tablet_idle_minutes = 2
    handed_over(desk)
    assert 'data-idle="120"' in desk.get("/tablet/1").text
    with at(2):
        assert "it locked itself" in desk.get("/tablet/1").text


def test_handing_over_again_ends_the_earlier_device(app: Flask, desk: FlaskClient) -> None:
    client = handed_over(desk)
    other = app.test_client()
    sign_in(other, DESK)
    other.post(f"/clients/{client}/tablet")
    assert "Please hand the tablet back" in desk.get("/tablet/1").text
    assert "Page 1 of" in other.get("/tablet/1").text


def test_answers_that_nobody_signed_are_erased_after_the_days_of_the_setting(
    app: Flask, desk: FlaskClient
) -> None:
    client = handed_over(desk)
    desk.post("/tablet/1", data={f"none.{PAGES[0].key}": "1"})
    drafts.erase_old_drafts(NOW + dt.timedelta(days=30))
    assert queries.draft(client, "tablet") is not None
    with at(30 * 24 * 60 + 1):
        do(app, Job(tidy, 60))
    db.session.rollback()
    assert db.session.scalars(select(IntakeDraft)).all() == []


def test_a_device_that_was_handed_over_before_there_were_pins_still_works(desk: FlaskClient) -> None:
    handed_over(desk)
    with transaction() as session:
        row = session.scalars(select(TabletPass)).one()
        row.seen_at = row.signed_in_at = None
    assert "Page 1 of" in desk.get("/tablet/1").text
    desk.post("/tablet/back")
    assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 303


@pytest.mark.parametrize("before", ["", "en"])
def test_the_language_of_a_client_goes_back_with_the_tablet(desk: FlaskClient, before: str) -> None:
    if before:
        desk.post("/language", data={"language": before})
    handed_over(desk)
    desk.post("/language", data={"language": "de"})
    assert "Willkommen" in desk.get("/tablet").text
    desk.post("/tablet/back")
    assert "Bitte geben Sie das Tablet" in desk.get("/tablet").text, "still to be read by the client"
    assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 303
    assert '<html lang="en"' in desk.get("/desk").text
    kept = desk.get_cookie("language")
    assert (kept.value if kept else "") == before


def test_a_warning_sign_on_the_tablet_says_what_becomes_of_the_visit(desk: FlaskClient) -> None:
    """Whoever sits in the waiting room has booked: "not booked" is for those who are just booking."""
    handed_over(desk)
    form = {f"c.{one.key}": "no" for one in PAGES[0].conditions} | {f"c.{PAGES[0].conditions[0].key}": "yes"}
    page = desk.post("/tablet/1", data=form)
    assert "Please get medical help now" in page.text
    assert "If you have a visit with us, it cannot go ahead now, and you pay nothing for it." in page.text
    assert "We have not booked a visit" not in page.text


CHEST = "rf_chest_pain_breathless"


def says_chest_pain(desk: FlaskClient) -> None:
    number = page_asking(CHEST)
    assert "medical help now" in desk.post(f"/tablet/{number}", data=walk.page_form(number, {CHEST: {}})).text


def also_told(client: int, urgency: str, source: str, raised_at: dt.datetime) -> None:
    with transaction() as session:
        stop = HealthStop(
            client_id=client, raised_at=raised_at, raised_on=NOW.date(), needs="review", urgency=urgency, source=source
        )  # fmt: skip
        stop.answers = {CHEST: {"present": True}}
        session.add(stop)


def test_a_warning_on_the_tablet_stays_until_staff_take_it_back_and_they_read_it(desk: FlaskClient) -> None:
    """It cannot be wiped by whoever holds it, and it leads to the desk before it names a telephone."""
    client = handed_over(desk)
    says_chest_pain(desk)
    for address in ("/tablet", "/tablet/1", "/tablet/sign", "/tablet"):
        page = desk.get(address).text
        assert ("Please get medical help now" in page, "PIN of Dana" in page) == (True, True)
        assert page.index("Go to the front desk now") < page.index("Call the emergency number")
    desk.post("/tablet/back")
    wrong = desk.post("/tablet/pin", data={"pin": "000000"})
    assert (wrong.status_code, "Please get medical help now" in wrong.text) == (422, True)
    back = desk.post("/tablet/pin", data={"pin": PIN})
    assert back.location == f"/clients/{client}/intake/stopped"
    page = desk.get(back.location).text
    assert ("Read this out" in page, "get medical help now" in page) == (True, True)
    card = desk.get(f"/clients/{client}").text
    assert "They were told to get medical help" in card
    assert f'href="/clients/{client}/intake/stopped"' in card
    assert 'class="btn btn-quiet" href="/desk/visits/new?client=' in card
    assert not any(word in page + card for word in ("chest", "breath"))


def test_a_milder_sign_that_is_named_later_takes_no_warning_back(desk: FlaskClient) -> None:
    client = handed_over(desk)
    says_chest_pain(desk)
    number = page_asking("fever")
    late = desk.post(f"/tablet/{number}", data=walk.page_form(number, {"fever": {}})).text
    assert ("Please get medical help now" in late, "Please see a doctor today" in late) == (True, False)
    assert "Please get medical help now" in desk.get("/tablet").text
    desk.post("/tablet/pin", data={"pin": PIN})
    stops = db.session.scalars(select(HealthStop.urgency).where(HealthStop.client_id == client)).all()
    assert sorted(stops) == ["emergency", "same_day"]
    assert "Please get medical help now: call" in desk.get(f"/clients/{client}/intake/stopped").text


def test_without_a_warning_the_card_says_nothing_of_one(desk: FlaskClient) -> None:
    client = handed_over(desk)
    desk.post("/tablet/back")
    assert desk.post("/tablet/pin", data={"pin": PIN}).location == f"/clients/{client}"
    assert "They were told to" not in desk.get(f"/clients/{client}").text
    assert desk.get(f"/clients/{client}/intake/stopped").status_code == 404


def test_the_card_keeps_a_warning_until_clinical_review_has_looked_at_it(
    app: Flask, desk: FlaskClient
) -> None:
    client = handed_over(desk)
    says_chest_pain(desk)
    with at(24 * 60):
        again = browser_of(app, make_person("next@pins.example", Role.FRONT_DESK, name="Next"))
        card = again.get(f"/clients/{client}").text
        assert ("They were told to get medical help" in card, "has looked at it yet" in card) == (True, True)
        with transaction() as session:
            session.scalars(select(HealthStop)).one().ended_at = NOW + dt.timedelta(hours=1)
        assert "They were told to" not in again.get(f"/clients/{client}").text
        assert again.get(f"/clients/{client}/intake/stopped").status_code == 200, "it still stops them"


def test_what_another_day_ends_is_on_the_card_for_that_day(app: Flask, desk: FlaskClient) -> None:
    client = handed_over(desk)
    says_chest_pain(desk)
    with transaction() as session:
        stop = session.scalars(select(HealthStop)).one()
        stop.needs, stop.urgency = "new_answer", "same_day"
    for minutes, is_said in ((1, True), (24 * 60, False)):
        with at(minutes):
            browser = browser_of(app, make_person(f"{minutes}@pins.example", Role.FRONT_DESK, name="Next"))
            assert ("They were told to see a doctor" in browser.get(f"/clients/{client}").text) is is_said


def test_staff_read_first_who_was_told_what_and_when(desk: FlaskClient) -> None:
    client = handed_over(desk)
    says_chest_pain(desk)
    page = desk.get(desk.post("/tablet/pin", data={"pin": PIN}).location).text
    said = page.index("was told to get medical help")
    assert page.index("Stop here") < said < page.index("Read this out")
    assert "9 June 2026 at 9:00 am" in page[said : page.index("Read this out")]
    assert "Speak to them now" in page
    also_told(client, "prompt", "online", NOW + dt.timedelta(minutes=1))
    page = desk.get(f"/clients/{client}/intake/stopped").text
    assert "was told to get medical help" in page, "the most urgent is read out, not the last"


def test_a_warning_stands_on_the_ways_in_for_the_team_as_well(desk: FlaskClient) -> None:
    """Whoever holds the tablet can open the sign-in: that wipes nothing either."""
    handed_over(desk)
    says_chest_pain(desk)
    wrong = sign_in(desk, DESK, password="not the right one at all")
    no_passkey = desk.post("/sign-in/passkey")
    for page in (desk.get("/sign-in").text, wrong.text, no_passkey.text):
        assert page.index("Please get medical help now") < page.index("Go to the front desk now")
        assert page.index("Go to the front desk now") < page.index("Back to the PIN")
        assert "without a password" not in page
    code_of(DESK)  # from now on they owe a second step
    assert (
        desk.post("/sign-in", data={"email": DESK, "password": PASSWORD}).location == "/sign-in/second-step"
    )
    page = desk.get("/sign-in/second-step").text
    assert page.index("Go to the front desk now") < page.index("Now show that it is you")
    assert not any(word in wrong.text for word in ("chest", "breath"))


def test_a_warning_is_shown_although_its_answer_never_arrived(desk: FlaskClient) -> None:
    """The network went away at that moment: what was declared is kept, and the tablet says so at the next look."""
    handed_over(desk)
    with desk.session_transaction() as kept:
        before = dict(kept)
    says_chest_pain(desk)
    with desk.session_transaction() as kept:
        kept.clear()
        kept.update(before)
    assert "Please get medical help now" in desk.get("/tablet").text


def test_what_was_told_elsewhere_is_for_staff_not_for_a_tablet_that_lies_about(desk: FlaskClient) -> None:
    client = handed_over(desk)
    desk.post("/tablet/back")
    also_told(client, "emergency", "online", NOW)
    assert "medical help" not in desk.get("/tablet").text + desk.get("/sign-in").text
    assert desk.post("/tablet/pin", data={"pin": PIN}).location == f"/clients/{client}/intake/stopped"


def test_by_password_staff_come_to_where_the_pin_leads(app: Flask, desk: FlaskClient) -> None:
    client = handed_over(desk)
    desk.post("/tablet/back")
    assert sign_in(desk, DESK).location == f"/clients/{client}"
    assert desk.post(f"/clients/{client}/tablet").location == "/tablet"
    says_chest_pain(desk)
    assert sign_in(desk, DESK).location == f"/clients/{client}/intake/stopped"
    assert "was told to get medical help" in desk.get(f"/clients/{client}/intake/stopped").text
    desk.post("/sign-out")
    assert sign_in(desk, DESK).location == "/desk", "no tablet any more"


def test_who_may_not_open_the_card_is_told_of_the_warning_all_the_same(app: Flask, desk: FlaskClient) -> None:
    make_person("theo@pins.example", Role.THERAPIST, name="Theo")
    handed_over(desk)
    desk.post("/tablet/back")
    assert sign_in(desk, "theo@pins.example").location == "/diary"
    assert "medical help" not in desk.get("/diary").text
    desk.post("/sign-out")
    assert sign_in(desk, DESK).location == "/desk"
    handed_over(desk)
    says_chest_pain(desk)
    assert sign_in(desk, "theo@pins.example").location == "/diary"
    assert "Whoever had this tablet was told to get medical help" in desk.get("/diary").text


def test_a_client_who_signs_in_on_a_locked_tablet_gets_nowhere_and_wipes_nothing(desk: FlaskClient) -> None:
    make_person("cleo@pins.example", Role.CLIENT, name="Cleo")
    client = handed_over(desk)
    says_chest_pain(desk)
    assert str(client) not in sign_in(desk, "cleo@pins.example").location
    assert "Please get medical help now" in desk.get("/tablet").text


def test_a_warning_of_before_is_not_read_out_when_the_next_one_hands_back(desk: FlaskClient) -> None:
    client = handed_over(desk)
    says_chest_pain(desk)
    desk.post("/tablet/pin", data={"pin": PIN})
    other = w.person()
    with at(1):
        for one in (other, client):
            desk.post(f"/clients/{one}/tablet")
            assert "medical help" not in desk.get("/tablet").text
            desk.post("/tablet/back")
            assert desk.post("/tablet/pin", data={"pin": PIN}).location == f"/clients/{one}"


def test_on_a_locked_tablet_only_staff_sign_in_and_there_is_a_way_back_to_the_pin(desk: FlaskClient) -> None:
    handed_over(desk)
    desk.post("/tablet/back")
    page = desk.get("/sign-in").text
    assert 'href="/tablet"' in page
    assert ("Back to the PIN" in page, "without a password" in page, "set a new password" in page) == (
        True, False, False
    )  # fmt: skip


def test_larger_text_goes_back_with_the_tablet(desk: FlaskClient) -> None:
    for before in ("", "large"):
        desk.set_cookie("text", before) if before else desk.delete_cookie("text")
        handed_over(desk)
        desk.post("/text-size", data={"size": "" if before else "large"})
        desk.post("/tablet/back")
        desk.post("/tablet/pin", data={"pin": PIN})
        kept = desk.get_cookie("text")
        assert (kept.value if kept is not None else "") == before


def test_what_was_ticked_and_written_to_sign_is_there_until_an_answer_changes(desk: FlaskClient) -> None:
    client = handed_over(desk)
    for number, one in enumerate(PAGES, 1):
        desk.post(f"/tablet/{number}/keep", data={f"none.{one.key}": "1"})
    last = len(PAGES)
    drawn = '{"width": 300, "height": 90, "strokes": [[[1, 2], [3, 4]]]}'
    signing = {"name": "Pat Number", "treatment": "y", "points": drawn}
    back = desk.post("/tablet/sign", data={**signing, "go": "back"})
    assert back.location == f"/tablet/{last}"
    desk.post(f"/tablet/{last}/keep", data={f"none.{PAGES[-1].key}": "1"})
    page = desk.get("/tablet/sign").text
    ticked = [
        bool(re.search(rf'<input(?=[^>]*name="{one}")[^>]*\bchecked', page))
        for one in ("treatment", "privacy")
    ]
    assert ticked == [True, False]
    assert 'value="Pat Number"' in page
    assert "&#34;strokes&#34;: [[[1, 2], [3, 4]]]" in page
    assert queries.newest(client) is None, "nothing is signed"
    # Unticked it is unticked; and with another answer all of it is given anew.
    assert desk.post(f"/tablet/{last + 1}/keep", data={"name": "Pat N"}).status_code == 204
    page = desk.get("/tablet/sign").text
    assert ('value="Pat N"' in page, "checked" in page) == (True, False)
    others = {f"c.{one.key}": "no" for one in PAGES[1].conditions}
    desk.post("/tablet/2/keep", data={**others, f"c.{PAGES[1].conditions[0].key}": "not_sure"})
    assert 'value="Pat N"' not in desk.get("/tablet/sign").text
    assert desk.get(f"/tablet/{last + 1}").status_code == 303
    with at(14):
        assert desk.post(f"/tablet/{last + 1}/keep", data={"name": "Pat Late"}).status_code == 409
    db.session.rollback()
    draft = queries.draft(client, "tablet")
    assert draft is not None
    assert draft.signing == {"name": ["Pat Late"]}


def test_who_is_handed_the_tablet_next_ticks_and_signs_anew(desk: FlaskClient) -> None:
    """The child had it first, and now the parent."""
    client = handed_over(desk)
    for number, one in enumerate(PAGES, 1):
        desk.post(f"/tablet/{number}/keep", data={f"none.{one.key}": "1"})
    desk.post("/tablet/sign", data={"name": "Pat Number", "treatment": "y", "go": "back"})
    desk.post("/tablet/back")
    assert desk.post("/tablet/pin", data={"pin": PIN}).status_code == 303
    assert desk.post(f"/clients/{client}/tablet").status_code == 303
    page = desk.get("/tablet/sign").text
    assert ('value="Pat Number"' in page, "checked" in page) == (False, False)
    db.session.rollback()
    draft = queries.draft(client, "tablet")
    assert draft is not None
    assert (draft.signing, len(draft.answered) > 0) == ({}, True)


def page_asking(key: str) -> int:
    return next(n for n, page in enumerate(PAGES, start=1) if any(one.key == key for one in page.conditions))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_late_page_about_somebody_else_counts_for_nobody(desk: FlaskClient) -> None:
    number = page_asking("rf_chest_pain_breathless")
    handed_over(desk)
    whose = walk.hidden(desk.get(f"/tablet/{number}"), "whose")
    desk.post("/tablet/back")
    desk.post("/tablet/pin", data={"pin": PIN})
    handed_over(desk)
    with at(25):
        desk.post(
            f"/tablet/{number}",
            data={**walk.page_form(number, {"rf_chest_pain_breathless": {}}), "whose": whose},
        )
    db.session.rollback()
    assert db.session.scalars(select(HealthStop.client_id)).all() == []
    assert [one.answered for one in db.session.scalars(select(IntakeDraft)) if one.answered] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_late_page_takes_nothing_back_and_adds_what_it_says_more(desk: FlaskClient, is_whole: bool) -> None:
    number = page_asking("heart_failure")
    client = handed_over(desk)
    page = desk.get(f"/tablet/{number}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "seen")}
    worse = {"heart_failure": {"worsening": True}}
    desk.post(f"/tablet/{number}/keep", data={**walk.page_form(number, worse), **shown})
    other = next(one.key for one in PAGES[number - 1].conditions if one.key != "heart_failure")
    said = {"not_sure": True} if is_whole else {}
    with at(25):
        desk.post(f"/tablet/{number}", data={**walk.page_form(number, {other: said}), **shown})
    db.session.rollback()
    found = queries.draft(client, "tablet")
    assert found is not None
    assert found.answered["heart_failure"] == {"present": True, "worsening": True}
    assert (other in found.answered, f"c.{other}" in found.half_typed) == (is_whole, not is_whole)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_late_page_with_other_details_does_not_replace_those_that_are_kept(desk: FlaskClient) -> None:
    number = page_asking("heart_failure")
    client = handed_over(desk)
    page = desk.get(f"/tablet/{number}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "seen")}
    worse, milder = ({"heart_failure": {"worsening": one}} for one in (True, False))
    desk.post(f"/tablet/{number}/keep", data={**walk.page_form(number, worse), **shown})
    with at(25):
        desk.post(f"/tablet/{number}", data={**walk.page_form(number, milder), **shown})
    db.session.rollback()
    found = queries.draft(client, "tablet")
    assert found is not None
    assert found.answered["heart_failure"] == {"present": True, "not_sure": True}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_warning_sign_on_an_old_page_takes_nothing_else_back(desk: FlaskClient) -> None:
    number = page_asking("heart_failure")
    client = handed_over(desk)
    page = desk.get(f"/tablet/{number}")
    shown = {name: walk.hidden(page, name) for name in ("whose", "seen")}
    stent = {"joint_replacement": {"not_sure": True}}
    desk.post(f"/tablet/{number}/keep", data={**walk.page_form(number, stent), **shown})
    urgent = {"high_blood_pressure": {"status": "uncontrolled", "systolic": 200, "diastolic": 125}}
    desk.post(f"/tablet/{number}", data={**walk.page_form(number, urgent), **shown})
    db.session.rollback()
    assert db.session.scalars(select(HealthStop.client_id)).all() == [client]
    found = queries.draft(client, "tablet")
    assert found is not None
    assert found.answered["joint_replacement"]["present"]
