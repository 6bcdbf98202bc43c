"""`make grid`: how soon the desk's day of 20 therapists with 12 visits each is shown, and how smoothly one is dragged.

Shown is measured by the browser's own marks: from the end of the answer to the paint that holds the last of the heads
and visits in the window, the median of five openings from another page of the desk, as the front desk goes there. The
same from an empty tab stands below: the browser starts a process for it after the answer, which no page can hasten.
Beside both stands the work of the page's thread, which a busy machine changes less. The drag goes over the whole grid
for two seconds; counted are the frames that were drawn.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.demo import fill_if_empty
from clinic.shared import clock
from clinic.shared.database import db, transaction
from scripts.axe import chromium, sign_in
from tests import factories
from tests.browser import NO_CHROMIUM, Site, find_chromium, served
from tests.web import app_on, migrate, sqlite_address

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

THERAPISTS, VISITS = 20, 12
OPENINGS, ENOUGH_MS, ENOUGH_FRAMES = 5, 300, 50
WIDE = {"width": 1440, "height": 900}
LONGEST_MS, REST_MS = 60_000, 300

MARK = """window.painted = [];
new PerformanceObserver((list) => window.painted.push(...list.getEntries())).observe({ type: "element" });
new MutationObserver(() => {
  document.querySelectorAll(".dg-who h2, .ev > a").forEach((one) => one.setAttribute("elementtiming", ""));
}).observe(document, { childList: true, subtree: true });"""
SHOWN = """() => new Promise((done) => setTimeout(() => {
  const [page] = performance.getEntriesByType("navigation"), count = (what) => document.querySelectorAll(what).length;
  const seen = window.painted.filter((one) => one.intersectionRect.width * one.intersectionRect.height);
  done([Math.max(...seen.map((one) => one.startTime)) - page.responseEnd, page.responseEnd - page.requestStart,
        page.encodedBodySize / 1024, count("main *"), count(".ev")]);
}, 500))"""
COUNT = """() => { window.drawn = []; const next = (at) => { window.drawn.push(at); requestAnimationFrame(next); };
  requestAnimationFrame(next); }"""


def main() -> None:
    """Measure, print, and end with 1 where a figure falls short."""
    if find_chromium() is None:
        sys.exit(NO_CHROMIUM)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name) / "data"
        app = app_on(sqlite_address(folder), folder, CLINIC_DEMO=True)
        migrate(app)
        with app.app_context():
            place, day = fill()
            db.session.remove()
            db.engine.dispose()
        with served(folder) as site:
            page = signed_in(browser, site)
            grid = f"/desk?place={place}&day={day}"
            cold, shown = [], []
            for _ in range(OPENINGS + 1):
                cold.append(opened(page, grid, "about:blank"))
                shown.append(opened(page, grid, "/todo"))
            frames = dragged(page)
    after, answer, size, elements, visits, worked = middles(shown[1:])
    print(f"{visits:.0f} visits, {elements:.0f} elements, {size:.0f} kB: answered in {answer:.0f} ms,")
    print(f"shown {after:.0f} ms after the answer ({', '.join(f'{one[0]:.0f}' for one in shown[1:])}),")
    print(f"{worked:.0f} ms of work for the page's thread,")
    after_blank, _, _, _, _, worked = middles(cold[1:])
    print(f"{after_blank:.0f} ms and {worked:.0f} ms of work when the tab was empty before,")
    print(f"{frames:.0f} frames a second while a visit is dragged.")
    sys.exit(after > ENOUGH_MS or frames < ENOUGH_FRAMES)


def fill() -> tuple[int, str]:
    """A second place in the demo with its own team. The visits are copies of one that was booked and judged, each at
    its own time; they claim nothing. Returns the place and the day."""
    fill_if_empty(clock.now())
    one = db.session.scalars(
        select(Visit).where(Visit.status == "confirmed").order_by(Visit.starts_at.desc()).limit(1)
    ).one()
    place = factories.make_location(name="Second house", zone=one.zone)
    rooms = [factories.make_room(place, name=f"Room {number}").id for number in range(THERAPISTS)]
    team = [factories.make_therapist(name=f"Therapist {number}", skills=()) for number in range(THERAPISTS)]
    for person in team:
        factories.make_hours(person, place, starts="08:00", ends="20:00", weekdays=range(7))
    people = [person.id for person in team]
    plain = {
        column.key: getattr(one, column.key)
        for column in Visit.__table__.columns
        if column.key not in ("id", "request_key", "manage_hash", "note_sealed", "couple_id", "series_id")
    }
    midnight = dt.datetime.combine(one.day, dt.time(), ZoneInfo(one.zone))
    with transaction() as session:
        for therapist_id, room in zip(people, rooms, strict=True):
            for hour in range(8, 8 + VISITS):
                starts = midnight.replace(hour=hour).astimezone(dt.UTC)
                ends = starts + dt.timedelta(minutes=45)
                values = {
                    "location_id": place.id, "therapist_id": therapist_id, "room_id": room, "starts_at": starts,
                    "ends_at": ends, "free_at": ends + dt.timedelta(minutes=15), "local_time": dt.time(hour),
                }  # fmt: skip
                session.add(Visit(**{**plain, **values}))
    return place.id, one.day.isoformat()


def signed_in(browser: Browser, site: Site) -> Page:
    """The desk's own page."""
    page = browser.new_context(base_url=site.url, viewport=WIDE).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(LONGEST_MS)
    sign_in(page, "front desk")
    page.add_init_script(MARK)
    return page


def middles(shown: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(median(column) for column in zip(*shown, strict=True))


def opened(page: Page, address: str, before: str) -> tuple[float, ...]:
    """Milliseconds from the answer to the grid, and what the answer was. The tab shows the page `before` first."""
    page.goto(before)
    page.wait_for_timeout(REST_MS)
    thread = page.context.new_cdp_session(page)
    thread.send("Performance.enable", {"timeDomain": "threadTicks"})
    worked = -worked_ms(thread)
    page.goto(address)
    found: list[float] = page.evaluate(SHOWN)
    return (*found, worked + worked_ms(thread))


def worked_ms(thread: CDPSession) -> float:
    """How long the page's thread has worked so far."""
    numbers = {one["name"]: one["value"] for one in thread.send("Performance.getMetrics")["metrics"]}
    return float(1000 * numbers["TaskDuration"])


def dragged(page: Page) -> float:
    """Frames a second while a visit follows the mouse."""
    place = page.locator(".ev[data-moves]").first.bounding_box()
    if place is None:
        sys.exit("no visit can be dragged")
    page.mouse.move(place["x"] + 30, place["y"] + 12)
    page.mouse.down()
    page.evaluate(COUNT)
    for step in range(120):
        page.mouse.move(place["x"] + 30 + 8 * step, place["y"] + 12 + 3 * (step % 90))
    drawn: list[float] = page.evaluate("window.drawn")
    page.keyboard.press("Escape")
    page.mouse.up()
    return 1000 * (len(drawn) - 1) / (drawn[-1] - drawn[0])


if __name__ == "__main__":
    main()
