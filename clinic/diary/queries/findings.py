"""What a therapist takes care of in a visit, from the judgement it rests on, in staff words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic.booking.models import Screening
from clinic.rules import body_figure
from clinic.rules.answer_history import MARKS
from clinic.rules.language import _
from clinic.rules.letter_scope import COLUMN_WORDS
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.screening import CALL_FIRST_FROM
from clinic.rules.verdicts import ADDONS, Verdict


@dataclass(frozen=True)
class Caution:
    """One finding: its label, what to do, and the add-ons that it is about too (or only)."""

    rule: str
    label: str
    note: str
    addons: tuple[str, ...] = ()


@dataclass(frozen=True)
class AvoidedPlace:
    """A place with its reason; `words` and `areas` are empty when the place is not known."""

    rule: str
    label: str
    words: str
    avoid: bool
    note: str = ""
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Care:
    """Everything to take care of. Without signed answers nothing is known: that is not the same as nothing found.

    A caution that is about a place stands with its place only.
    """

    cautions: tuple[Caution, ...] = ()
    places: tuple[AvoidedPlace, ...] = ()
    call_first: bool = False
    is_known: bool = False

    @property
    def drawn(self) -> dict[str, str]:
        """What to draw on each area of the body chart; where several things meet, the one that keeps away holds."""
        return body_figure.marked(
            avoid=[area for one in self.places if one.avoid for area in one.areas],
            care=[area for one in self.places if not one.avoid for area in one.areas],
        )

    @property
    def flag(self) -> str:
        """Two words for the grid."""
        if self.call_first:
            return _("Call first")
        return _("Take care") if self.cautions or self.places else ""


def care_of(screening: Screening | None) -> Care:
    """What the judgement found. A visit that may not go ahead yet shows this person's own newest answers only:
    the strictest reading may rest on the record of somebody who merely looks alike."""
    if screening is None or not screening.intake_ids:
        return Care()
    kept = screening.findings
    rows = [*kept["own"], *(kept["strictest"] if screening.permits else [])]
    found = {rule: _caution(rule, rows) for rule in dict.fromkeys(row["rule"] for row in rows)}
    places = tuple(dict.fromkeys(_place(row, found) for row in kept.get("places", ())))
    placed = {one.rule for one in places}
    serious = {
        row["rule"]
        for row in rows
        if row["verdict"] == Verdict.CAUTION.word and row["column"] not in ADDONS and row["rule"] not in MARKS
    }
    return Care(
        cautions=tuple(one for rule, one in found.items() if rule not in placed),
        places=places,
        call_first=len(serious) >= CALL_FIRST_FROM,
        is_known=True,
    )


def _caution(rule: str, rows: list[dict[str, Any]]) -> Caution:
    mine = [row for row in rows if row["rule"] == rule]
    addons = dict.fromkeys(COLUMN_WORDS[row["column"]] for row in mine if row["column"] in ADDONS)
    label, note = mine[0]["label"], mine[0]["staff_note"]
    # The note begins with the label and may end with where it is: both stand beside it on the page.
    for said in (
        f"{label}: ",
        " Not in the requested area: avoid it.",
        " At or near the requested area.",
    ):
        note = note.replace(said, "")
    return Caution(rule, label, note, tuple(addons))


def _place(row: dict[str, Any], found: dict[str, Caution]) -> AvoidedPlace:
    note = found[row["rule"]].note if row["rule"] in found else ""
    return AvoidedPlace(
        row["rule"], row["label"], areas_in_words(row["areas"]), row["avoid"], note, tuple(row["areas"])
    )
