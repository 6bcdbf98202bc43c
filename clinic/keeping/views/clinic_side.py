"""The clinic erases somebody: the queue of requests, what would go, and doing it."""

from __future__ import annotations

from flask import abort, current_app, flash, render_template, request

from clinic.accounts.access import who
from clinic.keeping.forms import EraseForm
from clinic.keeping.queries import people, requests
from clinic.keeping.services import erasing
from clinic.keeping.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.records.copy_words import clinics_table_words
from clinic.rules.errors import KeysLeft, NotFound, RuleViolation
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

NEED = Permission.CLIENT_ANY_ERASE


@pages.get("/owner/erasures", needs=NEED)
def erasures() -> Answer:
    """Who asked to be erased, the most urgent first, and what was done."""
    return render_template(
        "keeping/erasures.html",
        waiting=requests.open_requests(),
        done=requests.carried_out(),
        today=premises.today(clock.now()),
    )


@pages.get("/clients/<int:client_id>/erase", needs=NEED)
def erasing_client(client_id: int) -> Answer:
    """What goes, what stays, why and until when; what has to be done first."""
    return _page(client_id, EraseForm())


@pages.post("/clients/<int:client_id>/erase", needs=NEED, proof=Proof.RECENT)
def erase_client(client_id: int) -> Answer:
    """Erase them."""
    form = EraseForm(request.form)
    if not form.validate():
        return _page(client_id, form), 422
    try:
        erasing.erase_person(client_id, settings=current_app.config, by=who(), now=clock.now())
    except NotFound:
        abort(404)
    except KeysLeft as error:
        flash(error.sentence, "care")
        return go("keeping.erasures")
    except RuleViolation as error:
        form.add_error("", error.sentence)
        return _page(client_id, form), 409
    flash(_("Everything that may be erased is erased."), "success")
    return go("keeping.erasures")


def _page(client_id: int, form: EraseForm) -> str:
    shown = found(people.preview(client_id, clock.now()))
    kept_days = current_app.config["CLINIC_BACKUP_HOURS"] * current_app.config["CLINIC_BACKUPS_KEPT"] // 24
    return render_template(
        "keeping/erase.html", shown=shown, form=form, table_words=clinics_table_words, backup_days=kept_days
    )
