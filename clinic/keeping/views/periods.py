"""How long each kind of thing is kept, what would go today, and letting it begin."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.keeping.forms import PeriodsForm
from clinic.keeping.queries import due
from clinic.keeping.queries import periods as reading
from clinic.keeping.services import expiring
from clinic.keeping.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.errors import ChangedMeanwhile
from clinic.rules.keeping import PERIODS, STAY_FOREVER
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import FactsForm, saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, go

NEED = Permission.CLINIC_ANY_WRITE


@pages.get("/owner/keeping", needs=NEED)
def periods() -> Answer:
    """The periods as they are."""
    return _page(_as_they_are())


@pages.post("/owner/keeping", needs=NEED)
def save_periods() -> Answer:
    """Change them. Nothing goes by them before they are confirmed."""
    form = PeriodsForm(request.form)

    def save() -> None:
        seen = form.seen.data or ""
        expiring.save_periods(form.amounts(), seen=seen, by=who() or 0, now=clock.now())

    if not saves(form, save, seen_now=_seen):
        return _page(form, is_saved=False), 422
    flash(_("The periods are saved. Look below at what would be erased, and let it begin."), "success")
    return go("keeping.periods")


@pages.post("/owner/keeping/begin", needs=NEED)
def confirm_periods() -> Answer:
    """Let things go by these periods from now on."""
    try:
        expiring.let_go_by_periods(seen=request.form.get("seen", ""), by=who() or 0, now=clock.now())
    except ChangedMeanwhile as error:
        form = _as_they_are()
        form.add_error("", error.sentence)
        return _page(form), 409
    flash(_("From now on, what has been kept for long enough is erased within a day."), "success")
    return go("keeping.periods")


def _as_they_are() -> FactsForm:
    form: FactsForm = PeriodsForm(data=reading.periods() | {"seen": _seen()})
    return form


def _seen() -> str:
    return mark_of(reading.periods())


def _page(form: FactsForm, *, is_saved: bool = True) -> str:
    """`is_saved`: the form shows the periods by which things would go, so that they may begin from here."""
    return render_template(
        "keeping/periods.html",
        form=form,
        is_saved=is_saved,
        kinds=PERIODS,
        stays=STAY_FOREVER,
        due=due.due(clock.now()),
        is_confirmed=reading.is_confirmed(),
        draft_days=premises.clinic().draft_days,
    )
