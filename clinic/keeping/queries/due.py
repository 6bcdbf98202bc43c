"""What has been kept for long enough and is due to go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true

from clinic.booking.models import Visit
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.keeping.models import Erasure
from clinic.keeping.queries import people, periods
from clinic.keeping.queries.due_people import people_due
from clinic.premises import queries as premises
from clinic.rules.keeping import PERIODS, Period
from clinic.rules.language import N_
from clinic.rules.years import years_after
from clinic.shared.audit import AuditRow
from clinic.shared.database import Base, UtcDateTime, db

FINISHED = N_("People who were erased, and whose records no law keeps any longer")


@dataclass(frozen=True)
class Due:
    """What would be erased today of one kind: how many, and of people which."""

    period: Period
    count: int
    people: tuple[tuple[int, str], ...] = ()

    @property
    def label(self) -> str:
        """What it is, as the owner reads it."""
        return FINISHED if self.period.kind == "law" else self.period.label


def due(now: dt.datetime) -> list[Due]:
    """What would be erased today, kind by kind. Changes nothing."""
    gone = people_due(now)
    found = []
    for period in PERIODS:
        if period.rows:
            counts = [_count(table, condition) for table, condition in rows_due(period, now)]
            found.append(Due(period, sum(counts)))
        elif period.kind == "audit":
            found.append(Due(period, _count(AuditRow, AuditRow.at <= audit_goes_until(now))))
        elif period.kind == "law":
            left = tuple((client.id, client.name) for _row, client in to_finish(now))
            found.append(Due(period, len(left), left))
        else:
            theirs = tuple((one.id, one.name) for one in gone if one.kind == period.kind)
            found.append(Due(period, len(theirs), theirs))
    return found


def audit_goes_until(now: dt.datetime) -> dt.datetime:
    """What happened up to this moment goes from the audit."""
    return dt.datetime.combine(years_after(now.date(), -periods.periods()["audit"]), now.timetz())


def rows_due(period: Period, now: dt.datetime) -> list[tuple[Any, ColumnElement[bool]]]:
    """Tables of a kind, and which of their rows have been kept for long enough. A row that another one names stays
    until that one goes, which may be in the same step."""
    before = now - dt.timedelta(days=periods.periods()[period.kind])
    found: dict[Any, ColumnElement[bool]] = {}
    for name, column in period.rows:
        table = Base.metadata.tables[name]
        moment = table.c[column]
        limit = before if isinstance(moment.type, UtcDateTime) else before.date()
        named = [
            ~exists().where(key.parent == table.c.id, found.get(other, false()).is_not(true()))
            for other in Base.metadata.sorted_tables
            for key in other.foreign_keys
            if key.column.table is table and other is not table
        ]
        found[table] = or_(found.get(table, false()), and_(moment <= limit, *named))
    return list(found.items())


def _count(table: Any, condition: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(table).where(condition)) or 0


def to_finish(now: dt.datetime) -> list[tuple[Erasure, Client]]:
    """People erased but for what the law kept, whose time is over; by the law as it is set now, too."""
    return [(row, one) for row, one in _over(now) if not _ahead(one)]


def left_for_later(now: dt.datetime) -> list[int]:
    """The records of those whose time is over, and who are booked again: their turn comes once that is over."""
    return [one.id for _row, one in _over(now) if _ahead(one)]


def record_to_finish(row: Erasure, now: dt.datetime) -> Client | None:
    """The record that was erased, and only that: whoever it was merged into is a client today, and so is it where
    another one was merged into it since. None too while a law keeps it."""
    client = db.session.get(Client, row.client_id)
    if client is None or people.is_a_client_again(row) or people.kept_until(client, now):
        return None
    return client


def _over(now: dt.datetime) -> list[tuple[Erasure, Client]]:
    is_over = Erasure.finished_at.is_(None), Erasure.kept_until <= premises.today(now)
    rows = db.session.scalars(select(Erasure).where(*is_over).order_by(Erasure.id)).all()
    known = ((row, record_to_finish(row, now)) for row in rows)
    return [(row, one) for row, one in known if one is not None]


def _ahead(client: Client) -> Sequence[Visit]:
    return people.visits_ahead(clients.all_ids(client.id))
