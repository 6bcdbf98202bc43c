"""A therapist starts, finishes or gives up their own visit: one tap each."""

from __future__ import annotations

from flask import flash, request

from clinic.accounts.access import who
from clinic.booking.queries import treated
from clinic.booking.services.visits import mark_visit
from clinic.booking.views.blueprint import pages
from clinic.rules.errors import CheckInNeeded, RuleViolation, SlotTaken
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
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


@pages.post("/diary/visits/<int:visit_id>/mark", needs=Permission.VISIT_TREATED_WRITE)
def mark_own_visit(visit_id: int) -> Answer:
    """Somebody else's visit looks as if it were not there."""
    user_id = who() or 0
    me = found(therapists.therapist_of_user(user_id))
    found(treated.visit_of_therapist(me.id, visit_id))
    new = request.form.get("status", "")
    revision = request.form.get("revision", "")
    if new not in SAID or not revision.isdecimal() or len(revision) > 9:
        flash(_("This step is not known. Please use the buttons."), "care")
        return _back(visit_id)
    try:
        mark_visit(visit_id, VisitStatus(new), revision=int(revision), by=user_id, now=clock.now())
    except CheckInNeeded:
        return go("booking.diary_check_in", visit_id=visit_id, then=new)
    except SlotTaken:
        flash(_("The time has been given to somebody else. Ask the front desk for a new one."), "care")
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        flash(SAID[VisitStatus(new)], "success")
    return _back(visit_id)


def _back(visit_id: int) -> Answer:
    """To where the button stood."""
    if request.form.get("back") == "day":
        return go("diary.my_day")
    return go("diary.my_visit", visit_id=visit_id)
