"""A client books a series online: each date keeps the online rules, and all of them are booked or none."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from clinic.booking.models import Checkout, Claim, Series, Visit
from clinic.booking.queries import blocks
from clinic.booking.services import checkout, time_off
from clinic.booking.services.resting import RestSaid
from clinic.booking.services.series import book_series
from clinic.booking.services.series_plan import plan_series
from clinic.booking.services.series_starts import OneStart
from clinic.catalogue.models import ServiceLength
from clinic.clients.models import Client
from clinic.premises.models import Clinic
from clinic.rules.errors import BarredOnline, HoldExpired, InvalidInput, NotFound, RestNeeded, TooFarAhead
from clinic.rules.series import Pattern
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_from_day import OPERATED
from tests.booking.test_pages_own import LAST_MONTH, Account
from tests.booking.test_series import rows, somebody
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def account(app: Flask, world: w.World) -> Account:
    made = Account(app)
    w.sign(made.client_id, now=LAST_MONTH)
    return made


def to_check(account: Account, service: str = "relaxation", when: dt.datetime | None = None) -> str:
    """Choose a time, say who comes and that nothing has changed; the page that comes then."""
    account.choose(service, when)
    account.browser.post("/book/health", data={"go": "same"})
    return account.browser.get("/book/check").text


def order(**values: Any) -> dict[str, Any]:
    return {"every": "1", "count": "4", **values}


def picks(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(date-\d+)" id="[^"]+" value="([^"]*)" checked', page))


def booked() -> list[Visit]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Visit).where(Visit.series_id.is_not(None)).order_by(Visit.starts_at))
    )


def set_clinic(**values: Any) -> None:
    with transaction() as session:
        session.execute(update(Clinic).values(**values))


def test_a_series_begins_with_the_kept_time_and_is_booked_whole(account: Account, world: w.World) -> None:
    browser = account.browser
    for other in world.therapists:
        w.at_desk(world, somebody(), "relaxation", when=w.at(10), therapist_id=other)
    assert "/book/series" in to_check(account)
    assert 'value="4"' in browser.get("/book/series").text
    page = browser.post("/book/series", data=order())
    assert "3 of 4 fit." in page.text
    assert "1 date does not fit. It is left out unless you choose a time nearby for it." in page.text
    assert "Book the chosen visits</button>" in page.text
    assert "This time is not free." in page.text
    assert rows(Series) == 0
    chosen = picks(page.text)
    assert [one.partition("|")[0] for one in chosen.values()] == [
        w.at(3).isoformat(), "", w.at(17).isoformat(), w.at(24).isoformat()
    ]  # fmt: skip
    assert "sooner than advised" not in page.text
    sent = order(**chosen, **walk.mark_on(page.text), book="1")
    answer = browser.post("/book/series", data=sent)
    assert browser.post("/book/series", data=sent).location == answer.location, "a double click"
    assert rows(Series) == 1
    assert "Your series is booked." in browser.get(answer.location).text
    made = booked()
    assert [(one.starts_at, one.status, one.source) for one in made] == [
        (w.at(days), "confirmed", "online") for days in (3, 17, 24)
    ]
    assert {one.client_id for one in made} == {account.client_id}
    held = db.session.scalars(select(Visit).where(Visit.status == "released")).all()
    assert [one.starts_at for one in held] == [w.at(3)]
    assert db.session.scalar(select(func.count()).select_from(Claim).where(Claim.visit_id == held[0].id)) == 0
    assert db.session.scalars(select(Checkout.visit_id)).all() == [made[0].id]
    mails = db.session.scalars(select(OutgoingMail.key).where(OutgoingMail.to == "ann@people.example")).all()
    assert [one for one in mails if one.startswith("series_booked")] == [f"series_booked:{made[0].series_id}"]
    assert "See the whole series" in browser.get("/book/done").text
    assert browser.get(answer.location).text.count("/my/visits/") == 3
    assert browser.get("/my").text.count(", part of a series") == 3


@pytest.mark.parametrize("meanwhile", ["off", "closed"])
def test_the_kept_time_is_booked_though_somebody_is_off_meanwhile(
    account: Account, world: w.World, meanwhile: str
) -> None:
    """It was kept before; the other dates are looked for as ever. Once the time has run out it is gone."""
    browser = account.browser
    to_check(account)
    held = db.session.scalars(select(Visit).where(Visit.status == "held")).one()
    kept = held.therapist_id, held.room_id, held.starts_at, held.ends_at
    db.session.rollback()
    if meanwhile == "closed":
        time_off.add_closure(world.place_id, None, *kept[2:], "x", by=world.desk_id, now=NOW)
    for one in world.therapists if meanwhile == "off" else ():
        time_off.add_time_off(one, "off", *kept[2:], "", by=world.desk_id, now=NOW)
    page = browser.post("/book/series", data=order()).text
    answer = browser.post("/book/series", data=order(**picks(page), **walk.mark_on(page), book="1"))
    assert (answer.status_code, len(booked())) == (303, 4)
    first = booked()[0]
    assert (first.therapist_id, first.room_id, first.starts_at, first.ends_at) == kept
    assert [one.id for one in blocks.visits_under_time_off(first.therapist_id, NOW)] == (
        [first.id] if meanwhile == "off" else []
    )


@pytest.mark.parametrize(("minutes", "is_booked"), [(0, True), (9, True), (10, False)])
def test_the_notice_of_the_kept_time_counts_from_when_it_was_kept(
    account: Account, minutes: int, is_booked: bool
) -> None:
    """As for a single visit: kept in good time, and the pages take a while. Once it has run out it is too near."""
    user = account.user_id
    token = checkout.hold_slot(
        None, w.choice("relaxation"), NOW + HOUR, first_visit=True, user_id=user, now=NOW
    )
    checkout.choose_person(token, account.client_id, user_id=user, now=NOW)
    held = db.session.scalars(select(Visit).where(Visit.status == "held")).one()
    pattern = Pattern(held.day, held.local_time, 1, count=2)
    later, held_id = NOW + dt.timedelta(minutes=minutes), held.id
    db.session.rollback()
    w.sign(account.client_id, now=later)
    found = plan_series(
        w.choice("relaxation"), account.client_id, pattern, source="online", now=later, instead_of=held_id
    )
    assert [one.fits for one in found] == [is_booked, True]
    starts = [OneStart(one.starts_at) for one in found if one.starts_at]
    db.session.rollback()

    def book() -> object:
        return book_series(
            w.choice("relaxation"), account.client_id, starts, every_weeks=1, request_key="x", source="online",
            by=user, now=later, checkout=token,
        ).series_id  # fmt: skip

    if is_booked:
        assert book() is not None
        assert [one.starts_at for one in booked()] == [NOW + HOUR, NOW + HOUR + dt.timedelta(days=7)]
    else:
        with pytest.raises(TooFarAhead):
            book()
        assert booked() == []


def test_every_date_keeps_the_online_rules(account: Account) -> None:
    """Lead time and horizon, for new clients too; one pending visit; and the rest between visits."""
    browser = account.browser
    set_clinic(minds_rest=True, horizon_days=30)
    to_check(account)
    far = browser.post("/book/series", data=order(count="5")).text
    assert far.count("This lies outside the days that can be booked now.") == 1
    further = browser.post("/book/series", data=order(count="6")).text
    assert "1 date lies too far ahead to be booked online today. Book it later, or call us." in further
    mark = walk.mark_on(far)
    beyond = order(
        **mark, **{"date-0": f"{w.at(3).isoformat()}|", "date-1": f"{w.at(38).isoformat()}|", "book": "1"}
    )
    assert browser.post("/book/series", data=beyond).status_code == 409
    set_clinic(new_horizon_days=12)
    new = browser.post("/book/series", data=order()).text
    assert "2 of 4 fit." in new
    last = order(
        **mark, **{"date-0": f"{w.at(3).isoformat()}|", "date-1": f"{w.at(17).isoformat()}|", "book": "1"}
    )
    assert browser.post("/book/series", data=last).status_code == 409
    set_clinic(new_horizon_days=None)
    soon = order(
        **mark,
        **{
            "date-0": f"{w.at(3).isoformat()}|",
            "date-1": f"{w.at(3, 15).isoformat()}||anything",
            "book": "1",
        },
    )
    refused = browser.post("/book/series", data=soon)
    assert refused.status_code == 409
    assert "This comes too soon" in refused.text
    with browser.session_transaction() as kept:
        token = kept["checkout"]
    passed = OneStart(w.at(3, 15), rest=RestSaid("Only staff may pass it", books_anyway=True))
    with pytest.raises(RestNeeded):
        book_series(
            w.choice("relaxation"), account.client_id, [OneStart(w.at(3)), passed], every_weeks=1, request_key=None,
            source="online", by=account.user_id, now=NOW, checkout=token,
        )  # fmt: skip
    assert rows(Series) == 0
    assert [one.status for one in db.session.scalars(select(Visit))] == ["held"], (
        "the time is kept all the same"
    )
    w.sign_answers(account.client_id, OPERATED)
    waits = browser.post("/book/series", data=order()).text
    assert waits.count("Only one may wait at a time.") == 1
    assert waits.count("waits for a doctor’s letter") == 1


def test_what_was_taken_meanwhile_leaves_nothing_booked(account: Account, world: w.World) -> None:
    browser = account.browser
    to_check(account)
    page = browser.post("/book/series", data=order()).text
    for other in world.therapists:
        w.at_desk(world, somebody(), "relaxation", when=w.at(17), therapist_id=other)
    answer = browser.post("/book/series", data=order(**picks(page), **walk.mark_on(page), book="1"))
    assert answer.status_code == 409
    assert "has just been taken" in answer.text
    assert rows(Series) == 0
    kept = picks(answer.text) | walk.mark_on(answer.text)
    assert browser.post("/book/series", data=order(**kept, book="1")).status_code == 303
    assert [one.starts_at for one in booked()] == [w.at(3), w.at(10), w.at(24)]


def test_a_price_that_was_raised_since_is_shown_before_it_is_booked(account: Account) -> None:
    browser = account.browser
    with transaction() as session:
        session.execute(update(ServiceLength).values(price=9500))
    to_check(account)
    page = browser.post("/book/series", data=order()).text
    assert "Each visit costs $95 as you chose it, paid at the clinic." in page
    assert "Online you can move or cancel a visit up to 24 hours before it begins." in page
    with transaction() as session:
        session.execute(update(ServiceLength).values(price=10000))
    again = browser.post("/book/series", data=order(**picks(page), **walk.mark_on(page), book="1"))
    assert (again.status_code, rows(Series)) == (409, 0)
    assert "changed meanwhile" in again.text
    assert "Each visit costs $100 as" in again.text
    sent = order(**picks(again.text), **walk.mark_on(again.text), book="1")
    assert browser.post("/book/series", data=sent).status_code == 303
    assert {one.price for one in booked()} == {10000}


def test_bad_input_and_whoever_may_not(app: Flask, account: Account) -> None:
    browser = account.browser
    assert browser.get("/book/series").location == "/book"
    to_check(account)
    for typed in ({"every": "9"}, {"count": "1"}, {"count": "99"}, {"count": "x"}, {"every": ""}):
        answer = browser.post("/book/series", data=order(**typed))
        assert (typed, answer.status_code) == (typed, 422)
    assert browser.post("/book/series", data=order(book="1")).status_code == 422, "no date was chosen"
    starts = [OneStart(w.at(3)), OneStart(w.at(10))]

    def book(token: str | None, client_id: int, by: int | None) -> None:
        book_series(
            w.choice("relaxation"), client_id, starts, every_weeks=1, request_key=None, source="online", by=by,
            now=NOW, checkout=token,
        )  # fmt: skip

    with browser.session_transaction() as kept:
        token = kept["checkout"]
    other = Account(app, email="bob@people.example")
    w.sign(other.client_id)
    for values, refusal in (
        ((None, account.client_id, account.user_id), HoldExpired),
        ((token, other.client_id, other.user_id), HoldExpired),
        ((token, account.client_id, other.user_id), NotFound),
        ((token, account.client_id, None), NotFound),
    ):
        with pytest.raises(refusal):
            book(*values)
    with transaction() as session:
        session.execute(update(Client).where(Client.id == account.client_id).values(is_barred_online=True))
    assert browser.get("/book/series").status_code == 409
    assert "/book/series" not in browser.get("/book/check").text
    with pytest.raises(BarredOnline):
        book(token, account.client_id, account.user_id)
    assert rows(Series) == 0


def test_earlier_answers_alone_confirm_no_series(account: Account) -> None:
    account.choose("relaxation")
    with account.browser.session_transaction() as kept:
        token = kept["checkout"]
    with pytest.raises(InvalidInput, match="still right"):
        book_series(
            w.choice("relaxation"), account.client_id, [OneStart(w.at(3))], every_weeks=1, request_key=None,
            source="online", by=account.user_id, now=NOW, checkout=token,
        )  # fmt: skip
    assert rows(Series) == 0


def test_who_books_a_series_is_told_when_not_every_visit_is_confirmed(account: Account) -> None:
    """The first of the four waits for a letter."""
    w.sign_answers(account.client_id, OPERATED, now=LAST_MONTH)
    to_check(account)
    wanted = order(every="2")
    shown = account.browser.post("/book/series", data=wanted).text
    sent = {**wanted, **picks(shown), **walk.mark_on(shown), "book": "1"}
    page = account.browser.post("/book/series", data=sent)
    assert [one.status for one in booked()] == ["pending", *["confirmed"] * 3]
    told = account.browser.get(page.location).text
    assert "Not every visit is confirmed yet" in told
    assert "Your series is booked." not in told
