"""Whoever books is shown the same, whether the clinic knows somebody who looks like the person they typed or not.

Each story is told twice by accounts that differ in nothing else: everything that they can see is compared.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from clinic.accounts.models import User
from clinic.booking.forms.choice import moment_text
from clinic.booking.models import Visit
from clinic.booking.queries import check_ins, visits
from clinic.booking.services import people
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.links import send_link_again
from clinic.booking.services.series import book_series
from clinic.booking.services.series_starts import OneStart
from clinic.booking.services.visits import cancel_visit, mark_visit
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.intake.services.reviews import review_softened
from clinic.premises.models import Location
from clinic.records.queries.own_copy import copy_of
from clinic.rules.errors import BarredOnline, MoveNotAllowed, TooManyPending
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db, transaction
from clinic.shared.mail import OutgoingMail
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.booking.test_from_day import OPERATED
from tests.conftest import NOW
from tests.owners import browser_of
from tests.statements import counted

pytestmark = [pytest.mark.stories_in_turn, pytest.mark.usefixtures("now")]

TOLD = ("status", "waiting_for", "deadline_at", "permits", "starts_at", "at", "reason", "to_reconfirm")
MINUTE = dt.timedelta(minutes=1)
HEART: dict[str, dict[str, object]] = {"heart_failure": {"worsening": False}}
NAMES = ("Nora Known", "Nina Newer")
COMPANIONS = ("Kim Known", "Kit Newer")


@pytest.fixture
def world(app: Flask) -> w.World:
    """Room and therapists enough for two couples at the same time."""
    made = w.build(therapists=6, check_in=True)
    location = db.session.get_one(Location, made.place_id)
    for number in range(3):
        factories.make_room(location, name=f"For two {number}", tables=2)
        factories.make_room(location, name=f"Room {number + 4}")
    return made


def known(name: str, born_on: dt.date, declared: Mapping[str, Mapping[str, object]] = HEART) -> int:
    """Somebody in the clinic's book, for whom something is not safe."""
    first, last = name.split()
    made: int = factories.make_client(first_name=first, last_name=last, born_on=born_on).id
    w.sign_answers(made, declared)
    return made


class Teller:
    """An account that books for a person who was typed and not proven, and all that it is shown."""

    def __init__(self, app: Flask, name: str, *, is_known: bool) -> None:
        self.app, self.name, self.told = app, name, list[str]()
        first, last = name.split()
        born_on = dt.date(1988, 7, 4)
        if is_known:
            self.look_alike = known(name, born_on)
        self.email = f"{first.lower()}@people.example"
        self.user_id = factories.make_user(email=self.email, roles=[Role.CLIENT]).id
        self.client_id = factories.make_client(
            first_name=first, last_name=last, born_on=born_on, email=self.email, is_unproven=True,
            acts={self.user_id: "self"},
        ).id  # fmt: skip
        self.browser = browser_of(app, db.session.get_one(User, self.user_id))

    def see(self, page: TestResponse) -> TestResponse:
        """Keep what the page says, without what differs for everybody."""
        self.told.append(f"{page.status_code} {plain(page.text)}")
        return page

    def get(self, address: str) -> TestResponse:
        return self.see(self.browser.get(address))

    def post(self, address: str, data: Mapping[str, Any] | None = None) -> TestResponse:
        return self.see(self.browser.post(address, data=dict(data or {})))

    def to_check(
        self,
        service: str = "swedish",
        declared: Mapping[str, Mapping[str, object]] | None = None,
        when: dt.datetime | None = None,
    ) -> str:
        """From the time to the page before the button; the answers are given once."""
        walk.location(walk.hold(self.browser, service, when))
        walk.location(self.browser.post("/book/person", data={"person": str(self.client_id)}))
        ahead = self.browser.get("/book/next")
        if walk.location(ahead) == "/book/check":
            return self.get("/book/check").text
        asked = self.browser.get("/book/health")
        if asked.status_code == 303:
            walk.answer(self.browser, declared)
            walk.sign(self.browser, name=self.name)
        else:
            self.browser.post("/book/health", data={"go": "same"})
        return self.get("/book/check").text

    def looks_round(self) -> None:
        """Everything about the visits that an account may look at."""
        db.session.rollback()
        self.get("/my")
        for one in own_visits(self.client_id):
            self.get(f"/my/visits/{one.id}")
            self.get(f"/my/visits/{one.id}/visit.ics")
            self.get(f"/my/visits/{one.id}/move")
            self.told.append(f"{one.whole_minutes} minutes, first: {one.first_visit}")
            if one.series_id is not None:
                self.get(f"/my/series/{one.series_id}")
        for copied in copy_of(self.client_id, self.user_id):
            rows = list(copied.rows)
            if copied.table in ("visit", "status_change"):
                self.told += sorted(repr({name: row.get(name) for name in TOLD}) for row in rows)
        db.session.rollback()

    def mails(self, to: str = "") -> list[str]:
        return mails(to or self.email)


