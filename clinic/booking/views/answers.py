"""Earlier answers, for the therapist who treats this client. The desk never sees this page."""

from __future__ import annotations

from flask import abort, render_template

from clinic.accounts.access import who
from clinic.booking.queries import treated
from clinic.booking.services.reading import note_reading
from clinic.booking.views.blueprint import pages
from clinic.intake.queries import answer_sheets
from clinic.rules.errors import NotFound
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found
from clinic.therapists import queries as therapists


@pages.get("/diary/visits/<int:visit_id>/earlier", needs=Permission.ANSWERS_TREATED_READ)
def answers(visit_id: int) -> Answer:
    """Every signed version with its date, newest first. Opening the page is recorded."""
    user_id = who() or 0
    me = found(therapists.therapist_of_user(user_id))
    therapist_id = me.id
    try:
        client_id = note_reading(therapist_id, visit_id, by=user_id, now=clock.now())
    except NotFound:
        abort(404)
    visit = found(treated.visit_of_therapist(therapist_id, visit_id))
    return render_template("booking/answers.html", visit=visit, sheets=answer_sheets(client_id))
