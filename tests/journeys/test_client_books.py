"""A client books online in a real browser, on a phone and at a desk, with the mouse and with the keyboard alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.shared.database import db
from tests.browser import Site
from tests.looking import expect, in_both_widths
from tests.walking import PAGES_OF_QUESTIONS, Booking, Faults, times_are_above_the_fold

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDE = {"width": 1280, "height": 800}
BIG_TIMES = 20_000
DARK_GROUND = "rgb(16, 24, 22)"  # --bg of the dark theme in static/css/tokens.css


@pytest.fixture
def booking(page: Page, accessibility_faults: Faults) -> Booking:
    """On a phone. The pages that all stories share are looked at in the first one, in both widths."""
    page.set_default_timeout(BIG_TIMES)
    return Booking(page, accessibility_faults, looks_on_the_way=False)


def newest_visit(site: Site) -> tuple[str, bool | None]:
    """Status and permit of what was booked last."""
    with site.app.app_context():
        row = db.session.scalars(select(Visit).order_by(Visit.created_at.desc()).limit(1)).one()
        found = row.status, row.permits
        db.session.remove()
    return found


def test_back_shows_the_page_that_had_a_mistake(booking: Booking) -> None:
    """The page with the mistake was the answer to a form: the browser showed its own page about that."""
    page = booking.page
    booking.choose("Swedish massage", "1 hour")
    booking.take_a_later_day()
    booking.say_who(**{"E-mail": "nora@people"})
    page.get_by_role("alert").get_by_text("does not look like an e-mail").wait_for()
    booking.say_who()
    page.get_by_role("heading", name="First: is something wrong right now?").wait_for()
    page.go_back()
    expect(page.get_by_label("E-mail", exact=True)).to_have_value("nora@people.example")
    booking.say_who(**{"E-mail": "nora@people"})
    page.get_by_role("link", name="Choose another time").click()
    page.get_by_role("heading", name="Choose a time").wait_for()
    page.go_back()
    expect(page.get_by_label("First name", exact=True)).to_have_value("Nora")


def test_somebody_new_and_healthy_books(page: Page, site: Site) -> None:
    page.set_default_timeout(BIG_TIMES)
    booking = Booking(page, in_both_widths)
    booking.choose("Swedish massage", "1 hour")
    booking.take_a_later_day()
    booking.say_who()
    booking.look("First: is something wrong right now?")
    booking.answer(looks=True)
    booking.sign()
    booking.confirm()
    booking.look("Your time is booked")
    assert newest_visit(site) == ("confirmed", True)
    with booking.page.expect_download() as file:
        booking.page.get_by_role("link", name="Add to my calendar").click()
    assert "BEGIN:VEVENT" in file.value.path().read_text()
    booking.page.get_by_role("link", name="Move my visit").click()
    booking.look("Move your visit")
    booking.page.get_by_role("link", name="Keep it as it is").click()
    booking.look("Your visit")
    booking.press("Cancel my visit")
    booking.page.get_by_role("dialog").get_by_role("button", name="Cancel my visit").click()
    booking.page.get_by_text("Your visit is cancelled.").first.wait_for()
    booking.look("Your visit")
    assert newest_visit(site)[0] == "cancelled"


def test_not_safe_but_something_else_is(booking: Booking, site: Site) -> None:
    booking.choose("Deep tissue massage", "1 hour")
    booking.take_a_later_day()
    booking.say_who()
    details = {"Which kind?": "Blood thinner such as", "Same medicine": "Yes", "Do you bruise or bleed": "No"}
    booking.answer({"Do you take a medicine that thins your blood": details})
    booking.sign()
    booking.see_why_not()
    booking.look("We can’t book deep tissue massage for you")
    assert newest_visit(site)[0] == "released"
    booking.page.locator(".card-c button.slot").first.click()
    booking.confirm()
    booking.page.locator(".result").wait_for()
    assert newest_visit(site) == ("confirmed", True)


def test_not_safe_but_something_else_is_with_a_letter(booking: Booking, site: Site) -> None:
    booking.choose("Deep tissue massage", "1 hour")
    booking.take_a_later_day()
    booking.say_who()
    details = {"What is it called": "Haemophilia", "Did you have a bad bleed": "No"}
    booking.answer({"Do you bleed or bruise too easily": details})
    booking.sign()
    booking.see_why_not()
    booking.look("We can’t book deep tissue massage for you")
    page = booking.page
    page.get_by_role("link", name="See times for relaxation massage").click()
    booking.look("Choose a time")
    booking.take_a_later_day()
    page.get_by_text("This needs a letter from your doctor").wait_for()
    booking.look("Is everything right?")
    booking.confirm()
    page.locator(".result").wait_for()
    assert newest_visit(site) == ("pending", None)


def test_a_warning_sign_stops_the_booking(booking: Booking, site: Site) -> None:
    booking.choose("Swedish massage", "1 hour")
    booking.take_a_later_day()
    booking.say_who()
    page = booking.page
    page.get_by_role("group", name="Do you have chest pain").get_by_role("radio", name="Not sure").check()
    booking.press("Save and go on")
    booking.look("Please get medical help now")
    assert page.get_by_role("main").get_by_role("link").first.get_attribute("href") == "tel:911"
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    assert newest_visit(site)[0] == "released"


def test_a_returning_client_books_the_same_again_in_three_taps(booking: Booking, site: Site) -> None:
    page = booking.page
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill("client@willow.example")
    page.get_by_label("Password", exact=True).fill("quiet-willow")
    booking.press("Sign in")
    booking.look("My visits")
    assert page.get_by_role("region", name="Book the same again").get_by_text("Swedish massage").count()
    page.locator(".soon-slot").last.click()
    booking.look("Is this still right?")
    booking.press("Nothing has changed")
    booking.confirm()
    page.locator(".result").wait_for()
    assert booking.faults(page) == []
    assert newest_visit(site)[0] in ("confirmed", "pending")


class Keyboard:
    """Only keys: Tab until the control has the focus, then press."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, name: str, role: str) -> None:
        there = self.page.get_by_role(role, name=name).first.element_handle()  # type: ignore[arg-type]
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if there.evaluate("one => one === document.activeElement"):
                return
        pytest.fail(f"the keyboard never came to {name}")

    def press(self, name: str, role: str = "button", key: str = "Enter") -> None:
        self.to(name, role)
        self.page.keyboard.press(key)

    def write(self, *texts: str) -> None:
        """Type into one field after the other."""
        for text in texts:
            self.page.keyboard.type(text)
            self.page.keyboard.press("Tab")


