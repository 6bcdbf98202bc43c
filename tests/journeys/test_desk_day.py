"""The desk's day in a browser: moved by hand and by keys, undone, kept up to date, found and booked by keyboard."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from clinic.booking.queries import waitlist as wishes
from clinic.booking.services import calls, waitlist
from clinic.demo import PASSWORD
from clinic.shared import clock
from tests.journeys.test_desk import everybodys_day, next_monday, sign_in
from tests.journeys.test_intake import hold, late_script
from tests.journeys.test_letter_check_in_and_say import sign_in as as_anybody
from tests.looking import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

    from tests.browser import Site

Faults = Callable[["Page"], list[str]]
DESKTOP = {"width": 1280, "height": 900}
BROKEN = "<!doctype html><title>x</title><h1>We will be right back</h1>"
HOUR = 76.8  # pixels: twelve steps of .4rem


def book_ana(page: Page, search: str = "ana ald") -> str:
    """Ana Alder has the only visit of a day far ahead; the address of that day. By keyboard alone, from the search."""
    day = everybodys_day(weeks=6)
    page.goto(f"/desk/visits/new?day={day}")
    page.wait_for_selector("#q:focus")
    page.keyboard.type(search)
    page.keyboard.press("Enter")
    # known, and what she had last is chosen already: the first time that fits has the focus
    page.wait_for_selector("button[name=start]:focus")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    return f"/desk?day={day}"


def only_visit(page: Page) -> Locator:
    return page.locator(".ev[data-moves]:not(.ev-ghost)")


def starts(page: Page) -> str:
    return only_visit(page).locator(".ev-time").first.inner_text().split(" to ")[0].strip()


def drag(page: Page, down: float) -> None:
    box = only_visit(page).bounding_box()
    assert box is not None
    x, y = box["x"] + 40, box["y"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x, y + down * step / 10)
    page.mouse.up()


def test_a_visit_is_moved_by_hand_and_by_keys_and_taken_back(
    page: Page, accessibility_faults: Faults
) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    page.goto(book_ana(page))
    before = starts(page)
    reached = page.evaluate(
        "[...document.querySelectorAll('.dg a, .dg button')].filter((one) => one.tabIndex === 0).length"
    )
    assert reached == 1, "one stop for the Tab key, however full the day"
    only_visit(page).locator("a").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.matches('.dg-free')"), "the free time below it"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.closest('[data-visit]') !== null")
    drag(page, HOUR)
    page.wait_for_selector("dialog [data-main]:focus")
    expect(page.get_by_role("heading", name="It fits")).to_be_visible()
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    assert starts(page) == before, "nothing is saved by looking"
    drag(page, HOUR)
    page.wait_for_selector("dialog [data-main]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]:has-text('moved')")  # until now it said that the visit was booked
    moved = starts(page)
    assert moved != before
    expect(page.get_by_text("Nobody has been told yet")).to_be_visible()
    page.keyboard.press("Control+z")
    page.wait_for_selector("[data-undo]", state="detached")
    assert starts(page) == before
    only_visit(page).locator("a").focus()
    for key in ("m", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("dialog [data-main]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]")
    assert starts(page) == moved
    assert page.evaluate("document.activeElement.closest('[data-visit]') !== null"), (
        "the focus stays on the visit"
    )


def test_in_the_rooms_view_a_visit_is_moved_to_another_room_and_taken_back(page: Page) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    page.goto(book_ana(page) + "&view=rooms")
    in_rooms = page.locator("[data-lane=room] .ev[data-moves]:not(.ev-ghost)")
    column = "one => one.closest('[data-column]').dataset.column"
    before, time = in_rooms.evaluate(column), in_rooms.locator(".ev-time").inner_text()
    in_rooms.locator("a").focus()
    way = (
        "ArrowLeft"
        if in_rooms.evaluate("one => !one.closest('section').nextElementSibling.matches('[data-lane=room]')")
        else "ArrowRight"
    )
    for key in ("m", way, "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("dialog [data-main]:focus")
    expect(page.get_by_text("the client is not told")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-undo]:has-text('moved')")
    assert in_rooms.evaluate(column) != before
    assert in_rooms.locator(".ev-time").inner_text() == time
    page.keyboard.press("Control+z")
    page.wait_for_selector("[data-undo]", state="detached")
    assert in_rooms.evaluate(column) == before


def test_a_visit_for_two_says_that_both_are_moved_and_leads_there(page: Page) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    day = next_monday(weeks=6)
    page.goto("/desk/search?q=daniel bright")
    page.locator("#found [data-hit]").click()
    page.get_by_role("link", name="Book for two").click()
    page.fill("#day", day)
    page.select_option("#one-what", "relaxation||60")
    page.fill("#q", "grace castell")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=other]:checked", state="attached")
    page.select_option("#two-what", "relaxation||60")
    page.get_by_role("button", name="Show clients and times").last.click()
    page.locator("button[name=start]").first.click()
    page.wait_for_url(re.compile(r"/desk/couples/\d+$"))
    page.goto(f"/desk?day={day}")
    both = page.locator(".ev[data-together]")
    expect(both).to_have_count(2)
    both.first.hover(position={"x": 30, "y": 20})
    box = both.first.bounding_box()
    assert box is not None
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 90, steps=5)
    page.mouse.up()
    expect(page.locator(".ev-ghost")).to_have_count(0)
    page.wait_for_selector("#say:has-text('press M on it to move both')", state="attached")
    expect(page.locator("dialog[open]"), "a pull is no press").to_have_count(0)
    both.first.locator("a").focus()
    page.keyboard.press("m")
    page.wait_for_url(re.compile(r"/desk/couples/\d+\?day="))
    page.wait_for_selector("button[name=start]:focus")


def test_after_a_refusal_the_focus_stands_on_what_it_says(page: Page) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    page.goto(f"/desk/visits/new?day={next_monday(weeks=6)}")
    page.fill("#q", "ana ald")
    page.wait_for_selector("#times button[name=start]")
    first = page.locator("#times button[name=start]").first
    first.evaluate("one => { one.value = '2020-01-01T10:00:00+00:00'; }")
    first.click()
    page.wait_for_selector("[data-error-summary]:focus")
    expect(page.locator("[data-error-summary]")).to_contain_text("already passed")
    assert page.title().startswith("Error: ")


def test_a_change_made_elsewhere_appears_and_the_focus_stays(
    page: Page, site: Site, browser: Browser
) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    day = book_ana(page)
    visit = page.url
    page.goto(day)
    before = starts(page)
    only_visit(page).locator("a").focus()
    elsewhere = browser.new_context(base_url=site.url, locale="en-US").new_page()
    sign_in(elsewhere)
    elsewhere.goto(f"{visit}/cancel")
    elsewhere.get_by_role("button", name=re.compile("^Cancel")).last.click()
    elsewhere.wait_for_url(visit)
    page.wait_for_selector("#not-coming li")  # without reloading: the page is still the one that was opened
    expect(only_visit(page)).to_have_count(0)
    expect(page.locator("#say")).to_contain_text("Changed")
    elsewhere.get_by_role("button", name=re.compile("^Undo")).click()
    elsewhere.wait_for_selector("text=Undone")
    page.wait_for_selector(".ev[data-moves]")
    assert starts(page) == before
    page.goto(visit)
    page.get_by_role("link", name="Book the next one").focus()
    page.evaluate("window.isTheSame = true")
    elsewhere.goto(f"{visit}/cancel")
    elsewhere.get_by_role("button", name=re.compile("^Cancel")).last.click()
    elsewhere.wait_for_url(visit)
    expect(page.locator("#visit-head")).to_contain_text("Cancelled")
    expect(page.locator("#say")).to_contain_text("Cancelled")
    expect(page.get_by_role("link", name="Change treatment or therapist")).to_have_count(0)
    assert page.evaluate("window.isTheSame && document.activeElement.innerText.trim()") == "Book the next one"


def test_the_day_is_kept_up_behind_a_dialog_and_while_a_visit_is_moved(
    page: Page, site: Site, browser: Browser
) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    day = book_ana(page)
    visit = page.url
    page.goto(day)
    only_visit(page).locator("a").press("Enter")
    page.wait_for_selector("dialog .tap-row, dialog .cancel-row")
    elsewhere = browser.new_context(base_url=site.url, locale="en-US").new_page()
    sign_in(elsewhere)
    elsewhere.goto(visit)
    elsewhere.get_by_role("button", name="Cancel from our side").click()
    page.wait_for_selector("#not-coming li")
    page.wait_for_selector("dialog .st-cancelled, dialog .badge:has-text('Cancelled')")
    expect(page.locator("dialog .cancel-row"), "the dialog follows as well").to_have_count(0)
    page.wait_for_selector("dialog > [aria-live]:has-text('changed meanwhile')", state="attached")
    elsewhere.get_by_role("button", name=re.compile("^Undo")).click()
    page.wait_for_selector("dialog .cancel-row")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]"), "what lies behind it takes no key before").to_have_count(0)
    page.wait_for_selector(".ev[data-moves]")
    only_visit(page).locator("a").press("m")
    page.wait_for_selector(".ev-ghost")
    elsewhere.goto(visit)
    elsewhere.get_by_role("button", name="Cancel from our side").click()
    page.wait_for_selector("#not-coming li")
    expect(page.locator(".ev-ghost"), "it is still in the hand").to_have_count(1)
    page.keyboard.press("Escape")
    page.wait_for_selector(".ev", state="detached")


def ana_and_daniel(page: Page) -> list[Locator]:
    """The desk's day with a visit of each of the two."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    book_ana(page)
    page.goto(book_ana(page, "daniel bri"))
    return [page.locator(".ev[data-moves]", has_text=name) for name in ("Ana Alder", "Daniel Bright")]


