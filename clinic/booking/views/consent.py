"""A minor's parent or guardian agrees to the treatment that is being booked, or does it later."""

from __future__ import annotations

from flask import render_template, request

from clinic.accounts.access import who as acting_user
from clinic.booking.forms.consent import RELATIONS, ConsentForm
from clinic.booking.queries.checkouts import Standing, Step
from clinic.booking.services import checkout as services
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.checkout import with_booking
from clinic.catalogue.queries import VisitPlan
from clinic.intake import queries as intake
from clinic.intake.services import consents
from clinic.premises import queries as premises
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go


@pages.get("/book/consent", needs=Permission.SITE_ANY_READ)
@with_booking(Step.CONSENT)
def consent(now_at: Standing) -> Answer:
    """A minor's parent or guardian agrees to this very treatment, or does it later."""
    return _consent_page(now_at, ConsentForm(data=_who_signed(now_at)))


def _who_signed(now_at: Standing) -> dict[str, str]:
    """Who signed the health answers, so that nobody says twice how they are related; else the guardian on record."""
    client = now_at.client
    newest = intake.newest(client.id) if client is not None else None
    if newest is not None and newest.signature["relation"] in dict(RELATIONS):
        return {"guardian_name": newest.signature["name"], "relation": newest.signature["relation"]}
    return {"guardian_name": client.guardian_name if client is not None else ""}


def _consent_page(now_at: Standing, form: ConsentForm) -> str:
    settings = premises.clinic()
    age = now_at.client.age_on(now_at.visit.day) if now_at.client else 0
    return render_template(
        "booking/consent.html",
        form=form,
        client=now_at.client,
        must_be_in_room=age <= settings.guardian_in_room_age,
        in_room_age=settings.guardian_in_room_age,
        **kit.flow(now_at),
    )


@pages.post("/book/consent", needs=Permission.SITE_ANY_READ)
@with_booking(Step.CONSENT)
def give_consent(now_at: Standing) -> Answer:
    """The guardian signs by typing their name."""
    kit.renew()
    if request.form.get("go") == "later":
        services.put_off_consent(kit.token() or "", now=clock.now())
        return go("booking.checkout")
    form = ConsentForm(request.form)
    if not form.validate() or now_at.client is None:
        return _consent_page(now_at, form), 422
    give_for(now_at.client.id, now_at.plan, form, by=acting_user())
    after = kit.standing()
    if after is not None and after.step is Step.CONSENT:  # under age for coming in alone, and not in the room
        services.put_off_consent(kit.token() or "", now=clock.now())
    return go("booking.checkout")


def give_for(client_id: int, plan: VisitPlan, form: ConsentForm, *, by: int | None) -> None:
    """What the valid form says, for this very treatment."""
    consents.give_guardian_consent(
        client_id,
        name=form.guardian_name.data or "",
        relation=form.relation.data or "",
        services=[*plan.judged_as, *plan.addon_columns],
        will_be_in_room=bool(form.in_room.data),
        signed_on=kit.local_today(),
        by=by,
        now=clock.now(),
    )
