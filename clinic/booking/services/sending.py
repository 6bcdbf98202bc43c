"""The messages about visits, when their time has come: put into the outbox, and looked at once more as they leave."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.accounts.queries import hash_of, is_over
from clinic.accounts.steps import new_token
from clinic.booking.models import Visit, WaitlistWish
from clinic.booking.queries import check_ins, visits
from clinic.booking.services._line import TOLD_BY
from clinic.booking.services._steps import call_instead, key_of, tell_client
from clinic.booking.timed_messages import UNWRITTEN, TimedMessage
from clinic.booking.timed_steps import FOR_ANSWERS
from clinic.catalogue.aftercare import GENERAL
from clinic.clients import choices
from clinic.clients import queries as clients
from clinic.clients.choices import Whose
from clinic.clients.models import Client
from clinic.clients.steps import speaking_to
from clinic.intake.models import Clearance, ClearanceLetter
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.language import gettext
from clinic.rules.messages import AFTERCARE, ANSWERS_MISSING, KINDS, REMINDER, SMS, VISIT_PAGE
from clinic.rules.quiet_time import QuietTime
from clinic.rules.visit_status import CALLED_OFF, UPCOMING, VisitStatus
from clinic.rules.wall_time import WallClock, epoch_minute, moment
from clinic.shared.database import db, transaction, tried_again
from clinic.shared.mail import About, OutgoingMail, queue_mail
from clinic.shared.mail.texts import address

ON_HOLD, CONFIRMED_NOW = "visit_on_hold", "visit_confirmed_now"
OF_SERIES = SERIES_BOOKED, SERIES_CANCELLED = "series_booked", "series_cancelled"
# What says that the visit stands, or may yet. It is not sent any more once its client was told that it does not.
SAY_IT_STANDS = frozenset(
    {
        "visit_booked",
        "visit_waiting",
        CONFIRMED_NOW,
        "visit_changed",
        "visit_given",
        ON_HOLD,
        "couple_invited",
    }
)
CHECK_IN = "visit_check_in"
SAY_THE_SAME = (("visit_booked", "visit_waiting"), (CHECK_IN,), *((kind,) for kind in TOLD_BY.values()))
SAY_IT_ENDED = frozenset({"visit_cancelled", "visit_called_off", "visit_cannot_go_ahead", "visit_released"})
AT_ONCE = 200
LATEST_AFTERCARE = dt.timedelta(days=3)
AHEAD = dt.timedelta(days=1)
"""No message waits longer for its next try, or for a step at the desk that may be taken back."""
_ABOUT: Mapping[str, type[Client | Clearance | ClearanceLetter | WaitlistWish]] = {
    "client": Client, "clearance": Clearance, "clearance_letter": ClearanceLetter, "waitlist_wish": WaitlistWish,
}  # fmt: skip
"""What the key of a message may name that is about a person."""


def write_due(now: dt.datetime, *, by_sms: bool) -> int:
    """Put into the outbox what has come due; returns how many visits it was about. `by_sms`: the clinic can send any.
    Safe to run twice, or in two processes."""
    due = select(TimedMessage.visit_id).where(UNWRITTEN, TimedMessage.due_at <= now)
    longest_due = due.order_by(TimedMessage.due_at, TimedMessage.id).limit(AT_ONCE)
    found = set(db.session.scalars(longest_due))
    db.session.rollback()
    for visit_id in sorted(found):
        _write(visit_id, now, by_sms=by_sms)
    return len(found)


@tried_again
def _write(visit_id: int, now: dt.datetime, *, by_sms: bool) -> None:
    """Of one kind only the newest leaves: after a night without a worker nobody gets two reminders at once."""
    with transaction() as session:
        visit = session.get_one(Visit, visit_id, with_for_update=True)
        taken = (
            update(TimedMessage)
            .where(TimedMessage.visit_id == visit_id, UNWRITTEN, TimedMessage.due_at <= now)
            .values(written_at=now)
            .returning(TimedMessage.kind, TimedMessage.starts_at, TimedMessage.due_at)
            .execution_options(synchronize_session=False)
        )
        newest = {row.kind: row for row in sorted(session.execute(taken), key=lambda row: row.due_at)}
        for kind, row in newest.items():
            if row.starts_at == visit.starts_at and _is_true(visit, kind, now):
                _tell(session, visit, kind, f"{row.due_at:%Y%m%d%H%M}", now=now)
                if kind == REMINDER and by_sms:
                    _tell_by_sms(session, visit, f"{row.due_at:%Y%m%d%H%M}", now)


def _tell(session: Session, visit: Visit, kind: str, about: str, *, now: dt.datetime) -> None:
    client = visits.person_of(visit)
    if client is None or not choices.wants(Whose(client_id=client.id), kind):
        return
    with speaking_to(client):
        tell_client(
            session, visit, kind, now=now, about=about, stop_key=choices.stop_key(Whose(client_id=client.id), kind),
            advice="\n".join(f"- {gettext(line)}" for line in GENERAL),
        )  # fmt: skip


def _tell_by_sms(session: Session, visit: Visit, about: str, now: dt.datetime) -> None:
    """A reminder by SMS, for whoever wished for it; not in the quiet time of the place."""
    client, clinic, facts = visits.person_of(visit), premises.clinic(), premises.clinic_facts()
    if (
        client is None
        or facts is None
        or not client.phone_key
        or not choices.wants(Whose(client_id=client.id), SMS)
    ):
        return
    clock, minute = WallClock(ZoneInfo(visit.zone)), epoch_minute(now)
    free = QuietTime(clinic.quiet_from, clinic.quiet_until).over_at(minute, clock)
    with speaking_to(client):
        queue_mail(
            session, SMS, client.phone_key, key=f"{SMS}:{visit.id}:{about}", now=now, channel="sms",
            not_before=moment(free) if free > minute else now, about=About(visit.id, visit.starts_at),
            when=words.moment_words(visit.starts_at, visit.zone, uses_24_hours=clinic.uses_24_hours),
            clinic=clinic.name, phone=visit.location.phone or facts.phone,
        )  # fmt: skip


@tried_again
def follow_addresses(now: dt.datetime) -> None:
    """What waits goes where the person is written to by now: mails leave in their order for each address, and a younger
    one to the new address would be read first."""
    waits = (
        OutgoingMail.sent_at.is_(None), OutgoingMail.ended_as.is_(None), OutgoingMail.lease_until.is_(None),
        OutgoingMail.channel == "mail", OutgoingMail.due_at <= now + AHEAD,
    )  # fmt: skip
    of_visits = (
        select(OutgoingMail.id, OutgoingMail.to, Client)
        .join(Visit, Visit.id == OutgoingMail.visit_id)
        .join(Client, Client.id == Visit.client_id)
        .where(*waits, or_(OutgoingMail.to != Client.email, Client.merged_into_id.is_not(None)))
    )
    rows = [(one, to, clients.client(row.id)) for one, to, row in db.session.execute(of_visits).all()]
    of_series = select(OutgoingMail).where(*waits, OutgoingMail.kind.in_(OF_SERIES))
    rows += [
        (row.id, row.to, _client_of_series(int(row.key.split(":")[1])))
        for row in db.session.scalars(of_series).all()
    ]
    found = {one: who.email for one, to, who in rows if who is not None and who.email not in (None, to)}
    db.session.rollback()
    if found:
        with transaction() as session:
            for mail_id, to in found.items():
                session.execute(update(OutgoingMail).where(OutgoingMail.id == mail_id, *waits).values(to=to))


def _client_of_series(series_id: int, *, besides: Collection[VisitStatus] = ()) -> Client | None:
    of_series = select(Visit.client_id).where(Visit.series_id == series_id, Visit.status.not_in(besides))
    client_id = db.session.scalar(of_series.limit(1))
    return clients.client(client_id) if client_id is not None else None


def is_wanted(session: Session, row: OutgoingMail, now: dt.datetime) -> bool:
    """Whether a message is still true, and still welcome, at the moment at which it leaves. It goes to the address that
    the person has now; where it is gone, the desk is to call about what is news."""
    if row.visit_id is None:
        return _still_reaches(session, row)
    visit = session.get(Visit, row.visit_id)
    client = visits.person_of(visit) if visit is not None else None
    to = (client.phone_key if row.channel == "sms" else client.email) if client is not None else None
    if visit is None or client is None:
        return False
    if not to:
        call_instead(session, visit, row.kind, now)
        return False
    row.to = to
    if not choices.wants(Whose(client_id=client.id), row.kind):
        return False
    if row.kind in SAY_IT_STANDS:
        is_true = not _is_overtaken(session, row, visit)
    else:
        is_true = row.starts_at is None or (
            row.starts_at == visit.starts_at and _is_true(visit, row.kind, now)
        )
    if not is_true or _is_said_again(session, row):
        return False
    _renew_keys(row, visit, client, now)
    return True


def _is_said_again(session: Session, row: OutgoingMail) -> bool:
    """Whether a younger message will say the same, or has said it, with the one link that works: the address was
    corrected while this one waited, or the link was asked for once more."""
    alike = next((kinds for kinds in SAY_THE_SAME if row.kind in kinds), ())
    same = and_(OutgoingMail.visit_id == row.visit_id, OutgoingMail.kind.in_(alike))
    if row.kind == SERIES_BOOKED:
        of_series = ":".join(row.key.split(":")[:2])
        same = OutgoingMail.key.startswith(f"{of_series}:", autoescape=True)
    elif not alike:
        return False
    younger = select(OutgoingMail.id).where(OutgoingMail.id > row.id, OutgoingMail.ended_as.is_(None), same)
    return session.scalar(younger.limit(1)) is not None


def _renew_keys(row: OutgoingMail, visit: Visit, client: Client, now: dt.datetime) -> None:
    """The links of a message that waited while the address was corrected open their pages also from the new one."""
    if row.stop_key:
        fresh = choices.stop_key(Whose(client_id=client.id), row.kind) or ""
        row.text, row.stop_key = row.text.replace(row.stop_key, fresh), fresh
    if row.kind in KINDS and KINDS[row.kind].link == VISIT_PAGE:
        key = _key_in(row)
        if key and visits.visit_by_key(key, now) is None:
            row.text = row.text.replace(key, key_of(visit, row.kind))


def _key_in(row: OutgoingMail) -> str:
    """The key in the link of this message; empty where there is none."""
    way = re.escape(address(KINDS[row.kind].link.format(token="")))
    found = re.search(rf"{way}([\w.-]*[\w-])", row.text)
    return found[1] if found else ""


def _is_overtaken(session: Session, row: OutgoingMail, visit: Visit) -> bool:
    """Whether a younger message has left that says otherwise, as it is."""
    of_it = OutgoingMail.visit_id == visit.id
    confirmed = and_(of_it, OutgoingMail.kind == CONFIRMED_NOW)
    if row.kind == ON_HOLD and not visit.is_waiting and _left_since(session, row, confirmed):
        return True
    return visit.status in CALLED_OFF and _was_told_since(session, row, of_it, visit.series_id)


def _was_told_since(
    session: Session, row: OutgoingMail, of_it: ColumnElement[bool], series_id: int | None
) -> bool:
    """Whether a younger message has left that says so: of two in their order both leave, and what may still be taken
    back has been told to nobody."""
    told = and_(of_it, OutgoingMail.kind.in_(SAY_IT_ENDED))
    of_all = OutgoingMail.key.startswith(f"{SERIES_CANCELLED}:{series_id}:", autoescape=True)
    return _left_since(session, row, told if series_id is None else or_(told, of_all))


def _left_since(session: Session, row: OutgoingMail, wanted: ColumnElement[bool]) -> bool:
    younger = select(OutgoingMail.id).where(OutgoingMail.id > row.id, OutgoingMail.sent_at.is_not(None))
    return session.scalar(younger.where(wanted).limit(1)) is not None


def _still_reaches(session: Session, row: OutgoingMail) -> bool:
    """What is about no visit: what the team is told for who is still in the team; what is about a person for that
    person; a link into an account while the account is in use. Anything else leaves as it was written: what was done
    with an account is told at the address that it had then."""
    kind = KINDS.get(row.kind)
    number = row.key.split(":")[1] if ":" in row.key else ""
    if kind is None or not number.isdecimal():
        return True
    if kind.about in ("", "user"):
        return _still_serves(session, row, session.get(User, int(number)))
    client: Client | None = None
    found: Any = None
    if kind.about == "series":
        client = _client_of_series(int(number))
    elif kind.about in _ABOUT:
        found = session.get(_ABOUT[kind.about], int(number))
        client = clients.client(found.id if isinstance(found, Client) else found.client_id) if found else None
    else:
        return True
    if client is None or not client.email:
        return False
    row.to = client.email
    if row.kind == SERIES_BOOKED:
        return not _is_said_again(session, row) and not _has_all_ended(session, row, int(number))
    if isinstance(found, WaitlistWish) and found.key_hash is None and (key := _key_in(row)):
        token = new_token()
        found.key_hash, row.text = hash_of(token), row.text.replace(key, token)
    return True


def _has_all_ended(session: Session, row: OutgoingMail, series_id: int) -> bool:
    """Whether no visit of the series stands any more, and its client was told of one that it does not."""
    if _client_of_series(series_id, besides=CALLED_OFF) is not None:
        return False
    of_it = OutgoingMail.visit_id.in_(select(Visit.id).where(Visit.series_id == series_id))
    return _was_told_since(session, row, of_it, series_id)


def _still_serves(session: Session, row: OutgoingMail, user: User | None) -> bool:
    if KINDS[row.kind].about == "user":
        if "{token}" not in KINDS[row.kind].link:
            return True
        return user is not None and user.is_active and not is_over(row.key.rpartition(":")[2])
    if user is None or not user.is_active or not choices.wants(Whose(user_id=user.id), row.kind):
        return False
    row.to = user.email
    return True


def _is_true(visit: Visit, kind: str, now: dt.datetime) -> bool:
    if kind == AFTERCARE:
        return visit.status == VisitStatus.DONE and now - visit.ends_at < LATEST_AFTERCARE
    if visit.status not in UPCOMING or visit.starts_at <= now:
        return False
    if kind == ANSWERS_MISSING:
        return visit.is_waiting and visits.told_wait(visit) in FOR_ANSWERS
    if kind in (REMINDER, SMS):
        return visits.seen_as(visit) is VisitStatus.CONFIRMED
    # without a link they are asked anew, at the address of now
    return kind != CHECK_IN or (check_ins.has_link(visit) and check_ins.is_missing(visit, now))
