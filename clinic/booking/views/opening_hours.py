"""The weekly opening hours of a place. What new ones would leave outside is shown before they are saved."""

from __future__ import annotations

from flask import render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.queries import outside
from clinic.booking.views.blueprint import pages
from clinic.booking.views.outside_kit import say_saved
from clinic.premises import queries, services
from clinic.premises.forms.week import WeekForm
from clinic.rules.errors import ChangedMeanwhile, InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.week import week_problems
from clinic.rules.words import weekdays
from clinic.shared import clock
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go


@pages.get("/owner/locations/<int:location_id>/hours", needs=Permission.CLINIC_ANY_WRITE)
def opening_hours(location_id: int) -> Answer:
    """The week of a place, day by day."""
    found(queries.location_facts(location_id))
    week = queries.week_of(location_id)
    form = WeekForm(may_be_whole_day=True, uses_24_hours=queries.clinic_settings().uses_24_hours)
    form.fill("work", week)
    return _page(form, location_id, mark_of(week))


@pages.post("/owner/locations/<int:location_id>/hours", needs=Permission.CLINIC_ANY_WRITE)
def save_opening_hours(location_id: int) -> Answer:
    """Replace the week, or only change the form by one of its other buttons."""
    found(queries.location_facts(location_id))
    form = WeekForm(may_be_whole_day=True, uses_24_hours=queries.clinic_settings().uses_24_hours)
    form.read(request.form)
    seen, act = request.form.get("seen", ""), request.form.get("act", "")
    if form.act(act):
        return _page(form, location_id, seen)
    if not form.validate():
        return _page(form, location_id, seen, status=422)
    week, now = form.week("work"), clock.now()
    touched = outside.left_shut(location_id, now, weekly=week)
    if touched and act != "save" and not week_problems(week, may_be_whole_day=True):
        return _page(form, location_id, seen, touched=touched)
    try:
        services.save_opening_hours(location_id, week, seen=seen, by=who(), now=now)
    except (ChangedMeanwhile, InvalidInput) as error:
        form.errors.append(error.sentence)
        return _page(form, location_id, mark_of(queries.week_of(location_id)), status=422)
    say_saved(_("The opening hours are saved. Visits already booked stay as they are."), len(touched))
    return go("booking.locations")


def _page(form: WeekForm, location_id: int, seen: str, *, status: int = 200, touched: object = ()) -> Answer:
    page = render_template(
        "booking/opening_hours.html",
        form=form,
        place=queries.location(location_id),
        seen=seen,
        touched=touched,
        weekdays=weekdays(),
        back=url_for("booking.locations"),
    )
    return page, status
