"""The second step of one's own account: authenticator app, passkeys, recovery codes.

Whoever works here and has none yet is brought to these pages right after the password, and gets nowhere else.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from flask import abort, flash, make_response, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from clinic.accounts import queries, services
from clinic.accounts.access import AHEAD, HALFWAY, first_page, halfway, let_in, origin, site
from clinic.accounts.forms import AppForm, PasskeyForm, PasskeyNameForm
from clinic.accounts.services.factors import Added, AtScreen
from clinic.accounts.views.blueprint import pages, refused
from clinic.accounts.views.proving import challenged, signed
from clinic.rules.errors import NotFound, RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, Asks, go, safe_next

NEED = Permission.FACTOR_OWN_WRITE


def _at_screen() -> AtScreen:
    """Whoever is signed in, or halfway in without any second step; else the step that is owed comes first."""
    person = halfway()
    if current_user.is_authenticated:
        return AtScreen(current_user.id, session_id=current_user.session_id)
    if person is None or person.has_factor:
        abort(go("accounts.second_step"))
    return AtScreen(person.user_id, half=session[HALFWAY])


@pages.get("/account/second-step", needs=NEED, proof=Proof.RECENT)
def factors() -> Answer:
    """What is set up, and what can be."""
    return render_template("accounts/factors.html", form=PasskeyForm(), refusal=None, **_about(_at_screen()))


def _about(who: AtScreen) -> dict[str, Any]:
    return {
        "ways": queries.ways_of(who.user_id),
        "has_passkeys": site().has_passkeys,
        "is_halfway": who.half is not None,
    }


@pages.post("/account/app/begin", needs=NEED, proof=Proof.RECENT)
def begin_app() -> Answer:
    """A new secret for an app; nothing counts yet."""
    services.begin_app(_at_screen().user_id, clock.now())
    return go("accounts.app_to_confirm")


@pages.get("/account/app", needs=NEED, proof=Proof.RECENT)
def app_to_confirm() -> Answer:
    """The secret as a picture and as letters, until a code shows that the app has it."""
    secret = queries.app_to_confirm(_at_screen().user_id)
    if secret is None:
        return go("accounts.factors")
    return render_template("accounts/app.html", form=AppForm(), refusal=None, **_for_the_app(secret))


@pages.post("/account/app", needs=NEED, proof=Proof.RECENT)
def confirm_app() -> Answer:
    """The first code of the app: from now on it counts."""
    who, form = _at_screen(), AppForm(request.form)
    secret = queries.app_to_confirm(who.user_id)
    if secret is None:
        return go("accounts.factors")
    if not form.validate():
        return refused("app", form, **_for_the_app(secret))
    try:
        added = services.confirm_app(who, form.code.data or "", origin=origin(), now=clock.now())
    except RuleViolation as error:
        return refused("app", form, error, **_for_the_app(secret))
    return _go_on(added, _("The app is set up. From now on it shows the code for your second step."))


def _for_the_app(secret: str) -> dict[str, Any]:
    import pyotp
    import segno

    email = queries.email_of(_at_screen().user_id)
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=site().name or "Clinic")
    picture = io.BytesIO()
    segno.make_qr(address, error="m").save(picture, kind="svg", scale=5, border=2, dark="#000", light="#fff")
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"picture": base64.b64encode(picture.getvalue()).decode(), "secret": groups, "address": address}


def _asks_for_app() -> Asks:
    _signed_in_only()
    question, deed = N_("Take the app away?"), N_("Take the app away")
    return Asks(question, deed, "accounts.factors", N_("Its codes work no more."))


@pages.post("/account/app/remove", needs=NEED, proof=Proof.RECENT, asks=_asks_for_app)
def remove_app() -> Answer:
    """Take the app away."""
    _signed_in_only()
    try:
        services.remove_app(current_user.id, current_user.session_id, clock.now())
    except RuleViolation as error:
        flash(error.sentence, "care")
        return go("accounts.factors")
    flash(_("The app is taken away. You can delete its entry on your phone."), "success")
    return go("accounts.factors")


@pages.post("/account/passkeys/new", needs=NEED, proof=Proof.RECENT)
def new_passkey() -> Answer:
    """What the browser needs to make a passkey."""
    return challenged(*services.passkey_to_make(_at_screen().user_id, site=site(), now=clock.now()))


@pages.post("/account/passkeys", needs=NEED, proof=Proof.RECENT)
def add_passkey() -> Answer:
    """Keep the passkey that the browser made."""
    who, form = _at_screen(), PasskeyForm(request.form)
    if not form.validate():
        return refused("factors", form, **_about(who))
    try:
        added = services.add_passkey(
            who, signed(form.credential.data or ""), form.name.data or "", origin=origin(), now=clock.now()
        )
    except RuleViolation as error:
        return refused("factors", form, error, **_about(who))
    return _go_on(added, _("Your passkey is set up."))


def _asks_for_passkey(passkey_id: int) -> Asks:
    _signed_in_only()
    names = {one.id: one.name for one in queries.ways_of(current_user.id).passkeys}
    name = names.get(passkey_id) or abort(404)
    question, deed = N_("Take this passkey away?"), N_("Take the passkey away")
    return Asks(question, deed, "accounts.factors", N_("It opens nothing here any more."), name)


@pages.post(
    "/account/passkeys/<int:passkey_id>/remove", needs=NEED, proof=Proof.RECENT, asks=_asks_for_passkey
)
def remove_passkey(passkey_id: int) -> Answer:
    """Take one passkey away."""
    _signed_in_only()
    try:
        services.remove_passkey(current_user.id, current_user.session_id, passkey_id, clock.now())
    except NotFound:
        abort(404)
    except RuleViolation as error:
        flash(error.sentence, "care")
        return go("accounts.factors")
    flash(_("The passkey is taken away. It opens nothing here any more."), "success")
    return go("accounts.factors")


@pages.post("/account/passkeys/<int:passkey_id>/name", needs=NEED, proof=Proof.RECENT)
def rename_passkey(passkey_id: int) -> Answer:
    """Call a passkey by another name; a name that cannot be stays in its field."""
    _signed_in_only()
    form = PasskeyNameForm(request.form)
    if not form.validate():
        about = {**_about(_at_screen()), "naming": passkey_id, "renamed": form}
        return render_template("accounts/factors.html", form=PasskeyForm(), refusal=None, **about), 422
    try:
        services.rename_passkey(current_user.id, passkey_id, form.name.data or "", clock.now())
    except NotFound:
        abort(404)
    flash(_("The passkey has its new name."), "success")
    return go("accounts.factors")


def _asks_for_codes() -> Asks:
    _signed_in_only()
    if not queries.ways_of(current_user.id).has_factor:
        abort(404)
    question, deed = N_("Make 10 new codes?"), N_("Make new codes")
    return Asks(question, deed, "accounts.factors", N_("The earlier ones work no more."))


@pages.post("/account/recovery-codes", needs=NEED, proof=Proof.RECENT, asks=_asks_for_codes)
def renew_codes() -> Answer:
    """Ten new codes, shown this once."""
    _signed_in_only()
    try:
        codes = services.renew_codes(current_user.id, current_user.session_id, clock.now())
    except NotFound:
        abort(404)
    except RuleViolation as error:
        flash(error.sentence, "care")
        return go("accounts.factors")
    return _codes_page(codes, url_for("accounts.factors"))


def _signed_in_only() -> None:
    """Halfway in there is nothing to take away."""
    if not current_user.is_authenticated:
        abort(go("accounts.second_step"))


def _go_on(added: Added, said: str) -> Answer:
    """With the first second step come the recovery codes; somebody halfway in is in by now."""
    was_halfway = not current_user.is_authenticated
    ahead = session.get(AHEAD, "")
    let_in(added.token)
    after = safe_next(ahead, first_page()) if was_halfway else url_for("accounts.factors")
    if added.codes:
        return _codes_page(added.codes, after)
    flash(said, "success")
    return go("accounts.factors")


def _codes_page(codes: tuple[str, ...], after: str) -> Response:
    """Shown once: they are kept nowhere, so the file to save lies in the page itself."""
    text = "".join(f"{code}\r\n" for code in codes)
    saved = base64.b64encode(text.encode()).decode()
    return make_response(
        render_template("accounts/recovery_codes.html", codes=codes, saved=saved, after=after)
    )
