"""Answers beside earlier answers: what changed, what was weakened, what two people's answers make together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

Answer = Mapping[str, object]
Answers = Mapping[str, Answer]

PASSING = frozenset({"fever", "contagious_illness", "alcohol_drugs_today"})
"""What is about today and simply goes away: taking it back on a later day is no weakening."""

MARKS = frozenset({"chart_pain", "chart_avoid"})
"""What is marked on the body chart: where it hurts and what somebody wishes may change at any time."""

_NOT_DETAIL = frozenset({"changed_on"})


def plain(answer: Answer | None) -> dict[str, object]:
    """An answer without the day of its change; "no" and never asked are both empty."""
    if answer is None or not answer.get("present"):
        return {}
    return {name: value for name, value in answer.items() if name not in _NOT_DETAIL}


def differ(one: Answers, other: Answers) -> bool:
    """Whether two people's (or versions') answers say something different about any condition."""
    return any(plain(one.get(key)) != plain(other.get(key)) for key in {*one, *other})


def more_than(signed: Answers, typed: Answers) -> dict[str, Answer]:
    """Of what was typed, the answers that declare something that was not signed so: a condition, a mark, a detail.

    What it takes back is no more: until that is signed, the signed answers judge, and they are the stricter.
    """
    return {key: one for key, one in typed.items() if plain(one) not in ({}, plain(signed.get(key)))}


def both_waiting(waits: Answers, more: Answers) -> dict[str, Answer]:
    """Two people's (or pages') unsigned answers as one: all that either declares. Where they describe one condition
    differently whoever signs is asked again, as not sure; of the body chart both marks stay."""
    twice = waits.keys() & more.keys()
    together: dict[str, Answer] = {
        **waits,
        **more,
        **united({key: one[key] for key in twice} for one in (waits, more)),
    }
    for key in twice & MARKS:
        together[key] = {"present": True, "site": sorted({*_sites(waits[key]), *_sites(more[key])})}
    return together


def _sites(mark: Answer) -> Iterable[str]:
    found = mark.get("site")
    return found if isinstance(found, list) else ()


def with_marks(answers: Answers, before: Answers | None) -> Answers:
    """The answers, with the marks of the body chart that were not asked about this time: a wish goes on until the
    person says otherwise."""
    return {**{key: answer for key, answer in (before or {}).items() if key in MARKS}, **answers}


def with_changes_dated(
    answers: Answers, before: Answers | None, today: dt.date
) -> dict[str, dict[str, object]]:
    """The answers with `changed_on` where they differ from the version before; older dates are carried on."""
    dated: dict[str, dict[str, object]] = {}
    for key, answer in answers.items():
        new = {name: value for name, value in answer.items() if name not in _NOT_DETAIL}
        old = (before or {}).get(key)
        if before is not None and plain(answer) != plain(old):
            new["changed_on"] = today.isoformat()
        elif old is not None and "changed_on" in old:
            new["changed_on"] = old["changed_on"]
        dated[key] = new
    return dated


def softens(answers: Answers, before: Answers, *, given_on: dt.date, today: dt.date) -> bool:
    """Whether something declared before is gone or said differently now.

    Saying more (a new condition) is no weakening. A changed detail is treated as one, since only a person can
    tell a correction from an answer given to pass; what passes by itself may go on a later day.
    """
    for key, old in before.items():
        was, now_is = plain(old), plain(answers.get(key))
        if not was or was == now_is:
            continue
        if key in MARKS or (key in PASSING and today > given_on):
            continue
        return True
    return False


def needs_review(rule: str) -> bool:
    """Whether a stop by this rule ends only when somebody with clinical review has looked at it: all but what passes
    by itself, so that nobody answers a row's urgent form away with "no" on the next day."""
    return rule not in PASSING


def beside_the_sign(answers: Answers, *, passes: bool) -> dict[str, Answer]:
    """What was told at a warning sign besides what the stop itself holds: the signs, and what passes by itself where
    the stop does. An urgent form of a row stays, since the row goes on when the urgency is over."""
    return {
        key: answer
        for key, answer in answers.items()
        if not key.startswith("rf_") and not (passes and key in PASSING)
    }


def united(sources: Iterable[Answers]) -> dict[str, dict[str, object]]:
    """Everything that any of the sources declares; where two describe one condition differently its details
    count as not sure, which is judged by the strictest reading."""
    together: dict[str, dict[str, object]] = {}
    for answers in sources:
        for key, answer in answers.items():
            mine, theirs = plain(together.get(key)), plain(answer)
            if not theirs:
                together.setdefault(key, {"present": False})
            elif not mine:
                together[key] = dict(answer)
            elif mine != theirs:
                together[key] = {"present": True, "not_sure": True}
    return together
