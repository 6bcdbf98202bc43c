"""The check-in of the day: what it asks, and that it only ever adds to what was told."""

from __future__ import annotations

import pytest

from clinic.rules import check_in
from clinic.rules.answer_history import Answers
from clinic.rules.question_pages import Page
from clinic.rules.questionnaire import pages
from clinic.rules.rule_table import TABLE

NO = {"present": False}


def test_every_question_of_the_day_is_opened_by_a_topic() -> None:
    asked = {one.key for page in pages("checkin") for one in page.conditions}
    opened = {key for topic in check_in.TOPICS for key in topic.asks}
    assert asked <= opened
    assert opened <= set(TABLE.conditions)


@pytest.mark.parametrize(
    "condition",
    [
        "rf_chest_pain_breathless", "fever", "contagious_illness", "skin_infection", "acute_injury",
        "blood_thinners", "pregnancy", "alcohol_drugs_today",
    ],
)  # fmt: skip
def test_what_the_clinics_table_asks_on_the_day_is_there(condition: str) -> None:
    assert [topic.key for topic in check_in.TOPICS if condition in topic.asks] != []


def test_what_is_bigger_asks_for_a_whole_new_form() -> None:
    assert [topic.key for topic in check_in.TOPICS if topic.renewal] == ["8", "9"]
    assert all(topic.asks or topic.renewal for topic in check_in.TOPICS)


def test_topics_come_in_order_and_unknown_ones_are_left_out() -> None:
    assert [one.key for one in check_in.topics(["7", "2", "99", "2"])] == ["2", "7"]


def test_the_page_of_the_day_has_a_title_and_is_calm() -> None:
    page = check_in.page_of(check_in.topics(["7"]))
    assert page == Page(
        "today", "About what has changed", "", False, (TABLE.conditions["alcohol_drugs_today"],)
    )


def test_a_page_asks_each_question_once() -> None:
    page = check_in.page_of(check_in.topics(["1", "6"]))
    keys = [one.key for one in page.conditions]
    assert keys.count("rf_pregnancy_warning") == 1
    assert keys[-1] == "pregnancy"
    assert check_in.page_of(check_in.topics(["8"])).conditions == ()


def test_nothing_changed_says_no_only_where_nothing_was_declared() -> None:
    before: Answers = {"skin_infection": {"present": True, "type": "warts"}, "fever": NO}
    said = check_in.nothing_changed(before)
    assert "skin_infection" not in said
    assert said["fever"] == NO
    assert said["alcohol_drugs_today"] == NO
    asked = {one.key for page in pages("checkin") for one in page.conditions} | set(check_in.SLOW_SIGNS)
    assert set(said) == asked - {"skin_infection"}


def test_laid_over_a_no_takes_nothing_back_but_what_passes() -> None:
    before: Answers = {
        "pregnancy": {"present": True, "status": "confirmed", "weeks": 20},
        "fever": {"present": True},
        "diabetes": {"present": True, "status": "controlled"},
        "acute_injury": NO,
    }
    injury = {"present": True, "site": ["left_knee"]}
    together = check_in.laid_over(
        before, {"pregnancy": NO, "fever": NO, "acute_injury": injury, "lump_or_mole": NO}
    )
    assert together == {**before, "fever": NO, "acute_injury": injury, "lump_or_mole": NO}
    assert before["fever"] == {"present": True}  # what was told before is not touched


def test_laid_over_new_details_take_the_place_of_old_ones() -> None:
    before = {"blood_thinners": {"present": True, "med_class": "antiplatelet"}}
    new = {"blood_thinners": {"present": True, "med_class": "anticoagulant"}}
    assert check_in.laid_over(before, new) == new


def test_every_warning_sign_is_asked_and_denied_by_nothing_has_changed() -> None:
    signs = {key for key in TABLE.conditions if key.startswith("rf_")}
    shown = {key for topic in check_in.TOPICS for key in topic.asks}
    assert signs <= shown
    assert signs <= set(check_in.nothing_changed({}))
