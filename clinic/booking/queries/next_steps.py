"""What the desk has to do about a visit, in words that name no condition.

The desk sees the outcome, the deadline and the next step. Why it is so is for the client and for those who treat.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select

from clinic.booking.models import Screening, Visit
from clinic.intake import queries as intake
from clinic.intake.queries import clearances
from clinic.rules.language import N_
from clinic.rules.screening import CALL_FIRST_FROM
from clinic.rules.verdicts import ADDONS, Verdict
from clinic.rules.visit_status import UPCOMING
from clinic.shared.database import db


@dataclass(frozen=True)
class NextStep:
    """`kind` is ok, call or wait; `flag` fits on the day's grid, `title` and `text` on the visit's card."""

    kind: str
    flag: str = ""
    title: str = ""
    text: str = ""
    until: dt.datetime | None = None


NOTHING_TO_DO = NextStep("ok")
CALL_FIRST = NextStep(
    "call",
    N_("Call first"),
    N_("The therapist should call before the visit"),
    N_("Several small things need care together. Ask the therapist to call the client before the day."),
)

IN_THE_WAY = NextStep(
    "call",
    N_("Act first"),
    N_("This visit cannot take place as it is"),
    N_(
        "Somebody is away then, or something is closed. Move the visit, give it to somebody else, or cancel it and tell"
        " the client."
    ),
)

ANOTHER_THERAPIST = "another_therapist"
"""What a visit waits for that is safe, but not with the therapist it was booked with."""

RECONFIRM = "reconfirm"
"""What a visit waits for that was booked on earlier answers: whether anything has changed since."""

PARTNER = "partner"
"""What a visit of a couple waits for that is permitted itself: the other one, or, where that fell away, a word."""

ALONE = "alone"

TAKEN_BACK = "taken_back"
"""What a visit waits for that has health answers, but whose client no longer agrees to them or to the treatment."""

LETTER_CAME = "letter_came"
"""What a visit waits for whose client needs a doctor's letter, and has sent one that nobody has decided on."""

LETTER_IS_NOT_ENOUGH = "letter_is_not_enough"
"""What a visit waits for whose client has a checked letter on file, which is not about all that is booked."""

_WAITING = {
    PARTNER: (
        N_("Booked for two"),
        N_("The other visit of the two is not confirmed"),
        N_("Both are confirmed, or neither. As soon as the other one is confirmed, so is this one."),
    ),
    ALONE: (
        N_("Comes alone?"),
        N_("The other of the two visits was called off"),
        N_("Ask the client whether they come alone. If so, confirm it here; if not, cancel the visit."),
    ),
    RECONFIRM: (
        N_("Ask first"),
        N_("Ask what has changed since the last answers"),
        N_("Read the questions out now, or send the link. The answers confirm it where they allow it."),
    ),
    ANOTHER_THERAPIST: (
        N_("Other therapist"),
        N_("This visit needs another therapist"),
        N_("Move it to a therapist who is free to give it: only those are offered. It is confirmed then."),
    ),
    "intake": (
        N_("Answers missing"),
        N_("The health questions are not signed yet"),
        N_(
            "Hand over the tablet, type the answers in, or send the link."
            " Signed answers confirm it where they allow it."
        ),
    ),
    TAKEN_BACK: (
        N_("Consent back"),
        N_("Consent taken back"),
        N_(
            "The whole health form, signed anew, agrees again. If the client does not want that, cancel the visit."
        ),
    ),
    "clearance": (
        N_("Doctor’s letter"),
        N_("Waiting for a doctor’s letter"),
        N_(
            "The client knows what to ask the doctor. When the letter comes, give it to somebody with clinical review."
        ),
    ),
    LETTER_CAME: (
        N_("Letter came"),
        N_("A doctor’s letter is here and has to be checked"),
        N_(
            "Somebody with clinical review checks it. The visit is confirmed by itself where the letter allows it."
        ),
    ),
    LETTER_IS_NOT_ENOUGH: (
        N_("Letter too narrow"),
        N_("The doctor’s letter on file does not cover this visit"),
        N_(
            "Call the client: choose a treatment, a place on the body or a day that the letter covers, or ask for"
            " another letter. Somebody with clinical review knows what it covers."
        ),
    ),
    "consent": (
        N_("Parent signs"),
        N_("Waiting for a parent or guardian to agree in writing"),
        N_("Let the parent or guardian sign the paper, then enter it on the client’s card."),
    ),
    "therapist": (
        N_("Talk first"),
        N_("The therapist would like to talk with the client first"),
        N_(
            "Ask the therapist to call the client."
            " The visit is confirmed by itself when the therapist says it may go on."
        ),
    ),
    "rules": (
        N_("New rules"),
        N_("Not safe any more under the clinic’s new rules"),
        N_(
            "Somebody with clinical review confirms that it is cancelled, and the client is told. If nobody does:"
        ),
    ),
    "review": (
        N_("Check first"),
        N_("Waiting for a check"),
        N_(
            "Somebody with clinical review looks at the answers, or two records that look alike are to be compared."
        ),
    ),
}


