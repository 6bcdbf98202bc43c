"""A person asks to be erased, or takes that back: for themselves, or a parent for their child."""

from __future__ import annotations

from flask import abort, flash, render_template
from flask_login import current_user

from clinic.clients import queries as clients
from clinic.keeping.queries import people, requests
from clinic.keeping.services import erasing
from clinic.keeping.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.records.copy_words import table_words
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

OWN = Permission.PERSON_OWN_WRITE


@pages.get("/my/people/<int:client_id>/erase", needs=OWN)
def my_erasure(client_id: int) -> Answer:
    """What would go and what would stay, and the way to ask for it."""
    now, adult_age = clock.now(), premises.clinic().adult_age
    client = found(clients.client(client_id))
    if not clients.may_know_all(current_user.id, client.id, adult_age=adult_age, today=premises.today(now)):
        abort(404)
    return render_template(
        "keeping/my_erasure.html",
        shown=found(people.preview(client.id, now)),
        asked=requests.open_request(client.id),
        table_words=table_words,
    )


@pages.post("/my/people/<int:client_id>/erase", needs=OWN)
def ask_for_erasure(client_id: int) -> Answer:
    """Ask the clinic; a person there carries it out."""
    try:
        erasing.ask_to_be_erased(client_id, by=current_user.id, now=clock.now())
    except NotFound:
        abort(404)
    flash(_("Your request has reached the clinic."), "success")
    return go("keeping.my_erasure", client_id=client_id)


@pages.post("/my/people/<int:client_id>/erase/back", needs=OWN)
def take_erasure_back(client_id: int) -> Answer:
    """Stay after all."""
    try:
        erasing.take_request_back(client_id, by=current_user.id, now=clock.now())
    except NotFound:
        abort(404)
    flash(_("Your request is taken back. Nothing was erased."), "success")
    return go("keeping.my_erasure", client_id=client_id)
