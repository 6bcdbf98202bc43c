"""From the held time to the confirmation: who is coming, consent, check. Each step may be done twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from clinic.accounts.access import who as acting_user
from clinic.booking.forms.aim import AimForm
from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.person import BookingPersonForm
from clinic.booking.queries.checkouts import Standing, Step
from clinic.booking.services import aims
from clinic.booking.services import checkout as services
from clinic.booking.services.alternatives import Outlook, outlook
from clinic.booking.services.checkout import Choice
from clinic.booking.views import client_kit as kit
from clinic.booking.views import times as times_views
from clinic.booking.views.blueprint import pages
from clinic.booking.views.which import BY_NUMBER, GOAL
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules.contact import ONE_NAME
from clinic.rules.errors import (
    BarredOnline,
    HoldExpired,
    InvalidInput,
    NotFound,
    RuleViolation,
    SlotTaken,
)
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.places_to_avoid import areas_in_words
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.web import Answer, go

NEXT = {
    Step.WHO: "booking.who",
    Step.STOPPED: "booking.stopped",
    Step.HEALTH: "booking.health",
    Step.CONSENT: "booking.consent",
    Step.CHECK: "booking.check",
    Step.REFUSED: "booking.done",
    Step.DONE: "booking.done",
}
STARTED_AGAIN = N_("We could not find the booking you had begun. Nothing is booked: please choose again.")

StepView = Callable[[Standing], Answer]


def begin_again() -> Answer:
    """Where a page leads whose booking is not there any more."""
    flash(_(STARTED_AGAIN), "care")
    return go("booking.choose_service")


def with_booking(*allowed: Step) -> Callable[[StepView], Callable[[], Answer]]:
    """Hand the booking of this browser to the page. Without one, or when the page is not open yet, go where it
    stands: a page that was done before can be opened again."""

    def wrap(view: StepView) -> Callable[[], Answer]:
        @wraps(view)
        def step() -> Answer:
            now_at = kit.standing()
            if now_at is None:
                return begin_again()
            if now_at.step not in allowed:
                return ahead(now_at)
            return view(now_at)

        return step

    return wrap


def ahead(now_at: Standing) -> Answer:
    """The page at which this booking waits."""
    if now_at.step is Step.TIMES:
        wish = kit.wish_of(Choice.of(now_at.checkout.choice), now_at.visit.day)
        return redirect(kit.times_url(wish), 303)
    if now_at.step is Step.ELSEWHERE:
        key = (now_at.checkout.details or {}).get("manage")
        return go("booking.visit_by_link", token=key) if key else go("booking.choose_service")
    return go(NEXT[now_at.step])


UNDER_WAY = (Step.WHO, Step.HEALTH, Step.CONSENT, Step.CHECK)


@pages.get("/book/next", needs=Permission.SITE_ANY_READ)
@with_booking(*Step)
def checkout(now_at: Standing) -> Answer:
    """Wherever this booking goes on."""
    return ahead(now_at)


@pages.post("/book/renew", needs=Permission.SITE_ANY_READ)
def renew() -> Answer:
    """The clock, with a new end: asked for while somebody is typing."""
    kit.renew()
    now_at = kit.standing()
    if now_at is None or now_at.step not in UNDER_WAY:
        return "", 204
    return render_template("booking/_hold.html", hold=kit.hold_of(now_at))


@pages.get("/book/who", needs=Permission.SITE_ANY_READ)
@with_booking(*UNDER_WAY, Step.STOPPED)
def who(now_at: Standing) -> Answer:
    """Sign in, choose a person, or say who is coming."""
    return _who_page(now_at, BookingPersonForm(data=_known(now_at)))


def _known(now_at: Standing) -> dict[str, object]:
    """What was typed for this booking before, to correct it."""
    client = now_at.client
    if client is None or now_at.is_signed_in:
        return {}
    return {
        "relation": (now_at.checkout.details or {}).get("relation", "self"),
        "first_name": client.first_name, "last_name": client.last_name or ONE_NAME, "email": client.email,
        "phone": client.phone, "born_day": str(client.born_on.day), "born_month": str(client.born_on.month),
        "born_year": str(client.born_on.year), "guardian_name": client.guardian_name,
    }  # fmt: skip


def _who_page(now_at: Standing, form: BookingPersonForm, refusal: str = "") -> str:
    user_id = acting_user()
    facts = premises.clinic_facts()
    return render_template(
        "booking/who.html",
        form=form,
        refusal=refusal,
        people=clients.people_of(user_id) if user_id is not None else [],
        chosen=now_at.client.id if now_at.client else None,
        sign_in=url_for("accounts.sign_in", next=url_for("booking.who")),
        adult_age=facts.adult_age if facts else 18,
        **kit.flow(now_at),
    )


@pages.post("/book/who", needs=Permission.SITE_ANY_READ)
@with_booking(*UNDER_WAY, Step.STOPPED)
def name_person(now_at: Standing) -> Answer:
    """Somebody not signed in says who is coming."""
    form = BookingPersonForm(request.form)
    form.region, facts = premises.clinic().phone_region, premises.clinic_facts()
    kit.renew()
    right = form.validate()
    is_short = facts is not None and form.needs_guardian(facts.adult_age, kit.local_today())
    if not right or is_short:
        return _who_page(now_at, form), 422
    before = _answered(now_at.client.id) if now_at.client else 0
    try:
        client_id = services.name_person(
            kit.token() or "", form.details(), relation=form.relation.data or "self", now=clock.now()
        )
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _who_page(now_at, form), 422
    except SlotTaken as error:
        return slot_gone(now_at, error)
    except HoldExpired:
        return go("booking.choose_service")
    if _answered(client_id) < before:
        flash(
            _("Who is coming was changed, so every question is asked again. Please answer for %(name)s.",
              name=form.first_name.data), "care",
        )  # fmt: skip
    return go("booking.checkout")


def _answered(client_id: int) -> int:
    """How many questions were answered for this record and wait for the signature."""
    return sum(len(one.answered) for one in intake.drafts(client_id))


@pages.post("/book/person", needs=Permission.PERSON_OWN_WRITE)
@with_booking(*UNDER_WAY, Step.STOPPED)
def choose_person(now_at: Standing) -> Answer:
    """A signed-in account says which of its people is coming."""
    client_id = whole_number(request.form.get("person"))
    kit.renew()
    if client_id is None:
        return _who_page(now_at, BookingPersonForm(), _("Choose who this visit is for.")), 422
    try:
        services.choose_person(kit.token() or "", client_id, user_id=current_user.id, now=clock.now())
    except NotFound:
        abort(404)
    except BarredOnline as error:
        return call_us(error, now_at.visit.location.phone)
    except SlotTaken as error:
        return slot_gone(now_at, error)
    except HoldExpired:
        return go("booking.choose_service")
    return go("booking.checkout")


def slot_gone(now_at: Standing, error: SlotTaken) -> Answer:
    """The times again, with the nearest free ones on top; everything else that was typed is kept."""
    wish = kit.wish_of(Choice.of(now_at.checkout.choice), now_at.visit.day)
    return times_views.times_page(wish, now_at.plan, error)


def call_us(error: RuleViolation, phone: str) -> Answer:
    """Something that only the desk can do, in neutral words; `phone` of the place, where it has its own."""
    return render_template("booking/call_us.html", sentence=error.sentence, phone=phone), 409


@pages.get("/book/stopped", needs=Permission.SITE_ANY_READ)
@with_booking(Step.STOPPED)
def stopped(now_at: Standing) -> Answer:
    """A warning sign holds. One of this very booking: what to do now, however often the page is opened. An earlier one:
    how it goes on, and nothing about what it was."""
    if now_at.urgency:
        return render_template("intake/urgent.html", level=now_at.urgency)
    return render_template("booking/stopped.html", **kit.flow(now_at))


@pages.get("/book/check", needs=Permission.SITE_ANY_READ)
@with_booking(Step.CHECK)
def check(now_at: Standing) -> Answer:
    """Everything on one card, before anything is booked."""
    return check_page(now_at)


def _aim_of(visit: Any) -> AimForm:
    """What was written before, or what they looked for on the page of goals."""
    goal = BY_NUMBER.get(session.get(GOAL, ""))
    return AimForm(data={"aim": visit.note or (_(goal.label) if goal else "")})


def _outlook(now_at: Standing, rest: Any) -> Outlook:
    """What the gate would say on this person's own answers: where it refuses, the button leads to why. `rest`: the
    plan without add-ons that are not safe, where there are some."""
    if now_at.client is None:
        return Outlook()
    choice = Choice.of(now_at.checkout.choice)
    return outlook(now_at.client.id, choice, now_at.visit.day, now=clock.now(), plan=rest)


def check_page(now_at: Standing, unsafe: services.Result | None = None, form: AimForm | None = None) -> str:
    """The card. With unsafe add-ons it shows what is booked without them, as the button says."""
    visit, rest = now_at.visit, unsafe.rest if unsafe else None
    ahead_of = _outlook(now_at, rest)
    return render_template(
        "booking/check.html",
        client=now_at.client,
        form=form or _aim_of(visit),
        is_refused=ahead_of.refuses and unsafe is None,
        is_letter_needed=ahead_of.waits_for_letter and unsafe is None,
        left_out=areas_in_words(ahead_of.left_out),
        **kit.until_when_it_is_free(visit.starts_at, visit.zone),
        seen=seen_of(now_at),
        unsafe=unsafe,
        may_book_several=unsafe is None and kit.may_book_several(now_at),
        may_book_couple=unsafe is None and kit.may_book_couple(now_at),
        areas=kit.area_words(visit.areas),
        ends_at=visit.starts_at + dt.timedelta(minutes=rest.total_minutes) if rest else visit.ends_at,
        price=rest.price if rest else visit.price,
        **(kit.flow(now_at) | ({"plan": rest} if rest else {})),
    )


def seen_of(now_at: Standing) -> str:
    """What the page showed: another tab may have changed it before the button is pressed. That the time was given back
    since is no change: it is taken again, or the nearest ones are shown."""
    visit = now_at.visit
    return f"{visit.id}.{visit.revision if now_at.is_held else visit.revision - 1}"


@pages.post("/book/check", needs=Permission.SITE_ANY_READ)
@with_booking(Step.CHECK, Step.REFUSED, Step.DONE)
def confirm(now_at: Standing) -> Answer:
    """Book it, once, however often the button is pressed."""
    if now_at.step is not Step.CHECK:
        return go("booking.done")
    if request.form.get("seen") != seen_of(now_at):
        flash(_(kit.CHANGED), "care")
        return go("booking.check")
    form = AimForm(request.form)
    if not form.validate():
        return check_page(now_at, form=form), 422
    try:
        if request.form.get("go") == "without":
            services.drop_addons(kit.token() or "", _unsafe_columns(), now=clock.now())
        result = _confirm_or_take_again(now_at, form.aim.data if "aim" in request.form else None)
    except RuleViolation as error:
        return _not_confirmed(now_at, error)
    if result.unsafe_addons:
        return check_page(kit.standing() or now_at, result)
    session.pop(GOAL, None)
    return go("booking.done")


@pages.post("/book/check/keep", needs=Permission.SITE_ANY_READ)
@with_booking(Step.CHECK)
def keep_aim(now_at: Standing) -> Answer:
    """Autosave: what they would like stays when another page is looked at first."""
    form = AimForm(request.form)
    if form.validate():
        aims.say_aim(now_at.visit.id, form.aim.data or "", by=acting_user(), now=clock.now())
    return "", 204


def _not_confirmed(now_at: Standing, error: RuleViolation) -> Answer:
    """Nothing was booked: other times when this one went, the step that is missing, or the clinic's phone."""
    if isinstance(error, SlotTaken):
        return slot_gone(now_at, error)
    if isinstance(error, (HoldExpired, InvalidInput)):
        flash(error.sentence, "care")
        return ahead(kit.standing() or now_at)
    return call_us(error, now_at.visit.location.phone)


def _unsafe_columns() -> tuple[str, ...]:
    return tuple(one[:40] for one in request.form.getlist("unsafe")[:10])


def _confirm_or_take_again(now_at: Standing, aim: str | None) -> services.Result:
    """Confirm. What was written is kept first, whatever comes out. A time that was given back because nobody worked
    on it is taken again when it is still free."""
    key, user_id, now = kit.token() or "", acting_user(), clock.now()
    if aim is not None:
        aims.say_aim(now_at.visit.id, aim, by=user_id, now=now)
    if now_at.visit.status == VisitStatus.RELEASED:  # as it stands by now: pressed twice it may be booked
        choice = Choice.of(now_at.checkout.choice)
        services.hold_slot(
            key,
            choice,
            now_at.visit.starts_at,
            first_visit=now_at.visit.first_visit,
            user_id=user_id,
            now=now,
            keeper=kit.keeper(),
        )
    return services.confirm(key, user_id=user_id, now=now)
