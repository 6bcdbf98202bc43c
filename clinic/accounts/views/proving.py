"""Asking again who it is: before the deeds that matter, when the last proof is more than ten minutes old.

A route says `proof=Proof.…` beside what it needs, and that is all. Whoever has typed a form by then finds it again in
the page that asks, and sends it on together with the proof: nothing is lost, and the server keeps nothing meanwhile.
"""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from clinic.accounts import queries, services
from clinic.accounts.access import let_in, origin, site
from clinic.accounts.factors import Shown
from clinic.accounts.forms import ProofForm
from clinic.accounts.passkeys import Signed
from clinic.accounts.tries import TooManyTries
from clinic.accounts.views.blueprint import pages
from clinic.rules.errors import RuleViolation
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof, is_proven
from clinic.shared import clock
from clinic.shared.web import Answer, page_before, proofs_of, safe_next

CHALLENGE = "challenge"  # where a browser keeps what its passkey is to sign
OWN_FIELDS = frozenset({"csrf_token", *ProofForm()._fields})
NOTHING_SHOWN = N_("Please show that it is you in one of these ways.")


@pages.before_app_request
def ask_again() -> Response | None:
    """Let nobody on to a page that asks for a proof before they gave it."""
    proof = proofs_of(current_app).get(request.endpoint or "")
    if proof is None or not current_user.is_authenticated:
        return None
    if is_proven(Proof(proof), current_user.proved_at, clock.now()):
        return None
    if request.method != "POST":
        return redirect(url_for("accounts.prove", next=request.full_path.rstrip("?")), 303)
    form = ProofForm(request.form)
    if form.is_empty:
        return _asked(form, Proof(proof), request.full_path.rstrip("?"), status=422)
    return _taken(form, Proof(proof), request.full_path.rstrip("?"))


@pages.get("/account/prove", needs=Permission.ACCOUNT_OWN_WRITE)
def prove() -> Answer:
    """Ask before a page is shown on which something can be changed."""
    return _asked(ProofForm(), Proof.RECENT, _own_address(request.args.get("next", "")))


@pages.post("/account/prove", needs=Permission.ACCOUNT_OWN_WRITE)
def take_proof() -> Answer:
    """Go on to that page."""
    ahead = request.args.get("next", "")
    refusal = _taken(ProofForm(request.form), Proof.RECENT, _own_address(ahead))
    return refusal or redirect(safe_next(ahead, url_for("accounts.account")), 303)


def _own_address(ahead: str) -> str:
    return url_for("accounts.take_proof", next=safe_next(ahead, ""))


def _taken(form: ProofForm, proof: Proof, action: str) -> Response | None:
    """Take what was shown: the session goes on under a new key. Else the page that asks, with what is wrong."""
    if not form.validate() or form.is_empty:
        return _asked(form, proof, action, refusal=_(NOTHING_SHOWN), status=422)
    try:
        let_in(_prove(form, proof))
    except RuleViolation as error:
        status = 429 if isinstance(error, TooManyTries) else 422
        return _asked(form, proof, action, refusal=error.sentence, status=status)
    return None


def _prove(form: ProofForm, proof: Proof) -> str:
    at: dict[str, Any] = {"origin": origin(), "now": clock.now()}
    user_id, session_id = current_user.id, current_user.session_id
    if form.proof_code.data or form.proof_passkey.data:
        return services.prove_by_factor(user_id, session_id, shown(form), **at)
    if not takes_password(proof, queries.ways_of(user_id)):
        raise RuleViolation(_(NOTHING_SHOWN))
    return services.prove_by_password(user_id, session_id, form.proof_password.data or "", **at)


def takes_password(proof: Proof, ways: queries.Ways) -> bool:
    """A deed that asks for the second step takes no password; without a second step (staff of a demo) it has to."""
    return ways.has_password and (proof == Proof.RECENT or not ways.has_factor)


def shown(form: ProofForm) -> Shown:
    """What was shown as a second step: what a passkey signed, or else a code."""
    if not form.proof_passkey.data:
        return Shown(code=form.proof_code.data or "")
    return Shown(signed=signed(form.proof_passkey.data))


def signed(text: str) -> Signed:
    """What a passkey of this browser signed, for the challenge that this browser was given."""
    return Signed(text, session.pop(CHALLENGE, ""), site())


def challenged(challenge: str, options: str) -> Response:
    """The options for the browser's passkeys; the browser keeps what they are to sign."""
    session[CHALLENGE] = challenge
    return Response(options, mimetype="application/json")


def _where_from() -> str:
    """Where whoever would rather not goes back to: the page they were on, else their account."""
    before, here = page_before(), url_for("accounts.prove")
    return before if before not in ("", here) else url_for("accounts.account")


def _asked(
    form: ProofForm, proof: Proof, action: str, *, refusal: str | None = None, status: int = 200
) -> Response:
    """The page that asks, with everything that was typed on the page before."""
    ways = queries.ways_of(current_user.id)
    if request.files:
        abort(400)  # no page that asks for a proof takes files: they could not be kept
    typed = [pair for pair in request.form.items(multi=True) if pair[0] not in OWN_FIELDS]
    page = render_template(
        "accounts/prove.html",
        leave=_where_from(),
        form=form,
        ways=ways,
        takes_password=takes_password(proof, ways),
        has_passkeys=bool(ways.passkeys) and site().has_passkeys,
        typed=typed,
        action=action,
        refusal=refusal,
    )
    return make_response(page, status)