def test_while_the_server_fails_the_page_says_that_it_may_be_out_of_date(page: Page) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    asked: list[Route] = []

    def fail(route: Route) -> None:
        if not route.request.headers.get("x-poll"):
            return route.continue_()
        asked.append(route)
        return route.fulfill(status=503, content_type="text/html", body=BROKEN)

    page.route("**/desk*", fail)
    for count in (1, 2):
        page.evaluate("document.dispatchEvent(new Event('unlocked'))")  # it asks at once
        wait_until(page, lambda count=count: len(asked) >= count)  # type: ignore[misc]
        page.wait_for_timeout(200)
    told = page.locator("p.closed", has_text="this page may be out of date")
    expect(told).to_be_visible()
    page.unroute_all()
    page.evaluate("document.dispatchEvent(new Event('unlocked'))")
    expect(told).to_have_count(0)


def test_a_dialog_shows_the_visit_that_was_opened_last_whatever_is_answered_later(page: Page) -> None:
    """The answer of a visit that was closed took the place of another one's: Enter started the wrong session."""
    ana, daniel = ana_and_daniel(page)
    dialog = page.locator("dialog[open]")
    asked = hold(page, re.compile(rf"/desk/visits/{ana.get_attribute('data-visit')}(/move\?|$)"))

    def give_up_and_open_daniel() -> None:
        wait_until(page, lambda: bool(asked))
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        daniel.locator("a").first.click()
        expect(dialog).to_contain_text("Daniel Bright")

    def answer_late() -> None:
        with page.expect_response(asked[0].request.url):
            asked.pop().continue_()
        page.wait_for_timeout(300)
        expect(dialog).to_contain_text("Daniel Bright")
        expect(dialog).not_to_contain_text("Ana Alder")

    ana.locator("a").first.click()
    give_up_and_open_daniel()
    answer_late()
    page.keyboard.press("Escape")
    ana.locator("a").first.focus()
    for key in ("m", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    give_up_and_open_daniel()
    answer_late()


def test_a_step_that_is_answered_late_closes_no_other_visits_dialog(page: Page) -> None:
    ana, daniel = ana_and_daniel(page)
    dialog = page.locator("dialog[open]")
    steps = hold(page, re.compile(rf"/desk/visits/{ana.get_attribute('data-visit')}/cancel"))
    ana.locator("a").first.click()
    dialog.get_by_role("button", name="Cancel from our side").click()
    wait_until(page, lambda: bool(steps))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    daniel.locator("a").first.click()
    expect(dialog).to_contain_text("Daniel Bright")
    steps.pop().continue_()
    page.wait_for_selector("#not-coming li")
    expect(dialog, "it is open still").to_contain_text("Daniel Bright")


def cancel_in_dialog(page: Page, name: str) -> None:
    """Open somebody's visit and press what is answered only later: the dialog is left meanwhile."""
    page.locator(".ev[data-moves]", has_text=name).locator("a").first.click()
    dialog = page.locator("dialog[open]", has_text=name)
    dialog.get_by_role("button", name="Cancel from our side").click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_a_step_that_is_answered_while_the_screen_is_locked_is_shown_and_the_next_one_works(
    page: Page,
) -> None:
    """The answer found no page to show it on: no step went out any more, and nothing was said."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    book_ana(page)
    page.goto(book_ana(page, "daniel bri"))
    steps = hold(page, re.compile(r"/desk/visits/\d+/cancel"))

    def lock() -> None:
        with page.expect_response("**/account/lock"):
            page.evaluate("document.querySelector('[data-lock-now]').click()")

    def unlock() -> None:
        page.fill("#lock-proof", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("body:not(.is-locked)")

    cancel_in_dialog(page, "Ana Alder")
    wait_until(page, lambda: bool(steps))
    taken = steps[0].fetch()
    lock()
    with page.expect_response(steps[0].request.url):
        steps.pop().fulfill(response=taken)
    page.wait_for_timeout(300)
    unlock()
    expect(page.locator("#not-coming li")).to_have_count(1)
    expect(page.locator("[data-undo]"), "its time is over").to_have_count(0)
    cancel_in_dialog(page, "Daniel Bright")
    wait_until(page, lambda: bool(steps))
    lock()
    with page.expect_response(steps[0].request.url):
        steps.pop().continue_()  # a locked screen takes no step
    unlock()
    expect(page.locator("#undo [data-unsent]")).to_have_text("That did not work. Please try again.")
    page.unroute_all()
    cancel_in_dialog(page, "Daniel Bright")
    expect(page.locator("#not-coming li")).to_have_count(2)


def test_a_step_pressed_while_another_is_sent_waits_its_turn(page: Page) -> None:
    """It was lost without a word. Undo takes back what its bar says, and nothing else that came meanwhile."""
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    book_ana(page)
    page.goto(book_ana(page, "daniel bri"))
    steps = hold(page, re.compile(r"/desk/visits/\d+/cancel"))
    cancel_in_dialog(page, "Ana Alder")
    cancel_in_dialog(page, "Daniel Bright")
    wait_until(page, lambda: bool(steps))
    steps.pop().continue_()
    page.wait_for_selector("[data-undo]:has-text('Ana Alder')")
    wait_until(page, lambda: bool(steps))
    page.keyboard.press("Control+z")
    steps.pop().continue_()
    page.wait_for_selector("[data-undo]:has-text('Daniel Bright')")
    expect(page.locator("#undo [data-unsent]")).to_contain_text("so nothing was taken back")
    expect(page.locator("#not-coming li")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator("#not-coming li")).to_have_count(1)
    expect(page.locator(".ev[data-moves]", has_text="Daniel Bright")).to_have_count(1)


UNKNOWN = "so this step may not have been done. See how things stand now before you press again."


@pytest.mark.parametrize("status", [500, 503])
def test_a_step_that_the_server_fails_to_answer_stays_on_the_day_and_says_so(page: Page, status: int) -> None:
    """It led to "This page works another way", and what was pressed after it was sent while the page left."""
    ana, _daniel = ana_and_daniel(page)
    steps = hold(page, re.compile(r"/desk/visits/\d+/cancel"))
    cancel_in_dialog(page, "Ana Alder")
    cancel_in_dialog(page, "Daniel Bright")
    wait_until(page, lambda: bool(steps))
    steps[0].fetch(max_redirects=0)  # done, but the answer is lost
    steps.pop().fulfill(status=status, content_type="text/html", body=BROKEN)
    told = page.locator("#undo [data-unsent]")
    expect(told).to_contain_text(f"{UNKNOWN} Not sent: Daniel Bright: Cancel from our side.")
    expect(told).to_be_visible()
    expect(page.locator("#not-coming li"), "the day is looked at again").to_have_count(1)
    expect(ana).to_have_count(0)
    page.unroute_all()
    cancel_in_dialog(page, "Daniel Bright")
    expect(page.locator("#not-coming li"), "it was not sent before").to_have_count(2)
    expect(told).to_have_count(0)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (
            {"headers": {"Content-Type": "text/plain"}, "post_data": ""},
            "This did not work: Nothing was saved.",
        ),
        ({"url": "/nowhere"}, "We cannot find this page: It may have moved, or the link may be incomplete."),
    ],
    ids=["400", "404"],
)
def test_a_step_that_is_refused_with_a_page_of_its_own_stays_on_the_day_and_says_why(
    page: Page, site: Site, sent: dict[str, Any], words: str
) -> None:
    """It led to "This page works another way"."""
    ana, _daniel = ana_and_daniel(page)
    steps = hold(page, re.compile(r"/desk/visits/\d+/cancel"))
    cancel_in_dialog(page, "Ana Alder")
    cancel_in_dialog(page, "Daniel Bright")
    wait_until(page, lambda: bool(steps))
    steps.pop().continue_(**sent | ({"url": site.url + sent["url"]} if "url" in sent else {}))
    told = page.locator("#undo [data-unsent]")
    expect(told).to_contain_text(words)
    expect(told).to_contain_text("Not sent: Daniel Bright: Cancel from our side.")
    expect(ana).to_have_count(1)
    page.unroute_all()
    cancel_in_dialog(page, "Ana Alder")
    expect(page.locator("#not-coming li")).to_have_count(1)


def test_a_dialog_that_follows_what_was_done_still_says_that_the_answer_is_missing(page: Page) -> None:
    ana, _daniel = ana_and_daniel(page)
    steps = hold(page, re.compile(r"/desk/visits/\d+/cancel"))
    ana.locator("a").first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("button", name="Cancel from our side").click()
    wait_until(page, lambda: bool(steps))
    steps[0].fetch(max_redirects=0)
    steps.pop().fulfill(status=503, content_type="text/html", body=BROKEN)
    expect(dialog.locator(".cancel-row"), "it is looked at again").to_have_count(0)
    told = dialog.locator("[data-unsent]")
    expect(told).to_contain_text(UNKNOWN)
    expect(told).not_to_contain_text("Not sent")
    expect(told).to_be_visible()


def test_what_was_pressed_after_a_step_that_leads_away_is_named_as_not_sent(page: Page) -> None:
    ana, daniel = ana_and_daniel(page)
    visit = f"/desk/visits/{ana.get_attribute('data-visit')}"
    steps = hold(page, re.compile(r"/desk/visits/\d+/cancel"))
    cancel_in_dialog(page, "Ana Alder")
    cancel_in_dialog(page, "Daniel Bright")
    wait_until(page, lambda: bool(steps))
    # to its own page
    steps[0].continue_(post_data=(steps[0].request.post_data or "").replace("back", "gone"))
    told = page.locator("#undo [data-unsent]")
    expect(told).to_contain_text(
        "This step leads to another page. Not sent: Daniel Bright: Cancel from our side."
    )
    expect(told).to_be_visible()
    assert len(steps) == 1
    told.get_by_role("link", name="Go there").click()
    page.wait_for_url(f"**{visit}")
    page.go_back()
    expect(daniel).to_have_count(1)


def test_the_search_answers_while_typing(page: Page, accessibility_faults: Faults) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    page.goto("/todo")
    page.keyboard.press("/")
    page.wait_for_selector("#find:focus")
    page.keyboard.type("ana al")
    page.wait_for_selector(".find-pop [data-hit]")
    assert accessibility_faults(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/clients/\d+$"))
    expect(page.locator("h1")).to_have_text("Ana Alder")
    page.locator("summary", has_text="Your account").click()
    page.locator("[data-slash]").click()
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("/")
    assert not page.evaluate("document.activeElement.id === 'find'"), "switched off"
    page.keyboard.press("n")
    assert re.search(r"/clients/\d+$", page.url), "switched off as well"


def test_somebody_new_is_booked_from_the_day_by_keyboard_alone(
    page: Page, accessibility_faults: Faults
) -> None:
    sign_in(page)
    page.goto(f"/desk?day={next_monday(weeks=6)}")
    keys = page.keyboard
    keys.press("n")
    page.wait_for_selector("#q:focus")
    keys.type("zzora")
    page.wait_for_selector("#newcomer[open] #first_name")
    expect(page.locator("#first_name")).to_have_value("Zzora")
    keys.type("n quimby")
    page.wait_for_selector("#last_name[value=Quimby]")
    expect(page.locator("#first_name")).to_have_value("Zzoran")
    keys.press("Enter")
    page.wait_for_selector("#born_on:focus")
    assert accessibility_faults(page) == []
    keys.type("05201988")
    keys.press("Tab")
    while not page.evaluate("document.activeElement.id === 'what'"):
        keys.press("Tab")
    keys.type("Relaxation")
    keys.press("Enter")
    page.wait_for_selector("button[name=start]:focus")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    expect(page.locator("h1")).to_have_text("Zzoran Quimby")


def search_for(page: Page, name: str) -> None:
    """A new visit on a day far ahead, for whoever is called so."""
    sign_in(page)
    page.goto(f"/desk/visits/new?day={next_monday(weeks=6)}")
    page.wait_for_selector("#q:focus")
    page.keyboard.type(name)


def look_for_alders(page: Page) -> None:
    """The same, and the people whose name begins so."""
    search_for(page, "ald")
    page.wait_for_selector("#people input[name=client]")


def add_zzora(page: Page) -> None:
    """The same for somebody new, of whose last name half is typed."""
    search_for(page, "zzora qui")
    page.wait_for_selector("#newcomer[open]")


def test_people_and_times_come_while_typing(page: Page) -> None:
    look_for_alders(page)
    # of several, who is chosen brings what they had last, also under the focus that went ahead to it
    page.locator("#people input[name=client]").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#what option:checked:not([value=''])", state="attached")
    assert page.evaluate("document.activeElement.id") == "what"
    page.fill("#q", "")
    page.keyboard.type("ana ald")
    page.wait_for_selector("#people input[name=client]:checked")
    page.wait_for_selector("#times button[name=start]")
    assert page.evaluate("document.activeElement.id") == "q", "who types is not interrupted"
    page.keyboard.press("Enter")
    page.wait_for_selector("button[name=start]:focus")


def wait_until(page: Page, happened: Callable[[], bool]) -> None:
    """Let the page go on until it has done what is waited for, or a test's usual time is over."""
    for _turn in range(500):
        if happened():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it never happened")


def let_nothing_be_asked(page: Page) -> None:
    """What the page asks while somebody types comes to nothing from now on; what a button sends still arrives."""
    page.route(
        "**/desk/visits/new",
        lambda route: route.abort() if route.request.resource_type == "fetch" and route.request.method == "POST"
        else route.continue_(),
    )  # fmt: skip


def test_somebody_new_is_called_as_was_searched_for_however_soon_enter_comes(page: Page) -> None:
    """They were called as far as the last answer had come: "Carl Ca"."""
    add_zzora(page)
    keys = page.keyboard
    expect(page.locator("#last_name")).to_have_value("Qui")
    let_nothing_be_asked(page)
    keys.type("mby")
    keys.press("Enter")
    page.wait_for_selector("#born_on:focus")
    expect(page.locator("#first_name")).to_have_value("Zzora")
    expect(page.locator("#last_name")).to_have_value("Quimby")


def test_nobody_is_booked_by_the_half_of_their_name(page: Page) -> None:
    add_zzora(page)
    page.fill("#born_on", "1988-05-20")
    page.select_option("#what", "swedish||60")
    page.wait_for_selector("#times button[name=start]")
    let_nothing_be_asked(page)
    page.fill("#q", "zzora quimby")
    expect(page.locator("[data-unsent]")).to_have_text("That did not work. Please try again.")
    expect(page.locator("#times"), "nor at a time of before").to_have_attribute("inert", "")
    page.get_by_role("button", name="Show clients and times").last.click()
    expect(page.locator("#last_name")).to_have_value("Quimby")
    page.locator("#times button[name=start]").first.click()
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    expect(page.locator("h1")).to_have_text("Zzora Quimby")


def test_a_press_outlives_an_answer_that_comes_while_it_is_sent(page: Page) -> None:
    """The answer took the pressed button away: "No connection", and nothing was booked."""
    look_for_alders(page)
    page.locator("#people input[name=client]").first.check()
    page.select_option("#what", "swedish||60")
    page.wait_for_selector("#times button[name=start]")
    held: dict[str, Route] = {}
    page.route(
        "**/desk/visits/new*",
        lambda route: held.update({route.request.method: route}) if route.request.resource_type == "fetch"
        else route.continue_(),
    )  # fmt: skip
    page.locator("#times button[name=start]").first.click()
    page.evaluate("document.activeElement.blur()")  # as Safari, which gives a pressed button no focus
    wait_until(page, lambda: "GET" in held)
    page.fill("#at", "15:00")
    page.locator("#at").blur()
    page.wait_for_timeout(200)
    if "POST" in held:
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            held["POST"].continue_()
        page.wait_for_timeout(200)
    held["GET"].continue_()
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))


