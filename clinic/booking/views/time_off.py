"""Time off and other blocks: a therapist's own, and anybody's at the desk.

What it touches is shown before it is saved. Booked visits stay; afterwards they are work to do.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, get_template_attribute, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.time_off import KINDS, TimeOffForm
from clinic.booking.queries import blocks
from clinic.booking.services import time_off as services
from clinic.booking.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.premises.queries import PlaceFacts
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import N_, _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.typed_span import TypedSpan, Wall, rest_of_day, span_typed
from clinic.rules.wall_time import WallClock
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, Asks, found, go
from clinic.therapists import queries as therapists

OWN, ANY = Permission.TIME_OFF_OWN_WRITE, Permission.TIME_OFF_ANY_WRITE
NOT_IN_TODAY = N_("Not in today")


@dataclass(frozen=True)
class Whose:
    """Whose time off the page is about, and through which door. Addresses carry the therapist at the desk only."""

    therapist_id: int
    name: str
    at_desk: bool

    def href(self, page: str, **values: Any) -> str:
        """`page` is time_off, sick_day or remove_time_off."""
        if self.at_desk:
            return url_for(f"booking.desk_{page}", therapist=self.therapist_id, **values)
        return url_for(f"booking.my_{page}", **values)

    def back(self) -> Answer:
        """To the list, by a fresh GET."""
        if self.at_desk:
            return go("booking.desk_time_off", therapist=self.therapist_id)
        return go("booking.my_time_off")


def _me() -> Whose:
    me = found(therapists.therapist_of_user(who() or 0))
    return Whose(me.id, me.name, at_desk=False)


def _chosen() -> Whose:
    """The therapist in the address, or the first by name."""
    typed = request.args.get("therapist", "")
    rows = therapists.active_therapists()
    if not typed:
        row = found(rows[0] if rows else None)
    else:
        row = found(therapists.therapist(whole_number(typed) or 0))
    return Whose(row.id, row.name, at_desk=True)


@pages.get("/diary/time-off", needs=OWN)
def my_time_off() -> Answer:
    """What is entered, what it leaves to do, and a form for more."""
    me = _me()
    return _list_page(me, _form(me))


@pages.get("/desk/time-off", needs=ANY)
def desk_time_off() -> Answer:
    """The same for `?therapist=`; without a therapist there is nobody to enter it for."""
    if not therapists.active_therapists() and not request.args.get("therapist"):
        flash(_("There are no therapists yet. The owner adds them under Clinic, Therapists."), "info")
        return go("diary.desk_day")
    chosen = _chosen()
    return _list_page(chosen, _form(chosen))


@pages.post("/diary/time-off", needs=OWN)
def save_my_time_off() -> Answer:
    """Look at what it touches, then save."""
    return _look_or_save(_me())


@pages.post("/desk/time-off", needs=ANY)
def save_desk_time_off() -> Answer:
    """The same for `?therapist=`."""
    return _look_or_save(_chosen())


@pages.get("/diary/time-off/today", needs=OWN)
def my_sick_day() -> Answer:
    """The second tap of the call at 7:30."""
    return _sick_page(_me())


@pages.get("/desk/time-off/today", needs=ANY)
def desk_sick_day() -> Answer:
    """Somebody calls in sick at the desk."""
    return _sick_page(_chosen())


@pages.post("/diary/time-off/today", needs=OWN)
def save_my_sick_day() -> Answer:
    """From now to the end of the day."""
    return _save_today(_me())


@pages.post("/desk/time-off/today", needs=ANY)
def save_desk_sick_day() -> Answer:
    """The same for `?therapist=`."""
    return _save_today(_chosen())


def _asks_to_remove(whose: Whose, time_off_id: int) -> Asks | None:
    """Nothing where it is not there: then the deed says so."""
    ahead = blocks.time_off_ahead(whose.therapist_id, clock.now())
    row = next((one for one in ahead if one.id == time_off_id), None)
    if row is None:
        return None
    off_when = get_template_attribute("booking/_off_when.html", "off_when")
    when = str(off_when(row, row.location.zone if row.location else "", row.location_id))
    return Asks(
        _("Remove this entry?"),
        _("Remove this entry"),
        "booking.desk_time_off" if whose.at_desk else "booking.my_time_off",
        _("The time can be booked again at once."),
        ", ".join(filter(None, (str(KINDS[row.kind]), _(row.note), when))),
    )


@pages.post(
    "/diary/time-off/<int:time_off_id>/remove",
    needs=OWN,
    asks=lambda time_off_id: _asks_to_remove(_me(), time_off_id),
)
def my_remove_time_off(time_off_id: int) -> Answer:
    """Take it back; somebody else's looks as if it were not there."""
    return _remove(_me(), time_off_id)


@pages.post(
    "/desk/time-off/<int:time_off_id>/remove",
    needs=ANY,
    asks=lambda time_off_id: _asks_to_remove(_chosen(), time_off_id),
)
def desk_remove_time_off(time_off_id: int) -> Answer:
    """The same for `?therapist=`."""
    return _remove(_chosen(), time_off_id)


def _form(whose: Whose, typed: Any = None) -> TimeOffForm:
    form = TimeOffForm(typed)
    names = [(str(one.id), one.name) for one in premises.places()]
    choose(
        form.place,
        [("", _("Where they work that day") if whose.at_desk else _("Where you work that day")), *names],
    )
    return form


