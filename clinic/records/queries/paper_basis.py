"""What else the decisions of a record rested on: letters, warning signs, a therapist's say, consents."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.records import words as w
from clinic.records.queries.names import Names, day
from clinic.records.queries.paper_answers import in_words, wording_of
from clinic.records.queries.rested_on import Facts
from clinic.rules.letter_scope import COLUMN_WORDS, label_of
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.question_set import answered
from clinic.shared.papers import Block, Grid, Lines, Pairs, Part, Section


def letters_section(facts: Facts, names: Names) -> Section:
    """Each letter that a judgement counted, with who wrote and who checked it."""
    parts: list[Block] = [_letter(one, names) for one in facts["clearances"]]
    return Section("Clinicians’ letters that counted", tuple(parts) or (Lines(("None.",)),))


def _letter(one: Facts, names: Names) -> Part:
    stated = one["statement"]
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in stated["services"])
    ends = day(one["ends_on"]) if one["ends_on"] else "no day named"
    rows = [
        ("About", label_of(stated["condition"])),
        ("Written by", f"{stated['clinician']}, {w.said(w.ISSUERS, stated['role'])}"),
        ("Licence or register number", stated["register_number"]),
        ("Contact", stated["contact"]),
        ("Date of the letter", day(one["issued_on"])),
        ("Good until", f"{ends}; too late from {day(one['lapses_on'])} on"),
        ("Treatments", f"{services}{', the interval chamber too' if 'interval' in stated['modes'] else ''}"),
        ("Places", areas_in_words(stated["areas"]).capitalize() or "No limit named"),
        ("Limits", stated["limits"] or "None named"),
        ("Came in", f"{names.moment(one['came_at'])}, {w.said(w.SOURCES, one['came_by'])}"),
        ("Verified", f"{names.moment(one['verified_at'])}, {names.who(one['verified_by'])}"),
        ("How it was checked", stated["how"]),
    ]  # fmt: skip
    return Part(f"Letter of {stated['clinician']}", (Pairs(tuple(rows)),))


def stops_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """Declared warning signs, where one stopped a visit."""
    if facts["stops"]:
        yield Section("Warning signs", tuple(_stop(facts, one, names) for one in facts["stops"]))


def _stop(facts: Facts, one: Facts, names: Names) -> Part:
    wording = wording_of(facts, one["question_version"])
    told = [line for line in answered(wording, one["answers"]) if line.is_declared]
    ended = "Not by the time of the last decision"
    if one["ended_at"]:
        by = names.who(one["ended_by"])
        ended = (
            f"{w.said(w.ENDINGS, one['ending'])}, {names.moment(one['ended_at'])}, {by}. {one['note'] or ''}"
        )
    rows = (
        ("Declared", f"{names.moment(one['raised_at'])}, {w.said(w.SOURCES, one['source'])}"),
        ("Urgency", w.said(w.URGENCIES, one["urgency"])),
        ("Ended", ended),
    )
    grid = Grid(("What was declared", "Answer"), tuple((line.question, in_words(line)) for line in told))
    return Part(names.moment(one["raised_at"]), (Pairs(rows), grid))


def passes_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """Cautions about rest that somebody passed, where that was so."""
    if facts["passes"]:
        rows = tuple(
            (
                names.moment(one["at"]),
                f"Booked sooner than advised, passed by {names.who(one['by'])}",
                f"For the start on {names.moment(one['starts_at'])}: {' '.join(one['rules'])}",
                one["reason"] or "No reason written",
            )
            for one in facts["passes"]
        )
        yield Section("Cautions that were passed", (Grid(("When", "What", "Advice", "Why"), rows),))


def reactions_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """Bad reactions on record, where there are any."""
    if facts["reactions"]:
        rows = tuple(
            (
                f"{day(one['happened_on'])}{', to this visit' if one['to_this_visit'] else ''}",
                one["what_happened"],
                f"{names.moment(one['recorded_at'])}, {names.who(one['by'])}",
            )
            for one in facts["reactions"]
        )
        yield Section("Bad reactions", (Grid(("When", "What happened", "Recorded"), rows),))


def asked_for_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """What therapists asked for beyond the rules, where they did."""
    if facts["therapist_asked"]:
        parts = tuple(_restriction(one, names) for one in facts["therapist_asked"])
        yield Section("What a therapist asked for", parts)


def _restriction(one: Facts, names: Names) -> Part:
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in one["services"])
    rows = [
        ("At least", w.said(w.VERDICTS, one["verdict"])),
        ("For", services or "All treatments"),
        ("Until", day(one["until"]) if one["until"] else "Withdrawn"),
        ("Why", one["reason"]),
        ("Recorded by", names.who(one["by"])),
    ]
    if one["ended_at"]:
        rows.append(("Withdrawn", names.moment(one["ended_at"])))
    therapist = names.therapists.get(one["therapist"], f"Therapist {one['therapist']}")
    return Part(f"{therapist}, {names.moment(one['made_at'])}", (Pairs(tuple(rows)),))


def consents_section(facts: Facts, names: Names) -> Section:
    """Consents as they stood by the last decision."""
    rows = tuple(
        (
            w.said(w.CONSENTS, one["kind"]),
            f"{day(one['given_on'])}{_guardian(one['detail'])}",
            f"Text {one['text_version']}",
            names.moment(one["withdrawn_at"]) if one["withdrawn_at"] else "No",
        )
        for one in facts["consents"]
    )
    if not rows:
        return Section("Consents", (Lines(("None on file.",)),))
    return Section("Consents", (Grid(("Consent", "Given", "Wording", "Withdrawn by then"), rows),))


def _guardian(detail: Facts) -> str:
    if not detail.get("name"):
        return ""
    room = "stays in the room" if detail["will_be_in_room"] else "does not stay in the room"
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in detail["services"])
    return f"\n{detail['name']}, {detail['relation']}, {room}\nFor: {services}"
