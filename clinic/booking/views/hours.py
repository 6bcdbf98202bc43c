"""A therapist's weekly hours and breaks, place by place: the owner's page for anybody, and one's own.

What new hours would leave outside is shown before they are saved. Booked visits stay; afterwards they are work to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.queries import outside
from clinic.booking.views.blueprint import pages
from clinic.booking.views.outside_kit import say_saved
from clinic.premises import queries as premises
from clinic.premises.forms.week import WeekForm
from clinic.rules.errors import ChangedMeanwhile, InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.week import week_in_words, week_minutes, week_problems
from clinic.rules.words import weekdays
from clinic.shared import clock
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries, services

ANY, OWN = Permission.THERAPIST_ANY_WRITE, Permission.HOURS_OWN_WRITE
KINDS = ("work", "break")


@dataclass(frozen=True)
class Whose:
    """Whose week the page is about, at which place, and through which door."""

    therapist_id: int
    name: str
    place: int
    is_own: bool

    def href(self, place: int) -> str:
        """Where the week at a place is; a form is sent to the same address."""
        if self.is_own:
            return url_for("booking.my_hours", place=place)
        return url_for("booking.hours", therapist_id=self.therapist_id, place=place)

    @property
    def back(self) -> str:
        return "diary.own_profile" if self.is_own else "therapists.therapists"


@pages.get("/owner/therapists/<int:therapist_id>/hours", needs=ANY)
def hours(therapist_id: int) -> Answer:
    """The week at one place: `?place=` or the first."""
    return _show(_theirs(therapist_id))


@pages.post("/owner/therapists/<int:therapist_id>/hours", needs=ANY)
def save_hours(therapist_id: int) -> Answer:
    """Replace the week, or only change the form by one of its other buttons."""
    return _look_or_save(_theirs(therapist_id))


@pages.get("/diary/hours", needs=OWN)
def my_hours() -> Answer:
    """One's own week."""
    return _show(_mine())


@pages.post("/diary/hours", needs=OWN)
def save_my_hours() -> Answer:
    """The same, saved."""
    return _look_or_save(_mine())


def _theirs(therapist_id: int) -> Whose:
    row = found(queries.therapist(therapist_id))
    return Whose(row.id, row.name, _place(), is_own=False)


def _mine() -> Whose:
    row = found(queries.therapist_of_user(who() or 0))
    return Whose(row.id, row.name, _place(), is_own=True)


def _place() -> int:
    """The chosen place, or the first; 404 for one that is not there."""
    typed = request.args.get("place", "")
    ids = [place.id for place in premises.locations()]
    if not typed:
        return int(found(ids[0] if ids else None))
    place = whole_number(typed)
    return int(found(place if place in ids else None))


def _show(whose: Whose) -> Answer:
    week = queries.week_of(whose.therapist_id, whose.place)
    form = WeekForm(kinds=KINDS, uses_24_hours=premises.clinic_settings().uses_24_hours)
    for kind in KINDS:
        form.fill(kind, week[kind])
    return _page(form, whose, mark_of(week), total_minutes=week_minutes(week["work"], week["break"]))


def _look_or_save(whose: Whose) -> Answer:
    form = WeekForm(kinds=KINDS, uses_24_hours=premises.clinic_settings().uses_24_hours)
    form.read(request.form)
    seen, act = request.form.get("seen", ""), request.form.get("act", "")
    if form.act(act):
        return _page(form, whose, seen)
    if not form.validate():
        return _page(form, whose, seen, status=422)
    new, now = outside.Week(form.week("work"), form.week("break")), clock.now()
    touched = outside.left_outside(whose.therapist_id, whose.place, new, now)
    if touched and act != "save" and not week_problems(*new):
        return _page(form, whose, seen, touched=touched)
    try:
        services.save_weekly_hours(whose.therapist_id, whose.place, *new, seen=seen, by=who(), now=now)
    except (ChangedMeanwhile, InvalidInput) as error:
        form.errors.append(error.sentence)
        mark = mark_of(queries.week_of(whose.therapist_id, whose.place))
        return _page(form, whose, mark, status=422)
    say_saved(_("The weekly hours are saved. Visits already booked stay as they are."), len(touched))
    return go(whose.back)


def _page(
    form: WeekForm,
    whose: Whose,
    seen: str,
    *,
    status: int = 200,
    total_minutes: int | None = None,
    touched: object = (),
) -> Answer:
    page = render_template(
        "booking/hours.html",
        form=form,
        whose=whose,
        places=premises.locations(),
        opening=week_in_words(
            premises.week_of(whose.place), uses_24_hours=premises.clinic_settings().uses_24_hours
        ),
        total_minutes=total_minutes,
        touched=touched,
        seen=seen,
        weekdays=weekdays(),
        back=url_for(whose.back),
    )
    return page, status
