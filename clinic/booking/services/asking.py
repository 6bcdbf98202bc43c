""" "Has anything changed?": the mail of the day before, with a link for this one visit."""

from __future__ import annotations

import datetime as dt

from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.booking.models import CheckinLink
from clinic.booking.queries import check_ins
from clinic.booking.services._locking import lock_visit
from clinic.booking.services._steps import tell_client
from clinic.premises import queries as premises
from clinic.shared.database import db, transaction, tried_again


def ask_for_check_ins(now: dt.datetime) -> int:
    """Mail the link of every visit that begins within 24 hours, once for each start; returns how many."""
    facts = premises.clinic_facts()
    if facts is None or not premises.clinic().check_in_needed:
        return 0
    due = check_ins.to_ask(now)
    db.session.rollback()
    return sum(_ask(visit_id, now) for visit_id in due)


@tried_again
def _ask(visit_id: int, now: dt.datetime) -> bool:
    with transaction() as session:
        visit = lock_visit(session, visit_id)
        if visit is None or visit_id not in check_ins.to_ask(now):
            return False
        if check_ins.is_on_file(visit, now):
            return False
        token = new_token()
        link = CheckinLink(
            visit_id=visit.id, token_hash=hash_of(token), made_at=now, expires_at=visit.starts_at
        )
        session.add(link)
        session.flush()
        tell_client(session, visit, "visit_check_in", now=now, token=token, about=link.token_hash)
        return True
