"""Collect every text of the program, and compile its translations: `make messages`, `make setup`.

python -m scripts.messages update     put new texts into the catalogues, and take out what is no longer said
python -m scripts.messages compile    make what the program reads
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "clinic" / "translations"
LANGUAGES = ("de",)
PLACES = (
    ("clinic", [("**.py", "python")]),
    ("templates", [("**.html", "jinja2"), ("**.txt", "jinja2")]),
    ("static/js", [("*.js", "javascript")]),
)
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy": None}
JINJA = {"trimmed": "true", "silent": "false"}

# The tables of health rules: in these keys stand texts that people read.
TABLES = ("conditions", "combinations", "frequency", "house_rules")
SHOWN = frozenset(
    {"title", "intro", "label", "question", "help", "examples", "plain_reason", "reason", "note", "why"}
)


# What a new clinic begins with: an owner who leaves it as it is has it in every language. Shown line by line.
STARTER = ROOT / "clinic" / "catalogue" / "starter.toml"
STARTER_SHOWN = frozenset(
    {
        "name",
        "usual_way",
        "summary",
        "good_for",
        "what_happens",
        "what_to_expect",
        "aftercare",
        "techniques",
        "pressure",
        "how_often",
    }
)


def collected(domain: str) -> Catalog:
    """Every text of a domain, as the code and the tables say it today."""
    catalog = Catalog(project="Clinic", copyright_holder="The Clinic authors", fuzzy=False)
    for where, text, comments in _of_tables() if domain == "health" else _of_code():
        catalog.add(text, None, [(where, 0)], auto_comments=comments)
    return catalog


def _of_code() -> Iterator[tuple[str, str | tuple[str, ...], list[str]]]:
    for folder, methods in PLACES:
        found = extract_from_dir(
            ROOT / folder,
            method_map=methods,
            options_map={pattern: JINJA for pattern, method in methods if method == "jinja2"},
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            strip_comment_tags=True,
        )
        for name, _line, text, comments, _context in found:
            yield f"{folder}/{name}", text, comments
    for text in _shown(tomllib.loads(STARTER.read_text(encoding="utf-8")), STARTER_SHOWN):
        yield "clinic/catalogue/starter.toml", text, []


def _of_tables() -> Iterator[tuple[str, str, list[str]]]:
    for table in TABLES:
        path = ROOT / "clinic" / "rules" / f"{table}.toml"
        for text in _shown(tomllib.loads(path.read_text(encoding="utf-8")), SHOWN):
            yield f"clinic/rules/{table}.toml", text, []


def _shown(part: object, keys: frozenset[str], key: str = "") -> Iterator[str]:
    if key == "choices" and isinstance(part, list):
        yield from (words for _key, words in part)
    elif isinstance(part, dict):
        for name, value in part.items():
            yield from _shown(value, keys, name)
    elif isinstance(part, list):
        for value in part:
            yield from _shown(value, keys, key)
    elif isinstance(part, str) and key in keys:
        yield from filter(None, map(str.strip, part.splitlines()))


def catalogues() -> Iterator[tuple[Path, str]]:
    """Every catalogue, with its domain."""
    for language in LANGUAGES:
        for domain in ("clinic", "health"):
            yield FOLDER / language / "LC_MESSAGES" / f"{domain}.po", domain


def read(path: Path) -> Catalog:
    """A catalogue as it is kept."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def update() -> None:
    """Nothing is guessed: a text that changed is a new text, and until it is translated people read it in English."""
    for path, domain in catalogues():
        new, old = collected(domain), read(path)
        new.creation_date = old.creation_date
        old.update(new, no_fuzzy_matching=True, update_creation_date=False)
        with path.open("wb") as file:
            write_po(file, old, width=110, sort_output=True, ignore_obsolete=True, include_lineno=False)
        left = sum(not one.string or one.string == ("",) * len(one.string) for one in old if one.id)
        print(f"{path.relative_to(ROOT)}: {len(old)} texts, {left} not translated")


def compile_all() -> None:
    """Make the compiled files that are missing or older than their catalogue; each appears whole."""
    for path, domain in catalogues():
        made = path.with_suffix(".mo")
        if made.exists() and made.stat().st_mtime >= path.stat().st_mtime:
            continue
        if domain == "clinic":
            _for_browsers(path)
        half = made.with_suffix(f".{id(path)}.half")
        with half.open("wb") as file:
            write_mo(file, read(path))
        half.replace(made)


def _for_browsers(path: Path) -> None:
    """The few texts that scripts say, as a script of their own; pages in English load none."""
    said = {}
    for one in read(path):
        if (
            one.string
            and all(one.string)
            and not one.fuzzy
            and any(where.startswith("static/js/") for where, _line in one.locations)
        ):
            said[one.id if isinstance(one.id, str) else one.id[0]] = one.string
    language = path.parent.parent.name
    words = json.dumps(said, ensure_ascii=False, indent=1)
    (ROOT / "static" / "js" / f"words.{language}.js").write_text(
        f"window.clinicWords = {words};\n", encoding="utf-8"
    )


if __name__ == "__main__":
    {"update": update, "compile": compile_all}[sys.argv[1]]()
