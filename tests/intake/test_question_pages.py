"""What is typed on the questionnaire's pages, and what becomes of it."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from werkzeug.datastructures import MultiDict

from clinic.intake import forms
from clinic.rules.page_reading import BOTH_WAYS, NO_MONTH, NO_SUCH_DAY, NO_WEEKS, TOO_OLD
from clinic.rules.question_pages import Page, pages

TODAY = dt.date(2026, 6, 9)


def page(key: str) -> Page:
    return next(one for one in pages("intake") if one.key == key)


def typed(key: str, **values: str | list[str]) -> MultiDict[str, str]:
    """A page answered with "no" but for VALUES; names are written with __ for a dot."""
    form: MultiDict[str, str] = MultiDict((f"c.{one.key}", "no") for one in page(key).conditions)
    for name, value in values.items():
        form.setlist(name.replace("__", "."), value if isinstance(value, list) else [value])
    return form


@pytest.mark.parametrize(
    ("parts", "stored"),
    [
        (("16", "3", "2026"), "2026-03-16"),
        (("", "3", "2026"), "2026-03-31"),
        (("", "", "2025"), "2025-12-31"),
        (("", "6", "2026"), "2026-06-09"),
    ],
)
def test_about_when_is_read_from_as_much_as_was_given(parts: tuple[str, str, str], stored: str) -> None:
    day, month, year = parts
    form = typed("bones", c__fracture="yes", f__fracture__site="left_foot")
    form |= {"f.fracture.date.day": day, "f.fracture.date.month": month, "f.fracture.date.year": year}
    result = forms.read_page(page("bones"), form, today=TODAY)
    assert result.errors == {}
    assert result.answers["fracture"]["date"] == stored


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (("16", "", "2026"), NO_MONTH),
        (("", "3", ""), forms.SAY_WHEN),
        (("x", "y", "z"), forms.SAY_WHEN),
        (("", "", "26"), forms.SAY_WHEN),
        (("31", "2", "2026"), NO_SUCH_DAY),
        (("1", "13", "2025"), NO_SUCH_DAY),
    ],
)
def test_a_date_that_is_none_is_said_at_its_field_and_kept(
    parts: tuple[str, str, str], sentence: str
) -> None:
    day, month, year = parts
    form = typed("bones", c__fracture="yes", f__fracture__site="left_foot")
    form |= {"f.fracture.date.day": day, "f.fracture.date.month": month, "f.fracture.date.year": year}
    result = forms.read_page(page("bones"), form, today=TODAY)
    assert result.errors["f.fracture.date"] == sentence
    assert "fracture" not in result.answers
    shown = forms.date_parts(result.typed["f.fracture.date"][0])
    assert shown == {"day": day, "month": month, "year": year, "weeks": ""}


@pytest.mark.parametrize(
    ("weeks", "stored"),
    [("6", "2026-05-05"), ("1", "2026-06-09"), ("0", "2026-06-09"), (" 12 ", "2026-03-24")],
)
def test_about_so_many_weeks_ago_counts_as_a_week_less(weeks: str, stored: str) -> None:
    form = typed("bones", c__fracture="yes", f__fracture__site="left_foot")
    form["f.fracture.date.weeks"] = weeks
    result = forms.read_page(page("bones"), form, today=TODAY)
    assert result.errors == {}
    assert result.answers["fracture"]["date"] == stored


@pytest.mark.parametrize(
    ("weeks", "year", "sentence"),
    [
        ("six", "", NO_WEEKS),
        ("-3", "", NO_WEEKS),
        ("2.5", "", NO_WEEKS),
        ("521", "", TOO_OLD),
        ("6", "2025", BOTH_WAYS),
    ],
)
def test_weeks_that_are_none_or_stand_beside_a_date_are_said_and_kept(
    weeks: str, year: str, sentence: str
) -> None:
    form = typed("bones", c__fracture="yes", f__fracture__site="left_foot")
    form |= {"f.fracture.date.weeks": weeks, "f.fracture.date.year": year}
    result = forms.read_page(page("bones"), form, today=TODAY)
    assert result.errors["f.fracture.date"] == sentence
    shown = forms.date_parts(result.typed["f.fracture.date"][0])
    assert (shown["weeks"], shown["year"]) == (weeks, year)


def test_the_day_of_the_weeks_of_a_pregnancy_is_never_about() -> None:
    form = typed("pregnancy", c__pregnancy="yes", f__pregnancy__weeks="20")
    form["f.pregnancy.weeks_as_of.weeks"] = "3"
    result = forms.read_page(page("pregnancy"), form, today=TODAY)
    assert result.errors["f.pregnancy.weeks_as_of"] == forms.SAY_DAY


@pytest.mark.parametrize("hours", [[], ["soon"]])
def test_a_warning_sign_counts_whatever_its_follow_ups_say(hours: list[str]) -> None:
    form = typed("urgent_soon", c__fever="yes", f__fever__fever_free_hours=hours)
    result = forms.read_page(page("urgent_soon"), form, today=TODAY)
    assert forms.declared_stop(result)["fever"] == {"present": True}


def test_a_page_left_open_says_so_once_and_a_single_gap_says_where() -> None:
    blood = page("blood")
    empty = forms.read_page(blood, MultiDict(), today=TODAY)
    assert forms.error_list(blood, empty.errors) == [(f"c.{blood.conditions[0].key}-0", forms.ANSWER_ALL)]
    form = typed("blood")
    form.pop("c.anaemia")
    result = forms.read_page(blood, form, today=TODAY)
    ((target, text),) = forms.error_list(blood, result.errors)
    anaemia = next(one for one in blood.conditions if one.key == "anaemia")
    assert (target, text.startswith(anaemia.question)) == ("c.anaemia-0", True), (
        "in the words of the question"
    )


def test_a_follow_up_left_open_is_said_in_the_words_of_the_questions() -> None:
    clots = next(one for one in pages("intake") if any(c.key == "blood_clot" for c in one.conditions))
    asked = next(one for one in clots.conditions if one.key == "blood_clot")
    result = forms.read_page(clots, typed(clots.key, c__blood_clot="yes"), today=TODAY)
    said = [
        text for target, text in forms.error_list(clots, result.errors) if target.startswith("f.blood_clot")
    ]
    assert said
    for text in said:
        assert text.startswith(asked.question)
        assert asked.label not in text


def test_what_was_told_is_shown_in_words_with_the_number_of_its_page() -> None:
    answers: dict[str, dict[str, object]] = {
        "fracture": {"present": True, "date": "2026-03-16", "site": ["left_foot"]},
        "epilepsy": {"present": True, "not_sure": True},
        "diabetes": {"present": False},
        "pregnancy": {"present": True, "weeks": 20, "weeks_as_of": "2026-06-09"},
    }
    told = forms.told(answers)
    assert [one.not_sure for one in told] == [False, True, False]
    assert [one.has_day for one in told] == [True, False, False]
    assert [answer for _question, answer in told[0].details] == ["Monday 16 March 2026", "Left foot"]
    assert [pages("intake")[one.page - 1].key for one in told] == ["bones", "nerves", "pregnancy"]
    assert [question for question, _answer in told[2].details] == [
        "How many full weeks?",
        "On which day was that?",
    ]


def test_what_was_told_is_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_", lambda text: f"<{text}>")
    told = forms.told({"blood_thinners": {"present": True, "med_class": "anticoagulant", "bruising": True}})
    questions, answers = zip(*told[0].details, strict=True)
    assert all(one.startswith("<") for one in questions), questions
    assert all(one.startswith("<") for one in answers), answers


@pytest.mark.parametrize(
    "points",
    [
        "",
        "nonsense",
        "[]",
        json.dumps({"width": 600, "height": 170, "strokes": []}),
        json.dumps({"width": 600, "height": 170, "strokes": [[["a", 1]]]}),
        json.dumps({"width": 600, "height": 170, "strokes": [[[1, 2]] * 20_000]}),
        '{"width": 600, "height": 170, "strokes": [[[1, NaN]]]}',
        '{"width": 1e999, "height": 170, "strokes": [[[1, 2]]]}',
        "[" * 50_000,
    ],
)
def test_what_is_no_drawing_needs_a_typed_name(points: str) -> None:
    form = forms.SignForm(MultiDict({"treatment": "y", "privacy": "y", "points": points}))
    assert not form.validate()
    assert form.drawn() is None
    assert form.name.errors
    assert forms.SignForm(
        MultiDict({"treatment": "y", "privacy": "y", "points": points, "name": "Nora"})
    ).validate()


def test_a_drawn_signature_is_enough() -> None:
    points = json.dumps({"width": 600, "height": 170, "strokes": [[[1, 2], [3, 4]]]})
    form = forms.SignForm(MultiDict({"treatment": "y", "privacy": "y", "points": points}))
    assert form.validate()
    assert form.drawn() == [[600.0, 170.0], [[1.0, 2.0], [3.0, 4.0]]]


@pytest.mark.parametrize("left_out", ["treatment", "privacy"])
def test_each_consent_is_asked_for_by_itself(left_out: str) -> None:
    values = {"treatment": "y", "privacy": "y", "name": "Nora"}
    values.pop(left_out)
    form = forms.SignForm(MultiDict(values))
    assert not form.validate()
    assert list(form.errors) == [left_out]
