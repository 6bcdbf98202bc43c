"""The waitlist at the desk: who waits, which times are kept for whom and until when, and adding somebody."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.waitlist import DeskWishForm
from clinic.booking.queries import changes, waitlist
from clinic.booking.services import answering
from clinic.booking.services import waitlist as services
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import (
    HoldExpired,
    InvalidInput,
    MoveNotAllowed,
    NotFound,
    RuleViolation,
    SlotTaken,
)
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.rules.waitlist import words_of
from clinic.shared import clock
from clinic.shared.fields import choose, stripped
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer, Asks, found, go

NEED = Permission.VISIT_ANY_WRITE
USUAL_DAYS = 14


@pages.get("/desk/waitlist", needs=NEED)
def desk_waitlist() -> Answer:
    """Times that are kept, the first to run out at the top; and everybody in line. It keeps itself up to date."""
    return live_page(changes.list_mark(clock.now()), "booking/desk_waitlist.html", _list)


def _list() -> dict[str, Any]:
    wishes = waitlist.open_wishes()
    people, ids = {one.client_id for one in wishes}, [one.id for one in wishes]
    return {
        "offers": waitlist.open_offers(),
        "wishes": [(one, words_of(waitlist.when_of(one))) for one in wishes],
        "offered": waitlist.offers_of_wishes(ids),
        "last_answers": waitlist.last_answers(ids),
        "unanswered": people - intake.who_signed(people),
    }


@pages.get("/desk/waitlist/new", needs=NEED)
def desk_new_wish() -> Answer:
    """Find the client, then say what and when."""
    today = premises.today(clock.now())
    last = today + dt.timedelta(days=USUAL_DAYS)
    return _form_page(DeskWishForm(data={"first_day": today, "last_day": last}))


@pages.post("/desk/waitlist/new", needs=NEED)
def desk_add_wish() -> Answer:
    """Put the client on the list."""
    client = clients.client(whole_number(request.args.get("client")) or 0)
    form = DeskWishForm(request.form)
    kit.with_choices(form)
    if client is None:
        return go("booking.desk_new_wish")
    right, choice = form.validate(), kit.choice_of(form)
    if form.place_id is not None:
        premises.place_in_use(form.place_id)
    if form.parts is None:
        form.what.errors = [_("Choose a service and a length.")]
    if not right or choice is None:
        return _form_page(form), 422
    try:
        choice = replace(choice, location_id=form.place_id)
        services.join(choice, form.when(), client.id, source="desk", by=who(), now=clock.now())
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _form_page(form), 422
    flash(_("%(name)s is on the waitlist.", name=client.name), "success")
    return go("booking.desk_waitlist")


def _form_page(form: DeskWishForm) -> str:
    kit.with_choices(form)
    choose(form.place, [(one.id, one.name) for one in premises.places()])
    q = stripped(request.args.get("q")) or ""
    client = clients.client(whole_number(request.args.get("client")) or 0)
    people, has_more = kit.people_found(q if client is None else None)
    return render_template(
        "booking/desk_waitlist_new.html",
        form=form,
        client=client,
        q=q,
        people=people,
        has_more=has_more,
        area_groups=kit.area_groups(),
    )


def _asks_to_withdraw(wish_id: int) -> Asks | None:
    wish = waitlist.wish(wish_id)
    if wish is None or wish.ended_at is not None:
        return None
    return Asks(
        N_("Take this wish off the list?"),
        N_("Take off the list"),
        "booking.desk_waitlist",
        N_("Their place in line is lost. A time that is kept for them goes to the next in line."),
        wish.client.name,
    )


@pages.post("/desk/waitlist/<int:wish_id>/withdraw", needs=NEED, asks=_asks_to_withdraw)
def desk_withdraw_wish(wish_id: int) -> Answer:
    """Off the list; what was offered goes to the next."""
    try:
        services.withdraw(wish_id, by=who(), now=clock.now())
    except NotFound as error:
        flash(error.sentence, "care")
    else:
        flash(_("Taken off the list."), "success")
    return go("booking.desk_waitlist")


@pages.post("/desk/waitlist/<int:wish_id>/offer", needs=NEED)
def desk_offer_now(wish_id: int) -> Answer:
    """Offer the soonest time that fits, whoever else is in line."""
    try:
        services.offer_now(wish_id, by=who() or 0, now=clock.now())
    except (NotFound, SlotTaken) as error:
        flash(error.sentence, "care")
    else:
        flash(_("A time is kept for them, and they are told."), "success")
    return go("booking.desk_waitlist")


@pages.post("/desk/offers/<int:offer_id>/accept", needs=NEED)
def desk_accept_offer(offer_id: int) -> Answer:
    """They said yes, on the telephone or at the desk."""
    name = found(waitlist.offer(offer_id)).visit.client.name
    try:
        answered = answering.accept(offer_id, by=who(), now=clock.now())
    except RuleViolation as error:
        flash(_("%(name)s: %(said)s", name=name, said=_at_desk(error)), "care")
        return _back()
    if answered.status is VisitStatus.CONFIRMED:
        flash(_("%(name)s: %(said)s", name=name, said=_("Booked and confirmed.")), "success")
        return _back()
    flash(_("The time is kept. The visit is not confirmed yet: see what is still needed."), "care")
    return go("booking.desk_visit", visit_id=answered.visit_id)


def _back() -> Answer:
    """To where the button stood: the work of a therapist who cannot work, or the list."""
    therapist_id = whole_number(request.form.get("of"))
    if therapist_id is not None:
        return go("booking.desk_sick_visits", therapist_id=therapist_id)
    return go("booking.desk_waitlist")


def _at_desk(error: RuleViolation) -> str:
    """What is said to the client in other words: whoever reads it has the client on the telephone."""
    if isinstance(error, HoldExpired):
        return _("This offer has been answered, or has run out. Look at the list again.")
    if isinstance(error, MoveNotAllowed):
        return _("This time cannot be booked with their health answers. Their card says what is next.")
    return error.sentence


def _about(offer_id: int) -> str | None:
    """Whose time it is and when; None where the offer is over, so that the deed says so."""
    offer = found(waitlist.offer(offer_id))
    if not waitlist.still_stands(offer, clock.now()):
        return None
    zone, hours = offer.visit.zone, premises.clinic().uses_24_hours
    return f"{offer.visit.client.name}, {words.moment_words(offer.starts_at, zone, uses_24_hours=hours)}"


def _asks_to_decline(offer_id: int) -> Asks | None:
    about, follows = _about(offer_id), N_("The time goes to the next in line.")
    question = N_("Did the client say no?")
    deed = N_("Client says no")
    return Asks(question, deed, "booking.desk_waitlist", follows, about) if about else None


@pages.post("/desk/offers/<int:offer_id>/decline", needs=NEED, asks=_asks_to_decline)
def desk_decline_offer(offer_id: int) -> Answer:
    """They said no: the next in line is asked, and the wish or the visit stays."""
    name = found(waitlist.offer(offer_id)).visit.client.name
    try:
        answering.decline(offer_id, by=who(), now=clock.now())
    except HoldExpired as error:
        flash(_("%(name)s: %(said)s", name=name, said=_at_desk(error)), "care")
    else:
        flash(_("%(name)s said no. The time goes to the next in line.", name=name), "success")
    return _back()


def _asks_to_end(offer_id: int) -> Asks | None:
    about, follows = _about(offer_id), N_("The offer ends. The time is free for you to give then.")
    question, deed = N_("Give this time to somebody else?"), N_("Give this time to somebody else")
    return Asks(question, deed, "booking.desk_waitlist", follows, about) if about else None


@pages.post("/desk/offers/<int:offer_id>/end", needs=NEED, asks=_asks_to_end)
def desk_end_offer(offer_id: int) -> Answer:
    """Take the time back and book it for somebody else."""
    offer = found(waitlist.offer(offer_id))
    what, zone, place = kit.what_of(offer.visit), offer.visit.zone, offer.visit.location_id
    try:
        starts_at = services.give_to_somebody_else(offer_id, by=who() or 0, now=clock.now())
    except (NotFound, MoveNotAllowed) as error:
        flash(error.sentence, "care")
        return go("booking.desk_waitlist")
    local = starts_at.astimezone(ZoneInfo(zone))
    flash(_("The time is yours to give for 15 minutes. After that the next in line is asked."), "info")
    return go("booking.desk_new", day=local.date(), at=local.strftime("%H:%M"), what=what, place=place)
