"""What counts for a client: no new answers, merge or stop makes earlier answers disappear unseen."""

# ruff: noqa: E501 (tables: one case a line)

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import select

from clinic.booking.services import people, visits
from clinic.intake import queries
from clinic.intake.models import HealthStop
from clinic.intake.services import checkins, intakes, reviews
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests.booking import world as w
from tests.conftest import NOW
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("now")

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
CLOT = {"blood_clot": {"status": "current", "date": "2026-05-01", "still_on_treatment": True}}
WARFARIN = {
    "med_class": "anticoagulant",
    "medication": "warfarin",
    "stable_3_months": True,
    "bruising": False,
}
SIGNATURE = intakes.Signature("Pat")


def still_right(client: int, now: dt.datetime) -> object:
    return intakes.confirm_still_right(client, SIGNATURE, source="online", by=None, now=now, today=w.TODAY)


def nothing_changed(client: int, now: dt.datetime) -> object:
    return checkins.take_check_in(client, None, SIGNATURE, source="online", by=None, now=now, today=w.TODAY)


def clean_form(client: int, now: dt.datetime) -> object:
    return w.sign(client, now=now)


def book(
    world: w.World, client: int, service: str, now: dt.datetime, *, when: dt.datetime | None = None
) -> VisitStatus | None:
    return visits.book_visit(
        w.choice(service), client, when or w.at(5), request_key=f"{client} {service} {now} {when}",
        source="desk", by=world.desk_id, now=now,
    ).status  # fmt: skip


def stop(client: int, **declared: Mapping[str, object]) -> HealthStop:
    """A form that stops at a warning sign."""
    intakes.raise_stop(client, w.answers(**declared), source="online", by=None, now=NOW, today=w.TODAY)
    return db.session.scalars(select(HealthStop).where(HealthStop.client_id == client)).one()


def assessed(world: w.World, row: HealthStop, now: dt.datetime) -> None:
    stop_id = row.id
    db.session.rollback()
    reviews.end_stop(stop_id, "assessed", "Assessed by Dr Gray on 9 June", by=world.desk_id, now=now)


@pytest.mark.parametrize("sign", [still_right, nothing_changed, clean_form])
def test_after_a_merge_no_signature_drops_the_other_records_answers(
    world: w.World, sign: Callable[[int, dt.datetime], object]
) -> None:
    keep, lose = w.person(), w.person()
    w.sign(keep)
    w.sign_answers(lose, CLOT)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW + MINUTE)
    for number in range(1, 3):  # said twice it is not truer
        sign(keep, NOW + 5 * number * MINUTE)
        assert (
            book(world, keep, "relaxation", NOW + 6 * number * MINUTE, when=w.at(4 + number)) != "confirmed"
        )
    [waiting] = queries.softened_to_review()
    reviews.review_softened(waiting.id, True, "Seen the doctor’s letter.", by=world.desk_id, now=NOW + DAY)
    assert [one.intake_id for one in queries.in_force(keep)] == [waiting.id]
    assert "confirmed" in w.statuses(keep)


def test_after_a_merge_a_whole_form_that_says_it_all_holds_alone(world: w.World) -> None:
    keep, lose = w.person(), w.person()
    w.sign(keep)
    w.sign(lose, blood_thinners=WARFARIN)
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW + MINUTE)
    newest = w.sign(keep, blood_thinners=WARFARIN, now=NOW + 2 * MINUTE)
    assert [one.intake_id for one in queries.in_force(keep)] == [newest]


def test_what_was_signed_before_a_second_merge_does_not_drop_what_came_with_it(world: w.World) -> None:
    first, second, third = w.person(), w.person(), w.person()
    w.sign_answers(first, CLOT)
    people.merge_clients(second, first, by=world.desk_id, now=NOW + MINUTE)
    w.sign(third, now=NOW + 2 * MINUTE)  # signed without knowing of the other two
    people.merge_clients(third, second, by=world.desk_id, now=NOW + 3 * MINUTE)
    assert first in [one.client_id for one in queries.in_force(third)]
    assert book(world, third, "relaxation", NOW + 4 * MINUTE) == VisitStatus.PENDING


