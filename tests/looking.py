"""Looking at an open page as a strict reader does: axe-core in each width and colour, and what a browser reports.

`make axe` looks at every page so (scripts/axe.py), tests/journeys/test_every_page.py at a few.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clinic.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Response

AXE = ROOT / "build" / "axe" / "axe.min.js"
AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
WIDTHS = (320, 390, 1280)
THEMES = ("light", "dark")
HEIGHT = 844
INLINE = re.compile(
    r"<[a-z][^>]*\s(?:style|on[a-z]+)=|<style|<script(?![^>]*\bsrc=)|href=.javascript:", re.IGNORECASE
)
STICKS_OUT = """() => {
  const wide = document.documentElement.scrollWidth;
  if (wide <= innerWidth) return [];
  const far = [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().left + one.scrollWidth > innerWidth + 1);
  return [`${wide} wide: ${far.slice(-2).map((one) => one.outerHTML.slice(0, 120)).join(" ")}`];
}"""
# Words that stand outside of the button or card that is drawn around them.
LEAVES_ITS_BOX = """() => [...document.querySelectorAll("a.btn, button.btn, .urgent-call, .notice, .card-c")]
  .filter((one) => one.checkVisibility())
  .flatMap((one) => {
    const box = one.getBoundingClientRect();
    const words = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    const out = [];
    while (words.nextNode()) {
      const text = words.currentNode.textContent.trim();
      if (!text || words.currentNode.parentElement.closest(".visually-hidden")) continue;
      const range = document.createRange();
      range.selectNodeContents(words.currentNode);
      const far = [...range.getClientRects()].some((part) => part.right > box.right + 1 || part.left < box.left - 1);
      if (far) out.push(`leaves its box: ${text.slice(0, 80)}`);
    }
    return out;
  })"""
# A link that fills its card must not lie over the other things in it that can be pressed.
COVERED = """() => [...document.querySelectorAll("a.stretch")].flatMap((wide) =>
  [...(wide.parentElement.closest("li, article, .card-c")?.querySelectorAll("a, button, summary") ?? [])]
    .filter((one) => one !== wide && one.checkVisibility())
    .filter((one) => {
      one.scrollIntoView({ block: "center", behavior: "instant" });
      const box = one.getBoundingClientRect();
      return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2) === wide;
    })
    .map((one) => one.outerHTML.slice(0, 120)))"""
# Two cards beside each other begin on one line.
UNEVEN = """() => [...document.querySelectorAll(".card-c + .card-c, .svc + .svc")].flatMap((one) => {
  const [before, after] = [one.previousElementSibling, one].map((each) => each.getBoundingClientRect());
  const beside = after.left >= before.right - 1 && after.top < before.bottom && before.top < after.bottom;
  return beside && Math.abs(after.top - before.top) > 1 ? [one.outerHTML.slice(0, 120)] : [];
})"""
# Both at once: a colour that fades would be measured half way.
WEAR = """(theme) => {
  document.documentElement.dataset.bsTheme = theme;
  document.getAnimations().forEach((one) => one.finish());
  return document.fonts.ready.then(() => true);
}"""


def expect(what: Locator, why: str | None = None) -> Any:
    """What a page must come to show: waits for it, as somebody looking would. Asked at once, a slow machine loses."""
    from playwright.sync_api import expect as of_playwright  # only where there is a browser

    return of_playwright(what, why)


def violations(page: Page) -> list[str]:
    """What axe-core finds on the open page, one line for each rule."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, rules)", AXE_RULES)["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]


def in_every_dress(
    page: Page, widths: tuple[int, ...] = WIDTHS, themes: tuple[str, ...] = THEMES
) -> dict[str, list[str]]:
    """Each finding with the widths and colours that show it."""
    found: dict[str, list[str]] = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for theme in themes:
            page.evaluate(WEAR, theme)
            # As high as the page: what a bar that stays in the window lies over depends on where the page stands.
            high = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": max(HEIGHT, high)})
            beyond = [f"sticks out sideways: {one}" for one in page.evaluate(STICKS_OUT)]
            under = [f"lies under a link: {one}" for one in page.evaluate(COVERED)]
            uneven = [f"begins lower than the card beside it: {one}" for one in page.evaluate(UNEVEN)]
            for fault in violations(page) + beyond + under + uneven:
                found.setdefault(fault, []).append(f"{width} {theme}")
            page.set_viewport_size({"width": width, "height": HEIGHT})
    return found


def in_both_widths(page: Page) -> list[str]:
    """The findings of a wide screen and of a phone, at whose width the page is left."""
    return list(in_every_dress(page, (1280, 390), ("light",)))


def inline_parts(html: str) -> list[str]:
    """Scripts, styles and handlers that stand in the page itself."""
    return [f"inline: {one[:120]}" for one in INLINE.findall(html)]


class Watch:
    """What the browser reports as pages are opened: errors, refused content, requests to elsewhere, missing parts."""

    def __init__(self, page: Page, home: str) -> None:
        self._home = urlsplit(home).netloc
        self._seen: list[str] = []
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self._seen.append(f"script error: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("response", self._answered)

    def _said(self, kind: str, text: str) -> None:
        # Answers with an error are told apart in `_answered`: a page may say 404 or 409 and mean it.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self._seen.append(f"console {kind}: {text}")

    def _asked(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme in ("http", "https") and address.netloc != self._home:
            self._seen.append(f"a request to elsewhere: {address.netloc}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self._seen.append(f"{response.status}: {urlsplit(response.url).path}")

    def take(self) -> list[str]:
        """What came up since the last time, each once."""
        found, self._seen = list(dict.fromkeys(self._seen)), []
        return found
