"""Recording a bad reaction after a visit: the therapist for their own, the desk for whoever calls."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.reaction import ReactionForm
from clinic.booking.queries import treated, visits
from clinic.booking.views.blueprint import pages
from clinic.intake.services.reactions import record_bad_reaction
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists


def _mine(visit_id: int) -> Any:
    """The therapist's own visit; somebody else's looks as if it were not there."""
    me = found(therapists.therapist_of_user(who() or 0))
    return found(treated.visit_of_therapist(me.id, visit_id))


@pages.get("/diary/visits/<int:visit_id>/bad-reaction", needs=Permission.VISIT_TREATED_WRITE)
def bad_reaction(visit_id: int) -> Answer:
    """The form, for who treats."""
    return _page(_mine(visit_id), "diary.my_visit", "booking.take_bad_reaction", ReactionForm())


@pages.post("/diary/visits/<int:visit_id>/bad-reaction", needs=Permission.VISIT_TREATED_WRITE)
def take_bad_reaction(visit_id: int) -> Answer:
    """Keep it."""
    return _take(_mine(visit_id), "diary.my_visit", "booking.take_bad_reaction")


@pages.get("/desk/visits/<int:visit_id>/bad-reaction", needs=Permission.INTAKE_ANY_WRITE)
def desk_bad_reaction(visit_id: int) -> Answer:
    """The form, for the desk; what was recorded before is not shown there."""
    visit = found(visits.visit(visit_id))
    return _page(visit, "booking.desk_visit", "booking.take_desk_bad_reaction", ReactionForm())


@pages.post("/desk/visits/<int:visit_id>/bad-reaction", needs=Permission.INTAKE_ANY_WRITE)
def take_desk_bad_reaction(visit_id: int) -> Answer:
    """Keep it."""
    return _take(found(visits.visit(visit_id)), "booking.desk_visit", "booking.take_desk_bad_reaction")


def _take(visit: Any, back: str, action: str) -> Answer:
    form, now, client = ReactionForm(request.form), clock.now(), found(visit.client)
    visit_id = visit.id
    if not form.validate() or form.happened_on.data is None:
        return _page(visit, back, action, form), 422
    try:
        record_bad_reaction(
            client.id, form.what_happened.data or "", happened_on=form.happened_on.data, visit_id=visit_id,
            by=who() or 0, now=now, today=premises.today(now),
        )  # fmt: skip
    except InvalidInput as error:
        form.add_error(error)
        return _page(found(visits.visit(visit_id)), back, action, form), 422
    flash(_("Kept. Coming visits wait until all the health questions are answered anew."), "success")
    return go(back, visit_id=visit_id)


def _page(visit: Any, back: str, action: str, form: ReactionForm) -> str:
    return render_template(
        "booking/bad_reaction.html",
        visit=visit,
        client=found(visit.client),
        form=form,
        back=url_for(back, visit_id=visit.id),
        action=url_for(action, visit_id=visit.id),
    )
