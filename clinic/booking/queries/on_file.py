"""What there is of a person beside their answers: for most people nothing, which one statement says for all tables."""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, select

from clinic.booking.models import Visit
from clinic.clients.models import Client
from clinic.intake.models import BadReaction, Clearance, Consent, HealthStop, Intake, SoftenedReview
from clinic.shared.database import db
from clinic.shared.read_once import note_none
from clinic.therapists.models import NeverTogether, TherapistRestriction

_PERSON = bindparam("person", type_=Integer())
_KINDS = (Visit, HealthStop, BadReaction, Clearance, Consent, TherapistRestriction, NeverTogether)
_ANY = select(
    select(Client.__table__.c.id).where(Client.__table__.c.merged_into_id == _PERSON).exists(),
    select(SoftenedReview.id)
    .join(Intake, Intake.id == SoftenedReview.intake_id)
    .where(Intake.client_id == _PERSON)
    .exists(),
    *(select(kind.id).where(kind.client_id == _PERSON).exists() for kind in _KINDS),
)


def note_what_is_not_there(client: Client) -> None:
    """Spare whoever judges this person in this transaction the statements that would find nothing.

    Only for a proven record that is locked: nobody adds a row meanwhile. Of one that may be somebody else the judging
    reads as much with a match as without, so that the time it takes tells nothing.
    """
    if client.is_unproven:
        return
    has_alias, *found = db.session.execute(_ANY, {"person": client.id}).one()
    if has_alias:  # what counts is under several records
        return
    for kind, is_there in zip((Client, SoftenedReview, *_KINDS)[1:], found, strict=True):
        if not is_there:
            note_none(kind, client.id)
    note_none(Client, client.id)
