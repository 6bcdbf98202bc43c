"""Nobody keeps a whole day's times: so many at once by one account, or by all without one at an address."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from clinic.booking.models import Checkout, Visit
from clinic.booking.services import _keeping, checkout
from clinic.rules.booking_policy import MOST_KEPT, MOST_KEPT_AT_ADDRESS
from clinic.rules.errors import TooManyKept
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now", "few")

MOST = 3

ROOM, NEXT = "2001:db8:1:2::", "/book/next"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer at an address than in life, where they are more than a household's."""
    assert MOST_KEPT < MOST_KEPT_AT_ADDRESS
    monkeypatch.setattr(_keeping, "MOST_KEPT_AT_ADDRESS", MOST)


def kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Visit).where(Visit.status == "held")) or 0


def test_strangers_at_one_address_keep_a_few_times_and_others_are_not_held_up(app: Flask) -> None:
    w.build(therapists=1)

    def press(number: int, client: FlaskClient | None = None, address: str = f"{ROOM}1") -> str:
        browser = client or app.test_client()
        browser.environ_base["REMOTE_ADDR"] = address
        return walk.location(walk.hold(browser, "relaxation", w.at(3 + number // 4, 9 + 2 * (number % 4))))

    first = app.test_client()
    assert press(0, first) == NEXT
    assert [press(number, address=f"{ROOM}{number}") for number in range(1, MOST)] == [NEXT] * (MOST - 1)
    assert press(8, first) == NEXT, "another time in place of the first"
    stranger = app.test_client()
    refused = press(9, stranger, f"{ROOM}9")
    assert refused.startswith("/book/relaxation/times")
    page = stranger.get(refused).text
    assert "Several times are being kept already for bookings that were begun here and not finished." in page
    assert kept() == MOST
    marks = db.session.scalars(select(Checkout.keeper_hash)).all()
    assert ROOM not in "".join(marks)
    assert press(9, address="2001:db8:1:ff::1") != NEXT, "another network of the same customer"
    assert press(9, address="2001:db8:1:100::1") == NEXT, "a neighbour"
    user = factories.make_user(email="u@people.example", roles=[Role.CLIENT])
    factories.save(user)
    assert press(10, browser_of(app, user)) == NEXT, "an account counts alone"
    walk.name(first)
    walk.answer(first)
    walk.sign(first)
    walk.go_on(first)
    assert walk.location(walk.confirm(first)) == "/book/done"
    assert press(12) == NEXT, "what is booked is not kept any more"
    assert press(13) != NEXT
    with time_machine.travel(NOW + dt.timedelta(minutes=11), tick=False):
        assert press(13) == NEXT, "what nobody works on is free again"


def test_many_at_the_same_moment_keep_no_more(app: Flask) -> None:
    w.build(therapists=2)
    gate = threading.Barrier(MOST + 3)

    def hold(number: int) -> bool:
        with app.app_context():
            gate.wait()
            try:
                checkout.hold_slot(
                    None, w.choice("relaxation"), w.at(3 + number), first_visit=True, user_id=None, now=NOW,
                    keeper="0123456789abcdef",
                )  # fmt: skip
            except TooManyKept:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(gate.parties) as pool:
        assert sum(pool.map(hold, range(gate.parties))) == MOST
    assert kept() == MOST
