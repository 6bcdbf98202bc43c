"""The front desk at its browser, in the small clinic of tests/booking/world.py."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clinic.accounts.models import User
from clinic.shared.database import db
from tests.booking import world as w
from tests.owners import browser_of

_keys = itertools.count(1)


def desk_browser(app: Flask, world: w.World) -> FlaskClient:
    """A browser in which the front desk is signed in."""
    return browser_of(app, db.session.get_one(User, world.desk_id))


def order(client_id: int, service: str, **values: Any) -> dict[str, Any]:
    """What the page of a new visit sends when a time is pressed."""
    when: dt.datetime = values.pop("when", None) or w.at(3)
    mode = values.pop("mode", None) or ""
    minutes = values.pop("minutes", None) or w.SERVICES[service]
    return {
        "client": str(client_id),
        "what": f"{service}|{mode}|{minutes}",
        "areas": list(values.pop("areas", ("full_body",))),
        "addons": list(values.pop("addons", ())),
        "therapist": str(values.pop("therapist", "")),
        "day": w.TODAY.isoformat(),
        "request_key": values.pop("request_key", f"key-{next(_keys)}"),
        "start": when.isoformat(),
        **values,
    }


def book(browser: FlaskClient, client_id: int, service: str, **values: Any) -> TestResponse:
    """Press a time on the page of a new visit."""
    return browser.post("/desk/visits/new", data=order(client_id, service, **values))
