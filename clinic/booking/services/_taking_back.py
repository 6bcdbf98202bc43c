"""Steps inside a transaction: remember how a visit stood before a step at the desk, until nobody can take it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.taken_back import TakeBack
from clinic.rules.taking_back import TIME_TO_TAKE_BACK

KEPT = (
    "status", "waiting_for", "therapist_id", "room_id", "service_id", "mode", "addons", "areas", "minutes",
    "any_therapist", "asked_gender", "price",
)  # fmt: skip


def as_it_stands(visit: Visit) -> dict[str, Any]:
    """What has to be put back should the next step be taken back."""
    deadline = visit.deadline_at
    return {
        **{name: getattr(visit, name) for name in KEPT},
        "starts_at": visit.starts_at.isoformat(),
        "deadline_at": deadline.isoformat() if deadline else None,
    }


def told_from(now: dt.datetime) -> dt.datetime:
    """When people are told of a step that can be taken back until then."""
    return now + TIME_TO_TAKE_BACK


def remember(
    session: Session,
    visit: Visit,
    before: dict[str, Any],
    deed: str,
    *,
    template: str = "",
    by: int | None,
    now: dt.datetime,
) -> None:
    """The step that was just done (and told by `template`, not yet sent) can be taken back; an earlier one cannot
    any more."""
    session.flush()
    session.execute(delete(TakeBack).where(TakeBack.visit_id == visit.id))
    told = template and visit.client is not None and visit.client.email
    session.add(
        TakeBack(
            visit_id=visit.id, deed=deed, before=before, revision=visit.revision,
            mail_key=f"{template}:{visit.id}:{visit.revision}" if told else None,
            done_by_id=by, until=told_from(now),
        )
    )  # fmt: skip
