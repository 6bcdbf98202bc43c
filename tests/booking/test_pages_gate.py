"""What is declared on the pages decides what stands in the database: nothing confirmed where the table says no."""

from __future__ import annotations

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from clinic.booking.models import Claim, Screening, Visit
from clinic.catalogue.models import ServiceLength
from clinic.intake.models import HealthStop
from clinic.rules.words import length_words, money_words, time_words
from clinic.shared.database import db, transaction
from tests.booking import walk
from tests.booking import world as w

pytestmark = pytest.mark.usefixtures("now")

Details = Mapping[str, object]

PREGNANT = {"status": "confirmed", "weeks": 20, "high_risk": False, "complication": "none"}
NEW_THINNER = {"med_class": "anticoagulant", "stable_3_months": False, "bruising": False}
OPERATION = {"date": "2026-05-20", "site": ["left_hip"], "minor": False, "complications": False}

CASES: list[tuple[str, Details, str, str]] = [
    ("fragile_skin", {"cause": "age"}, "decompression_vacuum", "block"),
    ("skin_infection", {"status": "active", "site": ["left_foot"]}, "decompression_vacuum", "block"),
    ("varicose_veins", {"status": "quiet", "site": ["lower_back"]}, "decompression_vacuum", "block"),
    ("bleeding_disorder", {"bleed_last_4_weeks": False}, "decompression_vacuum", "block"),
    ("clotting_tendency", {"type": "factor V Leiden"}, "decompression_vacuum_magnetic", "block"),
    ("cancer_metastatic", {"bone_metastases": True}, "swedish", "block"),
    ("cancer_metastatic", {"bone_metastases": False}, "relaxation", "clearance"),
    ("osteoporosis", {"severity": "advanced"}, "deep_tissue", "block"),
    ("osteoporosis", {"severity": "advanced"}, "relaxation", "clearance"),
    ("recent_surgery", OPERATION, "relaxation", "block"),
    ("spinal_stenosis_cord", {"type": "cord_compression"}, "swedish", "clearance"),
    ("blood_clot", {"status": "current", "date": "2026-05-01"}, "relaxation", "block"),
    ("aneurysm", {"status": "present", "date": "2024-05-01"}, "decompression_traction", "block"),
    ("heart_failure", {"worsening": False}, "swedish", "clearance"),
    ("pacemaker_icd", {"date": "2020-01-01"}, "decompression_vacuum_magnetic", "block"),
    ("pregnancy", PREGNANT, "deep_tissue", "block"),
    ("blood_thinners", NEW_THINNER, "swedish", "clearance"),
    ("epilepsy", {"status": "uncontrolled", "date": "2026-05-01"}, "swedish", "clearance"),
    ("kidney_liver_disease", {"severity": "advanced"}, "relaxation", "clearance"),
    ("doctor_said_no", {"reason": "back", "date": "2025-01-01"}, "relaxation", "clearance"),
    ("contagious_illness", {"type": "covid", "improving": False, "symptom_free_hours": 0}, "swedish", "block"),
    ("heart_disease", {"type": "heart_attack", "date": "2026-04-01"}, "relaxation", "block"),
]  # fmt: skip
WORDS_NEVER_SAID = ("denied", "rejected", "contraindicat")


@pytest.fixture
def client(world: w.World, client: FlaskClient) -> FlaskClient:
    return client


def the_visit() -> Visit:
    db.session.rollback()
    return db.session.scalars(select(Visit)).one()


def claims() -> int:
    return len(db.session.scalars(select(Claim)).all())


@pytest.mark.parametrize(
    ("condition", "details", "service", "expected"), CASES, ids=[f"{one[0]}-{one[2]}" for one in CASES]
)
def test_what_is_declared_online_decides(
    client: FlaskClient, condition: str, details: Details, service: str, expected: str
) -> None:
    areas = {"where": "parts", "areas": "lower_back"} if "vacuum" in service else {}
    page = walk.book(client, service, declared={condition: details}, **areas)

    visit = the_visit()
    row = db.session.scalars(select(Screening)).one()
    assert (visit.permits, row.permits) == (None, False)
    if expected == "block":
        assert (visit.status, row.verdict, claims()) == ("released", "block", 0)
        assert walk.heading(page).startswith("We can’t book")
    else:
        assert (visit.status, visit.waiting_for, row.verdict) == ("pending", "clearance", "clearance")
        assert claims() >= 3
        assert walk.heading(page) == "We keep this time, a doctor’s word is missing"
        assert "Why we ask" in page.text
    assert not [word for word in WORDS_NEVER_SAID if word in page.text.casefold()]


