"""The waiting room in a real browser: places marked on a tablet, which is locked and taken back by PIN."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser import Site
from tests.looking import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

Faults = Callable[["Page"], list[str]]
CHART = 11


def sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", "quiet-willow")
    page.locator("main button[type=submit]").click()
    page.wait_for_url(re.compile(r"^(?!.*/sign-in)"))


def hand_over(page: Page) -> None:
    page.goto("/clients?q=alder")
    page.get_by_role("link", name="Ana Alder").first.click()
    page.wait_for_url(re.compile(r"/clients/\d+$"))
    page.goto(f"{page.url}/intake")
    page.get_by_role("button", name="Hand over this device").click()
    page.wait_for_url("**/tablet")


def hold(page: Page, address: str | re.Pattern[str]) -> list[Route]:
    """What the page asks there is answered once the test says so."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(address, keep)
    return held


def marked(page: Page, kind: str) -> set[str]:
    shapes = page.locator(f"[data-chart={kind}] path.is-on")
    return set(shapes.evaluate_all("all => all.map(one => one.dataset.area)"))


def set_pin(page: Page) -> None:
    page.goto("/account/pin")
    page.fill("input[name=pin]", "271828")
    page.fill("input[name=current_password]", "quiet-willow")
    page.get_by_role("button", name="Save my PIN").click()
    page.get_by_text("Your PIN is set.").first.wait_for()


def take_back(page: Page) -> None:
    page.fill("input[name=pin]", "271828")
    page.get_by_role("button", name="Take the tablet back").click()
    page.wait_for_url(re.compile(r"/clients/\d+$"))


def test_places_are_marked_on_the_tablet_kept_and_the_tablet_is_taken_back_by_pin(
    page: Page, site: Site, accessibility_faults: Faults
) -> None:
    sign_in(page, "desk@willow.example")
    set_pin(page)
    hand_over(page)
    page.goto(f"/tablet/{CHART}")
    page.locator("[id='c.chart_pain-0']").check()
    page.locator("[id='c.chart_avoid-0']").check()
    # By tapping: the person's own left knee is on the right of the front view.
    page.locator("[data-chart=care] .body").first.locator("path[data-area=left_knee]").click()
    assert marked(page, "care") == {"left_knee"}
    expect(page.get_by_text("Marked: left knee.")).to_be_visible()
    # By keyboard: the list under the other drawing.
    page.locator("[data-chart=avoid] summary").focus()
    page.keyboard.press("Enter")
    page.locator("[data-chart=avoid] input[value=face]").focus()
    with page.expect_response(re.compile(r"/tablet/\d+/keep$")):
        page.keyboard.press("Space")
    assert marked(page, "avoid") == {"face"}
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Hand back").click()
    page.locator("dialog[open]").get_by_role("button", name="Hand back").click()
    page.get_by_text("For our team").wait_for()
    assert accessibility_faults(page) == []
    page.go_back()
    expect(page.locator("[data-chart]")).to_have_count(0)
    page.goto("/desk")
    take_back(page)
    hand_over(page)
    page.goto(f"/tablet/{CHART}")
    assert (marked(page, "care"), marked(page, "avoid")) == ({"left_knee"}, {"face"})


def test_a_tablet_that_nobody_touches_asks_and_then_locks_itself(page: Page, site: Site) -> None:
    page.clock.install()
    sign_in(page, "desk@willow.example")
    hand_over(page)
    page.get_by_role("link", name=re.compile("^Yes,")).click()
    page.wait_for_url(re.compile(r"/tablet/\d+$"))
    page.clock.run_for(4 * 60_000 + 10_000)
    page.get_by_role("heading", name="Are you still there?").wait_for()
    page.get_by_role("button", name="Yes, go on").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.clock.run_for(4 * 60_000 + 10_000)
    expect(page.locator("dialog[open]")).to_have_count(1)
    with page.expect_navigation(url="**/tablet"):
        page.clock.run_for(62_000)


def test_without_a_connection_the_page_stays_and_is_sent_when_there_is_one(page: Page, site: Site) -> None:
    sign_in(page, "desk@willow.example")
    hand_over(page)
    page.goto("/tablet/9")
    page.locator("[id='c.blood_thinners-0']").check()
    page.context.set_offline(True)
    page.locator("[id='f.blood_thinners.medication']").fill("warfarin")
    page.get_by_role("button", name="Save and go back").click()
    expect(page.locator("[data-autosave-state]")).to_contain_text("No connection.")
    assert page.url.endswith("/tablet/9")
    page.context.set_offline(False)
    page.get_by_role("button", name="Save and go back").click()
    page.wait_for_url("**/tablet/8")
    page.goto("/tablet/9")
    expect(page.locator("[id='f.blood_thinners.medication']")).to_have_value("warfarin")


