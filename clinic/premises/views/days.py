"""Opening hours of a place on single dates."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.premises import queries, services
from clinic.premises.forms.day import DayForm, day_of
from clinic.premises.views.blueprint import pages
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.week import span_words
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.web import Answer, found, go


@pages.get("/owner/locations/<int:location_id>/days", needs=Permission.CLINIC_ANY_WRITE)
def days(location_id: int) -> Answer:
    """Days with opening hours of their own, and a form for the next."""
    return _page(_form(location_id), location_id)


@pages.post("/owner/locations/<int:location_id>/days", needs=Permission.CLINIC_ANY_WRITE)
def set_day(location_id: int) -> Answer:
    """Set the opening hours of one day."""
    form = _form(location_id, typed=True)

    def save() -> None:
        services.set_opening_of_day(location_id, form.on(), form.hours(), by=who(), now=clock.now())

    if not saves(form, save):
        return _page(form, location_id, 422)
    flash(_("The opening hours of this day are saved. Visits already booked stay as they are."), "success")
    return go("premises.days", location_id=location_id)


@pages.post("/owner/locations/<int:location_id>/days/<day>/drop", needs=Permission.CLINIC_ANY_WRITE)
def drop_day(location_id: int, day: str) -> Answer:
    """Back to the weekly hours on this day."""
    found(queries.location_facts(location_id))
    services.drop_opening_of_day(location_id, found(day_of(day)), by=who(), now=clock.now())
    flash(_("The weekly opening hours hold again on this day."), "success")
    return go("premises.days", location_id=location_id)


def _form(location_id: int, *, typed: bool = False) -> DayForm:
    """The place is known already."""
    found(queries.location_facts(location_id))
    form = DayForm(request.form if typed else None)
    del form.place
    return form


def _page(form: DayForm, location_id: int, status: int = 200) -> Answer:
    uses_24_hours = queries.clinic_settings().uses_24_hours
    rows = [
        (day, ", ".join(span_words(one, uses_24_hours=uses_24_hours) for one in hours), "")
        for day, hours in queries.days_ahead(location_id, queries.today(clock.now()))
    ]
    page = render_template("premises/days.html", form=form, place=queries.location(location_id), rows=rows)
    return page, status
