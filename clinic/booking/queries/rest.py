"""The rest between a client's visits: what is booked around a wish, and what the rules of rest say about a start.

The one place where it is asked: the free times that a client is offered, what a client books or moves, and the
warning that staff read all come from `rest_around`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.accounts.models import User
from clinic.booking.models import RestPass, Visit
from clinic.catalogue import queries as catalogue
from clinic.catalogue.models import Service
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import NONE_NEAR, Nearest, RestNeeded
from clinic.rules.frequency import REACH_DAYS, BodyWork, ShortRest, fine_from, short_rests, work_of
from clinic.rules.language import N_, _
from clinic.rules.visit_status import HOLDING_CLAIMS, VisitStatus
from clinic.rules.wall_time import WallClock, epoch_minute, epoch_minute_after, moment
from clinic.shared.database import db
from clinic.shared.read_once import may_have

PROGRAM = N_("Another program")
# What took place, or will if nothing is done. A hold is not a visit yet: it is asked about again when it becomes one.
COUNTED = HOLDING_CLAIMS - {VisitStatus.HELD}


@dataclass(frozen=True)
class Rest:
    """A wish, its start left open, and the client's other visits around it."""

    wish: BodyWork
    others: tuple[BodyWork, ...]
    clock: WallClock

    def short(self, minute: int) -> list[ShortRest]:
        """The rules that a start would break."""
        return short_rests(self.wish.moved_to(minute), self.others, self.clock)

    def is_short(self, minute: int) -> bool:
        """Whether a start would break any."""
        return bool(self.others) and bool(self.short(minute))

    def fine_from(self, minute: int) -> int:
        """The first start from this one on that breaks none."""
        return fine_from(self.wish.moved_to(minute), self.others, self.clock)

    def check(self, starts_at: dt.datetime, nearest: Nearest = NONE_NEAR) -> None:
        """Raise RestNeeded, in words for the client, where a start would break any."""
        minute = epoch_minute(starts_at)
        found = self.short(minute)
        if found:
            raise RestNeeded(self.said_to_client(found, minute), nearest)

    def said_to_client(self, found: Sequence[ShortRest], minute: int) -> str:
        """Why not, and from when on: without the day or the kind of any other visit."""
        why = " ".join(dict.fromkeys(one.sentence for one in found))
        facts = premises.clinic_facts()
        uses_24_hours = facts is not None and facts.uses_24_hours
        free = moment(self.fine_from(minute))
        when = words.moment_words(free, self.clock.zone.key, uses_24_hours=uses_24_hours)
        return _(
            "This time comes too soon. %(why)s From %(when)s on it is fine again. If you need it sooner, call us.",
            why=why,
            when=when,
        )


def rest_around(
    client_id: int,
    plan: VisitPlan,
    areas: Collection[str],
    *,
    since: dt.datetime,
    zone: str,
    besides: int | None = None,
) -> Rest | None:
    """What counts for this wish from `since` on; None where the clinic does not mind the rest. `besides`: the visit
    that is being made or moved itself."""
    if not premises.clinic().minds_rest:
        return None
    wish = work_of(
        0, plan.total_minutes, columns=plan.judged_as, mode=plan.mode, addons=plan.addon_columns, areas=areas
    )
    return Rest(wish, tuple(_visits(client_id, since, besides)), WallClock(ZoneInfo(zone)))


def _visits(client_id: int, since: dt.datetime, besides: int | None) -> list[BodyWork]:
    """This person's visits that a start from `since` on may come too near to, under every record that is theirs."""
    ids = clients.all_ids(client_id)
    if not may_have(Visit, ids):
        return []
    rows = db.session.execute(
        select(
            Visit.id, Visit.starts_at, Visit.ends_at, Visit.mode, Visit.addons, Visit.areas, Service.judged_as
        )
        .join(Service, Service.id == Visit.service_id)
        .where(
            Visit.client_id.in_(ids),
            Visit.ends_at > since - dt.timedelta(days=REACH_DAYS),
            Visit.status.in_(tuple(COUNTED)),
        )
        .order_by(Visit.starts_at, Visit.id)
    ).all()
    columns = catalogue.columns_of_addons() if any(row.addons for row in rows) else {}
    return [
        work_of(
            epoch_minute(row.starts_at),
            epoch_minute_after(row.ends_at),
            columns=row.judged_as,
            mode=row.mode,
            addons=[columns[addon] for addon in row.addons if addon in columns],
            areas=row.areas,
            visit_id=row.id,
        )
        for row in rows
        if row.id != besides
    ]


@dataclass(frozen=True)
class Passed:
    """A visit comes sooner than advised: who passed it, what they were told, why ("" where no reason was written)."""

    by: str
    at: dt.datetime
    rules: tuple[str, ...]
    reason: str


def passed(visit_ids: Collection[int]) -> dict[int, Passed]:
    """Who passed the rest for these visits as they stand now, the newest word of each; in one statement."""
    rows = db.session.execute(
        select(RestPass, User.name)
        .outerjoin(User, User.id == RestPass.passed_by_id)
        .join(Visit, Visit.id == RestPass.visit_id)
        .where(RestPass.visit_id.in_(visit_ids), RestPass.starts_at == Visit.starts_at)
        .order_by(RestPass.passed_at, RestPass.id)
    ).all()
    return {
        row.visit_id: Passed(name or PROGRAM, row.passed_at, tuple(row.passed), row.reason or "")
        for row, name in rows
    }
