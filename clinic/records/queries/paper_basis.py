"""What else the decisions of a record rested on: letters, warning signs, a therapist's say, consents."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.records import words as w
from clinic.records.queries.names import Names, day
from clinic.records.queries.paper_answers import in_words, wording_of
from clinic.records.queries.rested_on import Facts
from clinic.rules.language import _
from clinic.rules.letter_scope import COLUMN_WORDS, ISSUER_NAMES, label_of
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.question_set import answered
from clinic.rules.words import capital
from clinic.shared.papers import Block, Grid, Lines, Pairs, Part, Section


def letters_section(facts: Facts, names: Names) -> Section:
    """Each letter that a judgement counted, with who wrote and who checked it."""
    parts: list[Block] = [_letter(one, names) for one in facts["clearances"]]
    return Section(_("Clinicians’ letters that counted"), tuple(parts) or (Lines((_("None."),)),))


def _letter(one: Facts, names: Names) -> Part:
    stated = one["statement"]
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in stated["services"])
    ends = day(one["ends_on"]) if one["ends_on"] else _("no day named")
    chamber = _(", the interval chamber too") if "interval" in stated["modes"] else ""
    rows = [
        (_("About"), label_of(stated["condition"])),
        (_("Written by"), f"{stated['clinician']}, {w.said(ISSUER_NAMES, stated['role'])}"),
        (_("Licence or register number"), stated["register_number"]),
        (_("Contact"), stated["contact"]),
        (_("Date of the letter"), day(one["issued_on"])),
        (_("Good until"), _("%(ends)s; too late from %(one)s on", ends=ends, one=day(one['lapses_on']))),
        (_("Treatments"), f"{services}{chamber}"),
        (_("Places"), capital(areas_in_words(stated["areas"])) or _("No limit named")),
        (_("Limits"), stated["limits"] or _("None named")),
        (_("Came in"), f"{names.moment(one['came_at'])}, {w.said(w.SOURCES, one['came_by'])}"),
        (_("Verified"), f"{names.moment(one['verified_at'])}, {names.who(one['verified_by'])}"),
        (_("How it was checked"), stated["how"]),
    ]  # fmt: skip
    return Part(_("Letter of %(stated)s", stated=stated["clinician"]), (Pairs(tuple(rows)),))


def stops_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """Declared warning signs, where one stopped a visit."""
    if facts["stops"]:
        yield Section(_("Warning signs"), tuple(_stop(facts, one, names) for one in facts["stops"]))


def _stop(facts: Facts, one: Facts, names: Names) -> Part:
    wording = wording_of(facts, one["question_version"])
    told = [line for line in answered(wording, one["answers"]) if line.is_declared]
    ended = _("Not by the time of the last decision")
    if one["ended_at"]:
        by = names.who(one["ended_by"])
        ended = (
            f"{w.said(w.ENDINGS, one['ending'])}, {names.moment(one['ended_at'])}, {by}. {one['note'] or ''}"
        )
    rows = (
        (_("Declared"), f"{names.moment(one['raised_at'])}, {w.said(w.SOURCES, one['source'])}"),
        (_("Urgency"), w.said(w.URGENCIES, one["urgency"])),
        (_("Ended"), ended),
    )
    grid = Grid(
        (_("What was declared"), _("Answer")), tuple((line.question, in_words(line)) for line in told)
    )
    return Part(names.moment(one["raised_at"]), (Pairs(rows), grid))


def passes_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """Cautions about rest that somebody passed, where that was so."""
    if facts["passes"]:
        rows = tuple(
            (
                names.moment(one["at"]),
                _("Booked sooner than advised, passed by %(one)s", one=names.who(one["by"])),
                _(
                    "For the start on %(one)s: %(one2)s",
                    one=names.moment(one["starts_at"]),
                    one2=" ".join(one["rules"]),
                ),
                one["reason"] or _("No reason written"),
            )
            for one in facts["passes"]
        )
        yield Section(
            _("Cautions that were passed"), (Grid((_("When"), _("What"), _("Advice"), _("Why")), rows),)
        )


def reactions_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """Bad reactions on record, where there are any."""
    if facts["reactions"]:
        rows = tuple(
            (
                day(one["happened_on"]) + (_(", to this visit") if one["to_this_visit"] else ""),
                one["what_happened"],
                f"{names.moment(one['recorded_at'])}, {names.who(one['by'])}",
            )
            for one in facts["reactions"]
        )
        yield Section(_("Bad reactions"), (Grid((_("When"), _("What happened"), _("Recorded")), rows),))


def asked_for_sections(facts: Facts, names: Names) -> Iterator[Section]:
    """What therapists asked for beyond the rules, where they did."""
    if facts["therapist_asked"]:
        parts = tuple(_restriction(one, names) for one in facts["therapist_asked"])
        yield Section(_("What a therapist asked for"), parts)


def _restriction(one: Facts, names: Names) -> Part:
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in one["services"])
    rows = [
        (_("At least"), w.said(w.VERDICTS, one["verdict"])),
        (_("For"), services or _("All treatments")),
        (_("Until"), day(one["until"]) if one["until"] else _("Withdrawn")),
        (_("Why"), one["reason"]),
        (_("Recorded by"), names.who(one["by"])),
    ]
    if one["ended_at"]:
        rows.append((_("Withdrawn"), names.moment(one["ended_at"])))
    therapist = names.therapists.get(one["therapist"], f"Therapist {one['therapist']}")
    return Part(f"{therapist}, {names.moment(one['made_at'])}", (Pairs(tuple(rows)),))


def consents_section(facts: Facts, names: Names) -> Section:
    """Consents as they stood by the last decision."""
    rows = tuple(
        (
            w.said(w.CONSENTS, one["kind"]),
            f"{day(one['given_on'])}{_guardian(one['detail'])}",
            _("Text %(one)s", one=one["text_version"]),
            names.moment(one["withdrawn_at"]) if one["withdrawn_at"] else _("No"),
        )
        for one in facts["consents"]
    )
    if not rows:
        return Section(_("Consents"), (Lines((_("None on file."),)),))
    return Section(
        _("Consents"), (Grid((_("Consent"), _("Given"), _("Wording"), _("Withdrawn by then")), rows),)
    )


def _guardian(detail: Facts) -> str:
    if not detail.get("name"):
        return ""
    room = _("stays in the room") if detail["will_be_in_room"] else _("does not stay in the room")
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in detail["services"])
    return _(
        "\n%(detail)s, %(detail2)s, %(room)s\nFor: %(services)s",
        detail=detail["name"],
        detail2=detail["relation"],
        room=room,
        services=services,
    )
