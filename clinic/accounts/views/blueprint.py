"""The blueprint that the account pages are declared on, and how they answer a refused form."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template
from werkzeug.wrappers import Response
from wtforms import Form

from clinic.accounts.tries import Crowded, TooManyTries
from clinic.rules.errors import InvalidInput, RuleViolation
from clinic.shared.web import Pages

pages = Pages("accounts", __name__)


def refused(template: str, form: Form, error: RuleViolation | None = None, **values: Any) -> Response:
    """The same page again with what was typed, and what was wrong at its field or above the form."""
    sentence = None
    if isinstance(error, InvalidInput) and error.field in form:
        form[error.field].errors = [*form[error.field].errors, error.sentence]
    elif error is not None:
        sentence = error.sentence
    page = render_template(f"accounts/{template}.html", form=form, refusal=sentence, **values)
    response = make_response(page, 422)
    if isinstance(error, TooManyTries):
        response.status_code = 429
        response.headers["Retry-After"] = str(error.minutes * 60)
    elif isinstance(error, Crowded):
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return response
