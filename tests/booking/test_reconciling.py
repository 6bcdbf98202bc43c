"""Visits judged by older rules, columns or settings are judged again: suspended at once, cancelled when seen."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from clinic.booking.models import Claim, Screening
from clinic.booking.queries import judged_by
from clinic.booking.services import deadlines, reconciling
from clinic.catalogue.models import Addon, Service
from clinic.premises.models import Clinic
from clinic.rulebook.services import save_rules
from clinic.rules.permissions import Permission, Role
from clinic.rules.proposals import Proposal
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, read_as_one, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.world import visit_of
from tests.conftest import NOW
from tests.diary.staff import person_with
from tests.diary.staff import staffed as staffed_clinic
from tests.statements import counted

THINNERS = {
    "med_class": "anticoagulant", "medication": "warfarin", "stable_3_months": True, "bruising": False,
}  # fmt: skip


def booked(world: w.World, days: int = 5, **declared: object) -> int:
    """A confirmed visit for gentle work."""
    client = w.person(email=f"pat{days}{len(declared)}@people.example")
    w.sign_answers(client, declared)  # type: ignore[arg-type]
    outcome = w.at_desk(world, client, "relaxation", when=w.at(days))
    assert outcome.visit_id is not None
    assert outcome.status == "confirmed"
    return outcome.visit_id


def judge_relaxation_as(*columns: str) -> None:
    with transaction() as session:
        session.execute(update(Service).where(Service.key == "relaxation").values(judged_as=list(columns)))


def mails(visit_id: int) -> list[str]:
    """The names of the mails about this visit, oldest first."""
    db.session.rollback()
    keys = db.session.scalars(select(OutgoingMail.key).order_by(OutgoingMail.id))
    return [key.split(":")[0] for key in keys if f":{visit_id}:" in key]


def judgements(visit_id: int) -> list[tuple[str, bool]]:
    db.session.rollback()
    rows = db.session.scalars(
        select(Screening).where(Screening.visit_id == visit_id).order_by(Screening.judged_at, Screening.id)
    )
    return sorted((row.door, row.permits) for row in rows)


def claimed(visit_id: int) -> int:
    return len(db.session.scalars(select(Claim).where(Claim.visit_id == visit_id)).all())


def test_what_was_judged_by_the_present_rules_is_left_alone(world: w.World) -> None:
    visit_id = booked(world)
    read_as_one()
    assert judged_by.out_of_date(NOW) == []
    assert reconciling.judge_out_of_date(NOW) == 0
    assert judgements(visit_id) == [("desk", True)]


def test_coming_visits_are_read_bit_by_bit(world: w.World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a long book at once, every few seconds, made the process larger with each visit booked."""
    visits = {booked(world), booked(world, 6), booked(world, 7)}
    judge_relaxation_as("relaxation", "deep_tissue")
    monkeypatch.setattr(judged_by, "AT_ONCE", 1)
    steps: set[object] = set()

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *more: Any) -> None:
        if "screening.basis" in statement:
            steps.add(more[1].execution_options.get("yield_per"))

    assert reconciling.judge_out_of_date(NOW) == len(visits)
    event.remove(db.engine, "before_cursor_execute", note)
    assert steps == {1}


def test_a_visit_that_an_edited_service_no_longer_allows_is_suspended_and_nobody_is_told_yet(
    world: w.World,
) -> None:
    visit_id, healthy = booked(world, blood_thinners=THINNERS), booked(world, 6)
    told = mails(visit_id)
    judge_relaxation_as("relaxation", "deep_tissue")
    assert reconciling.judge_out_of_date(NOW) == 2
    visit = visit_of(visit_id)
    assert (visit.status, visit.waiting_for, visit.permits) == ("suspended", "rules", None)
    assert visit.deadline_at == w.at(4)
    assert claimed(visit_id) > 0
    assert mails(visit_id) == told
    assert visit_of(healthy).status == "confirmed"
    assert reconciling.judge_out_of_date(NOW) == 0  # done twice it does nothing
    assert judgements(visit_id) == [("desk", True), ("rules", False)]


def test_a_suspended_visit_that_is_safe_again_is_confirmed_again(world: w.World) -> None:
    visit_id = booked(world, blood_thinners=THINNERS)
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(NOW)
    judge_relaxation_as("relaxation")
    assert reconciling.judge_out_of_date(NOW) == 1
    visit = visit_of(visit_id)
    assert (visit.status, visit.waiting_for, visit.deadline_at, visit.permits) == (
        "confirmed",
        None,
        None,
        True,
    )
    assert mails(visit_id)[-1] == "visit_confirmed_now"


