"""Devices that were handed over: which client's questions one may open now, and who takes it back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from clinic.accounts.queries import hash_of
from clinic.intake.models import TabletPass
from clinic.premises import queries as premises
from clinic.shared.database import db


@dataclass(frozen=True)
class HandedOver:
    """A device by its pass. `is_open`: its client may go on; else it is locked, and `was_left_alone` says why."""

    id: int
    client_id: int
    by: int
    signed_in_at: dt.datetime
    handed_at: dt.datetime
    seen_at: dt.datetime
    is_open: bool
    was_left_alone: bool


def handed_over(token: str | None, now: dt.datetime) -> HandedOver | None:
    """The device whose browser holds this pass; None for a pass that there never was."""
    if not token:
        return None
    row = db.session.scalars(select(TabletPass).where(TabletPass.token_hash == hash_of(token))).one_or_none()
    if row is None:
        return None
    seen_at = row.seen_at or row.made_at
    is_good = row.ended_at is None and row.expires_at > now
    left_alone = now - seen_at >= dt.timedelta(minutes=premises.clinic().tablet_idle_minutes)
    return HandedOver(
        row.id, row.client_id, row.made_by_id, row.signed_in_at or row.made_at, row.made_at, seen_at,
        is_open=is_good and not left_alone, was_left_alone=is_good and left_alone,
    )  # fmt: skip
