"""Which messages a client, or somebody of the team, wants: what they chose, or else as the kind is by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from clinic.clients import queries
from clinic.clients.models import MessageChoice
from clinic.rules.messages import KINDS, SMS, Off
from clinic.shared import signed
from clinic.shared.database import db
from clinic.shared.seen import mark_of


@dataclass(frozen=True)
class Whose:
    """A client, or else an account of the team."""

    client_id: int | None = None
    user_id: int | None = None

    def is_of(self) -> ColumnElement[bool]:
        if self.client_id is not None:
            return MessageChoice.client_id == self.client_id
        return MessageChoice.user_id == self.user_id

    def as_of_today(self) -> Whose:
        """The record that this one was merged into, if it was: a past visit, or a mail of before, names the old one."""
        row = queries.client(self.client_id) if self.client_id is not None else None
        return Whose(row.id) if row is not None else self


def wants(whose: Whose, kind: str) -> bool:
    """Whether this person is to get this kind. An SMS has to be wished for; all else goes out until a no."""
    if KINDS[kind].off is Off.NEVER:
        return True
    theirs = MessageChoice.kind == kind, whose.as_of_today().is_of()
    chosen = db.session.scalar(select(MessageChoice.is_wanted).where(*theirs))
    return kind != SMS if chosen is None else chosen


def choose(session: Session, whose: Whose, kind: str, *, is_wanted: bool, now: dt.datetime) -> None:
    """Keep what they chose, inside the caller's transaction."""
    whose = whose.as_of_today()
    row = session.scalars(
        select(MessageChoice).where(MessageChoice.kind == kind, whose.is_of()).with_for_update()
    ).one_or_none()
    if row is None:
        row = MessageChoice(client_id=whose.client_id, user_id=whose.user_id, kind=kind)
        session.add(row)
    row.is_wanted, row.chosen_at = is_wanted, now


def merge(session: Session, keep_id: int, lose_id: int) -> None:
    """Two records are one person: what they chose on either counts, and a no on one of them is a no."""
    kept = {
        row.kind: row
        for row in session.scalars(select(MessageChoice).where(MessageChoice.client_id == keep_id))
    }
    for row in session.scalars(select(MessageChoice).where(MessageChoice.client_id == lose_id)).all():
        if row.kind not in kept:
            row.client_id = keep_id
            continue
        if not row.is_wanted:
            kept[row.kind].is_wanted, kept[row.kind].chosen_at = False, row.chosen_at
        session.delete(row)


def stop_key(whose: Whose, kind: str) -> str | None:
    """The key in a mail that switches this kind off for this person, and can do nothing else; None where no mail can.
    It is signed, not kept: a mail program may press it years later, as long as the person has that address."""
    if KINDS[kind].off is not Off.BY_LINK:
        return None
    return signed.sign(signed.STOP, [whose.client_id, whose.user_id, kind, _mark_of_address(whose)])


def opened(key: str) -> tuple[Whose, str] | None:
    """Whose kind this key switches off; None for any other text, and for a key that was mailed to an address which the
    person no longer has: whoever reads there may be somebody else. Earlier versions signed no address."""
    found = signed.opened(signed.STOP, key)
    if found is None:
        return None
    whose = Whose(*found[:2])
    return None if found[3:] not in ([], [_mark_of_address(whose)]) else (whose, found[2])


def _mark_of_address(whose: Whose) -> str:
    row = queries.client(whose.client_id) if whose.client_id is not None else None
    return mark_of(row.email_key) if row is not None else ""
