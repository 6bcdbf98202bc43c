"""A therapist starts, finishes or gives up their own visit: one tap each, and for a moment one to take it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, request

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.queries import treated, visits
from clinic.booking.services.undoing import take_back
from clinic.booking.services.visits import mark_visit
from clinic.booking.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import CheckInNeeded, RuleViolation, SlotTaken
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.taking_back import undone_words
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

SAID = {
    VisitStatus.IN_SESSION: N_("The visit has started."),
    VisitStatus.DONE: N_("The visit is finished."),
    VisitStatus.NO_SHOW: N_("Marked: the client did not come."),
    VisitStatus.ARRIVED: N_("Marked: the client is here."),
}

EARLY = dt.timedelta(hours=1)
"""Started so long before its time, it may be another visit that was meant."""

NOT_TODAY = N_(
    "This visit cannot go ahead today. The client is told, and nothing is charged. Offer another day."
)


def say_it_stops(stands: VisitStatus) -> None:
    """The visit goes no further for now: called off, or on hold with something to do."""
    off = stands in (VisitStatus.CANCELLED, VisitStatus.LATE_CANCELLED)
    flash(_(NOT_TODAY) if off else _("The visit is on hold: see what to do."), "care")


def say_what_is_odd(visit_id: int) -> None:
    """Of a visit that has just been started: what looks like a slip. It can be taken back."""
    visit, now = found(visits.visit(visit_id)), clock.now()
    other = treated.also_in_session(visit)
    if other is not None and other.client is not None:
        flash(
            _(
                "%(therapist)s is still in session with %(name)s (%(when)s). Finish that visit, if it is over.",
                therapist=visit.therapist.name,
                name=other.client.name,
                when=_moment(other),
            ),
            "care",
        )
    if visit.starts_at - now >= EARLY:
        flash(
            _("It was booked for %(when)s. Undo this, if it was the wrong visit.", when=_moment(visit)),
            "care",
        )


def _moment(visit: Any) -> str:
    uses_24_hours = found(premises.clinic_facts()).uses_24_hours
    return words.moment_words(visit.starts_at, visit.zone, uses_24_hours=uses_24_hours)


@pages.post("/diary/visits/<int:visit_id>/mark", needs=Permission.VISIT_TREATED_WRITE)
def mark_own_visit(visit_id: int) -> Answer:
    """Somebody else's visit looks as if it were not there."""
    user_id = _whose(visit_id)
    new = request.form.get("status", "")
    revision = request.form.get("revision", "")
    if new not in SAID or not revision.isdecimal() or len(revision) > 9:
        flash(_("This step is not known. Please use the buttons."), "care")
        return _back(visit_id)
    try:
        stands = mark_visit(
            visit_id, VisitStatus(new), revision=int(revision), by=user_id, now=clock.now(), can_go_back=True
        )
    except CheckInNeeded:
        return go("booking.diary_check_in", visit_id=visit_id, then=new)
    except SlotTaken:
        flash(_("The time has been given to somebody else. Ask the front desk for a new one."), "care")
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        if stands == new:
            flash(_(SAID[stands]), "success")
            if stands is VisitStatus.IN_SESSION:
                say_what_is_odd(visit_id)
        else:
            say_it_stops(stands)
    return _back(visit_id)


@pages.post("/diary/visits/<int:visit_id>/undo", needs=Permission.VISIT_TREATED_WRITE)
def take_back_own(visit_id: int) -> Answer:
    """Take the last step back, for a moment, as at the desk."""
    user_id = _whose(visit_id)
    try:
        seen = whole_number(request.form.get("revision", ""))
        flash(undone_words(*take_back(visit_id, seen=seen, by=user_id, now=clock.now())), "success")
    except RuleViolation as error:
        flash(error.sentence, "care")
    return _back(visit_id)


def _whose(visit_id: int) -> int:
    user_id = who() or 0
    found(treated.visit_of_therapist(found(therapists.therapist_of_user(user_id)).id, visit_id))
    return user_id


def _back(visit_id: int) -> Answer:
    """To where the button stood."""
    if request.form.get("back") == "day":
        return go("diary.my_day")
    return go("diary.my_visit", visit_id=visit_id)