def test_no_time_of_another_day_is_pressed_while_the_chosen_one_is_looked_up(page: Page) -> None:
    look_for_alders(page)
    page.locator("#people input[name=client]").first.check()
    page.select_option("#what", "swedish||60")
    times = page.locator("#times")
    expect(times.locator("button[name=start]").first).to_be_visible()
    expect(times).not_to_have_attribute("inert", "")
    held: list[Route] = []
    page.route(
        "**/desk/visits/new",
        lambda route: held.append(route) if route.request.resource_type == "fetch" else route.continue_(),
    )
    chosen = (dt.date.fromisoformat(next_monday(weeks=6)) + dt.timedelta(days=1)).isoformat()
    page.fill("#day", chosen)
    page.locator("#day").blur()
    wait_until(page, lambda: bool(held))
    expect(times).to_have_attribute("inert", "")
    held.pop().continue_()
    expect(times).not_to_have_attribute("inert", "")
    first = times.locator("button[name=start]").first
    assert (first.get_attribute("value") or "").startswith(chosen)


@pytest.mark.parametrize("status", [500, 503])
def test_no_time_of_another_day_is_pressed_when_the_chosen_one_could_not_be_looked_up(
    page: Page, status: int
) -> None:
    """Those of the day before could be pressed, and were booked."""
    look_for_alders(page)
    page.locator("#people input[name=client]").first.check()
    page.select_option("#what", "swedish||60")
    times = page.locator("#times")
    first = times.locator("button[name=start]").first
    expect(first).to_be_visible()
    page.route(
        "**/desk/visits/new*",
        lambda route: route.fulfill(status=status, content_type="text/html", body=BROKEN)
        if route.request.resource_type == "fetch" else route.continue_(),
    )  # fmt: skip
    chosen = (dt.date.fromisoformat(next_monday(weeks=6)) + dt.timedelta(days=1)).isoformat()
    page.fill("#day", chosen)
    page.locator("#day").blur()
    expect(page.locator("[data-unsent]")).to_have_text("That did not work. Please try again.")
    expect(times).to_have_attribute("inert", "")
    again = page.get_by_role("button", name="Show clients and times").last
    again.click()
    expect(page.get_by_text("What you typed is still here: press again when you are online.")).to_be_visible()
    page.unroute_all()
    again.click()
    expect(first).to_have_attribute("value", re.compile(f"^{chosen}"))
    expect(times).not_to_have_attribute("inert", "")


