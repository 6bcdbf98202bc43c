"""One person, before they are erased: what goes, what stays and until when, and what has to be done first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select

from clinic.accounts.models import User, UserRole
from clinic.accounts.queries import IS_UNENTERED
from clinic.booking.models import Visit
from clinic.clients import queries as clients
from clinic.clients.models import Client, ClientAccess
from clinic.keeping.models import Erasure
from clinic.keeping.queries.periods import periods
from clinic.premises import queries as premises
from clinic.records.queries.own_copy import Whose, personal_classes
from clinic.rules.keeping import Fate, fate_of, records_end_on
from clinic.rules.language import N_
from clinic.rules.permissions import Role
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.crypto import SealedRow
from clinic.shared.database import db
from clinic.shared.person_keys import Gone

AHEAD = (
    VisitStatus.HELD, VisitStatus.PENDING, VisitStatus.CONFIRMED, VisitStatus.SUSPENDED, VisitStatus.ARRIVED,
    VisitStatus.IN_SESSION,
)  # fmt: skip
"""Visits that have to be cancelled or finished before anybody is erased."""


@dataclass(frozen=True)
class Line:
    """One table: how many rows of it are about the person, and what becomes of them. `until`: it stays so long."""

    table: str
    count: int
    fate: Fate
    why: str
    until: dt.date | None


@dataclass(frozen=True)
class Preview:
    """What erasing somebody would do today."""

    client_id: int
    name: str
    lines: list[Line]
    ahead: Sequence[Visit]
    kept_until: dt.date | None
    account_stays: str

    @property
    def goes(self) -> list[Line]:
        return [one for one in self.lines if one.fate is Fate.GOES]

    @property
    def stays(self) -> list[Line]:
        return [one for one in self.lines if one.fate is not Fate.GOES]


def preview(client_id: int, now: dt.datetime) -> Preview | None:
    """What would go and what would stay; None when there is no such person, or nothing of them is left."""
    client = clients.client(client_id)
    if client is None or is_erased(client.id):
        return None
    whose = Whose(client, *accounts_that_go(client.id))
    until = kept_until(client, now)
    lines = [_line(cls, count, until) for cls in personal_classes() if (count := whose.count(cls))]
    return Preview(
        client.id, client.name, lines, visits_ahead(whose.ids["client"]), until, why_account_stays(client.id)
    )


def _line(cls: type[Any], count: int, until: dt.date | None) -> Line:
    table = cls.__tablename__
    kept = fate_of(table)
    if until and (kept.fate is Fate.WITH_RECORDS or table in ("client", "visit", "screening")):
        return Line(table, count, Fate.WITH_RECORDS, "", until)
    fate = Fate.GOES if kept.fate is Fate.WITH_RECORDS else kept.fate
    return Line(table, count, fate, kept.why, None)


def is_erased(client_id: int) -> bool:
    """Whether nothing of this person is left. A record that took something back since, as records of earlier versions
    did, can be erased once more."""
    done = select(Erasure.id).where(Erasure.client_id == client_id, Erasure.finished_at.is_not(None))
    if db.session.scalar(done.limit(1)) is None:
        return False
    return db.session.scalar(select(Client.id).where(Client.id == client_id, has_anything())) is None


def has_anything() -> ColumnElement[bool]:
    """Whether anything stands on a record but what stays when it is erased."""
    said: list[ColumnElement[bool]] = [Client.name_key != ""]
    for cls in personal_classes():
        if fate_of(cls.__tablename__).fate not in (Fate.GOES, Fate.WITH_RECORDS):
            continue
        if "client_id" in cls.__table__.c:
            said.append(exists().where(cls.client_id == Client.id))
        elif issubclass(cls, SealedRow) and cls.about == "visit_id":
            said.append(exists().where(cls.visit_id == Visit.id, Visit.client_id == Client.id))  # type: ignore[attr-defined]
    said.append(exists().where(Visit.client_id == Client.id, Visit.status.in_(AHEAD)))
    return or_(*said)


def is_a_client_again(row: Erasure) -> bool:
    """Whether a record was merged into this one since it was erased: what stands there now is somebody's of today."""
    came = Client.merged_into_id == row.client_id, Client.merged_at > row.erased_at
    return db.session.scalar(select(Client.id).where(*came).limit(1)) is not None


