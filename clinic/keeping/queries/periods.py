"""How long things are kept here, and what is due to go by that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from clinic.booking.models import Visit
from clinic.clients.models import Client
from clinic.keeping.models import Erasure, KeepingConfirmation, KeepingPeriod
from clinic.premises import queries as premises
from clinic.rules.keeping import PERIODS, Period, years_after
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, UtcDateTime, db


def periods() -> dict[str, int]:
    """Every kind and how long it is kept, in its own unit."""
    own = dict(db.session.execute(select(KeepingPeriod.kind, KeepingPeriod.amount)).tuples().all())
    return {one.kind: own.get(one.kind, one.usual) for one in PERIODS}


def is_confirmed() -> bool:
    """Whether the owner let things go by just these periods."""
    last = select(KeepingConfirmation.periods).order_by(KeepingConfirmation.id.desc()).limit(1)
    return db.session.scalar(last) == periods()


@dataclass(frozen=True)
class Due:
    """What would be erased today of one kind: how many, and of people which."""

    period: Period
    count: int
    people: tuple[tuple[int, str], ...] = ()


def due(now: dt.datetime) -> list[Due]:
    """What would be erased today, kind by kind. Changes nothing."""
    from clinic.keeping.queries.due_people import people_due

    people = people_due(now)
    found = []
    for period in PERIODS:
        if period.rows:
            counts = [_count(table, condition) for table, condition in rows_due(period, now)]
            found.append(Due(period, sum(counts)))
        elif period.kind == "audit":
            found.append(Due(period, _count(AuditRow, AuditRow.at <= audit_goes_until(now))))
        elif period.kind != "law":
            theirs = tuple((one.id, one.name) for one in people if one.kind == period.kind)
            found.append(Due(period, len(theirs), theirs))
    return found


def audit_goes_until(now: dt.datetime) -> dt.datetime:
    """What happened up to this moment goes from the audit."""
    return dt.datetime.combine(years_after(now.date(), -periods()["audit"]), now.timetz())


def rows_due(period: Period, now: dt.datetime) -> list[tuple[Any, ColumnElement[bool]]]:
    """Tables of a kind, and which of their rows have been kept for long enough. A row that another one names stays
    until that one goes."""
    before = now - dt.timedelta(days=periods()[period.kind])
    found = []
    for name, column in period.rows:
        table = Base.metadata.tables[name]
        moment = table.c[column]
        limit = before if isinstance(moment.type, UtcDateTime) else before.date()
        named = [
            ~exists().where(key.parent == table.c.id)
            for other in Base.metadata.sorted_tables
            for key in other.foreign_keys
            if key.column.table is table and other is not table
        ]
        found.append((table, and_(moment <= limit, *named)))
    return found


def _count(table: Any, condition: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(table).where(condition)) or 0


def to_finish(now: dt.datetime) -> Sequence[Erasure]:
    """People erased but for what the law kept, whose time is over."""
    return db.session.scalars(
        select(Erasure)
        .where(Erasure.finished_at.is_(None), Erasure.kept_until <= premises.today(now))
        .order_by(Erasure.id)
    ).all()


def long_gone(now: dt.datetime) -> list[int]:
    """Records that may be due: begun and last visited long ago. Who really is, is looked at one by one."""
    own, today = periods(), premises.today(now)
    records = years_after(today, -own["records"])
    no_visit = today - dt.timedelta(days=own["no_visit"])
    visited = exists().where(Visit.client_id == Client.id, Visit.status == VisitStatus.DONE)
    recent = exists().where(
        Visit.client_id == Client.id,
        Visit.status.not_in((VisitStatus.HELD, VisitStatus.RELEASED)),
        or_(Visit.day > records, and_(Visit.day > no_visit, ~visited)),
    )
    begun = Client.created_at < now - dt.timedelta(days=own["no_visit"])
    erased = exists().where(Erasure.client_id == Client.id, Erasure.erased_at.is_not(None))
    wanted = select(Client.id).where(Client.merged_into_id.is_(None), ~recent, begun, ~erased)
    return list(db.session.scalars(wanted.order_by(Client.id)))
