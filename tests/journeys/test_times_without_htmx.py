"""The days of the page of free times while what renews a part of it has not come, or never comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPEN = "#when a.day[aria-current]"


def test_back_and_forward_show_the_day_of_the_address(page: Page) -> None:
    page.goto("/book/swedish/times?minutes=60", wait_until="networkidle")
    assert page.evaluate("typeof window.htmx") == "object"
    days = [one.get_attribute("href") or "" for one in page.locator("#when a.day").all()][1:3]
    for href in days:
        page.locator(f'#when a.day[href="{href}"]').click()
        page.locator(f'{OPEN}[href="{href}"]').wait_for()
        page.locator("#when [data-focus]:focus").wait_for()
    page.route("**/htmx.min.js*", lambda route: route.abort())
    for go, href in ((page.go_back, days[0]), (page.go_forward, days[1]), (page.go_back, days[0])):
        go()
        page.locator(f'{OPEN}[href="{href}"]').wait_for()
        page.wait_for_load_state("load")  # the page is shown before its script listens
        assert page.url.endswith(href)
        assert page.evaluate("typeof window.htmx") == "undefined"
    page.locator(f'#when a.day[href="{days[1]}"]').click()
    page.locator(f'{OPEN}[href="{days[1]}"]').wait_for()
