"""How a booking ended: booked, waiting, or not booked with the way on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from flask import redirect, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.queries import couples, fell_out, visits
from clinic.booking.queries.checkouts import Standing, Step
from clinic.booking.queries.companions import companion
from clinic.booking.services import calls, safe_online
from clinic.booking.services.checkout import Choice
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.calendar_file import calendar_file
from clinic.booking.views.checkout import call_us, with_booking
from clinic.booking.views.health_state import health_state
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.intake.queries.clearances import letters_of
from clinic.intake.services.letters import MOST_FILES
from clinic.premises import queries as premises
from clinic.rules.booking_policy import may_client_cancel, may_client_move
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.verdicts import ADDONS, Urgency
from clinic.rules.visit_status import VisitStatus
from clinic.rules.words import length_words
from clinic.shared import clock
from clinic.shared.fields import stripped
from clinic.shared.web import Answer

ENDED = (Step.DONE, Step.REFUSED)


@pages.get("/book/done", needs=Permission.SITE_ANY_READ)
@with_booking(*ENDED)
def done(now_at: Standing) -> Answer:
    """The result, read from the visit: a reload shows the same."""
    if now_at.step is Step.REFUSED:
        return _refused(now_at)
    status = visits.seen_as(now_at.visit)
    if status is VisitStatus.PENDING:
        return _waiting(now_at)
    return _booked(now_at, status)


def _booked(now_at: Standing, status: VisitStatus) -> str:
    visit, now, settings = now_at.visit, clock.now(), premises.booking_settings()
    manage = (now_at.checkout.details or {}).get("manage", "")
    return render_template(
        "booking/done.html",
        status=status,
        client=now_at.client,
        is_proven=now_at.is_signed_in,
        expect=catalogue.what_to_expect(now_at.plan),
        manage=manage,
        companion=companion(visit, who()),
        health=health_state(visit),
        answers_href=url_for("booking.my_health", client_id=visit.client_id) if now_at.is_signed_in else "",
        check_in_href=url_for("booking.check_in_by_link", token=manage) if manage else "",
        may_move=may_client_move(status, visit.starts_at, now=now, settings=settings),
        may_cancel=may_client_cancel(status, visit.starts_at, now=now, settings=settings),
        **kit.flow(now_at),
    )


def _times_from(choice: Choice, day: dt.date | None) -> str:
    """The free times from that day on, for the same wish."""
    return kit.times_url(replace(kit.wish_of(choice), not_before=day)) if day is not None else ""


def _waiting(now_at: Standing) -> str:
    later = possible_without_letter(now_at.visit, now_at.plan)
    return render_template(
        "booking/waiting.html",
        client=now_at.client,
        waiting_for=visits.told_wait(now_at.visit),
        companion=companion(now_at.visit, who()),
        is_proven=now_at.is_signed_in,
        their_answers=_answers_of_the_other(now_at.visit),
        reasons=reasons(now_at.visit, at_least=("clearance", "block")),
        later=later,
        later_href=_times_from(Choice.of(now_at.checkout.choice), later),
        manage=(now_at.checkout.details or {}).get("manage", ""),
        called=_is_called(now_at.visit.id),
        sent=letters_of(now_at.client.id) if now_at.client else [],
        most=MOST_FILES,
        **kit.flow(now_at),
    )


def _is_called(visit_id: int) -> bool:
    """Whether it was asked for, just now for another visit or before for this one."""
    return request.args.get("called") == "1" or visits.asks_for_call(visit_id)


def _answers_of_the_other(visit: Any) -> str:
    """Where the questions of whoever comes along lie, when this account may answer them."""
    partner, user_id = couples.partner_of(visit), who()
    if partner is None or partner.client_id is None or user_id is None:
        return ""
    if clients.client_of(user_id, partner.client_id) is None:
        return ""
    return url_for("booking.my_health", client_id=partner.client_id)


def _refused(now_at: Standing) -> str:
    visit, client, now = now_at.visit, now_at.client, clock.now()
    choice = Choice.of(now_at.checkout.choice)
    stopped = is_stopped(visit)
    found = []
    if client is not None and not stopped:
        found = safe_online.safe_instead(
            visit, client, choice, first_day=premises.today(now, visit.zone), now=now
        )
    later = (
        safe_online.possible_from(visit, client, now_at.plan) if client is not None and not stopped else None
    )
    return render_template(
        "booking/refused.html",
        client=client,
        stopped=stopped,
        reasons=[] if stopped else reasons(visit, at_least=("block",)),
        safe=[_card(one) for one in found],
        with_letter=_with_letter(now_at) if not found and not stopped else [],
        later=later,
        later_href=_times_from(choice, later),
        called=_is_called(visit.id),
        **kit.flow(now_at),
    )


def _with_letter(now_at: Standing) -> list[tuple[str, str]]:
    """What may be had with a clinician's letter, and where its times are."""
    if now_at.client is None:
        return []
    found = safe_online.with_letter(now_at.visit, now_at.client, Choice.of(now_at.checkout.choice))
    return [(_(service.name), kit.times_url(kit.wish_of(option))) for service, option in found]