def test_the_keyboard_alone_is_enough_on_a_wide_screen(page: Page, site: Site) -> None:
    page.set_default_timeout(BIG_TIMES)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    keys = Keyboard(page)
    page.goto("/book/swedish")
    keys.press("30 minutes", "radio", "Space")
    keys.press("Show free times")
    page.get_by_role("heading", level=1, name="Choose a time").wait_for()
    times_are_above_the_fold(page)
    keys.press(page.locator(".soon-slot .visually-hidden").first.inner_text())
    page.get_by_role("heading", level=1, name="Who is coming?").wait_for()
    keys.to("First name", "textbox")
    keys.write("Nora", "Walker", "4", "July", "1988", "nora@people.example", "(212) 555-0143")
    keys.press("Continue")
    for number in range(1, PAGES_OF_QUESTIONS + 1):
        page.wait_for_url(f"**/book/health/{number}")
        keys.press("None of these", "checkbox", "Space")
        keys.press("Save and go on")
    page.wait_for_url("**/book/health/sign")
    for text in ("I agree to the treatment", "I agree that the clinic keeps"):
        keys.press(text, "checkbox", "Space")
    keys.to("Full name of the person who signs", "textbox")
    page.keyboard.type("Nora Walker")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/check")
    keys.press("Confirm booking")
    page.wait_for_url("**/book/done")
    assert newest_visit(site) == ("confirmed", True)


