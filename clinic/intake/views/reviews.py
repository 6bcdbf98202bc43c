"""Clinical review: warning signs that wait for an assessment, and answers that take something back.

Every page that shows answers leaves a row in the audit.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import abort, flash, render_template, request

from clinic.accounts.access import who
from clinic.intake import queries
from clinic.intake.forms import EndStopForm, SoftenedForm
from clinic.intake.queries.clearances import letters_waiting
from clinic.intake.services import reviews as services
from clinic.intake.views.blueprint import pages
from clinic.intake.views.concern import of_concern
from clinic.premises import queries as premises
from clinic.rules import screening
from clinic.rules.answers_in_words import changes_in_words, declared_in_words
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer, found, go

NEED = Permission.CLINICAL_REVIEW
DONE = N_("This has been dealt with already.")


@pages.get("/reviews", needs=NEED)
def reviews() -> Answer:
    """What waits for somebody with clinical review. Names and days only. It asks by itself what has come."""
    stops, softened = queries.reviews_waiting()
    lists = {"stops": stops, "softened": softened, "letters": letters_waiting()}
    mark = hashlib.sha256(repr(lists).encode()).hexdigest()
    return live_page(mark, "intake/reviews.html", lambda: lists)


@pages.get("/reviews/stops/<int:stop_id>", needs=NEED)
def review_stop(stop_id: int) -> Answer:
    """What was declared and when, and how it ended."""
    row = found(queries.stop(stop_id))
    of_concern(row.client_id)
    return _stop_page(stop_id, EndStopForm())


@pages.post("/reviews/stops/<int:stop_id>", needs=NEED)
def end_stop(stop_id: int) -> Answer:
    """Record how it ended. Booking opens again only after a new signed intake."""
    row = found(queries.stop(stop_id))
    of_concern(row.client_id)
    form, today = EndStopForm(request.form), premises.today(clock.now())
    is_right = form.validate()
    if not form.check_day(row.raised_on, today) or not is_right:
        return _stop_page(stop_id, form, 422)
    try:
        services.end_stop(stop_id, form.ending.data, form.note(), by=who() or 0, now=clock.now())
    except InvalidInput as error:
        form.reason.errors = [error.sentence]
        return _stop_page(stop_id, form, 422)
    except NotFound:
        flash(_(DONE), "info")
        return go("intake.reviews")
    flash(
        _("Recorded. Visits can be booked again once the client has signed the health form anew."), "success"
    )
    return go("intake.reviews")


def _stop_page(stop_id: int, form: EndStopForm, status: int = 200) -> Answer:
    services.note_look(found(queries.stop(stop_id)).client_id, "stop", by=who() or 0, now=clock.now())
    row = found(queries.stop(stop_id))
    page = render_template(
        "intake/review_stop.html",
        stop=row,
        client_name=queries.person(row.client_id),
        flags=screening.red_flags_in(row.answers, row.raised_on),
        said=declared_in_words(row.answers),
        note=row.note or "",
        form=form,
    )
    return page, status


@pages.get("/reviews/answers/<int:intake_id>", needs=NEED)
def review_answers(intake_id: int) -> Answer:
    """The earlier and the new answers side by side."""
    if queries.softened(intake_id) is None:
        return _gone(intake_id)
    return _answers_page(intake_id, SoftenedForm())


@pages.post("/reviews/answers/<int:intake_id>", needs=NEED)
def decide_answers(intake_id: int) -> Answer:
    """Accept the new answers, or keep the earlier ones in force beside them."""
    if queries.softened(intake_id) is None:
        return _gone(intake_id)
    form = SoftenedForm(request.form)
    if not form.validate():
        return _answers_page(intake_id, form, 422)
    accepted = form.decision.data == "accept"
    try:
        services.review_softened(intake_id, accepted, form.note.data or "", by=who() or 0, now=clock.now())
    except InvalidInput as error:
        form.note.errors = [error.sentence]
        return _answers_page(intake_id, form, 422)
    except NotFound as error:
        flash(error.sentence, "info")
        return go("intake.reviews")
    flash(
        _("The new answers hold alone.") if accepted else _("The earlier answers go on counting."), "success"
    )
    return go("intake.reviews")


def _answers_page(intake_id: int, form: Any, status: int = 200) -> Answer:
    pair = found(queries.softened(intake_id))
    services.note_look(pair.client_id, "answers", by=who() or 0, now=clock.now())
    page = render_template(
        "intake/review_answers.html",
        pair=pair,
        sides=[(one, changes_in_words(one.answers, pair.answers)) for one in pair.earlier],
        form=form,
    )
    return page, status


def _gone(intake_id: int) -> Answer:
    """Reviewed meanwhile, or newer answers came in: said kindly. What never was looks as if it were not there."""
    if not queries.is_softened(intake_id):
        abort(404)
    flash(_("This has been reviewed already, or newer answers came in."), "info")
    return go("intake.reviews")