def _card(one: safe_online.Safe) -> dict[str, Any]:
    """A safe treatment with buttons that keep everything else that was chosen."""
    wish = kit.wish_of(one.choice)
    return {
        "service": one.service,
        "plan": one.plan,
        "slots": kit.slots(one.times, length_words(one.plan.total_minutes), _(one.plan.name)),
        "action": url_for("booking.hold", service=wish.service),
        "fields": wish,
        "href": kit.times_url(wish),
    }


@dataclass(frozen=True)
class Instead:
    """What a client whose visit was cancelled by a new judgement may be offered: nothing while it is urgent."""

    urgent: bool
    safe: list[dict[str, Any]]


def instead_of(visit: Any) -> Instead | None:
    """The way on after a visit was cancelled by a new judgement; None where that was not so, or its day is over."""
    if (
        visit.client is None
        or not is_judged_out(visit)
        or visit.day < premises.today(clock.now(), visit.zone)
    ):
        return None
    return way_on(visit)


def way_on(visit: Any) -> Instead:
    """What is safe for the client of a visit that was judged not to be."""
    if is_stopped(visit) or is_urgent(visit):
        return Instead(urgent=True, safe=[])
    therapist_id = None if visit.any_therapist else visit.therapist_id
    choice = Choice(
        visit.service.key, visit.minutes, visit.mode, tuple(visit.addons), tuple(visit.areas), therapist_id,
        gender=visit.asked_gender,
    )  # fmt: skip
    found = safe_online.safe_instead(
        visit, visit.client, choice, first_day=premises.today(clock.now(), visit.zone), now=clock.now()
    )
    return Instead(urgent=False, safe=[_card(one) for one in found])


def is_judged_out(visit: Any) -> bool:
    """Whether a new judgement cancelled it, and neither the client nor the clinic."""
    steps = visits.history(visit.id) if visit.status == VisitStatus.CANCELLED else []
    return bool(steps) and steps[-1].reason in fell_out.REASONS


def is_urgent(visit: Any) -> bool:
    """Whether the judgement that stands says to see a doctor first."""
    row = visits.newest_screening(visit.id)
    return row is not None and row.urgency != Urgency.NONE.word


def reasons(visit: Any, *, at_least: tuple[str, ...]) -> list[dict[str, Any]]:
    """What speaks against the treatment by the person's own answers, in the words of the judgement, each rule once.

    Nothing of what other records say, and nothing about add-ons, which come off by themselves.
    """
    row = visits.newest_screening(visit.id)
    if row is None:
        return []
    against = [
        one for one in row.findings["own"] if one["verdict"] in at_least and one["column"] not in ADDONS
    ]
    return list({one["rule"]: one for one in against}.values())


def possible_without_letter(visit: Any, plan: VisitPlan) -> dt.date | None:
    """From when on a visit that waits for a letter could be booked without one."""
    if visit.client is None or visit.waiting_for != "clearance":
        return None
    return safe_online.possible_from(visit, visit.client, plan)


def is_stopped(visit: Any) -> bool:
    """Whether an earlier warning sign, not this treatment, stood against the visit."""
    row = visits.newest_screening(visit.id)
    return row is not None and bool(row.findings["stopped"])


@pages.get("/book/visit.ics", needs=Permission.SITE_ANY_READ)
@with_booking(Step.DONE)
def booked_file(now_at: Standing) -> Answer:
    """The calendar file of the visit that was just booked."""
    return calendar_file(now_at.visit)


@pages.post("/book/call", needs=Permission.SITE_ANY_READ)
@with_booking(Step.REFUSED, Step.DONE, Step.STOPPED)
def call_me(now_at: Standing) -> Answer:
    """ "Please call me": the request reaches the desk."""
    client = now_at.client
    try:
        calls.ask_for_call(
            client_id=client.id if client else None,
            visit_id=now_at.visit.id,
            phone=stripped(request.form.get("phone")) or (client.phone if client else "") or "",
            about="letter" if now_at.visit.waiting_for == "clearance" else "booking",
            now=clock.now(),
        )
    except InvalidInput as error:
        return call_us(error, now_at.visit.location.phone)
    end = "booking.stopped" if now_at.step is Step.STOPPED else "booking.done"
    return redirect(url_for(end, called="1"), 303)
