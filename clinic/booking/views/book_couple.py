"""A client books for two at once online: who comes along, when both can, and both or neither.

What is not possible for one of the two is said for both alike: neither reads what came out for the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request
from flask_login import current_user

from clinic.booking.forms.choice import moment_of, moment_text
from clinic.booking.forms.desk import NEW
from clinic.booking.forms.together import CompanionForm
from clinic.booking.queries.checkouts import Standing, Step
from clinic.booking.queries.free_times import Time, plain_times
from clinic.booking.services.checkout import Choice
from clinic.booking.services.couple_online import (
    Companion,
    Planned,
    book_with,
    both_as_planned,
    check_named,
    times_for_two,
)
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.checkout import call_us, with_booking
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.availability import Start
from clinic.rules.errors import (
    BarredOnline,
    ChangedMeanwhile,
    HoldExpired,
    InvalidInput,
    NotFound,
    RuleViolation,
    SlotTaken,
)
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, go
from clinic.therapists import queries as therapists

NEED = Permission.VISIT_OWN_WRITE
DAYS, DAYS_BEFORE, A_DAY, IN_ALL = 14, 3, 3, 9
NOT_BOTH = N_("This cannot be booked for both as it is.")
GONE = N_("This time is not free for both any more. Please choose another one.")


@pages.get("/book/couple", needs=NEED)
@with_booking(Step.CHECK)
def ask_couple(now_at: Standing) -> Answer:
    """Who comes along."""
    if not kit.may_book_couple(now_at):
        return call_us(BarredOnline(), now_at.visit.location.phone)
    return _page(now_at, _form(now_at))


@pages.post("/book/couple", needs=NEED)
@with_booking(Step.CHECK, Step.DONE)
def take_couple(now_at: Standing) -> Answer:
    """Show when both can, then both visits at the time that was pressed (`start`), then book what was seen."""
    if now_at.step is Step.DONE:
        return go("booking.done")
    if not kit.may_book_couple(now_at):
        return call_us(BarredOnline(), now_at.visit.location.phone)
    kit.renew()
    form, starts_at = _form(now_at), moment_of(request.form.get("start"))
    if not form.validate():
        return _page(now_at, form, status=422)
    try:
        companion = _companion(now_at, form)
        if starts_at is None:
            return _page(now_at, form, _times(now_at, companion))
        return _look_or_book(now_at, form, companion, starts_at)
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _page(now_at, form, status=422)


def _form(now_at: Standing) -> CompanionForm:
    form = CompanionForm(request.form if request.method == "POST" else None)
    form.region = premises.clinic().phone_region
    people = [one for one in clients.people_of(current_user.id) if one.client_id != now_at.client_id]
    if request.method == "GET" and not people:
        form.who.data = NEW
    choose(form.who, [*((str(one.client_id), one.name) for one in people), (NEW, _("Somebody else"))])
    return form


def _companion(now_at: Standing, form: CompanionForm) -> Companion:
    """Raises InvalidInput naming the field."""
    if form.client_id is not None:
        if form.client_id == now_at.client_id:
            raise InvalidInput("who", _("Choose two different people."))
        if clients.client_of(current_user.id, form.client_id) is None:
            raise InvalidInput("who", _("Choose who comes with you."))
        return Companion(client_id=form.client_id)
    details, client, facts = form.details(), now_at.client, premises.clinic_facts()
    if client is not None and facts is not None:
        check_named(details, client, adult_age=facts.adult_age, today=kit.local_today())
    return Companion(details=details)


def _times(now_at: Standing, companion: Companion) -> Sequence[Time]:
    """The nearest to the time that is kept."""
    visit = now_at.visit
    first_day = max(kit.local_today(visit.location_id), visit.day - dt.timedelta(days=DAYS_BEFORE))
    found = times_for_two(
        Choice.of(now_at.checkout.choice), now_at.client_id, companion, first_day, DAYS,
        held_id=visit.id, now=clock.now(),
    )  # fmt: skip
    return _nearest(plain_times(found.starts(), visit.zone), visit.day, visit.local_time)


def _nearest(times: Sequence[Time], day: dt.date, at: dt.time) -> Sequence[Time]:
    """A few of the days nearest to that day, nearest to that time of the day; by time."""

    def away(one: Time) -> int:
        return abs((one.local.hour - at.hour) * 60 + one.local.minute - at.minute)

    by_day: dict[dt.date, list[Time]] = {}
    for one in times:
        by_day.setdefault(one.local.date(), []).append(one)
    days = sorted(by_day, key=lambda one: (abs((one - day).days), one))
    best = [one for each in days for one in sorted(by_day[each], key=away)[:A_DAY]][:IN_ALL]
    return sorted(best, key=lambda one: one.starts_at)


def _look_or_book(
    now_at: Standing,
    form: CompanionForm,
    companion: Companion,
    starts_at: dt.datetime,
    in_vain: tuple[Planned, Planned] | None = None,
) -> Answer:
    """Nothing is booked but what was looked at: for whom and with whom, what, where, how long, at what price.
    `in_vain`: what could not be booked a moment ago."""
    choice = Choice.of(now_at.checkout.choice)
    try:
        planned = both_as_planned(
            choice, now_at.client_id, companion, starts_at, held_id=now_at.visit.id, now=clock.now()
        )
    except InvalidInput:
        raise
    except RuleViolation as error:
        return _afresh(form, companion, error.sentence)
    if planned in (None, in_vain):
        return _afresh(form, companion, _(GONE))
    shown = [(one.therapist_id, kit.as_shown(one.plan)) for one in planned]
    who = now_at.client_id, form.name_of_companion
    seen = mark_of([starts_at, now_at.visit.location_id, who, shown, sorted(choice.areas)])
    if request.form.get("seen") == seen:
        return _book(now_at, form, companion, starts_at, planned)
    return _look(now_at, form, planned, starts_at, seen)


def _look(
    now_at: Standing, form: CompanionForm, planned: Sequence[Planned], starts_at: dt.datetime, seen: str
) -> Answer:
    """Everything about both on one page, before anything is booked."""
    visit = now_at.visit
    names = {one.id: one.name for one in therapists.active_therapists()}
    people = now_at.client.name if now_at.client else "", form.name_of_companion
    return render_template(
        "booking/book_couple_check.html",
        both=[
            (
                who,
                one.plan,
                names.get(one.therapist_id, ""),
                starts_at + dt.timedelta(minutes=one.plan.total_minutes),
            )
            for who, one in zip(people, planned, strict=True)
        ],
        starts_at=starts_at,
        start=moment_text(starts_at),
        day=starts_at.astimezone(ZoneInfo(visit.zone)).date(),
        total=sum(one.plan.price for one in planned),
        **kit.until_when_it_is_free(starts_at, visit.zone),
        seen=seen,
        has_changed="seen" in request.form,
        typed=[(name, request.form[name]) for name in form.data if name in request.form],
        **kit.flow(now_at),
    )


def _book(
    now_at: Standing,
    form: CompanionForm,
    companion: Companion,
    starts_at: dt.datetime,
    planned: tuple[Planned, Planned],
) -> Answer:
    client_id = now_at.client_id
    try:
        outcome = book_with(
            kit.token() or "", Choice.of(now_at.checkout.choice), client_id, companion, starts_at,
            looked_at=planned, user_id=current_user.id, now=clock.now(),
        )  # fmt: skip
    except InvalidInput as error:
        if error.field == "answers":
            flash(error.sentence, "care")
            return go("booking.checkout")
        raise
    except (SlotTaken, ChangedMeanwhile) as error:
        still = kit.standing()
        if (
            still is not None and still.step is Step.CHECK
        ):  # it may be had in another way, which is looked at first
            return _look_or_book(still, form, companion, starts_at, in_vain=planned)
        return _afresh(form, companion, _(GONE), error.nearest.starts if isinstance(error, SlotTaken) else ())
    except (BarredOnline, NotFound, HoldExpired) as error:
        return call_us(error, now_at.visit.location.phone)
    except RuleViolation as error:
        return _afresh(form, companion, error.sentence)
    return go("booking.done") if outcome.couple_id is not None else _afresh(form, companion, _(NOT_BOTH))


def _afresh(form: CompanionForm, companion: Companion, trouble: str, nearest: Sequence[Start] = ()) -> Answer:
    """Nothing was booked, and the time of the one who books is still kept."""
    now_at = kit.standing()
    if now_at is None:
        return go("booking.choose_service")
    if now_at.step is Step.DONE:  # pressed twice at the same moment
        return go("booking.done")
    times = plain_times(nearest, now_at.visit.zone) or _times(now_at, companion)
    return _page(now_at, form, times, trouble, 409)


def _page(
    now_at: Standing,
    form: CompanionForm,
    times: Sequence[Time] | None = None,
    trouble: str = "",
    status: int = 200,
) -> Answer:
    length: Any = words.length_words(now_at.plan.total_minutes)
    page = render_template(
        "booking/book_couple.html",
        form=form,
        new=NEW,
        trouble=trouble,
        slots=None if times is None else kit.slots(tuple(times), length, _("for both of you")),
        **kit.flow(now_at),
    )
    return page, status
