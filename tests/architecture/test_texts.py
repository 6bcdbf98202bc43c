"""Every text can be translated, and the German is complete and says what the English says."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import nodes

from clinic.booking.services.series_starts import Planned
from clinic.booking.views import series_dates
from clinic.rules import language
from clinic.rules.permissions import Role
from clinic.shared import languages
from clinic.shared.languages import lazy
from scripts.messages import catalogues, collected, read
from tests.booking import world as w
from tests.conftest import NOW
from tests.factories import make_user
from tests.owners import browser_of

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = list(catalogues())
PLACES = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}|<[^>]+>")


def forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())  # type: ignore[arg-type]


@pytest.mark.parametrize(("path", "domain"), CATALOGUES, ids=lambda one: getattr(one, "name", one))
def test_catalogue_holds_every_text_and_each_is_translated_with_the_same_places(
    path: Path, domain: str
) -> None:
    kept = read(path)
    assert {one.id for one in collected(domain)} == {one.id for one in kept}, "run `make messages`"
    assert [one.id for one in kept if one.id and (one.fuzzy or not all(forms(one.string) or [""]))] == []
    assert [one.id for one, _errors in kept.check()] == []
    for one in kept:
        if one.id:
            english, said = forms(one.id)[-1], forms(one.string)[-1]
            assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(said)), english


def test_no_text_stands_inside_another_where_the_search_for_texts_does_not_see_it() -> None:
    """Python 3.11 reads an f-string as one word: a text in its braces is in no catalogue, and stays English."""
    hidden = [
        f"{path}:{call.lineno}"
        for path in sorted((ROOT / "clinic").rglob("*.py"))
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("_", "N_", "ngettext", "lazy")
        and any(isinstance(one, ast.Constant) for one in call.args)
    ]
    assert hidden == []


class Marked(NullTranslations):
    """Puts every text that can be translated into brackets; patterns of days are left as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.known = {text for _path, domain in CATALOGUES for one in read(_path) for text in forms(one.id)}

    def gettext(self, message: str) -> str:
        is_text = message in self.known and not re.fullmatch(r"[EdMLy ]+", message)
        return f"⟦{message}⟧" if is_text else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def marked(app: Flask) -> Iterator[None]:
    """Pages say every text that is looked up in brackets."""
    marks = Marked()
    language.use(lambda: marks, lambda: "en")
    yield
    languages.listen()


SHOWN_ATTRIBUTE = re.compile(r'(?:aria-label|title|placeholder|alt|data-confirm|data-label[\w-]*)="([^"]*)"')
# Not a text of the program: names, days, hours and prices.
DATA = re.compile(
    r"\b(Still Waters|Deutsch|English|PIN|UTC|(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Mon|Tue|Wed|Thu|Fri|Sat|Sun"
    r"|January|February|March|April|May|June?|July|August|September|October|November|December|am|pm|min)\b"
)


def outside(text: str) -> str:
    """What is left without the innermost brackets, as often as there are any."""
    shorter = re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    return text if shorter == text else outside(shorter)


def unmarked(page: str) -> list[str]:
    """What a person reads on the page outside of all brackets."""
    page = page.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    page = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>|<!--.*?-->|<option.*?</option>|<bdi.*?</bdi>", "", page)
    texts = SHOWN_ATTRIBUTE.findall(page)
    texts += re.sub(r"<[^>]*>", "\x01", re.sub(r'="[^"]*"', "", page)).split("\x02")
    left = []
    for text in texts:
        left += [DATA.sub("", one).strip() for one in outside(html.unescape(text)).split("\x01")]
    return [one for one in left if re.search(r"[A-Za-z]{2,}", one)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("now", "marked")
def test_no_page_says_anything_that_cannot_be_translated(app: Flask) -> None:
    w.build()
    everybody = [Role.CLIENT, Role.THERAPIST, Role.FRONT_DESK, Role.OWNER]
    browser = browser_of(app, make_user(email="all@clinic.example", name="", roles=everybody))
    pages = ["/clients/new", "/intake/blank", "/owner", "/owner/rooms/new", "/book", "/todo", "/no/such/page"]
    said = {address: unmarked(browser.get(address).text) for address in pages}
    assert {address: left for address, left in said.items() if left} == {}


def test_text_is_looked_up_when_it_is_shown_and_stays_english_without_a_translation(app: Flask) -> None:
    label = lazy("First name")
    with languages.speaking("de"):
        assert (f"{label}", str(label), label % ()) == ("Vorname", "Vorname", "Vorname")
        assert language.gettext("Nobody has translated this.") == "Nobody has translated this."
        assert language.gettext("") == ""
        assert language.ngettext("%(num)d visit", "%(num)d visits", 2) == "2 Termine"
    assert str(label) == label == "First name"
    with languages.speaking("xx"):
        assert str(label) == "First name"


def test_what_templates_import_says_nothing_before_it_is_asked(app: Flask) -> None:
    """An imported template is worked out once: a text outside its macros would stay in the first reader's language."""
    parse, loader = app.jinja_env.parse, app.jinja_env.loader
    assert loader is not None
    trees: dict[str, Any] = {
        name: parse(loader.get_source(app.jinja_env, name)[0]) for name in loader.list_templates()
    }
    imported = {
        one.template.value
        for tree in trees.values()
        for kind in (nodes.FromImport, nodes.Import)
        for one in tree.find_all(kind)
        if isinstance(one.template, nodes.Const)
    }
    assert "macros/frame.html" in imported
    early = [
        (name, call.lineno)
        for name in imported
        for part in trees[name].body
        if not isinstance(part, nodes.Macro)
        for call in part.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext")
    ]
    assert early == []


def _as_it_is(given: ast.expr) -> tuple[ast.expr, ...]:
    """The text that is said, or the table out of which it is taken."""
    said = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
    return tuple(one.value if isinstance(one, ast.Subscript) else one for one in said)


def test_no_page_says_in_a_message_what_was_only_marked_for_translation() -> None:
    """A text under `N_` is English until it is looked up: a message that is given the bare name stays so."""
    bare = [
        f"{path.name}:{call.lineno}"
        for path in sorted((ROOT / "clinic").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("flash", "_afresh")
        if any(
            isinstance(one, ast.Name) and one.id.isupper() for given in call.args for one in _as_it_is(given)
        )
    ]
    assert bare == []


@pytest.mark.parametrize("staff", [True, False])
@pytest.mark.parametrize("waits_for", [*series_dates.WAITS, "review"])
def test_what_a_date_of_a_series_waits_for_is_said_in_the_language_of_the_page(
    app: Flask, waits_for: str, staff: bool
) -> None:
    date = Planned(NOW.date(), NOW, (1,), waits_for=waits_for)
    door = series_dates.Door("Europe/Berlin", {1: "Ada"}, 1, staff)
    with languages.speaking("de"):
        asked = series_dates.question(date, door)
    assert "freigehalten" in str(asked["options"])
    assert "kept" not in str(asked["options"])
