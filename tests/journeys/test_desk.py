"""The front desk in a real browser: a visit by keyboard alone, the tablet, every page without accessibility faults."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from clinic.demo import PASSWORD
from tests.looking import expect, in_both_widths

if TYPE_CHECKING:
    from playwright.sync_api import Page

Faults = Callable[["Page"], list[str]]


def sign_in(page: Page, leads_to: str | re.Pattern[str] = "**/desk**") -> None:
    page.goto("/sign-in")
    page.fill("input[name=email]", "desk@willow.example")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(leads_to)


def next_monday(weeks: int = 0) -> str:
    """A Monday at least two days ahead; `weeks` later where a person has visits before."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    return (day + dt.timedelta(days=-day.weekday() % 7, weeks=weeks)).isoformat()


def everybodys_day(weeks: int) -> str:
    """A Wednesday so many weeks ahead: all therapists of the demo work, whoever it was that somebody saw last."""
    return (dt.date.fromisoformat(next_monday(weeks)) + dt.timedelta(days=2)).isoformat()


def press_until(page: Page, found: str, key: str = "Tab", most: int = 60) -> None:
    """Press the key until the element with the focus matches the selector."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", found):
            return
        page.keyboard.press(key)
    pytest.fail(f"the keyboard never reached {found}")


def test_a_known_client_is_booked_by_keyboard_alone(page: Page, accessibility_faults: Faults) -> None:
    sign_in(page)
    page.goto(f"/desk/visits/new?day={next_monday(weeks=2)}")
    keys = page.keyboard
    press_until(page, "#q")
    keys.type("ana ald")
    press_until(page, "#what")
    keys.type("Relaxation")
    press_until(page, "#day")
    with page.expect_navigation():  # the times stand there before, too
        keys.press("Enter")
    page.wait_for_selector("button[name=start]")
    assert in_both_widths(page) == []
    page.focus("#q")
    press_until(page, "input[name=client]")
    keys.press("Enter")
    expect(page.locator("input[name=client]:checked")).to_have_count(1)
    page.wait_for_selector("#what:focus")
    what = page.input_value("#what")
    page.select_option("#what", "deep_tissue||30")
    keys.press("Enter")  # it is given at a place of the body: Enter leads there
    page.wait_for_selector("[data-to-field]:focus")
    keys.press("Enter")
    page.wait_for_selector("#areas-0:focus")
    page.select_option("#what", what)
    page.focus("#what")
    keys.press("Enter")
    page.wait_for_selector("button[name=start]:focus")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    expect(page.locator("h1")).to_have_text("Ana Alder")
    assert accessibility_faults(page) == []


def test_somebody_new_waits_and_signs_on_the_tablet(page: Page, accessibility_faults: Faults) -> None:
    sign_in(page)
    page.goto(f"/desk/visits/new?day={next_monday()}")
    page.get_by_text("Add somebody new").click()
    page.fill("#first_name", "Nora")
    page.fill("#last_name", "Newman")
    page.fill("#born_on", "1990-02-03")
    page.select_option("#what", index=1)
    with page.expect_navigation():
        page.get_by_role("button", name="Show clients and times").last.click()
    page.locator("button[name=start]").first.click()
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    address = page.url
    expect(page.get_by_text("The health questions are not signed yet")).to_be_visible()
    page.get_by_role("link", name="Ask the health questions").click()
    page.get_by_role("button", name="Hand over this device").click()
    page.wait_for_url("**/tablet")
    assert accessibility_faults(page) == []
    page.goto("/desk")
    assert page.url.endswith("/tablet")
    page.get_by_role("link", name="Yes, begin").click()
    for _ in range(40):
        if page.url.endswith("/sign"):
            break
        page.locator("input[data-none-of-page]").check(force=True)
        here = page.url
        page.get_by_role("button", name="Save and go on").click()
        page.wait_for_url(re.compile(f"^(?!{re.escape(here)}$)"))
    assert accessibility_faults(page) == []
    page.check("input[name=treatment]")
    page.check("input[name=privacy]")
    page.fill("input[name=name]", "Nora Newman")
    page.get_by_role("button", name="Sign my answers").click()
    page.get_by_text("Please hand the tablet back").first.wait_for()
    sign_in(page, re.compile(r"/clients/\d+$"))
    page.goto(address)
    assert page.locator(".badge-c").first.inner_text().strip() == "Confirmed"


def test_the_pages_of_the_desk_have_no_faults_in_both_widths(page: Page) -> None:
    sign_in(page)
    day = next_monday()
    for address in (
        f"/desk?day={day}", f"/desk?day={day}&view=list", "/todo", "/clients?q=an", "/clients/new",
        "/clients/duplicates", f"/desk/visits/new?day={day}", "/intake/blank",
    ):  # fmt: skip
        page.goto(address)
        assert in_both_widths(page) == [], address
    page.goto(f"/desk?day={day}")
    page.locator(".ev a").first.click()
    assert in_both_widths(page) == []
    visit = page.url
    for end in ("/change", "/cancel"):
        page.goto(visit + end)
        assert in_both_widths(page) == [], end