def mails(to: str) -> list[str]:
    db.session.rollback()
    rows = db.session.scalars(select(OutgoingMail).where(OutgoingMail.to == to).order_by(OutgoingMail.id))
    return [plain(f"{one.kind}: {one.subject}\n{one.text}") for one in rows]


def kinds(told: list[str]) -> list[str]:
    return [one.partition(":")[0] for one in told]


def plain(text: str) -> str:
    """The text without names, numbers of rows, tokens and moments at which it was written."""
    for name in (*NAMES, *COMPANIONS):
        first, last = name.split()
        text = re.sub(rf"\b{first}\b", "FIRST", text, flags=re.IGNORECASE)
        text = re.sub(rf"\b{last}\b", "LAST", text, flags=re.IGNORECASE)
    text = re.sub(r"Terry \d", "THERAPIST", text)
    text = re.sub(r"\bPartner\d+", "PARTNER", text)
    text = re.sub(r"/(visit|check-in|stop)/[\w.-]+", r"/\1/KEY", text)
    text = re.sub(r'(content|value|data-[\w-]+)="[^"]*"', r"\1", text)
    text = re.sub(r"\b[0-9a-f-]{32,}\b", "HASH", text)
    return re.sub(
        r"\d{5,}|(person|for|therapist|/series/|/health/|/data/|/letters/|/people/)=?\d+", "NUMBER", text
    )


def own_visits(client_id: int) -> list[Visit]:
    """By time; what was only held is left out."""
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Visit)
            .where(Visit.client_id == client_id, Visit.status != "released")
            .order_by(Visit.starts_at)
        )
    )


def stands(client_id: int) -> list[tuple[str, str | None, bool | None]]:
    """How it is in the database."""
    return [(one.status, one.waiting_for, one.permits) for one in own_visits(client_id)]


def both(app: Flask) -> tuple[Teller, Teller]:
    return Teller(app, NAMES[0], is_known=True), Teller(app, NAMES[1], is_known=False)


def check_alike(one: Teller, other: Teller) -> None:
    """What the two were told, page by page."""
    for here, there in zip(one.told, other.told, strict=True):
        assert here == there
    assert one.mails() == other.mails()


def let_go(teller: Teller, other_id: int) -> None:
    """The desk has found two people behind the two records."""
    by = factories.make_user(email=f"review{w.new_number()}@clinic.example", roles=[Role.THERAPIST]).id
    people.say_two_people(teller.client_id, other_id, by=by, now=NOW + 5 * MINUTE)


# ── several visits of one person ─────────────────────────────────────────────────────────────────────────


def picks(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(date-\d+)" id="[^"]+" value="([^"]*)" checked', page))


def book_a_series(teller: Teller, declared: Mapping[str, Mapping[str, object]] | None = None) -> None:
    assert "/book/series" in teller.to_check("relaxation", declared)
    teller.get("/book/series")
    asked = {"every": "1", "count": "3"}
    page = teller.post("/book/series", asked)
    made = teller.post("/book/series", {**asked, **picks(page.text), **walk.mark_on(page.text), "book": "1"})
    if made.status_code == 303:
        teller.get(walk.location(made))
        teller.get("/book/done")
    teller.looks_round()


