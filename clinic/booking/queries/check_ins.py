"""The check-in of a visit: whether it is on file, who is to be asked, and which visit a mailed link opens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, or_, select

from clinic.accounts.queries import hash_of
from clinic.booking.models import CheckinLink, Visit
from clinic.booking.queries import visits
from clinic.booking.queries.next_steps import PARTNER
from clinic.booking.taken_back import TakeBack
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rules.check_in import OPENS
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db

AT_THE_DESK = (VisitStatus.CONFIRMED, VisitStatus.ARRIVED, VisitStatus.NO_SHOW)


def is_on_file(visit: Visit, now: dt.datetime) -> bool:
    """Whether the questions about the day were answered, at most 24 hours before the start."""
    if visit.client_id is None:
        return False
    since = visit.starts_at - OPENS
    since_day = since.astimezone(ZoneInfo(visit.zone)).date()
    return intake.is_checked_in(visit.client_id, since=since, since_day=since_day, now=now)


def is_missing(visit: Visit, now: dt.datetime) -> bool:
    """Whether the clinic asks for a check-in and this visit has none."""
    return premises.clinic().check_in_needed and not is_on_file(visit, now)


def may_client_check_in(visit: Visit, now: dt.datetime) -> bool:
    """From 24 hours before the start until the start, for a confirmed visit or one that its client takes for it;
    before that, too, for one that waits for it."""
    if _waits_for_it(visit) and now < visit.starts_at:
        return True
    return visits.seen_as(visit) is VisitStatus.CONFIRMED and visit.starts_at - OPENS <= now < visit.starts_at


def may_staff_check_in(visit: Visit, now: dt.datetime) -> bool:
    """From 24 hours before the start on, also for somebody who comes late."""
    if _waits_for_it(visit):
        return True
    return visit.client_id is not None and visit.status in AT_THE_DESK and now >= visit.starts_at - OPENS


def _waits_for_it(visit: Visit) -> bool:
    return visit.is_waiting and visit.to_reconfirm


def waits_for_first_answers(visit: Visit, now: dt.datetime) -> bool:
    """Whether a waiting visit is for somebody who was named by another person and has signed no answers yet: they give
    them by the visit's own link, which shows and changes nothing that was told before, here or on a record that was
    merged into this one."""
    client = visit.client
    if client is None or not (client.is_unproven and visit.is_waiting and now < visit.starts_at):
        return False
    told = intake.newest(client.id) is not None or intake.stops_in_force(client.id)
    return not told and not clients.aliases([client.id])


def visit_by_link(token: str, now: dt.datetime, *, is_late: bool = False) -> Visit | None:
    """The visit that this mailed link opens; None when it has run out, or the visit was moved since. `is_late`: what
    comes from a page that it opened is taken for a day more, wherever the visit is by now."""
    until = now - OPENS if is_late else now
    row = db.session.scalars(
        select(CheckinLink).where(CheckinLink.token_hash == hash_of(token), CheckinLink.expires_at > until)
    ).one_or_none()
    visit = visits.visit(row.visit_id) if row is not None else None
    if visit is None or row is None or visit.client_id is None:
        return None
    return visit if is_late or visit.starts_at == row.expires_at else None


def has_link(visit: Visit) -> bool:
    """Whether what was mailed for the start of now still opens."""
    sent = select(CheckinLink.id).where(
        CheckinLink.visit_id == visit.id, CheckinLink.expires_at == visit.starts_at
    )
    return db.session.scalar(sent) is not None


def to_ask(now: dt.datetime) -> Sequence[int]:
    """Confirmed visits (and what its client takes for one) of the next 24 hours whose client has an e-mail address
    and got no link yet, soonest first. One whose move may still be taken back is not told about."""
    sent = (
        select(CheckinLink.id)
        .where(CheckinLink.visit_id == Visit.id, CheckinLink.expires_at == Visit.starts_at)
        .exists()
    )
    found = db.session.scalars(
        select(Visit)
        .join(Client, Client.id == Visit.client_id)
        .where(
            or_(
                Visit.status == VisitStatus.CONFIRMED,
                and_(Visit.status == VisitStatus.PENDING, Visit.waiting_for.in_((visits.LOOK, PARTNER))),
            ),
            Visit.starts_at > now,
            Visit.starts_at <= now + OPENS,
            Client.email.is_not(None),
            ~sent,
            ~exists().where(TakeBack.visit_id == Visit.id, TakeBack.until > now),
        )
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    return [one.id for one in found if visits.seen_as(one) is VisitStatus.CONFIRMED][:200]
