"""The words of the gate and their order: verdict, urgency, outcome, and the nine columns that are judged.

All three scales are ordered from weak to strong, so that "the strongest holds" is written ``max(...)``.
The words are those of the screening-case format and of the tables; figures and order come from the
clinical table's section on verdicts and from the order of outcomes in the section on judging.
"""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """How strongly a rule speaks against a service; ordered, strongest last."""

    CLEAR = 0
    CAUTION = 1
    CLEARANCE = 2
    BLOCK = 3

    @property
    def word(self) -> str:
        """The verdict as it is written in tables, files and the database: ``clear`` to ``block``."""
        return self.name.lower()


class Urgency(IntEnum):
    """How soon a person needs medical care; anything but NONE stops the flow with its message."""

    NONE = 0
    PROMPT = 1
    SAME_DAY = 2
    EMERGENCY = 3

    @property
    def word(self) -> str:
        """The urgency as it is written: ``none``, ``prompt``, ``same_day``, ``emergency``."""
        return self.name.lower()


class Outcome(IntEnum):
    """What the gate says about booking this visit; ordered, strongest last."""

    ALLOW = 0
    ALLOW_FLAG_THERAPIST = 1
    HOLD_UNTIL_CLEARANCE = 2
    NEEDS_GUARDIAN_CONSENT = 3
    NEEDS_INTAKE = 4
    REFUSE = 5
    REFUSE_URGENT = 6

    @property
    def word(self) -> str:
        """The outcome as it is written, ``allow`` to ``refuse_urgent``."""
        return self.name.lower()

    @property
    def permits(self) -> bool:
        """Whether a visit with this outcome may be confirmed."""
        return self <= Outcome.ALLOW_FLAG_THERAPIST


SERVICES: tuple[str, ...] = (
    "decompression_traction",
    "decompression_vacuum",
    "decompression_vacuum_magnetic",
    "swedish",
    "deep_tissue",
    "sports",
    "relaxation",
)
ADDONS: tuple[str, ...] = ("hot_stone", "aromatherapy")
COLUMNS: tuple[str, ...] = SERVICES + ADDONS

VACUUM = "decompression_vacuum"
INTERVAL = "interval"
"""The chamber mode; it goes with the vacuum column only."""

VERDICT_WORDS: dict[str, Verdict] = {verdict.word: verdict for verdict in Verdict}
URGENCY_WORDS: dict[str, Urgency] = {urgency.word: urgency for urgency in Urgency}
