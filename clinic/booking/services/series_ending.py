"""Cancelling what is left of a series."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import series as reading
from clinic.booking.queries import visits
from clinic.booking.services._mailing import tell_of_several
from clinic.booking.services._steps import set_status
from clinic.booking.services._taking_back import Step, as_it_stands, remember, told_from
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.errors import CancelTooLate, MoveNotAllowed, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import UPCOMING, VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again


@dataclass(frozen=True)
class RestCancelled:
    """What became of the coming visits of a series: ids. `kept` are too near to be cancelled online."""

    cancelled: tuple[int, ...]
    late: tuple[int, ...]
    kept: tuple[int, ...]


@tried_again
def cancel_rest(
    series_id: int,
    *,
    by: int | None,
    by_clinic: bool,
    now: dt.datetime,
    by_client: bool = False,
    at_desk: bool = False,
) -> RestCancelled:
    """Cancel every coming visit of the series, each by the clinic's own notice. A second time nothing is left to do.

    `by_client`: what a client may not cancel online any more is kept. `at_desk`: all of it can be taken back for a
    moment. Raises NotFound.
    """
    with transaction() as session:
        rows = reading.visits_to_change(series_id)
        if not rows:
            raise NotFound(_("There is no such series."))
        coming = [one for one in rows if one.status in UPCOMING and one.starts_at > now]
        ended = [one for one in coming if _may_end(one, by_client=by_client, now=now)]
        before = [as_it_stands(visit) for visit in ended]
        for visit in ended:
            _end(session, visit, by=by, by_clinic=by_clinic, now=now)
        if ended:
            key = f"series_cancelled:{series_id}:{ended[0].id}:{ended[0].revision}"
            not_before = told_from(now) if at_desk else None
            tell_of_several(session, "series_cancelled", ended, key=key, now=now, not_before=not_before)
            if at_desk:
                mail_key = key if ended[0].client is not None and ended[0].client.email else None
                steps = [Step(visit, was, mail_key) for visit, was in zip(ended, before, strict=True)]
                remember(session, steps, "cancelled", by=by, now=now)
        late = [one.id for one in ended if one.status == VisitStatus.LATE_CANCELLED]
        return RestCancelled(
            tuple(one.id for one in ended if one.id not in late),
            tuple(late),
            tuple(one.id for one in coming if one not in ended),
        )


def _may_end(visit: Visit, *, by_client: bool, now: dt.datetime) -> bool:
    if not by_client:
        return True
    try:
        booking_policy.check_client_may_cancel(
            visits.seen_as(visit), visit.starts_at, now=now, settings=premises.booking_settings()
        )
    except (CancelTooLate, MoveNotAllowed):
        return False
    return True


def _end(session: Session, visit: Visit, *, by: int | None, by_clinic: bool, now: dt.datetime) -> None:
    new = booking_policy.cancelled_status(
        VisitStatus(visit.status), visit.starts_at, now=now, by_clinic=by_clinic,
        settings=premises.booking_settings(),
    )  # fmt: skip
    reason = "by the clinic" if by_clinic else "by the client"
    set_status(session, visit, new, by=by, now=now, reason=reason)
    visit.deadline_at = visit.waiting_for = None
    leave_trace(session, "visit.cancelled", "visit", visit.id, by=by, now=now, status=new)
