"""A therapist's weekly hours and breaks, place by place."""

from __future__ import annotations

from flask import flash, render_template, request, url_for

from clinic.accounts.access import who
from clinic.premises import queries as premises
from clinic.premises.forms.week import WeekForm
from clinic.rules.errors import ChangedMeanwhile, InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.week import week_in_words, week_minutes
from clinic.rules.words import weekdays
from clinic.shared import clock
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries, services
from clinic.therapists.views.blueprint import pages

KINDS = ("work", "break")


@pages.get("/owner/therapists/<int:therapist_id>/hours", needs=Permission.THERAPIST_ANY_WRITE)
def hours(therapist_id: int) -> Answer:
    """The week at one place: `?place=` or the first."""
    place = _place(request.args.get("place", ""))
    week = queries.week_of(therapist_id, place)
    form = WeekForm(kinds=KINDS)
    for kind in KINDS:
        form.fill(kind, week[kind])
    total = week_minutes(week["work"], week["break"])
    return _page(form, therapist_id, place, mark_of(week), total_minutes=total)


@pages.post("/owner/therapists/<int:therapist_id>/hours", needs=Permission.THERAPIST_ANY_WRITE)
def save_hours(therapist_id: int) -> Answer:
    """Replace the week, or only change the form by one of its other buttons."""
    place = _place(request.args.get("place", ""))
    form = WeekForm(kinds=KINDS)
    form.read(request.form)
    seen = request.form.get("seen", "")
    if form.act(request.form.get("act", "")):
        return _page(form, therapist_id, place, seen)
    if not form.validate():
        return _page(form, therapist_id, place, seen, status=422)
    try:
        services.save_weekly_hours(
            therapist_id,
            place,
            form.week("work"),
            form.week("break"),
            seen=seen,
            by=who(),
            now=clock.now(),
        )
    except (ChangedMeanwhile, InvalidInput) as error:
        form.errors.append(error.sentence)
        return _page(form, therapist_id, place, mark_of(queries.week_of(therapist_id, place)), status=422)
    flash(_("The weekly hours are saved. Visits already booked stay as they are."), "success")
    return go("therapists.therapists")


def _place(typed: str) -> int:
    """The chosen place, or the first; 404 for one that is not there."""
    ids = [place.id for place in premises.locations()]
    if not typed:
        return int(found(ids[0] if ids else None))
    return int(found(int(typed) if typed.isdecimal() and len(typed) < 19 and int(typed) in ids else None))


def _page(
    form: WeekForm,
    therapist_id: int,
    place: int,
    seen: str,
    status: int = 200,
    total_minutes: int | None = None,
) -> Answer:
    row = found(queries.therapist(therapist_id))
    page = render_template(
        "therapists/hours.html",
        form=form,
        therapist=row,
        place=place,
        places=premises.locations(),
        opening=week_in_words(
            premises.week_of(place), uses_24_hours=premises.clinic_settings().uses_24_hours
        ),
        total_minutes=total_minutes,
        seen=seen,
        weekdays=weekdays(),
        back=url_for("therapists.therapists"),
    )
    return page, status
