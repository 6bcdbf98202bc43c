"""The second step of signing in, and signing in with a passkey alone."""

from __future__ import annotations

from flask import redirect, render_template, request, session, url_for
from flask_login import current_user

from clinic.accounts import queries, services
from clinic.accounts.access import AHEAD, HALFWAY, first_page, halfway, let_in, origin, site
from clinic.accounts.forms import PasskeySignInForm, ProofForm, SignInForm
from clinic.accounts.tries import TooManyTries
from clinic.accounts.views.blueprint import pages, refused
from clinic.accounts.views.proving import NOTHING_SHOWN, challenged, shown, signed
from clinic.rules.errors import RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, error_page, go, safe_next

NEED = Permission.FACTOR_OWN_WRITE


@pages.get("/sign-in/second-step", needs=NEED)
def second_step() -> Answer:
    """Ask for the code or the passkey; who has none yet sets it up first."""
    person = halfway()
    if person is None:
        return redirect(first_page(), 303)
    if not person.has_factor:
        return go("accounts.factors")
    return render_template("accounts/second_step.html", form=ProofForm(), refusal=None, **_about(person))


@pages.post("/sign-in/second-step", needs=NEED)
def try_second_step() -> Answer:
    """Into the session, and on to the page that was wanted first."""
    person = halfway()
    if person is None or not person.has_factor:
        return go("accounts.second_step")
    form = ProofForm(request.form)
    if not form.validate() or not (form.proof_code.data or form.proof_passkey.data):
        return refused("second_step", form, RuleViolation(_(NOTHING_SHOWN)), **_about(person))
    try:
        token = services.finish_sign_in(session[HALFWAY], shown(form), origin=origin(), now=clock.now())
    except RuleViolation as error:
        return refused("second_step", form, error, **_about(person))
    ahead = session.get(AHEAD, "")
    let_in(token)
    return redirect(safe_next(ahead, first_page()), 303)


def _about(person: queries.Halfway) -> dict[str, object]:
    ways = queries.ways_of(person.user_id)
    return {
        "person_name": person.name,
        "ways": ways,
        "has_passkeys": bool(ways.passkeys) and site().has_passkeys,
    }


@pages.post("/account/passkeys/challenge", needs=NEED)
def own_passkey_challenge() -> Answer:
    """Something to sign for a passkey of this account."""
    person = halfway()
    user_id = person.user_id if person is not None else current_user.id
    return _challenge(user_id)


@pages.post("/sign-in/passkey/challenge", needs=Permission.SITE_ANY_READ)
def any_passkey_challenge() -> Answer:
    """Something to sign for whatever passkey of this clinic the browser finds."""
    return _challenge(None)


def _challenge(user_id: int | None) -> Answer:
    try:
        made = services.challenge_for(user_id, site=site(), origin=origin(), now=clock.now())
    except TooManyTries as error:
        return error_page(429, error.sentence)
    return challenged(*made)


@pages.post("/sign-in/passkey", needs=Permission.SITE_ANY_READ)
def sign_in_by_passkey() -> Answer:
    """A passkey is both steps in one."""
    form = PasskeySignInForm(request.form)
    ahead = safe_next(form.next.data, "")
    try:
        if not form.validate():
            raise RuleViolation(_(NOTHING_SHOWN))
        token = services.sign_in_by_passkey(
            signed(form.proof_passkey.data or ""),
            origin=origin(),
            now=clock.now(),
            replaces=current_user.session_id,
        )
    except RuleViolation as error:
        return refused("sign_in", SignInForm(data={"next": ahead}), error, has_passkeys=site().has_passkeys)
    let_in(token)
    return redirect(ahead or first_page(), 303)


@pages.post("/sign-in/again", needs=NEED)
def sign_in_again() -> Answer:
    """Not this person: forget what was begun."""
    session.pop(HALFWAY, None)
    return redirect(url_for("accounts.sign_in"), 303)
