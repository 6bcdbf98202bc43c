"""The therapist's say: more care for a client than the rules ask for, and its withdrawal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._judging import weigh_by
from clinic.booking.services._known import known_of
from clinic.booking.services._steps import order_of
from clinic.booking.services.judging import judge_unproven, judge_visits_of
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.steps import who_stands
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.therapists_say import SHORTEST_REASON, Restriction
from clinic.rules.verdicts import COLUMNS, VERDICT_WORDS
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.therapists.models import TherapistRestriction

VERDICTS = ("caution", "clearance", "block")
STANDS = (VisitStatus.CONFIRMED, VisitStatus.ARRIVED)


class Touched(NamedTuple):
    """A coming visit that would not stand: `is_off`, it would be cancelled; else it would wait."""

    visit: Visit
    is_off: bool


@tried_again
def ask_for_more_care(
    therapist_id: int,
    client_id: int,
    *,
    services: Collection[str],
    verdict: str,
    reason: str,
    until: dt.date | None,
    by: int,
    now: dt.datetime,
) -> int:
    """Raise the verdict for this client (`services` are columns, none for all); their coming visits are judged again.

    Returns the restriction's id. Raises NotFound for a client whom this therapist does not treat, InvalidInput.
    """
    _check_asked(services, verdict, reason, until, now)
    with transaction() as session:
        client = who_stands(session, client_id)
        if client is None or not visits.treats(therapist_id, client.id, now):
            raise NotFound()
        row = TherapistRestriction(
            client_id=client.id, therapist_id=therapist_id, services=sorted(set(services)), verdict=verdict,
            until=until, made_at=now, made_by_id=by,
        )  # fmt: skip
        row.reason = reason.strip()
        session.add(row)
        _judge_again(session, client, by=by, now=now)
        leave_trace(session, "care.raised", "client", client.id, by=by, now=now)
        return row.id


def _check_asked(
    services: Collection[str], verdict: str, reason: str, until: dt.date | None, now: dt.datetime
) -> None:
    if verdict not in VERDICTS:
        raise InvalidInput("verdict", _("Choose what you ask for."))
    if not set(services) <= set(COLUMNS):
        raise InvalidInput("services", _("Choose from the list of treatments."))
    if len(reason.strip()) < SHORTEST_REASON:
        raise InvalidInput("reason", _("Write in a few words why."))
    if until is not None and until < premises.today(now):
        raise InvalidInput("until", _("This day has passed."))


def would_touch(
    client_id: int,
    *,
    services: Collection[str],
    verdict: str,
    reason: str,
    until: dt.date | None,
    now: dt.datetime,
) -> list[Touched]:
    """The client's coming visits that would be cancelled or put on hold by this, soonest first. Reads only; people they
    may be are left out, who are none of the therapist's business. Raises InvalidInput, NotFound."""
    _check_asked(services, verdict, reason, until, now)
    client = clients.client(client_id)
    if client is None:
        raise NotFound()
    more = Restriction(VERDICT_WORDS[verdict], "", frozenset(services), until)
    table, touched = rulebook.in_force(), []
    for visit in visits.visits_ahead(client.id, now):
        if visit.status == VisitStatus.HELD:
            continue
        known = known_of(client, visit.id)
        order = order_of(visit, plan_of(visit))
        judged = weigh_by(table, replace(known, restrictions=(*known.restrictions, more)), order)
        if judged.refuses or (visit.status in STANDS and not judged.permits):
            touched.append(Touched(visit, judged.refuses))
    return touched


@tried_again
def withdraw(restriction_id: int, *, therapist_id: int | None, by: int, now: dt.datetime) -> None:
    """Take it back: by the therapist who asked for it, or (`therapist_id` None) by clinical review. Raises NotFound."""
    with transaction() as session:
        row = session.get(TherapistRestriction, restriction_id, with_for_update=True)
        if row is None or row.ended_at is not None or therapist_id not in (None, row.therapist_id):
            raise NotFound(_("This has been withdrawn already."))
        row.ended_at, row.ended_by_id = now, by
        client = who_stands(session, row.client_id)
        if client is not None:
            _judge_again(session, client, by=by, now=now)
        leave_trace(session, "care.withdrawn", "client", row.client_id, by=by, now=now)


def _judge_again(session: Session, client: Client, *, by: int, now: dt.datetime) -> None:
    session.flush()
    judge_visits_of(session, client, door="therapist", by=by, now=now)
    judge_unproven(session, clients.look_alikes(client), door="therapist", by=by, now=now)
