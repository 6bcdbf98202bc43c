"""`make axe`: open every page of a demo clinic as everybody who may, and look at it in each width and colour.

The pages are those of the access table, the steps of the client's booking and the pages that say what went wrong.
What the demo's rows do not open is said at the end. Options: --as KIND (or booking), --only TEXT, --widths 390
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import Flask, abort

from clinic.demo import SIGN_INS, fill_if_empty
from clinic.rules.permissions import Permission, Role
from clinic.shared import clock
from clinic.shared.database import db
from clinic.shared.web import needs_of
from scripts.axe_rows import rows_of
from tests.architecture.access_table import MAY, NEEDS
from tests.architecture.doors import NOT_A_KEY, Door, doors
from tests.browser import NO_CHROMIUM, Site, find_chromium, sandbox_flags, served
from tests.looking import WIDTHS, Watch, in_every_dress, inline_parts
from tests.walking import Booking
from tests.web import app_on, migrate, sqlite_address

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

KINDS = {
    "nobody": Role.ANYONE,
    "client": Role.CLIENT,
    "therapist": Role.THERAPIST,
    "front desk": Role.FRONT_DESK,
    "owner": Role.OWNER,
}
BOOKING = "booking"  # nobody yet: the steps of a booking in the making
E_MAILS = {kind.lower(): email for kind, email, _password in SIGN_INS}
PASSWORD = SIGN_INS[0][2]
WHAT_WENT_WRONG = (400, 403, 404, 405, 409, 413, 429, 500, 503)
LONGEST_WAIT = 30_000


@dataclass
class Report:
    """What was looked at, what was found, and what did not open."""

    widths: tuple[int, ...]
    looked: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    shut: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def look(self, page: Page, watch: Watch, name: str, html: str = "", code: int = 200) -> None:
        """The open page in every dress, and what its opening brought up."""
        found = in_every_dress(page, self.widths)
        broken = [f"answered with {code}"] if code >= 500 and "failure" not in name else []
        for fault in [*watch.take(), *inline_parts(html), *broken]:
            found.setdefault(fault, []).append("any dress")
        self.looked += 1
        print(f"{'FAULT' if found else 'ok'}  {name}  “{page.title()}”", flush=True)
        for fault, dresses in found.items():
            print(f"    {fault}\n      in {', '.join(dresses)}", flush=True)
            self.faults.setdefault(fault, []).append(name)

    def tell(self, seconds: float) -> None:
        """The sum."""
        dresses = len(self.widths) * 2
        print(f"\n{self.looked} pages, each in {dresses} dresses, in {seconds:.0f} s.")
        print(f"Files, not pages: {', '.join(self.files) or 'none'}.")
        print(
            f"Not open with the demo's rows, or on the way to another page: {'; '.join(self.shut) or 'none'}."
        )
        print(f"{len(self.faults)} different findings.")
        for fault, names in self.faults.items():
            print(f"  {len(names)}×  {fault[:300]}\n        {'; '.join(names[:4])}")


def main() -> None:
    """Look at all that was asked for; ends with 1 where something was found."""
    parser = argparse.ArgumentParser(prog="make axe")
    parser.add_argument("--only", default="")
    parser.add_argument("--as", dest="kind", choices=[*KINDS, BOOKING])
    parser.add_argument("--widths", default=",".join(map(str, WIDTHS)))
    asked = parser.parse_args()
    if find_chromium() is None:
        sys.exit(NO_CHROMIUM)
    report = Report(tuple(int(one) for one in asked.widths.split(",")))
    began = time.monotonic()
    with demo() as site, chromium() as browser:
        for kind in KINDS:
            if asked.kind in (None, kind):
                look_as(browser, site, kind, report, asked.only)
        if not asked.only and asked.kind in (None, BOOKING):
            walk_through_the_booking(browser, site, report)
    report.tell(time.monotonic() - began)
    sys.exit(1 if report.faults else 0)


@contextmanager
def demo() -> Iterator[Site]:
    """A served demo clinic, thrown away afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        app = app_on(sqlite_address(folder), folder, CLINIC_DEMO=True)
        migrate(app)
        with app.app_context():
            fill_if_empty(clock.now())
            db.session.remove()
            db.engine.dispose()
        with served(folder) as site:
            add_what_went_wrong(site.app)
            yield site


