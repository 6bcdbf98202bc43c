"""Fills in a form as a browser without JavaScript would send it, so that a test changes only what it is about."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

Fields = dict[str, list[str]]


def form_on(page: str, action: str) -> Fields:
    """What the form with this action would send when nothing is touched. AssertionError when it is not there."""
    reader = _Reader(action)
    reader.feed(page)
    assert reader.found, f"no form with action {action}"
    return reader.fields


class _Reader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.found, self.inside = action, False, False
        self.fields: Fields = {}
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "form":
            self.inside = given.get("action") == self.action and given.get("method") == "post"
            self.found = self.found or self.inside
        elif self.inside and tag == "input" and given.get("name"):
            self._take_input(given)
        elif self.inside and tag == "select":
            self.select, self.options = given["name"], []
        elif self.inside and tag == "option" and self.select:
            self.options.append((given.get("value", ""), "selected" in given))
        elif self.inside and tag == "textarea":
            self.area, self.text = given["name"], ""

    def _take_input(self, given: dict[str, Any]) -> None:
        if (given.get("type") in ("checkbox", "radio") and "checked" not in given) or "disabled" in given:
            return
        self.fields.setdefault(given["name"], []).append(given.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.area:
            # a browser drops the line break after <textarea> and sends CR LF
            self.fields[self.area] = [self.text.removeprefix("\r\n").removeprefix("\n").replace("\n", "\r\n")]
            self.area = None
        elif tag == "select" and self.select:
            chosen = [value for value, selected in self.options if selected] or [self.options[0][0]]
            self.fields[self.select] = chosen[-1:]
            self.select = None
