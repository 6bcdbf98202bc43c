"""Signing in by a link that is mailed: for clients who do not want to keep a password."""

from __future__ import annotations

from flask import render_template, request
from flask_login import current_user

from clinic.accounts import queries, services
from clinic.accounts.access import carry_on, is_demo, origin
from clinic.accounts.forms import ForgotForm
from clinic.accounts.views.blueprint import pages, refused
from clinic.accounts.views.links import dead_link, dead_or_refused
from clinic.rules.errors import RuleViolation
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go

NEED = Permission.SITE_ANY_READ


@pages.get("/sign-in/link", needs=NEED)
def sign_in_link() -> Answer:
    """Ask for a link that signs in."""
    return render_template("accounts/sign_in_link.html", form=ForgotForm(), refusal=None)


@pages.post("/sign-in/link", needs=NEED)
def send_sign_in_link() -> Answer:
    """The same answer whether the e-mail has an account or not, and whether the link is for them."""
    form = ForgotForm(request.form)
    if not form.validate():
        return refused("sign_in_link", form)
    try:
        services.ask_for_link(form.email.data or "", "sign_in", origin=origin(), now=clock.now())
    except RuleViolation as error:
        return refused("sign_in_link", form, error)
    return go("accounts.sign_in_link_sent")


@pages.get("/sign-in/link/sent", needs=NEED)
def sign_in_link_sent() -> Answer:
    """What happens now, for every e-mail alike."""
    return render_template("accounts/sign_in_link_sent.html")


@pages.get("/sign-in/link/<token>", needs=NEED)
def open_sign_in_link(token: str) -> Answer:
    """A button, so that a mail scanner that opens the link does not use it up."""
    if queries.live_link(token, clock.now(), {"sign_in"}) is None:
        return dead_link()
    return render_template("accounts/use_sign_in_link.html", token=token)


@pages.post("/sign-in/link/<token>", needs=NEED)
def use_sign_in_link(token: str) -> Answer:
    """In, or on to the second step of an account that has one."""
    try:
        entered = services.sign_in_by_link(
            token,
            origin=origin(),
            now=clock.now(),
            replaces=current_user.session_id,
            is_demo=is_demo(),
        )
    except RuleViolation as error:
        return dead_or_refused(error)
    return carry_on(entered, "")
