"""The locked screen: in the place of every page, or over one that was left open (static/js/lock.js)."""

from __future__ import annotations

from flask import redirect, request
from flask_login import current_user

from clinic.accounts import services
from clinic.accounts.access import LOCKED, first_page, locked_screen, origin
from clinic.accounts.forms import ReopenForm
from clinic.accounts.views.blueprint import pages, refused
from clinic.rules.errors import RuleViolation
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, safe_next

NEED = Permission.ACCOUNT_OWN_WRITE


@pages.post("/account/awake", needs=NEED)
def stay_awake() -> Answer:
    """Somebody of the team reads or types; it counts as use like every request of theirs."""
    return "", 204


@pages.post("/account/lock", needs=NEED)
def lock_screen() -> Answer:
    """Lock it now. Only the team's screens lock: a client signs out."""
    if current_user.is_staff:
        services.lock_screen(current_user.session_id, clock.now())
    return locked_screen(ReopenForm()), LOCKED


@pages.post("/account/reopen", needs=NEED)
def reopen_screen() -> Answer:
    """Open it again, with what stood on it: the page that was asked for, or the one underneath."""
    form = ReopenForm(request.form)
    if not form.validate():
        return refused("locked", form)
    try:
        services.reopen_screen(
            current_user.id,
            current_user.session_id,
            form.proof.data or "",
            origin=origin(),
            now=clock.now(),
        )
    except RuleViolation as error:
        return refused("locked", form, error)
    if request.headers.get("X-Requested-With") == "fetch":
        return "", 204
    return redirect(safe_next(form.next.data, first_page()), code=303)
