"""Consents on the own page: taken back, with what follows shown before, and a guardian's given for a booked visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import abort, flash, render_template, request, url_for
from flask_login import current_user

from clinic.booking.forms.consent import ConsentForm
from clinic.booking.queries import visits
from clinic.booking.queries.checkouts import has_consent
from clinic.booking.queries.visits import plan_of
from clinic.booking.views.blueprint import pages
from clinic.booking.views.consent import give_for
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.intake.services.consents import withdraw_consent
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import NotFound
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

_DONE = {
    "treatment": N_("The consent is taken back. Coming visits wait until you agree again."),
    "privacy": N_("The consent is taken back. Coming visits wait until you agree again."),
    "guardian": N_("The consent is taken back. Coming visits wait for a new one."),
}


@pages.get("/my/health/<int:client_id>/consents/<int:consent_id>", needs=Permission.INTAKE_OWN_WRITE)
def ask_consent_back(client_id: int, consent_id: int) -> Answer:
    """What taking it back means, before it is done."""
    client = found(clients.client_of(current_user.id, client_id))
    consent = next((one for one in intake.consents_shown(client.id) if one.id == consent_id), None)
    if consent is None:
        abort(404)
    now = clock.now()
    adult_age, today = premises.clinic().adult_age, premises.today(now)
    return render_template(
        "booking/take_back.html",
        client=client,
        consent=consent,
        waits=would_wait(client, consent, now),
        may_erase=clients.may_know_all(current_user.id, client.id, adult_age=adult_age, today=today),
    )


@pages.post(
    "/my/health/<int:client_id>/consents/<int:consent_id>/withdraw", needs=Permission.INTAKE_OWN_WRITE
)
def take_back_consent(client_id: int, consent_id: int) -> Answer:
    """It is taken back: coming visits that need it wait for a new one."""
    client = found(clients.client_of(current_user.id, client_id))
    consent = next((one for one in intake.consents(client.id) if one.id == consent_id), None)
    if consent is None:
        abort(404)
    done = _DONE[consent.kind]
    try:
        withdraw_consent(consent_id, client.id, by=current_user.id, now=clock.now())
    except NotFound as error:  # pressed twice
        flash(error.sentence, "care")
    else:
        flash(_(done), "success")
    return go("booking.my_health", client_id=client.id)


@pages.get("/my/visits/<int:visit_id>/consent", needs=Permission.VISIT_OWN_WRITE)
def agree_to_my_visit(visit_id: int) -> Answer:
    """A visit waits for a parent or guardian: here they agree to it."""
    visit = found(visits.own_visit(current_user.id, visit_id))
    if visit.waiting_for != "consent":
        return go("booking.my_visit", visit_id=visit_id)
    return _agree_page(visit, ConsentForm(data={"guardian_name": visit.client.guardian_name}))


@pages.post("/my/visits/<int:visit_id>/consent", needs=Permission.VISIT_OWN_WRITE)
def take_agreement(visit_id: int) -> Answer:
    """The guardian signs by typing their name: coming visits are judged again."""
    visit = found(visits.own_visit(current_user.id, visit_id))
    form = ConsentForm(request.form)
    if visit.waiting_for != "consent":  # pressed twice
        return go("booking.my_visit", visit_id=visit_id)
    if not form.validate():
        return _agree_page(visit, form), 422
    give_for(visit.client_id, plan_of(visit), form, by=current_user.id)
    flash(_("Thank you. This is how your visit stands now."), "success")
    return go("booking.my_visit", visit_id=visit_id)


def _agree_page(visit: Any, form: ConsentForm) -> str:
    settings, client = premises.clinic(), visit.client
    return render_template(
        "booking/visit_consent.html",
        form=form,
        client=client,
        plan=plan_of(visit),
        must_be_in_room=client is not None and client.age_on(visit.day) <= settings.guardian_in_room_age,
        in_room_age=settings.guardian_in_room_age,
        home=url_for("booking.my_visit", visit_id=visit.id),
        action=url_for("booking.take_agreement", visit_id=visit.id),
    )


def would_wait(client: Any, consent: Any, now: dt.datetime) -> Sequence[tuple[Any, dt.datetime]]:
    """Coming visits that need this consent, each with the moment until which its time is kept."""
    settings = premises.booking_settings()
    coming = [
        one
        for one in visits.visits_ahead(client.id, now)
        if one.status != VisitStatus.HELD and one.status in UPCOMING
    ]
    if consent.kind == "guardian":
        coming = [one for one in coming if not has_consent(client, one, plan_of(one), without=consent.id)]
    return [
        (one, one.deadline_at or booking_policy.desk_deadline(one.starts_at, since=now, settings=settings))
        for one in coming
    ]
