"""Visits that are no longer safe under new rules: seen by somebody with clinical review before anybody is told."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts.access import is_named, who
from clinic.booking.forms.choice import number_of
from clinic.booking.queries import judged_by
from clinic.booking.services.reconciling import confirm_cancellations
from clinic.booking.views.blueprint import pages
from clinic.rules.findings import ISSUER_WORDS
from clinic.rules.language import _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.verdicts import Verdict
from clinic.shared import clock
from clinic.shared.web import Answer, go

NEED = Permission.CLINICAL_REVIEW
STRONG = (Verdict.BLOCK.word, Verdict.CLEARANCE.word)


@pages.get("/reviews/visits", needs=NEED, reads="list")
def unsafe_visits() -> Answer:
    """Each visit with what speaks against it now, and until when its time is kept."""
    rows = [
        (visit, [one for one in (kept.findings["strictest"] if kept else ()) if one["verdict"] in STRONG])
        for visit, kept in judged_by.no_longer_safe()
    ]
    return render_template(
        "booking/unsafe_visits.html",
        rows=rows,
        issuers=ISSUER_WORDS,
        may_read_record=is_named(Permission.CLINICAL_REVIEW),
    )


@pages.post("/reviews/visits", needs=NEED)
def cancel_unsafe_visits() -> Answer:
    """Cancel the one that was pressed, or every one that the page showed; their clients are told now."""
    chosen = request.form.getlist("visit")
    shown = [number_of(one, digits=17) or 0 for one in (chosen or request.form.getlist("shown"))[:1000]]
    done = confirm_cancellations(shown, by=who() or 0, now=clock.now())
    if done:
        flash(
            ngettext(
                "%(num)d visit is cancelled. The clients are told.",
                "%(num)d visits are cancelled. The clients are told.",
                done,
            ),
            "success",
        )
    else:
        flash(_("Nothing was cancelled: this has been dealt with already."), "info")
    return go("booking.unsafe_visits")
