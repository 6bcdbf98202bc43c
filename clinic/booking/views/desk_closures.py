"""Closures: the whole place, one room or one device, and what lies underneath."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from flask import flash, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.desk import ClosureForm
from clinic.booking.queries import blocks, in_the_way
from clinic.booking.services import time_off
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.premises.queries import PlaceFacts
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.wall_time import WallClock, moment
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, Asks, go

NEED = Permission.CLINIC_ANY_WRITE
ASKS_TO_OPEN = Asks(
    N_("Open this time again?"),
    N_("Open this time again"),
    "booking.closures",
    N_("It can be booked at once."),
)


@pages.get("/owner/closures", needs=NEED)
def closures() -> Answer:
    """What is closed from today on, and a form for more; at `?place=`, or the first one."""
    return _page(ClosureForm(request.args))


@pages.post("/owner/closures", needs=NEED)
def add_closure() -> Answer:
    """Close the place, a room or a device. Booked visits stay, and become work to do: they are shown before."""
    form = ClosureForm(request.form)
    is_right = form.validate()
    place = _place(form)
    span = _span(form, place.zone)
    if not is_right or span is None:
        return _page(form, 422)
    now = clock.now()
    try:
        what = place.id, _resource(form.what.data or "", place.id), *span
        touched = blocks.visits_shut_by(*what, now)
        if touched and request.form.get("act") != "save":
            return _page(form, touched=touched)
        time_off.add_closure(*what, form.reason.data or "", by=who() or 0, now=now)
    except InvalidInput as error:
        target = {"ends": form.last_day, "reason": form.reason}.get(error.field, form.what)
        target.errors = [*target.errors, error.sentence]
        return _page(form, 422)
    words = _("Closed. Nothing new can be booked then.")
    if touched:
        words += " " + _("The visits in that time stand under “To do” at the front desk.")
    flash(words, "success")
    return go("booking.closures", place=form.place_id)


@pages.post("/owner/closures/<int:closure_id>/remove", needs=NEED, asks=ASKS_TO_OPEN)
def remove_closure(closure_id: int) -> Answer:
    """Open again; back to the place that was shown."""
    try:
        time_off.remove_closure(closure_id, by=who() or 0, now=clock.now())
    except NotFound:
        flash(_("This closure is not there any more."), "care")
    else:
        flash(_("Open again. The time can be booked."), "success")
    return go("booking.closures", place=request.form.get("place"))


def _place(form: ClosureForm) -> PlaceFacts:
    """The chosen place, or the first one. Raises NotFound."""
    return premises.place_in_use(form.place_id or kit.clinic().location_id)


def _span(form: ClosureForm, zone: str) -> tuple[dt.datetime, dt.datetime] | None:
    """From the first day to the last, whole days unless times are given; None with the message at its field."""
    first, last = form.first_day.data, form.last_day.data or form.first_day.data
    if first is None or last is None:
        form.first_day.errors = form.first_day.errors or [_("Enter the first day.")]
        return None
    if not (2000 < first.year < 2100 and 2000 < last.year < 2100):
        form.first_day.errors = [_("Check the year.")]
        return None
    wall = WallClock(ZoneInfo(zone))
    start = wall.minute_at(first, form.starts.data or dt.time())
    end = wall.minute_at(last, form.ends.data) if form.ends.data else wall.day_bounds(last)[1]
    return moment(start), moment(end)


def _resource(what: str, location_id: int) -> int | None:
    """The room or device that was chosen; None is the whole place. Raises InvalidInput for anything else."""
    if what == "place":
        return None
    known = {str(key): key for key in premises.kit_names(location_id)}
    if what not in known:
        raise InvalidInput("what", _("Choose what is closed."))
    return known[what]


def _page(form: ClosureForm, status: int = 200, touched: Sequence[object] = ()) -> Answer:
    place, now = _place(form), clock.now()
    names = premises.kit_names(place.id)
    places = [(str(one.id), one.name) for one in premises.places()]
    choose(form.place, places)
    form.place.data = str(place.id)
    choose(form.what, [("place", _("The whole place")), *((str(key), name) for key, name in names.items())])
    page = render_template(
        "booking/desk_closures.html",
        form=form,
        place=place,
        tabs=[
            {"href": url_for("booking.closures", place=key), "label": name, "current": key == str(place.id)}
            for key, name in places
        ],
        names=names,
        closures=premises.closures_from(place.id, now),
        under=in_the_way.visits_under(now),
        touched=touched,
    )
    return page, status
