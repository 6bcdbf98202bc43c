"""Reading the record of a visit, and copying what is kept of oneself, are deeds: they leave a row in the audit."""

from __future__ import annotations

import datetime as dt

from clinic.booking.queries import treated, visits
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules.errors import NotFound
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.therapists import queries as therapists


@tried_again
def note_reading(visit_id: int, *, by: int, reads_all: bool, printed: bool, now: dt.datetime) -> None:
    """Record that somebody reads, or prints, the record of this visit.

    `reads_all`: the owner gave them clinical review by name. Everybody else reads it as they read the answers: the
    therapist of the visit, while they treat this client. Raises NotFound, as if there were nothing, otherwise.
    """
    with transaction() as session:
        if not may_read(visit_id, by=by, reads_all=reads_all, now=now):
            raise NotFound()
        deed = "record.printed" if printed else "record.read"
        leave_trace(session, deed, "visit", visit_id, by=by, now=now)


def may_read(visit_id: int, *, by: int, reads_all: bool, now: dt.datetime) -> bool:
    """Whether this person may read this record."""
    if reads_all:
        visit = visits.visit(visit_id)
        return visit is not None and visit.client_id is not None
    me = therapists.therapist_of_user(by)
    visit = treated.visit_of_therapist(me.id, visit_id) if me is not None else None
    if me is None or visit is None or visit.client_id is None:
        return False
    return visits.treats(me.id, visit.client_id, now)


@tried_again
def note_copying(client_id: int, *, by: int, adult_age: int, to_keep: bool, now: dt.datetime) -> bool:
    """Record that somebody takes a copy of all that is kept about this person; returns whether it is their own.

    Only the person may, or a parent while they are a child. Raises NotFound, as if there were nothing, otherwise.
    """
    with transaction() as session:
        relation = clients.may_know_all(by, client_id, adult_age=adult_age, today=premises.today(now))
        if not relation:
            raise NotFound()
        deed = "client.copy_saved" if to_keep else "client.copy_read"
        leave_trace(session, deed, "client", client_id, by=by, now=now)
        return relation == "self"


@tried_again
def note_copying_for(
    client_id: int, *, by: int, reads_all: bool, to_keep: bool, now: dt.datetime
) -> int | None:
    """Record that staff make a copy of all that is kept about somebody who asked for it; returns the account that is
    that person's own, if there is one.

    Whoever may read the answers may: by name, or as the therapist who treats them. Raises NotFound otherwise.
    """
    with transaction() as session:
        client = clients.client(client_id)
        me = therapists.therapist_of_user(by)
        treats = me is not None and client is not None and visits.treats(me.id, client.id, now)
        if client is None or not (reads_all or treats):
            raise NotFound()
        deed = "client.copy_saved_for_them" if to_keep else "client.copy_read_for_them"
        leave_trace(session, deed, "client", client.id, by=by, now=now)
        return clients.own_account_id(client.id)
