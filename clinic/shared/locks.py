"""Rows that are kept from others until the commit. Nobody waits in a ring, and nobody for what there is a choice of."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, CompoundSelect, FromClause, Integer, any_, bindparam, func, select, union_all
from sqlalchemy.orm import Session

from clinic.shared.database import connection_of


def lock_row(session: Session, row: Any) -> None:
    """Keep this row from others who lock or change it, until the commit, and read it and all that hangs on it afresh.
    What points at it is written meanwhile, and visits take its times."""
    session.refresh(row, with_for_update={"key_share": True, "of": type(row).__table__})


def lock_in_order(
    session: Session,
    table: FromClause,
    ids: Collection[int],
    *,
    first: int | None = None,
    unless_taken: Collection[int] = (),
    for_a_time: Collection[int] = (),
    times: range = range(1),
) -> set[int]:
    """Keep these rows from others who lock them too, until the commit; `first` before all others, then by id.

    Everybody takes them in this order, so that two who want the same rows wait for each other and never in a ring.
    Then, without waiting, those of `unless_taken` that nobody else has at the moment, and those of `for_a_time` that
    nobody has for one of these `times` (by their numbers): others may have the same row for other times. Returns the
    ids that it has. Nothing to do on SQLite, which has one writer at a time.
    """
    connection = connection_of(session)
    if connection.dialect.name == "sqlite":
        return {*ids, *unless_taken, *for_a_time}
    given = {
        "ids": sorted(ids), "first": first or 0, "unless_taken": sorted(unless_taken),
        "for_a_time": sorted(for_a_time), "since": times.start, "until": times.stop - 1,
    }  # fmt: skip
    return set(connection.execute(locking(table), given).scalars())


@cache
def locking(table: FromClause) -> CompoundSelect[tuple[int]]:
    """The statement."""
    key = table.c.id
    waited_for, passed_by, at_times = (
        select(key).where(key == any_(bindparam(name, type_=ARRAY(Integer))))
        for name in ("ids", "unless_taken", "for_a_time")
    )
    waited_for = waited_for.order_by(key != bindparam("first"), key).with_for_update(key_share=True)
    passed_by = passed_by.order_by(key).with_for_update(key_share=True, skip_locked=True)
    ends = (bindparam(name, type_=Integer) for name in ("since", "until"))
    time = func.generate_series(*ends, type_=Integer).column_valued("time")
    is_free = select(func.bool_and(func.pg_try_advisory_xact_lock(key, time))).correlate(table)
    # shared among those who want other times; whoever locks the row itself has it for all times
    at_times = at_times.where(is_free.scalar_subquery())
    at_times = at_times.order_by(key).with_for_update(read=True, key_share=True, skip_locked=True)
    return union_all(
        select(waited_for.cte("waited_for")),
        select(passed_by.cte("passed_by")),
        select(at_times.cte("at_times")),
    )