def test_a_name_follows_the_search_after_the_birth_date_is_written(page: Page) -> None:
    add_zzora(page)
    page.fill("#born_on", "1988-05-20")
    page.fill("#q", "zzora quimby")
    expect(page.locator("#last_name")).to_have_value("Quimby")
    expect(page.locator("#born_on")).to_have_value("1988-05-20")
    page.fill("#last_name", "Quimby-Hall")
    page.fill("#q", "zzora quimbyx")
    page.locator("#people:has-text('Nobody')").wait_for()
    page.locator("#q").press("Enter")
    page.wait_for_selector("#what:focus")
    expect(page.locator("#last_name"), "what they wrote themselves").to_have_value("Quimby-Hall")


def test_who_was_found_is_let_go_with_the_next_letter(page: Page) -> None:
    search_for(page, "ana ald")
    page.wait_for_selector("#people input[name=client]:checked")
    let_nothing_be_asked(page)
    page.keyboard.type("ermoor")
    page.keyboard.press("Enter")
    page.wait_for_selector("#born_on:focus")
    expect(page.locator("#people")).to_contain_text("Nobody is called that.")
    expect(page.locator("#last_name")).to_have_value("Aldermoor")


def test_what_was_typed_or_chosen_before_the_script_has_come_counts(page: Page) -> None:
    sign_in(page)
    address = f"/desk/visits/new?day={next_monday(weeks=6)}"
    let_it_come = late_script(page, address, script="book", shown="#q")
    page.fill("#q", "ana ald")
    let_it_come()
    page.wait_for_selector("#times button[name=start]")
    client = page.locator("#people input[name=client]:checked").get_attribute("value")
    let_it_come = late_script(page, f"{address}&client={client}", script="book", shown="#what")
    first = page.locator("#times button[name=start]").first
    expect(first).not_to_contain_text("30 minutes")
    page.focus("#what")
    page.select_option("#what", "deep_tissue||30")
    let_it_come()
    expect(first).to_contain_text("30 minutes")


