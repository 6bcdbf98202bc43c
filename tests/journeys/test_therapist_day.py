"""A therapist in a browser: the own day and week follow what the desk does, and nothing that was typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import pytest
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.services import visits
from clinic.demo import PASSWORD
from clinic.records.models import SessionNote
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist
from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import TREATS, sign_in
from tests.looking import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

Faults = Callable[["Page"], list[str]]
ME = "therapist@willow.example"
OWNER = "owner@willow.example"


def visit_of_mine(site: Site, status: VisitStatus) -> tuple[int, str]:
    """The last visit of that kind on a day of its own kind, and its day."""
    with site.app.app_context():
        row = db.session.scalars(
            select(Visit)
            .join(Therapist, Therapist.id == Visit.therapist_id)
            .where(Therapist.name == TREATS, Visit.status == status)
            .order_by(Visit.starts_at.desc())
        ).first()
        assert row is not None
        found = row.id, row.day.isoformat()
        db.session.remove()
    return found


def cancel(site: Site, visit_id: int) -> None:
    with site.app.app_context():
        visits.cancel_visit(visit_id, by=None, by_clinic=True, now=clock.now())
        db.session.remove()


def test_a_note_that_was_sent_back_outlives_a_sign_in_that_is_over(page: Page, site: Site) -> None:
    """Its page is the answer to a form: there a look finds nothing, signed in or not."""
    visit, _day = visit_of_mine(site, VisitStatus.DONE)
    with site.app.app_context():
        client = db.session.get_one(Visit, visit).client_id
        db.session.remove()
    sign_in(page, OWNER)
    page.goto(f"/clients/{client}")
    keep = page.get_by_role("button", name="Keep the note")
    with page.expect_navigation(url="**/notes"):
        keep.click()
    page.fill("#text", "Likes the window room.")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    keep.click()
    page.get_by_text("You are signed out.").wait_for()
    way = page.get_by_role("link", name="Sign in in a new window")
    expect(way).to_have_attribute("href", re.compile(rf"/clients/{client}$"))
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    keep.click()
    page.get_by_text("The note is kept.").first.wait_for()


@pytest.mark.parametrize("address", ["/diary", "/diary/week"])
def test_what_the_desk_does_appears_and_the_focus_stays(
    page: Page, site: Site, accessibility_faults: Faults, address: str
) -> None:
    visit, day = visit_of_mine(site, VisitStatus.CONFIRMED)
    sign_in(page, ME)
    page.goto(f"{address}?day={day}")
    box = page.locator(f".ev[data-visit='{visit}']")
    name = box.locator(".ev-name").inner_text()
    page.locator("[data-print]").focus()
    page.evaluate("window.isTheSame = true")
    cancel(site, visit)
    box.wait_for(state="detached", timeout=8000)
    assert page.evaluate("window.isTheSame && document.activeElement.matches('[data-print]')")
    page.locator("#say", has_text=name).wait_for(state="attached")
    expect(page.locator("#say")).to_contain_text("not here any more")
    asked: list[int] = []
    page.on("response", lambda answer: asked.append(answer.status) if "/diary" in answer.url else None)
    page.wait_for_timeout(9000)
    assert asked
    assert set(asked) == {304}, "that the page was shown anew, which is recorded, draws it no second time"
    assert accessibility_faults(page) == []


def test_the_page_of_a_visit_follows_it_and_lets_it_go(page: Page, site: Site) -> None:
    visit, _day = visit_of_mine(site, VisitStatus.CONFIRMED)
    sign_in(page, ME)
    page.goto(f"/diary/visits/{visit}")
    name = page.locator("h1").inner_text()
    page.evaluate("window.isTheSame = true")
    cancel(site, visit)
    page.locator("#visit-head", has_text="Cancelled").wait_for(timeout=8000)
    page.locator("#say", has_text="Cancelled").wait_for(state="attached")
    assert page.evaluate("window.isTheSame")
    with site.app.app_context():
        with transaction() as session:
            row = session.get_one(Visit, visit)
            row.therapist_id = (
                session.scalars(select(Therapist.id).where(Therapist.id != row.therapist_id)).first() or 0
            )
        db.session.remove()
    page.get_by_text("This is not yours any more").first.wait_for(timeout=8000)
    assert name not in page.locator("main").inner_text()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_mark_of_the_present_time_is_read_whole(page: Page, site: Site, width: int) -> None:
    sign_in(page, ME)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/diary")
    cut = """() => {
      const axis = document.querySelector(".dg-axis .dg-body"), mark = document.createElement("span");
      mark.className = "dg-now-mark t-1200";
      mark.textContent = "12:58 PM";
      axis.append(mark);
      const one = mark.getBoundingClientRect(), edge = axis.getBoundingClientRect();
      return [one.left < edge.left, one.right > edge.right + 8];
    }"""
    assert page.evaluate(cut) == [False, False]


def test_in_type_twice_as_large_the_name_stands_below_the_picture(page: Page, site: Site) -> None:
    visit, _day = visit_of_mine(site, VisitStatus.DONE)
    sign_in(page, ME)
    page.set_viewport_size({"width": 195, "height": 422})
    page.goto(f"/diary/visits/{visit}")
    name, picture = page.locator("h1").bounding_box(), page.locator(".next-up-head .ava").bounding_box()
    assert name is not None
    assert picture is not None
    assert name["y"] > picture["y"] + picture["height"]


def test_what_is_pressed_without_a_connection_waits_on_the_page(page: Page) -> None:
    sign_in(page, ME)
    page.goto("/diary/late")
    tell = page.get_by_role(
        "button", name=re.compile(r"^Tell (them|the desk)$")
    )  # as the hour of the run has it
    page.context.set_offline(True)
    tell.click()
    told = page.locator("[data-unsent]")
    expect(told).to_have_text("No connection, so nothing was sent. Press again when you are online.")
    expect(told).to_be_visible()
    page.context.set_offline(False)
    tell.click()
    page.get_by_text("The desk sees it.").first.wait_for()
    expect(told).to_have_count(0)


def test_a_note_stays_on_the_page_until_somebody_takes_it(page: Page, site: Site) -> None:
    visit, _day = visit_of_mine(site, VisitStatus.DONE)
    sign_in(page, ME)
    page.goto(f"/diary/visits/{visit}/notes")
    page.fill("#text", "Left shoulder, slowly.")
    keep = page.get_by_role("button", name="Keep the note")
    page.context.set_offline(True)
    keep.click()
    page.get_by_text("What you typed is still here").wait_for()
    page.context.set_offline(False)
    page.context.clear_cookies()
    keep.click()
    page.get_by_text("You are signed out.").wait_for()
    expect(page.locator("#text")).to_have_value("Left shoulder, slowly.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new window").click()
    other = opened.value
    other.get_by_label("E-mail").fill(ME)
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url(lambda url: "/sign-in" not in url)
    keep.click()
    page.get_by_text("The note is kept.").first.wait_for()
    with site.app.app_context():
        rows = db.session.scalars(select(SessionNote).where(SessionNote.visit_id == visit)).all()
        assert [one.text for one in rows].count("Left shoulder, slowly.") == 1
        db.session.remove()


@pytest.mark.parametrize(
    ("who", "address", "field", "button"),
    [
        (ME, "/diary/visits/{visit}/more-care", "#reason", "Keep this for the client"),
        (ME, "/therapists/me", "#bio", "Save what clients see"),
        (OWNER, "/owner/messages/visit_booked", "#body", "See how it looks"),
        (OWNER, "/owner/services/1", "#what_happens", "Save this service"),
        (OWNER, "/owner/therapists/{therapist}", "#bio", "Save this profile"),
        (OWNER, "/clients/{client}", "#text", "Keep the note"),
    ],
)
def test_a_long_text_outlives_a_sign_in_that_is_over(
    page: Page, site: Site, who: str, address: str, field: str, button: str
) -> None:
    visit, _day = visit_of_mine(site, VisitStatus.DONE)
    with site.app.app_context():
        row = db.session.get_one(Visit, visit)
        address = address.format(visit=visit, therapist=row.therapist_id, client=row.client_id)
        db.session.remove()
    sign_in(page, who)
    page.goto(address)
    page.fill(field, "Slowly, and with a pause {clinic}.")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    press = page.locator("main").get_by_role("button", name=button).last
    press.click()
    page.get_by_text("You are signed out.").wait_for()
    line = page.get_by_role("link", name="Sign in in a new window").bounding_box()
    assert line is not None
    assert line["width"] > 120, "the way in is no column of single words"
    expect(page.locator(field)).to_have_value("Slowly, and with a pause {clinic}.")
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    with (
        page.expect_navigation(),  # a window that is closed while it goes on to a page can hang
        page.expect_request(lambda one: one.method == "POST") as sent,
    ):
        press.click()
    posted = unquote_plus(sent.value.post_data or "")
    assert "Slowly, and with a pause {clinic}." in posted
    assert ("act=look" in posted) == (button == "See how it looks"), "the button that was pressed is sent too"


@pytest.mark.parametrize("address", ["/diary", "/diary/week"])
def test_a_day_of_sixteen_hours_and_its_week_are_one_page_each(page: Page, site: Site, address: str) -> None:
    _visit, day = visit_of_mine(site, VisitStatus.CONFIRMED)
    sign_in(page, ME)
    page.goto(f"{address}?day={day}")
    page.evaluate(
        """() => {
          const grid = document.querySelector(".dg");
          grid.className = grid.className.replace(/from-\\d\\d to-\\d\\d/, "from-06 to-22");
          for (const column of document.querySelectorAll(".dg-col .dg-body")) {  // off after the hours that are drawn
            column.insertAdjacentHTML("afterbegin", '<p class="dg-off t-2320 len-40"><span>Away</span></p>');
          }
        }"""
    )
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "13mm")
    for paper, across in product(("Letter", "A4"), (False, True)):
        sheet = page.pdf(format=paper, margin=margin, landscape=across)  # type: ignore[arg-type]
        assert len(re.findall(rb"/Type /Page[\s/]", sheet)) == 1, (paper, across)
