"""The owner's way in, the clinic's settings, and the health rules to read."""

from __future__ import annotations

from dataclasses import asdict

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.premises import queries, services
from clinic.premises.facts import ClinicSettings
from clinic.premises.forms.settings import SettingsForm
from clinic.premises.views.blueprint import pages
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, go


@pages.get("/owner", needs=Permission.CLINIC_ANY_WRITE)
def owner_home() -> Answer:
    """Every page of the owner, in plain words. Raises NotOpenYet."""
    queries.clinic_settings()
    return render_template("premises/owner_home.html")


@pages.get("/owner/settings", needs=Permission.CLINIC_ANY_WRITE)
def settings() -> Answer:
    """The settings as they are."""
    facts = queries.clinic_settings()
    return _page(SettingsForm(data=asdict(facts) | {"seen": _seen()}))


@pages.post("/owner/settings", needs=Permission.CLINIC_ANY_WRITE)
def save_settings() -> Answer:
    """Change the settings."""
    form = SettingsForm(request.form)

    def save() -> None:
        facts = form.facts(ClinicSettings)
        services.save_settings(facts, seen=form.seen.data or "", by=who(), now=clock.now())

    if not saves(form, save, seen_now=_seen):
        return _page(form), 422
    flash(_("The settings are saved."), "success")
    return go("premises.settings")


def _page(form: SettingsForm) -> str:
    """The form, with what each setting does as it is saved now."""
    return render_template(
        "premises/settings.html", form=form, effects=queries.effects_of_settings(clock.now())
    )


def _seen() -> str:
    return mark_of(asdict(queries.clinic_settings()))
