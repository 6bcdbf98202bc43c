"""The therapist's say and the skills that answers ask for, through the doors that book and judge, on both databases."""

from __future__ import annotations

import datetime as dt
import inspect

import pytest
from flask import Flask
from sqlalchemy import select, text

from clinic.booking.models import Screening, Visit
from clinic.booking.queries import free_times
from clinic.booking.queries.availability import Ask
from clinic.booking.services import (
    checkout,
    judging,
    people,
    reconciling,
    restricting,
    visits,
)
from clinic.catalogue import queries as catalogue
from clinic.intake.services import checkins, intakes
from clinic.rules.errors import InvalidInput, NotFound, SlotTaken
from clinic.rules.permissions import Permission, Role
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.therapists.models import TherapistRestriction, TherapistSkill
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_letters import owner_of
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.diary.staff import ME, OTHER, Staffed, person_with, staffed
from tests.owners import browser_of

PREGNANT = {
    "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
}  # fmt: skip


@pytest.fixture
def clinic(app: Flask, now: dt.datetime) -> Staffed:
    return staffed(app)


def treated(clinic: Staffed, *, hour: int = 10, days: int = 5) -> tuple[int, int]:
    """A healthy client with a confirmed visit at my table."""
    client = w.person()
    w.sign(client)
    visit_id = w.at_desk(
        clinic.world, client, "swedish", when=w.at(days, hour), therapist_id=clinic.me
    ).visit_id
    assert visit_id is not None
    return client, visit_id


def ask(clinic: Staffed, client: int, verdict: str, **values: object) -> int:
    asked: dict[str, object] = {
        "services": (), "reason": "Was dizzy afterwards", "until": None, "by": clinic.world.desk_id, "now": NOW,
        **values,
    }  # fmt: skip
    return restricting.ask_for_more_care(clinic.me, client, verdict=verdict, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdict", "status", "waiting"),
    [("caution", "confirmed", None), ("clearance", "suspended", "therapist"), ("block", "cancelled", None)],
)
def test_it_judges_coming_visits_again(
    clinic: Staffed, verdict: str, status: str, waiting: str | None
) -> None:
    client, visit_id = treated(clinic)
    ask(clinic, client, verdict)
    visit = visit_of(visit_id)
    assert (visit.status, visit.waiting_for) == (status, waiting)
    newest = db.session.scalars(
        select(Screening).where(Screening.visit_id == visit_id, Screening.door == "therapist")
    ).one()
    assert (newest.verdict, newest.permits) == (verdict, verdict == "caution")
    trace = db.session.scalars(select(AuditRow).where(AuditRow.deed == "care.raised")).one()
    assert trace.detail == {}


def test_withdrawn_the_visit_is_confirmed_again_and_a_new_one_is_bookable(clinic: Staffed) -> None:
    client, visit_id = treated(clinic)
    restriction = ask(clinic, client, "clearance")
    assert w.at_desk(clinic.world, client, "swedish", when=w.at(6)).status == "pending"
    with pytest.raises(NotFound):
        restricting.withdraw(restriction, therapist_id=clinic.other, by=1, now=NOW)
    restricting.withdraw(restriction, therapist_id=clinic.me, by=clinic.world.desk_id, now=NOW)
    assert visit_of(visit_id).status == "confirmed"
    with pytest.raises(NotFound):
        restricting.withdraw(restriction, therapist_id=None, by=1, now=NOW)


def test_it_holds_for_the_named_treatment_and_until_its_last_day(clinic: Staffed) -> None:
    client, visit_id = treated(clinic)
    ask(clinic, client, "block", services=("deep_tissue",), until=w.TODAY + dt.timedelta(days=7))
    assert visit_of(visit_id).status == "confirmed"
    assert w.at_desk(clinic.world, client, "deep_tissue", when=w.at(7)).status is None
    assert w.at_desk(clinic.world, client, "deep_tissue", when=w.at(8)).status == "confirmed"


