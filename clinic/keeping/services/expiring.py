"""Periods: set by the owner, let begin by the owner, and kept by the worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from sqlalchemy import delete, literal
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from clinic.clients import queries as clients
from clinic.keeping.models import Erasure, KeepingConfirmation, KeepingPeriod
from clinic.keeping.queries import due, due_people, people, periods, requests
from clinic.keeping.services import _erasing
from clinic.premises import queries as premises
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, RuleViolation
from clinic.rules.keeping import PERIODS, Period
from clinic.rules.language import _
from clinic.shared import audit_chain, backups, mail
from clinic.shared.audit import leave_trace
from clinic.shared.crypto import CannotOpen
from clinic.shared.database import db, transaction, tried_again
from clinic.shared.seen import mark_of

log = structlog.get_logger()


class PeopleLeft(Exception):
    """All that was due is removed but these people, each for a trouble of their own: record and kind of error."""

    def __init__(self, left: Mapping[int, str], removed: int) -> None:
        super().__init__()
        self.left, self.removed = left, removed


@tried_again
def save_periods(amounts: Mapping[str, int], *, by: int, now: dt.datetime, seen: str | None = None) -> None:
    """Set how long things are kept. Nothing goes by new periods before they are confirmed. `seen`: the mark of those
    that were shown. Raises InvalidInput, or ChangedMeanwhile where another owner has set them since."""
    if amounts["law"] > amounts["records"]:
        raise InvalidInput("records", _("This must be at least as long as the law asks for."))
    with transaction() as session:
        before = periods.periods(to_change=True)
        if seen not in (None, mark_of(before)):
            raise ChangedMeanwhile
        for one in PERIODS:
            session.merge(KeepingPeriod(kind=one.kind, amount=amounts[one.kind]))
        changed = sorted(kind for kind, amount in before.items() if amounts[kind] != amount)
        if changed:
            leave_trace(session, "keeping.changed", "clinic", 1, by=by, now=now, fields=", ".join(changed))


@tried_again
def let_go_by_periods(*, by: int, now: dt.datetime, seen: str | None = None) -> None:
    """The owner has looked at what would go, and lets it begin. `seen`: the mark of the periods that were shown. Raises
    ChangedMeanwhile where they are no longer those: what they never saw would be erased."""
    with transaction() as session:
        amounts = periods.periods(to_change=True)
        if seen not in (None, mark_of(amounts)):
            raise ChangedMeanwhile(
                _(
                    "Somebody changed the periods while you had this page open, so nothing was begun from it. Look"
                    " first at the periods and at the list as they are now."
                )
            )
        session.add(KeepingConfirmation(periods=amounts, confirmed_at=now, confirmed_by_id=by))
        leave_trace(session, "keeping.confirmed", "clinic", 1, by=by, now=now)


def remove_due(now: dt.datetime, *, settings: Mapping[str, Any]) -> int:
    """Remove what has been kept for long enough, once the owner has confirmed the periods; returns how many things.

    One person, or one kind, a transaction. Can be broken off, and run again or in two processes. Whoever is booked
    again is left until that visit is over, and keeps nobody else. Raises KeysLeft, or BackupFailed, when all of it is
    done but a copy of the keys beside the backups could not be read or changed; PeopleLeft, when it is but for some.
    """
    mails: list[str] = []
    left: dict[int, str] = {}
    removed = 0
    try:
        for count in _removals(now, mails, left, settings):
            removed += count
    finally:  # also where the rest has to wait for the next time: who has gone must be gone everywhere
        if removed:
            _erasing.clean_up(mails, settings)
    if not removed and backups.do_keys_lag(db.engine, settings):
        backups.keep_keys(db.engine, settings)
    if left:
        raise PeopleLeft(left, removed)
    return removed


def _removals(
    now: dt.datetime, mails: list[str], left: dict[int, str], settings: Mapping[str, Any]
) -> Iterator[int]:
    """How many things each of the transactions has removed. `left`: whom it could not."""
    for client_id in due.left_for_later(now):
        log.info("left_until_visit_is_over", record=client_id)
    over = {row.id: client.id for row, client in due.to_finish(now)}
    yield from _each(_finish, over, now, mails, left)
    if periods.is_confirmed():
        yield from _each(_expire, {one.id: one.id for one in due_people.people_due(now)}, now, mails, left)
        yield from (_remove_rows(period, now, mails) for period in PERIODS if period.rows)
        yield _shorten_audit(now, settings)


def _each(
    work: Callable[[int, dt.datetime, list[str]], int],
    records: Mapping[int, int],
    now: dt.datetime,
    mails: list[str],
    left: dict[int, str],
) -> Iterator[int]:
    """One after the other: what stands against one of them keeps nobody else. `records`: whose record each is about."""
    for number, record in records.items():
        try:
            removed = work(number, now, mails)
        except OperationalError:  # the database is away or full: that is no trouble of this one
            raise
        except (SQLAlchemyError, CannotOpen, ValueError, RuleViolation) as error:
            left[record] = type(error).__name__
            log.error("not_removed", record=record, kind=left[record])
        else:
            yield removed


@tried_again
def _finish(erasure_id: int, now: dt.datetime, mails: list[str]) -> int:
    """The law no longer keeps the rest of somebody who was erased."""
    with transaction() as session:
        row = session.get(Erasure, erasure_id, with_for_update=True)
        client = due.record_to_finish(row, now) if row is not None and row.finished_at is None else None
        if row is None or client is None:
            return 0
        try:
            mails += _erasing.erase(session, client, row, until=None, by=None, now=now)
        except _erasing.VisitsAhead:  # booked meanwhile, and nothing is changed
            return 0
        return 1


@tried_again
def _expire(client_id: int, now: dt.datetime, mails: list[str]) -> int:
    try:
        with transaction() as session:
            client = clients.client(client_id)
            if client is None:
                return 0
            _erasing.wait_for(session, client)  # first of all: somebody may be signing or booking just now
            if not due_people.is_due_still(client_id, now):
                return 0
            row = requests.open_request(client.id) or _begun_by_itself(session, client.id, now)
            until = people.kept_until(client, now)
            gone = _erasing.erase(session, client, row, until=until, by=None, now=now)
    except _erasing.VisitsAhead:  # booked meanwhile: their turn comes once that is over, and the others' now
        return 0
    mails += gone
    return 1


def _begun_by_itself(session: Session, client_id: int, now: dt.datetime) -> Erasure:
    """Nobody has asked for it."""
    row = Erasure(client_id=client_id, source="period", asked_at=now, due_on=premises.today(now))
    session.add(row)
    return row


@tried_again
def _remove_rows(period: Period, now: dt.datetime, mails: list[str]) -> int:
    with transaction() as session:
        removed = sum(
            _remove(session, table, condition, mails) for table, condition in due.rows_due(period, now)
        )
        if removed:
            leave_trace(
                session, "keeping.removed", "clinic", 1, by=None, now=now, kind=period.kind, count=removed
            )
        return removed


@tried_again
def _shorten_audit(now: dt.datetime, settings: Mapping[str, Any]) -> int:
    """The audit's beginning goes, and says so at its end."""
    with transaction() as session:
        with _erasing.let_delete(session):
            removed = audit_chain.forget(
                session, due.audit_goes_until(now), settings["CLINIC_AUDIT_DIR"], now=now
            )
        if removed:
            leave_trace(
                session, "keeping.removed", "clinic", 1, by=None, now=now, kind="audit", count=removed
            )
        return removed


def _remove(session: Session, table: Any, condition: Any, mails: list[str]) -> int:
    is_mail = table.name == mail.OutgoingMail.__tablename__
    gone = session.execute(delete(table).where(condition).returning(table.c.key if is_mail else literal(1)))
    found = gone.scalars().all()
    mails += found if is_mail else []
    return len(found)