def next_steps(found: Iterable[Visit]) -> dict[int, NextStep]:
    """What to do about each of these visits, by its id. A fixed number of statements."""
    every = list(found)
    judged = screenings([one.screening_id for one in every if one.screening_id and not one.is_waiting])

    def who_wait(kind: str) -> set[int]:
        return {
            one.client_id for one in every if one.client_id and one.is_waiting and one.waiting_for == kind
        }

    special: dict[tuple[str | None, int | None], str] = {
        **{("intake", one): TAKEN_BACK for one in intake.who_took_back(who_wait("intake"))},
        **{
            ("clearance", one): LETTER_IS_NOT_ENOUGH for one in clearances.who_have_one(who_wait("clearance"))
        },
        **{("clearance", one): LETTER_CAME for one in clearances.who_sent_letters(who_wait("clearance"))},
    }
    return {
        one.id: _next_step(
            one, judged.get(one.screening_id or 0), special.get((one.waiting_for, one.client_id))
        )
        for one in every
    }


def next_step(visit: Visit) -> NextStep:
    """What to do about this visit."""
    return next_steps([visit])[visit.id]


def may_be_in_the_way(visit: Visit, step: NextStep, now: dt.datetime) -> bool:
    """Whether what stands in the way of this visit is said in place of this step: it is to come, and not known to wait
    for something already."""
    return step.kind != "wait" and visit.status in UPCOMING and visit.starts_at > now


def _next_step(visit: Visit, screening: Screening | None, special: str | None) -> NextStep:
    if visit.is_waiting:
        kind = ALONE if is_left_alone(visit) else special or visit.waiting_for or "review"
        flag, title, text = _WAITING[kind]
        return NextStep("wait", flag, title, text, visit.deadline_at)
    if visit.status in UPCOMING and screening is not None and is_call_first(screening):
        return CALL_FIRST
    return NOTHING_TO_DO


def is_left_alone(visit: Visit) -> bool:
    """Whether the other visit of two fell away, and somebody has to say that this one goes on."""
    return visit.is_waiting and visit.waiting_for == PARTNER and visit.couple_id is None


def is_call_first(screening: Screening) -> bool:
    """Whether so many cautions came together that the therapist calls first. Says nothing of what they are."""
    cautions = [
        one
        for one in screening.findings["own"]
        if one["verdict"] == Verdict.CAUTION.word and one["column"] not in ADDONS
    ]
    return len(cautions) >= CALL_FIRST_FROM


def screenings(ids: Collection[int]) -> dict[int, Screening]:
    """These judgements by their id, in one statement."""
    rows = db.session.scalars(select(Screening).where(Screening.id.in_(ids)).order_by(Screening.id))
    return {row.id: row for row in rows}
