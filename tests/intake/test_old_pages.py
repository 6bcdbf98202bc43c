"""A page of questions that was opened before another tab, or a merge, said more: it takes nothing back, and no moment
lies between looking and writing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.booking.services import people
from clinic.intake import queries
from clinic.intake.models import HealthStop
from clinic.intake.services import intakes
from clinic.shared.database import db
from tests.booking import walk
from tests.booking import world as w
from tests.booking.desk import desk_browser
from tests.booking.test_pages_own import Account
from tests.conftest import NOW
from tests.intake.test_tablet import handed_over, page_asking

pytestmark = pytest.mark.usefixtures("now")

STENT = {"joint_replacement": {"not_sure": True}}
URGENT = {"high_blood_pressure": {"status": "uncontrolled", "systolic": 200, "diastolic": 125}}
WORSE = {"heart_failure": {"worsening": True}}


class Page:
    """One page on the tablet, opened once; `keep` and `send` do what the browser does with it."""

    def __init__(self, desk: FlaskClient) -> None:
        self.desk, self.number, self.client = desk, page_asking("heart_failure"), handed_over(desk)
        self.path = f"/tablet/{self.number}"
        page = desk.get(self.path)
        self.shown = {name: walk.hidden(page, name) for name in ("whose", "seen")}

    def keep(self, answers: dict[str, Any], **typed: str) -> int:
        """Autosave: what it was told to have seen, the page has seen (static/js/app.js)."""
        form = {**walk.page_form(self.number, answers), **self.shown, **typed}
        answer = self.desk.post(f"{self.path}/keep", data=form)
        self.shown["seen"] = answer.headers.get("X-Seen") or self.shown["seen"]
        return answer.status_code

    def send(self, answers: dict[str, Any], **typed: str) -> int:
        form = {**walk.page_form(self.number, answers), **self.shown, **typed}
        return self.desk.post(self.path, data=form).status_code

    def another_tab(self, answers: dict[str, Any]) -> None:
        """Says this on the same page, and is gone."""
        form = {**walk.page_form(self.number, answers), **self.shown}
        assert self.desk.post(f"{self.path}/keep", data=form).status_code == 204

    def stands(self, key: str) -> dict[str, Any]:
        db.session.rollback()
        found = queries.draft(self.client, "tablet")
        return found.answered.get(key, {}) if found is not None else {}


@pytest.fixture
def page(app: Flask, world: w.World) -> Page:
    return Page(desk_browser(app, world))


def meanwhile(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object], *, after: bool = False) -> None:
    """Do it once, just before the draft is written, or just after."""
    real, done = intakes.save_draft, list[int]()

    def saved(*arguments: Any, **options: Any) -> Any:
        is_first = not done
        done.append(1)
        if is_first and not after:
            deed()
        found = real(*arguments, **options)
        if is_first and after:
            deed()
        return found

    monkeypatch.setattr(intakes, "save_draft", saved)


def test_a_page_with_a_warning_sign_has_not_seen_what_it_never_showed(page: Page) -> None:
    """The browser keeps it before it is sent: what is kept says nothing about the rest."""
    page.another_tab(STENT)
    assert page.keep(URGENT) == 204
    page.send(URGENT)
    assert db.session.scalars(select(HealthStop.client_id)).all() == [page.client]
    assert page.stands("joint_replacement")["present"]


def test_nor_once_the_warning_sign_is_taken_away_again(page: Page) -> None:
    page.another_tab(STENT)
    assert [page.keep(URGENT), page.send({})] == [204, 409]
    assert page.stands("joint_replacement")["present"]


@pytest.mark.parametrize("how", ["keep", "send"])
def test_half_a_yes_takes_no_whole_one_back_that_the_page_never_showed(page: Page, how: str) -> None:
    page.another_tab(WORSE)
    half = {"c.heart_failure": "yes"}
    assert (page.keep({}, **half) if how == "keep" else page.send({}, **half)) == 409
    assert page.stands("heart_failure")["worsening"]


@pytest.mark.parametrize("how", ["keep", "send"])
def test_what_comes_between_the_look_and_the_writing_is_looked_at_anew(
    page: Page, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"heart_failure": {"present": True, "worsening": True}}
    save = intakes.save_draft
    meanwhile(monkeypatch, lambda: save(page.client, "tablet", "intake", told, now=NOW))
    assert (page.keep({}) if how == "keep" else page.send({})) == 409
    assert page.stands("heart_failure") == told["heart_failure"]


def test_a_merge_between_the_look_and_the_writing_loses_nothing(
    page: Page, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, told = w.person(), {"heart_failure": {"present": True, "worsening": True}}
    intakes.save_draft(lost, "tablet", "intake", told, now=NOW)
    db.session.rollback()
    meanwhile(monkeypatch, lambda: people.merge_clients(page.client, lost, by=world.desk_id, now=NOW))
    assert page.send({}) == 409
    assert page.stands("heart_failure")["present"]
    assert queries.drafts(lost) == []


def test_a_page_that_comes_while_another_tab_signs_begins_nothing_anew(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it knew of before is not laid over what is signed by now."""
    account = Account(app)
    client, number = account.client_id, page_asking("heart_failure")
    w.sign(client)
    assert account.browser.post(f"/my/health/{client}").status_code == 303
    path = f"/my/health/{client}/{number}"
    page = account.browser.get(path)
    shown = {name: walk.hidden(page, name) for name in ("whose", "seen")}
    worse = w.answers(heart_failure={"worsening": True})

    def signed() -> None:
        intakes.submit_intake(
            client, worse, intakes.Signature("Pat"), writer="client", source="online", consents={}, by=None,
            now=NOW, today=w.TODAY,
        )  # fmt: skip

    meanwhile(monkeypatch, signed)
    assert account.browser.post(path, data={**walk.page_form(number, {}), **shown}).status_code == 409
    db.session.rollback()
    assert queries.drafts(client) == []
    assert queries.versions(client)[0].answers["heart_failure"]["worsening"]


def test_a_late_page_of_the_tablet_is_kept_also_where_another_tab_signs_at_that_moment(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown no more, so nobody could look at it again: as a moment later, what it says more waits for staff."""
    intakes.save_draft(page.client, "tablet", "intake", w.answers(), now=NOW)
    db.session.rollback()
    later = NOW + dt.timedelta(minutes=40)

    def signed() -> None:
        intakes.submit_intake(
            page.client, w.answers(), intakes.Signature("Pat"), writer="tablet", source="tablet", consents={},
            by=None, now=later, today=w.TODAY, of_draft=True,
        )  # fmt: skip

    with time_machine.travel(later, tick=False):
        meanwhile(monkeypatch, signed)
        assert page.send(WORSE) == 200  # the tablet is locked
    assert page.stands("heart_failure")["worsening"]
    assert queries.has_unsigned(page.client)
    assert queries.versions(page.client)[0].answers["heart_failure"] == {"present": False}


def test_what_comes_just_after_the_writing_was_not_seen(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"heart_failure": {"present": True, "worsening": True}}
    save = intakes.save_draft
    with monkeypatch.context() as patch:
        meanwhile(patch, lambda: save(page.client, "tablet", "intake", told, now=NOW), after=True)
        assert page.keep({}) == 204
    assert page.send({}) == 409
    assert page.stands("heart_failure") == told["heart_failure"]


def test_the_same_tab_takes_back_what_it_said_itself(page: Page) -> None:
    assert page.keep(WORSE) == 204
    assert page.keep({}, **{"c.heart_failure": "yes"}) == 204
    assert page.send({}) == 303
    assert page.stands("heart_failure") == {"present": False}
