"""A few pages looked at as `make axe` looks at all of them, so that a fault in what every page shares is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import Site
from tests.looking import Watch, in_every_dress, inline_parts

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDEST_APART = (320, 1280)


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
        }"""
    )
    page.wait_for_timeout(50)
    found = " ".join(in_every_dress(page, (390,), ("light",)))
    assert "image-alt" in found
    assert "sticks out sideways" in found
    assert inline_parts('<p onclick="a()"><script>b()</script>') != []
    assert any("elsewhere.example" in one or "Content Security Policy" in one for one in watch.take())