def add_what_went_wrong(app: Flask) -> None:
    """Addresses that answer with each of the pages for failures."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    needs_of(app)["failure"] = Permission.SITE_ANY_READ
    hidden = cast("APIFlask", app).doc(hide=True)  # from the document of the API
    app.add_url_rule("/failure/<int:code>", "failure", hidden(fail))


def fail(code: int) -> NoReturn:
    """Answer with this failure."""
    abort(code)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=sandbox_flags())
        yield browser
        browser.close()


def open_page(browser: Browser, site: Site) -> tuple[Page, Watch]:
    """A page in a browser of its own."""
    page = browser.new_context(base_url=site.url, locale="en-US", reduced_motion="reduce").new_page()
    page.set_default_timeout(LONGEST_WAIT)
    return page, Watch(page, site.url)


def sign_in(page: Page, kind: str) -> None:
    """As one of the demo's people; the passkey's button stands beside the one for a password."""
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(E_MAILS[kind])
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))


def look_as(browser: Browser, site: Site, kind: str, report: Report, only: str) -> None:
    """Every page of the access table that is open to this kind of person."""
    page, watch = open_page(browser, site)
    if kind in E_MAILS:
        sign_in(page, kind)
    with site.app.app_context():
        addresses = [*pages_for(site.app, kind, rows_of(site.app, kind)), *failures(kind)]
        db.session.remove()
    for name, address in addresses:
        if only in address:
            look_at(page, watch, f"{kind} {name}", address, report)
    page.context.close()


def look_at(page: Page, watch: Watch, name: str, address: str, report: Report) -> None:
    """One page, where it opens: what leads on to another page is looked at there."""
    answer = opened(page, address)
    if answer is None or "text/html" not in answer.headers.get("content-type", ""):
        report.files.append(name)
    elif answer.status == 404 and "failure" not in name:
        report.shut.append(name)
    elif answer.request.redirected_from is not None:
        report.shut.append(f"{name} (leads to {urlsplit(answer.url).path})")
    else:
        report.look(page, watch, name, answer.text(), answer.status)
    watch.take()


def opened(page: Page, address: str) -> Response | None:
    """The answer; None for a file, which a browser saves instead."""
    from playwright.sync_api import Error

    try:
        return page.goto(address)
    except Error as error:
        if "Download is starting" in str(error) or "ERR_ABORTED" in str(error):
            return None
        raise


def pages_for(app: Flask, kind: str, rows: Mapping[str, int]) -> list[tuple[str, str]]:
    """(route, address) of every page that this kind of person may open."""
    may_open = [door for door in doors(app, rows=rows) if door.method == "GET" and is_open(door, kind)]
    return [(door.rule, door.address) for door in may_open if NOT_A_KEY not in door.address]


def is_open(door: Door, kind: str) -> bool:
    need = NEEDS.get(door.endpoint)
    return need is not None and bool(MAY[Permission(need)] & {Role.ANYONE, KINDS[kind]})


def failures(kind: str) -> list[tuple[str, str]]:
    codes = WHAT_WENT_WRONG if kind == "nobody" else (403, 404, 500)
    return [(f"failure {code}", f"/failure/{code}") for code in codes]


def walk_through_the_booking(browser: Browser, site: Site, report: Report) -> None:
    """The steps that need a booking in the making: healthy, waiting for a letter, not safe, a warning sign."""
    for walk in (to_the_end, without_answers, to_a_letter, to_a_refusal, to_a_stop):
        page, watch = open_page(browser, site)

        def look(one: Page, watch: Watch = watch, name: str = walk.__name__) -> list[str]:
            report.look(one, watch, f"nobody {name} {one.url.removeprefix(site.url)}")
            return []

        walk(Booking(page, look))
        page.context.close()


def to_the_end(booking: Booking) -> None:
    begin(booking, "Swedish massage")
    booking.say_who()
    booking.answer(looks=True)
    booking.sign()
    booking.confirm()
    booking.look("Your time is booked")
    page = booking.page
    page.get_by_role("link", name="Move my visit").click()
    booking.look("Move your visit")
    page.get_by_role("link", name="Keep it as it is").click()
    booking.look("Your visit")
    booking.press("Cancel my visit")
    page.get_by_role("dialog").get_by_role("button", name="Cancel my visit").click()
    page.get_by_text("Your visit is cancelled.").first.wait_for()
    booking.look("Your visit")


def without_answers(booking: Booking) -> None:
    """Every page sent empty: the pages that say what is missing."""
    page = booking.page
    page.goto("/book/swedish/times")
    booking.no_faults()
    page.goto("/book/swedish/wait?minutes=60")
    booking.no_faults()
    page.get_by_role("main").locator("button[type=submit]").first.click()
    booking.no_faults()
    begin(booking, "Relaxation massage")
    booking.press("Continue")
    booking.look("Who is coming?")
    booking.say_who()
    booking.press("Save and go on")
    booking.no_faults()
    booking.answer()
    booking.press("Sign my answers")
    booking.no_faults()
    page.goto("/sign-in")
    booking.press("Sign in")
    booking.no_faults()


def to_a_letter(booking: Booking) -> None:
    begin(booking, "Relaxation massage")
    booking.say_who()
    booking.answer({"Has a doctor told you that you have heart failure": {"In the last 2 weeks": "No"}})
    booking.sign()
    booking.confirm()
    booking.look("We keep this time, a doctor’s word is missing")
    booking.page.get_by_role("link", name="Show the questions").click()
    booking.look("Questions for your doctor")


def to_a_refusal(booking: Booking) -> None:
    begin(booking, "Deep tissue massage")
    booking.say_who()
    details = {"Which kind?": "Blood thinner such as", "Same medicine": "Yes", "Do you bruise or bleed": "No"}
    booking.answer({"Do you take a medicine that thins your blood": details})
    booking.sign()
    booking.see_why_not()
    booking.look("We can’t book deep tissue massage for you just yet")


def to_a_stop(booking: Booking) -> None:
    begin(booking, "Swedish massage")
    booking.say_who()
    warning = booking.page.get_by_role("group", name="Do you have chest pain")
    warning.get_by_role("radio", name="Not sure").check()
    booking.press("Save and go on")
    booking.look("Please get medical help now")


def begin(booking: Booking, service: str) -> None:
    booking.choose(service, "1 hour")
    booking.take_a_later_day()


if __name__ == "__main__":
    main()
