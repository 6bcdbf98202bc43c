"""A deed that cannot be taken back, pressed where no dialog asks: what the page that asks sends on."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.architecture.doors import everything
from tests.typed_forms import Fields, form_on


def asked(browser: FlaskClient, address: str, sent: dict[str, Any] | None = None) -> TestResponse:
    """Press the button without a dialog: nothing is done, and nothing that was sent is lost."""
    before = everything()
    page = browser.post(address, data=sent or {})
    assert (page.status_code, 'name="sure" value="1"' in page.text) == (200, True), address
    assert everything() == before, address
    kept = form_on(page.text, address)
    assert kept.pop("csrf_token", None), "it can be sent"
    assert kept == {
        name: [value] if isinstance(value, str) else value for name, value in (sent or {}).items()
    }
    return page


def pressed_twice(browser: FlaskClient, address: str, sent: dict[str, Any] | None = None) -> TestResponse:
    """Press the button, and then the one on the page that asks."""
    fields: Fields = form_on(asked(browser, address, sent).text, address)
    return browser.post(address, data=fields | {"sure": ["1"]})
