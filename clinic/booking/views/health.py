"""The questions about health inside the booking: for the first time, or "still right?" for who answered before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from clinic.accounts.access import who as acting_user
from clinic.booking.queries import visits
from clinic.booking.queries.checkouts import Standing, Step, all_before, guest_of, who_is_asked
from clinic.booking.services import checkout as services
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.checkout import ahead, begin_again, with_booking
from clinic.booking.views.others import Others, others_of
from clinic.clients import queries as clients
from clinic.intake import forms
from clinic.intake import queries as intake
from clinic.intake.services import intakes
from clinic.intake.signing_forms import GuardianSignsForm
from clinic.intake.views import questionnaire
from clinic.intake.views.questionnaire import Sitting
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go

# Signed answers can be looked at and changed again until the visit is booked.
OPEN = (Step.HEALTH, Step.CONSENT, Step.CHECK)
SIGNED_OUT = N_(
    "You were signed out by then. If you said yes to something on that page, we kept it, and ask you about it before "
    "your next visit. The rest was not kept."
)
NOT_KEPT = N_("What you said on that page was not kept. If you said yes to something there, please tell us.")


@pages.get("/book/health", needs=Permission.SITE_ANY_READ)
@with_booking(*OPEN)
def health(now_at: Standing) -> Answer:
    """ "Still right?" for who has valid answers; else the first page that is open."""
    client = now_at.client
    if client is None:
        return ahead(now_at)
    newest = intake.newest(client.id)
    if now_at.still_right and newest is not None:
        return _still_right_page(now_at, GuardianSignsForm() if sitting(now_at).is_minor else None)
    if newest is not None and intake.has_unsigned(client.id):
        flash(_(intakes.UNSIGNED), "care")
        number = questionnaire.first_open(sitting(now_at))
        return go("booking.health_page", number=number) if number else go("booking.sign_health")
    begin = questionnaire.first_open(sitting(now_at)) if newest is None else 1
    return redirect(url_for("booking.health_page", number=begin or 1), 303)


def _still_right_page(now_at: Standing, young: GuardianSignsForm | None) -> str:
    client = now_at.client
    newest = intake.newest(client.id) if client is not None else None
    if client is None or newest is None:
        raise LookupError("there are no earlier answers")
    return render_template(
        "booking/still_right.html",
        client=client,
        young=young,
        told=forms.told(newest.answers),
        answered_on=newest.answered_on,
        is_self=_signer(now_at) == "self",
        **kit.flow(now_at),
    )


@pages.post("/book/health", needs=Permission.INTAKE_OWN_WRITE)
@with_booking(Step.HEALTH)
def answer_still_right(now_at: Standing) -> Answer:
    """Nothing has changed: the same answers, stamped today. Something has: the pages, filled in already."""
    client = now_at.client
    kit.renew()
    if client is None or not now_at.still_right:
        return ahead(now_at)
    if request.form.get("go") != "same":
        newest = intake.newest(client.id)
        questionnaire.start_from(client.id, "client", newest.answers if newest else {})
        return go("booking.health_page", number=1)
    young = GuardianSignsForm(request.form) if sitting(now_at).is_minor else None
    if young is not None and not young.validate():
        return _still_right_page(now_at, young), 422
    try:
        intakes.confirm_still_right(
            client.id,
            young.signature(young.guardian_name.data or "")
            if young is not None
            else intakes.Signature(client.name, _signer(now_at)),
            source="online",
            by=acting_user(),
            now=clock.now(),
            today=kit.local_today(),
        )
    except InvalidInput as error:  # typed in another tab, a moment ago
        flash(error.sentence, "care")
        return go("booking.health")
    return go("booking.checkout")


@pages.get("/book/health/<int:number>", needs=Permission.SITE_ANY_READ)
def health_page(number: int) -> Answer:
    """One page of questions."""

    @with_booking(*OPEN)
    def show(now_at: Standing) -> Answer:
        return questionnaire.show_page(sitting(now_at), number)

    return show()


@pages.post("/book/health/<int:number>", needs=Permission.SITE_ANY_READ)
def answer_health_page(number: int) -> Answer:
    """Keep the page and go on; a warning sign gives the time back and shows the urgent page, also where the page is not
    open any more."""
    now_at = kit.standing()
    answer = _take_about_another(now_at, number)
    if answer is not None:
        return answer
    if now_at is None:
        answer = _take_of_before(number) or _urgent(number)
        return begin_again() if answer is None else answer
    if now_at.step not in OPEN:
        asked = _sitting_late(now_at.checkout, now_at.client)
        late = _take_late(asked, number, now_at.client)
        late = late or _stop_who_was_asked(now_at, number) or _urgent(number)
        if late is None and asked is not None and questionnaire.asks_another(asked):
            flash(_(NOT_KEPT), "care")
        return ahead(now_at) if late is None else late
    kit.renew()
    asked = sitting(now_at)
    if level := questionnaire.urgency_about_another(asked, number):
        return _stop_who_was_asked(now_at, number) or stop(level)
    return questionnaire.take_page(asked, number, stop)


def _stop_who_was_asked(now_at: Standing, number: int) -> Answer | None:
    """A warning sign on a page about somebody else whom this booking was for, or about a record that was corrected
    since. What a guest typed is whose it became by signing in; the same of a record that is not there any more."""
    this, whose, guest = now_at.client_id, request.form.get("whose", ""), guest_of(now_at.checkout)
    asked = {one: one for one in (*all_before(now_at.checkout), this) if clients.client(one) is not None}
    if this and guest is not None:
        asked[guest] = this
    is_number = whose.isdecimal() and len(whose) < 19  # as SQL knows them
    if this and is_number and clients.client(int(whose)) is None:
        asked[int(whose)] = this
    return questionnaire.take_warning(asked, number, stop, source="online", by=acting_user())


def _urgent(number: int) -> Answer | None:
    """What to do now, where nobody can say any more whose the page was."""
    level = questionnaire.urgency_of(number)
    return urgent_page(level, is_late=True) if level else None


def _take_of_before(number: int) -> Answer | None:
    """A page of a booking of this browser that was made, or ran out, more than a day ago, or whose account was signed
    out since. Where it can be kept for nobody, the next page says so."""
    asked = _asked_before()
    if asked is None or questionnaire.asks_another(asked):
        if not questionnaire.asked_about(_own_records()):
            flash(_(NOT_KEPT), "care")
        return None
    if not _is_signed_out():
        return _take_late(asked, number, None)
    # What it answers would tell whoever is there by now what stands on the record: the page's own words alone decide.
    questionnaire.take_late(asked, number, _give_back)
    if not questionnaire.urgency_of(number):
        flash(_(SIGNED_OUT), "care")
    return None


def _asked_before() -> Sitting | None:
    """Whom a page of this browser's booking asked, when nobody is to be asked any more. Nobody while another account is
    signed in: it does not speak for the one that began the booking, and is not to be noted as who told it."""
    checkout, user_id = visits.checkout(kit.token() or ""), acting_user()
    if checkout is None or (user_id is not None and checkout.user_id not in (None, user_id)):
        return None
    return _sitting_late(checkout, None)


def _is_signed_out() -> bool:
    """Whether an account began the booking of this browser and is signed out by now: what is said only adds, and
    nothing is read out."""
    checkout = visits.checkout(kit.token() or "")
    return checkout is not None and checkout.user_id is not None and acting_user() is None


def _give_back(level: str) -> str:
    services.leave(kit.token() or "", now=clock.now())
    return level


def _take_late(asked: Sitting | None, number: int, reader: Any) -> Answer | None:
    """`reader`: who is known to read this, as the booking of now; else nothing of the record is read out."""
    if asked is None:
        return None
    others = others_of(asked.client_id) if reader is not None else None

    def stopped(level: str) -> str:
        return urgent_page(_give_back(level), others() if others is not None else None, is_late=True)

    return questionnaire.hear_late(asked, number, stopped)


def _sitting_late(checkout: Any, client: Any) -> Sitting | None:
    if client is None and checkout.client_id is not None:
        client = clients.client(checkout.client_id)
    return _sitting_about(client) if client is not None else None


def _take_about_another(now_at: Standing | None, number: int) -> Answer | None:
    """A page about one of the account, where another one was chosen in another tab meanwhile, or where there is no such
    booking any more: a warning sign stops all the same. Once nothing is to be answered here, the rest is kept, too."""
    user_id, whose = acting_user(), request.form.get("whose", "")
    this = now_at.client.id if now_at is not None and now_at.client is not None else None
    if user_id is None or whose in ("", str(this)):
        return None
    theirs = _own_records()
    if whose not in {str(one) for one in theirs}:
        return None
    client = clients.client(int(whose))
    if client is None or client.id == this:  # a record that was merged into the one of this booking
        return None
    others = others_of(client.id)

    def stopped(level: str) -> str:
        return urgent_page(level, others())

    if now_at is not None and now_at.step in OPEN:
        same = {one: one for one in theirs}
        return questionnaire.take_warning(same, number, stopped, source="online", by=user_id)
    answer = questionnaire.hear_late(_sitting_about(client), number, stopped)
    return ahead(now_at) if answer is None and now_at is not None else answer


def _own_records() -> list[int]:
    """Of all whom the account at the screen acts for, with what was merged into them."""
    own = kit.own_people()
    return clients.all_ids(*own)


@pages.post("/book/health/<int:number>/keep", needs=Permission.SITE_ANY_READ)
def keep_health_page(number: int) -> Answer:
    """Autosave."""
    now_at = kit.standing()
    if now_at is not None and now_at.step in OPEN:
        kit.renew()
        return questionnaire.keep_page(sitting(now_at), number)
    asked = _asked_before() if now_at is None else _sitting_late(now_at.checkout, now_at.client)
    if asked is not None:
        return questionnaire.keep_late(asked, number)
    return begin_again() if now_at is None else ahead(now_at)


@pages.get("/book/health/sign", needs=Permission.SITE_ANY_READ)
@with_booking(*OPEN)
def sign_health(now_at: Standing) -> Answer:
    """What was answered, the consents, the signature."""
    return questionnaire.show_signing(sitting(now_at))


@pages.post("/book/health/sign", needs=Permission.SITE_ANY_READ)
@with_booking(*OPEN)
def take_signature(now_at: Standing) -> Answer:
    """Sign, and go on."""
    kit.renew()
    return questionnaire.take_signing(sitting(now_at), stop, lambda _intake: go("booking.checkout"))


def stop(level: str) -> Answer:
    """A warning sign: the time is given back, and the page says what to do now and nothing else."""
    return urgent_page(_give_back(level))


def urgent_page(level: str, others: Others | None = None, *, is_late: bool = False) -> str:
    """The urgent message of this level, and what became of coming visits where that is known. `is_late`: whether a
    visit was booked is not known here."""
    return render_template("intake/urgent.html", level=level, others=others, is_late=is_late)


def sitting(now_at: Standing) -> Sitting:
    """Who fills in for whom in this booking."""
    client, facts = now_at.client, premises.clinic_facts()
    if client is None or facts is None:
        raise LookupError("nobody is named yet")
    return replace(
        _sitting_about(client),
        signer=_signer(now_at),
        is_minor=client.age_on(kit.local_today()) < facts.adult_age,
        done_url=url_for("booking.checkout") if now_at.step in (Step.CONSENT, Step.CHECK) else "",
        layout="booking/_flow.html",
        extra=lambda: kit.flow(now_at),
    )


def _sitting_about(client: Any) -> Sitting:
    newest = intake.newest(client.id)
    return Sitting(
        client_id=client.id,
        client_name=client.name,
        about=who_is_asked(client),
        writer="client",
        source="online",
        by=acting_user(),
        page_url=lambda number: url_for("booking.health_page", number=number),
        keep_url=lambda number: url_for("booking.keep_health_page", number=number),
        sign_url=url_for("booking.sign_health"),
        back_url=url_for("booking.who"),
        earlier=newest.answers if newest is not None else {},
    )


def _signer(now_at: Standing) -> str:
    """What the person at the screen is to the client."""
    if now_at.client is None:
        return "self"
    user_id = acting_user()
    if now_at.is_signed_in and user_id is not None:
        people = {one.client_id: one.relation for one in clients.people_of(user_id)}
        return people.get(now_at.client.id, "self")
    relation: str = (now_at.checkout.details or {}).get("relation", "self")
    return relation