def test_a_series_is_booked_in_the_same_words(app: Flask, world: w.World) -> None:
    one, other = both(app)
    for teller in (one, other):
        book_a_series(teller)
    assert stands(one.client_id) == [("pending", "review", None)] * 3
    assert stands(other.client_id) == [("confirmed", None, True)] * 3
    assert [visit.first_visit for visit in own_visits(one.client_id)] == [True, False, False]
    check_alike(one, other)
    let_go(one, one.look_alike)
    assert stands(one.client_id) == stands(other.client_id)
    check_alike(one, other)


def test_a_series_of_which_a_visit_waits_openly_is_planned_in_the_same_words(
    app: Flask, world: w.World
) -> None:
    """By their own answers only one may wait, whoever they look like."""
    one, other = both(app)
    for teller in (one, other):
        book_a_series(teller, OPERATED)
    assert "Only one may wait at a time." in one.told[2]
    check_alike(one, other)
    assert {wait for _status, wait, _permits in stands(one.client_id)} == {"clearance"} | (
        {"review"} if len(stands(one.client_id)) > 1 else set()
    )


def test_a_visit_booked_next_takes_as_long(app: Flask, world: w.World) -> None:
    """The first visit takes longer, also one that waits unseen."""
    one, other = both(app)
    for teller in (one, other):
        teller.to_check()
        teller.see(walk.confirm(teller.browser))
        teller.get(f"/book/swedish/times?minutes=60&person={teller.client_id}")
        page = teller.get(f"/book/swedish/times?minutes=60&person={teller.client_id}&day={w.at(5):%Y-%m-%d}")
        assert page.status_code == 200
    check_alike(one, other)
    first = visits.first_visit_at(one.client_id)
    assert (first, visits.first_visit_at(one.client_id, besides=own_visits(one.client_id)[0].id)) == (
        w.at(3),
        None,
    )


def test_where_an_earlier_visit_waits_unseen_nothing_is_said_of_it(app: Flask, world: w.World) -> None:
    one = Teller(app, NAMES[0], is_known=True)
    one.to_check()
    walk.confirm(one.browser)
    assert stands(one.client_id) == [("pending", "review", None)]
    one.to_check("relaxation", when=w.at(4))
    page = one.post("/book/series", {"every": "1", "count": "2"})
    assert "2 of 2 fit." in page.text
    assert "wait" not in re.sub(r"\bwaitlist\b", "", plain(page.text)).lower()
    with one.browser.session_transaction() as kept:
        token = kept["checkout"]
    with pytest.raises(BarredOnline) as refusal:
        book_series(
            w.choice("relaxation"), one.client_id, [OneStart(w.at(4)), OneStart(w.at(11))], every_weeks=1,
            request_key=None, source="online", by=one.user_id, now=NOW, checkout=token,
        )  # fmt: skip
    assert "wait" not in refusal.value.sentence
    assert len([state for state in stands(one.client_id) if state[0] != "held"]) == 1


def test_a_visit_that_waits_openly_does_not_stand_in_the_way_of_one_that_waits_unseen(
    app: Flask, world: w.World
) -> None:
    """Without the look-alike the second one would stand."""
    one, other = both(app)
    for teller in (one, other):
        teller.to_check("relaxation", OPERATED)
        teller.see(walk.confirm(teller.browser))
        teller.to_check("relaxation", when=w.at(20))
        teller.see(walk.confirm(teller.browser))
        teller.looks_round()
    assert stands(other.client_id) == [("pending", "clearance", None), ("confirmed", None, True)]
    assert stands(one.client_id) == [("pending", "clearance", None), ("pending", "review", None)]
    check_alike(one, other)


def test_who_knows_that_a_visit_waits_reads_so_of_a_series_too(app: Flask, world: w.World) -> None:
    one = Teller(app, NAMES[0], is_known=True)
    one.to_check("relaxation", OPERATED)
    walk.confirm(one.browser)
    one.to_check("relaxation", OPERATED, when=w.at(4))
    with one.browser.session_transaction() as kept:
        token = kept["checkout"]
    with pytest.raises(TooManyPending):
        book_series(
            w.choice("relaxation"), one.client_id, [OneStart(w.at(4))], every_weeks=1, request_key=None,
            source="online", by=one.user_id, now=NOW, checkout=token,
        )  # fmt: skip


