"""Reading one filled-in page of the questionnaire: typed text to answers, with a message at every field.

Form names: ``c.<condition>`` is ``yes``, ``no`` or ``not_sure``; ``none.<page>`` answers the whole page with
"no"; ``f.<condition>.<detail>`` is a detail, with several values for body areas. A date may be a day, a month
or a year; it then counts as the last day of that time (not after today), because a younger event is the
stricter reading. "About six weeks ago" counts as a week less, for the same reason.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from clinic.rules.answer_history import plain
from clinic.rules.answers import Answers, read_answer
from clinic.rules.body_areas import AREAS
from clinic.rules.conditions import Condition, Field
from clinic.rules.language import N_, _
from clinic.rules.question_pages import Page
from clinic.rules.row_verdicts import undecided_fields
from clinic.rules.rule_table import TABLE
from clinic.rules.typed_text import visible
from clinic.rules.verdicts import Urgency

Form: TypeAlias = Mapping[str, Sequence[str]]

LONGEST_TEXT = 500
OLDEST_YEARS = 120
RANGES = {
    "systolic": (50, 300),
    "diastolic": (20, 200),
    "weeks": (0, 45),
    "weeks_lasting": (0, 5000),
}
"""What a number can be; outside it is a slip of the pen."""
ANY_NUMBER = (0, 100_000)

ALSO_NEEDED = frozenset({("doctor_said_no", "date")})
"""Details that no verdict reads, but without which no clearance could ever count."""

CHOOSE = N_("Please choose yes, no or not sure.")
MISSING = N_("Please answer this, or choose “Not sure” above.")
BOTH = N_("You ticked “None of these” and also answered a question with yes. Please change one of them.")
NO_DATE = N_("Please write a day like 2026-03-16. Month and year (2026-03) or only the year will do.")
NO_DAY = N_("Please write a day like 2026-03-16.")
NO_SUCH_DAY = N_("This day is not in the calendar. Please check the day and the month.")
NO_MONTH = N_("Please give the month as well, or leave the day empty.")
NOT_YET = N_("This day has not come yet.")
TOO_OLD = N_("This is too long ago to be right.")
NO_NUMBER = N_("Please write a number.")
NO_AREA = N_("Please choose from the list of body areas.")
NO_CHOICE = N_("Please choose one of these.")
TOO_LONG = N_("Please use at most 500 letters.")  # LONGEST_TEXT

NO_WEEKS = N_("Please write the weeks as a whole number, such as 6.")
BOTH_WAYS = N_("Please give either a date or the weeks, not both.")
MOST_WEEKS = 520

SWAPPED = N_("The top number is the larger one. Please check both numbers.")
STRONGER = N_("This medicine belongs to the first kind. Please choose that kind above, or check the name.")
TWO_OF_THEM = N_(
    "Two of these together are the second kind. Please choose that kind above, or check the names."
)
ANTICOAGULANTS = (
    "parin", "xaban", "gatran", "warfarin", "coumon", "coumarol", "fluindion", "anisindion", "cumarol",
    "danaparoid", "bivalirudin", "arixtra", "clexane", "clivarin", "coumadin", "eliquis", "falithrom", "fragmin",
    "fraxi", "fenprocum", "heparyn", "innohep", "jantoven", "lixiana", "lovenox", "marcoumar", "marcumar",
    "marevan", "embolex", "pradaxa", "previscan", "roteas", "savaysa", "sintrom", "sinthrom", "varfarin",
    "warfaryn", "xarelto",
)  # fmt: skip
"""Parts of names: the stems of the international non-proprietary names (-parin, -xaban, -gatran, -coumarol, …) and
common brands. Under another kind they would be judged as weaker. Who signs off the rules looks at this list, too."""
ANTIPLATELETS = (
    ("aspirin", "acetylsal", "acetilsal", "asasantin", "duoplavin", "duocover", "aggrenox", "axanum", "yosprala"),
    ("clopidogrel", "klopidogrel", "plavix", "iscover", "duoplavin", "duocover"),
    ("dipyridamol", "dipiridamol", "aggrenox", "asasantin", "persantin"), ("ticagrelor", "brilinta", "brilique"),
    ("prasugrel", "effient", "efient"), ("cilostazol", "pletal"), ("ticlopidin",), ("vorapaxar", "zontivity"),
)  # fmt: skip
"""The names of one medicine each, or parts of them: two of them are the choice `dual_antiplatelet`. A brand that holds
two stands with both (Asasantin and Aggrenox: dipyridamole and aspirin; DuoPlavin and DuoCover: clopidogrel and
aspirin)."""
_ASPIRIN = re.compile(r"(?<![a-z])a\.?(?:s\.?a|s\.?s|a\.?s)(?!\.?[a-z])")
"""What aspirin is called in short, by itself: ASA, ASS, AAS, also with dots between."""

_WEEKS_AGO = re.compile(r"(\d{1,4}) weeks ago", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,7}(?:[.,]\d{1,2})?", re.ASCII)


class FieldError(ValueError):
    """What is wrong with one typed detail, in words for the page."""


@dataclass(frozen=True)
class PageResult:
    """``answers`` holds what could be read, ``errors`` a message per form name, ``typed`` the page as it came."""

    answers: dict[str, dict[str, object]]
    errors: dict[str, str]
    typed: dict[str, list[str]]


def parse_page(page: Page, form: Form, *, today: dt.date) -> PageResult:
    """Read the questions of ``page`` from a posted form; names that are not of this page are ignored."""
    reader = _PageReader(form, today)
    none_name = f"none.{page.key}"
    none = bool(form.get(none_name))
    for condition in page.conditions:
        reader.read(condition, none)
    if none and reader.said_yes:
        reader.errors[none_name] = BOTH
        reader.answers = {key: answer for key, answer in reader.answers.items() if answer["present"]}
    names = {none_name, *(f"c.{one.key}" for one in page.conditions)}
    names |= {f"f.{one.key}.{field.name}" for one in page.conditions for field in one.fields}
    typed = {name: list(values) for name, values in form.items() if name in names}
    return PageResult(reader.answers, reader.errors, typed)


def as_form(page: Page, answers: Answers) -> dict[str, list[str]]:
    """Stored answers as the page would have been typed, to show them again."""
    form: dict[str, list[str]] = {}
    for condition in page.conditions:
        answer = answers.get(condition.key)
        if answer is None:
            continue
        choice = "no" if not answer.get("present") else "not_sure" if answer.get("not_sure") else "yes"
        form[f"c.{condition.key}"] = [choice]
        for field in condition.fields:
            value = answer.get(field.name)
            if value is not None:
                form[f"f.{condition.key}.{field.name}"] = _typed(value)
    if page.conditions and all(form.get(f"c.{one.key}") == ["no"] for one in page.conditions):
        form[f"none.{page.key}"] = ["1"]
    return form


def _typed(value: object) -> list[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]


def half_typed(page: Page, result: PageResult) -> dict[str, list[str]]:
    """What was typed under the questions of a page that have no answer yet, to show it to whoever comes back."""
    still_open = {one.key for one in page.conditions} - result.answers.keys()
    return {
        name: [value[: LONGEST_TEXT + 1] for value in values]
        for name, values in result.typed.items()
        if name.startswith(("c.", "f.")) and asked_by(name) in still_open and any(values)
    }


def asked_by(name: str) -> str:
    """The condition to which a form name belongs."""
    return name.split(".")[1]


def half_of_both(one: Form, other: Form) -> dict[str, list[str]]:
    """What two people (or pages) typed and did not finish, as one: where they differ the follow-up is open, and what
    either said yes to is yes."""
    both = {**one, **other}
    for name in one.keys() & other.keys():
        if list(one[name]) == list(other[name]):
            continue
        if name.startswith("c."):
            both[name] = ["yes"]
        else:
            del both[name]
    return {name: list(typed) for name, typed in both.items()}


def opened_again(answers: Answers, half: Form) -> tuple[Answers, dict[str, list[str]]]:
    """These answers beside what is half typed: a question that is half typed is asked once more. Of a "yes" to it only
    the details are to be said again."""
    open_now = {asked_by(name) for name in half}
    said_yes = {f"c.{key}": ["yes"] for key in open_now if plain(answers.get(key))}
    whole = {key: one for key, one in answers.items() if key not in open_now}
    return whole, said_yes | {name: list(typed) for name, typed in half.items()}


def warnings_ticked(typed: Form) -> dict[str, dict[str, object]]:
    """The warning signs among what was typed, whether their follow-ups are there or not."""
    return {
        key: {"present": True}
        for key, one in TABLE.asked.items()
        if one.red_flag is not Urgency.NONE and typed.get(f"c.{key}", [""])[0] in ("yes", "not_sure")
    }


class _PageReader:
    def __init__(self, form: Form, today: dt.date) -> None:
        self.form = form
        self.today = today
        self.answers: dict[str, dict[str, object]] = {}
        self.errors: dict[str, str] = {}
        self.said_yes = False

    def read(self, condition: Condition, none: bool) -> None:
        name = f"c.{condition.key}"
        choice = next(iter(self.form.get(name, ())), "")
        self.said_yes = self.said_yes or choice in ("yes", "not_sure")
        match choice:
            case "no":
                self.answers[condition.key] = {"present": False}
            case "" if none:
                self.answers[condition.key] = {"present": False}
            case "not_sure":
                self.answers[condition.key] = {"present": True, "not_sure": True}
            case "yes":
                self._read_details(condition)
            case _:
                self.errors[name] = CHOOSE

    def _read_details(self, condition: Condition) -> None:
        answer: dict[str, object] = {"present": True}
        errors: dict[str, str] = {}
        for field in condition.fields:
            name = f"f.{condition.key}.{field.name}"
            values = [text for value in self.form.get(name, ()) if (text := visible(value).strip())]
            try:
                if values:
                    answer[field.name] = read_typed(field, values, self.today)
            except FieldError as error:
                errors[name] = str(error)
        if _is_swapped(answer):
            errors[f"f.{condition.key}.systolic"] = SWAPPED
        stronger = _is_stronger(answer)
        if stronger:
            errors[f"f.{condition.key}.medication"] = stronger
        if "weeks" in answer:
            answer.setdefault("weeks_as_of", self.today.isoformat())
        for field_name in self._needed(condition, answer):
            errors.setdefault(f"f.{condition.key}.{field_name}", MISSING)
        self.errors |= errors
        if not errors:
            self.answers[condition.key] = answer

    def _needed(self, condition: Condition, answer: Mapping[str, object]) -> set[str]:
        """The details that are still needed: the row cannot be decided without them.

        Where the table says to stop without more questions, none is: with no details the strict default holds.
        """
        if condition.stops_at_once:
            return set()
        declared = read_answer(condition.key, answer)
        missing = (
            set() if declared is None else set(undecided_fields(condition, declared.facts_on(self.today)))
        )
        also = {name for key, name in ALSO_NEEDED if key == condition.key and name not in answer}
        return missing | also


def _is_swapped(answer: Mapping[str, object]) -> bool:
    """Whether the two numbers of a blood pressure stand in each other's place: as typed they would be judged as very
    high, or as fine."""
    top, bottom = answer.get("systolic"), answer.get("diastolic")
    return isinstance(top, int | float) and isinstance(bottom, int | float) and top < bottom


def _is_stronger(answer: Mapping[str, object]) -> str:
    """What to say where the medicines that are named are of a stronger kind than the one that was chosen; else ""."""
    named = _as_typed_plainly(str(answer.get("medication", "")))
    kind = answer.get("med_class", "anticoagulant")
    if kind != "anticoagulant" and any(one in named for one in ANTICOAGULANTS):
        return STRONGER
    aspirin, *others = (any(name in named for name in one) for one in ANTIPLATELETS)
    together = sum(others) + bool(aspirin or _ASPIRIN.search(named))
    return TWO_OF_THEM if kind == "single_antiplatelet" and together > 1 else ""


def _as_typed_plainly(text: str) -> str:
    """As it would be typed on a plain keyboard, in small letters: `rivaroxabán` is `rivaroxaban`, and a long dash or a
    bullet parts two names like a short one."""
    letters = (
        one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one)
    )
    return "".join(one if one.isascii() or one.isalnum() else " " for one in letters)


def is_about(field: Field) -> bool:
    """Whether a month or a year will do for this day. Weeks of a pregnancy count from a whole one."""
    return field.type == "date" and field.name != "weeks_as_of"


def read_typed(field: Field, values: Sequence[str], today: dt.date) -> object:
    """One typed detail as it is stored; raises ``FieldError`` with the message for the page."""
    text = values[0]
    match field.type:
        case "yes_no":
            if text not in ("yes", "no"):
                raise FieldError(NO_CHOICE)
            return text == "yes"
        case "choice":
            if text not in field.choice_keys:
                raise FieldError(NO_CHOICE)
            return text
        case "date":
            return read_day(text, today, whole_day=not is_about(field)).isoformat()
        case "number":
            return _read_number(text, RANGES.get(field.name, ANY_NUMBER))
        case "area":
            if not set(values) <= AREAS.keys():
                raise FieldError(NO_AREA)
            return [area for area in AREAS if area in values]
    if len(text) > LONGEST_TEXT:
        raise FieldError(TOO_LONG)
    return text


def read_day(text: str, today: dt.date, *, whole_day: bool = False) -> dt.date:
    """A day, or the last day (not after today) of a month or year; raises ``FieldError``.

    "6 weeks ago" is about so many weeks: a week less. With ``whole_day`` only a full date will do: weeks of
    pregnancy are stricter early and late.
    """
    if text.endswith("weeks ago") and not whole_day:
        return _weeks_ago(text, today)
    if "-?-" in text and not whole_day:  # as a page joins a day and a year
        raise FieldError(NO_MONTH)
    found = _DATE.fullmatch(text)
    if found is None or (whole_day and found[3] is None):
        raise FieldError(NO_DAY if whole_day else NO_DATE)
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    try:
        first = dt.date(year, month or 1, day or 1)
    except ValueError as error:
        raise FieldError(NO_SUCH_DAY if year else NO_DATE) from error
    if first > today:
        raise FieldError(NOT_YET)
    if year < today.year - OLDEST_YEARS:
        raise FieldError(TOO_OLD)
    last_month = month or 12
    last = first if day else dt.date(year, last_month, calendar.monthrange(year, last_month)[1])
    return min(last, today)


def _weeks_ago(text: str, today: dt.date) -> dt.date:
    if " or " in text:
        raise FieldError(BOTH_WAYS)
    found = _WEEKS_AGO.fullmatch(text)
    if found is None:
        raise FieldError(NO_WEEKS)
    if int(found[1]) > MOST_WEEKS:
        raise FieldError(TOO_OLD)
    return today - dt.timedelta(weeks=max(int(found[1]) - 1, 0))


def _read_number(text: str, bounds: tuple[int, int]) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise FieldError(NO_NUMBER)
    value = float(text.replace(",", "."))
    low, high = bounds
    if not low <= value <= high:
        raise FieldError(_("This has to be between %(low)s and %(high)s.", low=low, high=high))
    return int(value) if value.is_integer() else value
