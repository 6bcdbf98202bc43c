"""What is typed on the questionnaire's pages: read, kept, and shown again. Meaning is the rulebook's."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, Form, HiddenField, RadioField
from wtforms.validators import InputRequired, Optional, ValidationError

from clinic.rules.answers import Answers
from clinic.rules.body_areas import AREAS
from clinic.rules.conditions import Condition, Field
from clinic.rules.language import _
from clinic.rules.page_reading import NO_DATE, NO_DAY, asked_by, is_about, warnings_ticked
from clinic.rules.question_pages import Page, pages
from clinic.rules.questionnaire import PageResult, as_form, parse_page
from clinic.rules.words import day_words, months
from clinic.shared.fields import lines_field, text_field
from clinic.shared.languages import lazy

DATE_PARTS = ("day", "month", "year")
WEEKS_AGO = " weeks ago"
LONGEST_SIGNATURE = 60_000
SAY_WHEN = lazy(
    "Give at least the year, such as 2019. The month and the day help us, when you remember them."
)
MANY_OPEN = 2
ANSWER_ALL = lazy("Answer every question with yes, no or not sure, or tick “None of these”.")
ANSWER_EACH = lazy("Answer every question with yes, no or not sure.")
SAY_DAY = lazy("Give the day, the month and the year.")


def read_page(page: Page, form: MultiDict[str, str], *, today: dt.date) -> PageResult:
    """A posted page: "about when" is joined from its parts, the rest is read by the rulebook."""
    typed = {name: values[:80] for name, values in form.lists()}
    for name in _date_names(page):
        parts = [typed.pop(f"{name}.{part}", [""])[0].strip()[:12] for part in DATE_PARTS]
        weeks = typed.pop(f"{name}.weeks", [""])[0].strip()[:12]
        said = [_joined(*parts)] if any(parts) else []
        said += [f"{weeks}{WEEKS_AGO}"] if weeks else []
        if said:
            typed[name] = [" or ".join(said)]
    result = parse_page(page, typed, today=today)
    says = {NO_DATE: SAY_WHEN, NO_DAY: SAY_DAY}
    return replace(result, errors={name: says.get(text, text) for name, text in result.errors.items()})


def _date_names(page: Page) -> list[str]:
    return [
        f"f.{one.key}.{field.name}" for one in page.conditions for field in one.fields if field.type == "date"
    ]


def _joined(day: str, month: str, year: str) -> str:
    """2026-03-16, 2026-03 or 2026; what is left out in between stays visible as a gap, which is no date."""
    if day:
        return f"{year}-{month or '?'}-{day}"
    return f"{year}-{month}" if month else year


def date_parts(text: str) -> dict[str, str]:
    """The parts of such a text, to show them again."""
    date, _or, weeks = text.rpartition(" or ") if " or " in text else ("", "", text)
    if not weeks.endswith(WEEKS_AGO):
        date, weeks = text, ""
    year, month, day = (*date.split("-"), "", "")[:3]
    return {
        "day": day.lstrip("0"),
        "month": month.replace("?", "").lstrip("0"),
        "year": year,
        "weeks": weeks.removesuffix(WEEKS_AGO),
    }


def declared_stop(result: PageResult) -> dict[str, dict[str, object]]:
    """The answers of a page, with warning signs that were ticked although their follow-ups are missing.

    Nobody with a warning sign is sent back to fill in a detail: what is missing is judged strictly.
    """
    return {**warnings_ticked(result.typed), **result.answers}


def typed_of(
    page: Page, answers: Answers, half: Mapping[str, list[str]] | None = None
) -> dict[str, list[str]]:
    """Stored answers as this page shows them, with what was typed by `half` under questions without one."""
    asked = {one.key for one in page.conditions}
    return {
        **as_form(page, answers),
        **{name: values for name, values in (half or {}).items() if asked_by(name) in asked},
    }


@dataclass(frozen=True)
class Told:
    """One thing that somebody declared, for a summary: `page` is its page's number, `details` are its follow-up
    questions with what was answered, in the reader's language. `has_day`: one of them is a
    day for which a month, a year or weeks will do; it is the last that it may have been."""

    label: str
    details: tuple[tuple[str, str], ...]
    not_sure: bool
    page: int
    has_day: bool


def told(answers: Answers) -> list[Told]:
    """What was answered with yes or not sure, in the order of the questions."""
    return [
        Told(
            one.label,
            _details(one, answers[one.key]),
            bool(answers[one.key].get("not_sure")),
            number,
            has_day=any(answers[one.key].get(field.name) for field in one.fields if is_about(field)),
        )
        for number, page in enumerate(pages("intake"), start=1)
        for one in page.conditions
        if answers.get(one.key, {}).get("present")
    ]


def _details(condition: Condition, answer: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (_asked(field), _said(field, answer[field.name]))
        for field in condition.fields
        if answer.get(field.name) not in (None, "", [])
    )


def _asked(field: Field) -> str:
    """The question alone: how to answer it ("Leave empty for today.") says nothing beside the answer."""
    question, mark, _how = _(field.question).partition("?")
    return question + mark


def _said(field: Field, value: object) -> str:
    if field.type == "yes_no":
        return _("Yes") if value else _("No")
    if field.type == "choice":
        words = dict(field.choices).get(str(value))
        return _(words) if words else str(value)
    if field.type == "area" and isinstance(value, list | tuple):
        return ", ".join(_(AREAS[one]) for one in value if one in AREAS)
    if field.type == "date":
        return day_words(dt.date.fromisoformat(str(value)))
    return str(value)


def month_choices() -> list[tuple[str, str]]:
    """The months by their numbers, after nothing chosen."""
    return [("", _("Month")), *((str(number), name) for number, name in enumerate(months(), start=1))]


AREA_GROUPS: list[tuple[str, list[tuple[str, str]]]] = [
    (lazy("Whole body"), [("full_body", lazy("Whole body, or many places"))]),
    (lazy("Head and neck"), [(key, AREAS[key]) for key in ("head", "face", "neck")]),
    (lazy("Back"), [(key, AREAS[key]) for key in ("upper_back", "mid_back", "lower_back", "buttocks")]),
    (lazy("Front"), [(key, AREAS[key]) for key in ("chest", "abdomen", "groin")]),
    *(
        (title, [
            (f"{side}_{part}", AREAS[f"{side}_{part}"])
            for part in ("shoulder", "upper_arm", "elbow", "forearm", "wrist", "hand",
                         "hip", "thigh", "knee", "lower_leg", "ankle", "foot")
        ])
        for side, title in (("left", lazy("Left side")), ("right", lazy("Right side")))
    ),
]  # fmt: skip


SIGNED_WITH = ("treatment", "privacy", "name", "points", "guardian_relation", "young_person")


class SignForm(Form):
    """The consents, one by one, and a typed or drawn name."""

    treatment = BooleanField(
        lazy("I agree to the treatment as it was described, and I know that I can stop it at any time."),
        [InputRequired(lazy("Tick this to agree to the treatment. Without it we may not treat."))],
    )
    privacy = BooleanField(
        lazy("I agree that the clinic keeps these health answers, so that my treatment is safe."),
        [InputRequired(lazy("Tick this to agree that we keep the answers. Without them we may not treat."))],
    )
    name = text_field(lazy("Full name of the person who signs"), longest=120, autocomplete="name")
    points = HiddenField()

    def validate_points(self, field: Any) -> None:
        """A drawing that is none is left out; one without a name asks for the name."""
        if self.drawn() is None and not self.name.data:
            self.name.errors = [*self.name.errors, _("Type the full name to sign, or draw it below.")]
            raise ValidationError("")

    def drawn(self) -> list[Any] | None:
        """The strokes of the drawn signature as lists of [x, y]; None when there is none or it is not one."""
        text = self.points.data or ""
        if not text or len(text) > LONGEST_SIGNATURE:
            return None
        try:
            kept = json.loads(text)
            size = [float(kept["width"]), float(kept["height"])]
            strokes = [[[float(x), float(y)] for x, y in stroke] for stroke in kept["strokes"]]
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return None
        if not all(
            map(math.isfinite, [*size, *(value for line in strokes for point in line for value in point)])
        ):
            return None
        return [size, *strokes] if any(strokes) else None


def error_list(page: Page, errors: Mapping[str, str], all_open: str = ANSWER_ALL) -> list[tuple[str, str]]:
    """The messages in the order of the page, each with the id of the control to go to, in the words of the question:
    the name of what is asked about is one that the person never used.

    Where most of the page is still open, one sentence (`all_open`) says more than a message for each question.
    """
    still_open = [one for one in page.conditions if f"c.{one.key}" in errors]
    if len(still_open) > MANY_OPEN and len(still_open) == len(errors):
        return [(f"c.{still_open[0].key}-0", all_open)]
    found = [(f"none.{page.key}", _(errors[f"none.{page.key}"]))] if f"none.{page.key}" in errors else []
    for one in page.conditions:
        if f"c.{one.key}" in errors:
            found.append((f"c.{one.key}-0", f"{_(one.question)} {_(errors[f'c.{one.key}'])}"))
        for field in one.fields:
            name = f"f.{one.key}.{field.name}"
            if name in errors:
                said = f"{_(one.question)} {_(field.question)} {_(errors[name])}"
                found.append((_first_control(name, field), said))
    return found


def _first_control(name: str, field: Field) -> str:
    if field.type == "date":
        return f"{name}.day"
    return f"{name}-0" if field.type in ("yes_no", "choice", "area") else name


class EndStopForm(Form):
    """How a warning sign ended: somebody assessed it, or it was entered by mistake."""

    ending = RadioField(
        lazy("How did this end?"),
        choices={
            "assessed": lazy("Somebody qualified assessed it"),
            "entered_in_error": lazy("It was entered in error"),
        },
        validators=[InputRequired(lazy("Choose how this ended."))],
    )
    assessed_by = text_field(
        lazy("Assessed by"),
        longest=120,
        help_text=lazy("Name and profession, for example “Dr Lee, family doctor”."),
    )
    assessed_on = DateField(lazy("Assessed on"), validators=[Optional()])
    reason = lines_field(
        lazy("What was found, or why it was an error"),
        longest=1500,
        rows=3,
        required=lazy("Write this in a few words."),
    )

    def check_day(self, raised_on: dt.date, today: dt.date) -> bool:
        """Whether an assessment is named with a day that can be right; else the errors stand at the fields."""
        if self.ending.data != "assessed":
            return True
        if not self.assessed_by.data:
            self.assessed_by.errors = [_("Write who assessed it.")]
        if self.assessed_on.data is None:
            self.assessed_on.errors = [_("Enter the day of the assessment.")]
        elif self.assessed_on.data > today:
            self.assessed_on.errors = [_("This day lies in the future.")]
        elif self.assessed_on.data < raised_on:
            self.assessed_on.errors = [_("This day lies before the warning sign was declared.")]
        return not (self.assessed_by.errors or self.assessed_on.errors)

    def note(self) -> str:
        """The record, in one text."""
        if self.ending.data != "assessed" or self.assessed_on.data is None:
            return f"Entered in error: {self.reason.data}"
        return (
            f"Assessed by {self.assessed_by.data} on {self.assessed_on.data.isoformat()}. {self.reason.data}"
        )


class SoftenedForm(Form):
    """Whether answers that take something back may stand alone."""

    decision = RadioField(
        lazy("What holds from now on?"),
        choices={"accept": lazy("The new answers alone"), "keep": lazy("The earlier answers count too")},
        validators=[InputRequired(lazy("Choose what holds from now on."))],
    )
    note = lines_field(
        lazy("Why"), longest=1500, rows=3, required=lazy("Write in a few words why."),
        help_text=lazy("For example: asked on the phone, the doctor has stopped the medicine."),
    )  # fmt: skip


class OpeningForm(Form):
    """Why somebody opens answers that are closed to them."""

    reason = lines_field(
        lazy("Why can it not wait?"),
        longest=500,
        rows=3,
        required=lazy("Write in a few words why it cannot wait."),
        help_text=lazy("The owners read this. Name no illness."),
    )