def test_who_is_barred_books_no_series(app: Flask, world: w.World) -> None:
    one = Teller(app, NAMES[0], is_known=True)
    one.to_check()
    with transaction() as session:
        session.execute(update(Client).where(Client.id == one.client_id).values(is_barred_online=True))
    assert one.get("/book/series").status_code == 409
    assert "/book/series" not in one.get("/book/check").text


@pytest.mark.parametrize("waits", [False, True], ids=["nothing waits", "one waits openly"])
def test_a_proven_client_costs_no_statement_more(app: Flask, world: w.World, waits: bool) -> None:
    me = w.person()
    w.sign_answers(me, OPERATED if waits else {})
    w.at_desk(world, me, "relaxation")
    db.session.rollback()
    with counted() as statements:
        first = visits.first_visit_at(me)
    assert first == (None if waits else w.at(3))
    assert len(statements) == 2, statements


def test_a_visit_is_moved_as_far_as_the_own_answers_go(app: Flask, world: w.World) -> None:
    """What waits unseen is not moved to a day on which it would wait openly."""
    one, other = both(app)
    for teller in (one, other):
        teller.to_check("relaxation", OPERATED, when=w.at(20))
        teller.see(walk.confirm(teller.browser))
        for minute, days in enumerate((4, 21), start=1):
            [visit] = own_visits(teller.client_id)
            form = {"slot": moment_text(w.at(days)), "revision": str(visit.revision), "sure": "1"}
            with time_machine.travel(NOW + minute * MINUTE, tick=False):
                teller.post(f"/my/visits/{visit.id}/move", form)
                teller.looks_round()
    assert stands(one.client_id) == [("pending", "review", None)]
    assert own_visits(one.client_id)[0].starts_at == w.at(21)
    check_alike(one, other)


# ── two people ───────────────────────────────────────────────────────────────────────────────────────────


def companion(number: int) -> dict[str, str]:
    first, last = COMPANIONS[number].split()
    return {
        "who": "new", "relation": "partner", "first_name": first, "last_name": last, "born_day": "1",
        "born_month": "2", "born_year": "1977", "email": f"{first.lower()}@people.example",
        "phone": f"(212) 555-017{number}",
    }  # fmt: skip


def book_for_two(teller: Teller, number: int, when: dt.datetime | None = None) -> None:
    assert "/book/couple" in teller.to_check("swedish")
    teller.get("/book/couple")
    form = companion(number)
    teller.post("/book/couple", form)
    form["start"] = moment_text(when or w.at(3))
    form["seen"] = walk.hidden(teller.post("/book/couple", form), "seen")
    made = teller.post("/book/couple", form)
    assert made.status_code == 303, walk.heading(made)
    teller.get("/book/done")
    teller.looks_round()


def companion_of(teller: Teller) -> Visit:
    [mine] = own_visits(teller.client_id)
    return db.session.scalars(
        select(Visit).where(Visit.couple_id == mine.couple_id, Visit.id != mine.id)
    ).one()


def companion_answers(teller: Teller, number: int) -> list[str]:
    """By the mailed link; what the companion is shown."""
    first, last = COMPANIONS[number].split()
    [mail] = db.session.scalars(
        select(OutgoingMail.text).where(OutgoingMail.to == f"{first.lower()}@people.example")
    )
    found = re.search(r"(/visit/[\w-]+)", mail)
    assert found
    browser = teller.app.test_client()
    told = [plain(browser.get(found[1]).text)]
    with time_machine.travel(NOW + 2 * MINUTE, tick=False):
        walk.answer(browser, base=f"{found[1]}/health")
        walk.sign(browser, base=f"{found[1]}/health", name=f"{first} {last}")
        told.append(plain(browser.get(found[1]).text))
        teller.looks_round()
    return told


