"""See, move and cancel one booked visit: the same pages behind the mailed link and behind the own account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for

from clinic.booking.forms.aim import AimForm
from clinic.booking.forms.choice import day_of, moment_of, moment_text, whole_number
from clinic.booking.queries import couples, free_times, visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.companions import asked_along_by, companion, has_asked_by_mail
from clinic.booking.queries.free_times import Time
from clinic.booking.queries.visits import plan_of
from clinic.booking.services.couple_changes import go_on_alone
from clinic.booking.services.offering import days_it_could_not_stand
from clinic.booking.services.visits import cancel_visit, change_visit
from clinic.booking.views import client_kit as kit
from clinic.booking.views.client_kit import Slot
from clinic.booking.views.health_state import check_in_of, health_state
from clinic.booking.views.result import instead_of, is_stopped, possible_without_letter, reasons
from clinic.booking.views.strip import strip_of
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.intake.queries.clearances import letters_of
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.booking_policy import (
    check_client_may_cancel,
    check_client_may_move,
    may_client_cancel,
    may_client_move,
)
from clinic.rules.errors import CancelTooLate, MoveNotAllowed, RuleViolation, SlotTaken
from clinic.rules.language import _
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.rules.wall_time import dates_from
from clinic.shared import clock
from clinic.shared.web import Answer
from clinic.therapists import queries as therapists

MOST_NAMED = 3


@dataclass(frozen=True)
class Door:
    """One visit, who acts, and where its pages lie. `shows_reasons`: only to the signed-in person themselves."""

    visit: Any
    by: int | None
    home: str
    move: str
    cancel: str
    file: str
    letter: str
    check_in: str
    shows_reasons: bool = False
    again: str = ""
    """Free times for the same once more, where the account may book them."""
    health: str = ""
    """The health questions, where the visit waits for the first answers and this link may give them."""
    has_begun: bool = False
    """Whether some of them are answered already."""
    aim: str = ""
    """Where the client themselves write what the visit is for."""
    alone: str = ""
    """To say that the client comes alone, where the other visit of two fell away."""


def show(door: Door, status_code: int = 200, sentence: str = "", form: AimForm | None = None) -> Answer:
    """The visit, with what can be done about it."""
    visit, now, settings = door.visit, clock.now(), premises.booking_settings()
    status = visits.seen_as(visit)
    instead = instead_of(visit)
    page = render_template(
        "booking/visit.html",
        door=door,
        visit=visit,
        waiting_for=visits.told_wait(visit),
        plan=plan_of(visit),
        status=status,
        is_coming=status in UPCOMING,
        check_in=check_in_of(visit, now),
        health=health_state(visit),
        answers_href=door.health or (door.by and url_for("booking.my_health", client_id=visit.client_id)),
        check_in_href=door.check_in,
        **kit.until_when_it_is_free(visit.starts_at, visit.zone),
        may_move=visit.couple_id is None
        and may_client_move(status, visit.starts_at, now=now, settings=settings),
        may_cancel=may_client_cancel(status, visit.starts_at, now=now, settings=settings),
        reasons=reasons(visit, at_least=("clearance", "block")) if _explains(door, status) else [],
        service=catalogue.service(visit.service_id),
        later=possible_without_letter(visit, plan_of(visit)),
        instead=instead,
        again=door.again or _again(door) if instead is None else "",
        paper=next(iter(letters_of(visit.client_id)), None) if visit.waiting_for == "clearance" else None,
        companion=companion(visit, door.by),
        moved_to=visits.moved_to(visit),
        asked_by=_asked_by(door),
        is_other_asked=has_asked_by_mail(visit),
        theirs=_theirs(door),
        sentence=sentence,
        form=form or AimForm(data={"aim": visit.note or ""}),
    )
    return (page, status_code) if status_code != 200 else page


def _asked_by(door: Door) -> str:
    """Who asked this client along, where only they themselves read it: behind their mailed link."""
    return asked_along_by(door.visit) if door.by is None else ""


def _theirs(door: Door) -> str:
    """The other visit of two, where this account may open it."""
    other = couples.partner_of(door.visit)
    if door.by is None or other is None or visits.own_visit(door.by, other.id) is None:
        return ""
    return url_for("booking.my_visit", visit_id=other.id)


def _again(door: Door) -> str:
    """The free times for the same once more; who holds only a link is asked again whom it is for."""
    if door.visit.client is None or not door.visit.service.is_active:
        return ""
    wish = kit.same_again(door.visit)
    return kit.times_url(wish if door.by is not None else replace(wish, person_id=None))


def _explains(door: Door, status: VisitStatus) -> bool:
    waits = status in (VisitStatus.PENDING, VisitStatus.SUSPENDED)
    return door.shows_reasons and waits and not is_stopped(door.visit)


def show_move(door: Door, taken: SlotTaken | None = None) -> Answer:
    """Free times for the same visit."""
    visit, now, settings = door.visit, clock.now(), premises.booking_settings()
    if visit.couple_id is not None:
        return show(door, 409, _("A visit for two cannot be moved online. Please call us."))
    try:
        check_client_may_move(visits.seen_as(visit), visit.starts_at, now=now, settings=settings)
    except MoveNotAllowed as error:
        return show(door, 409, error.sentence)
    except CancelTooLate:
        return show(door, 409, _("This visit cannot be moved online any more. Please call us."))
    plan = plan_of(visit)
    here = premises.today(now, visit.zone)
    today = max(here, day_of(request.args.get("from")) or here)
    wanted = day_of(request.args.get("day"))
    first = today
    if wanted is not None and wanted >= today + dt.timedelta(days=free_times.DAYS_SHOWN):
        ahead = (wanted - today).days
        first = today + dt.timedelta(days=ahead - ahead % free_times.DAYS_SHOWN)
    ask = _ask_of(visit, plan, first, free_times.DAYS_SHOWN)
    not_then = days_it_could_not_stand(visit, plan, dates_from(first, ask.days))
    every = free_times.window(ask, without=not_then)
    free = every.without(visit.starts_at)
    day = wanted if wanted is not None and free.free_on(wanted) else free.first_free_day
    length = words.length_words(plan.total_minutes)
    wish = kit.same_again(visit)
    whom = _who_gives_it(visit, kit.with_whom(wish, [visit.therapist])[1])
    nearest = free_times.plain_times(taken.nearest.starts, visit.zone) if taken is not None else ()
    page = render_template(
        "booking/move.html",
        door=door, visit=visit, plan=plan, taken=taken, day=day,
        soon=kit.slots(nearest or free.soonest, length, whom), is_soonest=bool(nearest) or first == today,
        soon_title=_("Nearest free times") if nearest else _("Soonest"),
        strip=strip_of(free, day, lambda one: f"{door.move}?day={one.isoformat()}"),
        parts=_with_now(kit.parts_of_day(every.on(day), length, whom), visit) if day else [],
        free_that_day=free.free_on(day) if day else 0,
        earlier=door.move if first > today else "",
        further=f"{door.move}?day={(free.days[-1] + dt.timedelta(days=1)).isoformat()}",
        zone=words.zone_words(visit.zone), left_out=free.left_out, has_closed_days=bool(not_then),
    )  # fmt: skip
    return (page, 409) if taken is not None else page


def _who_gives_it(visit: Any, otherwise: str) -> Callable[[Time], str]:
    """Whoever has it gives it at the new time as well, where they are free then."""
    own = _("with %(name)s", name=visit.therapist.name)
    return lambda one: own if visit.therapist_id in one.therapists else otherwise


def _with_now(parts: list[dict[str, Any]], visit: Any) -> list[dict[str, Any]]:
    """The time that the visit has is told apart, and cannot be chosen."""
    own, now = moment_text(visit.starts_at), _("your time now")

    def told(one: Slot) -> Slot:
        return replace(one, value="", note=now, label=f"{one.label}, {now}") if one.value == own else one

    return [{**part, "slots": [told(one) for one in part["slots"]]} for part in parts]


def _ask_of(visit: Any, plan: VisitPlan, first_day: dt.date, days: int) -> Ask:
    """The same visit in these days."""
    return Ask(
        plan=plan, location_id=visit.location_id, first_day=first_day, days=days, now=clock.now(),
        therapist_id=None if visit.any_therapist else visit.therapist_id, client_id=visit.client_id,
        instead_of=visit.id, stands=True, rested_areas=tuple(visit.areas), gender=visit.asked_gender,
    )  # fmt: skip


def take_move(door: Door) -> Answer:
    """Ask whether the chosen time is right; then move it there, when the gate lets it stand there."""
    starts_at = moment_of(request.form.get("slot"))
    if starts_at is None:
        flash(_("Choose one of the times."), "care")
        return redirect(door.move, 303)
    if starts_at == door.visit.starts_at:
        return redirect(door.home, 303)
    if "sure" not in request.form:
        return _ask_whether_right(door, starts_at)
    return _move(door, starts_at)


def _move(door: Door, starts_at: dt.datetime) -> Answer:
    visit = door.visit
    try:
        outcome = change_visit(
            visit.id,
            revision=whole_number(request.form.get("revision")) or 0,
            starts_at=starts_at,
            by=door.by,
            by_client=True,
            now=clock.now(),
        )
    except SlotTaken as error:
        return show_move(door, error)
    except RuleViolation as error:
        return show(door, 409, error.sentence)
    if outcome.visit_id is None:
        return show(
            door, 409, _("We cannot move this visit to that time online. It stays as it is. Please call us.")
        )
    flash(_("Your visit is moved. This is how it stands now."), "success")
    return redirect(door.home, 303)


def _ask_whether_right(door: Door, starts_at: dt.datetime) -> Answer:
    """A finger slips easily on a phone, and what lies near cannot be moved back."""
    status = visits.seen_as(door.visit)
    stays_free = may_client_move(status, starts_at, now=clock.now(), settings=premises.booking_settings())
    return render_template(
        "booking/move_check.html", door=door, visit=door.visit, starts_at=starts_at, is_near=not stays_free,
        others=_others_at(door.visit, starts_at),
        slot=request.form["slot"], revision=whole_number(request.form.get("revision")) or 0,
    )  # fmt: skip


def _others_at(visit: Any, starts_at: dt.datetime) -> str:
    """By whom it would be given then, in words, where whoever has it is not free; empty where they are."""
    if not visit.any_therapist:
        return ""
    day = starts_at.astimezone(ZoneInfo(visit.zone)).date()
    times = free_times.window(_ask_of(visit, plan_of(visit), day, 1)).times
    free = next((one.therapists for one in times if one.starts_at == starts_at), ())
    if visit.therapist_id in free:
        return ""
    names = [one.name for one in therapists.active_therapists() if one.id in free]
    return words.join_words(names, "or") if len(names) <= MOST_NAMED else _("somebody else")


def take_alone(door: Door) -> Answer:
    """The other visit of two fell away, and this client comes without it."""
    try:
        go_on_alone(door.visit.id, by=door.by, now=clock.now())
    except RuleViolation as error:
        return show(door, 409, error.sentence)
    flash(_("Thank you. This is how your visit stands now."), "success")
    return redirect(door.home, 303)


def take_cancel(door: Door) -> Answer:
    """Ask whether it is meant where no dialog has; then cancel it. Pressed twice it is cancelled once."""
    seen = whole_number(request.form.get("revision"))
    try:
        if "sure" not in request.form:
            return _ask_whether_to_cancel(door)
        status = cancel_visit(
            door.visit.id, by=door.by, by_clinic=False, by_client=True, now=clock.now(), seen=seen
        )
    except RuleViolation as error:
        return show(door, 409, error.sentence)
    if status == VisitStatus.LATE_CANCELLED:  # by the desk, while this page was open
        flash(_("Your visit is cancelled."), "info")
    else:
        flash(_("Your visit is cancelled. It costs you nothing."), "success")
    return redirect(door.home, 303)


def _ask_whether_to_cancel(door: Door) -> Answer:
    """The same question as in the dialog, for a browser without JavaScript."""
    visit = door.visit
    check_client_may_cancel(
        visits.seen_as(visit), visit.starts_at, now=clock.now(), settings=premises.booking_settings()
    )
    return render_template(
        "booking/cancel_check.html", visits=[visit], shown_as=("revision", visit.revision),
        has_changed=False, action=door.cancel, home=door.home,
        companion=companion(visit, door.by), asked_by=_asked_by(door),
        title=_("Cancel this visit?"), button=_("Cancel my visit"),
        keep=_("Keep my visit"), back=_("Back to your visit"),
    )  # fmt: skip