def test_only_who_treats_the_client_may_ask(clinic: Staffed) -> None:
    client, visit_id = treated(clinic)
    with pytest.raises(NotFound):
        restricting.ask_for_more_care(
            clinic.other,
            client,
            services=(),
            verdict="block",
            reason="Because of it",
            until=None,
            by=1,
            now=NOW,
        )
    assert visit_of(visit_id).status == "confirmed"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"verdict": "clear"}, "verdict"),
        ({"verdict": "allow"}, "verdict"),
        ({"services": ("yoga",)}, "services"),
        ({"reason": "  no "}, "reason"),
        ({"until": w.TODAY - dt.timedelta(days=1)}, "until"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(
    clinic: Staffed, values: dict[str, object], field: str
) -> None:
    client, _visit_id = treated(clinic)
    with pytest.raises(InvalidInput) as refusal:
        ask(clinic, client, **{"verdict": "block", **values})  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert db.session.scalars(select(TherapistRestriction)).all() == []


def test_the_reason_lies_sealed_in_the_database(clinic: Staffed) -> None:
    client, _visit_id = treated(clinic)
    ask(clinic, client, "caution", reason="Fainted in April")
    stored = db.session.execute(text("SELECT reason_sealed FROM therapist_restriction")).scalar_one()
    assert b"Fainted" not in bytes(stored)
    assert db.session.scalars(select(TherapistRestriction)).one().reason == "Fainted in April"


def test_the_pages_of_the_therapist_the_reviewer_the_desk_and_their_words(clinic: Staffed) -> None:
    _client, visit_id = treated(clinic)
    me, other = clinic.browser(ME), clinic.browser(OTHER)
    address = f"/diary/visits/{visit_id}/more-care"
    assert other.get(address).status_code == 404
    assert other.post(address, data={"verdict": "block", "reason": "Because"}).status_code == 404
    assert me.post(address, data={"verdict": "block"}).status_code == 422
    asked = {"verdict": "clearance", "reason": "Was dizzy afterwards", "until": ""}
    shown = me.post(address, data=asked)  # a browser sends the day that was left empty, too
    assert (shown.status_code, visit_of(visit_id).status) == (200, "confirmed")
    assert "Nothing is saved yet." in shown.text
    assert "Keep this and put 1 visit on hold" in shown.text
    assert "Was dizzy afterwards" in shown.text, "what was typed stays"
    assert db.session.scalars(select(TherapistRestriction.id)).all() == []
    assert me.post(address, data={**asked, "seen": str(visit_id)}).location == address
    assert "Was dizzy afterwards" in me.get(address).text
    assert visit_of(visit_id).waiting_for == "therapist"
    desk = desk_browser(clinic.app, clinic.world)
    page = desk.get(f"/desk/visits/{visit_id}").text
    assert "would like to talk with the client first" in page
    assert "dizzy" not in page
    reviewer = clinic.browser(person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW))
    assert "Was dizzy afterwards" in reviewer.get("/reviews/more-care").text
    in_german = {"Accept-Language": "de"}
    assert (
        "Erst sprechen"
        in me.get(address, headers=in_german).text.partition("Was dizzy")[0].rpartition("queue")[2]
    )
    row = db.session.scalars(select(TherapistRestriction.id)).one()
    assert other.post(f"{address}/{row}/end").status_code == 404
    reviewer.post(f"/reviews/more-care/{row}/end")
    assert visit_of(visit_id).status == "confirmed"


@pytest.mark.parametrize(
    ("verdict", "services", "until", "touches"),
    [
        ("caution", (), None, []),
        ("clearance", (), None, [False]),
        ("block", (), None, [True]),
        ("block", ("swedish",), w.at(5).date(), [True]),
        ("block", ("swedish",), w.at(4).date(), []),
        ("block", ("deep_tissue",), None, []),
    ],
)
def test_what_it_would_touch_is_what_it_touches(
    clinic: Staffed, verdict: str, services: tuple[str, ...], until: dt.date | None, touches: list[bool]
) -> None:
    client, visit_id = treated(clinic)
    person, others_visit = treated(clinic, hour=12)
    before = visit_of(visit_id).status
    shown = restricting.would_touch(
        client, services=services, verdict=verdict, reason="Was dizzy", until=until, now=NOW
    )
    assert [one.is_off for one in shown] == touches
    assert visit_of(visit_id).status == before, "a look changes nothing"
    ask(clinic, client, verdict, services=services, until=until)
    status = visit_of(visit_id).status
    assert status == {(): "confirmed", (False,): "suspended", (True,): "cancelled"}[tuple(touches)]
    assert visit_of(others_visit).status == "confirmed", person


def test_a_visit_booked_since_the_look_is_shown_before_it_is_touched(clinic: Staffed) -> None:
    client, visit_id = treated(clinic)
    later = w.at_desk(clinic.world, client, "swedish", when=w.at(9), therapist_id=clinic.me).visit_id
    me, address = clinic.browser(ME), f"/diary/visits/{visit_id}/more-care"
    asked = {"verdict": "block", "reason": "Was dizzy afterwards", "seen": f"{visit_id}x"}
    shown = me.post(address, data=asked)
    assert "Keep this and cancel 2 visits" in shown.text
    assert w.statuses(client) == ["confirmed", "confirmed"]
    assert me.post(address, data={**asked, "seen": f"{visit_id}x {later}x"}).location == address
    assert w.statuses(client) == ["cancelled", "cancelled"]