def test_staff_confirm_the_cancellation_and_only_then_the_client_is_told(world: w.World) -> None:
    visit_id = booked(world, blood_thinners=THINNERS)
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(NOW)
    assert [visit.id for visit, _row in judged_by.no_longer_safe()] == [visit_id]
    assert reconciling.confirm_cancellations([visit_id], by=world.desk_id, now=NOW) == 1
    assert visit_of(visit_id).status == "cancelled"
    assert claimed(visit_id) == 0
    assert mails(visit_id)[-1] == "visit_cannot_go_ahead"
    assert reconciling.confirm_cancellations([visit_id], by=world.desk_id, now=NOW) == 0
    assert mails(visit_id).count("visit_cannot_go_ahead") == 1
    deed = db.session.scalars(
        select(AuditRow).where(AuditRow.deed == "visit.judged").order_by(AuditRow.sequence)
    ).all()[-1]
    assert (deed.by_user_id, deed.thing_id) == (world.desk_id, visit_id)


def test_confirming_what_is_safe_again_meanwhile_keeps_the_visit(world: w.World) -> None:
    visit_id = booked(world, blood_thinners=THINNERS)
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(NOW)
    judge_relaxation_as("relaxation")
    assert reconciling.confirm_cancellations([visit_id], by=world.desk_id, now=NOW) == 0
    assert visit_of(visit_id).status == "confirmed"


def test_confirming_touches_no_other_waiting_visit(world: w.World) -> None:
    client = w.person()
    waiting = w.at_desk(world, client, "relaxation").visit_id  # without an intake
    good = booked(world)
    assert waiting is not None
    assert reconciling.confirm_cancellations([waiting, good, 10**9], by=world.desk_id, now=NOW) == 0
    assert (visit_of(waiting).status, visit_of(good).status) == ("pending", "confirmed")


def test_what_nobody_confirmed_is_cancelled_24_hours_before(world: w.World) -> None:
    visit_id = booked(world, blood_thinners=THINNERS)
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(NOW)
    assert deadlines.keep_deadlines(w.at(4, 9, 59)) == 0
    assert visit_of(visit_id).status == "suspended"
    assert deadlines.keep_deadlines(w.at(4)) == 1
    assert visit_of(visit_id).status == "cancelled"
    assert mails(visit_id)[-1] == "visit_cannot_go_ahead"


def test_inside_24_hours_an_unsafe_visit_is_cancelled_at_once(world: w.World) -> None:
    visit_id = booked(world, 1, blood_thinners=THINNERS)
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(w.at(0, 10, 1))
    assert visit_of(visit_id).status == "cancelled"
    assert mails(visit_id)[-1] == "visit_cannot_go_ahead"


def test_a_visit_that_needs_a_letter_now_is_on_hold_and_the_client_is_told(world: w.World) -> None:
    visit_id = booked(
        world, disc_herniation={"nerve_signs": False, "site": ["lower_back"], "under_treatment": True}
    )
    judge_relaxation_as("decompression_traction")
    reconciling.judge_out_of_date(NOW)
    visit = visit_of(visit_id)
    assert (visit.status, visit.waiting_for) == ("suspended", "clearance")
    assert mails(visit_id)[-1] == "visit_on_hold"


def test_an_add_on_that_is_judged_otherwise_now_is_taken_off_and_said(world: w.World) -> None:
    client = w.person(email="addon@people.example")
    w.sign(client, pregnancy={
        "status": "confirmed", "weeks": 20, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "none",
    })  # fmt: skip
    visit_id = w.at_desk(world, client, "relaxation", when=w.at(5), addons=("aromatherapy",)).visit_id
    assert visit_id is not None
    price = visit_of(visit_id).price
    with transaction() as session:
        session.execute(update(Addon).where(Addon.key == "aromatherapy").values(judged_as="hot_stone"))
    reconciling.judge_out_of_date(NOW)
    visit = visit_of(visit_id)
    assert (visit.status, visit.addons) == ("confirmed", [])
    assert visit.price < price
    assert mails(visit_id)[-1] == "visit_changed"


def test_another_version_of_the_rules_judges_everything_ahead_and_nothing_past(world: w.World) -> None:
    today, later = booked(world, 0), booked(world, 6)
    stricter = Proposal("house_rules", "Careful with heat", house_rules=("no_heat_on_numb_skin",))
    save_rules(stricter, seen=0, by=world.desk_id, now=NOW)
    assert reconciling.judge_out_of_date(w.at(1, 8)) == 1  # the first one is past by then
    assert judgements(today) == [("desk", True)]
    assert judgements(later) == [("desk", True), ("rules", True)]
    assert visit_of(later).status == "confirmed"
    assert reconciling.judge_out_of_date(w.at(1, 8)) == 0