@pytest.mark.parametrize(
    ("key", "details"),
    [
        ("pregnancy", {"status": "confirmed", "weeks": 30, "weeks_as_of": "2026-06-09", "high_risk": False, "complication": "preeclampsia"}),
        ("heart_disease", {"type": "angina_unstable"}),
        ("high_blood_pressure", {"status": "uncontrolled", "systolic": 185, "diastolic": 110}),
        ("sickle_cell", {"crisis_now": True, "trait_only": False}),
        ("varicose_veins", {"status": "inflamed", "site": ["left_lower_leg"]}),
        ("heart_failure", {"worsening": True}),
    ],
)  # fmt: skip
def test_an_urgent_form_of_a_row_is_not_answered_away_on_the_next_day(
    world: w.World, key: str, details: dict[str, object]
) -> None:
    client = w.person()
    w.sign(client)
    row = stop(client, **{key: details})
    assert row.needs == "review"
    w.sign(client, now=NOW + DAY)
    assert book(world, client, "relaxation", NOW + DAY) is None
    assessed(world, row, NOW + DAY + MINUTE)
    newest = w.sign(client, now=NOW + DAY + 2 * MINUTE)
    # The urgency is over, the row is not: that it is gone altogether is looked at too.
    assert book(world, client, "relaxation", NOW + DAY + 3 * MINUTE) == VisitStatus.PENDING
    reviews.review_softened(
        newest, True, "Dr Gray: it is over.", by=world.desk_id, now=NOW + DAY + 4 * MINUTE
    )
    assert "confirmed" in w.statuses(client)


@pytest.mark.parametrize(
    ("key", "details"),
    [
        ("fever", None),
        ("contagious_illness", {"type": "flu", "improving": False, "symptom_free_hours": 0}),
        ("alcohol_drugs_today", {}),
    ],
)
def test_what_passes_by_itself_ends_on_a_later_day(
    world: w.World, key: str, details: dict[str, object] | None
) -> None:
    client = w.person()
    w.sign(client)
    if details is None:
        assert stop(client, **{key: {}}).needs == "new_answer"
    else:
        w.sign(client, now=NOW + MINUTE, **{key: details})  # an answer, no stop
    w.sign(client, now=NOW + DAY)
    assert book(world, client, "relaxation", NOW + DAY) == VisitStatus.CONFIRMED
    assert list(queries.softened_to_review()) == []


def test_what_stood_beside_an_assessed_sign_is_not_dropped(world: w.World) -> None:
    client = w.person()
    row = stop(client, blood_thinners=WARFARIN, rf_chest_pain_breathless={})
    assessed(world, row, NOW + DAY)
    newest = w.sign(client, now=NOW + 2 * DAY)
    assert book(world, client, "deep_tissue", NOW + 2 * DAY) == VisitStatus.PENDING
    shown = queries.softened(newest)
    assert shown is not None
    [earlier] = shown.earlier
    assert (earlier.intake_id, dict(earlier.answers["blood_thinners"])["medication"]) == (None, "warfarin")
    assert "rf_chest_pain_breathless" not in earlier.answers  # the sign itself was assessed
    reviews.review_softened(newest, True, "Stopped in May.", by=world.desk_id, now=NOW + 3 * DAY)
    assert w.statuses(client) == ["confirmed"]


def test_saying_it_all_again_after_an_assessed_sign_needs_no_second_look(world: w.World) -> None:
    client = w.person()
    assessed(world, stop(client, blood_thinners=WARFARIN, rf_chest_pain_breathless={}), NOW + DAY)
    newest = w.sign(client, blood_thinners=WARFARIN, now=NOW + 2 * DAY)
    assert [one.intake_id for one in queries.in_force(client)] == [newest]
    assert list(queries.softened_to_review()) == []


def test_a_stop_alone_is_no_intake(world: w.World) -> None:
    client = w.person()
    assessed(world, stop(client, blood_thinners=WARFARIN, rf_chest_pain_breathless={}), NOW + DAY)
    assert queries.in_force(client) == []


def test_one_and_many_clients_take_as_many_statements(world: w.World) -> None:
    first, others = w.person(), [w.person() for _ in range(4)]
    for one in (first, *others):
        w.sign(one)
    sent = []
    for ids in ([first], [], [first, *others]):
        db.session.rollback()
        with counted() as statements:
            assert set(queries.standings(ids)) == set(ids)
        sent.append(len(statements))
    assert sent[0] == sent[2] == 5
