"""An own page that was opened before the desk merged the record goes on being about the same person."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.services import people
from clinic.clients import choices
from clinic.clients.choices import Whose
from clinic.intake import queries
from clinic.intake.models import HealthStop
from clinic.intake.queries import clearances
from clinic.rules.messages import REMINDER
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.booking import walk
from tests.booking import world as w
from tests.conftest import NOW
from tests.intake import letters
from tests.intake.test_tablet import page_asking
from tests.owners import browser_of

pytestmark = pytest.mark.usefixtures("now")


class Merged:
    """A client with an account, whose record is merged into another one while their page is open."""

    def __init__(self, app: Flask, *, relation: str = "self") -> None:
        self.world = w.build()
        user = factories.make_user(email="pat@people.example", roles=[Role.CLIENT]).id
        self.stays, self.lost = w.person(), w.person(acts={user: relation})
        for one in (self.stays, self.lost):
            w.sign(one)
        self.browser: FlaskClient = browser_of(app, db.session.get_one(User, user))
        self.path, self.user = f"/my/health/{self.lost}", user

    def open(self, number: int) -> dict[str, str]:
        page = self.browser.get(f"{self.path}/{number}")
        return {name: walk.hidden(page, name) for name in ("whose", "seen")}

    def merge(self) -> None:
        people.merge_clients(self.stays, self.lost, by=self.world.desk_id, now=NOW)
        db.session.rollback()


@pytest.fixture
def merged(app: Flask) -> Merged:
    return Merged(app)


def test_a_warning_sign_stops_everything(merged: Merged) -> None:
    visit = w.at_desk(merged.world, merged.stays, "deep_tissue").visit_id
    shown = merged.open(1)
    merged.merge()
    form = {**walk.page_form(1, {"rf_chest_pain_breathless": {}}), **shown}
    assert merged.browser.post(f"{merged.path}/1", data=form).status_code == 200
    db.session.rollback()
    assert db.session.scalars(select(HealthStop.client_id)).all() == [merged.stays]
    assert visit is not None
    assert w.statuses(merged.stays) == ["cancelled"]


@pytest.mark.parametrize("end", ["", "/keep"])
def test_what_is_answered_is_kept_and_counts(merged: Merged, end: str) -> None:
    number = page_asking("osteoporosis")
    shown = merged.open(number)
    merged.merge()
    form = {**walk.page_form(number, {"osteoporosis": {"severity": "advanced"}}), **shown}
    answer = merged.browser.post(f"{merged.path}/{number}{end}", data=form)
    assert answer.status_code == (204 if end else 303)
    db.session.rollback()
    draft = queries.draft(merged.stays, "client")
    assert draft is not None
    assert draft.answered["osteoporosis"] == {"present": True, "severity": "advanced"}
    assert queries.has_unsigned(merged.stays)


def test_the_pages_lead_on_under_the_number_of_today(merged: Merged) -> None:
    merged.merge()
    page = merged.browser.get(merged.path)
    assert page.status_code == 200
    begun = merged.browser.post(merged.path)
    assert walk.location(begun) == f"/my/health/{merged.stays}/1"


def test_a_letter_and_a_consent_taken_back_arrive(merged: Merged) -> None:
    walk.answer(merged.browser, {}, merged.path)
    walk.sign(merged.browser, merged.path)
    db.session.rollback()
    consent = next(one.id for one in queries.consents(merged.lost) if one.kind == "treatment")
    merged.merge()
    sent = letters.upload(merged.browser, f"{merged.path}/letters", (letters.PDF, "x.pdf"))
    assert walk.location(sent) == f"/my/health/{merged.stays}/letters"
    back = merged.browser.post(f"{merged.path}/consents/{consent}/withdraw")
    assert walk.location(back) == f"/my/health/{merged.stays}"
    db.session.rollback()
    assert len(clearances.letters_of(merged.stays)) == 1
    assert queries.is_taken_back(merged.stays)


def test_who_signs_stays_who_they_are_to_the_client(app: Flask) -> None:
    merged = Merged(app, relation="guardian")
    merged.merge()
    number = page_asking("osteoporosis")
    form = walk.page_form(number, {"osteoporosis": {"severity": "advanced"}})
    assert merged.browser.post(f"{merged.path}/{number}", data=form).status_code == 303
    walk.sign(merged.browser, merged.path)
    db.session.rollback()
    consents = queries.consents(merged.stays)
    assert {one.detail["signer"] for one in consents if one.kind in ("treatment", "privacy")} == {"guardian"}


def test_what_is_chosen_for_messages_is_chosen_for_the_record_of_today(merged: Merged) -> None:
    from clinic.messages.services import choose_for

    merged.merge()
    choose_for(merged.user, merged.lost, {REMINDER: False}, now=NOW)
    db.session.rollback()
    assert not choices.wants(Whose(client_id=merged.stays), REMINDER)


def test_a_foreign_number_is_no_better_known_than_a_missing_one(app: Flask, merged: Merged) -> None:
    """Neither that of somebody else's record, nor one that was merged into it."""
    other, into = w.person(), w.person()
    people.merge_clients(into, other, by=merged.world.desk_id, now=NOW)
    db.session.rollback()
    answers = [merged.browser.get(f"/my/health/{one}") for one in (other, into, 999_999)]
    assert [one.status_code for one in answers] == [404, 404, 404]