def test_what_was_typed_earlier_never_arrives_later(page: Page, site: Site) -> None:
    sign_in(page, "desk@willow.example")
    hand_over(page)
    page.goto("/tablet/9")
    slow: list[Route] = []

    def hold(route: Route) -> None:
        slow.append(route)

    page.route("**/tablet/9/keep", hold)
    with page.expect_request("**/tablet/9/keep"):
        page.locator("[id='c.strong_painkillers-1']").check()
    page.locator("[id='c.strong_painkillers-2']").check()
    page.get_by_role("button", name="Save and go back").click()
    page.wait_for_timeout(300)
    assert page.url.endswith("/tablet/9")
    slow[0].continue_()
    page.wait_for_url("**/tablet/8")
    page.goto("/tablet/9")
    expect(page.locator("[id='c.strong_painkillers-2']")).to_be_checked()


def test_the_tablet_is_handed_back_only_once_the_last_answer_is_saved(page: Page) -> None:
    """Ticked just before, or without a connection: "What you answered is kept", said the tablet, and it was not."""
    sign_in(page, "desk@willow.example")
    set_pin(page)
    hand_over(page)
    page.goto("/tablet/9")
    page.route("**/tablet/9/keep", lambda route: route.abort())
    page.locator("[id='c.blood_thinners-0']").check()
    hand_back, asked = page.get_by_role("button", name="Hand back"), page.locator("dialog[open]")
    hand_back.first.click()
    expect(asked).to_contain_text(
        "What you answered last could not be saved. If you go on now, it is not kept."
    )
    expect(asked.get_by_role("button", name="Hand back"), "whoever wants it back gets it").to_be_visible()
    asked.get_by_role("button", name="Go back").click()
    page.unroute("**/tablet/9/keep")
    hand_back.first.click()
    expect(asked).to_contain_text("What you answered is kept.")
    asked.get_by_role("button", name="Hand back").click()
    page.get_by_text("For our team").wait_for()
    take_back(page)
    hand_over(page)
    page.goto("/tablet/9")
    expect(page.locator("[id='c.blood_thinners-0']")).to_be_checked()


def test_a_tablet_that_locks_itself_says_what_is_not_saved_and_saves_it_if_it_can(page: Page) -> None:
    page.clock.install()
    sign_in(page, "desk@willow.example")
    hand_over(page)
    page.goto("/tablet/9")
    page.route("**/tablet/9/keep", lambda route: route.abort())
    page.locator("[id='c.blood_thinners-0']").check()
    # Stopped, the page's clock runs only as told: the save is given eight seconds of it, however slow this machine is.
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    page.clock.run_for(4 * 60_000 + 10_000)
    asked = page.get_by_role("dialog", name="Are you still there?")
    expect(asked).to_contain_text("What you answered last could not be saved.")
    expect(asked.get_by_text("What you answered is kept.")).to_be_hidden()
    page.clock.run_for(48_500)
    page.unroute("**/tablet/9/keep")
    with page.expect_navigation(url="**/tablet"), page.expect_response("**/tablet/9/keep"):
        page.clock.run_for(3_500)
    page.goto("/tablet/9")
    expect(page.locator("[id='c.blood_thinners-0']")).to_be_checked()


def test_a_link_and_another_language_take_along_what_was_just_answered(page: Page) -> None:
    sign_in(page, "desk@willow.example")
    hand_over(page)
    page.goto("/tablet/9")
    slow = hold(page, "**/tablet/9/keep")
    with page.expect_request("**/tablet/9/keep"):
        page.locator("[id='c.blood_thinners-0']").check()
        page.locator("a.brand").click()
    page.wait_for_timeout(300)
    assert page.url.endswith("/tablet/9")
    slow.pop().continue_()
    page.wait_for_url("**/tablet")
    page.goto("/tablet/9")
    expect(page.locator("[id='c.blood_thinners-0']")).to_be_checked()
    with page.expect_request("**/tablet/9/keep"):
        page.locator("[id='c.strong_painkillers-0']").check()
        page.get_by_role("button", name="Deutsch").click()
    slow.pop().continue_()
    page.locator("html[lang=de]").wait_for()
    expect(page.locator("[id='c.strong_painkillers-0']")).to_be_checked()
    page.unroute("**/tablet/9/keep")
    page.route("**/tablet/9/keep", lambda route: route.abort())
    page.locator("[id='c.strong_painkillers-1']").check()
    page.get_by_role("button", name="English").click()
    page.locator("dialog[open]", has_text="Die Sprache wechseln?").get_by_role(
        "button", name="English"
    ).click()
    page.locator("html[lang=en]").wait_for()