@pytest.mark.parametrize("service", list(w.SERVICES))
def test_somebody_healthy_is_never_refused(client: FlaskClient, service: str) -> None:
    areas = {"where": "parts", "areas": "lower_back"} if "vacuum" in service else {}
    page = walk.book(client, service, **areas)
    visit = the_visit()
    assert (visit.status, visit.permits) == ("confirmed", True)
    assert walk.heading(page) == "Your time is booked"


@pytest.mark.parametrize(
    ("flag", "details", "level", "says"),
    [
        ("rf_chest_pain_breathless", {}, "emergency", "Please get medical help now"),
        ("rf_limb_swelling", {}, "same_day", "Please see a doctor today"),
        ("rf_unexplained_weight_loss", {}, "prompt", "Please see a doctor soon"),
    ],
)
def test_a_warning_sign_stops_everything_at_once(
    client: FlaskClient, flag: str, details: Details, level: str, says: str
) -> None:
    walk.hold(client, "swedish")
    walk.name(client)
    page = walk.answer(client, {flag: details})  # its follow-ups are left open on purpose

    assert page.status_code == 200
    assert walk.heading(page) == says
    assert 'href="tel:911"' in page.text
    led = re.sub(' data-comes-back-to="[^"]*"', "", page.text)  # where Back leads: no link
    assert "/book/" not in led, "there is no way on from here"
    assert (the_visit().status, claims()) == ("released", 0)
    assert db.session.scalars(select(HealthStop)).one().urgency == level
    # and whatever is tried afterwards
    walk.hold(client, "relaxation")
    assert walk.location(client.get("/book/next")) == "/book/stopped"
    assert walk.location(client.get("/book/check")) == "/book/stopped"
    assert walk.location(client.post("/book/check")) == "/book/stopped"
    assert walk.heading(client.get("/book/stopped")) == "Please talk to us first"
    db.session.rollback()
    assert not db.session.scalars(select(Visit).where(Visit.status == "confirmed")).all()


def test_no_answer_is_never_taken_as_no(client: FlaskClient) -> None:
    walk.hold(client, "swedish")
    walk.name(client)
    assert client.post("/book/health/1", data={}).status_code == 422
    assert walk.location(walk.sign(client)) == "/book/health/1"
    assert walk.location(client.get("/book/check")) == "/book/health"
    assert the_visit().status == "held"


def test_a_half_typed_yes_replaces_an_earlier_no(client: FlaskClient) -> None:
    """Somebody said no, comes back, ticks yes without its details, and leaves the page: the no must not be signed."""
    walk.hold(client, "swedish")
    walk.name(client)
    walk.answer(client)
    number = walk.number_of("blood")
    form = {**walk.page_form(number, {}), "c.blood_clot": ["yes"], "go": ["back"]}
    assert walk.location(client.post(f"/book/health/{number}", data=form)) == f"/book/health/{number - 1}"
    assert walk.location(walk.sign(client)) == f"/book/health/{number}"


def test_a_blocked_treatment_shows_what_is_safe_and_books_it_with_one_press(client: FlaskClient) -> None:
    thinner = {"med_class": "anticoagulant", "stable_3_months": True, "bruising": False}
    declared = {"blood_thinners": thinner}
    weeks_ahead = w.at(24)
    page = walk.book(client, "deep_tissue", declared=declared, where="whole", when=weeks_ahead)
    assert the_visit().status == "released"
    assert "Good for you now" in page.text
    slot = walk.first(
        r'name="slot" value="([^"]+)">(?:<(?!button).*?>[^<]*)*?<span class="visually-hidden">[^<]*Relaxation',
        page,
    )
    assert "Deep tissue massage</h3>" not in page.text
    assert slot[:10] == weeks_ahead.date().isoformat(), "the times around the one that was wanted"

    form = {"minutes": "60", "slot": slot}
    assert walk.location(client.post("/book/relaxation/times", data=form)) == "/book/next"
    assert walk.location(client.get("/book/next")) == "/book/check", "who and health are kept"
    walk.confirm(client)
    db.session.rollback()
    visit = db.session.scalars(select(Visit).where(Visit.status == "confirmed")).one()
    assert visit.service.key == "relaxation"


