"""The therapist's say: asking for more care for a client, and taking it back. Never less than the rules ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, render_template, request

from clinic.accounts.access import is_named, who
from clinic.booking.forms.more_care import MoreCareForm
from clinic.booking.queries import more_care as reading
from clinic.booking.queries import treated, visits
from clinic.booking.services import restricting
from clinic.booking.views.blueprint import pages
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.therapists_say import COLUMN_WORDS
from clinic.shared import clock
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

NEED = Permission.ANSWERS_TREATED_READ
WORDS = {"caution": N_("Take care"), "clearance": N_("Talk first"), "block": N_("Not this treatment")}
WITHDRAWN = N_("Withdrawn. Coming visits were judged again.")
GONE = N_("This has been withdrawn already.")


def _mine(visit_id: int) -> tuple[Any, Any]:
    """The therapist and their visit; somebody else's looks as if it were not there."""
    me = found(therapists.therapist_of_user(who() or 0))
    visit = found(treated.visit_of_therapist(me.id, visit_id))
    client = found(visit.client)
    found(visits.treats(me.id, client.id, clock.now()) or None)
    return me, visit


def _page(me: Any, visit: Any, form: MoreCareForm, touched: Sequence[restricting.Touched] = ()) -> str:
    return render_template(
        "booking/more_care.html",
        form=form,
        touched=touched,
        seen=_seen(touched),
        visit=visit,
        me=me,
        rows=therapists.restriction_rows([visit.client_id]),
        words=WORDS,
        columns=COLUMN_WORDS,
    )


def _seen(touched: Sequence[restricting.Touched]) -> str:
    """What the therapist was shown, for the form: whatever else it would touch by then is shown first."""
    return " ".join(f"{one.visit.id}{'x' if one.is_off else ''}" for one in touched)


@pages.get("/diary/visits/<int:visit_id>/more-care", needs=NEED, reads="visit")
def more_care(visit_id: int) -> Answer:
    """What holds for this client, and the form for more."""
    me, visit = _mine(visit_id)
    return _page(me, visit, MoreCareForm())


@pages.post("/diary/visits/<int:visit_id>/more-care", needs=NEED, reads="visit")
def ask_for_more_care(visit_id: int) -> Answer:
    """Keep it; coming visits are judged again at once. Those that would not stand are shown first."""
    me, visit = _mine(visit_id)
    form = MoreCareForm(request.form)
    if not form.validate():
        return _page(me, visit, form), 422
    asked: dict[str, Any] = {
        "services": form.services.data or (), "verdict": form.verdict.data or "", "reason": form.reason.data or "",
        "until": form.until.data, "now": clock.now(),
    }  # fmt: skip
    try:
        touched = restricting.would_touch(visit.client_id, **asked)
        if _seen(touched) != request.form.get("seen", ""):
            return _page(me, visit, form, touched)
        restricting.ask_for_more_care(me.id, visit.client_id, **asked, by=who() or 0)
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        me, visit = _mine(visit_id)
        return _page(me, visit, form), 422
    flash(_("Kept. Coming visits were judged again."), "success")
    return go("booking.more_care", visit_id=visit_id)


@pages.post("/diary/visits/<int:visit_id>/more-care/<int:restriction_id>/end", needs=NEED)
def end_own_restriction(visit_id: int, restriction_id: int) -> Answer:
    """The same therapist takes it back."""
    me, _visit = _mine(visit_id)
    try:
        restricting.withdraw(restriction_id, therapist_id=me.id, by=who() or 0, now=clock.now())
    except NotFound as error:
        flash(error.sentence, "care")
    else:
        flash(_(WITHDRAWN), "success")
    return go("booking.more_care", visit_id=visit_id)


@pages.get("/reviews/more-care", needs=Permission.CLINICAL_REVIEW, reads="list")
def restrictions() -> Answer:
    """What therapists asked for beyond the rules, as far as it concerns who is at the screen."""
    return render_template("booking/restrictions.html", rows=_to_review(), words=WORDS, columns=COLUMN_WORDS)


def _to_review() -> list[Any]:
    reads_all = is_named(Permission.CLINICAL_REVIEW)
    return list(reading.to_review(who() or 0, clock.now(), reads_all=reads_all))


@pages.post("/reviews/more-care/<int:restriction_id>/end", needs=Permission.CLINICAL_REVIEW)
def end_restriction(restriction_id: int) -> Answer:
    """Clinical review takes it back. One that does not concern them looks as if it were not there."""
    try:
        if all(one.id != restriction_id for one in _to_review()):
            raise NotFound(_(GONE))
        restricting.withdraw(restriction_id, therapist_id=None, by=who() or 0, now=clock.now())
    except NotFound as error:
        flash(error.sentence, "care")
    else:
        flash(_(WITHDRAWN), "success")
    return go("booking.restrictions")
