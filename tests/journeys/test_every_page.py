"""A few pages looked at as `make axe` looks at all of them, so that a fault in what every page shares is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import Site
from tests.journeys.test_letter_check_in_and_say import sign_in
from tests.looking import COVERED, HEIGHT, STICKS_OUT, Watch, in_every_dress, inline_parts

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDEST_APART = (320, 1280)
CUT = """() => [...document.querySelectorAll("header .brand-name, main :is(p, a, li, button, h1, h2)")]
  .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden, .tabs, .days, .skip"))
  .filter((one) => one.getBoundingClientRect().width < 20 || one.scrollWidth > one.clientWidth + 1
      && ["hidden", "clip"].includes(getComputedStyle(one).overflowX)
    || one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("address", ["/", "/book/swedish/times?minutes=60", "/nothing/here"])
def test_page_has_no_fault_in_any_dress(page: Page, site: Site, address: str) -> None:
    watch = Watch(page, site.url)
    answer = page.goto(address)
    assert answer is not None
    assert in_every_dress(page, WIDEST_APART) == {}
    assert inline_parts(answer.text()) == []
    assert watch.take() == []


def test_what_is_wrong_with_a_page_is_found(page: Page, site: Site) -> None:
    """The look itself: a picture without words, a wide thing, a handler in the page, a script from elsewhere."""
    watch = Watch(page, site.url)
    page.goto("/")
    page.evaluate(
        """() => {
          const picture = document.createElement("img");
          picture.src = "https://elsewhere.example/a.png";
          const wide = document.createElement("p");
          wide.className = "nowrap";
          wide.textContent = "wide ".repeat(300);
          document.querySelector("main").append(picture, wide);
          document.querySelector(".card-c + .card-c").style.setProperty("margin-top", "3rem");
        }"""
    )
    page.wait_for_timeout(50)
    assert "begins lower than the card beside it" in " ".join(in_every_dress(page, (1280,), ("light",)))
    found = " ".join(in_every_dress(page, (390,), ("light",)))
    assert "image-alt" in found
    assert "sticks out sideways" in found
    assert inline_parts('<p onclick="a()"><script>b()</script>') != []
    assert any("elsewhere.example" in one or "Content Security Policy" in one for one in watch.take())


@pytest.mark.parametrize("width", [320, 390])
def test_an_addon_is_explained_in_the_width_of_the_phone(page: Page, site: Site, width: int) -> None:
    """Its price stands below: beside it, the explanation was a column of one or two words."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.goto("/book/swedish")
    words = page.locator(".opt-label", has_text="Hot stones").locator("small").bounding_box()
    assert words is not None
    assert words["width"] > width * 0.55


def test_with_twice_the_type_on_a_phone_nothing_is_cut_and_no_button_is_covered(
    page: Page, site: Site
) -> None:
    page.set_viewport_size({"width": 320, "height": HEIGHT})
    sign_in(page, "client@willow.example")
    for address in ("/", "/book/swedish/times?minutes=60", "/my"):
        page.goto(address)
        assert page.evaluate(COVERED) == []
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(CUT) + page.evaluate(STICKS_OUT) == [], address


STAFF_AND_CLIENTS = {
    "owner@willow.example": (
        "/owner", "/owner/messages", "/owner/rules", "/owner/therapists", "/owner/reports", "/owner/settings",
        "/owner/rooms", "/owner/devices", "/owner/keeping",
    ),
    "desk@willow.example": ("/desk?view=list", "/todo", "/desk/sick-day/11", "/clients/17"),
    "client@willow.example": ("/book/swedish", "/services"),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("email", STAFF_AND_CLIENTS)
def test_with_twice_the_type_on_a_phone_no_page_scrolls_sideways(
    page: Page, site: Site, email: str, language: str
) -> None:
    """Long German words, prices, times and the bar at the foot made these pages wider than the phone."""
    page.set_viewport_size({"width": 320, "height": HEIGHT})
    sign_in(page, email)
    if language != "en":
        page.goto("/account")
        page.locator(f".tongues button[value={language}]").click()
        page.wait_for_function("(wanted) => document.documentElement.lang === wanted", arg=language)
    for address in STAFF_AND_CLIENTS[email]:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(STICKS_OUT) == [], address


def test_a_chosen_chip_has_a_mark_besides_its_colour(page: Page, site: Site) -> None:
    page.goto("/book/swedish/wait?minutes=60")
    monday = page.get_by_label("Monday")
    marks = """(one) => {
      const mark = getComputedStyle(one.nextElementSibling, "::before");
      return [mark.content !== "none", parseFloat(mark.borderBottomWidth) > 1, one.nextElementSibling.offsetWidth];
    }"""
    assert monday.is_checked()
    has_mark, is_drawn, width = monday.evaluate(marks)
    monday.uncheck()
    assert (has_mark, is_drawn) == (True, True)
    assert monday.evaluate(marks) == [False, False, width], "and no chip moves"
