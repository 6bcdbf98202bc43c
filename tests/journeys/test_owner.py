"""The owner's pages where only a browser can tell: reports on paper, and a clinic's own logo on a dark page."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from PIL import Image

from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

CUT_OFF = """() => [...document.querySelectorAll(".report table")]
  .filter((one) => one.getBoundingClientRect().right > one.closest(".report").getBoundingClientRect().right)
  .map((one) => one.caption.textContent)"""


def pages(page: Page) -> int:
    """How many sheets of paper the open page takes."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True)))


def test_reports_fill_their_paper_and_lose_no_column(page: Page, site: Site) -> None:
    sign_in(page, "owner@willow.example")
    page.goto("/owner/reports?over=days&first=2026-01-01&last=2026-03-31")
    assert pages(page) <= 3
    page.evaluate("document.querySelectorAll('details.more').forEach((one) => { one.open = true; })")
    page.set_viewport_size({"width": 696, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print")
    assert page.evaluate(CUT_OFF) == []
    assert page.locator(".report summary").first.is_hidden()


def test_a_logo_of_dark_letters_is_seen_on_a_dark_page(page: Page, site: Site) -> None:
    sign_in(page, "owner@willow.example")
    logo = io.BytesIO()
    Image.new("RGBA", (300, 80), (0, 0, 0, 0)).save(logo, "PNG")
    page.goto("/owner/look")
    page.locator("[name=logo]").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": logo.getvalue()}
    )
    page.get_by_role("button", name="Save the look").click()
    page.emulate_media(color_scheme="dark")
    page.goto("/owner/look")
    for logo_there in ("header .own-logo", ".logo-now img"):
        ground = page.locator(logo_there).evaluate("(one) => getComputedStyle(one).backgroundColor")
        assert ground == "rgb(255, 253, 249)", logo_there
