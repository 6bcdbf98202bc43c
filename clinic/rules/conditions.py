"""One condition of the clinic's table: its question, its details, its variants and their verdicts.

The data is ``conditions.toml``; ``rule_table.py`` loads it and holds the loaded table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from clinic.rules.body_areas import AREAS
from clinic.rules.expressions import Expression, ExpressionError, Name, compile_expression
from clinic.rules.table_entries import Entry, Verdicts
from clinic.rules.verdicts import Urgency, Verdict

ISSUERS = (
    "physician",
    "specialist",
    "nurse_practitioner",
    "midwife",
    "physiotherapist",
    "massage_therapist",
    "chiropractor",
    "other",
)
"""Who may have issued a clearance; which of them count is said row by row."""

FIELD_TYPES = ("yes_no", "choice", "date", "number", "text", "area")
SCOPES = ("systemic", "local", "local or systemic by variant")
OCCASIONS = ("intake", "checkin")
RAISES = {"clearance": Verdict.CLEARANCE, "block": Verdict.BLOCK}
STRICTEST_VARIANT = "strictest_variant"
PLACES = ("condition", "keep_off", "sore")
"""What is at a local row's place: an illness or injury; or a mark of the body chart, which body_areas.py compares."""
COUNTED = {"days": "date", "weeks": "weeks"}
"""Numbers that are counted to the day of the visit, and the field they are counted from."""


@dataclass(frozen=True)
class Field:
    """A detail asked when the condition was answered with yes.

    ``decides`` says whether a rule reads it; the others are for the therapist. ``choices`` are pairs of key
    and label, only for type ``choice``.
    """

    name: str
    type: str
    question: str
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    decides: bool = False

    @property
    def choice_keys(self) -> tuple[str, ...]:
        """The keys that an answer may have."""
        return tuple(key for key, _ in self.choices)


