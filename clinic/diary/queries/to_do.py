"""The desk's work: what waits, who has to be called, what lies under time off, which records look alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clinic.booking.models import CallRequest, Offer, Visit
from clinic.booking.queries import (
    blocks,
    fell_out,
    in_the_way,
    lapses,
    look_alikes,
    next_steps,
    outside,
    unfinished,
    unfit,
    visits,
    waitlist,
)
from clinic.booking.queries.lapses import Lapse
from clinic.booking.queries.next_steps import NextStep
from clinic.booking.queries.waitlist import Instead
from clinic.clients.queries import Pair
from clinic.intake import queries as intake
from clinic.intake.queries import WaitingReview, clearances
from clinic.intake.queries.clearances import WaitingLetter
from clinic.premises import queries as premises
from clinic.therapists.models import Therapist

SOON = dt.timedelta(days=3)
CALLED_SHOWN = dt.timedelta(hours=12)
"""How long a call that was made stands below the list, in case it was the wrong row."""


@dataclass(frozen=True)
class WaitingVisit:
    """A visit that waits, and what it needs."""

    visit: Visit
    step: NextStep


@dataclass(frozen=True)
class Reviews:
    """What waits for clinical review: names and days, never what was answered."""

    stops: Sequence[WaitingReview]
    softened: Sequence[WaitingReview]
    letters: Sequence[WaitingLetter]
    pairs: Sequence[Pair]

    @property
    def count(self) -> int:
        return len(self.stops) + len(self.softened) + len(self.letters) + len(self.pairs)


@dataclass(frozen=True)
class ToDo:
    """Everything on the desk's list, most urgent first in each part. `why`: in words what stands in the way of each
    visit `under` something. `to_review` is a number only; who and what it is
    stands in `reviews` for those who may review."""

    intakes: Sequence[WaitingVisit]
    waiting: Sequence[WaitingVisit]
    calls: Sequence[CallRequest]
    called: Sequence[CallRequest]
    under: Sequence[Visit]
    why: Mapping[int, Sequence[str]]
    off: Sequence[Therapist]
    to_reassign: Sequence[Visit]
    outside: Sequence[Visit]
    switched_off: Sequence[Visit]
    not_closed: Sequence[Visit]
    fell_out: Sequence[Visit]
    pairs: Sequence[Pair]
    lapsing: Sequence[Lapse]
    offers: Sequence[Offer]
    asked: dict[int, Instead]
    to_review: int
    reviews: Reviews | None

    @property
    def is_empty(self) -> bool:
        lists = (
            self.intakes, self.waiting, self.calls, self.under, self.to_reassign, self.outside, self.switched_off,
            self.not_closed, self.pairs, self.lapsing, self.fell_out, self.offers,
        )  # fmt: skip
        return not (any(lists) or self.to_review)


def to_do(now: dt.datetime, *, may_review: bool) -> ToDo:
    """Read the list. A fixed number of statements, and of those about coming visits for a thousand at a time."""
    stops, softened = intake.reviews_waiting()
    alike = look_alikes.pairs_to_review(premises.today(now))
    reviews = Reviews(stops, softened, clearances.letters_waiting(), alike)
    why: dict[int, list[str]] = {}
    under, to_reassign, left_behind = [], [], []
    for ahead in blocks.coming_in_pieces(now):
        why |= in_the_way.in_the_way(ahead, now)
        under += [one for one in ahead if one.id in why]
        unfit_for = unfit.visits_to_reassign(ahead)
        to_reassign += unfit_for
        elsewhere = {*why, *(one.id for one in unfit_for)}
        left_behind += [one for one in outside.left_behind(ahead) if one.id not in elsewhere]
    switched_off = visits.visits_switched_off(now)
    held_up = visits.waiting_visits()
    steps = next_steps.next_steps(held_up)
    waiting = [WaitingVisit(one, steps[one.id]) for one in held_up]
    intakes = [
        one for one in waiting if one.visit.waiting_for == "intake" and one.visit.starts_at < now + SOON
    ]
    ids = {one.visit.id for one in intakes}
    return ToDo(
        intakes=sorted(intakes, key=lambda one: (one.visit.starts_at, one.visit.id)),
        waiting=[one for one in waiting if one.visit.id not in ids],
        calls=visits.open_calls(),
        called=visits.calls_made(now - CALLED_SHOWN),
        under=under,
        why=why,
        off=blocks.therapists_off(now),
        to_reassign=to_reassign,
        outside=left_behind,
        fell_out=fell_out.still_to_answer(now),
        switched_off=switched_off,
        not_closed=visits.not_closed(now),
        pairs=[one for one in unfinished.pairs() if not (may_review and one in alike)],
        lapsing=lapses.lapsing(now),
        offers=waitlist.open_offers(),
        asked=waitlist.asked_instead([one.id for one in (*under, *to_reassign, *left_behind, *switched_off)]),
        to_review=reviews.count,
        reviews=reviews if may_review else None,
    )