LOW_WINDOWS = [
    (390, 664, ""), (375, 667, ""), (1366, 650, ""), (390, 844, "large"), (1280, 720, "large"),
    (844, 390, ""), (667, 375, ""),
]  # fmt: skip
WIDER_THAN_ITS_BUTTON = """[...document.querySelectorAll(".soon-slot b")].some((one) => {
  const words = document.createRange();
  words.selectNodeContents(one);
  return words.getBoundingClientRect().width > one.closest(".soon-slot").clientWidth - 4;
})"""


def test_times_stand_above_the_fold_in_a_low_window_and_with_larger_text(page: Page, site: Site) -> None:
    """A phone’s browser with its bars, a small laptop’s, and a phone held across."""
    page.set_default_timeout(BIG_TIMES)
    for width, height, text in LOW_WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        page.context.add_cookies([{"name": "text", "value": text, "url": site.url}])
        page.goto("/book/swedish/times?minutes=60")
        times_are_above_the_fold(page)
    page.set_viewport_size({"width": 320, "height": 568})
    page.reload()
    assert not page.evaluate(WIDER_THAN_ITS_BUTTON)


def test_without_javascript_it_books_too_in_six_screens(browser: object, site: Site) -> None:
    """From the first page by the way that takes longest, on the smallest phone; health questions not counted."""
    from playwright.sync_api import Browser

    assert isinstance(browser, Browser)
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": 320, "height": 568},
        color_scheme="dark",
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(BIG_TIMES)
    screens: list[str] = []
    page.on("domcontentloaded", lambda one: screens.append(urlsplit(one.url).path))
    page.goto("/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == DARK_GROUND
    page.get_by_role("link", name="Book a visit").click()
    page.get_by_role("link", name=re.compile("Swedish massage: 30 min")).click()
    place = page.locator("button.slot").first.bounding_box()
    assert place is not None
    assert place["y"] + place["height"] <= 568, "the times of the day are below the fold"
    expect(page.locator(".soon-slot")).to_have_count(3)
    page.locator(".soon-slot").first.click()
    fields = {"First name": "Nora", "Last name": "Walker", "E-mail": "nora@people.example"}
    for label, text in {**fields, "Mobile phone": "(212) 555-0143", "Day": "4", "Year": "1988"}.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Month", exact=True).select_option(label="July")
    page.get_by_role("button", name="Continue").click()
    for number in range(1, PAGES_OF_QUESTIONS + 1):
        page.wait_for_url(f"**/book/health/{number}")
        page.get_by_role("checkbox", name="None of these").check()
        page.get_by_role("button", name="Save and go on").click()
    for text in ("I agree to the treatment", "I agree that the clinic keeps"):
        page.get_by_role("checkbox", name=text).check()
    page.get_by_label("Full name of the person who signs").fill("Nora Walker")
    page.get_by_role("button", name="Sign my answers").click()
    page.get_by_role("button", name="Confirm booking").click()
    page.wait_for_url("**/book/done")
    context.close()
    assert newest_visit(site) == ("confirmed", True)
    assert [one for one in screens if not one.startswith("/book/health")] == [
        "/", "/book", "/book/swedish/times", "/book/who", "/book/check", "/book/done",
    ]  # fmt: skip


def test_whoever_goes_through_days_and_therapists_by_keyboard_sees_all_of_where_they_are(
    booking: Booking,
) -> None:
    """Half of a day in view was enough for the browser, which left the rest outside of the screen."""
    page = booking.page
    page.goto("/book/swedish/times?minutes=60", wait_until="networkidle")
    width = page.evaluate("innerWidth")
    links = page.locator(".days li a, .tabs li a")
    assert links.count() > 8
    links.first.focus()
    outside = []
    for _ in range(links.count() + 4):
        box = page.evaluate(
            "(() => { const on = document.activeElement.closest('.days li, .tabs li'); if (!on) return null;"
            " const box = on.getBoundingClientRect(); return [box.left, box.right, on.textContent.trim()]; })()"
        )
        if box and (box[0] < 0 or box[1] > width):
            outside.append(box)
        page.keyboard.press("Tab")
    assert not outside
