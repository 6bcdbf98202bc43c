"""The whole record of one visit as a paper, for an insurer, a complaint, or to look up why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.records import words as w
from clinic.records.queries.facts import facts_of, fingerprint
from clinic.records.queries.names import Names, names_of
from clinic.records.queries.paper_answers import answers_section, check_in_section
from clinic.records.queries.paper_basis import (
    asked_for_sections,
    consents_section,
    letters_section,
    passes_sections,
    reactions_sections,
    stops_sections,
)
from clinic.records.queries.paper_judgements import judgements_section
from clinic.records.queries.rested_on import Facts
from clinic.rules.language import _
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.visit_status import VisitStatus, staff_label
from clinic.rules.words import capital, day_words, money_words
from clinic.shared.papers import Grid, Lines, Pairs, Paper, Part, Section

NO_REASON = "–"


@dataclass(frozen=True)
class Record:
    """The paper, its fingerprint, and whose visit it is of."""

    visit_id: int
    client: str
    fingerprint: str
    paper: Paper


def record_of(
    visit_id: int, *, printed_at: dt.datetime | None = None, printed_by: int | None = None
) -> Record | None:
    """The record; None where there is no such visit, or nobody's yet. `printed_at` and `printed_by`: said on it."""
    visit = visits.visit(visit_id)
    if visit is None or visit.client is None:
        return None
    facts = facts_of(visit)
    names = names_of(visit, facts | {"by": printed_by})
    mark = fingerprint(facts)
    opening = list(_opening(visit, names, mark))
    if printed_at is not None:
        opening.append((_("Printed"), f"{names.moment(printed_at.isoformat())}, {names.who(printed_by)}"))
    paper = Paper(
        title=_("Record of visit %(id)s", id=visit.id),
        author=names.clinic,
        opening=Pairs(tuple(opening)),
        sections=(
            Section(_("About this record"), (Lines(tuple(_(one) for one in w.ABOUT)),)),
            Section(_("The visit"), (Pairs(tuple(_visit(visit, facts["visit"], names))),)),
            _history(facts, names),
            judgements_section(facts, names),
            check_in_section(facts, names),
            letters_section(facts, names),
            *stops_sections(facts, names),
            *asked_for_sections(facts, names),
            *passes_sections(facts, names),
            *reactions_sections(facts, names),
            consents_section(facts, names),
            answers_section(facts, names),
        ),
        foot=_("Fingerprint %(mark)s", mark=mark),
    )  # fmt: skip
    return Record(visit.id, visit.client.name, mark, paper)


def _opening(visit: Visit, names: Names, mark: str) -> Iterator[tuple[str, str]]:
    assert visit.client is not None  # noqa: S101 # the caller has looked
    yield _("Clinic"), names.clinic
    yield (
        _("Client"),
        _(
            "%(name)s, born %(day)s (record %(client_id)s)",
            name=visit.client.name,
            day=day_words(visit.client.born_on),
            client_id=visit.client_id,
        ),
    )
    yield _("When"), names.moment(visit.starts_at.isoformat())
    yield _("Fingerprint"), mark


def _visit(visit: Visit, facts: Facts, names: Names) -> Iterator[tuple[str, str]]:
    yield _("Number"), str(visit.id)
    yield (
        _("Starts"),
        _(
            "%(facts)s (all times are those of %(facts2)s)",
            facts=names.moment(facts["starts_at"]),
            facts2=facts["zone"],
        ),
    )
    yield _("Ends"), names.moment(facts["ends_at"])
    yield _("Service"), names.treatment(facts | {"service": visit.service.key})
    yield _("Places"), capital(areas_in_words(facts["areas"])) or _("None named")
    yield (
        _("Length"),
        _(
            "%(facts)s minutes of treatment%(value)s",
            facts=facts["minutes"],
            value=", first visit" if facts["first_visit"] else "",
        ),
    )
    yield _("Therapist"), visit.therapist.name
    yield _("Room"), f"{visit.room.name}, {visit.location.name}"
    yield _("Price"), money_words(facts["price"], facts["currency"])
    yield _("Status"), staff_label(VisitStatus(facts["status"]))
    yield (
        _("Booked"),
        f"{names.moment(facts['created_at'])}, {w.said(w.SOURCES, facts['source'])}, {names.who(facts['created_by'])}",
    )
    if facts["note"]:
        yield _("Note of the client"), facts["note"]


def _history(facts: Facts, names: Names) -> Section:
    """What it became, and what was done to it, each in its own order."""
    steps = tuple(
        (
            names.moment(one["at"]),
            staff_label(VisitStatus(one["status"])),
            names.who(one["by"]),
            one["reason"] or NO_REASON,
        )
        for one in facts["steps"]
    )
    deeds = tuple(
        (
            names.moment(one["at"]),
            w.said(w.DEEDS, one["deed"]),
            names.who(one["by"]),
            _("Trace %(one)s", one=one["number"]),
        )
        for one in facts["deeds"]
    )
    parts = [Part(_("Status"), (Grid((_("When"), _("Status"), _("By"), _("Reason")), steps),))]
    if deeds:
        parts.append(
            Part(_("Deeds in the audit"), (Grid((_("When"), _("Deed"), _("By"), _("Number")), deeds),))
        )
    return Section(_("What happened to it"), tuple(parts))