def test_for_two_of_whom_the_one_who_books_looks_like_somebody(app: Flask, world: w.World) -> None:
    one, other = both(app)
    for number, teller in enumerate((one, other)):
        book_for_two(teller, number)
    assert stands(one.client_id) == [("pending", "review", None)]
    assert stands(other.client_id) == [("pending", "partner", None)]
    check_alike(one, other)
    told = [companion_answers(teller, number) for number, teller in enumerate((one, other))]
    assert told[0] == told[1]
    assert stands(one.client_id) == [("pending", "review", None)]
    assert stands(other.client_id) == [("confirmed", None, True)]
    assert (companion_of(one).status, companion_of(one).waiting_for) == ("pending", "partner")
    check_alike(one, other)
    assert kinds(one.mails()) == ["visit_waiting", "visit_confirmed_now"]
    assert mails("kim@people.example") == mails("kit@people.example")
    let_go(one, one.look_alike)
    assert (companion_of(one).status, stands(one.client_id)) == ("confirmed", [("confirmed", None, True)])
    check_alike(one, other)
    assert mails("kim@people.example") == mails("kit@people.example"), "nobody is told twice"


def test_for_two_of_whom_the_one_who_comes_along_looks_like_somebody(app: Flask, world: w.World) -> None:
    look_alike = known(COMPANIONS[0], dt.date(1977, 2, 1))
    tellers = [Teller(app, name, is_known=False) for name in NAMES]
    told = []
    for number, teller in enumerate(tellers):
        book_for_two(teller, number)
        told.append(companion_answers(teller, number))
    one, other = tellers
    assert told[0] == told[1]
    assert stands(one.client_id) == [("pending", "partner", None)]
    assert (companion_of(one).status, companion_of(one).waiting_for) == ("pending", "review")
    assert stands(other.client_id) == [("confirmed", None, True)]
    check_alike(one, other)
    assert mails("kim@people.example") == mails("kit@people.example")
    by = factories.make_user(email="review@clinic.example", roles=[Role.THERAPIST]).id
    people.say_two_people(companion_of(one).client_id or 0, look_alike, by=by, now=NOW + 5 * MINUTE)
    assert stands(one.client_id) == [("confirmed", None, True)]
    check_alike(one, other)
    assert mails("kim@people.example") == mails("kit@people.example"), "nobody is told twice"


def test_who_took_two_visits_for_booked_is_told_when_one_of_them_is_called_off(
    app: Flask, world: w.World
) -> None:
    tellers = both(app)
    for number, teller in enumerate(tellers):
        book_for_two(teller, number)
        companion_answers(teller, number)
        cancel_visit(companion_of(teller).id, by=None, by_clinic=False, now=NOW + 3 * MINUTE)
        [mine] = own_visits(teller.client_id)
        assert mine.waiting_for == "partner"
    assert tellers[0].mails() == tellers[1].mails()
    assert kinds(tellers[0].mails()) == ["visit_waiting", "visit_confirmed_now", "visit_on_hold"]
    for teller in tellers:  # and comes alone
        [mine] = own_visits(teller.client_id)
        assert teller.browser.post(f"/my/visits/{mine.id}/alone").status_code == 303
        teller.told.clear()
        teller.get(f"/my/visits/{mine.id}")
        teller.get("/my")
    check_alike(*tellers)
    assert stands(tellers[0].client_id) == [("pending", "review", None)]


