"""The owner's pages of the add-ons."""

from __future__ import annotations

from dataclasses import asdict

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.catalogue import queries
from clinic.catalogue import services as deeds
from clinic.catalogue.forms.addon import AddonForm, KitForm
from clinic.catalogue.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.kinds import DEVICE_KINDS, SKILLS, words_of
from clinic.rules.language import _, gettext
from clinic.rules.money import typed_money
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go


@pages.get("/owner/addons", needs=Permission.CATALOGUE_ANY_WRITE)
def owner_addons() -> Answer:
    """All add-ons."""
    return render_template("catalogue/owner_addons.html", rows=queries.all_addons())


@pages.get("/owner/addons/new", needs=Permission.CATALOGUE_ANY_WRITE)
def new_addon() -> Answer:
    """An empty form."""
    start = {"minutes": 0, "turnover_minutes": 5, "position": 50, "is_active": True}
    return _page(_prepared(AddonForm(data=start)), None)


@pages.post("/owner/addons/new", needs=Permission.CATALOGUE_ANY_WRITE)
def add_addon() -> Answer:
    """Add an add-on."""
    form = _prepared(AddonForm(request.form))
    form.is_new = True

    def save() -> None:
        deeds.add_addon(form.addon_facts(), form.judged_as.data or "", by=who(), now=clock.now())

    if not saves(form, save):
        return _page(form, None, status=422)
    flash(_("%(data)s is added.", data=gettext(str(form.name.data))), "success")
    return go("catalogue.owner_addons")


@pages.get("/owner/addons/<int:addon_id>", needs=Permission.CATALOGUE_ANY_WRITE)
def owner_addon(addon_id: int) -> Answer:
    """One add-on as it is."""
    facts = queries.addon_facts(found(queries.addon(addon_id)))
    price = typed_money(facts.price, premises.clinic_settings().currency)
    shown = asdict(facts) | {"price": price, "seen": mark_of(asdict(facts))}
    return _page(_prepared(AddonForm(data=shown)), addon_id)


@pages.post("/owner/addons/<int:addon_id>", needs=Permission.CATALOGUE_ANY_WRITE)
def save_addon(addon_id: int) -> Answer:
    """Change an add-on."""
    found(queries.addon(addon_id))
    form = _prepared(AddonForm(request.form))

    def save() -> None:
        facts = form.addon_facts()
        deeds.change_addon(addon_id, facts, seen=form.seen.data or "", by=who(), now=clock.now())

    def seen_now() -> str:
        return mark_of(asdict(queries.addon_facts(found(queries.addon(addon_id)))))

    if not saves(form, save, seen_now=seen_now):
        return _page(form, addon_id, status=422)
    flash(
        _("%(data)s is saved. Visits already booked stay as they are.", data=gettext(str(form.name.data))),
        "success",
    )
    return go("catalogue.owner_addons")


def give_kit_choices(form: KitForm) -> None:
    """The skills and kinds of devices that can be ticked, in words."""
    choose(form.skills, [(skill, words_of(skill, SKILLS)) for skill in queries.skills()])
    choose(form.device_kinds, [(kind, words_of(kind, DEVICE_KINDS)) for kind in queries.device_kinds()])


def _prepared(form: AddonForm) -> AddonForm:
    give_kit_choices(form)
    form.currency = premises.clinic_settings().currency
    return form


def _page(form: AddonForm, addon_id: int | None, status: int = 200) -> Answer:
    row = queries.addon(addon_id) if addon_id else None
    return render_template("catalogue/owner_addon.html", form=form, addon=row), status