def _place(whose: Whose, chosen: str | None, day: dt.date) -> PlaceFacts:
    """The chosen place; else where the therapist works on that day. Raises NotFound."""
    number = whole_number(chosen)
    return premises.place_in_use(number) if number else therapists.workplace(whose.therapist_id, day)


def _today(whose: Whose) -> tuple[PlaceFacts, TypedSpan]:
    """From now to the end of the day where the therapist works; the whole day where places differ in zone, since it
    ends at another moment at each."""
    now = clock.now()
    place = _place(whose, None, premises.today(now))
    wall = WallClock(ZoneInfo(place.zone))
    if len(premises.clocks()) == 1:
        return place, rest_of_day(wall, now)
    today = Wall(premises.today(now, place.zone), None)
    return place, span_typed(wall, today, today, uses_24_hours=True)


def _save_today(whose: Whose) -> Answer:
    place, span = _today(whose)
    if _is_off(whose, span):
        return _entered_already(whose)
    return _save(whose, "off", place, span, NOT_IN_TODAY)


def _is_off(whose: Whose, span: TypedSpan) -> bool:
    """Whether they are off from now to the end of this already."""
    away = blocks.off_now(whose.therapist_id, clock.now())
    return away is not None and away.until >= span.ends_at


def _entered_already(whose: Whose) -> Answer:
    flash(_("This is entered already."), "info")
    return whose.back()


def _look_or_save(whose: Whose) -> Answer:
    form = _form(whose, request.form)
    if not form.validate():
        return _list_page(whose, form, 422)
    if request.form.get("act") == "change":
        return _list_page(whose, form)
    uses_24_hours = found(premises.clinic_facts()).uses_24_hours
    place = _place(whose, form.place.data, form.first().day)
    try:
        span = span_typed(
            WallClock(ZoneInfo(place.zone)), form.first(), form.last(), uses_24_hours=uses_24_hours
        )
        touched = blocks.visits_in(whose.therapist_id, span, clock.now())
        if (touched or span.remarks) and request.form.get("act") != "save":
            return _check_page(whose, form, place, span, touched)
        return _save(whose, form.kind.data, place, span, form.note.data or "")
    except InvalidInput as error:
        field = form._fields.get(error.field, form.starts)
        field.errors = [*field.errors, error.sentence]
        return _list_page(whose, form, 422)


def _save(whose: Whose, kind: str, place: PlaceFacts, span: TypedSpan, note: str) -> Answer:
    now = clock.now()
    services.add_time_off(
        whose.therapist_id, kind, span.starts_at, span.ends_at, note, by=who() or 0, now=now, days=span.days,
        location_id=place.id,
    )  # fmt: skip
    touched = len(blocks.visits_in(whose.therapist_id, span, now))
    if touched:
        flash(_("Saved. %(touched)s", touched=_visits_need(touched)), "care")
        if whose.at_desk:
            return go("booking.desk_sick_visits", therapist_id=whose.therapist_id)
    else:
        flash(_("Saved. Nothing new can be booked in this time."), "success")
    return whose.back()


def _visits_need(count: int) -> str:
    return ngettext("%(num)d visit needs a new time.", "%(num)d visits need a new time.", count)


def _remove(whose: Whose, time_off_id: int) -> Answer:
    try:
        services.remove_time_off(time_off_id, whose.therapist_id, by=who() or 0, now=clock.now())
    except NotFound:
        flash(_("This has been removed already."), "info")
    else:
        flash(_("Removed. The time can be booked again."), "success")
    return whose.back()


def _list_page(whose: Whose, form: TimeOffForm, status: int = 200) -> Answer:
    now = clock.now()
    page = render_template(
        "booking/time_off.html",
        whose=whose,
        form=form,
        rows=blocks.time_off_ahead(whose.therapist_id, now),
        touched=blocks.visits_under_time_off(whose.therapist_id, now),
        kinds=KINDS,
        team=therapists.active_therapists() if whose.at_desk else (),
    )
    return page, status


def _check_page(whose: Whose, form: TimeOffForm, place: PlaceFacts, span: TypedSpan, touched: Any) -> Answer:
    return render_template(
        "booking/time_off_check.html",
        whose=whose,
        place=place,
        span=span,
        touched=touched,
        kind=KINDS[form.kind.data],
        action=whose.href("time_off"),
        typed={name: value for name, value in request.form.items() if name in form},
        sick=False,
    )


def _sick_page(whose: Whose) -> Answer:
    now = clock.now()
    place, span = _today(whose)
    if _is_off(whose, span):
        return _entered_already(whose)
    touched, today = blocks.visits_in(whose.therapist_id, span, now), premises.today(now, place.zone)
    if not touched and therapists.hours_are_over(whose.therapist_id, today, now):
        return render_template(
            "booking/time_off_tomorrow.html", whose=whose, tomorrow=today + dt.timedelta(days=1)
        )
    return render_template(
        "booking/time_off_check.html",
        whose=whose,
        place=place,
        span=span,
        touched=touched,
        kind=NOT_IN_TODAY,
        action=whose.href("sick_day"),
        typed={},
        sick=True,
    )