def test_for_two_people_of_one_account_of_whom_one_looks_like_somebody(app: Flask, world: w.World) -> None:
    tellers = both(app)
    for teller in tellers:
        other = factories.make_client(
            first_name="Sue", last_name=f"Partner{w.new_number()}", born_on=dt.date(1985, 5, 5),
            email=f"sue{teller.user_id}@people.example", acts={teller.user_id: "partner"},
        ).id  # fmt: skip
        w.sign(other)
        teller.to_check("swedish")
        made = walk.for_two(teller.browser, {"who": str(other), "start": moment_text(w.at(3))})
        assert walk.location(made) == "/book/done"
        teller.browser.get("/book/done")
        assert kinds(teller.mails()) == ["visit_booked"]
        for shown in (*own_visits(teller.client_id), *own_visits(other)):
            assert (visits.seen_as(shown), visits.told_wait(shown)) == (VisitStatus.CONFIRMED, None)
            assert "Not confirmed" not in teller.browser.get(f"/my/visits/{shown.id}").text
        assert visits.first_visit_at(other) == w.at(3)
        teller.get("/book/done")
    assert stands(tellers[0].client_id) == [("pending", "review", None)]
    check_alike(*tellers)
    # whoever waits only for an unseen look is no obstacle, and is not told of it
    [mine] = own_visits(tellers[0].client_id)
    partner = companion_of(tellers[0])
    assert {one.id for one in (mine, partner)} <= set(check_ins.to_ask(w.at(2, 12)))


def test_one_of_two_who_waits_openly_is_not_asked_to_check_in(app: Flask, world: w.World) -> None:
    one = Teller(app, NAMES[0], is_known=True)
    book_for_two(one, 0)
    assert check_ins.to_ask(w.at(2, 12)) == []


# ── what the person's own answers cause ──────────────────────────────────────────────────────────────────


def test_a_look_that_the_own_answers_cause_is_told_with_a_look_alike_too(app: Flask, world: w.World) -> None:
    one, other = both(app)
    for teller in (one, other):
        w.sign_answers(teller.client_id, HEART, now=NOW - dt.timedelta(days=30))
        w.sign_answers(teller.client_id, {}, now=NOW - MINUTE)
        walk.location(walk.hold(teller.browser, "swedish"))
        walk.location(teller.browser.post("/book/person", data={"person": str(teller.client_id)}))
        teller.browser.post("/book/health", data={"go": "same"})
        teller.see(walk.confirm(teller.browser))
        teller.get("/book/done")
        teller.looks_round()
    assert stands(one.client_id) == stands(other.client_id) == [("pending", "review", None)]
    assert db.session.get_one(Client, one.client_id).is_unproven
    check_alike(one, other)
    assert kinds(one.mails()) == ["visit_waiting"]


def test_a_letter_that_is_approved_is_told_as_it_would_be_without_a_look_alike(
    app: Flask, world: w.World
) -> None:
    """It waited openly, and waits unseen from then on."""
    one, other = both(app)
    for teller in (one, other):
        teller.to_check("swedish", HEART)
        teller.see(walk.confirm(teller.browser))
        with time_machine.travel(NOW + 2 * MINUTE, tick=False):
            w.sign_answers(teller.client_id, {}, now=NOW + 2 * MINUTE)
            by = factories.make_user(email=f"c{teller.user_id}@clinic.example", roles=[Role.THERAPIST]).id
            look_over(teller.client_id, by)
        with time_machine.travel(NOW + 4 * MINUTE, tick=False):
            teller.looks_round()
    assert stands(one.client_id) == [("pending", "review", None)]
    assert stands(other.client_id) == [("confirmed", None, True)]
    check_alike(one, other)
    assert kinds(one.mails()) == ["visit_waiting", "visit_confirmed_now"]
    let_go(one, one.look_alike)
    assert stands(one.client_id) == [("confirmed", None, True)]
    check_alike(one, other)


def look_over(client_id: int, by: int) -> None:
    """Somebody with clinical review agrees to the softer answers."""
    newest = intake.newest(client_id)
    assert newest is not None
    review_softened(newest.id, True, "Asked again on the phone", by=by, now=NOW + 3 * MINUTE)


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_link_that_is_sent_again_says_what_was_told(app: Flask, world: w.World) -> None:
    one, other = both(app)
    for teller in (one, other):
        teller.to_check()
        walk.confirm(teller.browser)
        [visit] = own_visits(teller.client_id)
        send_link_again(visit.id, by=world.desk_id, now=NOW + MINUTE)
    check_alike(one, other)
    assert kinds(one.mails()) == ["visit_booked", "visit_booked"]


