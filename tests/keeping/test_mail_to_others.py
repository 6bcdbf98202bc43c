"""A mail that waits to go to somebody else names nobody who was erased meanwhile."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services.couple_changes import cancel_couple
from clinic.clients.models import Client
from clinic.keeping.services import erasing
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import walk
from tests.booking.test_book_couple import account, at_time, named, world
from tests.booking.test_book_series import to_check
from tests.booking.test_pages_own import Account
from tests.conftest import NOW
from tests.keeping.test_erasing import columns_with

__all__ = ["account", "world"]
pytestmark = pytest.mark.usefixtures("now")
NAME = "Canaryname"


def test_an_invitation_to_come_together_goes_with_whoever_asked(app: Flask, account: Account) -> None:
    with transaction() as session:
        session.get_one(Client, account.client_id).first_name = NAME
    to_check(account)
    page = account.browser.post("/book/couple", data=named())
    sent = walk.for_two(account.browser, named(start=at_time(page.text)))
    assert sent.status_code == 303
    couple_id = db.session.scalars(select(Visit.couple_id).where(Visit.couple_id.is_not(None))).first()
    assert couple_id is not None
    assert any(NAME in mail.text for mail in db.session.scalars(select(OutgoingMail)))
    db.session.rollback()
    cancel_couple(couple_id, by=None, by_clinic=True, now=NOW)
    erasing.erase_person(account.client_id, settings=app.config, by=None, now=NOW)
    assert columns_with(NAME) == []
