"""What is on offer, and who gives it."""

from __future__ import annotations

from typing import Any

from clinic.api import shapes
from clinic.api.paging import page_of
from clinic.api.views.blueprint import api
from clinic.catalogue import queries as catalogue
from clinic.premises import queries as premises
from clinic.rules.api_scopes import Scope
from clinic.therapists import queries as therapists


@api.door("GET", "/services", Scope.CATALOGUE_READ, shapes.ServicesOut, query=shapes.Paging)
def services(query: shapes.Paging) -> dict[str, Any]:
    """Services on offer, with lengths, modes and add-ons. Prices are in the smallest unit of the currency."""
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
        }
        for one in catalogue.services_on_offer()
    ]
    return {"currency": premises.clinic().currency, **page_of(items, query)}


@api.door("GET", "/locations", Scope.CATALOGUE_READ, shapes.LocationsOut, query=shapes.Paging)
def locations(query: shapes.Paging) -> dict[str, Any]:
    """The clinic's places, the first one first: where `location` is left out, it is meant."""
    items = [
        {"id": one.id, "name": one.name, "address": one.address, "phone": one.phone, "zone": one.zone}
        for one in premises.places()
    ]
    return page_of(items, query)


@api.door("GET", "/therapists", Scope.CATALOGUE_READ, shapes.TherapistsOut, query=shapes.Paging)
def list_therapists(query: shapes.Paging) -> dict[str, Any]:
    """Therapists who can be booked, by name."""
    items = [
        {
            "id": one.id,
            "name": one.name,
            "gender": one.gender,
            "skills": sorted(one.skills),
            "licence_expires_on": one.licence_expires_on,
        }
        for one in therapists.active_therapists()
    ]
    return page_of(items, query)
