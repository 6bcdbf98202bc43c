"""The waitlist for clients: joining it, a wish's own page, the offer of a time. A link's key is the permission."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from clinic.accounts.access import origin, who
from clinic.accounts.tries import TooManyTries
from clinic.booking.forms.choice import Wish, read_wish, whole_number
from clinic.booking.forms.waitlist import JoinForm, WhenForm
from clinic.booking.queries import waitlist
from clinic.booking.services import answering
from clinic.booking.services import waitlist as services
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.checkout import call_us
from clinic.booking.views.result import is_stopped, reasons, way_on
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import BarredOnline, InvalidInput, NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.rules.waitlist import words_of
from clinic.shared import clock
from clinic.shared.web import Answer, Asks, found, go

SITE, OWN = Permission.SITE_ANY_READ, Permission.VISIT_OWN_WRITE
USUAL_DAYS = 14
REFUSED = "not_possible"
NEXT_IS_ASKED = N_("The next person is asked. You stay on the list.")
WE_CALL = N_("We call you and find another way.")


@pages.get("/book/<service>/wait", needs=SITE)
def ask_to_wait(service: str) -> Answer:
    """When could you come, and who is it for?"""
    wish = read_wish(service, request.args)
    plan = _plan(wish)
    if plan is None:
        return redirect(kit.options_url(wish), 303)
    today = kit.local_today(wish.location_id)
    first = max(wish.day or today, today)
    typed = {"first_day": first, "last_day": first + dt.timedelta(days=USUAL_DAYS)}
    return _join_page(wish, plan, _form_class()(data=typed))


@pages.post("/book/<service>/wait", needs=SITE)
def join_waitlist(service: str) -> Answer:
    """Put them on the list."""
    wish = read_wish(service, request.form)
    plan, form = _plan(wish), _form_class()(request.form)
    if plan is None:
        return redirect(kit.options_url(wish), 303)
    if isinstance(form, JoinForm):
        form.region = premises.clinic().phone_region
    right = form.validate()
    if isinstance(form, JoinForm):
        right = not form.needs_guardian(premises.clinic().adult_age, kit.local_today()) and right
    if not right:
        return _join_page(wish, plan, form), 422
    try:
        token = _join(wish, form)
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _join_page(wish, plan, form), 422
    except TooManyTries as error:
        form.add_error("email", error.sentence)
        return _join_page(wish, plan, form), 429
    except BarredOnline as error:
        return call_us(error, kit.place_of(wish).phone)
    except NotFound:
        abort(404)
    flash(_("You are on the list. We keep a time for you and write to you when one comes free."), "success")
    return go("booking.wish_by_link", token=token)


def _form_class() -> type[WhenForm]:
    return WhenForm if who() is not None else JoinForm


def _plan(wish: Wish) -> VisitPlan | None:
    found(catalogue.service_by_key(wish.service))
    if wish.minutes is None or not wish.areas:
        return None
    return catalogue.plan_for(wish.service, wish.mode, wish.addons, wish.minutes, first_visit=False)


def _join(wish: Wish, form: WhenForm) -> str:
    choice, now = kit.choice_of(wish), clock.now()
    if isinstance(form, JoinForm):
        return services.join_as(
            choice,
            form.when(),
            form.details(),
            relation=form.relation.data or "self",
            origin=origin(),
            now=now,
        )[1]
    client_id = whole_number(request.form.get("person"))
    if client_id is None:
        raise InvalidInput("person", _("Choose who this is for."))
    client = clients.client_of(current_user.id, client_id)
    if client is None:
        raise NotFound()
    return services.join(choice, form.when(), client.id, source="online", by=current_user.id, now=now)[1]


def _join_page(wish: Wish, plan: VisitPlan, form: WhenForm) -> str:
    user_id, here = who(), url_for("booking.ask_to_wait", service=wish.service, **wish.query())
    return render_template(
        "booking/waitlist_join.html",
        wish=wish,
        plan=plan,
        form=form,
        is_known=user_id is not None,
        people=clients.people_of(user_id) if user_id is not None else [],
        chosen=whole_number(request.form.get("person")),
        add_person=url_for("booking.add_person", next=here),
        sign_in=url_for("accounts.sign_in", next=here),
        adult_age=premises.clinic().adult_age,
        back=kit.times_url(wish),
    )


@pages.get("/waiting/<token>", needs=SITE)
def wish_by_link(token: str) -> Answer:
    """The wish: what, when, since when; and a way off the list."""
    now = clock.now()
    wish = found(waitlist.wish_by_key(token, now))
    offer = waitlist.offers_of_wishes([wish.id]).get(wish.id)
    return render_template(
        "booking/waitlist_wish.html",
        wish=wish,
        when=words_of(waitlist.when_of(wish)),
        offer=offer if offer is not None and offer.expires_at > now else None,
        withdraw=url_for("booking.withdraw_by_link", token=token),
        # Without them nobody is ever offered a time: in the mail alone it is too easily missed.
        answer_first=_way_to_answer(wish.client_id) if intake.newest(wish.client_id) is None else "",
    )


def _way_to_answer(client_id: int) -> str:
    """The health questions of this person, by way of the sign-in where it is still needed."""
    user_id = who()
    if user_id is None:
        return url_for("accounts.sign_in", next=url_for("booking.my_visits"))
    mine = clients.client_of(user_id, client_id) is not None
    return url_for("booking.my_health", client_id=client_id) if mine else url_for("booking.my_visits")


def _asks_to_withdraw(wish: Any, stays: str) -> Asks | None:
    if wish.ended_at is not None:
        return None
    return Asks(
        N_("Take this wish off the list?"),
        N_("Take off the list"),
        stays,
        N_("Your place in line is lost. A time that is kept for you goes to the next person."),
        f"{_(wish.service.name)}, {words.length_words(wish.minutes)}",
    )


def _asks_off_by_link(token: str) -> Asks | None:
    return _asks_to_withdraw(found(waitlist.wish_by_key(token, clock.now())), "booking.wish_by_link")


@pages.post("/waiting/<token>/withdraw", needs=SITE, asks=_asks_off_by_link)
def withdraw_by_link(token: str) -> Answer:
    """Off the list."""
    services.withdraw(found(waitlist.wish_by_key(token, clock.now())).id, by=None, now=clock.now())
    return go("booking.wish_by_link", token=token)


@pages.get("/offer/<token>", needs=SITE)
def offer_by_link(token: str) -> Answer:
    """The time that is kept, and until when. Looking at it answers nothing."""
    return _offer_page(found(waitlist.offer_by_key(token, clock.now())), token)


def _offer_page(offer: Any, token: str, status: int = 200, sentence: str = "") -> Answer:
    page = render_template(
        "booking/offer.html",
        offer=offer,
        visit=offer.visit,
        is_open=waitlist.still_stands(offer, clock.now()),
        accept=url_for("booking.accept_by_link", token=token),
        decline=url_for("booking.decline_by_link", token=token),
        again=kit.times_url(_wish_of(offer.visit)),
        sentence=sentence,
        over=answering.why_over(offer),
    )
    return (page, status) if status != 200 else page


def _wish_of(visit: Any) -> Wish:
    return Wish(visit.service.key, visit.minutes, visit.mode, tuple(visit.addons), tuple(visit.areas))


@pages.post("/offer/<token>/accept", needs=SITE)
def accept_by_link(token: str) -> Answer:
    """Yes: one tap."""
    offer = found(waitlist.offer_by_key(token, clock.now()))
    try:
        answered = answering.accept(offer.id, by=None, now=clock.now())
    except RuleViolation as error:
        return _offer_page(found(waitlist.offer_by_key(token, clock.now())), token, 409, error.sentence)
    if not answered.token:
        return go("booking.offer_by_link", token=token)
    _say(answered.status)
    return go("booking.visit_by_link", token=answered.token)


def _say(status: VisitStatus) -> None:
    if status is VisitStatus.CONFIRMED:
        flash(_("Thank you. The time is yours."), "success")
    else:
        flash(_("The time is kept for you. It is not confirmed yet: see what is still needed."), "care")


def _asks_to_decline(offer: Any, stays: str) -> Asks | None:
    """Nothing where it cannot be answered any more: then the deed says why."""
    if not waitlist.still_stands(offer, clock.now()):
        return None
    zone, hours = offer.visit.zone, premises.clinic().uses_24_hours
    when = words.moment_words(offer.starts_at, zone, uses_24_hours=hours)
    if offer.kind == "given":
        follows = N_("It costs you nothing. After that you can choose another time.")
        return Asks(N_("Cancel this visit?"), N_("Cancel this visit"), stays, follows, when)
    follows = NEXT_IS_ASKED if offer.kind == "wish" else WE_CALL
    return Asks(N_("Give this time back?"), N_("Give this time back"), stays, follows, when)


def _asks_no_by_link(token: str) -> Asks | None:
    return _asks_to_decline(found(waitlist.offer_by_key(token, clock.now())), "booking.offer_by_link")


@pages.post("/offer/<token>/decline", needs=SITE, asks=_asks_no_by_link)
def decline_by_link(token: str) -> Answer:
    """No: the next person is asked."""
    offer = found(waitlist.offer_by_key(token, clock.now()))
    try:
        answering.decline(offer.id, by=None, now=clock.now())
    except RuleViolation as error:
        return _offer_page(found(waitlist.offer_by_key(token, clock.now())), token, 409, error.sentence)
    return go("booking.offer_by_link", token=token)


def _own_wish(wish_id: int) -> Any:
    wish = found(waitlist.wish(wish_id))
    found(clients.client_of(current_user.id, wish.client_id))
    return wish


def _asks_off_own(wish_id: int) -> Asks | None:
    return _asks_to_withdraw(_own_wish(wish_id), "booking.my_visits")


@pages.post("/my/waiting/<int:wish_id>/withdraw", needs=OWN, asks=_asks_off_own)
def withdraw_my_wish(wish_id: int) -> Answer:
    """Off the list, from the own pages."""
    _own_wish(wish_id)
    services.withdraw(wish_id, by=current_user.id, now=clock.now())
    flash(_("You are off the list."), "success")
    return go("booking.my_visits")


@pages.post("/my/offers/<int:offer_id>/accept", needs=OWN)
def accept_my_offer(offer_id: int) -> Answer:
    """Yes, from the own pages."""
    _own_offer(offer_id)
    try:
        answered = answering.accept(offer_id, by=current_user.id, now=clock.now())
    except RuleViolation as error:
        if _own_offer(offer_id).ended_as == REFUSED:
            return go("booking.refused_offer", offer_id=offer_id)
        flash(error.sentence, "care")
        return go("booking.my_visits")
    _say(answered.status)
    return go("booking.my_visit", visit_id=answered.visit_id)


@pages.get("/my/offers/<int:offer_id>", needs=OWN)
def refused_offer(offer_id: int) -> Answer:
    """The gate did not let the offered time be taken: why, and what is safe instead."""
    offer = _own_offer(offer_id)
    if offer.ended_as != REFUSED:
        return go("booking.my_visits")
    visit = offer.visit
    stopped = is_stopped(visit)
    return render_template(
        "booking/offer_refused.html",
        visit=visit,
        stopped=stopped,
        reasons=[] if stopped else reasons(visit, at_least=("block",)),
        instead=way_on(visit),
    )


def _asks_no_own(offer_id: int) -> Asks | None:
    return _asks_to_decline(_own_offer(offer_id), "booking.my_visits")


@pages.post("/my/offers/<int:offer_id>/decline", needs=OWN, asks=_asks_no_own)
def decline_my_offer(offer_id: int) -> Answer:
    """No, from the own pages."""
    is_wish = _own_offer(offer_id).kind == "wish"
    try:
        answering.decline(offer_id, by=current_user.id, now=clock.now())
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        flash(_("Thank you for telling us.") + " " + _(NEXT_IS_ASKED if is_wish else WE_CALL), "success")
    return go("booking.my_visits")


def _own_offer(offer_id: int) -> Any:
    offer = found(waitlist.offer(offer_id))
    found(clients.client_of(current_user.id, offer.visit.client_id or 0))
    return offer
