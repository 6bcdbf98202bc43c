"""Steps inside a transaction: the rest between a client's visits. Asked after the gate, which nobody passes, and never
instead of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from clinic.booking.models import RestPass, Visit
from clinic.booking.queries.rest import Rest, rest_around
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._judging import Order
from clinic.booking.services._steps import order_of
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.rules.errors import NONE_NEAR, Nearest, RestNeeded
from clinic.rules.frequency import SHORTEST_REASON, ShortRest
from clinic.rules.wall_time import epoch_minute, moment
from clinic.shared.audit import leave_trace
from clinic.shared.seen import mark_of


@dataclass(frozen=True)
class RestSaid:
    """What staff say to a visit that comes too soon. A page passes it with a `reason` and the mark of the very warning
    that was read (`seen`); another program may say `books_anyway` and is told the warning with the booked visit."""

    reason: str = ""
    seen: str = ""
    books_anyway: bool = False


NOT_SAID = RestSaid()


@dataclass(frozen=True)
class Warned:
    """The rules of rest that a visit would break, from when on none would be, and the mark of this warning."""

    short: tuple[ShortRest, ...]
    fine_from: dt.datetime
    seen: str


def check_rested(visit: Visit, client: Client, plan: VisitPlan) -> None:
    """Raise RestNeeded where somebody who books for themselves would come too soon."""
    rest = _rest(visit, client, order_of(visit, plan), visit.starts_at)
    if rest is not None:
        rest.check(visit.starts_at)


def warn(visit: Visit, client: Client, order: Order, start: dt.datetime) -> Warned | None:
    """What staff are told before this visit stands at that start in that form; None when there is rest enough."""
    return warned_of(_rest(visit, client, order, start), epoch_minute(start))


def warned_of(rest: Rest | None, minute: int, own: Collection[int] = ()) -> Warned | None:
    """The same of a start and what stands around it. `own`: visits that are booked together with this one, which have
    no number yet where the warning is read before."""
    found = rest.short(minute) if rest is not None else []
    if rest is None or not found:
        return None
    others = [(one.rule, one.figure, one.row, None if one.visit_id in own else one.visit_id) for one in found]
    return Warned(tuple(found), moment(rest.fine_from(minute)), mark_of([minute, sorted(others, key=str)]))


def warn_in_series(visit: Visit, client: Client, order: Order, own: Collection[int]) -> Warned | None:
    """As `warn`, for one of several visits that are booked at once: `own` are those that have their place already."""
    return warned_of(_rest(visit, client, order, visit.starts_at), epoch_minute(visit.starts_at), own)


def warn_of_change(visit: Visit, client: Client, order: Order, start: dt.datetime) -> Warned | None:
    """As `warn`; None too where the body would feel no change, so that what was passed once is not asked again."""
    old, new = plan_of(visit), order.plan
    is_same = (old.judged_as, old.mode, old.addon_columns, old.total_minutes) == (
        new.judged_as, new.mode, new.addon_columns, new.total_minutes
    )  # fmt: skip
    if is_same and start == visit.starts_at and set(order.areas) == set(visit.areas):
        return None
    return warn(visit, client, order, start)


def _rest(visit: Visit, client: Client, order: Order, start: dt.datetime) -> Rest | None:
    return rest_around(client.id, order.plan, order.areas, since=start, zone=visit.zone, besides=visit.id)


def is_passed(warned: Warned, said: RestSaid) -> bool:
    """Whether staff have passed this very warning, with a reason in a few words."""
    return _is_said(warned.seen, said)


def _is_said(seen: str, said: RestSaid) -> bool:
    return said.books_anyway or (said.seen == seen and len(said.reason.strip()) >= SHORTEST_REASON)


class RestShort(RestNeeded):
    """Of several visits that are booked or moved at once some come too soon: staff may pass it. `warned` is in the
    order of the visits, None where there is rest enough."""

    def __init__(
        self, warned: Sequence[Warned | None], sentence: str = "", nearest: Nearest = NONE_NEAR
    ) -> None:
        self.warned = tuple(warned)
        super().__init__(sentence, nearest)


def seen_together(warned: Sequence[Warned | None]) -> str:
    """The mark of several warnings that are read at once, "" where there is none."""
    marks = [one.seen for one in warned if one is not None]
    return mark_of(marks) if len(marks) > 1 else "".join(marks)


def check_passed(
    warned: Sequence[Warned | None], said: RestSaid, *, sentence: str = "", nearest: Nearest = NONE_NEAR
) -> None:
    """Raise RestShort where visits that are booked at once come too soon, unless staff have passed all of it."""
    seen = seen_together(warned)
    if seen and not _is_said(seen, said):
        raise RestShort(warned, sentence, nearest)


def keep_pass(
    session: Session, visit: Visit, warned: Warned | None, said: RestSaid, *, by: int | None, now: dt.datetime
) -> None:
    """Keep who passed what and why; the audit row says that it was done, not why."""
    if warned is None:
        return
    row = RestPass(
        visit_id=visit.id, starts_at=visit.starts_at, passed=[one.sentence for one in warned.short],
        passed_at=now, passed_by_id=by,
    )  # fmt: skip
    row.reason = said.reason.strip() or None
    session.add(row)
    leave_trace(session, "visit.rest_passed", "visit", visit.id, by=by, now=now)
