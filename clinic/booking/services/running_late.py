"""A therapist runs late: the desk sees it, and the clients whom it concerns get a kind word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries.running_late import coming_visits
from clinic.booking.services._taking_back import told_from
from clinic.clients.steps import speaking_to
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules import words
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import About, OutgoingMail, drop_mail, queue_mail
from clinic.therapists.models import RunningLate

MINUTES = (5, 10, 15, 20, 30, 45, 60)
TOLD_AT_FIRST = 2
"""How many of the next clients are ticked from the start: time that was lost is often caught up after them."""


class Said(NamedTuple):
    """Names of clients: who is told by e-mail, or was told the same before; who has no address; and who still believes
    in an earlier time that is named no more."""

    told: list[str]
    unreached: list[str]
    believe_late: list[str]


@tried_again
def say_late(
    therapist_id: int, minutes: int, visit_ids: Collection[int], *, by: int, now: dt.datetime
) -> Said:
    """Keep it for the desk, and mail these of today's next clients, a moment later: what is said anew until then takes
    the place of it. 0 minutes is on time again: nobody is mailed.

    Raises InvalidInput, NotFound for a visit that is not one of the therapist's next today.
    """
    if minutes not in (0, *MINUTES):
        raise InvalidInput("minutes", _("Choose how late you are."))
    with transaction() as session:
        facts = premises.clinic_facts()
        if facts is None:
            raise NotFound()
        day = premises.today(now)
        coming = {one.id: one for one in coming_visits(therapist_id, day, now)}
        if not coming.keys() >= set(visit_ids):
            raise NotFound(_("One of these visits is no longer coming. Please look again."))
        session.add(
            RunningLate(therapist_id=therapist_id, day=day, minutes=minutes, said_at=now, said_by_id=by)
        )
        told = [coming[one] for one in coming if one in visit_ids] if minutes else []
        changes = _changes(session, therapist_id, day)
        believe = _drop_unsent(session, list(coming) if not minutes else [one.id for one in told])
        for visit in told:
            _tell(session, visit, minutes, changes, facts, now)
        leave_trace(
            session,
            "therapist.late",
            "therapist",
            therapist_id,
            by=by,
            now=now,
            minutes=minutes,
            told=len(told),
        )
        clients = [one.client for one in told if one.client is not None]
        late = [coming[one].client for one in coming if one in believe and not minutes]
        return Said(
            told=[one.name for one in clients if one.email],
            unreached=[one.name for one in clients if not one.email],
            believe_late=[one.name for one in late if one is not None],
        )


def _changes(session: Session, therapist_id: int, day: dt.date) -> int:
    """How often something else was said on this day than before."""
    said = session.scalars(
        select(RunningLate.minutes)
        .where(RunningLate.therapist_id == therapist_id, RunningLate.day == day)
        .order_by(RunningLate.said_at, RunningLate.id)
    ).all()
    return sum(one != before for before, one in pairwise((0, *said)))


def _drop_unsent(session: Session, visit_ids: Collection[int]) -> set[int]:
    """Take back what these clients have not been sent yet; returns the visits of those who were told before."""
    rows = session.execute(
        select(OutgoingMail.key, OutgoingMail.visit_id).where(
            OutgoingMail.visit_id.in_(visit_ids), OutgoingMail.kind == "running_late"
        )
    ).all()
    return {visit for key, visit in rows if visit is not None and not drop_mail(session, key)}


def _tell(
    session: Session, visit: Visit, minutes: int, changes: int, facts: ClinicFacts, now: dt.datetime
) -> None:
    """Neutral words, once for each visit and length as long as nothing else was said in between."""
    if visit.client is None:
        return
    expected = (visit.starts_at + dt.timedelta(minutes=minutes)).astimezone(ZoneInfo(visit.zone))
    with speaking_to(visit.client):
        queue_mail(
            session,
            "running_late",
            visit.client.email,
            key=f"running_late:{visit.id}:{visit.revision}:{changes}:{minutes}",
            now=now,
            not_before=told_from(now),
            about=About(visit.id, visit.starts_at),
            name=visit.client.first_name,
            when=words.moment_words(visit.starts_at, visit.zone, uses_24_hours=facts.uses_24_hours),
            late=words.length_words(minutes),
            expected=words.local_time_words(expected, uses_24_hours=facts.uses_24_hours),
            clinic=facts.name,
            phone=visit.location.phone or facts.phone,
        )
