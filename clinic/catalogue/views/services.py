"""The owner's pages of the services."""

from __future__ import annotations

from dataclasses import asdict

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.catalogue import queries
from clinic.catalogue import services as deeds
from clinic.catalogue.forms.service import LengthRow, LengthRows, ServiceForm
from clinic.catalogue.views.addons import give_kit_choices
from clinic.catalogue.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.kinds import DEVICE_KINDS, ROOM_KINDS, licence_kind_words, words_of
from clinic.rules.language import _, gettext
from clinic.rules.permissions import Permission
from clinic.rules.verdicts import SERVICES
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go

KINDS = ROOM_KINDS | DEVICE_KINDS


@pages.get("/owner/services", needs=Permission.CATALOGUE_ANY_WRITE)
def owner_services() -> Answer:
    """All services, with what keeps one from being booked."""
    kinds = queries.kinds_in_use()
    rows = [
        (row, [words_of(kind, KINDS) for kind in queries.what_is_missing(row, *kinds)])
        for row in queries.all_services()
    ]
    return render_template("catalogue/owner_services.html", rows=rows)


@pages.get("/owner/services/new", needs=Permission.CATALOGUE_ANY_WRITE)
def new_service() -> Answer:
    """An empty form."""
    start = {"turnover_minutes": 15, "first_visit_minutes": 15, "position": 50, "licence_kind": "LMT"}
    form = _with_choices(ServiceForm(data=start | {"is_active": True, "room_kind": "treatment"}))
    return _page(form, LengthRows(_currency(), [LengthRow("")]), None)


@pages.post("/owner/services/new", needs=Permission.CATALOGUE_ANY_WRITE)
def add_service() -> Answer:
    """Add a service."""
    form, rows = _with_choices(ServiceForm(request.form)), LengthRows(_currency())
    form.is_new = True
    rows.read(request.form)
    if rows.act(request.form.get("act", "")):
        return _page(form, rows, None)

    def save() -> None:
        facts = form.service_facts(rows.lengths())
        deeds.add_service(facts, form.judged_as.data or (), by=who(), now=clock.now())

    if not saves(form, save, rest_is_right=rows.validate()):
        return _page(form, rows, None, status=422)
    flash(_("%(data)s is added.", data=gettext(str(form.name.data))), "success")
    return go("catalogue.owner_services")


@pages.get("/owner/services/<int:service_id>", needs=Permission.CATALOGUE_ANY_WRITE)
def owner_service(service_id: int) -> Answer:
    """One service as it is."""
    facts = queries.service_facts(found(queries.service(service_id)))
    shown = asdict(facts) | {"other_names": "\n".join(facts.other_names), "seen": mark_of(asdict(facts))}
    rows = LengthRows(_currency())
    rows.fill(facts.lengths)
    return _page(_with_choices(ServiceForm(data=shown)), rows, service_id)


@pages.post("/owner/services/<int:service_id>", needs=Permission.CATALOGUE_ANY_WRITE)
def save_service(service_id: int) -> Answer:
    """Change a service."""
    found(queries.service(service_id))
    form, rows = _with_choices(ServiceForm(request.form)), LengthRows(_currency())
    rows.read(request.form)
    if rows.act(request.form.get("act", "")):
        return _page(form, rows, service_id)

    def save() -> None:
        facts = form.service_facts(rows.lengths())
        deeds.change_service(service_id, facts, seen=form.seen.data or "", by=who(), now=clock.now())

    def seen_now() -> str:
        return mark_of(asdict(queries.service_facts(found(queries.service(service_id)))))

    if not saves(form, save, seen_now=seen_now, rest_is_right=rows.validate()):
        return _page(form, rows, service_id, status=422)
    flash(
        _("%(data)s is saved. Visits already booked stay as they are.", data=gettext(str(form.name.data))),
        "success",
    )
    return go("catalogue.owner_services")


def _with_choices(form: ServiceForm) -> ServiceForm:
    give_kit_choices(form)
    choose(form.judged_as, list(_columns().items()))
    choose(form.licence_kind, [(kind, licence_kind_words(kind)) for kind in queries.licence_kinds()])
    choose(form.room_kind, [(kind, words_of(kind, ROOM_KINDS)) for kind in queries.room_kinds()])
    choose(form.addons, [(row.key, row.name) for row in queries.all_addons()])
    return form


def _columns() -> dict[str, str]:
    """The seven services that others are judged as, under the names the clinic gives them."""
    names = {row.key: row.name for row in queries.all_services()}
    return {key: names.get(key, key.replace("_", " ").capitalize()) for key in SERVICES}


def _currency() -> str:
    return premises.clinic_settings().currency


def _page(form: ServiceForm, rows: LengthRows, service_id: int | None, status: int = 200) -> Answer:
    row = queries.service(service_id) if service_id else None
    judged_as = [text for key, text in _columns().items() if row is not None and key in row.judged_as]
    page = render_template(
        "catalogue/owner_service.html", form=form, lengths=rows, service=row, judged_as=judged_as
    )
    return page, status
