"""The desk takes a consent back for somebody who is not online, with what follows shown before it is done."""

from __future__ import annotations

from flask import abort, render_template

from clinic.booking.views.blueprint import pages
from clinic.booking.views.own_consents import would_wait
from clinic.clients import queries as clients
from clinic.intake import queries as intake
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found


@pages.get("/clients/<int:client_id>/consent/<int:consent_id>", needs=Permission.INTAKE_ANY_WRITE)
def ask_back_at_desk(client_id: int, consent_id: int) -> Answer:
    """What taking it back means, to be read out. The button is the one of a guardian's consent."""
    client = found(clients.client(client_id))
    consent = next((one for one in intake.consents_shown(client.id) if one.id == consent_id), None)
    if consent is None:
        abort(404)
    waits = would_wait(client, consent, clock.now())
    return render_template("booking/desk_take_back.html", client=client, consent=consent, waits=waits)