def comes_back(gone: Gone) -> Client | None:
    """The record that is to be erased once more, of somebody who was erased and stands in a restored database; None
    where they do not, or somebody came later under their number. What was kept by a law, and is part of another record
    by now, goes without that one."""
    row = db.session.get(Client, gone.client_id)
    if row is None or (gone.at is not None and row.created_at > gone.at):
        return None
    records = [row]
    while records[-1].merged_into_id is not None:
        records.append(db.session.get_one(Client, records[-1].merged_into_id))
    known = Erasure.client_id.in_([one.id for one in records])
    since = Erasure.finished_at.is_not(None) if gone.at is None else Erasure.erased_at >= gone.at
    if db.session.scalar(select(Erasure.id).where(known, since).limit(1)) is not None:
        return None
    was_begun = select(Erasure.id).where(Erasure.client_id == row.id, Erasure.erased_at.is_not(None))
    return row if db.session.scalar(was_begun.limit(1)) is not None else records[-1]


def still_booked(gone: Collection[Gone]) -> list[int]:
    """Visits that a restored database still has ahead for those who are to be erased once more."""
    back = [one for one in map(comes_back, gone) if one is not None]
    return [visit.id for one in back for visit in visits_ahead(clients.all_ids(one.id))]


def visits_ahead(client_ids: Collection[int]) -> Sequence[Visit]:
    """Visits that are not over, the next first."""
    ahead = select(Visit).where(Visit.client_id.in_(client_ids), Visit.status.in_(AHEAD))
    return db.session.scalars(ahead.order_by(Visit.starts_at, Visit.id)).all()


def last_visit_on(client_ids: Collection[int]) -> dt.date | None:
    """The day of the last visit that took place; None when there was none."""
    took_place = Visit.client_id.in_(client_ids), Visit.status == VisitStatus.DONE
    return db.session.scalar(select(func.max(Visit.day)).where(*took_place))


def kept_until(client: Client, now: dt.datetime) -> dt.date | None:
    """Until when a law makes the clinic keep the records of treatment; None when it may erase them now."""
    years = periods()["law"]
    last = last_visit_on(clients.all_ids(client.id))
    if not years or last is None:
        return None
    ends = records_end_on(last, client.born_on, years=years, adult_age=premises.clinic().adult_age)
    return ends if ends > premises.today(now) else None


def last_heard_of(whose: Whose) -> dt.date:
    """The last day of which any row of theirs says something."""
    heard: list[dt.date] = []
    for cls in personal_classes():
        if not issubclass(cls, SealedRow | Client) and cls.__tablename__ != "waitlist_wish":
            continue
        for column in cls.__table__.columns:
            if column.key in (
                "day",
                "created_at",
                "updated_at",
                "signed_at",
                "sent_at",
                "made_at",
                "written_at",
            ):
                latest = db.session.scalar(select(func.max(column)).where(whose.is_theirs(cls)))
                heard += [latest.date() if isinstance(latest, dt.datetime) else latest] if latest else []
    return max(heard)


def why_account_stays(client_id: int) -> str:
    """Why an account of theirs stays though they are erased; empty when all go, or there is none."""
    own = clients.own_account_ids(client_id)
    return next((why for one in own if (why := _why_it_stays(one, client_id))), "")


def accounts_that_go(client_id: int) -> list[int]:
    """The accounts that are erased with them."""
    own = [one for one in clients.own_account_ids(client_id) if not _why_it_stays(one, client_id)]
    return [*own, *accounts_of_nobody(client_id)]


def accounts_of_nobody(client_id: int) -> list[int]:
    """Accounts that a mail opened for one of their records, and that are for nobody since records were joined, or since
    staff corrected an address or ended what the account may do. Nobody has entered them: they go by their address, or
    by what the audit says of them."""
    ids = clients.all_ids(client_id)
    ended = select(AuditRow.detail).where(
        AuditRow.thing == "client", AuditRow.thing_id.in_(ids), AuditRow.deed == clients.ACCESS_ENDED
    )
    opened = or_(
        User.email.in_(select(Client.email_key).where(Client.id.in_(ids))),
        User.id.in_({one["user"] for one in db.session.scalars(ended)}),
    )
    acts = exists().where(ClientAccess.user_id == User.id)
    works_here = exists().where(UserRole.user_id == User.id, UserRole.role != Role.CLIENT)
    found = select(User.id).where(opened, User.is_active, IS_UNENTERED, ~acts, ~works_here)
    return list(db.session.scalars(found.order_by(User.id)))


def _why_it_stays(user_id: int, client_id: int) -> str:
    user = db.session.get_one(User, user_id)
    if user.roles - {Role.CLIENT}:
        return N_("Their account stays: they work here.")
    others = select(ClientAccess.client_id).where(
        ClientAccess.user_id == user.id,
        ClientAccess.client_id.not_in(clients.all_ids(client_id)),
    )
    if db.session.scalar(others.limit(1)) is not None:
        return N_("Their account stays: it books for other people too.")
    return ""