def test_with_nobody_chosen_enter_leads_back_to_who_it_is(page: Page) -> None:
    """It led to a free time, and a press there to a mistake."""
    look_for_alders(page)
    page.select_option("#what", index=1)
    page.wait_for_selector("#times button[name=start]")
    page.locator("#what").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#people input[name=client]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#what:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("button[name=start]:focus")


def test_keys_pressed_before_the_answer_is_there_wait_for_it(page: Page) -> None:
    """Enter on somebody and Enter again at once: the second one was lost, as what they had last was not known yet."""
    look_for_alders(page)
    page.locator("#people input[name=client]").first.focus()

    def late(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    page.route("**/desk/visits/new", late)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("button[name=start]:focus")


def test_going_back_from_what_was_booked_sends_nothing_again(page: Page) -> None:
    """The form that was sent is the answer to a form: the browser asked whether to send it once more."""
    sign_in(page)
    book_ana(page)
    page.go_back()
    expect(page.get_by_role("heading", name="New visit")).to_be_visible()
    page.wait_for_selector("#q:focus")


def test_the_day_sheet_is_one_page(page: Page) -> None:
    sign_in(page)
    page.goto(f"/desk?day={next_monday()}&view=list")
    sheet = page.pdf(prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") + sheet.count(b"/Type /Page ") + sheet.count(b"/Type /Page/") == 1


def test_a_day_sheet_with_two_lines_for_each_visit_is_one_page_too(page: Page) -> None:
    """As many visits as it is made for, with one therapist or with many."""
    sign_in(page)
    for people in (3, 6, 12, 24):
        page.goto(f"/desk?day={next_monday()}&view=list")
        page.evaluate(
            """(people) => {
              const sheet = document.querySelector(".sheet"), part = sheet.querySelector(".sheet-part:has(tr)");
              const row = part.querySelector("tbody tr");
              const many = (one, length) => Array.from({ length }, () => one.cloneNode(true));
              part.querySelector("tbody").replaceChildren(...many(row, 24 / people));
              sheet.replaceChildren(...many(part, people));
              sheet.className = "sheet sheet-few sheet-two";
            }""",
            people,
        )
        assert len(re.findall(rb"/Type /Page[\s/]", page.pdf(prefer_css_page_size=True))) == 1, people


def test_on_paper_the_room_is_never_cut_off_and_on_an_ordinary_day_nothing_is(page: Page) -> None:
    page.set_viewport_size({"width": 1062, "height": 700})  # as wide as the paper of the sheet
    sign_in(page)
    page.goto(f"/desk?day={next_monday()}&view=list")
    page.emulate_media(media="print")
    shown = page.evaluate(
        """() => ["", " sheet-few sheet-two"].map((kind) => {
          document.querySelector(".sheet").className = "sheet" + kind;
          const cell = document.querySelector(".sheet td:nth-child(3)"), [what, room] = cell.children;
          what.textContent = "Decompression by vacuum with magnets, in the interval chamber,";
          const [cut, whole] = [what, room].map((one) => one.scrollWidth > one.clientWidth + 1);
          const state = document.querySelector(".sheet .sheet-word").checkVisibility();
          const inside = cell.getBoundingClientRect().right - room.getBoundingClientRect().right >= -1;
          return [kind ? what.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1 : cut,
            !kind && whole, inside, state];
        })"""
    )
    assert shown == [[True, False, True, False], [False, False, True, True]]
    assert page.locator(".sheet-word").first.inner_text() in ("Confirmed", "Not confirmed yet")


@pytest.mark.parametrize("view", ["therapists", "rooms"])
@pytest.mark.parametrize("across", [False, True])
def test_the_day_is_one_page_upright_and_across(page: Page, view: str, across: bool) -> None:
    sign_in(page)
    page.goto(f"/desk?day={next_monday()}&view={view}")
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "13mm")
    sheet = page.pdf(format="A4", margin=margin, landscape=across)  # type: ignore[arg-type]
    assert len(re.findall(rb"/Type /Page[\s/]", sheet)) == 1


@pytest.mark.parametrize("many", [False, True])
def test_on_paper_no_name_is_so_long_that_what_is_to_do_is_cut(page: Page, many: bool) -> None:
    page.set_viewport_size({"width": 1062, "height": 700})  # as wide as the paper of the sheet
    sign_in(page)
    page.goto(f"/desk?day={next_monday()}&view=list")
    page.emulate_media(media="print")
    room = page.evaluate(
        """many => {
          const cell = document.querySelector(".sheet td:nth-child(2)"), todo = document.createElement("strong");
          if (many) document.querySelector(".sheet").className = "sheet sheet-many";
          cell.querySelector("a").textContent = "Wolfeschlegelsteinhausenbergerdorff von und zu Bergsteigerhausen";
          cell.querySelector("strong")?.remove();
          todo.className = "print-only";
          todo.textContent = "see desk";
          cell.append(todo);
          return cell.getBoundingClientRect().right - todo.getBoundingClientRect().right;
        }""",
        many,
    )
    assert room >= -1


def test_a_therapists_week_on_a_phone_begins_at_the_whole_of_today(page: Page) -> None:
    as_anybody(page, "therapist@willow.example")
    page.goto("/diary/week")
    page.wait_for_timeout(300)
    left, is_at_the_end = page.evaluate(
        """() => {
          const week = document.querySelector(".dg-week");
          const edge = week.querySelector(".dg-axis").getBoundingClientRect().right;
          const today = week.querySelector(".dg-today").getBoundingClientRect().left;
          return [today - edge, week.scrollLeft + week.clientWidth >= week.scrollWidth - 1];
        }"""
    )
    assert abs(left) <= 1 or (left > 0 and is_at_the_end)


def test_the_pages_of_the_day_have_no_faults_in_dark_and_on_a_small_phone(
    page: Page, accessibility_faults: Faults
) -> None:
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 320, "height": 700})
    sign_in(page)
    day = next_monday()
    for address in (
        f"/desk?day={day}",
        f"/desk?day={day}&view=rooms",
        f"/desk?day={day}&view=list",
        "/todo",
        "/desk/search?q=ana",
    ):
        page.goto(address)
        assert accessibility_faults(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, address
    page.goto(f"/desk?day={day}")
    page.locator(".ev a").first.click()
    page.wait_for_selector("dialog h1")
    assert accessibility_faults(page) == []
    move = page.locator("dialog a[data-move-to]").get_attribute("href")
    assert move is not None
    page.goto(move)
    page.get_by_role("button", name="Check this time").click()
    page.wait_for_selector("#move-answer")
    assert accessibility_faults(page) == []


def test_a_step_without_a_connection_says_so_and_can_be_pressed_again(page: Page) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    sign_in(page)
    page.goto(book_ana(page))
    only_visit(page).locator("a").click()
    cancel = page.locator("dialog").get_by_role("button", name="Cancel from our side")
    cancel.wait_for()
    page.context.set_offline(True)
    cancel.click()
    told = page.locator("dialog [data-unsent]")
    expect(told).to_have_text("No connection, so nothing was sent. Press again when you are online.")
    expect(told).to_be_visible()
    page.context.set_offline(False)
    cancel.click()
    page.wait_for_selector("#not-coming li")
    expect(page.locator("[data-unsent]")).to_have_count(0)


def test_enter_leads_somebody_new_through_their_fields_to_the_service(page: Page) -> None:
    sign_in(page)
    page.goto(f"/desk/visits/new?day={next_monday(weeks=6)}")
    keys = page.keyboard
    page.wait_for_selector("#q:focus")
    keys.type("ald")
    page.wait_for_selector("#people #client-new")
    page.locator("#client-new").focus()
    keys.press("Enter")  # people of that name are known, but it is somebody else
    page.wait_for_selector("#newcomer[open] #first_name:focus")
    keys.type("Zoe")
    page.fill("#last_name", "Aldermoor")
    page.fill("#born_on", "1988-05-20")
    page.locator("#email").focus()
    keys.press("Enter")
    page.wait_for_selector("#what:focus")
    keys.type("Relaxation")
    keys.press("Enter")
    page.wait_for_selector("button[name=start]:focus")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    expect(page.locator("h1")).to_have_text("Zoe Aldermoor")


def test_once_signed_out_what_was_typed_stays_until_it_can_be_sent(page: Page) -> None:
    search_for(page, "zzoran quimby")
    page.wait_for_selector("#newcomer[open]")
    page.fill("#born_on", "1988-05-20")
    page.select_option(
        "#what", page.locator("#what option", has_text="Relaxation").first.get_attribute("value")
    )
    page.wait_for_selector("#times button[name=start]")
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.locator("#times button[name=start]").first.click()
    told = page.get_by_text("You are signed out. Nothing you typed is lost")
    expect(told).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST"):  # it brings a cookie
        page.fill("#q", "zzora quimby")
    expect(told).to_be_visible()
    page.context.add_cookies(kept)  # type: ignore[arg-type]  # signed in again in a new window
    page.locator("#times button[name=start]").first.click()
    page.wait_for_url(re.compile(r"/desk/visits/\d+$"))
    expect(page.locator("h1"), "as was searched for last").to_have_text("Zzora Quimby")


def test_another_language_asks_before_it_takes_what_was_typed(page: Page) -> None:
    sign_in(page)
    page.goto("/desk/visits/new")
    page.wait_for_selector("#q:focus")
    page.keyboard.type("zzoran quimby")
    page.wait_for_selector("#newcomer[open]")
    page.fill("#phone", "2125550143")
    page.get_by_role("button", name="Deutsch").click()
    page.locator("dialog[open]").get_by_text("What you typed on this page is not kept.").wait_for()
    page.locator("dialog[open]").get_by_role("button", name="Go back").click()
    expect(page.locator("#phone")).to_have_value("2125550143")
    page.get_by_role("button", name="Deutsch").click()
    page.locator("dialog[open]").get_by_role("button", name="Deutsch").click()
    page.locator("html[lang=de]").wait_for()
    page.get_by_role("button", name="English").click()  # nothing is typed: nothing is asked
    page.locator("html[lang=en]").wait_for()


def test_a_slip_on_the_list_of_calls_is_undone(page: Page, site: Site) -> None:
    with site.app.app_context():
        calls.ask_for_call(
            client_id=None, visit_id=None, phone="(212) 555-0188", about="booking", now=clock.now()
        )
    sign_in(page)
    page.goto("/todo")
    row = page.locator("section[aria-labelledby=calls] li")
    page.get_by_role("button", name="Called").click()
    expect(row).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(row).to_have_count(1)
    expect(page.locator("[data-undo]")).to_have_count(0)


def test_the_waitlist_follows_what_others_do_but_not_under_a_question(page: Page, site: Site) -> None:
    sign_in(page)
    page.goto("/desk/waitlist")
    rows = page.locator("section[aria-labelledby=line] li")
    before = rows.count()
    rows.last.get_by_role("button", name="Take off the list").click()
    question = page.get_by_role("dialog", name="Take this wish off the list?")
    question.wait_for()
    with site.app.app_context():
        wish = wishes.open_wishes()[0].id
        waitlist.withdraw(wish, by=None, now=clock.now())
    page.wait_for_timeout(5000)
    expect(rows).to_have_count(before)
    question.get_by_role("button", name="Go back").click()
    expect(rows).to_have_count(before - 1)


def test_what_htmx_cannot_bring_is_said_where_everybody_sees_it(page: Page) -> None:
    page.goto("/book/swedish/times?minutes=60", wait_until="networkidle")
    day = page.locator("#when a.day:not([aria-current])").first
    page.context.set_offline(True)
    day.click()
    told = page.locator("[data-unsent]")
    expect(told).to_have_text("That did not work. Please try again.")
    expect(told).to_be_visible()
    page.context.set_offline(False)
    day.click()
    page.wait_for_selector("#when [data-focus]:focus")
    expect(told).to_have_count(0)


def test_of_two_days_tapped_quickly_the_last_one_is_shown(page: Page) -> None:
    """The times were those of the first, under the address of the last."""
    from playwright.sync_api import Error  # only where there is a browser

    page.goto("/book/swedish/times?minutes=60", wait_until="networkidle")
    days = [
        one.get_attribute("href") or "" for one in page.locator("#when a.day:not([aria-current])").all()[:2]
    ]
    held: list[Route] = []
    page.route(
        "**/book/swedish/times*",
        lambda route: held.append(route) if route.request.headers.get("hx-request") else route.continue_(),
    )
    for count, day in enumerate(days, 1):
        page.locator(f'#when a.day[href="{day}"]').click()
        wait_until(page, lambda count=count: len(held) == count)  # type: ignore[misc]
    for route in held:
        with suppress(Error):  # given up
            route.continue_()
    current = page.locator("#when a.day[aria-current]")
    expect(current).to_have_attribute("href", re.compile(re.escape(days[1].partition("?")[2]) + "$"))
    page.wait_for_url(f"**{days[1]}")
    page.wait_for_load_state("networkidle")
    expect(current).to_have_attribute("href", re.compile(re.escape(days[1].partition("?")[2]) + "$"))
    expect(page.locator("[data-unsent]")).to_have_count(0)


CUT = """
() => [...document.querySelectorAll('.ev:not(.is-s), .ev.len-30')].filter((one) => {
  const whole = document.createRange(), at = (what) => one.querySelector(what)?.getBoundingClientRect();
  whole.selectNodeContents(one.querySelector('.ev-state'));  // its words, not the line they stand on
  const box = at('a'), state = whole.getBoundingClientRect(), tap = at('.ev-tap'), what = one.querySelector('.ev-what');
  const isUnder = tap && state.right > tap.left + 1 && state.bottom > tap.top;
  const isShown = what && parseFloat(getComputedStyle(what).fontSize) > 0;
  if (isShown && at('.ev-what').bottom > box.bottom + 2) return true;
  return state.right > box.right + 1 || state.bottom > box.bottom + 1 || isUnder;
}).map((one) => one.innerText)
"""
FLAGS = "[...document.querySelectorAll('.ev-flag')].map((one) => getComputedStyle(one).fontSize)"
BADGES = "[...document.querySelectorAll('.badge-c')].map((one) => one.offsetHeight)"


def test_the_state_of_a_visit_is_whole_in_narrow_columns_and_paper_has_no_buttons(page: Page) -> None:
    sign_in(page)
    for size in (DESKTOP, {"width": 820, "height": 1180}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for day in ("", f"&day={next_monday()}", f"&day={next_monday(weeks=2)}"):
            for view in ("", "rooms"):
                page.goto(f"/desk?view={view}{day}")
                assert page.evaluate(CUT) == [], (size, view, day)
    page.goto("/desk?view=list")
    assert max(page.evaluate(BADGES), default=0) < 40, "on one line"
    page.goto(f"/desk?day={next_monday()}")
    page.emulate_media(media="print")
    assert not page.locator(".ev-tap:visible, #not-coming:visible").count()
    assert set(page.evaluate(FLAGS)) <= {"0px"}


def test_each_sheet_of_the_blank_questions_has_its_number_and_a_line_for_the_name(page: Page) -> None:
    sign_in(page)
    page.goto("/intake/blank")
    page.emulate_media(media="print")
    head = page.locator("table.paper > thead")
    assert head.evaluate("(one) => getComputedStyle(one).display") == "table-header-group", "on every sheet"
    expect(head).to_contain_text("Name")
    rules = """() => [...document.styleSheets].flatMap((one) => [...one.cssRules])
        .filter((one) => one instanceof CSSPageRule).map((one) => one.cssText).join()"""
    assert "counter(page)" in page.evaluate(rules)
    first = page.locator(".paper-q").first.evaluate("(one) => one.getBoundingClientRect().top")
    assert first < 400, "it begins on the first sheet"


def test_on_paper_the_list_to_call_from_has_the_numbers(page: Page) -> None:
    sign_in(page)
    page.goto("/todo")
    page.get_by_role("link", name="Find a way for the visits of Maya Okafor").click()
    numbers = page.locator(".sick-row a.btn[href^='tel:']")
    expect(numbers.first).to_be_visible()
    page.emulate_media(media="print")
    assert all(one.is_visible() for one in numbers.all())


def test_visits_of_whoever_is_off_are_dealt_with_one_after_the_other(page: Page) -> None:
    """The page is not brought anew at each press: whoever works by keyboard goes on with the next visit."""
    sign_in(page)
    page.goto("/todo")
    page.get_by_role("link", name="Find a way for the visits of Maya Okafor").click()
    rows = page.locator(".sick-row")
    first, second = (rows.nth(at).locator(".sick-who a").text_content() or "" for at in (0, 1))
    page.evaluate("window.stays = true")
    cancel = re.compile(f"^Cancel and tell ?: ?{first}$")
    page.get_by_role("button", name=cancel).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=cancel).click()
    undo = page.locator("[data-undo] button")
    expect(undo).to_be_visible()
    expect(rows.first.locator(".sick-who a")).to_have_text(second)
    expect(rows.first.locator("a").first).to_be_focused()
    undo.focus()
    page.keyboard.press("Enter")
    expect(rows.first.locator(".sick-who a")).to_have_text(first)
    expect(rows.first.locator("a").first).to_be_focused()
    assert page.evaluate("window.stays"), "no page was brought anew"
