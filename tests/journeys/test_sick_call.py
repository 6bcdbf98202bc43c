"""The sick call: from the therapist's phone to the desk's list, to the client who says yes to another time."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist
from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import TREATS, becomes_nobody, read, sign_in
from tests.looking import expect
from tests.walking import Faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

BIG_TIMES = 20_000


def last_day(site: Site) -> tuple[str, int]:
    """The last day on which this therapist has visits, none of which waits for anything, and how many."""

    def asked() -> tuple[str, int]:
        ahead = db.session.execute(
            select(Visit.day, Visit.status)
            .join(Therapist, Therapist.id == Visit.therapist_id)
            .where(Therapist.name == TREATS, Visit.status.in_(UPCOMING))
        ).all()
        days = [one.day for one in ahead]
        waiting = {one.day for one in ahead if one.status != VisitStatus.CONFIRMED}
        last = max({*days} - waiting)
        return last.isoformat(), days.count(last)

    found = read(site, asked)
    assert isinstance(found, tuple)
    return found


def test_a_day_off_is_entered_on_the_phone_and_each_client_finds_another_time(
    page: Page, site: Site, accessibility_faults: Faults
) -> None:
    page.set_default_timeout(BIG_TIMES)
    day, how_many = last_day(site)
    sign_in(page, "therapist@willow.example")
    page.goto("/diary/time-off")
    page.get_by_label("First day").fill(day)
    page.get_by_role("button", name="Check and save").click()
    page.get_by_role("heading", level=1, name="Check the time off").wait_for()
    expect(page.get_by_role("heading", name=re.compile(f"It touches {how_many} visit"))).to_be_visible()
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Save time off").click()
    page.get_by_role("heading", name="Visits that need a new time").wait_for()

    becomes_nobody(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    sign_in(page, "desk@willow.example")
    page.goto("/todo")
    page.get_by_role("link", name=f"Find a way for the visits of {TREATS}").click()
    page.get_by_text("Cannot work").first.wait_for()
    sick_page = page.url
    told = dt.date.fromisoformat(day)
    section = page.get_by_role("region", name=re.compile(rf"{told:%B}.{told.day}\b"))
    rows = section.locator(".sick-row")
    expect(rows).to_have_count(how_many)
    offer = rows.first.get_by_role("button", name=re.compile("^Offer")).first
    offer.click()
    rows.first.get_by_text(re.compile("^Asked:")).wait_for()

    def mailed() -> str:
        return db.session.scalars(
            select(OutgoingMail.text).where(OutgoingMail.kind.contains("offer")).order_by(OutgoingMail.id.desc())
        ).first() or ""  # fmt: skip

    link = re.search(r"https?://\S+/offer/\S+", str(read(site, mailed)))
    assert link is not None
    becomes_nobody(page)
    page.goto(link[0])
    page.get_by_role("heading", level=1, name="A time is free for you").wait_for()
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Take this time").click()
    page.get_by_role("heading", level=1, name="Your visit").wait_for()
    expect(page.get_by_text("Confirmed", exact=True).first).to_be_visible()
    sign_in(page, "desk@willow.example")
    page.goto(sick_page)
    expect(rows).to_have_count(how_many - 1)
    assert accessibility_faults(page) == []
    assert last_day(site)[1] == how_many - 1 or last_day(site)[0] != day
