"""No page that speaks German says in English what the catalogues have in German.

A text may be marked, translated, and yet be shown as it stands in a table: `{{ label }}` instead of
`{{ label|translated }}`. So every page is read in German, and no text on it may be the original of a translation.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.paths import ROOT
from clinic.rules.permissions import GIVEN_BY_NAME, Role
from clinic.shared.database import Base, db
from tests.architecture.doors import STAND_FOR, browser, doors, some_rows
from tests.factories import make_user

CATALOGUES = ROOT / "clinic" / "translations" / "de" / "LC_MESSAGES"
READ_ALOUD = ("alt", "aria-label", "placeholder", "title")
AS_STORED = {
    "/visits/<int:visit_id>/record",  # a paper in the words of the clinic's law, whoever reads it
    "/api/docs",  # for programmers
    # What the owner has typed stands in the fields as it was typed.
    "/owner/addons", "/owner/addons/<int:addon_id>", "/owner/devices", "/owner/closures",
    "/owner/services/<int:service_id>",
}  # fmt: skip
A_TIME = re.compile(r"\d+:\d\d|.{0,3}$")  # a clinic's own way to write times is spoken in both languages
ROWS = 6


class _Texts(HTMLParser):
    """What somebody reads or hears on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in {"script", "style"}
        self.found.update(value for name, value in attrs if name in READ_ALOUD and value)

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.found.add(" ".join(data.split()))


def originals() -> set[str]:
    """English texts that are otherwise in German."""
    found = set()
    for path in CATALOGUES.glob("*.po"):
        with path.open("rb") as file:
            found |= {
                one.id
                for one in read_po(file, locale="de")
                if isinstance(one.id, str)
                and one.string
                and one.string != one.id
                and not A_TIME.match(one.id)
            }
    return found


def english_in(client: FlaskClient, address: str, texts: set[str]) -> set[str]:
    answer = client.get(address, headers={"Accept-Language": "de"}, buffered=True)
    if not answer.content_type.startswith("text/html") or '<html lang="de"' not in answer.text:
        return set()
    page = _Texts()
    page.feed(answer.text)
    return page.found & texts


def several_rows(app: Flask) -> list[dict[str, int]]:
    """Other visits, clients and so on each time: the newest, and some before."""
    first = some_rows(app)
    found = []
    for number in range(ROWS):
        rows = dict(first)
        for name in first:
            column = Base.metadata.tables[STAND_FOR.get(name, name.removesuffix("_id"))].c.id
            newest = list(db.session.scalars(select(column).order_by(column.desc()).limit(ROWS * 3)))
            rows[name] = newest[number * 3 % len(newest)]
        found.append(rows)
    return found


def test_no_page_in_german_says_in_english_what_could_be_german(demo: Flask) -> None:
    texts = originals()
    assert "Heart failure" in texts
    everybody = make_user(
        email="all@doors.example",
        roles=[Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER],
        given=GIVEN_BY_NAME,
    )
    clients = browser(demo, everybody.id), browser(demo, None)
    said: dict[str, set[str]] = {}
    seen = 0
    for number, rows in enumerate(several_rows(demo)):
        for door in doors(demo, rows={**rows, "user_id": everybody.id}):
            if door.method != "GET" or door.rule in AS_STORED or (number and "<" not in door.rule):
                continue
            for client in clients:
                seen += 1
                if english := english_in(client, door.address, texts):
                    said.setdefault(door.rule, set()).update(english)
    assert seen > 500
    assert said == {}


def test_english_would_be_noticed() -> None:
    page = _Texts()
    page.feed('<p>Heart failure</p><img alt="Heart failure"><script>Neck</script>')
    assert page.found == {"Heart failure"}