def test_who_has_to_say_what_has_changed_is_asked_with_a_look_alike_too(app: Flask, world: w.World) -> None:
    """The desk books on earlier answers: that is told, the unseen look is not."""
    one, other = both(app)
    clinic = [one, other]
    for teller in clinic:
        w.sign(teller.client_id, now=NOW - dt.timedelta(days=30))
        with transaction() as session:
            made = session.get_one(Client, teller.client_id)
            made.created_by_id = None
        if teller is other:
            assert not clients.look_alikes(db.session.get_one(Client, teller.client_id))
        w.at_desk(world, teller.client_id, "swedish", reconfirmed=False)
        teller.looks_round()
    assert [state[1] for state in (*stands(one.client_id), *stands(other.client_id))] == [
        "review",
        "reconfirm",
    ]
    check_alike(one, other)
    with time_machine.travel(NOW + MINUTE, tick=False):
        for teller in clinic:
            w.sign(teller.client_id, now=NOW + MINUTE)
            teller.looks_round()
    check_alike(one, other)
    assert kinds(one.mails()) == ["visit_waiting", "visit_confirmed_now"]


def test_a_couple_that_the_desk_books_is_told_in_the_same_words(app: Flask, world: w.World) -> None:
    one, other = both(app)
    for teller in (one, other):
        w.sign(teller.client_id)
        partner = w.person()
        w.sign(partner)
        halves = Half(teller.client_id, w.choice("swedish")), Half(partner, w.choice("swedish"))
        book_couple(
            halves, w.at(3), request_key=None, source="desk", by=world.desk_id, now=NOW, reconfirmed=True
        )
        teller.looks_round()
    assert stands(one.client_id) == [("pending", "review", None)]
    check_alike(one, other)


def test_a_visit_that_was_told_as_booked_and_has_to_wait_is_told_so(app: Flask, world: w.World) -> None:
    """Their own new answers put it on hold: they are written to as everybody is."""
    one, other = both(app)
    for teller in (one, other):
        teller.to_check()
        walk.confirm(teller.browser)
        w.sign_answers(teller.client_id, HEART, now=NOW + MINUTE)
    assert stands(one.client_id)[0][1] == stands(other.client_id)[0][1] == "clearance"
    assert kinds(one.mails()) == kinds(other.mails()) == ["visit_booked", "visit_on_hold"]


def test_nothing_is_given_that_waits_unseen(app: Flask, world: w.World) -> None:
    """Told as booked it is not permitted: nobody can mark it as arrived."""
    one = Teller(app, NAMES[0], is_known=True)
    one.to_check()
    walk.confirm(one.browser)
    [visit] = own_visits(one.client_id)
    assert (visits.seen_as(visit), visit.status, visit.permits) == (VisitStatus.CONFIRMED, "pending", None)
    visit_id, revision = visit.id, visit.revision
    db.session.rollback()
    with pytest.raises(MoveNotAllowed):
        mark_visit(visit_id, VisitStatus.ARRIVED, revision=revision, by=world.desk_id, now=w.at(3))
    assert stands(one.client_id) == [("pending", "review", None)]


def test_whoever_waits_for_a_word_in_a_series_of_the_desk_is_told_when_it_stands(
    app: Flask, world: w.World
) -> None:
    """One mail told of the whole series: nothing else says whether its visits were shown as booked."""
    one, other = both(app)
    for teller in (one, other):
        w.sign(teller.client_id, now=NOW - dt.timedelta(days=30))
        with transaction() as session:
            session.get_one(Client, teller.client_id).created_by_id = None
        book_series(
            w.choice("swedish"), teller.client_id, [OneStart(w.at(3)), OneStart(w.at(17))], every_weeks=2,
            request_key=None, source="desk", by=world.desk_id, now=NOW, reconfirmed=False,
        )  # fmt: skip
    later = NOW + dt.timedelta(minutes=1)
    with time_machine.travel(later, tick=False):
        for teller in (one, other):
            w.sign(teller.client_id, now=later)
    told = [kinds(mails(teller.email)) for teller in (one, other)]
    assert told[0] == told[1]
    assert stands(one.client_id)[0][0] == "pending"
