"""A therapist's hours on single dates: other hours than in the week, or hours on a day that is usually free."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.premises import queries as premises
from clinic.premises.forms.day import DayForm, day_of
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.week import span_words
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries, services
from clinic.therapists.views.blueprint import pages


@pages.get("/owner/therapists/<int:therapist_id>/days", needs=Permission.THERAPIST_ANY_WRITE)
def days(therapist_id: int) -> Answer:
    """Days with hours of their own, and a form for the next."""
    return _page(_with_places(DayForm()), therapist_id)


@pages.post("/owner/therapists/<int:therapist_id>/days", needs=Permission.THERAPIST_ANY_WRITE)
def set_day(therapist_id: int) -> Answer:
    """Set the hours of one day."""
    found(queries.therapist(therapist_id))
    form = _with_places(DayForm(request.form))

    def save() -> None:
        services.set_hours_of_day(
            therapist_id, form.place.data, form.on(), form.hours(), by=who(), now=clock.now()
        )

    if not saves(form, save):
        return _page(form, therapist_id, 422)
    flash(_("The hours of this day are saved. Visits already booked stay as they are."), "success")
    return go("therapists.days", therapist_id=therapist_id)


@pages.post("/owner/therapists/<int:therapist_id>/days/<day>/drop", needs=Permission.THERAPIST_ANY_WRITE)
def drop_day(therapist_id: int, day: str) -> Answer:
    """Back to the weekly hours on this day."""
    found(queries.therapist(therapist_id))
    services.drop_hours_of_day(therapist_id, found(day_of(day)), by=who(), now=clock.now())
    flash(_("The weekly hours hold again on this day."), "success")
    return go("therapists.days", therapist_id=therapist_id)


def _with_places(form: DayForm) -> DayForm:
    choose(form.place, [(place.id, place.name) for place in premises.locations()])
    return form


def _page(form: DayForm, therapist_id: int, status: int = 200) -> Answer:
    row = found(queries.therapist(therapist_id))
    names = {place.id: place.name for place in premises.locations()}
    uses_24_hours = premises.clinic_settings().uses_24_hours
    rows = [
        (day, ", ".join(span_words(one, uses_24_hours=uses_24_hours) for one in hours), names[place])
        for day, place, hours in queries.days_ahead(therapist_id, premises.today(clock.now()))
    ]
    page = render_template(
        "therapists/days.html", form=form, therapist=row, rows=rows, several=len(names) > 1
    )
    return page, status
