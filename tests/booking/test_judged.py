"""What the gate makes of its judgements, edge by edge; the doors themselves are in test_gate.py and its siblings."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from clinic.booking.queries.look_alikes import Alike
from clinic.booking.services import _judging
from clinic.booking.services._judging import Judged
from clinic.clients.models import Client
from clinic.rules import answer_history, therapists_say
from clinic.rules.rule_table import TABLE
from clinic.rules.screening import Screening
from clinic.rules.verdicts import ADDONS, Outcome, Urgency, Verdict

DAY = dt.date(2026, 6, 9)
NO, YES = {"fever": {"present": False}}, {"fever": {"present": True}}


def said(outcome: Outcome, verdict: Verdict = Verdict.CLEAR, *off: str) -> Screening:
    """A judgement with this outcome, by which these add-ons may not be given."""
    return Screening(
        day=DAY, verdict=verdict, urgency=Urgency.NONE, outcome=outcome,
        addon_verdicts=dict.fromkeys(off, Verdict.BLOCK), findings=(), gates=(), rules_version="1",
    )  # fmt: skip


def judged(outcome: Outcome, *, review: bool = False, stopped: bool = False) -> Judged:
    own = said(outcome)
    return Judged(own, own, review, stopped, TABLE)


FINE, MINDED, WAITS = (
    said(Outcome.ALLOW),
    said(Outcome.ALLOW_FLAG_THERAPIST),
    said(Outcome.HOLD_UNTIL_CLEARANCE),
)

OFF = said(Outcome.ALLOW, Verdict.CLEAR, "cupping")


@pytest.mark.parametrize(
    ("outcome", "permits", "refuses", "waits"),
    [
        (Outcome.ALLOW, True, False, None),
        (Outcome.ALLOW_FLAG_THERAPIST, True, False, None),
        (Outcome.HOLD_UNTIL_CLEARANCE, False, False, "clearance"),
        (Outcome.NEEDS_GUARDIAN_CONSENT, False, False, "consent"),
        (Outcome.NEEDS_INTAKE, False, False, "intake"),
        (Outcome.REFUSE, False, True, None),
        (Outcome.REFUSE_URGENT, False, True, None),
    ],
)
def test_what_an_outcome_means(outcome: Outcome, permits: bool, refuses: bool, waits: str | None) -> None:
    one = judged(outcome)
    assert (one.outcome, one.permits, one.refuses, one.waiting_for) == (outcome, permits, refuses, waits)
    stopped = judged(outcome, stopped=True)
    assert stopped.outcome == max(Outcome.REFUSE, outcome), "a stop refuses, and hides nothing that is urgent"
    assert (stopped.permits, stopped.refuses, stopped.waiting_for) == (False, True, None)
    looked_at = judged(outcome, review=True)
    assert not looked_at.permits
    assert looked_at.waiting_for == ("review" if permits else waits)


@pytest.mark.parametrize(
    ("stopped", "own", "strictest", "verdict"),
    [
        (False, Verdict.CAUTION, Verdict.CLEAR, Verdict.CAUTION),
        (False, Verdict.CLEAR, Verdict.CLEARANCE, Verdict.CLEARANCE),
        (True, Verdict.CLEAR, Verdict.CLEAR, Verdict.BLOCK),
    ],
)
def test_the_verdict_on_record_is_the_strictest(
    stopped: bool, own: Verdict, strictest: Verdict, verdict: Verdict
) -> None:
    one = Judged(said(Outcome.ALLOW, own), said(Outcome.ALLOW, strictest), False, stopped, TABLE)
    assert _judging._verdict(one) is verdict


def test_a_talk_that_a_therapist_asked_for_is_waited_for_as_such() -> None:
    asked: Any = SimpleNamespace(verdict=Verdict.CLEARANCE, reason="Ask me first")
    own = replace(
        said(Outcome.HOLD_UNTIL_CLEARANCE, Verdict.CLEARANCE),
        findings=(therapists_say._finding(asked, "swedish"),),
    )
    assert Judged(own, own, False, False, TABLE).waiting_for == therapists_say.RULE


@pytest.mark.parametrize(("mode", "judged_in"), [("interval", "interval"), ("steady", None), (None, None)])
def test_what_is_judged_of_an_order(mode: str | None, judged_in: str | None) -> None:
    plan: Any = SimpleNamespace(
        judged_as=("decompression_vacuum",), mode=mode, addon_columns=ADDONS[:1], minutes=45
    )
    treatment = _judging._treatment(_judging.Order(plan, ("back",), DAY))
    assert (treatment.mode, treatment.judged_as, treatment.addons, treatment.areas, treatment.minutes) == (
        judged_in, plan.judged_as, ADDONS[:1], ("back",), 45,
    )  # fmt: skip


def looks(
    by: int | None,
    *theirs: Screening,
    newest: Any = NO,
    other: Any = (NO,),
    own: Screening = FINE,
    **alike: Any,
) -> bool:
    """Whether the desk has to look, at a record made by BY, whose look-alike would be judged like THEIRS."""
    sources: Any = tuple(SimpleNamespace(answers=one) for one in other)
    found = Alike(sources=sources, **alike)
    return _judging._needs_a_look(Client(created_by_id=by), found, own, theirs, newest)


@pytest.mark.parametrize("by", [None, 7])
def test_whoever_may_be_a_known_person_is_looked_at(by: int | None) -> None:
    is_unseen = by is None
    assert looks(by, FINE) is False
    assert looks(by, FINE, stops=("a warning sign",)) is True
    assert looks(by, FINE, is_barred=True) is True
    assert looks(by, FINE, WAITS) is True, "one of them is enough"
    assert looks(by, WAITS, FINE) is True
    assert looks(by, WAITS, own=WAITS) is False, "no stricter than their own"
    assert looks(by, OFF, FINE) is True
    assert looks(by, OFF, own=OFF) is False
    assert looks(by, MINDED) is is_unseen, "the others would be let in: whom the desk has seen need not wait"
    assert looks(by, FINE, other=(NO, YES)) is is_unseen
    assert looks(by, FINE, newest=None, other=(YES,)) is False, "nothing was said that could differ"


def test_an_intake_of_the_evening_counts_at_a_place_further_west() -> None:
    def completed(*days: dt.date, unsigned: bool = False) -> Any:
        signed = [SimpleNamespace(completed_on=day) for day in days]
        return SimpleNamespace(sources=signed, unsigned=unsigned)

    after, before = DAY + dt.timedelta(days=1), DAY - dt.timedelta(days=1)
    assert _judging._completed_on(completed(after, before), DAY) == DAY
    assert _judging._completed_on(completed(before, after), DAY) == before
    assert _judging._completed_on(completed(), DAY) is None
    assert _judging._completed_on(completed(DAY, unsigned=True), DAY) is None


def test_a_judgement_is_of_one_order_alone() -> None:
    """What is named in another order is the same; whatever else differs is another order."""
    plan: Any = SimpleNamespace(key="swedish", mode=None, addons=["a", "b"], minutes=60)
    order = _judging.Order(plan, ("back", "neck"), DAY)
    other_way: Any = SimpleNamespace(key="swedish", mode=None, addons=["b", "a"], minutes=60)
    key = _judging.judged_key(1, order)
    assert key == _judging.judged_key(1, _judging.Order(other_way, ("neck", "back"), DAY))
    others = [
        replace(order, areas=("back",)), replace(order, day=DAY + dt.timedelta(days=1)),
        *(
            _judging.Order(type(plan)(**{**vars(plan), **change}), order.areas, order.day)
            for change in ({"key": "sports"}, {"mode": "interval"}, {"addons": ["a"]}, {"minutes": 90})
        ),
    ]  # fmt: skip
    assert len({key, _judging.judged_key(2, order), *(_judging.judged_key(1, one) for one in others)}) == 8


@pytest.mark.parametrize("is_looked_at", [False, True])
@pytest.mark.parametrize(("of", "strict"), [(2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3)])
def test_every_version_of_the_answers_counts_alone_and_with_the_others(
    monkeypatch: pytest.MonkeyPatch, of: int, strict: int, *, is_looked_at: bool
) -> None:
    """The newest is what the person is shown. Whatever is stricter waits for a look, or holds where there was one."""
    versions: list[answer_history.Answers] = [
        {"fever": {"present": False}, "flu": {"present": one == 1, "days": one}} for one in range(of)
    ]
    seen: list[Any] = []

    def screen(_table: object, _known: object, _order: object, answers: object) -> Screening:
        seen.append(answers)
        return WAITS if len(seen) == strict + 1 else FINE

    monkeypatch.setattr(_judging, "_screen", screen)
    sources = tuple(SimpleNamespace(answers=one, earlier_kept=False) for one in versions)
    sources[0].earlier_kept = is_looked_at
    known: Any = SimpleNamespace(
        client=Client(is_unproven=False),
        sources=sources,
        alike=Alike(),
        restrictions=(),
        stops=(),
        letters=(),
    )
    order = _judging.Order(SimpleNamespace(judged_as=("swedish",)), (), DAY)  # type: ignore[arg-type]
    found = _judging.weigh_by(TABLE, known, order)
    assert seen == [*versions, answer_history.united(versions)]
    assert found.strictest == WAITS
    holds = strict == 0 or is_looked_at
    assert (found.own, found.review) == ((WAITS, False) if holds else (FINE, True))


@pytest.mark.parametrize(("own", "waits"), [((), False), ((NO,), True), ((YES,), False)])
def test_who_has_said_nothing_yet_differs_from_nobody(
    monkeypatch: pytest.MonkeyPatch, own: tuple[Any, ...], *, waits: bool
) -> None:
    monkeypatch.setattr(_judging, "_screen", lambda *_given: FINE)
    known: Any = SimpleNamespace(
        client=Client(is_unproven=True), restrictions=(), stops=(), letters=(),
        sources=tuple(SimpleNamespace(answers=one, earlier_kept=False) for one in own),
        alike=Alike(sources=(SimpleNamespace(answers=YES),)),  # type: ignore[arg-type]
    )  # fmt: skip
    order = _judging.Order(SimpleNamespace(judged_as=("swedish",)), (), DAY)  # type: ignore[arg-type]
    found = _judging.weigh_by(TABLE, known, order)
    assert (found.review, found.told.review, found.others) == (waits, False, known.alike.sources)
