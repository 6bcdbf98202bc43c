"""A screen of the team's that nobody touches is covered: nothing of it can be read, and it opens where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinic.demo import PASSWORD
from tests.journeys.test_desk import next_monday, sign_in
from tests.looking import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

IDLE = 15 * 60_000 + 5_000


def test_a_locked_screen_shows_nothing_and_opens_where_it_was(page: Page) -> None:
    page.clock.install()
    sign_in(page)
    page.goto(f"/desk/visits/new?day={next_monday(weeks=6)}")
    page.wait_for_selector("#q:focus")
    page.keyboard.type("Ana Alder")
    title = page.title()
    page.clock.run_for(IDLE)
    page.wait_for_selector("#lock-proof:focus")
    assert "Ana Alder" not in page.content()
    expect(page.locator("#q, main, nav"), "not even hidden").to_have_count(0)
    assert page.title() == "The screen is locked"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator("dialog.lock")).to_be_visible()
    page.fill("#lock-proof", "not the password")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lock-wrong:not([hidden])")
    page.fill("#lock-proof", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#q:focus")
    assert (page.input_value("#q"), page.title()) == ("Ana Alder", title)

    with page.expect_response("**/account/lock"):  # the server has heard of it: its own clock has not gone on
        page.clock.run_for(IDLE)
    page.wait_for_selector("#lock-proof:focus")
    page.go_back()
    expect(page.locator("main a[href*='/desk/visits/']"), "the page before is locked as well").to_have_count(
        0
    )
