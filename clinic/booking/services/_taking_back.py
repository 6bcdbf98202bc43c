"""Steps inside a transaction: remember how visits stood before a step at the desk, until nobody can take it back."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits as reading
from clinic.booking.services._line import end_offers_for
from clinic.booking.services._steps import tell_client
from clinic.booking.taken_back import TakeBack
from clinic.rules.taking_back import TIME_TO_TAKE_BACK

KEPT = (
    "status", "waiting_for", "therapist_id", "room_id", "service_id", "mode", "addons", "areas", "minutes",
    "any_therapist", "asked_gender", "price", "couple_id",
)  # fmt: skip


class Step(NamedTuple):
    """What a deed did to one visit: how it stood `before`, and the key of the mail that tells of it."""

    visit: Visit
    before: dict[str, Any]
    mail_key: str | None = None


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


def told_by(visit: Visit, template: str) -> str | None:
    """The key of the mail that was queued just now about this visit; None where nobody is mailed."""
    client = reading.person_of(visit)
    return f"{template}:{visit.id}:{visit.revision}" if client is not None and client.email else None


def same_deed(visit_ids: Sequence[int]) -> ColumnElement[bool]:
    """The kept steps of these visits, and of all that were changed by the same deeds."""
    theirs = TakeBack.visit_id.in_(visit_ids)
    return or_(theirs, TakeBack.together.in_(select(TakeBack.together).where(theirs)))


def remember(session: Session, steps: Sequence[Step], deed: str, *, by: int | None, now: dt.datetime) -> None:
    """The deed that was just done, and is told by mails that are not sent yet, can be taken back as a whole; an earlier
    one of these visits cannot any more."""
    session.flush()
    ids = [one.visit.id for one in steps]
    session.execute(delete(TakeBack).where(same_deed(ids)).execution_options(synchronize_session=False))
    together = secrets.token_urlsafe(12) if len(steps) > 1 else None
    session.add_all(
        TakeBack(
            visit_id=visit.id, deed=deed, before=before, revision=visit.revision, mail_key=mail_key,
            together=together, done_by_id=by, until=told_from(now),
        )
        for visit, before, mail_key in steps
    )  # fmt: skip


def tell_of_move(
    session: Session,
    visits: Sequence[Visit],
    before: Sequence[dict[str, Any]],
    *,
    at_desk: bool,
    by: int | None,
    now: dt.datetime,
) -> None:
    """Tell the clients that these visits were moved; at the desk all of it can be taken back first, but for a move that
    confirmed a visit. Which room it is, is no news to anybody. Whatever else they were asked about them is over: what
    a mail has told them already is not taken back."""
    pairs = list(zip(visits, before, strict=True))
    others = [one for one, was in pairs if _news(as_it_stands(one)) != _news(was)]
    ended = [end_offers_for(session, one, by=by, now=now) for one in others]  # of every one
    can_go_back = at_desk and not any(ended) and all(visit.status == was["status"] for visit, was in pairs)
    not_before = told_from(now) if can_go_back else None
    steps = []
    for visit, was in pairs:
        is_news = visit in others
        if is_news:
            tell_client(session, visit, "visit_moved", now=now, not_before=not_before)
        steps.append(Step(visit, was, told_by(visit, "visit_moved") if is_news else None))
    if can_go_back:
        remember(session, steps, "moved", by=by, now=now)


def _news(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in ("room_id", "deadline_at")}
