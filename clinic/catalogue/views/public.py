"""What anybody can read: the home page, the services, and how they compare."""

from __future__ import annotations

from flask import render_template, request

from clinic.catalogue import aftercare, queries
from clinic.catalogue.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.premises.queries import PlaceFacts
from clinic.rules.permissions import Permission
from clinic.rules.week import week_in_words
from clinic.shared.web import Answer, found

LONGEST_SEARCH = 80


@pages.get("/", needs=Permission.SITE_ANY_READ)
def home() -> Answer:
    """What the clinic is, how booking works, and when it is open."""
    facts = premises.clinic_facts()
    places = _places_with_hours(uses_24_hours=facts.uses_24_hours) if facts is not None else []
    services = queries.services_on_offer()
    return render_template(
        "catalogue/home.html",
        places=places,
        cards=queries.cards_of(services),
        decompresses=queries.are_of("decompression", services),
    )


def _places_with_hours(*, uses_24_hours: bool) -> list[tuple[PlaceFacts, list[tuple[str, str]]]]:
    """Every place and when it is open, in words."""
    weeks = premises.weeks()
    return [
        (one, week_in_words(weeks.get(one.id, []), uses_24_hours=uses_24_hours)) for one in premises.places()
    ]


@pages.get("/services", needs=Permission.SITE_ANY_READ)
def services() -> Answer:
    """All services as cards, or those that a search means."""
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    found_services = queries.find_services(text) if text else queries.services_on_offer()
    return render_template("catalogue/services.html", cards=queries.cards_of(found_services), text=text)


@pages.get("/services/compare", needs=Permission.SITE_ANY_READ)
def compare() -> Answer:
    """The services side by side, and what the words mean."""
    services = queries.services_on_offer()
    return render_template(
        "catalogue/compare.html",
        services=services,
        by_hand=queries.are_of("decompression_traction", services),
        by_vacuum=queries.are_of("decompression_vacuum", services),
    )


@pages.get("/services/<key>", needs=Permission.SITE_ANY_READ)
def service(key: str) -> Answer:
    """One service: what happens, what to expect, lengths and prices, aftercare."""
    row = queries.service_by_key(key)
    if row is None:
        return render_template(
            "catalogue/not_offered.html", name=found(queries.name_if_not_offered(key))
        ), 404
    return render_template(
        "catalogue/service.html",
        service=row,
        sisters=queries.sisters_of(row),
        general_aftercare=aftercare.GENERAL,
        ring_a_doctor=aftercare.RING_A_DOCTOR,
        call_emergency=aftercare.CALL_EMERGENCY,
        complements=aftercare.COMPLEMENTS,
    )
