"""The owner in a browser: clients see what is changed in the settings, and reports show what their files hold."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import read, sign_in
from tests.looking import expect
from tests.walking import Faults

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

OWNER = "owner@willow.example"
BIG_TIMES = 20_000
PLUM, PLUM_RGB = "#6b2d5c", "rgb(107, 45, 92)"
PASSWORD = "quiet rain on tin roofs"
CUT_OFF = """() => [...document.querySelectorAll(".report table")]
  .filter((one) => one.getBoundingClientRect().right > one.closest(".report").getBoundingClientRect().right)
  .map((one) => one.caption.textContent)"""


@pytest.fixture(autouse=True)
def at_a_desk(page: Page) -> None:
    """A wide screen, signed in, and with time for a busy machine."""
    page.set_default_timeout(BIG_TIMES)
    page.set_viewport_size({"width": 1280, "height": 800})
    sign_in(page, OWNER)


def guest(page: Page) -> Page:
    """Somebody else's phone, on which nobody is signed in."""
    browser = page.context.browser
    assert browser is not None
    base = re.match(r"https?://[^/]+", page.url)
    assert base is not None
    other = browser.new_context(
        base_url=base[0], viewport={"width": 390, "height": 844}, locale="en-US"
    ).new_page()
    other.set_default_timeout(BIG_TIMES)
    return other


def test_look_and_price_of_the_clinic_are_what_a_client_sees(
    page: Page, accessibility_faults: Faults
) -> None:
    logo = io.BytesIO()
    Image.new("RGBA", (240, 60), (107, 45, 92, 255)).save(logo, "PNG")
    page.goto("/owner/look")
    page.get_by_label("Picture").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": logo.getvalue()}
    )
    page.get_by_label("Main colour").fill(PLUM)
    page.get_by_role("button", name="Save the look").click()
    page.get_by_text("Saved.").first.wait_for()
    page.goto("/owner/services")
    page.get_by_role("link", name="Swedish massage").click()
    page.get_by_label("Price").nth(1).fill("97.50")
    page.get_by_role("button", name="Save this service").click()
    page.get_by_text("Saved").first.wait_for()
    client = guest(page)
    client.goto("/book")
    expect(
        client.get_by_role("link", name=re.compile(r"^Swedish massage:\s*60 min\s*\$97\.50$"))
    ).to_be_visible()
    mark = client.locator("header img").first
    assert mark.evaluate("one => one.complete && one.naturalWidth > 0"), "the logo is there"
    client.goto("/services/swedish")
    ground = client.locator("main .btn-brand, main .btn").first
    expect(ground).to_have_css("background-color", PLUM_RGB)
    assert accessibility_faults(client) == []


def still_there(site: Site, day: str) -> list[int]:
    """Visits of that day which are on."""
    return read(
        site,
        lambda: db.session.scalars(
            select(Visit.id).where(
                Visit.day == dt.date.fromisoformat(day),
                Visit.status.in_(("confirmed", "pending", "suspended")),
            )
        ).all(),
    )  # type: ignore[return-value]


def test_a_text_that_was_only_looked_at_is_not_left_behind_unasked(page: Page) -> None:
    page.goto("/owner/messages/visit_booked")
    text = page.locator("#body")
    text.fill(f"{text.input_value()}\n\nRing twice.")
    page.get_by_role("button", name="See how it looks").click()
    page.get_by_text("Ring twice.").nth(1).wait_for()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    text.click()  # a browser asks nobody who has not touched the page
    page.get_by_role("link", name="Leave without saving").click()
    expect(text).to_have_value(re.compile("Ring twice."))
    assert asked == ["beforeunload"]


