"""Steps inside a transaction: a visit as staff chose it, before it has a place."""

from __future__ import annotations

import datetime as dt

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.services._judging import client_of
from clinic.booking.services._steps import set_plan
from clinic.booking.services.checkout import Choice
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _

__all__ = ["client_of", "new_visit", "plan_as_chosen"]


def new_visit(
    choice: Choice, client: Client, starts_at: dt.datetime, *, source: str, by: int | None, now: dt.datetime
) -> tuple[Visit, VisitPlan]:
    """A visit that is not in the session yet, with its times but no place."""
    facts = premises.clinic_facts()
    first_visit = not visits.has_been_before(client.id, starts_at)
    plan = plan_as_chosen(choice, first_visit)
    if facts is None:
        raise InvalidInput("service", _("The clinic is not set up yet."))
    place_id, zone = premises.where(facts, choice.location_id)
    visit = Visit(
        location_id=place_id, client_id=client.id, areas=sorted(choice.areas), zone=zone,
        starts_at=starts_at, first_visit=first_visit, currency=facts.currency, source=source, revision=1,
        any_therapist=choice.therapist_id is None, asked_gender=choice.gender, created_at=now, created_by_id=by,
    )  # fmt: skip
    set_plan(visit, plan)
    return visit, plan


def plan_as_chosen(choice: Choice, first_visit: bool) -> VisitPlan:
    """What is wanted, as the catalogue offers it. Raises InvalidInput."""
    plan = catalogue.plan_for(
        choice.service, choice.mode, choice.addons, choice.minutes, first_visit=first_visit
    )
    if plan is None:
        raise InvalidInput("service", _("This is not on offer in this form. Please choose again."))
    return plan
