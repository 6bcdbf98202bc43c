"""What a therapist takes care of in a visit, from the judgement it rests on, in staff words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic.booking.models import Screening
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.screening import CALL_FIRST_FROM
from clinic.rules.verdicts import ADDONS, Verdict


@dataclass(frozen=True)
class Caution:
    """One finding: its label, what to do, and the add-on it is about (empty for the service itself)."""

    rule: str
    label: str
    note: str
    addon: str = ""


@dataclass(frozen=True)
class AvoidedPlace:
    """A place with its reason; `words` is empty when the place is not known."""

    label: str
    words: str
    avoid: bool


@dataclass(frozen=True)
class Care:
    """Everything to take care of; empty when there is nothing."""

    cautions: tuple[Caution, ...] = ()
    places: tuple[AvoidedPlace, ...] = ()
    call_first: bool = False

    @property
    def flag(self) -> str:
        """Two words for the grid."""
        if self.call_first:
            return "Call first"
        return "Take care" if self.cautions or self.places else ""


def care_of(screening: Screening | None) -> Care:
    """What the judgement found. A visit that may not go ahead yet shows this person's own newest answers only:
    the strictest reading may rest on the record of somebody who merely looks alike."""
    if screening is None:
        return Care()
    kept = screening.findings
    rows = [*kept["own"], *(kept["strictest"] if screening.permits else [])]
    cautions = tuple({(row["rule"], row["column"]): _caution(row) for row in rows}.values())
    places = tuple(dict.fromkeys(_place(row) for row in kept.get("places", ())))
    serious = {
        row["rule"] for row in rows if row["verdict"] == Verdict.CAUTION.word and row["column"] not in ADDONS
    }
    return Care(cautions, places, len(serious) >= CALL_FIRST_FROM)


def _caution(row: dict[str, Any]) -> Caution:
    addon = row["column"] if row["column"] in ADDONS else ""
    # The note begins with the label, which stands before it on the page.
    note = row["staff_note"].removeprefix(f"{row['label']}: ")
    return Caution(row["rule"], row["label"], note, addon.replace("_", " "))


def _place(row: dict[str, Any]) -> AvoidedPlace:
    return AvoidedPlace(row["label"], areas_in_words(row["areas"]), row["avoid"])
