"""Stories that hang on the hour: a walk-in, a kept time that runs out, new hours, and the calendar of a phone.

They happen at ten on a working day: the clinic is open, whenever the tests run.
"""

from __future__ import annotations

import datetime as dt
import re
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from zoneinfo import ZoneInfo

import icalendar
import pytest
import time_machine
from sqlalchemy import select

from clinic.booking.models import StatusChange, Visit
from clinic.demo import ZONE
from clinic.shared.database import db
from clinic.therapists.models import Therapist, WorkingHours
from tests.browser import Site
from tests.journeys.test_client_books import BIG_TIMES, newest_visit
from tests.journeys.test_desk import next_monday
from tests.journeys.test_letter_check_in_and_say import TREATS, read, sign_in, status_of
from tests.looking import expect, in_both_widths
from tests.walking import Booking

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

THERAPIST, DESK = "therapist@willow.example", "desk@willow.example"
DESKTOP = {"width": 1280, "height": 900}
LONGER_THAN_KEPT = dt.timedelta(minutes=45)


@pytest.fixture
def hour(page: Page, site: Site) -> Iterator[time_machine.Traveller]:
    """Ten in the morning of a Monday to come, for the clinic and for the browser."""
    when = dt.datetime.combine(dt.date.fromisoformat(next_monday()), dt.time(10), ZoneInfo(ZONE))
    page.set_default_timeout(BIG_TIMES)
    page.clock.install(time=when)
    with time_machine.travel(when, tick=True) as traveller:
        yield traveller


