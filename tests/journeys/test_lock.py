"""A screen of the team's that nobody touches is covered: nothing of it can be read, and it opens where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinic.demo import PASSWORD
from tests.journeys.test_desk import next_monday, sign_in

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
    assert page.locator("#q, main, nav").count() == 0, "not even hidden"
    assert page.title() == "The screen is locked"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.locator("dialog.lock").is_visible()
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
    assert page.locator("main a[href*='/desk/visits/']").count() == 0, "the page before is locked as well"
