"""Counting tries in the database, so that every process counts the same and a restart forgets nothing.

Works inside the caller's transaction. A try is counted before the password is looked at and taken back when it
was right, so that many guesses sent at once are not let through together.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from clinic.accounts.models import FailedTry
from clinic.rules.errors import RuleViolation
from clinic.rules.language import N_, _, ngettext

KEPT_FOR = dt.timedelta(hours=1)  # no limit below looks further back


@dataclass(frozen=True)
class Limit:
    """At most so many tries of a kind by one account or one address within the last while."""

    kind: str
    most: int
    within: dt.timedelta


SIGN_IN_ACCOUNT = Limit("sign_in_account", 10, dt.timedelta(minutes=5))
SIGN_IN_ADDRESS = Limit("sign_in_address", 10, dt.timedelta(minutes=5))
LINK_ACCOUNT = Limit("link_account", 5, dt.timedelta(hours=1))
LINK_ADDRESS = Limit("link_address", 20, dt.timedelta(hours=1))
PIN_ACCOUNT = Limit("pin_account", 5, dt.timedelta(minutes=15))
PIN_ADDRESS = Limit("pin_address", 20, dt.timedelta(minutes=15))
FACTOR_ACCOUNT = Limit("factor_account", 5, dt.timedelta(minutes=5))
FACTOR_ADDRESS = Limit("factor_address", 20, dt.timedelta(minutes=5))
PASSKEY_ADDRESS = Limit("passkey_address", 20, dt.timedelta(minutes=5))
DEAD_LINK_ADDRESS = Limit("dead_link_address", 10, dt.timedelta(minutes=5))
# Mails that somebody not signed in has sent to an e-mail they typed: it may be anybody's.
STRANGER_EMAIL = Limit("stranger_email", 5, dt.timedelta(hours=1))
STRANGER_ADDRESS = Limit("stranger_address", 20, dt.timedelta(hours=1))


class TooManyTries(RuleViolation):
    """The limit is reached. `.minutes` is how long to wait; it says nothing about whether an account exists."""

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        wait = ngettext("%(num)d minute", "%(num)d minutes", minutes)
        super().__init__(_("There were too many tries. Please wait %(wait)s, then try again.", wait=wait))


class Crowded(RuleViolation):
    """More people sign in at this moment than can be taken: no try is counted."""

    default_sentence = N_("Many people are signing in at this moment. Please try again in a few seconds.")


@dataclass(frozen=True)
class Origin:
    """Where a request comes from: its address, the browser in words and by its own mark, and the key that hides what
    is counted."""

    address: str
    browser: str
    secret: str = field(repr=False)
    device: str = field(default="", repr=False)  # what this browser was given to be known again by

    def of_account(self, limit: Limit, email: str) -> Counted:
        return Counted(limit, mark(self.secret, email))

    def of_address(self, limit: Limit) -> Counted:
        return Counted(limit, mark(self.secret, _whose_network(self.address)))

    def keeper(self, user_id: int | None) -> str:
        """Whose kept times are counted together: an account's, else all that come from one address, or from all the
        networks that an IPv6 customer is given: 256 of them at a home."""
        whose = _whose_network(self.address, bits=56) if user_id is None else f"account {user_id}"
        return mark(self.secret, whose)


@dataclass(frozen=True)
class Counted:
    """Whose tries are counted against which limit; `who` is a keyed hash."""

    limit: Limit
    who: str


def mark(secret: str, text: str) -> str:
    """A keyed hash: the table of tries names nobody to whoever reads it."""
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _whose_network(address: str, *, bits: int = 64) -> str:
    """An IPv6 customer has a whole /64 to choose addresses from, so that is what is counted. Where one socket hears
    both kinds, an IPv4 address comes written as IPv6: all of those lie in one /64, so each is counted by itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.ipv4_mapped:
        return str(getattr(parsed, "ipv4_mapped", parsed))
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def count(session: Session, counted: Sequence[Counted], now: dt.datetime) -> list[int]:
    """Count one try against each limit; returns the rows, for `take_back`. Raises TooManyTries at a limit."""
    one_at_a_time(session, [each.who for each in counted])
    session.execute(delete(FailedTry).where(FailedTry.at < now - KEPT_FOR))
    waits = [_wait(session, each, now) for each in counted]
    if any(waits):
        raise TooManyTries(-(-max(waits) // 60))
    rows = [FailedTry(kind=each.limit.kind, who=each.who, at=now) for each in counted]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def so_far(session: Session, counted: Counted, now: dt.datetime) -> int:
    """How many wrong tries there were within the hour; one that is under way counts until it is taken back."""
    return (
        session.scalar(
            select(func.count()).where(
                FailedTry.kind == counted.limit.kind,
                FailedTry.who == counted.who,
                FailedTry.at > now - KEPT_FOR,
            )
        )
        or 0
    )


def take_back(session: Session, ids: Sequence[int]) -> None:
    """The try was right after all: it is not counted."""
    session.execute(delete(FailedTry).where(FailedTry.id.in_(ids)))


def forget(session: Session, counted: Counted) -> None:
    """Lift the limit for one account now."""
    session.execute(
        delete(FailedTry).where(FailedTry.kind == counted.limit.kind, FailedTry.who == counted.who)
    )


def _wait(session: Session, counted: Counted, now: dt.datetime) -> int:
    """Seconds until a try is free again; 0 when one is free now."""
    limit = counted.limit
    deciding = session.scalar(
        select(FailedTry.at)
        .where(FailedTry.kind == limit.kind, FailedTry.who == counted.who, FailedTry.at > now - limit.within)
        .order_by(FailedTry.at.desc(), FailedTry.id.desc())
        .offset(limit.most - 1)
        .limit(1)
    )
    return max(1, int((deciding + limit.within - now).total_seconds())) if deciding else 0


def one_at_a_time(session: Session, whose: Iterable[str]) -> None:
    """Two that count for the same mark queue up until one is written. SQLite has one writer at a time anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for number in sorted(int(who[:15], 16) for who in whose):
        session.execute(select(func.pg_advisory_xact_lock(number)))
