"""Opening hours of a place on single dates. What they would leave outside is shown before they are saved."""

from __future__ import annotations

from flask import render_template, request

from clinic.accounts.access import who
from clinic.booking.queries import outside
from clinic.booking.views.blueprint import pages
from clinic.booking.views.outside_kit import say_saved
from clinic.premises import queries, services
from clinic.premises.forms.day import DayForm, day_of
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.week import span_words, week_problems
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.web import Answer, found, go


@pages.get("/owner/locations/<int:location_id>/days", needs=Permission.CLINIC_ANY_WRITE)
def opening_days(location_id: int) -> Answer:
    """Days with opening hours of their own, and a form for the next."""
    return _page(_form(location_id), location_id)


@pages.post("/owner/locations/<int:location_id>/days", needs=Permission.CLINIC_ANY_WRITE)
def set_opening_day(location_id: int) -> Answer:
    """Set the opening hours of one day."""
    form, now = _form(location_id, typed=True), clock.now()
    touched = []
    if form.validate() and not week_problems(form.hours()):
        touched = outside.left_shut(location_id, now, day=(form.on(), form.hours()))
        if touched and request.form.get("act") != "save":
            return _page(form, location_id, touched=touched)

    def save() -> None:
        services.set_opening_of_day(location_id, form.on(), form.hours(), by=who(), now=now)

    if not saves(form, save):
        return _page(form, location_id, 422)
    say_saved(
        _("The opening hours of this day are saved. Visits already booked stay as they are."), len(touched)
    )
    return go("booking.opening_days", location_id=location_id)


@pages.post("/owner/locations/<int:location_id>/days/<day>/drop", needs=Permission.CLINIC_ANY_WRITE)
def drop_opening_day(location_id: int, day: str) -> Answer:
    """Back to the weekly hours on this day."""
    found(queries.location_facts(location_id))
    on, now = found(day_of(day)), clock.now()
    weekly = [one for one in queries.week_of(location_id) if one.weekday == on.weekday()]
    touched = outside.left_shut(location_id, now, day=(on, weekly))
    services.drop_opening_of_day(location_id, on, by=who(), now=now)
    say_saved(_("The weekly opening hours hold again on this day."), len(touched))
    return go("booking.opening_days", location_id=location_id)


def _form(location_id: int, *, typed: bool = False) -> DayForm:
    """The place is known already."""
    found(queries.location_facts(location_id))
    form = DayForm(request.form if typed else None)
    del form.place
    return form


def _page(form: DayForm, location_id: int, status: int = 200, touched: object = ()) -> Answer:
    uses_24_hours = queries.clinic_settings().uses_24_hours
    rows = [
        (day, ", ".join(span_words(one, uses_24_hours=uses_24_hours) for one in hours), "")
        for day, hours in queries.days_ahead(location_id, queries.today(clock.now()))
    ]
    place = queries.location(location_id)
    page = render_template("booking/opening_days.html", form=form, place=place, rows=rows, touched=touched)
    return page, status