def test_larger_text_is_remembered_without_javascript_too(page: Page, site: Site) -> None:
    context = page.context.browser.new_context(base_url=site.url, java_script_enabled=False)  # type: ignore[union-attr]
    plain = context.new_page()
    for one in (page, plain):
        one.goto("/services")
        one.get_by_role("button", name="Larger text").click()
        one.goto("/book")
        assert one.locator("html").get_attribute("data-type") == "large"
        expect(one.get_by_role("button", name="Larger text", pressed=True)).to_have_count(1)
    context.close()


def test_none_of_these_after_a_yes_says_why_it_stays_open(page: Page) -> None:
    sign_in(page, "client@willow.example")
    page.goto("/my")
    page.get_by_role("link", name=re.compile("^Health answers")).click()
    page.get_by_role("link", name=re.compile("Update the answers|Answer the questions")).or_(
        page.get_by_role("button", name="Update the answers")
    ).first.click()
    page.locator("[data-none-of-page]").wait_for()
    page.wait_for_load_state()  # the page's script listens only then
    yes = page.locator("input[type=radio][value=not_sure]").first
    yes.check(force=True)
    page.locator("[data-none-of-page]").click(force=True)
    expect(page.get_by_text("One question here is not answered with “No”").first).to_be_visible()
    expect(page.locator("[data-none-of-page]")).not_to_be_checked()
    expect(yes).to_be_checked()
    # Also where the script that all pages share could not be fetched.
    page.route("**/js/app.js*", lambda route: route.abort())
    page.reload()
    yes.check(force=True)
    page.locator("[data-none-of-page]").click(force=True)
    expect(page.get_by_text("One question here is not answered with “No”").first).to_be_visible()
    expect(page.locator("[data-none-of-page]")).not_to_be_checked()


def late_script(
    page: Page, address: str, script: str = "intake", shown: str = "[data-none-of-page]"
) -> Callable[[], None]:
    """Open a page where a script has not come yet; call what is given to let it come."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/js/{script}.js*", hold)
    page.goto(address, wait_until="commit")
    page.locator(shown).wait_for()

    def let_it_come() -> None:
        while not held:
            page.wait_for_timeout(20)
        held.pop().continue_()
        page.wait_for_load_state()
        page.unroute(f"**/js/{script}.js*")

    return let_it_come


def test_none_of_these_counts_before_the_script_has_come(page: Page) -> None:
    sign_in(page, "desk@willow.example")
    hand_over(page)
    let_it_come = late_script(page, "/tablet/9")
    page.locator("[data-none-of-page]").check(force=True)
    let_it_come()
    expect(page.locator("[data-none-of-page]")).to_be_checked()
    expect(page.locator("input[name^='c.'][value=no]:not(:checked)")).to_have_count(0)
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_url("**/tablet/10")


def test_a_yes_before_the_script_has_come_stays_and_answers_nothing_else(page: Page) -> None:
    sign_in(page, "desk@willow.example")
    hand_over(page)
    let_it_come = late_script(page, "/tablet/9")
    page.locator("[data-none-of-page]").check(force=True)
    page.locator("[id='c.blood_thinners-0']").check(force=True)
    let_it_come()
    expect(page.locator("[data-none-of-page]")).not_to_be_checked()
    expect(page.locator("[id='c.blood_thinners-0']")).to_be_checked()
    expect(page.locator("input[name^='c.'][value=no]:checked")).to_have_count(0)


def test_what_was_answered_before_the_script_has_come_is_saved_by_itself(page: Page) -> None:
    sign_in(page, "desk@willow.example")
    hand_over(page)
    let_it_come = late_script(page, "/tablet/9", script="app")
    state = page.locator("[data-autosave-state]")
    medication = page.locator("[id='f.blood_thinners.medication']")
    page.locator("[id='c.blood_thinners-0']").check(force=True)
    medication.fill("warfarin")
    expect(state).to_be_hidden()
    with page.expect_response("**/tablet/9/keep"):
        let_it_come()
    expect(state).to_contain_text("Saved.")
    page.goto("/tablet/9")
    expect(page.locator("[id='c.blood_thinners-0']")).to_be_checked()
    expect(medication).to_have_value("warfarin")
    expect(state).to_have_text("Your answers are saved as you go.")
