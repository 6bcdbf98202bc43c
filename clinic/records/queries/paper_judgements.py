"""The judgements of a record in words: what was judged, on what, and every finding with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clinic.records import words as w
from clinic.records.queries.names import Names, day
from clinic.records.queries.paper_answers import called, in_words, wording_of
from clinic.records.queries.rested_on import Facts
from clinic.rules import body_figure
from clinic.rules.language import _
from clinic.rules.letter_scope import COLUMN_WORDS, ISSUER_NAMES
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.question_set import answered
from clinic.rules.rule_table import TABLE
from clinic.rules.words import capital, join_words
from clinic.shared.papers import Block, Drawing, Lines, Outline, Pairs, Part, Section, Sheet


def judgements_section(facts: Facts, names: Names) -> Section:
    """In order, the first one first."""
    parts: list[Block] = [
        _judgement(facts, names, one, number) for number, one in enumerate(facts["judgements"], start=1)
    ]
    return Section(
        _("Every judgement, in order"), tuple(parts) or (Lines((_("It has not been judged yet."),)),)
    )


def _judgement(facts: Facts, names: Names, one: Facts, number: int) -> Part:
    blocks: list[Lines | Pairs | Drawing] = [Pairs(tuple(_head(facts, names, one)))]
    if drawn := _drawn(one["places"]):
        blocks.append(drawn)
    if one["others"]:
        blocks.append(Lines((_(w.WITHHELD).format(number=one["others"]),)))
    if not one["findings"] and not one["stopped"]:
        blocks.append(Lines((_("No rule spoke against it."),)))
    blocks += [Pairs(tuple(finding_rows(facts, names, one, found))) for found in one["findings"]]
    stricter = [found for found in one["strictest"] if found not in one["findings"]]
    if stricter:
        blocks.append(Lines((_("By the strictest reading of all answers that counted, also:"),)))
        blocks += [Pairs(tuple(finding_rows(facts, names, one, found))) for found in stricter]
    title = f"{number}. {names.moment(one['at'])}: {w.said(w.OUTCOMES, one['outcome'])}"
    return Part(title, tuple(blocks))


def _head(facts: Facts, names: Names, one: Facts) -> Iterator[tuple[str, str]]:
    yield _("Stored as"), _("Row %(one)s, at %(one2)s", one=one["id"], one2=one["at"])
    yield _("Because"), w.said(w.DOORS, one["door"])
    yield _("By"), names.who(one["by"])
    yield _("Judged for"), _("%(one)s, %(one2)s minutes", one=day(one["day"]), one2=one["minutes"])
    yield _("Treatment"), names.treatment(one)
    yield _("Places"), capital(areas_in_words(one["areas"])) or _("None named")
    yield _("Verdict"), w.said(w.VERDICTS, one["verdict"])
    permits = "permits" if one["permits"] else _("does not permit")
    yield (
        "Outcome",
        _(
            "%(outcomes)s (%(permits)s the visit)",
            outcomes=w.said(w.OUTCOMES, one["outcome"]),
            permits=permits,
        ),
    )
    if one["urgency"] != "none":
        yield _("Urgency"), w.said(w.URGENCIES, one["urgency"])
    if one["stopped"]:
        yield _("Warning sign"), _("A declared warning sign stopped every visit of this person.")
    yield _("Rules"), _("Version %(one)s. Not signed off by a clinician.", one=one["rules_version"])
    yield (
        _("Questions"),
        _("Version %(one)s", one=one["question_version"])
        if one["question_version"]
        else _("None answered yet"),
    )
    yield _("Answers read"), _read(facts, names, one)
    yield _("Letters that counted"), _letters(facts, one["clearances"]) or _("None")
    for place in one["places"]:
        keep = _("Keep away from") if place["avoid"] else _("Take care at")
        where = areas_in_words(place["areas"]) or _("a place that was not named")
        yield keep, f"{where}: {place['label']}"


def _drawn(places: Sequence[Facts]) -> Drawing | None:
    """The places on a body, front and back; None where none is known."""
    kinds = {
        kind: [area for place in places if place["avoid"] is avoid for area in place["areas"]]
        for kind, avoid in (("strong", True), ("light", False))
    }
    marks = body_figure.marked(**kinds)
    if not marks:
        return None
    said = ((_("Dark: keep away from"), kinds["strong"]), (_("Light: take care at"), kinds["light"]))
    sheets = tuple(
        Sheet(
            view.key.capitalize(), body_figure.WIDTH, body_figure.HEIGHT,
            view.left_half.capitalize(), view.right_half.capitalize(),
            tuple(Outline(shape.path, marks.get(shape.area, "")) for shape in view.shapes),
        )
        for view in body_figure.VIEWS
    )  # fmt: skip
    return Drawing(sheets, " ".join(f"{what} {areas_in_words(areas)}." for what, areas in said if areas))


def _read(facts: Facts, names: Names, one: Facts) -> str:
    read = [
        _("%(row)s, signed %(row2)s", row=called(row), row2=names.moment(row["signed_at"]))
        for row in _versions(facts, one)
    ]
    return "\n".join(read) or _("None")


def _versions(facts: Facts, judgement: Facts) -> list[Facts]:
    """What this judgement read, in its order: the newest first."""
    by_id = {row["id"]: row for row in facts["answers"]}
    return [by_id[one] for one in judgement["answers"]]


def _letters(facts: Facts, ids: Sequence[int]) -> str:
    used = [row for row in facts["clearances"] if row["id"] in ids]
    return "; ".join(
        f"{row['statement']['clinician']}, {w.said(ISSUER_NAMES, row['statement']['role'])}, {day(row['issued_on'])}"
        for row in used
    )


def finding_rows(facts: Facts, names: Names, judgement: Facts, found: Facts) -> Iterator[tuple[str, str]]:
    """One finding: the rule, the answer with its day, what holds because of it, and who may clear it."""
    about = COLUMN_WORDS.get(found["column"], found["column"])
    yield (
        _("Finding"),
        _(
            "%(found)s (rule %(found2)s), about: %(about)s",
            found=found["label"],
            found2=found["rule"],
            about=about,
        ),
    )
    yield from _answer(facts, names, judgement, found["rule"])
    yield _("What holds"), w.said(w.VERDICTS, found["verdict"])
    yield _("Said to the client"), found["reason"]
    yield _("Said to staff"), found["staff_note"]
    if found["until"]:
        yield _("Until"), _("Less strict from %(found)s on", found=day(found["until"]))
    if found["what_would_change"]:
        yield _("What would change it"), found["what_would_change"]
    issuers = [w.said(ISSUER_NAMES, one) for one in found["who_may_clear"]]
    yield (
        _("Who may clear it"),
        _("A letter from: %(names)s", names=join_words(issuers, "or"))
        if issuers
        else _("Nobody, by a letter"),
    )
    if found["clearances"]:
        yield _("Cleared by"), _letters(facts, found["clearances"])
    yield _("Source"), sources_in_words(found["source"])
    if found.get("changed_by_clinic"):
        yield _("Changed by the clinic"), _(w.CHANGED_BY_CLINIC)


def _answer(facts: Facts, names: Names, judgement: Facts, rule: str) -> Iterator[tuple[str, str]]:
    for version in _versions(facts, judgement):
        given = version["answers"].get(rule)
        if not given or not given.get("present"):
            continue
        wording = wording_of(facts, version["question_version"])
        line = next(one for one in answered(wording, {rule: given}) if one.rule == rule)
        yield _("Answer given"), f"{line.question}\n{in_words(line)}"
        since = (
            _("; last changed %(given)s", given=day(given["changed_on"])) if given.get("changed_on") else ""
        )
        yield (
            _("Answered"),
            _(
                "%(version)s, in “%(version2)s”%(since)s",
                version=names.moment(version["signed_at"]),
                version2=called(version),
                since=since,
            ),
        )
        return
    yield _("Answer given"), _(w.NO_SINGLE_ANSWER)


def sources_in_words(stored: str) -> str:
    """The keys of the sources as stored, with the titles under which the register has them today."""
    keys = stored.split("; ")
    return "\n".join(f"{key}: {TABLE.sources[key].title}" if key in TABLE.sources else key for key in keys)
