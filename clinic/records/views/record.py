"""The record of one visit as a page and as a PDF. Each opening is recorded."""

from __future__ import annotations

from flask import abort, render_template

from clinic.accounts.access import is_named, who
from clinic.premises import queries as premises
from clinic.records.queries.paper import record_of
from clinic.records.services.reading import note_reading
from clinic.records.views.blueprint import pages
from clinic.rules.errors import NotFound
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.uploads import as_download
from clinic.shared.web import Answer, found

NEED = Permission.CLINICAL_REVIEW


@pages.get("/visits/<int:visit_id>/record", needs=NEED)
def record(visit_id: int) -> Answer:
    """What was decided about this visit, on what, when and by whom."""
    _note(visit_id, printed=False)
    return render_template("records/record.html", record=found(record_of(visit_id)))


@pages.get("/visits/<int:visit_id>/record.pdf", needs=NEED)
def record_pdf(visit_id: int) -> Answer:
    """The same on paper. Its name says nothing about anybody."""
    from clinic.shared.pdf import as_pdf

    _note(visit_id, printed=True)
    now = clock.now()
    shown = found(record_of(visit_id, printed_at=now, printed_by=who()))
    return as_download(
        as_pdf(shown.paper, now, premises.logo_content()), "application/pdf", f"visit-{visit_id}-record.pdf"
    )


def _note(visit_id: int, *, printed: bool) -> None:
    """Clinical review comes with the role of a therapist, for what they treat; given by name it is for all."""
    reads_all = is_named(Permission.CLINICAL_REVIEW)
    try:
        note_reading(visit_id, by=who() or 0, reads_all=reads_all, printed=printed, now=clock.now())
    except NotFound:
        abort(404)
