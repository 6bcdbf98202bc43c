"""What there is of all that a booking asks about, with the clinic: mostly nothing, which one statement says at once."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Integer, String, bindparam, func, select

from clinic.booking.models import Claim, Visit
from clinic.booking.queries import the_book, visits
from clinic.clients.models import Client
from clinic.intake.models import (
    BadReaction,
    Clearance,
    Consent,
    HealthStop,
    Intake,
    IntakeDraft,
    SoftenedReview,
)
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rulebook.models import RulesVersion
from clinic.shared.database import db
from clinic.shared.read_once import note_none
from clinic.therapists.models import NeverTogether, TherapistRestriction

_PERSON = bindparam("person", type_=Integer())
_KINDS = (
    Visit, HealthStop, BadReaction, Clearance, Consent, IntakeDraft, TherapistRestriction, NeverTogether
)  # fmt: skip
_WHETHER = (
    select(Visit.id).where(Visit.request_key == bindparam("key", type_=String())).exists(),
    select(func.min(Claim.expires_at)).scalar_subquery() <= bindparam("now"),  # the first in its index
    select(RulesVersion.number).exists(),
    select(Client.__table__.c.id).where(Client.__table__.c.merged_into_id == _PERSON).exists(),
    select(SoftenedReview.id)
    .join(Intake, Intake.id == SoftenedReview.intake_id)
    .where(Intake.client_id == _PERSON)
    .exists(),
    *(select(kind.id).where(kind.client_id == _PERSON).exists() for kind in _KINDS),
)
_ANY = premises.CLINIC_AND_PLACE.add_columns(*_WHETHER)


def note_what_is_not_there(client: Client, *, request_key: str | None, now: dt.datetime) -> None:
    """Spare whoever asks about this person in this transaction the statements that would find nothing.

    Of the person only for a proven record, which whoever writes has locked: nobody adds a row meanwhile. Of one that
    may be somebody else the judging reads as much with a match as without, so that the time it takes tells nothing.
    """
    given = {"person": client.id, "key": request_key, "now": now}
    row = db.session.execute(_ANY, given).one_or_none()
    if row is None:  # the clinic is not set up yet
        return
    premises.note_clinic(row)
    is_made, is_over, has_rules, has_alias, *found = row[-len(_WHETHER) :]
    if request_key is not None and not is_made:
        visits.note_not_made(request_key)
    if not is_over:
        the_book.note_none_is_over(now)
    if not has_rules:
        rulebook.note_as_shipped()
    if client.is_unproven or has_alias:  # with an alias, what counts is under several records
        return
    for kind, is_there in zip((Client, SoftenedReview, *_KINDS)[1:], found, strict=True):
        if not is_there:
            note_none(kind, client.id)
    note_none(Client, client.id)
