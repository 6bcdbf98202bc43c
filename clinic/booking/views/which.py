"""Which massage suits me? From a goal to services, filtered by what is safe for whoever is signed in."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, session

from clinic.accounts.access import who
from clinic.booking.forms.choice import Wish
from clinic.booking.services import suggesting
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.rules.body_areas import AREAS, FULL_BODY
from clinic.rules.goals import GOALS
from clinic.rules.permissions import Permission
from clinic.shared.web import Answer

BY_NUMBER = {str(number): goal for number, goal in enumerate(GOALS, start=1)}
"""What somebody is after may tell of their health: an address has its number, never the word."""


GOAL = "goal"
"""Where the browser keeps which of them it was: the last page of the booking has it filled in."""


@pages.get("/which-massage", needs=Permission.SITE_ANY_READ)
def which() -> Answer:
    """The goals; with one chosen, what suits it; asked without one, what is missing."""
    goal = BY_NUMBER.get(request.args.get("goal", ""))
    user_id = who()
    people = clients.people_of(user_id) if user_id is not None else []
    asked = request.args.get("person", type=int)
    person = next((one for one in people if one.client_id == asked), people[0] if people else None)
    if goal is not None:
        session[GOAL] = request.args["goal"]
    areas = tuple(area for area in AREAS if area in request.args.getlist("areas"))
    found = None
    if goal is not None:
        client_id = person.client_id if person else None
        found = suggesting.suggest(goal, client_id, day=kit.local_today(), areas=areas)
    services = {service.key: service for service in catalogue.services_on_offer()}
    return render_template(
        "booking/which.html",
        goals=GOALS,
        goal=goal,
        missing=goal is None and "show" in request.args,
        found=found,
        people=people,
        person_chosen=person,
        services=services,
        links={key: _link(service, areas) for key, service in services.items()},
        areas=areas,
        area_groups=kit.area_groups(),
    )


def _link(service: Any, areas: tuple[str, ...]) -> str:
    """The page where it is chosen, with the named places already ticked where it is given on some."""
    return kit.options_url(Wish(service.key, areas=areas if areas and service.asks_area else (FULL_BODY,)))
