"""A series at the desk: said once, planned without booking, then booked whole; and what stands of it."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import flash, render_template, request
from werkzeug.datastructures import MultiDict

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.desk import EVERY, SeriesForm, what_value
from clinic.booking.queries import series as reading
from clinic.booking.queries import visits
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.services.checkout import Choice
from clinic.booking.services.series import book_series
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.services.series_plan import plan_series, plan_starts
from clinic.booking.services.series_starts import OneStart, Planned
from clinic.booking.views import desk_kit as kit
from clinic.booking.views import series_dates
from clinic.booking.views.blueprint import pages
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput, RestNeeded, RuleViolation, SlotTaken
from clinic.rules.frequency import SHORTEST_REASON
from clinic.rules.language import _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.series import Pattern
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, Asks, found, go

NEED = Permission.VISIT_ANY_WRITE
FIELDS = {"every_weeks": "every", "starts_at": "at", "service": "what"}


@pages.get("/clients/<int:client_id>/series/new", needs=NEED)
def desk_new_series(client_id: int) -> Answer:
    """The form, filled in as the visit that `?visit=` names, or as the last one of this client."""
    client = found(clients.client(client_id))
    form = _form(MultiDict(_as_a_visit(client.id, whole_number(request.args.get("visit")))))
    form.request_key.data = secrets.token_urlsafe(16)
    return _page(client, form)


def _as_a_visit(client_id: int, visit_id: int | None) -> list[tuple[str, str]]:
    """What the client comes for: the same weekday and time, from the first such day ahead on."""
    before = [one for one in visits.visits_of([client_id]) if visit_id in (None, one.id)]
    zone = before[0].zone if before else ""
    first = premises.today(clock.now(), zone) + dt.timedelta(days=1)
    typed = [("every", "2"), ("count", "6")]
    if not before:
        return [*typed, ("day", first.isoformat())]
    last = before[0]
    day = max(first, last.day + dt.timedelta(weeks=2))
    day += dt.timedelta(days=(last.day.weekday() - day.weekday()) % 7)
    return [
        *typed,
        ("what", what_value(last.service.key, last.mode, last.minutes)),
        ("place", str(last.location_id)),
        ("therapist", last.asked_gender if last.any_therapist else str(last.therapist_id)),
        ("day", day.isoformat()),
        ("at", last.local_time.strftime("%H:%M")),
        *(("addons", one) for one in last.addons),
        *(("areas", one) for one in last.areas),
    ]


@pages.post("/clients/<int:client_id>/series/new", needs=NEED)
def desk_book_series(client_id: int) -> Answer:
    """Show the plan, or book what was chosen of it (`book`). What was typed is kept."""
    client = found(clients.client(client_id))
    form = _form(request.form)
    is_right = form.validate()
    choice = kit.choice_of(form) if is_right else None
    choice = replace(choice, location_id=form.place_id) if choice is not None else None
    if choice is None:
        if not form.errors:
            form.what.errors = [_("Choose a service and a length.")]
        return _page(client, form, status=422)
    if request.form.get("book"):
        return _book(client, form, choice)
    try:
        plan = plan_series(choice, client.id, _pattern(form), source="desk", now=clock.now())
    except InvalidInput as error:
        return _wrong(client, form, error)
    return _page(client, form, plan=plan)


def _form(typed: MultiDict[str, str]) -> SeriesForm:
    form = SeriesForm(typed)
    kit.with_choices(form)
    choose(form.every, EVERY)
    choose(form.place, [(one.id, one.name) for one in premises.places()])
    return form


def _pattern(form: SeriesForm) -> Pattern:
    """Raises InvalidInput naming the field."""
    if form.day.data is None:
        raise InvalidInput("day", _("Choose the first day."))
    if form.at.data is None:
        raise InvalidInput("at", _("Choose the time."))
    return Pattern(
        form.day.data, form.at.data, form.every_weeks, count=form.count.data, until=form.until.data
    )


def _wrong(client: Any, form: SeriesForm, error: InvalidInput) -> Answer:
    error.field = FIELDS.get(error.field, error.field)
    kit.put_error(form, error)
    return _page(client, form, status=422)


def _book(client: Any, form: SeriesForm, choice: Choice) -> Answer:
    starts, client_id, now = series_dates.picked(form.rest_reason.data or ""), client.id, clock.now()
    if any(one.rest.seen for one in starts) and len((form.rest_reason.data or "").strip()) < SHORTEST_REASON:
        form.rest_reason.errors = [_("Write in a few words why.")]
        return _afresh(client_id, form, choice, starts, "", status=422)
    key = (form.request_key.data or "")[:64] or secrets.token_urlsafe(16)
    try:
        outcome = book_series(
            choice, client_id, starts, every_weeks=form.every_weeks, request_key=key, source="desk", by=who(),
            now=now, at_desk=True,
        )  # fmt: skip
    except InvalidInput as error:
        return _wrong(found(clients.client(client_id)), form, error)
    except RuleViolation as error:
        return _afresh(client_id, form, choice, starts, _trouble(error))
    if outcome.series_id is None:
        return _afresh(client_id, form, choice, starts, _("Not all of these can be booked for this client."))
    kit.say_in_the_book(_("The series is in the book."), reading.visits_of_series(outcome.series_id))
    return go("booking.desk_series", series_id=outcome.series_id)


def _trouble(error: RuleViolation) -> str:
    if isinstance(error, RestNeeded):
        return _("One of these visits comes sooner than advised.")
    return _("One of these times has just been taken.") if isinstance(error, SlotTaken) else error.sentence


def _afresh(
    client_id: int,
    form: SeriesForm,
    choice: Choice,
    starts: Sequence[OneStart],
    trouble: str,
    status: int = 409,
) -> Answer:
    """None was booked: the starts that were wanted, as they stand now."""
    plan = plan_starts(choice, client_id, starts, source="desk", now=clock.now())
    return _page(found(clients.client(client_id)), form, plan=plan, trouble=trouble, status=status)


def _page(
    client: Any,
    form: SeriesForm,
    *,
    plan: Sequence[Planned] = (),
    trouble: str = "",
    status: int = 200,
) -> Answer:
    door = _door(form)
    page = render_template(
        "booking/desk_series_new.html",
        client=client,
        form=form,
        trouble=trouble,
        zone=kit.zone_of(form),
        dates=[series_dates.question(one, door) for one in plan],
        sooner=any(one.rest is not None for one in plan),
        fitting=sum(one.fits for one in plan),
        urgency=next((one.urgency for one in plan if one.urgency), ""),
        area_groups=kit.area_groups(),
    )
    return page, status


def _door(form: SeriesForm) -> series_dates.Door:
    addons = {
        one.judged_as: one.name for one in catalogue.all_addons() if one.key in (form.addons.data or ())
    }
    return series_dates.Door(
        zone=kit.zone_of(form),
        names=kit.therapist_names(),
        wanted=form.therapist_id,
        staff=True,
        addons=addons,
    )


@pages.get("/desk/series/<int:series_id>", needs=NEED)
def desk_series(series_id: int) -> Answer:
    """Every visit of a series, and how to cancel what is left of it."""
    rows = reading.visits_of_series(series_id)
    first = found(rows[0] if rows else None)
    plan = catalogue.plan_for_booked(first.service_id, first.mode, first.addons, first.minutes)
    return render_template(
        "booking/desk_series.html",
        visits=rows,
        client=first.client,
        plan=plan,
        series_id=series_id,
        last_step=kit.last_step(*(one.id for one in rows)),
        to_ask=next((one.id for one in rows if one.is_waiting and one.waiting_for == RECONFIRM), None),
        coming=reading.how_many_coming(series_id, clock.now()),
    )


def _asks_to_cancel(series_id: int) -> Asks | None:
    found(reading.series(series_id))
    coming = reading.how_many_coming(series_id, clock.now())
    if not coming:
        return None
    by_clinic = request.form.get("cancelled_by") == "clinic"
    return Asks(
        ngettext("Cancel one visit?", "Cancel %(num)d visits?", coming),
        _("Cancel them from our side") if by_clinic else _("Cancel them at the client’s request"),
        "booking.desk_series",
        _("The client is told in one mail."),
        found(reading.visits_of_series(series_id)[0].client).name,
    )


@pages.post("/desk/series/<int:series_id>/cancel", needs=NEED, asks=_asks_to_cancel)
def desk_cancel_series(series_id: int) -> Answer:
    """Cancel every visit that is still to come, for the client or by the clinic."""
    found(reading.series(series_id))
    by_clinic = request.form.get("cancelled_by") == "clinic"
    done = cancel_rest(series_id, by=who(), by_clinic=by_clinic, now=clock.now(), at_desk=True)
    number = len(done.cancelled) + len(done.late)
    if number:
        told = ngettext(
            "%(num)d visit is cancelled.",
            "%(num)d visits are cancelled.",
            number,
        )
        late = ngettext(
            "%(num)d of them inside the notice.", "%(num)d of them inside the notice.", len(done.late)
        )
        flash(f"{told} {late}" if done.late else told, "success")
    else:
        flash(_("No visit of this series is left to cancel."), "care")
    return go("booking.desk_series", series_id=series_id)
