"""A time typed by half is sent by browsers as nothing: the form stays, and says at the field what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.journeys.test_intake import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_half_a_time_is_not_saved_as_no_time(page: Page) -> None:
    sign_in(page, "therapist@willow.example")
    page.goto("/diary/hours")
    ends = page.locator("input[name='work.0.0.ends']")
    was = ends.input_value()
    ends.evaluate("field => { field.value = ''; field.focus(); }")
    page.keyboard.type("7")
    assert ends.evaluate("field => field.validity.badInput"), "half a time"
    page.get_by_role("button", name="Save the weekly hours").last.click()
    page.wait_for_selector("input[name='work.0.0.ends']:focus")
    page.goto("/diary/hours")
    assert (was != "", ends.input_value()) == (True, was)