def test_shorter_life_of_an_intake_puts_visits_beyond_it_on_hold(world: w.World) -> None:
    near, far = booked(world, 3), booked(world, 20)
    with transaction() as session:
        session.execute(update(Clinic).values(intake_valid_days=10))
    assert reconciling.judge_out_of_date(NOW) == 2
    assert (visit_of(near).status, visit_of(far).status) == ("confirmed", "suspended")
    assert visit_of(far).waiting_for == "intake"


def test_a_visit_waiting_for_something_else_may_turn_into_one_that_is_refused(world: w.World) -> None:
    client = w.person()
    w.sign(client, blood_thinners={**THINNERS, "stable_3_months": False})
    visit_id = w.at_desk(world, client, "swedish", when=w.at(5)).visit_id
    assert visit_id is not None
    assert visit_of(visit_id).status == "pending"
    with transaction() as session:
        session.execute(update(Service).where(Service.key == "swedish").values(judged_as=["sports"]))
    reconciling.judge_out_of_date(NOW)
    assert (visit_of(visit_id).status, visit_of(visit_id).waiting_for) == ("pending", "rules")
    assert reconciling.confirm_cancellations([visit_id], by=world.desk_id, now=NOW) == 1


def test_two_processes_at_once_judge_each_visit_once(app: Flask, world: w.World) -> None:
    made = [booked(world, days, blood_thinners=THINNERS) for days in range(3, 9)]
    judge_relaxation_as("deep_tissue")
    db.session.remove()
    ready = threading.Barrier(2)

    def run() -> int:
        with app.app_context():
            ready.wait()
            try:
                return reconciling.judge_out_of_date(NOW)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        done = [one.result() for one in [pool.submit(run) for _ in range(2)]]
    assert sum(done) == len(made)
    for visit_id in made:
        assert judgements(visit_id) == [("desk", True), ("rules", False)]
        assert visit_of(visit_id).status == "suspended"


def test_the_number_of_statements_does_not_grow_with_visits(world: w.World) -> None:
    booked(world, 3)
    with counted() as few:
        judged_by.out_of_date(NOW)
    for days in range(4, 9):
        booked(world, days)
    with counted() as many:
        judged_by.out_of_date(NOW)
    assert len(many) == len(few)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_reviewer_sees_the_list_and_confirms_all(app: Flask, now: dt.datetime) -> None:
    clinic = staffed_clinic(app)
    first, second = (booked(clinic.world, days, blood_thinners=THINNERS) for days in (5, 6))
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(now)
    browser = clinic.browser(person_with(Role.FRONT_DESK, Permission.CLINICAL_REVIEW))
    page = browser.get("/reviews/visits").text
    assert page.count("Confirm cancellation<") == 2
    assert "blood" in page.lower()  # who may judge it reads what speaks against it
    assert "Rule blood_thinners, source " in page
    assert "May be cleared by a doctor" in page
    assert all(f"/visits/{one}/record" in page for one in (first, second))
    answer = browser.post("/reviews/visits", data={"shown": [str(first), str(second), "x", "٣", "9" * 5000]})
    assert answer.location == "/reviews/visits"
    assert "2 visits are cancelled." in browser.get("/reviews/visits").text
    assert [visit_of(one).status for one in (first, second)] == ["cancelled", "cancelled"]
    browser.post("/reviews/visits", data={"visit": str(first)})
    assert "dealt with already" in browser.get("/reviews/visits").text


def test_the_desk_reads_what_to_do_and_never_why(app: Flask, now: dt.datetime) -> None:
    world = w.build()
    visit_id = booked(world, blood_thinners=THINNERS)
    judge_relaxation_as("deep_tissue")
    reconciling.judge_out_of_date(now)
    desk = desk_browser(app, world)
    for page in (desk.get("/todo").text, desk.get(f"/desk/visits/{visit_id}").text):
        assert "Not safe any more under the clinic’s new rules" in page
        assert "thinner" not in page.lower()
    assert desk.get("/reviews/visits").status_code == 403


def test_visits_of_a_service_that_is_switched_off_stand_on_the_desks_list(
    app: Flask, now: dt.datetime
) -> None:
    world = w.build()
    visit_id = booked(world)
    desk = desk_browser(app, world)
    assert "switched off" not in desk.get("/todo").text
    with transaction() as session:
        session.execute(update(Service).where(Service.key == "relaxation").values(is_active=False))
    assert "Visits of a service that is switched off" in desk.get("/todo").text
    assert visit_of(visit_id).status == "confirmed"
