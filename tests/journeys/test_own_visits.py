"""A client moves a visit of their own, reads everything that is kept about them, waits for a time and takes it."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from clinic.booking.models import Visit
from clinic.booking.services import in_line
from clinic.clients.models import Client
from clinic.premises.models import Clinic
from clinic.shared import clock
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import local_today, read, sign_in
from tests.looking import expect
from tests.walking import Faults

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ME = "client@willow.example"
BIG_TIMES = 20_000


@pytest.fixture(autouse=True)
def on_a_phone(page: Page) -> None:
    page.set_default_timeout(BIG_TIMES)
    sign_in(page, ME)


def coming(site: Site) -> tuple[int, str, str]:
    """The one visit to come: its number, its start in UTC, its therapist's number."""

    def asked() -> tuple[int, str, str]:
        row = db.session.scalars(
            select(Visit)
            .join(Client, Client.id == Visit.client_id)
            .where(
                Client.email == ME, Visit.status.in_(("confirmed", "pending")), Visit.starts_at > clock.now()
            )
        ).one()
        return row.id, row.starts_at.isoformat(), str(row.therapist_id)

    found = read(site, asked)
    assert isinstance(found, tuple)
    return found


def test_a_form_that_is_pressed_twice_is_sent_once(page: Page, site: Site) -> None:
    page.goto("/my/people")
    page.get_by_label("My child").check()
    for label, text in {"First name": "Tim", "Last name": "Alder", "Day": "4", "Year": "2019"}.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Month", exact=True).select_option(label="July")
    page.get_by_label("Full name of a parent or guardian").fill("Ana Alder")

    def late(route: Route) -> None:
        if route.request.method == "POST":
            time.sleep(1.5)
        route.continue_()

    page.route("**/my/people", late)
    add = page.get_by_role("button", name="Add this person")
    add.click(no_wait_after=True)
    add.dispatch_event("click")
    page.wait_for_timeout(600)
    add.dispatch_event("click")
    page.get_by_text("Tim Alder").first.wait_for()
    page.wait_for_timeout(2000)

    def added() -> int:
        return db.session.scalar(select(func.count()).where(Client.name_key == "tim alder")) or 0

    assert read(site, added) == 1


def test_a_visit_is_moved_after_one_question_and_the_calendar_file_follows(
    page: Page, site: Site, accessibility_faults: Faults
) -> None:
    visit, before, therapist = coming(site)
    page.goto(f"/my/visits/{visit}")
    page.get_by_role("link", name="Move my visit").click()
    page.locator("a.day").last.click()
    page.locator("a.day[aria-current]").last.wait_for()
    wanted = page.locator("button.slot").last
    said = wanted.get_attribute("value") or ""
    wanted.click()
    page.get_by_text("Is this right?").wait_for()
    assert accessibility_faults(page) == []
    assert coming(site)[1] == before, "a slip of the finger moves nothing"
    page.get_by_role("button", name="Move my visit").click()
    page.wait_for_url(re.compile(rf"/my/visits/{visit}(\?|$)"))
    number, after, same = coming(site)
    assert number == visit
    assert same == therapist or read(site, lambda: db.session.get_one(Visit, visit).any_therapist)
    assert after != before
    assert after.startswith(said.removesuffix("Z"))
    assert accessibility_faults(page) == []
    with page.expect_download() as file:
        page.get_by_role("link", name="Add to my calendar").click()
    assert (
        f"DTSTART:{said.replace('-', '').replace(':', '').removesuffix('Z')}00Z"
        in file.value.path().read_text()
    )


def test_everything_that_is_kept_can_be_read_and_saved(
    page: Page, site: Site, accessibility_faults: Faults
) -> None:
    visit, starts_at, _therapist = coming(site)
    page.goto("/my")
    page.get_by_role("link", name="Everything we keep about you").click()
    page.get_by_role("heading", level=1).wait_for()
    assert accessibility_faults(page) == []
    with page.expect_download() as file:
        page.get_by_role("link", name="Save as a file for programs").click()
    kept = file.value.path().read_text()
    assert ME in kept
    assert str(visit) in kept
    assert json.loads(kept)
    assert starts_at[:16] in kept


def test_who_waits_is_written_to_when_a_time_is_free_and_takes_it(
    page: Page, site: Site, accessibility_faults: Faults
) -> None:
    first, _starts_at, _therapist = coming(site)
    day = local_today() + dt.timedelta(days=20)
    page.goto(f"/book/relaxation/wait?minutes=60&day={day}")
    page.get_by_label("Until").fill(day.isoformat())
    page.get_by_role("button", name="Put me on the list").click()
    page.get_by_role("heading", level=1, name="You are on the list").wait_for()
    expect(page.locator("main dd", has_text=" to ")).to_have_count(0)
    assert accessibility_faults(page) == []
    with site.app.app_context():
        clinic = db.session.scalars(select(Clinic)).one()
        clinic.quiet_from = clinic.quiet_until  # at night nobody is written to, and this test may run then
        db.session.commit()
        in_line.keep_line(clock.now())
        db.session.remove()

    def mailed() -> str:
        return db.session.scalars(
            select(OutgoingMail.text).where(OutgoingMail.to == ME, OutgoingMail.kind == "offer_made")
        ).one()  # fmt: skip

    link = re.search(r"https?://\S+/offer/\S+", str(read(site, mailed)))
    assert link is not None
    page.goto(link[0])
    page.get_by_role("heading", level=1, name="A time is free for you").wait_for()
    page.get_by_role("button", name="Take this time").click()
    page.get_by_role("heading", level=1, name="Your visit").wait_for()
    page.get_by_role("link", name="Say whether anything has changed").first.click()
    page.get_by_role("button", name="Nothing has changed").click()
    page.get_by_role("link", name="Open my visit").click()
    page.get_by_role("heading", level=1, name="Your visit").wait_for()
    expect(page.get_by_text("Confirmed", exact=True).first).to_be_visible()
    assert accessibility_faults(page) == []
    taken = read(site, lambda: db.session.scalars(select(Visit.status).where(Visit.day == day)).all())
    assert "confirmed" in taken  # type: ignore[operator]
    page.goto("/my")
    links = [one.get_attribute("href") or "" for one in page.locator("main a[href*='/my/visits/']").all()]
    assert f"/my/visits/{first}" in links