@dataclass(frozen=True)
class Variant:
    """The verdicts that hold while ``when`` is true; with ``off_site`` it is local, without it whole-body.

    ``holds_without`` names details that may be missing: the variant speaks about their absence itself.
    """

    when: Expression
    on_site: Verdicts
    off_site: Verdicts | None
    red_flag: Urgency
    note: str
    holds_without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Condition:
    """A row of the table; ``on_site``, ``off_site`` and ``red_flag`` are its default."""

    key: str
    label: str
    question: str
    examples: str
    category: str
    page: str
    red_flag: Urgency
    ask_when: tuple[str, ...]
    scope: str
    place: str
    about_now: bool
    not_sure_is_strictest: bool
    default_site: tuple[str, ...]
    follow_up_question: str
    time_window: str
    body_area_rule: str
    on_site: Verdicts
    off_site: Verdicts | None
    interval_vacuum_raise: Verdict
    who_may_clear: tuple[str, ...]
    clearance_days: int
    plain_reason: str
    reason: str
    sources_disagree: str
    seed_reference: str
    sources: tuple[str, ...]
    source_basis: tuple[str, ...]
    fields: tuple[Field, ...]
    variants: tuple[Variant, ...]

    @cached_property
    def fields_by_name(self) -> Mapping[str, Field]:
        """The details by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def is_local_somewhere(self) -> bool:
        """Whether the place matters, in the default or in a variant."""
        return self.off_site is not None or any(variant.off_site is not None for variant in self.variants)

    @property
    def is_needed(self) -> bool:
        """Whether nobody can sign without an answer: to every condition, but not to a mark on the body chart."""
        return self.place == "condition"

    @cached_property
    def stops_at_once(self) -> bool:
        """Whether a yes ends the questions: no follow-up may stand between it and the urgent message."""
        return self.follow_up_question.startswith(("None: stop", "No more questions"))

    @cached_property
    def turns(self) -> tuple[tuple[str, int], ...]:
        """At which ``days`` or ``weeks`` the row can change its verdict, smallest first."""
        found = {turn for variant in self.variants for turn in variant.when.turns if turn[0] in COUNTED}
        return tuple(sorted(found, key=lambda turn: turn[1]))


def detail_name(fields: Mapping[str, Field], name: str) -> Name | None:
    """What an expression may do with a detail of a row; ``None`` when the row has no such detail."""
    if name in COUNTED:
        return Name("number") if COUNTED[name] in fields else None
    field = fields.get(name)
    if field is None or field.type not in ("yes_no", "number", "choice"):
        return None
    return Name(field.type, frozenset(field.choice_keys))


def read_condition(values: object, pages: Mapping[str, object], sources: Mapping[str, object]) -> Condition:
    """Read one ``[[condition]]``; raises ``LoadError`` naming the row and the key that is wrong."""
    entry = Entry(values, "condition")
    key = entry.take_text("key")
    entry.name = key
    fields = _read_fields(entry)
    variants = tuple(_read_variant(raw, key, fields) for raw in entry.take_entries("variant"))
    who_may_clear = entry.take_words("who_may_clear", ISSUERS)
    raised = entry.take_text("interval_vacuum_raise", optional=True)
    if raised and raised not in RAISES:
        raise entry.fail("interval_vacuum_raise", f"unknown verdict {raised!r}")
    condition = Condition(
        key=key,
        label=entry.take_text("label"),
        question=entry.take_text("question"),
        examples=entry.take_text("examples", optional=True),
        category=entry.take_text("category"),
        page=entry.take_word("page", pages),
        red_flag=entry.take_urgency("red_flag"),
        ask_when=entry.take_words("ask_when", OCCASIONS),
        scope=entry.take_word("scope", SCOPES),
        place=entry.take_word("place", PLACES, "condition"),
        about_now=entry.take_flag("about_now"),
        not_sure_is_strictest=entry.take_word("not_sure", ("default", STRICTEST_VARIANT), "default")
        != "default",
        default_site=entry.take_words("default_site", AREAS),
        follow_up_question=entry.take_text("follow_up_question"),
        time_window=entry.take_text("time_window", optional=True),
        body_area_rule=entry.take_text("body_area_rule"),
        on_site=entry.take_verdicts("on_site"),
        off_site=entry.take_optional_verdicts("off_site"),
        interval_vacuum_raise=RAISES.get(raised, Verdict.CLEAR),
        who_may_clear=who_may_clear,
        clearance_days=entry.take_whole_number("clearance_valid_days", optional=not who_may_clear) or 0,
        plain_reason=entry.take_text("plain_reason"),
        reason=entry.take_text("reason"),
        sources_disagree=entry.take_text("sources_disagree", optional=True),
        seed_reference=entry.take_text("seed_reference", optional=True),
        sources=entry.take_words("sources", sources),
        source_basis=tuple(str(basis) for basis in entry.take_entries("source_basis")),
        fields=_with_deciding(fields, variants),
        variants=variants,
    )
    entry.close()
    _check_scope(condition, entry)
    return condition


def _read_fields(entry: Entry) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for raw in entry.take_entries("field"):
        part = Entry(raw, f"{entry.name} field")
        name = part.take_text("name")
        part.name = f"{entry.name}.{name}"
        kind = part.take_word("type", FIELD_TYPES)
        choices = tuple(_read_choice(part, pair) for pair in part.take_entries("choices"))
        if (kind == "choice") != bool(choices) or name in fields:
            raise part.fail("choices" if name not in fields else "name", "does not fit or is there twice")
        fields[name] = Field(
            name, kind, part.take_text("question"), part.take_text("help", optional=True), choices
        )
        part.close()
    return fields


def _read_choice(part: Entry, pair: object) -> tuple[str, str]:
    match pair:
        case [str(key), str(label)]:
            return key, label
    raise part.fail("choices", f"needs pairs of key and label, not {pair!r}")


def _read_variant(raw: object, key: str, fields: Mapping[str, Field]) -> Variant:
    part = Entry(raw, f"{key} variant")
    when = part.take_text("when")
    part.name = f"{key} variant [{when}]"
    try:
        expression = compile_expression(when, lambda name: detail_name(fields, name))
    except ExpressionError as error:
        raise part.fail("when", str(error)) from error
    variant = Variant(
        when=expression,
        on_site=part.take_verdicts("on_site"),
        off_site=part.take_optional_verdicts("off_site"),
        red_flag=part.take_urgency("red_flag"),
        note=part.take_text("note", optional=True),
        holds_without=frozenset(part.take_words("holds_without", fields)),
    )
    part.close()
    return variant


def _with_deciding(fields: Mapping[str, Field], variants: tuple[Variant, ...]) -> tuple[Field, ...]:
    read = {name for variant in variants for name in variant.when.names}
    deciding = read | {COUNTED[name] for name in read & COUNTED.keys()}
    if "weeks" in read:
        deciding.add("weeks_as_of")
    return tuple(
        Field(field.name, field.type, field.question, field.help, field.choices, field.name in deciding)
        for field in fields.values()
    )


def _check_scope(condition: Condition, entry: Entry) -> None:
    if condition.scope == "systemic" and condition.is_local_somewhere:
        raise entry.fail("scope", "is systemic, but a part of the row has an off_site code")
    if condition.scope == "local" and condition.off_site is None:
        raise entry.fail("off_site", "is missing in a local row")
    if condition.is_local_somewhere and "site" not in condition.fields_by_name:
        raise entry.fail("field", "a local row has to ask for the site")
    parts: list[Condition | Variant] = [condition, *condition.variants]
    for part in parts:
        codes = [part.on_site, *([part.off_site] if part.off_site else [])]
        if part.red_flag is not Urgency.NONE and any(min(code) is not Verdict.BLOCK for code in codes):
            raise entry.fail("red_flag", "an urgent rule has to block every column")
    if not condition.ask_when:
        raise entry.fail("ask_when", "is asked nowhere")
