"""Forgotten passwords, and the links that set a new one."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts import queries, services
from clinic.accounts.access import clinic_name, forget_browser, origin
from clinic.accounts.forms import ForgotForm, NewPasswordForm
from clinic.accounts.password_rules import shortest
from clinic.accounts.views.blueprint import pages, refused
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, go


@pages.get("/password/forgot", needs=Permission.SITE_ANY_READ)
def forgot_password() -> Answer:
    """Ask for a link to a new password."""
    return render_template("accounts/forgot_password.html", form=ForgotForm(), refusal=None)


@pages.post("/password/forgot", needs=Permission.SITE_ANY_READ)
def send_password_link() -> Answer:
    """The same answer whether the e-mail has an account or not."""
    form = ForgotForm(request.form)
    if not form.validate():
        return refused("forgot_password", form)
    try:
        services.ask_for_link(form.email.data or "", origin=origin(), now=clock.now())
    except RuleViolation as error:
        return refused("forgot_password", form, error)
    return go("accounts.password_link_sent")


@pages.get("/password/sent", needs=Permission.SITE_ANY_READ)
def password_link_sent() -> Answer:
    """What happens now, for every e-mail alike."""
    return render_template("accounts/password_link_sent.html")


@pages.get("/password/<token>", needs=Permission.SITE_ANY_READ)
def new_password(token: str) -> Answer:
    """The form behind a mailed link; a link that does not work says nothing about why."""
    link = queries.live_link(token, clock.now())
    if link is None:
        return dead_link()
    least = shortest(has_second_step=link.has_second_step)
    return render_template(
        "accounts/new_password.html",
        form=NewPasswordForm(),
        refusal=None,
        link=link,
        token=token,
        least=least,
    )


@pages.post("/password/<token>", needs=Permission.SITE_ANY_READ)
def set_password(token: str) -> Answer:
    """Set the password; the person signs in with it afterwards."""
    form = NewPasswordForm(request.form)
    now = clock.now()
    refusal: RuleViolation | None = None
    if form.validate():
        try:
            services.set_password_by_link(
                token, form.password.data or "", clinic_name=clinic_name(), origin=origin(), now=now
            )
            forget_browser(but_the_booking=True)
            flash(_("Your password is set. Sign in with it now."), "success")
            return go("accounts.sign_in")
        except RuleViolation as error:
            refusal = error
    link = queries.live_link(token, now)
    if link is None:
        return dead_or_refused(refusal or services.DeadLink())
    least = shortest(has_second_step=link.has_second_step)
    return refused("new_password", form, refusal, link=link, token=token, least=least)


def dead_link() -> Answer:
    """The answer to every link that opens nothing: which of used, replaced, too old or made up is not said."""
    return render_template("accounts/dead_link.html", refusal=None), 404


def dead_or_refused(error: RuleViolation) -> Answer:
    """The answer when a link was not taken."""
    return dead_link() if isinstance(error, services.DeadLink) else refused("dead_link", ForgotForm(), error)
