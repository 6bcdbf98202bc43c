"""Whose letters and answers somebody at a page of the diary may open: nothing leads to a page that is not there."""

from __future__ import annotations

import datetime as dt

from clinic.accounts.access import is_named, who
from clinic.booking.queries import visits
from clinic.intake.queries.concern import concerns
from clinic.rules.permissions import Permission
from clinic.therapists import queries as therapists


def may_open_letters(client_id: int, now: dt.datetime) -> bool:
    """As the pages of letters answer (clinic/intake/views/concern.py)."""
    return is_named(Permission.CLINICAL_REVIEW) or concerns(who() or 0, client_id, now)


def may_copy(client_id: int, now: dt.datetime) -> bool:
    """As the copy of what is kept about somebody is made for them (clinic/records/services/reading.py)."""
    me = therapists.therapist_of_user(who() or 0)
    return is_named(Permission.CLINICAL_REVIEW) or (me is not None and visits.treats(me.id, client_id, now))
