"""Changing what the clinic sends: its times, its texts, and who wants what."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.timed_steps import follow
from clinic.clients import choices
from clinic.clients import queries as clients
from clinic.clients.choices import Whose
from clinic.clients.steps import who_stands
from clinic.messages import queries
from clinic.messages.queries import MessageSettings
from clinic.premises import queries as premises
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.messages import FOR_CLIENTS, FOR_STAFF, KINDS, LONGEST_REMINDERS, SMS
from clinic.rules.own_text import LINK, mistake_in
from clinic.rules.visit_status import UPCOMING
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import About, OwnText, places_of, queue_mail
from clinic.shared.seen import check_seen, mark_of

DIGEST_HOUR = 6


@tried_again
def save_settings(new: MessageSettings, *, seen: str, by: int | None, now: dt.datetime) -> None:
    """Change when messages go out; those of visits that are booked already follow. Raises InvalidInput,
    ChangedMeanwhile."""
    if not queries.is_hours(new.reminder_hours):
        raise InvalidInput(
            "reminder_hours",
            _(
                "Write up to %(most)s whole hours with a comma between, such as 48, 3.",
                most=LONGEST_REMINDERS,
            ),
        )
    with transaction() as session:
        row = premises.clinic()
        check_seen(session, row, lambda: vars(queries.settings()), seen)
        for name, value in vars(new).items():
            setattr(row, name, value)
        coming = select(Visit).where(Visit.status.in_(tuple(UPCOMING)), Visit.starts_at > now)
        follow(session, *session.scalars(coming.order_by(Visit.id)), now=now)
        leave_trace(session, "messages.settings_changed", "clinic", row.id, by=by, now=now)


@tried_again
def save_text(
    kind: str, language: str, subject: str, body: str, *, seen: str, by: int | None, now: dt.datetime
) -> None:
    """The owner's own text instead of the one that was shown, of which `seen` is the mark. Raises InvalidInput at the
    field that is wrong, NotFound, ChangedMeanwhile."""
    check_text(kind, subject, body)
    with transaction() as session:
        row = session.get(OwnText, (kind, language), with_for_update=True)  # before its mark is looked at
        if mark_of(queries.text_of(kind, language)) != seen:
            raise ChangedMeanwhile
        row = row or OwnText(kind=kind, language=language)
        row.text, row.changed_at, row.changed_by_id = f"{subject}\n{body}", now, by
        session.add(row)
        leave_trace(
            session, "messages.text_changed", "message", None, by=by, now=now, kind=kind, language=language
        )


def check_text(kind: str, subject: str, body: str) -> None:
    """Raises InvalidInput (subject, body) for a place that does not exist, or a link that is missing."""
    if kind not in KINDS:
        raise NotFound(_("There is no such message."))
    places = places_of(kind)
    for field, text, allowed in (("subject", subject, set(places) - {LINK}), ("body", body, set(places))):
        if mistake := mistake_in(text, allowed):
            raise InvalidInput(field, mistake)
    if LINK in places and f"{{{LINK}}}" not in body:
        raise InvalidInput("body", _("This message needs its {link}: without it nobody can go on."))


@tried_again
def use_standard_text(kind: str, language: str, *, seen: str, by: int | None, now: dt.datetime) -> None:
    """The standard text again instead of the one that was shown; done twice it changes nothing. Raises
    ChangedMeanwhile."""
    with transaction() as session:
        row = session.get(OwnText, (kind, language), with_for_update=True)
        if row is not None:
            if mark_of(queries.text_of(kind, language)) != seen:
                raise ChangedMeanwhile(
                    _(
                        "Somebody changed this text while you had it open, so it was not taken away. Here it is as it"
                        " is now."
                    )
                )
            session.delete(row)
            leave_trace(
                session,
                "messages.text_dropped",
                "message",
                None,
                by=by,
                now=now,
                kind=kind,
                language=language,
            )


@tried_again
def send_test(kind: str, language: str, to: str, *, now: dt.datetime) -> None:
    """Mail the saved text to the owner, filled with invented values."""
    if kind not in KINDS:
        raise NotFound(_("There is no such message."))
    values: dict[str, Any] = dict(queries.samples(kind, language))
    with transaction() as session:
        queue_mail(
            session, kind, to, key=f"test-{secrets.token_hex(16)}", now=now, language=language, token="sample",  # noqa: S106
            **values,
        )  # fmt: skip


@tried_again
def choose(whose: Whose, wanted: dict[str, bool], *, now: dt.datetime) -> None:
    """Keep what somebody wants of the kinds that are theirs to choose. Raises NotFound for any other."""
    own = {*FOR_CLIENTS, SMS} if whose.client_id is not None else set(FOR_STAFF)
    if not wanted.keys() <= own:
        raise NotFound()
    with transaction() as session:
        if whose.client_id is not None and (stands := who_stands(session, whose.client_id, is_judged=False)):
            whose = Whose(client_id=stands.id)
        for kind, is_wanted in sorted(wanted.items()):
            choices.choose(session, whose, kind, is_wanted=is_wanted, now=now)
        thing, number = (
            ("client", whose.client_id) if whose.client_id is not None else ("user", whose.user_id)
        )
        leave_trace(session, "messages.chosen", thing, number, by=None, now=now)


def choose_for(user_id: int, client_id: int | None, wanted: dict[str, bool], *, now: dt.datetime) -> None:
    """The same from somebody's own page: for whom they act for, or for themselves. Raises NotFound."""
    client = clients.client_of(user_id, client_id) if client_id is not None else None
    if client is None and client_id is not None:
        raise NotFound()
    choose(Whose(client_id=client.id) if client is not None else Whose(user_id=user_id), wanted, now=now)


def write_digests(now: dt.datetime) -> int:
    """Queue the morning mails of the team, from six o'clock until noon, once for each person and day."""
    facts = premises.clinic_facts()
    if facts is None or not premises.clinic().sends_digests:
        return 0
    local = now.astimezone(ZoneInfo(facts.zone))
    if not DIGEST_HOUR <= local.hour < 12:
        return 0
    found = queries.digests(now)
    for one in found:
        with transaction() as session:
            queue_mail(
                session, one.kind, one.email, key=one.key, now=now,
                about=About(stop_key=choices.stop_key(Whose(user_id=one.user_id), one.kind)), language=one.language,
                name=one.name, day=one.day, count=one.count, visits=one.lines, clinic=facts.name,
            )  # fmt: skip
    return len(found)
