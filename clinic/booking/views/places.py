"""The places of the clinic. Which booked visits one that is switched off would leave behind is shown before it is
saved; afterwards they are work to do. Opening hours have pages of their own (opening_hours.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from zoneinfo import available_timezones

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.queries import in_the_way
from clinic.booking.views.blueprint import pages
from clinic.premises import queries, services
from clinic.premises.facts import LocationFacts
from clinic.premises.forms.places import LocationForm
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.week import week_in_words
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go


@pages.get("/owner/locations", needs=Permission.CLINIC_ANY_WRITE)
def locations() -> Answer:
    """All places with their hours in words."""
    uses_24_hours = queries.clinic_settings().uses_24_hours
    weeks = [(place, queries.week_of(place.id)) for place in queries.locations()]
    places = [
        (place, week_in_words(week, uses_24_hours=uses_24_hours) if week else []) for place, week in weeks
    ]
    return render_template("premises/locations.html", places=places)


@pages.get("/owner/locations/new", needs=Permission.CLINIC_ANY_WRITE)
def new_location() -> Answer:
    """An empty form, in the zone of the first place."""
    first = queries.clinic_facts()
    form = _with_zones(LocationForm(data={"zone": first.zone if first else "UTC", "is_active": True}))
    return _location_page(form, None)


@pages.post("/owner/locations/new", needs=Permission.CLINIC_ANY_WRITE)
def add_location() -> Answer:
    """Add a place."""
    return _save_location(None)


@pages.get("/owner/locations/<int:location_id>", needs=Permission.CLINIC_ANY_WRITE)
def location(location_id: int) -> Answer:
    """One place as it is."""
    facts = found(queries.location_facts(location_id))
    form = _with_zones(LocationForm(data=asdict(facts) | {"seen": mark_of(asdict(facts))}))
    return _location_page(form, location_id)


@pages.post("/owner/locations/<int:location_id>", needs=Permission.CLINIC_ANY_WRITE)
def save_location(location_id: int) -> Answer:
    """Change a place."""
    found(queries.location_facts(location_id))
    return _save_location(location_id)


def _save_location(location_id: int | None) -> Answer:
    form = _with_zones(LocationForm(request.form))
    if location_id and queries.is_kept_in_its_zone(location_id):  # then the zone is shown, not asked
        form.zone.data = found(queries.location_facts(location_id)).zone
    form.region = queries.clinic_settings().phone_region

    def save() -> None:
        facts = form.facts(LocationFacts)
        services.save_location(location_id, facts, seen=form.seen.data or "", by=who(), now=clock.now())

    def seen_now() -> str:
        facts = queries.location_facts(location_id) if location_id else None
        return mark_of(asdict(facts)) if facts else ""

    if touched := _left_behind(location_id, form):
        return _location_page(form, location_id, touched=touched)
    if not saves(form, save, seen_now=seen_now):
        return _location_page(form, location_id, status=422)
    said = (
        N_("%(data)s is saved.")
        if location_id
        else N_("%(data)s is added. Now enter its opening hours and rooms.")
    )
    flash(_(said, data=form.name.data), "success")
    return go("booking.locations")


def _left_behind(location_id: int | None, form: LocationForm) -> Sequence[object]:
    """The booked visits at a place that is switched off with this, until they have been shown once."""
    if not location_id or form.is_active.data or request.form.get("act") == "save" or not form.validate():
        return ()
    return in_the_way.left_at(location_id, clock.now())


def _with_zones(form: LocationForm) -> LocationForm:
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    choose(form.zone, [(zone, zone.replace("_", " ")) for zone in ["UTC", *zones]])
    return form


def _location_page(
    form: LocationForm, location_id: int | None, status: int = 200, touched: Sequence[object] = ()
) -> Answer:
    fixed = location_id is not None and queries.is_kept_in_its_zone(location_id)
    return (
        render_template(
            "premises/location.html", form=form, location_id=location_id, zone_is_fixed=fixed, touched=touched
        ),
        status,
    )
