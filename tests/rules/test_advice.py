"""What else the gate can say: warning signs in full, and the first day that is possible."""

from __future__ import annotations

import datetime as dt

from clinic.rules.advice import RedFlag, earliest_day, red_flags_in
from clinic.rules.rule_table import TABLE
from clinic.rules.sheet import Treatment
from clinic.rules.verdicts import Urgency
from tests.rules.gate_cases import DAY, ago, yes

SWEDISH = Treatment(("swedish",))
BORN = dt.date(1986, 1, 1)


def test_warning_signs_say_what_they_are_and_why() -> None:
    fever, pain = TABLE.conditions["fever"], next(rule for rule in TABLE.combinations if rule.key == "I06")
    answers = {"recent_surgery": yes(date=ago(10)), "fever": yes(), "unexplained_pain": yes()}
    assert red_flags_in(answers, DAY) == (
        RedFlag("I06", pain.label, Urgency.EMERGENCY, pain.plain_reason),
        RedFlag("fever", fever.label, Urgency.SAME_DAY, fever.plain_reason),
    )


def test_a_year_is_looked_ahead_and_no_day_more() -> None:
    def first(event: str) -> dt.date | None:
        return earliest_day(SWEDISH, {"stroke_tia": yes(date=event)}, start=DAY, born_on=BORN)

    assert first(ago(0)) == DAY + dt.timedelta(days=365)
    assert first(ago(-1)) is None


def test_today_is_the_first_day_to_be_looked_at() -> None:
    assert earliest_day(SWEDISH, {}, start=DAY, born_on=BORN) == DAY
    turned_today = {"stroke_tia": yes(date=ago(365))}
    assert earliest_day(SWEDISH, turned_today, start=DAY, born_on=BORN) == DAY
