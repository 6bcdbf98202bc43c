"""Whoever sits in a session that ends at this moment leaves no way in behind."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.accounts import services, steps
from clinic.accounts.models import Authenticator, MailedLink, Passkey, RecoveryCode, UserSession
from clinic.accounts.passkeys import Signed, Site
from clinic.accounts.services.factors import AtScreen
from clinic.shared.database import db
from tests import factories
from tests.accounts.passkeys import Phone
from tests.accounts.people import APP_SECRET, ORIGIN, OTHER_PASSWORD, PASSWORD, make_person
from tests.at_once import Deeds, deeds
from tests.conftest import NOW

__all__ = ["deeds"]

LATER = NOW + dt.timedelta(minutes=5)
SITE = Site("http://localhost", "Still Waters")


def ways_in(user_id: int) -> list[object]:
    """What opens this account besides its password."""
    db.session.rollback()
    links = MailedLink.user_id == user_id, MailedLink.used_at.is_(None)
    return [
        *db.session.scalars(select(Passkey.name).where(Passkey.user_id == user_id)),
        *db.session.scalars(select(MailedLink.new_email).where(*links)),
        *db.session.scalars(select(RecoveryCode.code_hash).where(RecoveryCode.user_id == user_id)),
        *db.session.scalars(select(Authenticator.secret_sealed).where(Authenticator.user_id == user_id)),
    ]


@pytest.mark.parametrize("deed", ["passkey", "email", "codes", "take away"])
def test_a_session_that_ends_meanwhile_changes_no_way_in(app: Flask, deeds: Deeds, deed: str) -> None:
    """The owner chooses a new password, which signs out everywhere, while a thief waits for the same account."""
    user_id = make_person("ann@people.example").id
    if deed in ("codes", "take away"):
        factories.save(Authenticator(user_id=user_id, secret=APP_SECRET, made_at=NOW, confirmed_at=NOW))
    at = dict.fromkeys(("created_at", "last_seen_at", "proved_at"), NOW)
    own, stolen = (
        factories.save(UserSession(user_id=user_id, token_hash=one, **at)).id for one in ("own", "stolen")
    )
    challenge, asked = services.passkey_to_make(user_id, site=SITE, now=LATER)
    signed = Signed(Phone().make(json.loads(asked)), challenge, SITE)
    before = ways_in(user_id)
    todo: dict[str, Callable[[], object]] = {
        "passkey": lambda: services.add_passkey(
            AtScreen(user_id, session_id=stolen), signed, "thief", origin=ORIGIN, now=LATER
        ),
        "email": lambda: services.ask_for_new_email(
            user_id, stolen, "thief@people.example", origin=ORIGIN, now=LATER
        ),
        "codes": lambda: services.renew_codes(user_id, stolen, LATER),
        "take away": lambda: services.remove_app(user_id, stolen, LATER),
    }
    deeds.stop_in(steps, "store_password")

    def change() -> None:
        services.change_password(
            user_id, PASSWORD, OTHER_PASSWORD, session_id=own, clinic_name="x", origin=ORIGIN, now=LATER
        )

    assert deeds.do(change, todo[deed]) == ("done", "SignedOut")
    assert ways_in(user_id) == before
