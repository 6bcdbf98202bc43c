"""Which massage suits me? From a goal to services, filtered by what is safe for whoever is signed in."""

from __future__ import annotations

from flask import render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.services import suggesting
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.rules.goals import BY_KEY, GOALS
from clinic.rules.permissions import Permission
from clinic.shared.web import Answer


@pages.get("/which-massage", needs=Permission.SITE_ANY_READ)
def which() -> Answer:
    """The goals; with one chosen, what suits it."""
    goal = BY_KEY.get(request.args.get("goal", ""))
    user_id = who()
    people = clients.people_of(user_id) if user_id is not None else []
    asked = request.args.get("person", type=int)
    person = next((one for one in people if one.client_id == asked), people[0] if people else None)
    found = None
    if goal is not None:
        found = suggesting.suggest(goal, person.client_id if person else None, day=kit.local_today())
    return render_template(
        "booking/which.html",
        goals=GOALS,
        goal=goal,
        found=found,
        people=people,
        person_chosen=person,
        services={service.key: service for service in catalogue.services_on_offer()},
        links={key: url_for("booking.choose_options", service=key) for key in (goal.fits if goal else ())},
    )
