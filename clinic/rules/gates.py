"""The administrative gates after the medical verdict: an intake in date, and a guardian's consent.

Ages and lengths are house policy and differ by law, so all of them are settings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clinic.rules.answers import Declared
from clinic.rules.language import N_
from clinic.rules.rule_table import TABLE
from clinic.rules.verdicts import Outcome


@dataclass(frozen=True)
class GateSettings:
    """Ages in whole years, lengths in days; the last day of a length is still good.

    Source of the figures: the sections on guardian consent and on how long an intake holds. Half a year for
    minors is taken as 26 weeks, the stricter whole-day reading.
    """

    guardian_age: int = 18
    in_room_age: int = 15
    intake_days: int = 365
    minor_intake_days: int = 182
    consent_days: int = 365


STANDARD = GateSettings()
"""The settings of a new clinic."""


@dataclass(frozen=True)
class GuardianConsent:
    """Written consent of a parent or guardian; ``services`` limits it to these columns, ``None`` does not.

    ``also`` are further consents, each for what it names and as long as it lasts: a later one for something else
    takes nothing back.
    """

    signed_on: dt.date | None
    will_be_in_room: bool = False
    services: frozenset[str] | None = None
    withdrawn_on: dt.date | None = None
    also: tuple[GuardianConsent, ...] = ()


@dataclass(frozen=True)
class Gate:
    """An administrative gate that is not passed, and why, in words for the client."""

    outcome: Outcome
    reason: str


def is_intake_in_date(
    completed_on: dt.date | None, day: dt.date, age: int, settings: GateSettings = STANDARD
) -> bool:
    """Whether an intake signed on that day still holds on the day of the visit (day 365 is good, 366 is not)."""
    days = settings.intake_days if age >= settings.guardian_age else settings.minor_intake_days
    return completed_on is not None and 0 <= (day - completed_on).days <= days


def is_overtaken(completed_on: dt.date | None, declared: Mapping[str, Declared]) -> bool:
    """Whether an operation, a clot, a cancer, a pregnancy or the like came after the full intake: a new one is needed.

    Judged by the date of the event, or, where there is none, by the day on which the answer was changed. Later
    answers may have updated that intake, but do not stand in for a new one.
    """
    newest = (one.since or one.changed_on for key, one in declared.items() if key in TABLE.renews_intake)
    return completed_on is not None and any(since is not None and since > completed_on for since in newest)


def is_consent_given(
    consent: GuardianConsent | None,
    services: Iterable[str],
    day: dt.date,
    age: int,
    settings: GateSettings = STANDARD,
) -> bool:
    """Whether a guardian's consent covers these services on that day, where the age asks for one.

    At ``in_room_age`` and under the guardian has to be in the room as well.
    """
    if age >= settings.guardian_age:
        return True
    if consent is None:
        return False
    counting = [one for one in (consent, *consent.also) if _counts(one, day, age, settings)]
    return bool(counting) and all(
        any(one.services is None or service in one.services for one in counting) for service in services
    )


def _counts(consent: GuardianConsent, day: dt.date, age: int, settings: GateSettings) -> bool:
    """Whether this consent counts for anything on that day."""
    if consent.signed_on is None:
        return False
    withdrawn = consent.withdrawn_on is not None and consent.withdrawn_on <= day
    in_date = 0 <= (day - consent.signed_on).days <= settings.consent_days
    in_room = consent.will_be_in_room or age > settings.in_room_age
    return in_date and in_room and not withdrawn


NO_INTAKE = Gate(Outcome.NEEDS_INTAKE, N_("We need your answers to the health questions, newly signed."))
NO_CONSENT = Gate(
    Outcome.NEEDS_GUARDIAN_CONSENT,
    N_("A parent or guardian has to agree in writing first, and be in the room with younger children."),
)


def gates_not_passed(
    intake_completed_on: dt.date | None,
    consent: GuardianConsent | None,
    services: tuple[str, ...],
    day: dt.date,
    age: int,
    settings: GateSettings,
) -> tuple[Gate, ...]:
    """The administrative gates that this visit does not pass, the strongest first."""
    gates = []
    if not is_intake_in_date(intake_completed_on, day, age, settings):
        gates.append(NO_INTAKE)
    if not is_consent_given(consent, services, day, age, settings):
        gates.append(NO_CONSENT)
    return tuple(gates)
