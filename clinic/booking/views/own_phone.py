"""The phone numbers of the people of an account, on one page."""

from __future__ import annotations

from flask import flash, render_template, request
from flask_login import current_user

from clinic.booking.forms.choice import whole_number
from clinic.booking.forms.person import OwnPhoneForm
from clinic.booking.services import own_phone
from clinic.booking.views.blueprint import pages
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.proofs import Proof
from clinic.shared import clock
from clinic.shared.web import Answer, found, go

OWN = Permission.PERSON_OWN_WRITE


@pages.get("/my/phone", needs=OWN, proof=Proof.RECENT)
def my_phone() -> Answer:
    """A form for each person, filled in as it stands."""
    return _page()


@pages.post("/my/phone", needs=OWN, proof=Proof.RECENT)
def save_my_phone() -> Answer:
    """Save the number of one person."""
    client_id = whole_number(request.form.get("person")) or 0
    client = found(clients.client_of(current_user.id, client_id))
    typed = OwnPhoneForm(request.form, prefix=f"p{client_id}-")  # a merge gave them another number since
    form = OwnPhoneForm(prefix=f"p{client.id}-", data={"phone": typed.phone.data})
    form.region = premises.clinic().phone_region
    if not form.validate():
        return _page({client.id: form}), 422
    try:
        own_phone.change_phone(current_user.id, client.id, form.phone.data or "", now=clock.now())
    except InvalidInput as error:
        form.phone.errors = [*form.phone.errors, error.sentence]
        return _page({client.id: form}), 422
    flash(_("The phone number is saved."), "success")
    return go("booking.my_phone")


def _page(typed: dict[int, OwnPhoneForm] | None = None) -> str:
    people = []
    for one in clients.people_of(current_user.id):
        client = found(clients.client_of(current_user.id, one.client_id))
        form = (typed or {}).get(one.client_id)
        people.append((one, form or OwnPhoneForm(prefix=f"p{one.client_id}-", data={"phone": client.phone})))
    return render_template("booking/my_phone.html", people=people)
