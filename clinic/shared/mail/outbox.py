"""The outbox: written in the caller's transaction, sent in rounds. At least once, and once in all but rare cases.

A row is leased before it is sent, so that two workers never take the same one; the lease of a worker that was killed
runs out. Only a message whose acceptance is lost on the way goes out again, as the same one.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import structlog
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from clinic.rules.language import spoken
from clinic.shared.database import db, transaction
from clinic.shared.languages import speaking
from clinic.shared.mail import texts
from clinic.shared.mail.letters import Letterhead, message_of, one_line, stamp_of
from clinic.shared.mail.models import WAITS, OutgoingMail, OwnText
from clinic.shared.mail.sending import Refused, Senders, stamped_files

log = structlog.get_logger()

LEASE = dt.timedelta(minutes=5)
ROUND_SECONDS = 60  # well within a lease
AT_ONCE = 100
BACK_OFF_MINUTES = (1, 5, 10, 15, 15, 15, 15, 120, 240, 480, 720)
"""Waits between twelve tries, 27 hours in all. In the first hour and a quarter none is longer than 15 minutes: after a
mail server that was away for an hour everything is out a quarter of an hour later."""
LONGEST_BACK_OFF = dt.timedelta(minutes=max(BACK_OFF_MINUTES))

ABOUT_ONE = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError)
"""Failures of this one message, which say nothing of the next."""

IsWanted = Callable[[Session, OutgoingMail], bool]


@dataclass(frozen=True)
class About:
    """What a message is about: a visit, and when it begins where the message is only true until that changes.
    `stop_key` opens the page that switches this kind off, for who gets it."""

    visit_id: int | None = None
    starts_at: dt.datetime | None = None
    stop_key: str | None = None


def queue_mail(
    session: Session,
    kind: str,
    to: str | None,
    *,
    key: str,
    now: dt.datetime,
    not_before: dt.datetime | None = None,
    about: About | None = None,
    channel: str = "mail",
    language: str | None = None,
    token: str = "",
    **values: object,
) -> None:
    """Write the message into the caller's transaction; nothing happens without an address or when `key` exists.

    `not_before`: it is kept until then, and may be dropped again. `token`: the key in its link. `language`: of who gets
    it; without one the language of the moment, for a caller that has chosen it with `speaking`.
    """
    if not to:
        return
    language = language or spoken()
    there = select(OutgoingMail.id).where(OutgoingMail.key == key).scalar_subquery()
    own = select(OwnText.text).where(OwnText.kind == kind, OwnText.language == language).scalar_subquery()
    known, own_text = session.execute(select(there, own)).one()
    if known is not None:
        return
    about = about or About()
    with speaking(language):
        subject, text = texts.written(kind, own_text, values, token=token, stop_key=about.stop_key)
    session.add(
        OutgoingMail(
            key=key, kind=kind, channel=channel, visit_id=about.visit_id, starts_at=about.starts_at, to=one_line(to),
            subject=one_line(subject), text=text, stop_key=about.stop_key, due_at=not_before or now,
        )
    )  # fmt: skip


def known_keys(keys: Collection[str]) -> set[str]:
    """Those of these keys under which a message was queued already."""
    return set(db.session.scalars(select(OutgoingMail.key).where(OutgoingMail.key.in_(keys))))


def delete_left_files(folder: Path) -> None:
    """Delete the files of mails that are not known any more: of somebody who was erased while their mail was on its
    way, or by a process that did not live to see to the files. The files are looked at first: whatever is written later
    has its row."""
    left = stamped_files(folder)
    for key in db.session.scalars(select(OutgoingMail.key)) if left else ():
        left.pop(stamp_of(key), None)
    for path in chain.from_iterable(left.values()):
        path.unlink(missing_ok=True)


def drop_mail(session: Session, key: str) -> bool:
    """Take back a mail that has not left yet; returns whether it had not. One on its way is not stopped."""
    gone = delete(OutgoingMail).where(
        OutgoingMail.key == key, OutgoingMail.sent_at.is_(None), OutgoingMail.lease_until.is_(None)
    )
    return session.execute(gone.returning(OutgoingMail.id)).first() is not None


def drain(
    senders: Senders,
    letterhead: Callable[[], Letterhead],
    now: dt.datetime,
    *,
    is_wanted: IsWanted = lambda _session, _row: True,
) -> int:
    """Send what is due; returns how many went out. `is_wanted` is asked once more, just before each leaves."""
    sent, begun, away, held_up = 0, time.monotonic(), set[str](), set[_To]()
    head = cache(letterhead)  # read for the first mail, and the same for all of a round
    for one in _due(now):
        is_stuck = one.channel in away or (one.is_early and one.whom in held_up)
        if is_stuck or time.monotonic() - begun > ROUND_SECONDS:
            continue
        row = _lease(one.id, now, is_wanted)
        if row is None:
            continue
        try:
            _send(row, senders, head)
        except Refused:
            _fail(one.id, "refused", now, is_final=True)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            log.warning("mail_not_sent", mail=one.id, reason=type(error).__name__)
            if one.is_early:  # before its time it loses no try, and holds up nothing
                _put_back(one)
                held_up.add(one.whom)
                continue
            _fail(one.id, type(error).__name__, now)
            if not isinstance(error, ABOUT_ONE):
                # nobody is there, or nobody is let in: the others wait without losing a try
                away.add(one.channel)
        else:
            _mark_sent(one.id, now)
            sent += 1
    return sent


def _send(row: OutgoingMail, senders: Senders, letterhead: Callable[[], Letterhead]) -> None:
    if row.channel == "mail":
        head = letterhead()
        try:
            message = message_of(row, head)
        except (LookupError, AttributeError) as error:  # how the library fails at half an address
            raise Refused from error
        senders.mail(message)
    elif senders.sms is not None:
        senders.sms(row.to, row.text.strip())
    else:
        raise Refused


_To = tuple[str, str]


@dataclass(frozen=True)
class _Due:
    """A message to send. `is_early`: it was tried before and its next try is later, but a younger one to the same
    address leaves now."""

    id: int
    channel: str
    to: str
    is_early: bool

    @property
    def whom(self) -> _To:
        return self.channel, self.to


def _due(now: dt.datetime) -> list[_Due]:
    """What has come due, longest due first; before each, what was written earlier to the same address and was held up:
    else somebody would read that a visit is booked after they read that it is called off."""
    with transaction() as session:
        free = or_(OutgoingMail.lease_until.is_(None), OutgoingMail.lease_until < now)
        is_late = OutgoingMail.due_at > now
        waiting = select(OutgoingMail.id, OutgoingMail.channel, OutgoingMail.to, is_late).where(WAITS, free)
        due = waiting.where(~is_late).order_by(OutgoingMail.due_at, OutgoingMail.id).limit(AT_ONCE)
        found = [_Due(*row) for row in session.execute(due)]
        addresses = {one.to for one in found}
        held_up = waiting.where(
            OutgoingMail.due_at <= now + LONGEST_BACK_OFF,
            OutgoingMail.attempts > 0,
            OutgoingMail.to.in_(addresses),
        )
        waits = {one.id: one for one in (*found, *(_Due(*row) for row in session.execute(held_up)))}
    by_whom: dict[_To, list[_Due]] = {}
    for one in sorted(waits.values(), key=lambda one: one.id):
        by_whom.setdefault(one.whom, []).append(one)
    in_order: dict[int, _Due] = {}
    for one in found:
        in_order |= {earlier.id: earlier for earlier in by_whom[one.whom] if earlier.id <= one.id}
    return list(in_order.values())


def _lease(mail_id: int, now: dt.datetime, is_wanted: IsWanted) -> OutgoingMail | None:
    with transaction() as session:
        row = session.get(OutgoingMail, mail_id, with_for_update=True)
        if row is None or row.sent_at or row.ended_as or (row.lease_until and row.lease_until >= now):
            return None
        if not is_wanted(session, row):
            row.ended_as, row.text = "dropped", ""
            return None
        row.lease_until = now + LEASE
        row.tried_at = now
        row.attempts += 1
        session.flush()
        session.refresh(row)
        session.expunge(row)
        return row


def _put_back(one: _Due) -> None:
    with transaction() as session:
        row = session.get(OutgoingMail, one.id)
        if row is not None:  # else whom it was about was erased while it was on its way
            row.lease_until = None
            row.attempts -= 1


def _fail(mail_id: int, trouble: str, now: dt.datetime, *, is_final: bool = False) -> None:
    with transaction() as session:
        row = session.get(OutgoingMail, mail_id)
        if row is None:  # whom it was about was erased while it was on its way
            return
        row.lease_until, row.trouble = None, trouble
        if is_final or row.attempts > len(BACK_OFF_MINUTES):
            row.ended_as = "failed"
            row.text = ""
        else:
            row.due_at = now + dt.timedelta(minutes=BACK_OFF_MINUTES[row.attempts - 1])


def _mark_sent(mail_id: int, now: dt.datetime) -> None:
    with transaction() as session:
        row = session.get(OutgoingMail, mail_id)
        if row is None:  # as above
            return
        row.sent_at, row.lease_until = now, None
        row.text = ""  # it may carry the key of a link, which is kept nowhere but in the person's mailbox
