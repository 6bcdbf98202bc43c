"""Signing in and out."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

from clinic.accounts import services
from clinic.accounts.access import forget_browser, let_in, origin
from clinic.accounts.forms import SignInForm
from clinic.accounts.views.blueprint import pages, refused
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go, safe_next

# Where people go first, by what they may do: the first that fits.
FIRST_PAGES = (
    (Permission.DIARY_ANY_READ, "diary.desk_day"),
    (Permission.DIARY_OWN_READ, "diary.my_day"),
    (Permission.VISIT_OWN_WRITE, "booking.my_visits"),
)


@pages.get("/sign-in", needs=Permission.SITE_ANY_READ)
def sign_in() -> Answer:
    """The sign-in form; whoever is signed in already goes on."""
    ahead = request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(safe_next(ahead, _first_page()), code=303)
    return render_template("accounts/sign_in.html", form=SignInForm(data={"next": ahead}), refusal=None)


@pages.post("/sign-in", needs=Permission.SITE_ANY_READ)
def try_sign_in() -> Answer:
    """Check e-mail and password, and give the browser a new session."""
    form = SignInForm(request.form)
    if not form.validate():
        return refused("sign_in", form)
    now = clock.now()
    try:
        token = services.sign_in(
            form.email.data or "",
            form.password.data or "",
            origin=origin(),
            now=now,
            replaces=current_user.session_id,
        )
    except RuleViolation as error:
        return refused("sign_in", form, error)
    let_in(token)
    return redirect(safe_next(form.next.data, _first_page()), code=303)


@pages.post("/sign-out", needs=Permission.ACCOUNT_OWN_WRITE)
def sign_out() -> Answer:
    """End this browser's session at the server, and forget it here."""
    services.end_session(current_user.id, current_user.session_id, clock.now())
    forget_browser()
    flash(_("You are signed out."), "success")
    return go("accounts.sign_in")


def _first_page() -> str:
    return next(url_for(endpoint) for need, endpoint in FIRST_PAGES if current_user.may(need))
