"""What an account sees of its own: visits, people, answers. Every row is fetched through the account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from clinic.booking.forms.aim import AimForm
from clinic.booking.forms.person import WHOM, PersonForm
from clinic.booking.queries import next_steps, visits, waitlist
from clinic.booking.queries.companions import companions
from clinic.booking.services.aims import say_aim
from clinic.booking.views import again, manage
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.calendar_file import calendar_file
from clinic.booking.views.health import urgent_page
from clinic.booking.views.manage import Door
from clinic.booking.views.others import Others, others_of
from clinic.clients import queries as clients
from clinic.clients.services import add_person as add_client_person
from clinic.intake import forms as intake_forms
from clinic.intake import queries as intake
from clinic.intake.views import questionnaire
from clinic.intake.views.questionnaire import Sitting
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput, MoveNotAllowed
from clinic.rules.language import _, ngettext
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import UPCOMING
from clinic.rules.waitlist import words_of
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, found, go, safe_next


@pages.get("/my", needs=Permission.VISIT_OWN_WRITE)
def my_visits() -> Answer:
    """Coming and past visits of everybody this account acts for."""
    people = clients.people_of(current_user.id)
    rows = visits.visits_of([one.client_id for one in people])
    now = clock.now()
    coming = [one for one in rows if one.ends_at > now and visits.seen_as(one) in UPCOMING]
    past = [one for one in rows if one not in coming]
    return render_template(
        "booking/my_visits.html",
        people=people,
        coming=sorted(coming, key=lambda one: one.starts_at),
        past=past,
        has_cancelled=any(one.starts_at > now for one in past),
        again=_again,
        next_again=again.next_times_again(rows),
        under_way=kit.under_way(),
        seen_as=visits.seen_as,
        companions=companions(rows, current_user.id),
        left_alone=[one.id for one in coming if next_steps.is_left_alone(one)],
        offers=waitlist.offers_to([one.client_id for one in people], now),
        wishes=[(one, words_of(waitlist.when_of(one))) for one in _wishes(people)],
        may_know_all=[one.client_id for one in people if _may_know_all(one.client_id)],
        intakes={one.client_id: intake.newest(one.client_id) for one in people},
        many=len(people) > 1,
    )


def _may_know_all(client_id: int) -> bool:
    adult_age, today = premises.clinic().adult_age, kit.local_today()
    return bool(clients.may_know_all(current_user.id, client_id, adult_age=adult_age, today=today))


def _wishes(people: list[clients.ActsFor]) -> Sequence[Any]:
    return waitlist.wishes_of([one.client_id for one in people])


def _again(visit: Any, day: dt.date | None = None) -> str:
    """The free times for the same visit once more; `day`: those of this day first."""
    return kit.times_url(kit.same_again(visit), day=day)


def _door(visit_id: int) -> Door:
    visit = found(visits.own_visit(current_user.id, visit_id))
    return Door(
        visit=visit,
        by=current_user.id,
        home=url_for("booking.my_visit", visit_id=visit_id),
        move=url_for("booking.move_my_visit", visit_id=visit_id),
        cancel=url_for("booking.cancel_my_visit", visit_id=visit_id),
        file=url_for("booking.my_visit_file", visit_id=visit_id),
        letter=url_for("booking.my_letters", client_id=visit.client_id),
        check_in=url_for("booking.check_in_my_visit", visit_id=visit_id),
        shows_reasons=True,
        aim=url_for("booking.say_my_aim", visit_id=visit_id),
        alone=url_for("booking.come_alone", visit_id=visit_id) if next_steps.is_left_alone(visit) else "",
        again=_again(visit, visit.day + dt.timedelta(weeks=1)) if visit.service.is_active else "",
    )


@pages.get("/my/visits/<int:visit_id>", needs=Permission.VISIT_OWN_WRITE)
def my_visit(visit_id: int) -> Answer:
    """One visit."""
    return manage.show(_door(visit_id))


@pages.post("/my/visits/<int:visit_id>/aim", needs=Permission.VISIT_OWN_WRITE)
def say_my_aim(visit_id: int) -> Answer:
    """Write what it is for."""
    door, form = _door(visit_id), AimForm(request.form)
    if not form.validate():
        return manage.show(door, 422, form=form)
    try:
        say_aim(visit_id, form.aim.data or "", by=current_user.id, now=clock.now())
    except MoveNotAllowed as error:
        return manage.show(door, 409, error.sentence, form)
    flash(
        _("Saved. Your therapist reads it before you come.") if form.aim.data else _("It is taken out."),
        "success",
    )
    return redirect(door.home, 303)


@pages.get("/my/visits/<int:visit_id>/move", needs=Permission.VISIT_OWN_WRITE)
def move_my_visit(visit_id: int) -> Answer:
    """Free times to move it to."""
    return manage.show_move(_door(visit_id))


@pages.post("/my/visits/<int:visit_id>/move", needs=Permission.VISIT_OWN_WRITE)
def take_move_of_mine(visit_id: int) -> Answer:
    """Move it."""
    return manage.take_move(_door(visit_id))


@pages.post("/my/visits/<int:visit_id>/cancel", needs=Permission.VISIT_OWN_WRITE)
def cancel_my_visit(visit_id: int) -> Answer:
    """Cancel it."""
    return manage.take_cancel(_door(visit_id))


@pages.post("/my/visits/<int:visit_id>/alone", needs=Permission.VISIT_OWN_WRITE)
def come_alone(visit_id: int) -> Answer:
    """The two visits cannot go ahead together, and this client comes without the other one."""
    return manage.take_alone(_door(visit_id))


@pages.get("/my/visits/<int:visit_id>/visit.ics", needs=Permission.VISIT_OWN_WRITE)
def my_visit_file(visit_id: int) -> Answer:
    """Its calendar file."""
    return calendar_file(_door(visit_id).visit)


@pages.get("/my/people", needs=Permission.PERSON_OWN_WRITE)
def add_person() -> Answer:
    """Everybody this account acts for, and the form for one more."""
    return _people_page(PersonForm())


def _people_page(form: PersonForm) -> str:
    people = clients.people_of(current_user.id)
    if any(one.relation == "self" for one in people):  # then this is somebody else
        choose(form.relation, [(key, words) for key, words in WHOM.items() if key != "self"])
    return render_template(
        "booking/people.html",
        form=form,
        people=people,
        ahead=request.values.get("next", ""),
        adult_age=premises.clinic().adult_age,
    )


@pages.post("/my/people", needs=Permission.PERSON_OWN_WRITE)
def save_person() -> Answer:
    """Add a person; then back to where the form was opened from."""
    form = PersonForm(request.form)
    facts = premises.clinic_facts()
    if facts is None:
        abort(404)
    right = form.validate()
    if form.needs_guardian(facts.adult_age, kit.local_today()) or not right:
        return _people_page(form), 422
    try:
        add_client_person(
            current_user.id,
            form.details(email=current_user.email),
            form.relation.data or "",
            region=facts.phone_region,
            now=clock.now(),
        )
    except InvalidInput as error:
        form.add_error(error.field, error.sentence)
        return _people_page(form), 422
    flash(_("%(data)s is added.", data=form.first_name.data), "success")
    return redirect(safe_next(request.form.get("next"), url_for("booking.add_person")), 303)


@pages.get("/my/health/<int:client_id>", needs=Permission.INTAKE_OWN_WRITE)
def my_health(client_id: int) -> Answer:
    """The own signed answers and their dates."""
    client = found(clients.client_of(current_user.id, client_id))
    newest = intake.newest(client.id)
    return render_template(
        "booking/my_health.html",
        client=client,
        newest=newest,
        told=intake_forms.told(newest.answers) if newest is not None else [],
        consents=intake.consents_shown(client.id),
        is_taken_back=intake.is_taken_back(client.id),
        is_self=_relation(client.id) == "self",
    )


@pages.post("/my/health/<int:client_id>", needs=Permission.INTAKE_OWN_WRITE)
def update_my_health(client_id: int) -> Answer:
    """Go through the questions again, filled in as they stand."""
    client = found(clients.client_of(current_user.id, client_id))
    newest = intake.newest(client.id)
    if newest is not None:
        questionnaire.start_from(client.id, "client", newest.answers)
    return go("booking.my_health_page", client_id=client.id, number=1)


@pages.get("/my/health/<int:client_id>/<int:number>", needs=Permission.INTAKE_OWN_WRITE)
def my_health_page(client_id: int, number: int) -> Answer:
    """One page of questions."""
    return questionnaire.show_page(_sitting(client_id), number)


@pages.post("/my/health/<int:client_id>/<int:number>", needs=Permission.INTAKE_OWN_WRITE)
def take_my_health_page(client_id: int, number: int) -> Answer:
    """Keep it and go on; a warning sign shows the urgent page."""
    sitting = _sitting(client_id)
    others = others_of(sitting.client_id)
    return questionnaire.take_page(sitting, number, lambda level: urgent_page(level, others()))


@pages.post("/my/health/<int:client_id>/<int:number>/keep", needs=Permission.INTAKE_OWN_WRITE)
def keep_my_health_page(client_id: int, number: int) -> Answer:
    """Autosave."""
    return questionnaire.keep_page(_sitting(client_id), number)


@pages.get("/my/health/<int:client_id>/sign", needs=Permission.INTAKE_OWN_WRITE)
def sign_my_health(client_id: int) -> Answer:
    """What was answered, the consents, the signature."""
    return questionnaire.show_signing(_sitting(client_id))


@pages.post("/my/health/<int:client_id>/sign", needs=Permission.INTAKE_OWN_WRITE)
def take_my_signature(client_id: int) -> Answer:
    """Sign a new version: every coming visit is judged again with it."""

    sitting = _sitting(client_id)
    others = others_of(sitting.client_id)

    def signed(intake_id: int) -> Answer:
        if intake_id:
            flash(_("Thank you. Your answers are signed."), "success")
            _say_what_follows(others())
        return go("booking.my_health", client_id=sitting.client_id)

    return questionnaire.take_signing(sitting, lambda level: urgent_page(level, others()), signed)


def _say_what_follows(others: Others) -> None:
    """A visit does not vanish in silence."""
    if others.cancelled:
        flash(
            ngettext(
                "With these answers a coming visit cannot go ahead. It is cancelled, at no charge."
                " We write to you about it.",
                "With these answers %(num)d coming visits cannot go ahead. They are cancelled, at no charge."
                " We write to you about each.",
                others.cancelled,
            ),
            "care",
        )
    if others.waiting:
        flash(
            ngettext(
                "After these answers a coming visit is on hold. Open it to see what is needed.",
                "After these answers %(num)d coming visits are on hold. Open them to see what is needed.",
                others.waiting,
            ),
            "care",
        )


def _relation(client_id: int) -> str:
    people = {one.client_id: one.relation for one in clients.people_of(current_user.id)}
    return people.get(client_id, "self")


def _sitting(client_id: int) -> Sitting:
    client = found(clients.client_of(current_user.id, client_id))
    newest = intake.newest(client.id)
    return Sitting(
        client_id=client.id,
        client_name=client.name,
        writer="client",
        source="online",
        by=current_user.id,
        page_url=lambda number: url_for("booking.my_health_page", client_id=client.id, number=number),
        keep_url=lambda number: url_for("booking.keep_my_health_page", client_id=client.id, number=number),
        sign_url=url_for("booking.sign_my_health", client_id=client.id),
        back_url=url_for("booking.my_health", client_id=client.id),
        signer=_relation(client.id),
        is_minor=client.age_on(kit.local_today()) < premises.clinic().adult_age,
        earlier=newest.answers if newest is not None else {},
        layout="booking/_own_questions.html",
    )