def test_a_closure_names_its_visits_before_it_is_saved_and_then_nothing_is_free(
    page: Page, site: Site, accessibility_faults: Faults
) -> None:
    def last_day() -> str:
        return db.session.scalars(
            select(Visit.day).where(Visit.status == VisitStatus.CONFIRMED).order_by(Visit.day.desc()).limit(1)
        ).one().isoformat()  # fmt: skip

    day = str(read(site, last_day))
    times = f"/book/swedish/times?minutes=60&day={day}"
    client = guest(page)
    client.goto(times)
    expect(client.locator("button.slot").first).to_be_visible()
    page.goto("/owner/closures")
    page.get_by_label("First day").fill(day)
    page.get_by_label("Why").fill("Painters")
    page.get_by_role("button", name="Close this time").last.click()
    said = page.get_by_text(re.compile(r"booked visits? lie")).inner_text()
    assert int(said.split()[0]) == len(still_there(site, day)), "whose visits it touches is said first"
    assert accessibility_faults(page) == []
    client.reload()
    expect(client.locator("button.slot").first).to_be_visible()
    page.get_by_role("button", name="Close this time all the same").click()
    page.get_by_text("Nothing is closed from today on.").wait_for(state="detached")
    page.get_by_text("Painters").first.wait_for()
    client.goto(times)
    expect(client.locator(f'a.day[href*="{day}"]')).to_have_count(0)


def test_each_report_is_a_picture_with_the_table_of_its_file(
    page: Page, accessibility_faults: Faults
) -> None:
    page.goto("/owner/reports")
    reports = page.locator("section.report")
    expect(reports).to_have_count(9)
    empty: list[str] = []
    for at in range(9):
        report = reports.nth(at)
        if report.get_by_role("img").count() == 0:
            empty.append(report.inner_text())
            continue
        report.locator("summary", has_text="Show the table").click()
        cells = report.locator("tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        )
        with page.expect_download() as file:
            report.get_by_role("link", name="Download as CSV").click()
        head, *rows = csv.reader(io.StringIO(file.value.path().read_text("utf-8-sig")))
        assert len(head) == report.locator("thead th").count()
        assert [len(row) for row in rows] == [len(row) for row in cells], head
    assert all("fewer than 5 people is left out" in one for one in empty), (
        "or it says why there is no picture"
    )
    assert len(empty) < 4
    assert accessibility_faults(page) == []


def test_somebody_is_invited_sets_a_password_and_is_in(page: Page, site: Site) -> None:
    page.goto("/owner/team/new")
    page.get_by_label("Name").fill("Ines Falk")
    page.get_by_label("E-mail").fill("ines@willow.example")
    page.get_by_role("checkbox", name=re.compile("^Front desk")).check()
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("ines@willow.example").first.wait_for()

    def mailed() -> str:
        return db.session.scalars(
            select(OutgoingMail).where(OutgoingMail.to == "ines@willow.example")
        ).one().text  # fmt: skip

    link = re.search(r"https?://\S+", str(read(site, mailed)))
    assert link is not None
    other = guest(page)
    other.goto(link[0])
    other.get_by_label("New password", exact=True).fill(PASSWORD)
    other.locator("main button[type=submit]").click()
    other.get_by_label("Password", exact=True).wait_for()
    other.get_by_label("E-mail").fill("ines@willow.example")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(
        other.get_by_role("heading", level=2, name="Not coming")
        .or_(other.locator(".grid-head, .ev").first)
        .first
    ).to_be_visible()
    page.goto("/owner/team")
    page.get_by_role("link", name="Ines Falk").click()
    page.get_by_role("heading", level=1, name="Ines Falk").wait_for()


def pages(page: Page) -> int:
    """How many sheets of paper the open page takes."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True)))


def test_reports_fill_their_paper_and_lose_no_column(page: Page) -> None:
    page.goto("/owner/reports?over=days&first=2026-01-01&last=2026-03-31")
    assert pages(page) <= 3
    page.evaluate("document.querySelectorAll('details.more').forEach((one) => { one.open = true; })")
    page.set_viewport_size({"width": 696, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print")
    assert page.evaluate(CUT_OFF) == []
    assert page.locator(".report summary").first.is_hidden()


def test_a_logo_of_dark_letters_is_seen_on_a_dark_page(page: Page) -> None:
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