def card(page: TestResponse) -> dict[str, str]:
    """The card of the last page, label by label."""
    rows = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page.text, re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for label, text in rows}


def test_an_unsafe_addon_comes_off_and_the_rest_is_booked(client: FlaskClient) -> None:
    declared = {"medicated_patch": {"site": ["left_upper_arm"]}}
    page = walk.up_to_check(client, "swedish", declared, addons="hot_stone")
    assert walk.heading(page) == "Is everything right?"
    assert card(page)["We leave out"].startswith("Left upper arm")
    page = walk.confirm(client)
    assert page.status_code == 200
    assert "Book without hot stones" in page.text
    shown = card(page)
    assert shown["We leave out"].startswith("Left upper arm"), "on the page whose button books"
    assert the_visit().status == "held"
    assert (
        walk.location(
            client.post(
                "/book/check",
                data={
                    "seen": walk.hidden(page, "seen"),
                    "go": "without",
                    "unsafe": walk.hidden(page, "unsafe"),
                },
            )
        )
        == "/book/done"
    )
    visit = the_visit()
    assert (visit.status, visit.addons, visit.minutes) == ("confirmed", [], 60)
    assert "With" not in shown, "the card shows what the button books"
    assert shown["Price"] == f"{money_words(visit.price, visit.currency)}, paid at the clinic"
    ends = visit.ends_at.astimezone(ZoneInfo(w.ZONE)).time()
    assert f"to {time_words(ends, uses_24_hours=False)} {length_words(75)}," in shown["When"]
    assert {claim.ends_at for claim in db.session.scalars(select(Claim))} <= {visit.ends_at, visit.free_at}


@pytest.mark.parametrize("change", ["dearer", "gone"])
def test_without_the_add_on_the_rest_costs_what_was_said(client: FlaskClient, change: str) -> None:
    """The owner changed the list between the choice and the button: the card says what is charged, and that is not
    nothing, nor the new price."""
    of_an_hour = ServiceLength.minutes == 60
    declared = {"medicated_patch": {"site": ["left_upper_arm"]}}
    page = walk.up_to_check(client, "swedish", declared, addons="hot_stone")
    base = w.catalogue_price("swedish")
    with transaction() as session:
        if change == "gone":
            session.execute(delete(ServiceLength).where(of_an_hour))
        else:
            session.execute(update(ServiceLength).where(of_an_hour).values(price=ServiceLength.price + 30_00))
    page = client.post("/book/check", data={"seen": walk.hidden(page, "seen")})
    data = {name: walk.hidden(page, name) for name in ("seen", "unsafe")}
    client.post("/book/check", data={**data, "go": "without"})
    visit = the_visit()
    assert (visit.status, visit.addons, visit.price) == ("confirmed", [], base)
    assert card(page)["Price"] == f"{money_words(base, visit.currency)}, paid at the clinic"


THINNER: dict[str, object] = {"med_class": "anticoagulant", "bruising": False}


@pytest.mark.parametrize(
    ("declared", "service", "is_said"),
    [
        ({"blood_thinners": THINNER | {"stable_3_months": True}}, "deep_tissue", True),
        ({"blood_thinners": THINNER | {"stable_3_months": False}}, "swedish", False),
        ({}, "deep_tissue", False),
    ],
    ids=["refused", "waits for a letter", "healthy"],
)
def test_what_is_refused_is_said_before_the_last_button(
    client: FlaskClient, declared: dict[str, dict[str, object]], service: str, is_said: bool
) -> None:
    page = walk.up_to_check(client, service, declared)
    page = client.get("/book/check")
    assert ("This is not safe for you as it is" in page.text) is is_said
    assert ("Confirm booking" in page.text) is not is_said
    assert ("See why, and what is safe instead" in page.text) is is_said
    walk.confirm(client)
    db.session.rollback()
    assert (db.session.scalars(select(Visit.status)).one() == "released") is is_said
