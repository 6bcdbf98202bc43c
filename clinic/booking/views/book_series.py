"""A client books a series online: from the time that is kept, each date is looked at first, then all or none."""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, render_template, request
from flask_login import current_user

from clinic.booking.forms.together import OwnSeriesForm
from clinic.booking.queries import series as reading
from clinic.booking.queries import visits
from clinic.booking.queries.checkouts import Standing, Step
from clinic.booking.services.checkout import Choice
from clinic.booking.services.series import book_series
from clinic.booking.services.series_plan import plan_series, plan_starts
from clinic.booking.services.series_starts import ONLINE, OneStart, Planned
from clinic.booking.views import client_kit as kit
from clinic.booking.views import series_dates
from clinic.booking.views.blueprint import pages
from clinic.booking.views.checkout import ahead, call_us, with_booking
from clinic.rules.errors import BarredOnline, HoldExpired, InvalidInput, RuleViolation, SlotTaken
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.series import Pattern
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, go
from clinic.therapists import queries as therapists

NEED = Permission.VISIT_OWN_WRITE
GONE = N_("One of these times has just been taken. Nothing is booked: look at the dates again.")
NOT_ALL = N_("Not all of these can be booked. Nothing is booked yet.")


@pages.get("/book/series", needs=NEED)
@with_booking(Step.CHECK)
def ask_series(now_at: Standing) -> Answer:
    """How often, and how many visits."""
    if not kit.may_book_several(now_at):
        return call_us(BarredOnline(), now_at.visit.location.phone)
    return _page(now_at, OwnSeriesForm())


@pages.post("/book/series", needs=NEED)
@with_booking(Step.CHECK, Step.DONE)
def take_series(now_at: Standing) -> Answer:
    """Show each date, or book those that were chosen (`book`)."""
    if now_at.step is Step.DONE:
        return _booked(now_at)
    if not kit.may_book_several(now_at):
        return call_us(BarredOnline(), now_at.visit.location.phone)
    kit.renew()
    form = OwnSeriesForm(request.form)
    if not form.validate():
        return _page(now_at, form, status=422)
    try:
        if request.form.get("book"):
            return _book(now_at, form)
        return _page(now_at, form, plan=_plan(now_at, form))
    except InvalidInput as error:
        return _wrong(now_at, form, error)


def _booked(now_at: Standing) -> Answer:
    """The whole series, also after a double click."""
    series_id = now_at.visit.series_id
    return go("booking.my_series", series_id=series_id) if series_id else go("booking.done")


def _seen(now_at: Standing) -> str:
    """What the page says of each visit beside its date: another tab, or the owner, may have changed it since."""
    choice = Choice.of(now_at.checkout.choice)
    return mark_of(
        [now_at.client_id, now_at.visit.location_id, kit.as_shown(now_at.plan), sorted(choice.areas)]
    )


def _pattern(now_at: Standing, form: OwnSeriesForm) -> Pattern:
    visit = now_at.visit
    return Pattern(visit.day, visit.local_time, int(form.every.data), count=form.count.data, fold=visit.fold)


def _plan(now_at: Standing, form: OwnSeriesForm) -> list[Planned]:
    return plan_series(
        Choice.of(now_at.checkout.choice), now_at.client_id, _pattern(now_at, form), source=ONLINE,
        now=clock.now(), instead_of=now_at.visit.id,
    )  # fmt: skip


def _wrong(now_at: Standing, form: OwnSeriesForm, error: InvalidInput) -> Answer:
    if error.field not in ("count", "starts"):
        flash(error.sentence, "care")
        return ahead(kit.standing() or now_at)
    form.count.errors = [error.sentence]
    return _page(now_at, form, status=422)


def _book(now_at: Standing, form: OwnSeriesForm) -> Answer:
    starts, choice, now = series_dates.picked(), Choice.of(now_at.checkout.choice), clock.now()
    client_id, visit_id = now_at.client_id, now_at.visit.id
    if request.form.get("seen") != _seen(now_at):
        return _afresh(form, starts, _(kit.CHANGED))
    try:
        outcome = book_series(
            choice, client_id, starts, every_weeks=int(form.every.data), request_key=f"hold-{visit_id}",
            source=ONLINE, by=current_user.id, now=now, checkout=kit.token(),
        )  # fmt: skip
    except InvalidInput:
        raise
    except (HoldExpired, BarredOnline) as error:
        return call_us(error, now_at.visit.location.phone)
    except RuleViolation as error:
        return _afresh(form, starts, _(GONE) if isinstance(error, SlotTaken) else error.sentence)
    if outcome.series_id is None:
        return _afresh(form, starts, _(NOT_ALL))
    seen = {visits.seen_as(one) for one in reading.visits_of_series(outcome.series_id)}
    if seen == {VisitStatus.CONFIRMED}:
        flash(_("Your series is booked. We send you an e-mail with all the dates."), "success")
    else:
        flash(_("The times are kept. Not every visit is confirmed yet: see below what is next."), "care")
    return go("booking.my_series", series_id=outcome.series_id)


def _afresh(form: OwnSeriesForm, starts: Sequence[OneStart], trouble: str) -> Answer:
    """None was booked: the starts that were wanted, as they stand now."""
    now_at = kit.standing()
    if now_at is None:
        return go("booking.choose_service")
    plan = plan_starts(
        Choice.of(now_at.checkout.choice), now_at.client_id, starts, source=ONLINE, now=clock.now(),
        instead_of=now_at.visit.id,
    )  # fmt: skip
    return _page(now_at, form, plan=plan, trouble=trouble, status=409)


def _page(
    now_at: Standing,
    form: OwnSeriesForm,
    *,
    plan: Sequence[Planned] = (),
    trouble: str = "",
    status: int = 200,
) -> Answer:
    choice, visit = Choice.of(now_at.checkout.choice), now_at.visit
    door = series_dates.Door(
        zone=visit.zone,
        names={one.id: one.name for one in therapists.active_therapists()},
        wanted=choice.therapist_id,
        addons=dict(zip(now_at.plan.addon_columns, now_at.plan.addon_names, strict=True)),
    )
    page = render_template(
        "booking/book_series.html",
        form=form,
        trouble=trouble,
        seen=_seen(now_at),
        dates=[series_dates.question(one, door) for one in plan],
        fitting=sum(one.fits for one in plan),
        too_far=sum(one.code == "too_late" and not one.alternatives for one in plan),
        **kit.flow(now_at),
    )
    return page, status
