"""Answers as the gate reads them: what a caesarean makes of an operation, and what is said about a bad answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from clinic.rules.answers import AnswerError, Facts, read_answer, read_answers
from tests.rules.gate_cases import DAY, ago, code, yes

CASES: list[tuple[str, Any, str]] = [
    ("flu", yes(), "flu.key: unknown condition"),
    ("fever", True, "fever.present: needs an answer with present"),
    ("fever", {}, "fever.present: needs true or false"),
    ("fever", {"present": 1}, "fever.present: needs true or false"),
    ("fever", yes(not_sure="yes"), "fever.not_sure: needs true or false"),
    ("fever", yes(hours=3), "fever.hours: unknown field"),
    ("fever", yes(fever_free_hours="3"), "fever.fever_free_hours: needs a number"),
    ("fever", yes(fever_free_hours=True), "fever.fever_free_hours: needs a number"),
    ("fever", yes(fever_free_hours=-1), "fever.fever_free_hours: cannot be -1"),
    ("fever", yes(fever_free_hours=100_001), "fever.fever_free_hours: cannot be 100001"),
    ("fever", yes(changed_on="soon"), "fever.changed_on: needs a day like 2026-03-16"),
    ("fracture", yes(date="2026-02-30"), "fracture.date: there is no day 2026-02-30"),
    ("fracture", yes(date="1899-12-31"), "fracture.date: cannot be in the year 1899"),
    ("fracture", yes(date="2201-01-01"), "fracture.date: cannot be in the year 2201"),
    ("fracture", yes(date=dt.datetime(2026, 3, 1, 9)), "fracture.date: needs a day like 2026-03-16"),  # noqa: DTZ001
    ("fracture", yes(site="neck"), "fracture.site: needs a list of body areas"),
    ("fracture", yes(site=["tail"]), "fracture.site: unknown body area 'tail'"),
    ("fracture", yes(site=[3]), "fracture.site: unknown body area 3"),
    ("diabetes", yes(complications="no"), "diabetes.complications: needs true or false"),
    ("diabetes", yes(status=3), "diabetes.status: needs a text"),
    ("diabetes", yes(status="sweet"), "diabetes.status: is not one of controlled, uncontrolled"),
]


@pytest.mark.parametrize(("key", "answer", "said"), CASES, ids=[said for _, _, said in CASES])
def test_what_cannot_be_read_is_refused_with_its_reason(key: str, answer: Any, said: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_answer(key, answer)
    assert str(refused.value) == said
    assert f"{refused.value.key}.{refused.value.field}: {refused.value.problem}" == said


def test_the_first_and_the_last_that_can_be_read() -> None:
    for value in (0, 100_000, 2.5):
        fever = read_answer("fever", yes(fever_free_hours=value))
        assert fever is not None
        assert fever.details == {"fever_free_hours": value}
    for day in ("1900-01-01", "2200-12-31"):
        broken = read_answer("fracture", yes(date=day))
        assert broken is not None
        assert broken.details == {"date": dt.date.fromisoformat(day)}


def test_answer_carries_the_day_on_which_it_changed() -> None:
    changed = read_answer("fever", yes(changed_on="2026-03-01"))
    assert changed is not None
    assert (changed.details, changed.changed_on) == ({}, dt.date(2026, 3, 1))
    assert read_answer("fever", {"present": False, "changed_on": "2026-03-01"}) is None


def test_details_of_no_are_read_strictly_too() -> None:
    with pytest.raises(AnswerError, match="there is no day"):
        read_answer("fracture", {"present": False, "date": "2026-02-30"})


def test_event_before_and_after_the_visit() -> None:
    before, after = (read_answer("fracture", yes(date=ago(days))) for days in (3, -3))
    assert before is not None
    assert after is not None
    assert before.facts_on(DAY) == Facts({"date": DAY - dt.timedelta(days=3), "days": 3}, ahead=False)
    assert after.facts_on(DAY) == Facts({"date": DAY + dt.timedelta(days=3), "days": -3}, ahead=True)


def test_event_on_the_day_itself_is_not_ahead() -> None:
    today = read_answer("fracture", yes(date=ago(0)))
    weeks = read_answer("pregnancy", yes(weeks=10, weeks_as_of=ago(0)))
    assert today is not None
    assert weeks is not None
    assert today.facts_on(DAY).ahead is False
    assert weeks.facts_on(DAY).ahead is False


def test_full_weeks_are_carried_to_the_day() -> None:
    pregnant = read_answer("pregnancy", yes(weeks=10.9, weeks_as_of=ago(20)))
    assert pregnant is not None
    facts = pregnant.facts_on(DAY)
    assert facts.values == {"weeks_as_of": DAY - dt.timedelta(days=20), "weeks": 12}
    assert facts.ahead is False
    assert pregnant.facts_on(DAY - dt.timedelta(days=21)).ahead is True


def test_weeks_without_their_day_are_not_carried() -> None:
    pregnant = read_answer("pregnancy", yes(weeks=10))
    assert pregnant is not None
    assert pregnant.facts_on(DAY) == Facts({}, ahead=False)
    assert pregnant.turning_days == ()


def test_turning_days_are_the_event_and_each_edge_of_its_windows() -> None:
    broken = read_answer("fracture", yes(date="2026-01-01"))
    unknown = read_answer("fracture", yes())
    assert broken is not None
    assert unknown is not None
    assert broken.turning_days == (dt.date(2026, 1, 1), dt.date(2026, 3, 26), dt.date(2027, 1, 1))
    assert unknown.turning_days == ()


def test_turning_days_of_a_pregnancy_are_counted_in_full_weeks() -> None:
    pregnant = read_answer("pregnancy", yes(weeks=10.9, weeks_as_of="2026-03-02"))
    assert pregnant is not None
    assert pregnant.turning_days[0] == dt.date(2026, 3, 2)
    assert dt.date(2026, 3, 2) + dt.timedelta(weeks=4) in pregnant.turning_days  # 14 full weeks


def test_caesarean_is_an_operation_of_its_day_and_carries_when_it_was_told() -> None:
    declared = read_answers({"postpartum": yes(caesarean=True, date=ago(50), changed_on=ago(5))})
    operation = declared["recent_surgery"]
    assert operation.condition.key == "recent_surgery"
    assert operation.details == {
        "minor": False,
        "complications": False,
        "date": DAY - dt.timedelta(days=50),
    }
    assert operation.changed_on == DAY - dt.timedelta(days=5)


def test_caesarean_beside_a_small_operation_is_not_small_and_nothing_is_missing() -> None:
    small = yes(date=ago(300), minor=True, complications=False, site=["left_foot"])
    declared = read_answers({"postpartum": yes(caesarean=True, date=ago(50)), "recent_surgery": small})
    assert declared["recent_surgery"].details == {
        "date": DAY - dt.timedelta(days=50),
        "minor": False,
        "complications": False,
        "site": ("left_foot",),
    }
    alone = {"postpartum": yes(caesarean=True, date=ago(50))}
    assert code({**alone, "recent_surgery": small}) == code(alone)
