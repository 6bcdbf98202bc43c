"""A therapist's notes of a visit of their own: read, written and corrected, never edited."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.queries import treated
from clinic.records.forms import NoteForm
from clinic.records.queries import notes as queries
from clinic.records.services import notes as services
from clinic.records.views.blueprint import pages
from clinic.rules.errors import RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

NEED = Permission.VISIT_TREATED_WRITE
CORRECTED_ELSEWHERE = N_(
    "This note was corrected meanwhile, perhaps in another window. How it reads now stands below. What you typed is"
    " still here: keep it as the newest correction, or leave the note as it is."
)


@pages.get("/diary/visits/<int:visit_id>/notes", needs=NEED, reads="visit")
def notes(visit_id: int) -> Answer:
    """The notes of the visit and of the last ones; `?correct=` opens one of one's own to be corrected."""
    visit = _mine(visit_id)
    old = _to_correct(visit_id)
    return _page(visit, NoteForm(data={"text": old.text, "seen": str(old.id)} if old else {}), old)


@pages.post("/diary/visits/<int:visit_id>/notes", needs=NEED, reads="visit")
def write_note(visit_id: int) -> Answer:
    """Keep the note, or the correction of the one that is named by `?correct=`."""
    _mine(visit_id)
    old = _to_correct(visit_id)
    form = NoteForm(request.form)
    if old is not None and str(old.id) != request.args["correct"]:
        form.add_error("text", _(CORRECTED_ELSEWHERE))
        return _page(_mine(visit_id), form, old), 409

    def save() -> None:
        services.write_note(
            visit_id,
            form.text.data or "",
            corrects_id=old.id if old else None,
            by=who() or 0,
            now=clock.now(),
        )

    try:
        is_saved = saves(form, save)
    except RuleViolation as error:
        form.add_error("text", error.sentence)
        is_saved = False
    if not is_saved:
        return _page(_mine(visit_id), form, old), 422
    flash(_("The note is kept."), "success")
    return go("diary.my_visit", visit_id=visit_id)


def _mine(visit_id: int) -> Any:
    """The therapist's own visit, while they treat this client; everything else looks as if it were not there."""
    user_id = who() or 0
    if not services.may_note(visit_id, by=user_id, now=clock.now()):
        abort(404)
    return found(treated.visit_of_therapist(found(therapists.therapist_of_user(user_id)).id, visit_id))


def _to_correct(visit_id: int) -> queries.Note | None:
    """One's own note that is to be corrected, in its newest wording; None where none is named."""
    wanted = request.args.get("correct", "")
    if not wanted:
        return None
    for one in queries.notes_of(visit_id):
        if one.by_id == who() and wanted in {str(each.id) for each in (one, *one.earlier)}:
            return one
    return abort(404)


def _page(visit: Any, form: NoteForm, old: queries.Note | None) -> str:
    return render_template(
        "records/notes.html",
        visit=visit,
        form=form,
        old=old,
        may_write=visit.status in queries.BEGUN or bool(form.text.errors),  # what was typed is never hidden
        notes=queries.notes_of(visit.id),
        last=queries.last_notes(visit.client_id, before=visit.starts_at),
        me=who(),
    )
