"""Another e-mail address for one's account, and the link that confirms it."""

from __future__ import annotations

from flask import flash, render_template, request
from flask_login import current_user

from clinic.accounts import queries, services
from clinic.accounts.access import forget_browser, origin
from clinic.accounts.forms import ForgotForm
from clinic.accounts.views.blueprint import pages, refused
from clinic.accounts.views.links import dead_link, dead_or_refused
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, go


@pages.get("/account/email", needs=Permission.ACCOUNT_OWN_WRITE, proof=Proof.RECENT)
def change_email() -> Answer:
    """The form for another address."""
    return render_template("accounts/change_email.html", form=ForgotForm(), refusal=None)


@pages.post("/account/email", needs=Permission.ACCOUNT_OWN_WRITE, proof=Proof.RECENT)
def save_email() -> Answer:
    """Mail a link to the new address; until it is used nothing changes."""
    form = ForgotForm(request.form)
    if not form.validate():
        return refused("change_email", form)
    try:
        services.ask_for_new_email(
            current_user.id, current_user.session_id, form.email.data or "", origin=origin(), now=clock.now()
        )
    except RuleViolation as error:
        return refused("change_email", form, error)
    flash(_("We have sent a link to %(email)s. Open it within 30 minutes.", email=form.email.data), "success")
    return go("accounts.account")


@pages.get("/email/<token>", needs=Permission.SITE_ANY_READ)
def confirm_email(token: str) -> Answer:
    """What would be confirmed, and the button: a mail scanner that opens the link changes nothing."""
    link = queries.live_link(token, clock.now(), {"email"})
    return render_template("accounts/confirm_email.html", link=link, token=token) if link else dead_link()


@pages.post("/email/<token>", needs=Permission.SITE_ANY_READ)
def use_email(token: str) -> Answer:
    """From now on the person signs in with the new address."""
    try:
        services.confirm_email(token, origin=origin(), now=clock.now())
    except RuleViolation as error:
        return dead_or_refused(error)
    forget_browser(but_the_booking=True)
    flash(_("Your new e-mail address counts from now on. Sign in with it."), "success")
    return go("accounts.sign_in")
