"""What is on offer, and who gives it."""

from __future__ import annotations

from typing import Any

from clinic.api import shapes
from clinic.api.paging import page_of
from clinic.api.views.blueprint import api
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.rules.api_scopes import Scope
from clinic.shared import clock
from clinic.therapists import queries as therapists


@api.door("GET", "/services", Scope.CATALOGUE_READ, shapes.ServicesOut, query=shapes.OfferedQuery)
def services(query: shapes.OfferedQuery) -> dict[str, Any]:
    """Services on offer, with lengths, modes and add-ons. Prices are in the smallest unit of the currency.

    `locations`: where there is a room, the devices and a therapist for them.
    """
    rows = catalogue.services_on_offer()
    given = therapists.given_at(rows, premises.today(clock.now()))
    items = [
        {
            "key": one.key,
            "name": one.name,
            "summary": one.summary,
            "judged_as": one.judged_as,
            "lengths": [
                {"minutes": way.minutes, "mode": way.mode, "price": way.price} for way in one.lengths
            ],
            "modes": [mode.key for mode in one.modes],
            "addons": [addon.key for addon in one.addons if addon.is_active],
            "first_visit_minutes": one.first_visit_minutes,
            "turnover_minutes": one.turnover_minutes,
            "asks_area": one.asks_area,
            "locations": given[one.key],
        }
        for one in rows
    ]
    return {"currency": premises.clinic().currency, **page_of(_offered(items, query), query)}


def _offered(items: list[dict[str, Any]], query: shapes.OfferedQuery) -> list[dict[str, Any]]:
    """Those of the asked place, or all. Raises NotFound for a place that is not in use."""
    if query.location is None:
        return items
    premises.place_in_use(query.location)
    return [one for one in items if query.location in one["locations"]]


@api.door("GET", "/locations", Scope.CATALOGUE_READ, shapes.LocationsOut, query=shapes.Paging)
def locations(query: shapes.Paging) -> dict[str, Any]:
    """The clinic's places, the first one first: where `location` is left out, it is meant."""
    items = [
        {"id": one.id, "name": one.name, "address": one.address, "phone": one.phone, "zone": one.zone}
        for one in premises.places()
    ]
    return page_of(items, query)


@api.door("GET", "/therapists", Scope.CATALOGUE_READ, shapes.TherapistsOut, query=shapes.OfferedQuery)
def list_therapists(query: shapes.OfferedQuery) -> dict[str, Any]:
    """Therapists who can be booked, by name. `locations`: where they have working hours."""
    working = therapists.working_at(premises.today(clock.now()))
    items = [
        {
            "id": one.id,
            "name": one.name,
            "gender": one.gender,
            "skills": sorted(one.skills),
            "skill_dates": [
                {"skill": row.skill, "starts_on": row.starts_on, "ends_on": row.ends_on}
                for row in sorted(one.skill_rows, key=lambda row: row.skill)
                if any(row.days)
            ],
            "licence_expires_on": one.licence_expires_on,
            "locations": working.get(one.id, []),
        }
        for one in therapists.active_therapists()
    ]
    return page_of(_offered(items, query), query)