# ── skills ────────────────────────────────────────────────────────────────────────────────────────────────


def give_skill(therapist_id: int, skill: str) -> None:
    with transaction() as session:
        session.add(TherapistSkill(therapist_id=therapist_id, skill=skill))


def test_any_therapist_is_one_with_the_skill(clinic: Staffed) -> None:
    give_skill(clinic.other, "prenatal")
    client = w.person()
    w.sign(client, pregnancy=PREGNANT)
    for hour in (9, 12, 15):
        visit_id = w.at_desk(clinic.world, client, "relaxation", when=w.at(4, hour)).visit_id
        assert visit_id is not None
        assert visit_of(visit_id).therapist_id == clinic.other


def test_a_chosen_therapist_without_the_skill_is_not_taken_and_the_words_give_no_reason(
    clinic: Staffed,
) -> None:
    give_skill(clinic.other, "prenatal")
    client = w.person()
    w.sign(client, pregnancy=PREGNANT)
    with pytest.raises(SlotTaken) as refusal:
        w.at_desk(clinic.world, client, "relaxation", therapist_id=clinic.me)
    assert refusal.value.sentence.startswith("This therapist does not offer this")
    assert "pregnan" not in refusal.value.sentence.lower()
    assert w.statuses(client) == []


def test_online_the_hold_goes_over_to_a_therapist_with_the_skill(clinic: Staffed) -> None:
    give_skill(clinic.other, "prenatal")
    result = w.online("relaxation", {"pregnancy": PREGNANT})
    assert (result.status, visit_of(result.visit_id).therapist_id) == ("confirmed", clinic.other)


def test_online_a_chosen_therapist_without_the_skill_is_refused_kindly(clinic: Staffed) -> None:
    give_skill(clinic.other, "prenatal")
    with pytest.raises(SlotTaken, match="does not offer this service"):
        w.online("relaxation", {"pregnancy": PREGNANT}, therapist_id=clinic.me)
    assert db.session.scalars(select(Visit.status).where(Visit.status == "confirmed")).all() == []


def test_a_move_keeps_to_therapists_with_the_skill(clinic: Staffed) -> None:
    client, visit_id = treated(clinic)
    w.sign(client, pregnancy=PREGNANT)
    visit = visit_of(visit_id)
    with pytest.raises(SlotTaken, match="does not offer this service"):
        visits.change_visit(
            visit_id, revision=visit.revision, starts_at=w.at(6), by=clinic.world.desk_id, now=NOW
        )
    assert visit_of(visit_id).starts_at == w.at(5)


def test_times_of_a_known_client_are_those_of_therapists_with_the_skill(clinic: Staffed) -> None:
    give_skill(clinic.other, "oncology")
    client = w.person()
    w.sign(client, cancer_active={})
    plan = catalogue.plan_for("relaxation", None, (), 60, first_visit=False)
    assert plan is not None
    wish = Ask(plan, clinic.world.place_id, w.TODAY, 7, NOW, client_id=client)
    assert {one for time in free_times.window(wish).times for one in time.therapists} == {clinic.other}


def test_only_therapists_who_can_treat_a_known_client_are_to_choose(clinic: Staffed) -> None:
    for one in clinic.world.therapists[1:]:
        give_skill(one, "oncology")
    client = w.person(email="pat@people.example")
    browser = browser_of(clinic.app, owner_of(client, "pat@people.example"))
    address = "/book/relaxation/times?minutes=60&area=full_body"

    def shown(query: str = "") -> list[bool]:
        page = browser.get(address + query).text
        return [name in page for name in ("Terry 0", "Terry 1", "Terry 2")]

    assert shown() == [True, True, True]
    w.sign(client, cancer_active={})
    assert shown() == [False, True, True]
    assert shown(f"&therapist={clinic.me}")[0], "who was chosen before is still said to have no time"


# ── nobody passes a block or a clearance ──────────────────────────────────────────────────────────────────


def test_no_service_takes_a_parameter_that_passes_a_verdict() -> None:
    modules = (checkout, judging, people, reconciling, restricting, visits, checkins, intakes)
    names = {
        parameter
        for module in modules
        for _name, service in inspect.getmembers(module, inspect.isfunction)
        if service.__module__.startswith("clinic.")
        for parameter in inspect.signature(service).parameters
    }
    assert {"client_id", "choice", "rest", "now"} <= names, "what they do take was found"
    assert (
        names & {"override", "force", "pass_verdict", "permits", "outcome", "allow", "ignore", "skip"}
        == set()
    )
