"""Which messages somebody wants: on their own page, and by the link in a mail."""

from __future__ import annotations

from flask import abort, current_app, flash, render_template, request
from flask_login import current_user

from clinic.clients import choices as chosen
from clinic.clients import queries as clients
from clinic.messages import queries, services
from clinic.messages.views.blueprint import pages
from clinic.rules.language import gettext as _
from clinic.rules.messages import KINDS
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go


@pages.get("/my/messages", needs=Permission.ACCOUNT_OWN_WRITE)
def choices() -> Answer:
    """What this account can choose, for everybody they act for."""
    return render_template("messages/choices.html", people=_people(), labels=KINDS)


@pages.post("/my/messages", needs=Permission.ACCOUNT_OWN_WRITE)
def save_choices() -> Answer:
    """Keep what they chose for one person."""
    client_id = request.form.get("client", type=int)
    client = clients.client_of(current_user.id, client_id) if client_id is not None else None
    client_id = client.id if client is not None else client_id  # merged into another one since the page came
    shown = next((one for one in _people() if one.client_id == client_id), None)
    if shown is None:
        abort(404)
    services.choose_for(current_user.id, client_id, _changed(shown), now=clock.now())
    flash(_("Your choice is saved."), "success")
    return go("messages.choices")


def _changed(shown: queries.Chosen) -> dict[str, bool]:
    """What is no longer as the page came: what was switched off by a mail's link meanwhile stays off. A page that does
    not say how it came means all that it would show."""
    ticked, was = (set(request.form.getlist(name)) for name in ("kind", "was"))
    on_page = set(request.form.getlist("shown"))
    changed = on_page & (ticked ^ was) if on_page else {kind for kind, _was in shown.kinds}
    return {kind: kind in ticked for kind, _was in shown.kinds if kind in changed}


def _people() -> list[queries.Chosen]:
    has_sms = bool(current_app.config["CLINIC_SMS_URL"])
    return queries.chosen(current_user.id, is_staff=current_user.is_staff, has_sms=has_sms)


@pages.get("/messages/stop/<token>", needs=Permission.SITE_ANY_READ)
def ask_stop(token: str) -> Answer:
    """Asks first: a program that only opens links switches nothing off."""
    return _stop_page(token, "ask")


@pages.post("/messages/stop/<token>", needs=Permission.SITE_ANY_READ)
def stop(token: str) -> Answer:
    """Switch the kind off, or on again; a mail program presses this by itself (RFC 8058). The signed key is the
    permission, so no cookie counts here and no form of another site can do more than the key says."""
    found = chosen.opened(token)
    if found is None:
        abort(404)
    whose, kind = found
    again = request.form.get("act") == "again"
    services.choose(whose, {kind: again}, now=clock.now())
    return _stop_page(token, "again" if again else "done")


def _stop_page(token: str, state: str) -> str:
    found = chosen.opened(token)
    if found is None:
        abort(404)
    return render_template("messages/stop.html", token=token, label=KINDS[found[1]].label, state=state)
