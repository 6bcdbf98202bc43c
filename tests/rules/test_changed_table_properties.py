"""Changed rules for every client, whatever they declare and whatever was changed: tried on invented ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clinic.rules.changed_table import (
    adjusted,
)
from clinic.rules.clearances import Clearance
from clinic.rules.rule_change import RuleChange
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import COLUMNS, Urgency, Verdict
from tests.rules.rule_changes import SINCE, code, judged, laxer, under
from tests.rules.test_screening_properties import ages, letters, many_answers, requests, services, some

KEYS = (*TABLE.conditions, *(one.key for one in TABLE.combinations))
columns = st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True).map(tuple)
stricter_changes = st.builds(
    RuleChange, rule=st.sampled_from(KEYS), columns=columns, verdict=st.sampled_from(list(Verdict)[1:]),
    since=st.just(SINCE), reason=st.just("careful"), only_if_found=st.booleans(),
)  # fmt: skip
laxer_changes = st.builds(
    lambda rule, columns, verdict: laxer(rule, verdict, *columns), st.sampled_from(KEYS), columns,
    st.sampled_from([Verdict.CAUTION, Verdict.CLEARANCE]),
)  # fmt: skip
any_changes = st.lists(stricter_changes | laxer_changes, max_size=4)


def about(answers: dict[str, Any], changes: list[RuleChange]) -> list[RuleChange]:
    """Half of the changes moved to what was declared, so that they act."""
    keys = list(answers)
    return [
        replace(one, rule=keys[i % len(keys)]) if keys and i % 2 == 0 else one
        for i, one in enumerate(changes)
    ]


@some
@given(
    many_answers,
    requests,
    ages,
    st.lists(letters, max_size=2),
    st.lists(stricter_changes, max_size=4),
    services,
)
def test_stricter_never_makes_anything_better(
    answers: dict[str, Any],
    areas: list[str],
    age: int,
    on_file: list[Clearance],
    changes: list[RuleChange],
    service: str,
) -> None:
    more = {"areas": tuple(areas), "age": age, "clearances": on_file}
    before, after = (
        judged(answers, table, service, **more) for table in (TABLE, under(*about(answers, changes)))
    )
    assert after.verdict >= before.verdict
    assert after.outcome >= before.outcome
    assert after.urgency == before.urgency


@some
@given(many_answers, requests, ages, st.lists(laxer_changes, max_size=4), services)
def test_less_strict_never_touches_what_is_urgent_or_combined_and_goes_one_step(
    answers: dict[str, Any], areas: list[str], age: int, changes: list[RuleChange], service: str
) -> None:
    more = {"areas": tuple(areas), "age": age}
    before, after = (
        judged(answers, table, service, **more) for table in (TABLE, under(*about(answers, changes)))
    )
    assert after.urgency == before.urgency
    found = {one.rule: one for one in after.findings}
    assert found.keys() == {one.rule for one in before.findings}
    for one in before.findings:
        now = found[one.rule]
        assert one.verdict - 1 <= now.verdict <= one.verdict
        assert now.verdict >= Verdict.CAUTION
        assert (now.changed is not None) == (now.verdict < one.verdict)
        if one.urgency is not Urgency.NONE or one.rule not in TABLE.conditions:
            assert now == one


@some
@given(many_answers, requests, any_changes, st.randoms())
def test_the_order_of_changes_means_nothing(
    answers: dict[str, Any], areas: list[str], changes: list[RuleChange], random: Any
) -> None:
    changes = about(answers, changes)
    other = list(changes)
    random.shuffle(other)
    assert code(answers, under(*changes), areas=tuple(areas)) == code(
        answers, under(*other), areas=tuple(areas)
    )
    assert under(*changes).version == under(*other).version


@some
@given(many_answers, requests, services)
def test_without_changes_nothing_differs(answers: dict[str, Any], areas: list[str], service: str) -> None:
    plain = judged(answers, TABLE, service, areas=tuple(areas))
    same = judged(answers, adjusted(TABLE, (), 3), service, areas=tuple(areas))
    assert replace(same, rules_version=plain.rules_version) == plain
