"""What therapists asked for beyond the rules, for whoever reviews it."""

from __future__ import annotations

import datetime as dt

from clinic.booking.queries import visits
from clinic.therapists import queries as therapists
from clinic.therapists.models import TherapistRestriction


def to_review(user_id: int, now: dt.datetime, *, reads_all: bool) -> list[TherapistRestriction]:
    """Newest first: to somebody given clinical review by name everything; to a therapist what they asked for
    themselves, and what holds for those whom they treat. Each names a reason, and that is about somebody's health."""
    rows = list(therapists.all_restrictions())
    if reads_all:
        return rows
    me = therapists.therapist_of_user(user_id)
    if me is None:
        return []
    theirs = visits.treated(me.id, {one.client_id for one in rows}, now)
    return [one for one in rows if one.therapist_id == me.id or one.client_id in theirs]
