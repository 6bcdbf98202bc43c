"""One's own account: who it is, where it is signed in, its password."""

from __future__ import annotations

from flask import abort, flash, render_template, request
from flask_login import current_user

from clinic.accounts import queries, services
from clinic.accounts.access import clinic_name, forget_browser, let_in, origin, session_rules
from clinic.accounts.forms import ChangePasswordForm, PinForm
from clinic.accounts.password_rules import shortest
from clinic.accounts.views.blueprint import pages, refused
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, Asks, go


@pages.get("/account", needs=Permission.ACCOUNT_OWN_WRITE)
def account() -> Answer:
    """Name, e-mail, and the browsers in which this account is signed in."""
    browsers = queries.signed_in_browsers(current_user.id, session_rules(), clock.now())
    ways = queries.ways_of(current_user.id)
    return render_template("accounts/account.html", browsers=browsers, has_pin=_has_pin(), ways=ways)


@pages.post(
    "/account/browsers/<int:session_id>/sign-out", needs=Permission.ACCOUNT_OWN_WRITE, proof=Proof.RECENT
)
def sign_out_browser(session_id: int) -> Answer:
    """End one of one's own sessions, perhaps this one."""
    try:
        services.end_session(current_user.id, session_id, clock.now())
    except NotFound:
        abort(404)
    if session_id == current_user.session_id:
        forget_browser()
        flash(_("You are signed out."), "success")
        return go("accounts.sign_in")
    flash(_("That browser is signed out."), "success")
    return go("accounts.account")


@pages.post("/account/browsers/sign-out-others", needs=Permission.ACCOUNT_OWN_WRITE, proof=Proof.RECENT)
def sign_out_others() -> Answer:
    """End all of one's own sessions but this one."""
    services.end_other_sessions(current_user.id, current_user.session_id, clock.now())
    flash(_("Every other browser is signed out."), "success")
    return go("accounts.account")


@pages.get("/account/password", needs=Permission.ACCOUNT_OWN_WRITE)
def change_password() -> Answer:
    """The form for a new password."""
    return render_template(
        "accounts/change_password.html", form=ChangePasswordForm(), refusal=None, least=_least()
    )


@pages.post("/account/password", needs=Permission.ACCOUNT_OWN_WRITE)
def save_password() -> Answer:
    """Set a new password; every other browser is signed out, and this one gets a new session."""
    form = ChangePasswordForm(request.form)
    if not form.validate():
        return refused("change_password", form, least=_least())
    try:
        token = services.change_password(
            current_user.id,
            form.current_password.data or "",
            form.new_password.data or "",
            session_id=current_user.session_id,
            clinic_name=clinic_name(),
            origin=origin(),
            now=clock.now(),
        )
    except RuleViolation as error:
        return refused("change_password", form, error, least=_least())
    let_in(token)
    flash(_("Your password is changed. You are signed out in every other browser."), "success")
    return go("accounts.account")


@pages.get("/account/pin", needs=Permission.ACCOUNT_OWN_WRITE)
def change_pin() -> Answer:
    """The form for a PIN: only somebody of the team hands devices over."""
    _only_staff()
    return render_template("accounts/change_pin.html", form=PinForm(), refusal=None, has_pin=_has_pin())


@pages.post("/account/pin", needs=Permission.ACCOUNT_OWN_WRITE)
def save_pin() -> Answer:
    """Set the PIN. The password proves that it is not somebody who found the screen open."""
    _only_staff()
    form = PinForm(request.form)
    if not form.validate():
        return refused("change_pin", form, has_pin=_has_pin())
    try:
        services.set_pin(
            current_user.id,
            form.current_password.data or "",
            form.pin.data or "",
            origin=origin(),
            now=clock.now(),
        )
    except RuleViolation as error:
        return refused("change_pin", form, error, has_pin=_has_pin())
    flash(_("Your PIN is set."), "success")
    return go("accounts.account")


ASKS_FOR_PIN = Asks(
    N_("Take your PIN away?"),
    N_("Take my PIN away"),
    "accounts.change_pin",
    N_("You then need your password to take a device back."),
)


@pages.post("/account/pin/remove", needs=Permission.ACCOUNT_OWN_WRITE, proof=Proof.RECENT, asks=ASKS_FOR_PIN)
def remove_pin() -> Answer:
    """Take the PIN away: from then on the password is needed."""
    services.remove_pin(current_user.id, clock.now())
    flash(_("Your PIN is taken away."), "success")
    return go("accounts.account")


def _only_staff() -> None:
    if not current_user.is_staff:
        abort(404)


def _has_pin() -> bool:
    return queries.first_name_and_pin(current_user.id)[1]


def _least() -> int:
    return shortest(has_second_step=queries.ways_of(current_user.id).has_factor)
