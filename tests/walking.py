"""A client's way through the booking in a browser, step by step: the journeys and `make axe` walk it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from clinic.rules import questionnaire

if TYPE_CHECKING:
    from playwright.sync_api import Page

Faults = Callable[["Page"], list[str]]
PAGES_OF_QUESTIONS = len(questionnaire.pages("intake"))


class Booking:
    """What a person does; `look` is called on every page they reach. The pages that everybody reaches before the end
    may be left to one of the stories: `looks_on_the_way`."""

    def __init__(self, page: Page, faults: Faults, *, looks_on_the_way: bool = True) -> None:
        self.page = page
        self.faults = faults
        self.looks_on_the_way = looks_on_the_way

    def no_faults(self) -> None:
        """Nothing is found on the open page."""
        assert self.faults(self.page) == []

    def look(self, title: str) -> None:
        """The page has this heading, nothing sticks out sideways, and axe finds nothing."""
        self.page.get_by_role("heading", level=1, name=title).wait_for()
        self.no_faults()
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), title

    def look_on_the_way(self, title: str) -> None:
        if self.looks_on_the_way:
            self.look(title)
        else:
            self.page.get_by_role("heading", level=1, name=title).wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, service: str, minutes: str) -> None:
        self.page.goto("/book")
        self.look_on_the_way("What would you like?")
        self.page.get_by_role("link", name=service, exact=True).click()
        self.look_on_the_way(service)
        self.page.get_by_role("radio", name=re.compile(rf"^{minutes}\W*\$")).check()
        self.press("Show free times")
        self.look_on_the_way("Choose a time")
        times_are_above_the_fold(self.page)

    def take_a_later_day(self) -> None:
        """Not today: the last free day of the strip, and its first time."""
        href = self.page.locator("a.day").last.get_attribute("href")
        self.page.locator(f'a.day[href="{href}"]').click()
        self.page.locator(f'a.day[aria-current][href="{href}"]').wait_for()
        self.page.locator("button.slot").first.click()

    def say_who(self, **typed: str) -> None:
        self.look_on_the_way("Who is coming?")
        fields = {"First name": "Nora", "Last name": "Walker", "E-mail": "nora@people.example"}
        for label, text in {
            **fields,
            "Mobile phone": "(212) 555-0143",
            "Day": "4",
            "Year": "1988",
            **typed,
        }.items():
            self.page.get_by_label(label, exact=True).fill(text)
        self.page.get_by_label("Month", exact=True).select_option(label="July")
        self.press("Continue")

    def answer(self, yes: dict[str, dict[str, str]] | None = None, *, looks: bool = False) -> None:
        """Go through the questions: `yes` maps a question's first words to its follow-ups and their answers."""
        for _page in range(PAGES_OF_QUESTIONS):
            if looks:
                self.no_faults()
            address = self.page.url
            for question, follow_ups in (yes or {}).items():
                box = self.page.get_by_role("group", name=question)
                if box.count():
                    box.first.get_by_role("radio", name="Yes", exact=True).first.check()
                    for detail, choice in follow_ups.items():
                        words = box.first.get_by_role("textbox", name=detail)
                        if words.count():
                            words.fill(choice)
                            continue
                        detail_box = box.first.get_by_role("group", name=detail)
                        detail_box.get_by_role("radio", name=choice).check()
            self.page.get_by_role("button", name="Answer “No” to all the others").click()
            self.press("Save and go on")
            self.page.wait_for_url(lambda url, before=address: url != before)  # type: ignore[misc]

    def sign(self) -> None:
        self.look_on_the_way("Check and sign")
        for text in ("I agree to the treatment", "I agree that the clinic keeps"):
            self.page.get_by_role("checkbox", name=text).check()
        self.page.get_by_label("Full name of the person who signs").fill("Nora Walker")
        self.press("Sign my answers")

    def confirm(self) -> None:
        self.look_on_the_way("Is everything right?")
        self.press("Confirm booking")

    def see_why_not(self) -> None:
        """The last page, of what the gate refuses: it says so, and the button books nothing."""
        self.look_on_the_way("This is not safe for you as it is")
        self.press("See why, and what is safe instead")


def times_are_above_the_fold(page: Page) -> None:
    place, window = page.locator("button.slot").first.bounding_box(), page.viewport_size
    assert place is not None
    assert window is not None
    assert place["y"] + place["height"] <= window["height"], "the times of the day are below the fold"
