"""The answers of a record in words: each version as it was signed, in the wording in which it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clinic.records import words as w
from clinic.records.queries.names import Names, day
from clinic.records.queries.rested_on import Facts
from clinic.rules.language import N_, _
from clinic.rules.question_set import Answered, Wording, answered
from clinic.shared.languages import LANGUAGES
from clinic.shared.papers import Block, Grid, Lines, Pairs, Part, Section

HEADS = (N_("Question, as it was asked"), N_("Answer"))
CHECK_IN_HEADS = (N_("Question, as it was asked"), N_("Answer that counted from then on"))


def wording_of(facts: Facts, version: str | None) -> Wording | None:
    """The wording of this version of the questions; None where it was not kept."""
    kept: Wording | None = facts["questions"].get(version)
    return kept


def in_words(one: Answered) -> str:
    """One answer with its details, in a line each."""
    return "\n".join([one.answer, *(f"{question} {answer}" for question, answer in one.details)])


def called(version: Facts) -> str:
    """How the record refers to a version of the answers."""
    return _("Answers %(version)s", version=version["version"])


def answers_section(facts: Facts, names: Names) -> Section:
    """Every version that a judgement read. After the first only what is different is printed again."""
    parts: list[Block] = []
    before: Facts | None = None
    for one in facts["answers"]:
        parts.append(_version(facts, names, one, before))
        before = one
    return Section(_("The answers"), tuple(parts) or (Lines((_("No signed answers were read."),)),))


def _version(facts: Facts, names: Names, one: Facts, before: Facts | None) -> Part:
    wording = wording_of(facts, one["question_version"])
    found = [line for line in answered(wording, one["answers"]) if line.rule in one["answers"]]
    blocks: list[Lines | Pairs | Grid] = [Pairs(tuple(_signed(facts, names, one)))]
    if wording is None:
        blocks.append(Lines((_(w.WORDING_LOST),)))
    if before is not None and before["question_version"] == one["question_version"]:
        same = set(answered(wording, before["answers"]))
        found = [line for line in found if line not in same]
        rest = _("All other answers are") if found else _("All answers are")
        blocks.append(Lines((_("%(rest)s the same as in “%(before)s”.", rest=rest, before=called(before)),)))
    rows = sorted(found, key=lambda line: not line.is_declared)
    blocks.append(
        Grid(tuple(_(one) for one in HEADS), tuple((line.question, in_words(line)) for line in rows))
    )
    return Part(called(one), tuple(blocks))


def _signed(facts: Facts, names: Names, one: Facts) -> Iterator[tuple[str, str]]:
    yield (
        _("Stored as"),
        _(
            "Row %(one)s, version %(one2)s of these answers, at %(one3)s",
            one=one["id"],
            one2=one["version"],
            one3=one["signed_at"],
        ),
    )
    yield _("Kind"), f"{w.said(w.KINDS, one['kind'])}, {w.said(w.SOURCES, one['source'])}"
    yield _("Signed"), names.moment(one["signed_at"])
    yield _("Signed by"), f"{one['signature']['name']}{_relation(one)}, {_signature(one)}"
    if one["recorded_by"] is not None:
        yield _("Typed in by"), names.who(one["recorded_by"])
    yield _("Rests on the full form of"), day(one["completed_on"])
    yield _("Version of the questions"), one["question_version"]
    if "shown_in" in one:
        language = LANGUAGES.get(one["shown_in"], one["shown_in"])
        yield (
            _("Shown in"),
            _("%(language)s, wording %(version)s", language=language, version=one["shown_version"]),
        )
    if one["renewal"]:
        yield (
            _("Note"),
            _("Something big was said to have happened: only a new full form holds from here on."),
        )
    if one["softens"]:
        yield _("Note"), _("It takes back or changes something said before: both count until it is reviewed.")
    for review in (row for row in facts["reviews"] if row["answers"] == one["id"]):
        ending = (
            _("The new answers stand alone")
            if review["accepted"]
            else _("The earlier answers go on counting")
        )
        yield (
            _("Reviewed"),
            f"{ending}. {names.moment(review['at'])}, {names.who(review['by'])}. {review['note']}",
        )


def _relation(one: Facts) -> str:
    relation = one["signature"]["relation"]
    return "" if relation == "self" else _(" (%(relation)s of the client)", relation=relation)


def _signature(one: Facts) -> str:
    if one["source"] == "paper":
        return _("on paper")
    return _("signature drawn") if one["signature"]["points"] else _("name typed")


def check_in_section(facts: Facts, names: Names) -> Section:
    """What was asked about the day itself, and what was answered."""
    parts = tuple(_check_in(facts, names, one) for one in facts["answers"] if one["kind"] == "checkin")
    return Section(_("The check-in"), parts or (Lines((_("No check-in was judged for this visit."),)),))


def _check_in(facts: Facts, names: Names, one: Facts) -> Part:
    wording = wording_of(facts, one["question_version"])
    asked = one["asked"] or ()
    rows = tuple(
        (line.question, in_words(line)) for line in answered(wording, one["answers"]) if line.rule in asked
    )
    opening = [_topics(wording["topics"])] if wording else []
    opening.append(_(w.ABOUT_CHECK_IN) if rows else _(w.NOTHING_ASKED))
    return Part(
        f"{names.moment(one['signed_at'])}: {called(one)}",
        (Lines(tuple(opening)), Grid(tuple(_(one) for one in CHECK_IN_HEADS), rows)),
    )


def _topics(topics: Sequence[Wording]) -> str:
    titles = "; ".join(" ".join(filter(None, (f"{one['title']}.", one["detail"]))) for one in topics)
    return _("Asked first whether any of this had changed: %(titles)s", titles=titles)
