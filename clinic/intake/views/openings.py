"""Answers that are closed to who is at the screen, opened in an emergency: a reason and the second step open them for a
quarter of an hour, each look is recorded, and the owners are told at once.
"""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from clinic.accounts import queries as accounts
from clinic.accounts.access import site, who
from clinic.accounts.forms import ProofForm
from clinic.accounts.views.proving import takes_password
from clinic.clients import queries as clients
from clinic.intake.forms import OpeningForm
from clinic.intake.queries import answer_sheets
from clinic.intake.queries import openings as queries
from clinic.intake.queries.concern import concerns
from clinic.intake.services import openings as services
from clinic.intake.views.blueprint import pages
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

NEED = Permission.ANSWERS_ANY_OPEN


@pages.get("/clients/<int:client_id>/closed-answers", needs=NEED)
def closed_answers(client_id: int) -> Answer:
    """The answers, while they are open to this person; else the form that opens them."""
    client = found(clients.client(client_id))
    try:
        until = services.note_look(client.id, by=who() or 0, now=clock.now())
    except NotFound:
        return _closed(client, OpeningForm())
    sheets = answer_sheets(client.id)
    return render_template("intake/opened_answers.html", client=client, sheets=sheets, until=until)


@pages.post("/clients/<int:client_id>/closed-answers", needs=NEED, proof=Proof.SECOND_STEP)
def open_answers(client_id: int) -> Answer:
    """Open them: whoever gets here has shown the second step with this very form."""
    client, form = found(clients.client(client_id)), OpeningForm(request.form)
    if not form.validate():
        return _closed(client, form, 422)
    try:
        services.open_answers(client.id, form.reason.data or "", by=who() or 0, now=clock.now())
    except InvalidInput as error:
        form.reason.errors = [error.sentence]
        return _closed(client, form, 422)
    return go("intake.closed_answers", client_id=client.id)


def _closed(client: Any, form: OpeningForm, status: int = 200) -> Response:
    ways = accounts.ways_of(who() or 0)
    # Who meets no client but their own learns nobody's name by trying numbers: this page leaves no row in the audit.
    may_know = current_user.may(Permission.CLIENT_ANY_READ) or concerns(who() or 0, client.id, clock.now())
    page = render_template(
        "intake/closed_answers.html",
        client=client,
        name=client.name if may_know else _("Record %(number)s", number=client.id),
        opening=form,
        form=ProofForm(),
        ways=ways,
        takes_password=takes_password(Proof.SECOND_STEP, ways),
        has_passkeys=bool(ways.passkeys) and site().has_passkeys,
    )
    return make_response(page, status)


@pages.get("/owner/opened-answers", needs=Permission.TEAM_ANY_WRITE)
def openings() -> Answer:
    """Who opened whose answers, when and why."""
    return render_template("intake/openings.html", rows=queries.openings())