def walk_in(page: Page, first: str, last: str) -> int:
    """Somebody new stands at the desk: the number of the visit that is booked for as soon as it fits."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page, DESK)
    page.wait_for_url("**/desk**")
    page.keyboard.press("w")
    page.wait_for_selector("#q:focus")
    page.keyboard.type(f"{first} {last}")
    page.keyboard.press("Enter")
    page.wait_for_selector("#born_on:focus")
    page.fill("#born_on", "1990-02-03")
    page.select_option("#what", "swedish||60")
    page.locator("button[name=start]").first.click()
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    return int(page.url.rsplit("/", 1)[1])


def answer_on_the_tablet(page: Page, name: str, yes: dict[str, dict[str, str]]) -> None:
    """The desk hands the device over; the client answers, says yes to `yes`, and signs."""
    page.get_by_role("link", name="Ask the health questions").click()
    page.get_by_role("button", name="Hand over this device").click()
    page.wait_for_url("**/tablet")
    page.get_by_role("link", name="Yes, begin").click()
    page.wait_for_url("**/tablet/1")
    Booking(page, in_both_widths).answer(yes)
    for box in ("treatment", "privacy"):
        page.check(f"input[name={box}]")
    page.fill("input[name=name]", name)
    page.get_by_role("button", name="Sign my answers").click()
    page.get_by_text("Please hand the tablet back").first.wait_for()


def steps_of(site: Site, visit_id: int) -> list[tuple[str, dt.datetime]]:
    """What the visit went through, and when."""

    def asked() -> list[tuple[str, dt.datetime]]:
        rows = db.session.scalars(
            select(StatusChange).where(StatusChange.visit_id == visit_id).order_by(StatusChange.id)
        )
        return [(row.status, row.at) for row in rows]

    found: Any = read(site, asked)
    return list(found)


def test_somebody_walks_in_is_asked_and_treated(page: Page, site: Site, hour: time_machine.Traveller) -> None:
    visit = walk_in(page, "Nora", "Newman")
    here = page.url
    answer_on_the_tablet(page, "Nora Newman", {})
    assert status_of(site, visit) == "confirmed"
    sign_in(page, DESK)
    page.wait_for_url(re.compile(r"/clients/\d+$"))  # whose tablet it was
    page.goto(here)
    for press, follows in (
        ("Mark as arrived", "Start the session"),
        ("Start the session", "Finish the session"),
        ("Finish the session", "Not finished after all"),
    ):
        page.get_by_role("button", name=press).click()
        page.get_by_role("button", name=follows).wait_for()
    steps = steps_of(site, visit)
    assert [status for status, _at in steps] == ["pending", "confirmed", "arrived", "in_session", "done"]
    times = [at for _status, at in steps]
    assert times == sorted(times)
    assert times[0].astimezone(ZoneInfo(ZONE)).hour == 10
    assert times[-1] - times[0] < dt.timedelta(minutes=5)


def test_somebody_who_walks_in_with_a_blood_clot_is_not_treated(
    page: Page, site: Site, hour: time_machine.Traveller
) -> None:
    visit = walk_in(page, "Carl", "Carter")
    here = page.url
    clot = {"Is the clot there now": "It is there now"}
    answer_on_the_tablet(page, "Carl Carter", {"Do you have a blood clot": clot})
    assert status_of(site, visit) == "cancelled"
    sign_in(page, DESK)
    page.wait_for_url(re.compile(r"/clients/\d+$"))  # whose tablet it was
    page.goto(here)
    expect(page.get_by_role("heading", name="Carl Carter")).to_be_visible()
    assert page.get_by_role("button", name=re.compile("arrived|Start|took place")).count() == 0
    assert "clot" not in page.locator("main").inner_text(), "the desk reads what to do, never what it is"


def time_of(site: Site, status: str) -> tuple[int, dt.datetime, str]:
    """The newest visit with this status: its therapist, its start, and the start as the page sends it."""

    def asked() -> tuple[int, dt.datetime, str]:
        row = db.session.scalars(
            select(Visit).where(Visit.status == status).order_by(Visit.created_at.desc()).limit(1)
        ).one()
        return row.therapist_id, row.starts_at, row.day.isoformat()

    found: Any = read(site, asked)
    return found[0], found[1], found[2]


def up_to_the_end(page: Page, *, whom: str = "") -> Booking:
    """A time is kept and all is answered, with `whom` or with anybody."""
    booking = Booking(page, in_both_widths, looks_on_the_way=False)
    booking.choose("Swedish massage", "1 hour")
    if whom:
        page.get_by_role("link", name=whom).click()
        page.wait_for_url("**therapist=**")
    booking.take_a_later_day()
    booking.say_who()
    booking.answer()
    booking.sign()
    page.get_by_role("heading", name="Is everything right?").wait_for()
    return booking


def test_a_kept_time_that_ran_out_is_taken_again_while_it_is_free(
    page: Page, site: Site, hour: time_machine.Traveller
) -> None:
    booking = up_to_the_end(page)
    expect(page.locator("[data-hold]")).to_contain_text("left")
    _therapist, starts_at, _day = time_of(site, "held")
    hour.shift(LONGER_THAN_KEPT)
    page.clock.fast_forward(int(LONGER_THAN_KEPT.total_seconds() * 1000))
    expect(page.locator("[data-hold]")).to_contain_text("no longer kept")
    booking.no_faults()
    booking.confirm()
    booking.look("Your time is booked")
    assert newest_visit(site) == ("confirmed", True)
    assert time_of(site, "confirmed")[1] == starts_at


def test_a_kept_time_that_ran_out_and_went_leads_to_the_nearest_ones(
    page: Page, site: Site, browser: Browser, hour: time_machine.Traveller
) -> None:
    booking = up_to_the_end(page, whom=TREATS)  # anybody: another one who is free would take over
    therapist, starts_at, day = time_of(site, "held")
    hour.shift(LONGER_THAN_KEPT)
    somebody = browser.new_page()
    somebody.goto(f"{site.url}/book/swedish/times?minutes=60&day={day}&therapist={therapist}")
    somebody.locator("button.slot").first.click()
    somebody.get_by_role("heading", name="Who is coming?").wait_for()
    assert time_of(site, "held")[:2] == (therapist, starts_at)
    booking.confirm()
    page.get_by_role("heading", name="Nearest free times").wait_for()
    expect(page.get_by_text("it has been taken")).to_be_visible()
    page.locator("button.soon-slot").first.click()
    booking.confirm()  # who comes, and the answers, are kept
    booking.look("Your time is booked")
    booked = time_of(site, "confirmed")
    assert booked[:2] != (therapist, starts_at)


def test_new_hours_show_whom_they_leave_outside_before_they_are_kept(
    page: Page, site: Site, hour: time_machine.Traveller
) -> None:
    def ends() -> set[dt.time]:
        mine = select(Therapist.id).where(Therapist.name == TREATS).scalar_subquery()
        rows = select(WorkingHours.ends).where(WorkingHours.therapist_id == mine)
        found: Any = read(site, lambda: set(db.session.scalars(rows)))
        return set(found)

    before, noon = ends(), dt.time(12)
    sign_in(page, THERAPIST)
    page.goto("/diary/hours")
    for day in range(7):
        page.fill(f"[name='work.{day}.0.ends']", "12:00")
        page.fill(f"[name='break.{day}.0.starts']", "")
        page.fill(f"[name='break.{day}.0.ends']", "")
    page.get_by_role("button", name="Save the weekly hours").last.click()
    page.get_by_text("Nothing is saved yet.").wait_for()
    assert in_both_widths(page) == []
    assert ends() == before
    page.get_by_role("button", name="Save the new hours all the same").click()
    page.wait_for_url("**/diary/me")
    page.locator("#main").get_by_text(re.compile(r"visits? needs? a new time")).first.wait_for()
    assert ends() == {noon}


def visits_in(site: Site, since: dt.datetime) -> tuple[list[dt.datetime], set[str]]:
    """When the therapist's visits from then on start, and the last names of their clients."""

    def asked() -> tuple[list[dt.datetime], set[str]]:
        rows = db.session.scalars(
            select(Visit)
            .join(Therapist, Therapist.id == Visit.therapist_id)
            .where(
                Therapist.name == TREATS, Visit.starts_at >= since, Visit.status.not_in(("held", "released"))
            )
            .order_by(Visit.starts_at)
        ).all()
        return [row.starts_at for row in rows], {row.client.last_name for row in rows if row.client}

    found: Any = read(site, asked)
    return found[0], found[1]


def test_the_calendar_of_a_phone_follows_by_an_address_that_can_be_ended(
    page: Page, site: Site, hour: time_machine.Traveller
) -> None:
    sign_in(page, THERAPIST)
    page.goto("/diary/calendar")
    page.get_by_role("button", name="Make a private address").click()
    address = page.locator("#address").input_value()
    assert in_both_widths(page) == []
    with urllib.request.urlopen(address) as answer:
        text = answer.read()
    events: list[Any] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    there = sorted(one["dtstart"].dt for one in events if one["uid"].startswith("visit"))
    visits, names = visits_in(site, there[0])
    assert there == visits
    assert not [name for name in names if name.encode() in text], "initials only"
    page.get_by_role("button", name="End the address").click()
    page.get_by_role("dialog").get_by_role("button", name="End the address").click()
    page.locator("#main").get_by_text("The address is ended.").wait_for()
    with pytest.raises(HTTPError, match="404"):
        urllib.request.urlopen(address)
