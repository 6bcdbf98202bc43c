"""The reports of a period, put together. Reads only, and a fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass

from clinic.reports.queries import coming, health, use
from clinic.reports.queries.reading import Read, read
from clinic.reports.tables import Headline, Table, percent
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.report_period import Period

REPORTS = {
    "therapists": use.by_therapist,
    "rooms": use.by_room,
    "hours": use.by_hour,
    "missed": coming.missed,
    "ahead": coming.ahead,
    "intakes": health.intakes,
    "outcomes": health.outcomes,
    "reasons": health.reasons,
    "alternatives": health.alternatives,
}


@dataclass(frozen=True)
class Reports:
    """Everything that the owner's page shows."""

    headlines: tuple[Headline, ...]
    tables: tuple[Table, ...]


def reports(period: Period, place_id: int | None) -> Reports:
    """All reports of the period at one place, or at all of them."""
    found = _read(period, place_id)
    tables = {key: make(found) for key, make in REPORTS.items()}
    headlines = (
        Headline(percent(use.total_use(found).share), _("of the therapists’ time in use")),
        *coming.headlines(found),
        health.intake_headline(tables["intakes"]),
    )
    return Reports(headlines, tuple(tables.values()))


def report(key: str, period: Period, place_id: int | None) -> Table:
    """One of them. Raises NotFound."""
    if key not in REPORTS:
        raise NotFound()
    return REPORTS[key](_read(period, place_id))


def _read(period: Period, place_id: int | None) -> Read:
    found = read(period, place_id)
    if not found.places:
        raise NotFound(_("There is no such place."))
    return found
