"""Signing in and out."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_login import current_user

from clinic.accounts import services
from clinic.accounts.access import carry_on, first_page, forget_browser, halfway, is_demo, origin, site
from clinic.accounts.forms import SignInForm
from clinic.accounts.views.blueprint import pages, refused
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go, safe_next


@pages.get("/sign-in", needs=Permission.SITE_ANY_READ)
def sign_in() -> Answer:
    """The sign-in form; whoever is signed in already goes on, and whoever is halfway in goes on with that."""
    ahead = request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(safe_next(ahead, first_page()), code=303)
    if halfway() is not None:
        return go("accounts.second_step")
    return render_template(
        "accounts/sign_in.html", form=SignInForm(data={"next": ahead}), refusal=None, **_about()
    )


@pages.post("/sign-in", needs=Permission.SITE_ANY_READ)
def try_sign_in() -> Answer:
    """Check e-mail and password, and give the browser a new session."""
    form = SignInForm(request.form)
    if not form.validate():
        return refused("sign_in", form, **_about())
    now = clock.now()
    try:
        entered = services.sign_in(
            form.email.data or "",
            form.password.data or "",
            origin=origin(),
            now=now,
            replaces=current_user.session_id,
            is_demo=is_demo(),
        )
    except RuleViolation as error:
        return refused("sign_in", form, error, **_about())
    return carry_on(entered, safe_next(form.next.data, ""))


def _about() -> dict[str, Any]:
    return {"has_passkeys": site().has_passkeys, "undone": "undone" in request.args}


@pages.post("/sign-out", needs=Permission.ACCOUNT_OWN_WRITE)
def sign_out() -> Answer:
    """End this browser's session at the server, and forget it here."""
    services.end_session(current_user.id, current_user.session_id, clock.now())
    forget_browser()
    flash(_("You are signed out."), "success")
    return go("accounts.sign_in")
