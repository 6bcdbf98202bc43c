"""A client's card."""

from __future__ import annotations

from flask import render_template
from flask_login import current_user

from clinic.clients.forms import NoteForm
from clinic.diary.queries.client_card import client_card as read_card
from clinic.diary.views.blueprint import pages
from clinic.diary.views.reviewing import may_copy, may_open_letters
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found


@pages.get("/clients/<int:client_id>", needs=Permission.CLIENT_ANY_READ)
def client_card(client_id: int) -> Answer:
    """Contact, visits, notes and the state of the health questions; never an answer."""
    now = clock.now()
    card = found(read_card(client_id, now))
    reviews = current_user.may(Permission.CLINICAL_REVIEW)
    return render_template(
        "clients/card.html",
        card=card,
        client=card.client,
        form=NoteForm(),
        may_open_letters=reviews and may_open_letters(card.client.id, now),
        may_copy=reviews and may_copy(card.client.id, now),
    )
