"""The questionnaire as the rest of the program uses it: its pages, reading a filled-in page, what is open."""

from __future__ import annotations

from clinic.rules.answers import Answers
from clinic.rules.page_reading import FieldError, PageResult, as_form, parse_page
from clinic.rules.question_pages import Page, pages
from clinic.rules.question_set import QUESTION_VERSION

__all__ = [
    "QUESTION_VERSION",
    "FieldError",
    "Page",
    "PageResult",
    "as_form",
    "pages",
    "parse_page",
    "unanswered",
]


def unanswered(answers: Answers, kind: str) -> tuple[str, ...]:
    """The conditions of an ``intake`` or ``checkin`` that have no answer yet: unanswered is never "no".

    An answer counts when it says whether the condition is present. The body chart may be left alone: a program that
    hands in answers, or an older paper, has none, and without marks nothing is less strict.
    """
    asked = (condition.key for page in pages(kind) for condition in page.conditions if condition.is_needed)
    return tuple(key for key in asked if not isinstance(answers.get(key, {}).get("present"), bool))
