"""A therapist's picture: sent by the owner, shown where clients choose."""

from __future__ import annotations

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.pictures import MOST_BYTES, face_of
from clinic.shared.uploads import posted_files
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries, services
from clinic.therapists.views.blueprint import pages


@pages.get("/owner/therapists/<int:therapist_id>/picture", needs=Permission.THERAPIST_ANY_WRITE)
def face(therapist_id: int) -> Answer:
    """The picture as it is, and a form for another."""
    return _page(therapist_id)


@pages.post(
    "/owner/therapists/<int:therapist_id>/picture", needs=Permission.THERAPIST_ANY_WRITE, takes=MOST_BYTES
)
def save_face(therapist_id: int) -> Answer:
    """Show another picture, or with `act=drop` the initials again."""
    found(queries.therapist(therapist_id))
    is_to_go = request.form.get("act") == "drop"
    try:
        sent = [] if is_to_go else posted_files("picture", most=1)
        if not is_to_go and len(sent) != 1:
            raise InvalidInput("picture", _("Choose one picture."))
        drawn = face_of(sent[0]) if sent else None
    except InvalidInput as error:
        return _page(therapist_id, error.sentence), 422
    services.save_picture(therapist_id, drawn, by=who(), now=clock.now())
    flash(
        _("The initials are shown again.") if is_to_go else _("The picture is shown to clients now."),
        "success",
    )
    return go("therapists.face", therapist_id=therapist_id)


def _page(therapist_id: int, error: str = "") -> str:
    return render_template("therapists/face.html", row=found(queries.therapist(therapist_id)), error=error)
