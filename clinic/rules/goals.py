"""Which massage suits me: from what a person is after to services, always filtered by what is safe for them.

The table is the clinic's own (care guide, goal to service): 2 first suggestion, 1 also fits, 0 not suggested,
`REFERRED` only with a referral or clearance. The magnetic form is never a first suggestion.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from clinic.rules.language import N_
from clinic.rules.verdicts import SERVICES, Verdict

FIRST, ALSO, NO, REFERRED = 2, 1, 0, -1


@dataclass(frozen=True)
class Goal:
    """What a person is after. `codes` say how well each service fits, in their order; `addons` what may go with it."""

    key: str
    label: str
    codes: tuple[int, ...]
    addons: tuple[str, ...] = ()
    note: str = ""

    @cached_property
    def fits(self) -> Mapping[str, int]:
        """How well each service fits, by its key."""
        return dict(zip(SERVICES, self.codes, strict=True))


R = REFERRED
# in the order of SERVICES: traction, vacuum, vacuum with magnets, Swedish, deep tissue, sports, relaxation
GOALS: tuple[Goal, ...] = (
    Goal("calm", N_("Less stress, more calm"), (1, 0, 0, 1, 0, 0, 2), ("hot_stone", "aromatherapy")),
    Goal("sleep", N_("Better sleep"), (1, 0, 0, 1, 0, 0, 2), ("aromatherapy",)),
    Goal(
        "long_back_pain", N_("Muscle pain in the back or neck for a long time"), (2, 2, 1, 1, 2, 0, 0),
        ("hot_stone",), N_("With numbness, tingling or weakness in an arm or leg, see a doctor first."),
    ),
    Goal("new_back_pain", N_("A tense or sore back for a short time"), (1, 1, 0, 2, 1, 0, 1), ("hot_stone",)),
    Goal("movement", N_("Moving more freely"), (2, 1, 0, 1, 2, 1, 0)),
    Goal("desk_work", N_("Posture, much sitting"), (2, 2, 0, 1, 1, 0, 0)),
    Goal("after_sport", N_("Recovery after sport"), (1, 2, 1, 1, 1, 2, 0)),
    Goal(
        "after_injury", N_("Getting fit after an injury"), (R, R, 0, 1, R, R, 0), (),
        N_("Most of this needs the word of the professional who treats you."),
    ),
    Goal(
        "after_operation", N_("Getting fit after an operation"), (R, R, 0, R, 0, 0, R), (),
        N_("This needs the word of the doctor who operated, and time to heal."),
    ),
    Goal(
        "heavy_legs", N_("Ordinary heavy legs"), (0, 1, 0, 1, 0, 0, 1), (),
        N_("A swelling on one side, or one that nobody has explained, belongs to a doctor."),
    ),
    Goal("gentle", N_("I find strong pressure too much"), (0, 2, 0, 1, 0, 0, 2)),
    Goal("knots", N_("Hard knots in the muscles"), (0, 1, 0, 0, 2, 1, 0)),
    Goal("wellness", N_("Feeling well, keeping the blood moving"), (0, 1, 0, 2, 0, 0, 2), ("hot_stone",)),
)  # fmt: skip
BY_KEY = {goal.key: goal for goal in GOALS}


@dataclass(frozen=True)
class Suggestion:
    """A service for a goal. `needs_word`: only with a referral or a clinician's clearance."""

    service: str
    is_first: bool
    needs_word: bool


@dataclass(frozen=True)
class Advice:
    """What to suggest, best first, and the services that would have fitted but are not safe for this person."""

    suggestions: tuple[Suggestion, ...]
    fallen_out: tuple[str, ...]


def advice_for(goal: Goal, verdicts: Mapping[str, Verdict], *, on_places: Collection[str] = ()) -> Advice:
    """Services for this goal under these verdicts (a service without one is taken as clear).

    A blocked service is never suggested. One that waits for a clearance, or that the goal itself gives only with
    a referral, comes after all others and is never a first suggestion. `on_places`: when the person has named places
    of the body, the services that are given on chosen places; they come before those for the whole body that suit
    as well.
    """
    fitting = [service for service in SERVICES if goal.fits[service] != NO]
    fallen_out = tuple(one for one in fitting if verdicts.get(one) is Verdict.BLOCK)
    found = []
    for service in fitting:
        if service in fallen_out:
            continue
        waits = goal.fits[service] == REFERRED or verdicts.get(service) is Verdict.CLEARANCE
        found.append(Suggestion(service, goal.fits[service] == FIRST and not waits, waits))
    found.sort(key=lambda one: (one.needs_word, not one.is_first, one.service not in on_places))
    return Advice(tuple(found), fallen_out)
