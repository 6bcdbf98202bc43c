"""The whole record of one visit as a paper, for an insurer, a complaint, or to look up why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.records import words as w
from clinic.records.queries.facts import Facts, facts_of, fingerprint
from clinic.records.queries.names import Names, day, names_of
from clinic.records.queries.paper_answers import answers_section, check_in_section, in_words, wording_of
from clinic.records.queries.paper_judgements import judgements_section
from clinic.rules.letter_scope import COLUMN_WORDS, label_of
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.question_set import answered
from clinic.rules.visit_status import VisitStatus, staff_label
from clinic.rules.words import day_words, money_words
from clinic.shared.papers import Block, Grid, Lines, Pairs, Paper, Part, Section


@dataclass(frozen=True)
class Record:
    """The paper, its fingerprint, and whose visit it is of."""

    visit_id: int
    client: str
    fingerprint: str
    paper: Paper


def record_of(visit_id: int, *, printed_at: dt.datetime | None = None, printed_by: int | None = None) -> Record | None:
    """The record; None where there is no such visit, or nobody's yet. `printed_at` and `printed_by`: said on it."""
    visit = visits.visit(visit_id)
    if visit is None or visit.client is None:
        return None
    facts = facts_of(visit)
    names = names_of(visit, facts | {"by": printed_by})
    mark = fingerprint(facts)
    opening = list(_opening(visit, names, mark))
    if printed_at is not None:
        opening.append(("Printed", f"{names.moment(printed_at.isoformat())}, {names.who(printed_by)}"))
    paper = Paper(
        title=f"Record of visit {visit.id}",
        author=names.clinic,
        opening=Pairs(tuple(opening)),
        sections=(
            Section("About this record", (Lines((w.NOT_SIGNED_OFF, w.NAMES_OF_TODAY, w.ABOUT_FINGERPRINT, w.ABOUT_LETTERS)),)),
            Section("The visit", (Pairs(tuple(_visit(visit, facts["visit"], names))),)),
            _history(facts, names),
            judgements_section(facts, names),
            check_in_section(facts, names),
            _letters(facts, names),
            *_stops(facts, names),
            *_asked_for(facts, names),
            _consents(facts, names),
            answers_section(facts, names),
        ),
        foot=f"Fingerprint {mark}",
    )  # fmt: skip
    return Record(visit.id, visit.client.name, mark, paper)


def _opening(visit: Visit, names: Names, mark: str) -> Iterator[tuple[str, str]]:
    assert visit.client is not None  # noqa: S101 # the caller has looked
    yield "Clinic", names.clinic
    yield "Client", f"{visit.client.name}, born {day_words(visit.client.born_on)} (record {visit.client_id})"
    yield "When", names.moment(visit.starts_at.isoformat())
    yield "Fingerprint", mark


def _visit(visit: Visit, facts: Facts, names: Names) -> Iterator[tuple[str, str]]:
    yield "Number", str(visit.id)
    yield "Starts", f"{names.moment(facts['starts_at'])} (all times are those of {facts['zone']})"
    yield "Ends", names.moment(facts["ends_at"])
    yield "Service", names.treatment(facts | {"service": visit.service.key})
    yield "Places", areas_in_words(facts["areas"]).capitalize() or "None named"
    yield "Length", f"{facts['minutes']} minutes of treatment{', first visit' if facts['first_visit'] else ''}"
    yield "Therapist", visit.therapist.name
    yield "Room", f"{visit.room.name}, {visit.location.name}"
    yield "Price", money_words(facts["price"], facts["currency"])
    yield "Status", staff_label(VisitStatus(facts["status"]))
    yield "Booked", f"{names.moment(facts['created_at'])}, {w.said(w.SOURCES, facts['source'])}, {names.who(facts['created_by'])}"
    if facts["note"]:
        yield "Note of the client", facts["note"]


def _history(facts: Facts, names: Names) -> Section:
    """What it became, and what was done to it, each in its own order."""
    steps = tuple(
        (names.moment(one["at"]), staff_label(VisitStatus(one["status"])), names.who(one["by"]), one["reason"])
        for one in facts["steps"]
    )
    deeds = tuple(
        (names.moment(one["at"]), w.said(w.DEEDS, one["deed"]), names.who(one["by"]), f"Trace {one['number']}")
        for one in facts["deeds"]
    )
    return Section(
        "What happened to it",
        (
            Part("Status", (Grid(("When", "Status", "By", "Reason"), steps),)),
            Part("Deeds in the audit", (Grid(("When", "Deed", "By", "Number"), deeds),)),
        ),
    )


def _letters(facts: Facts, names: Names) -> Section:
    parts: list[Block] = [_letter(one, names) for one in facts["clearances"]]
    return Section("Clinicians’ letters that counted", tuple(parts) or (Lines(("None.",)),))


def _letter(one: Facts, names: Names) -> Part:
    stated = one["statement"]
    services = ", ".join(COLUMN_WORDS.get(key, key) for key in stated["services"])
    rows = [
        ("About", label_of(stated["condition"])),
        ("Written by", f"{stated['clinician']}, {w.said(w.ISSUERS, stated['role'])}, register {stated['register_number']}"),
        ("Contact", stated["contact"]),
        ("Date of the letter", day(one["issued_on"])),
        ("Good until", f"{day(one['ends_on']) if one['ends_on'] else 'no day named'}; too late from {day(one['lapses_on'])} on"),
        ("Treatments", f"{services}{', the interval chamber too' if 'interval' in stated['modes'] else ''}"),
        ("Places", areas_in_words(stated["areas"]).capitalize() or "No limit named"),
        ("Limits", stated["limits"] or "None named"),
        ("Came in", f"{names.moment(one['came_at'])}, {w.said(w.SOURCES, one['came_by'])}"),
        ("Verified", f"{names.moment(one['verified_at'])}, {names.who(one['verified_by'])}"),
        ("How it was checked", stated["how"]),
    ]  # fmt: skip
    return Part(f"Letter of {stated['clinician']}", (Pairs(tuple(rows)),))


def _stops(facts: Facts, names: Names) -> Iterator[Section]:
    if facts["stops"]:
        yield Section("Warning signs", tuple(_stop(facts, one, names) for one in facts["stops"]))


def _stop(facts: Facts, one: Facts, names: Names) -> Part:
    wording = wording_of(facts, one["question_version"])
    told = [line for line in answered(wording, one["answers"]) if line.is_declared]
    ended = "Not by the time of the last decision"
    if one["ended_at"]:
        ended = f"{w.said(w.ENDINGS, one['ending'])}, {names.moment(one['ended_at'])}, {names.who(one['ended_by'])}. {one['note'] or ''}"
    rows = (
        ("Declared", f"{names.moment(one['raised_at'])}, {w.said(w.SOURCES, one['source'])}"),
        ("Urgency", w.said(w.URGENCIES, one["urgency"])),
        ("Ended", ended),
    )
    grid = Grid(("What was declared", "Answer"), tuple((line.question, in_words(line)) for line in told))
    return Part(names.moment(one["raised_at"]), (Pairs(rows), grid))


def _asked_for(facts: Facts, names: Names) -> Iterator[Section]:
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


def _consents(facts: Facts, names: Names) -> Section:
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
