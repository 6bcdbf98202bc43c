"""The loaded tables of the gate: conditions, combinations and their sources, read once at start.

``TABLE`` is the table as shipped; a clinic decides by it and by its own changes to it. Its ``version`` is the
number written in the file and a hash of all three files, so that every judgement can name exactly the tables that
made it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol, TypeVar

from clinic.rules.conditions import ISSUERS, Condition, detail_name, read_condition
from clinic.rules.expressions import ABSENT, Expression, ExpressionError, Name, compile_expression
from clinic.rules.rule_change import UNCHANGED, Adjustment
from clinic.rules.table_entries import Entry, LoadError, Verdicts
from clinic.rules.verdicts import Urgency, Verdict

FOLDER = Path(__file__).parent
CONDITIONS_FILE = FOLDER / "conditions.toml"
COMBINATIONS_FILE = FOLDER / "combinations.toml"
SOURCES_FILE = FOLDER / "sources.toml"


@dataclass(frozen=True)
class Combination:
    """Facts that together raise every column to at least ``minimum``.

    ``conditions`` are the rows it speaks about; without one of them declared it never holds. It is empty for a
    rule about age alone.
    """

    key: str
    label: str
    when: Expression
    conditions: frozenset[str]
    minimum: Verdicts
    red_flag: Urgency
    must_name: tuple[str, ...]
    plain_reason: str
    reason: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class ClearanceOnly:
    """Something that is no condition but has to be cleared, such as being under 18."""

    key: str
    label: str
    who_may_clear: tuple[str, ...]
    clearance_days: int


@dataclass(frozen=True)
class PageText:
    """Title and opening words of one page of the questionnaire."""

    key: str
    title: str
    intro: str


@dataclass(frozen=True)
class Source:
    """One entry of the register of sources; ``basis`` is R, R2 or K as said in the register."""

    key: str
    basis: str
    title: str
    address: str


@dataclass(frozen=True)
class RuleTable:
    """Everything the gate decides by. ``changes`` are the clinic's own, by rule and column (changed_table.py).

    ``marks`` are what a person marks on the body chart: judged like rows, never changed by a clinic, never cleared.
    """

    version: str
    conditions: Mapping[str, Condition]
    marks: Mapping[str, Condition]
    combinations: tuple[Combination, ...]
    clearance_only: Mapping[str, ClearanceOnly]
    ends_clearances: frozenset[str]
    ends_clearances_by_date: frozenset[str]
    renews_intake: frozenset[str]
    pages: tuple[PageText, ...]
    sources: Mapping[str, Source]
    changes: Mapping[tuple[str, str], Adjustment] = field(default_factory=dict)

    @cached_property
    def asked(self) -> Mapping[str, Condition]:
        """Everything that a person is asked about: the conditions, and the marks last."""
        return {**self.conditions, **self.marks}

    def change_of(self, rule: str, column: str) -> Adjustment:
        """What the clinic changed in this rule for this column."""
        return self.changes.get((rule, column), UNCHANGED)

    def clearable(self, key: str) -> Condition | ClearanceOnly:
        """The row or the other thing that a clearance names; raises ``KeyError`` when there is none."""
        return self.clearance_only[key] if key in self.clearance_only else self.conditions[key]


def load_table(
    conditions: Path = CONDITIONS_FILE, combinations: Path = COMBINATIONS_FILE, sources: Path = SOURCES_FILE
) -> RuleTable:
    """Read and check the three files; raises ``LoadError`` naming the entry and the key that is wrong."""
    register = _read_all(_open(sources), "source", _read_source)
    file = _open(conditions)
    pages = _read_all(file, "page", _read_page)
    rows = _read_all(file, "condition", lambda raw: read_condition(raw, pages, register))
    marks = _read_all(file, "mark", lambda raw: read_condition(raw, pages, register))
    others = _read_all(file, "clearance_only", _read_clearance_only)
    number = file.take_whole_number("version")
    ends = file.take_words("ends_clearances", rows)
    by_date = file.take_words("ends_clearances_by_date", ends)
    renews = file.take_words("renews_intake", rows)
    file.close()
    names = _names_of(rows)
    may_name = {**rows, **others}
    combined = _read_all(
        _open(combinations), "combination", lambda raw: _read_combination(raw, names, may_name, register)
    )
    digest = hashlib.sha256()
    for path in (conditions, combinations, sources):
        digest.update(path.read_bytes())
    return RuleTable(
        version=f"{number}-{digest.hexdigest()[:12]}",
        conditions=rows,
        marks=marks,
        combinations=tuple(combined.values()),
        clearance_only=others,
        ends_clearances=frozenset(ends),
        ends_clearances_by_date=frozenset(by_date),
        renews_intake=frozenset(renews),
        pages=tuple(pages.values()),
        sources=register,
    )


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_K = TypeVar("_K", bound=_Keyed)


def _open(path: Path) -> Entry:
    try:
        return Entry(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    except tomllib.TOMLDecodeError as error:
        raise LoadError(path.name, "file", f"cannot be read: {error}") from error


def _read_all(file: Entry, kind: str, read: Callable[[object], _K]) -> dict[str, _K]:
    found: dict[str, _K] = {}
    for raw in file.take_entries(kind):
        item = read(raw)
        if item.key in found:
            raise file.fail(item.key, f"is there twice among the entries of {kind}")
        found[item.key] = item
    if not found:
        raise file.fail(kind, "has no entries")
    return found


def _read_source(raw: object) -> Source:
    entry = Entry(raw, "source")
    source = Source(
        key=entry.take_text("id"),
        basis=entry.take_word("basis", ("R", "R2", "K")),
        title=entry.take_text("title"),
        address=entry.take_text("address", optional=True),
    )
    entry.close()
    return source


def _read_page(raw: object) -> PageText:
    entry = Entry(raw, "page")
    page = PageText(entry.take_text("key"), entry.take_text("title"), entry.take_text("intro"))
    entry.close()
    return page


def _read_clearance_only(raw: object) -> ClearanceOnly:
    entry = Entry(raw, "clearance_only")
    other = ClearanceOnly(
        key=entry.take_text("key"),
        label=entry.take_text("label"),
        who_may_clear=entry.take_words("who_may_clear", ISSUERS),
        clearance_days=entry.take_whole_number("clearance_valid_days") or 0,
    )
    entry.close()
    return other


def _names_of(rows: Mapping[str, Condition]) -> Callable[[str], Name | None]:
    """What a combination may name: ``age``, a condition, or a detail of one."""

    def names(name: str) -> Name | None:
        if name == "age":
            return Name("number")
        key, dot, detail = name.partition(".")
        if key not in rows:
            return None
        return detail_name(rows[key].fields_by_name, detail) if dot else Name("yes_no")

    return names


def _nothing_declared(name: str) -> object:
    """What an expression reads of somebody of unknown age who declared nothing."""
    if name == "age":
        return None
    return ABSENT if "." in name else False


def _read_combination(
    raw: object,
    names: Callable[[str], Name | None],
    may_name: Mapping[str, object],
    sources: Mapping[str, object],
) -> Combination:
    entry = Entry(raw, "combination")
    entry.name = entry.take_text("id")
    when = entry.take_text("when")
    try:
        expression = compile_expression(when, names)
    except ExpressionError as error:
        raise entry.fail("when", str(error)) from error
    named = frozenset(name.partition(".")[0] for name in expression.names) - {"age"}
    if named and expression.test(_nothing_declared) is not False:
        raise entry.fail("when", "holds for somebody who declared none of its conditions")
    combination = Combination(
        key=entry.name,
        label=entry.take_text("label"),
        when=expression,
        conditions=named,
        minimum=entry.take_verdicts("minimum"),
        red_flag=entry.take_urgency("red_flag"),
        must_name=entry.take_words("must_name", may_name),
        plain_reason=entry.take_text("plain_reason"),
        reason=entry.take_text("reason"),
        sources=entry.take_words("sources", sources),
    )
    entry.close()
    if Verdict.CLEARANCE in combination.minimum and not combination.must_name:
        raise entry.fail("must_name", "a minimum of clearance needs the conditions to be cleared")
    if combination.red_flag is not Urgency.NONE and min(combination.minimum) is not Verdict.BLOCK:
        raise entry.fail("red_flag", "an urgent rule has to block every column")
    return combination


TABLE: Final = load_table()
"""The tables as shipped, loaded and checked when this module is imported."""
