"""The clinic's own rules on when a visit may be booked, kept, moved and cancelled.

Everything is computed from moments that are passed in; nothing here reads a clock. All are aware datetimes in
UTC, where "24 hours before" is 24 hours on every day of the year. A deadline is the first moment at which it is
too late.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clinic.rules.errors import (
    CancelTooLate,
    HoldExpired,
    MoveNotAllowed,
    TooFarAhead,
    TooSoon,
)
from clinic.rules.language import _
from clinic.rules.visit_status import TRANSITIONS, VisitStatus, client_label
from clinic.rules.wall_time import WallClock, local_day, moment


@dataclass(frozen=True, slots=True)
class BookingSettings:
    """What the owner may set, with the defaults of a new clinic. Units are in the names."""

    lead_minutes: int = 120
    horizon_days: int = 60
    slot_step_minutes: int = 15
    turnover_may_overrun: bool = True
    hold_minutes: int = 10
    hold_longest_minutes: int = 30
    pending_days: int = 7
    pending_ends_hours_before: int = 24
    pending_near_ends_hours_before: int = 2
    pending_per_client: int = 1
    cancel_notice_hours: int = 24
    new_lead_minutes: int | None = None
    new_horizon_days: int | None = None
    gaps: str = "any"

    @property
    def tells_new_apart(self) -> bool:
        """Whether somebody who has not been treated here yet books by other rules."""
        return self.new_lead_minutes is not None or self.new_horizon_days is not None

    def for_new(self) -> BookingSettings:
        """The same for somebody who has not been treated here yet: never more than others may."""
        lead, horizon = self.new_lead_minutes, self.new_horizon_days
        return replace(
            self,
            lead_minutes=self.lead_minutes if lead is None else max(lead, self.lead_minutes),
            horizon_days=self.horizon_days if horizon is None else min(horizon, self.horizon_days),
        )


AT_THE_DESK = timedelta(minutes=30)
"""What somebody who is here already has for signing what is missing."""

MOST_KEPT = 5
"""How many times one account can keep at once while it books: a household's, and not the whole day of a therapist."""

MOST_KEPT_AT_ADDRESS = 20
"""The same for everybody without an account at one address: an office, or a part of a phone company's customers."""

LINKS_LAST = timedelta(days=30)
"""How long after a visit, a wish or an offer is over its mailed link still shows it: then it opens nothing, whoever
finds it in an old mailbox."""


def earliest_start(now: datetime, settings: BookingSettings) -> datetime:
    """The first moment at which a visit booked online now may start."""
    return now + timedelta(minutes=settings.lead_minutes)


def latest_start(now: datetime, zone: ZoneInfo, settings: BookingSettings) -> datetime:
    """The last minute at which a visit booked online now may start: of the local date `horizon_days` ahead."""
    last_day = local_day(now, zone) + timedelta(days=settings.horizon_days)
    return moment(WallClock(zone).day_bounds(last_day)[1] - 1)


def is_on_step(starts_at: datetime, zone: ZoneInfo, settings: BookingSettings) -> bool:
    """Whether it is one of the starts that are offered online: so many minutes apart on the wall, from midnight."""
    local = starts_at.astimezone(zone)
    return (local.hour * 60 + local.minute) % settings.slot_step_minutes == 0


def check_start(starts_at: datetime, *, now: datetime, zone: ZoneInfo, settings: BookingSettings) -> None:
    """Raise TooSoon or TooFarAhead where a visit may not be booked online now for that start."""
    if starts_at < earliest_start(now, settings):
        raise TooSoon()
    if starts_at > latest_start(now, zone, settings):
        raise TooFarAhead(
            _(
                "We book up to %(horizon_days)s days ahead. Please choose an earlier day or call the clinic.",
                horizon_days=settings.horizon_days,
            )
        )


def check_not_past(starts_at: datetime, *, now: datetime) -> None:
    """Raise TooSoon where the start has passed: the one bound on time that the desk has too."""
    if starts_at < now:
        raise TooSoon(_("This time has already passed. Please choose a later one."))


def hold_deadline(held_since: datetime, *, now: datetime, settings: BookingSettings) -> datetime:
    """Until when a hold made at `held_since`, and last worked on now, is kept."""
    longest = held_since + timedelta(minutes=settings.hold_longest_minutes)
    return min(now + timedelta(minutes=settings.hold_minutes), longest)


def renewed_hold(
    held_since: datetime, expires_at: datetime, *, now: datetime, settings: BookingSettings
) -> datetime:
    """The new deadline of a hold whose person is still working; HoldExpired where it has passed already."""
    if is_past(expires_at, now=now):
        raise HoldExpired()
    return max(expires_at, hold_deadline(held_since, now=now, settings=settings))


def is_past(deadline: datetime, *, now: datetime) -> bool:
    """Whether a deadline (of a hold, a pending or a suspended visit) has come: at the moment itself it has."""
    return now >= deadline


def waiting_deadline(starts_at: datetime, *, since: datetime, settings: BookingSettings) -> datetime:
    """Until when a visit that is pending or suspended since `since` keeps its claims.

    The earlier of 7 days on and 24 hours before the start; where it began to wait inside those 24 hours, 2 hours
    before the start; inside those 2 hours, the start itself, for by then the client is on the way or at the desk.
    """
    far = starts_at - timedelta(hours=settings.pending_ends_hours_before)
    near = starts_at - timedelta(hours=settings.pending_near_ends_hours_before)
    if since < far:
        return min(since + timedelta(days=settings.pending_days), far)
    return near if since < near else starts_at


def desk_deadline(starts_at: datetime, *, since: datetime, settings: BookingSettings) -> datetime:
    """As `waiting_deadline`; somebody who is at the desk when the visit starts has half an hour to sign."""
    if starts_at < since + AT_THE_DESK:
        return since + AT_THE_DESK
    return waiting_deadline(starts_at, since=since, settings=settings)


def unsafe_deadline(starts_at: datetime, settings: BookingSettings) -> datetime:
    """When a visit that new rules no longer allow is cancelled though nobody has confirmed it: 24 hours before its
    start, or earlier where the clinic gives waiting visits back earlier."""
    return starts_at - timedelta(hours=max(24, settings.pending_ends_hours_before))


def cancelled_status(
    status: VisitStatus, starts_at: datetime, *, now: datetime, by_clinic: bool, settings: BookingSettings
) -> VisitStatus:
    """What a cancelled visit becomes: LATE_CANCELLED inside the notice, CANCELLED otherwise.

    Never late: what the clinic cancels itself, and a visit that was not confirmed yet or is suspended.
    """
    promised = VisitStatus.LATE_CANCELLED in TRANSITIONS[status]
    if promised and not by_clinic and now > cancel_until(starts_at, settings):
        return VisitStatus.LATE_CANCELLED
    return VisitStatus.CANCELLED


def check_may_mark(
    old: VisitStatus, new: VisitStatus, starts_at: datetime, *, now: datetime, zone: ZoneInfo
) -> None:
    """Raise MoveNotAllowed where somebody would arrive before the day of the visit or be missed before its start, or a
    visit that is done would be opened again on a later day."""
    if old is VisitStatus.DONE and now.astimezone(zone).date() != starts_at.astimezone(zone).date():
        raise MoveNotAllowed(_("The day of this visit is over: it stays as it was finished."))
    if new in _HERE and now.astimezone(zone).date() < starts_at.astimezone(zone).date():
        raise MoveNotAllowed(_("This visit is on a later day. It can be started on that day."))
    if new is VisitStatus.NO_SHOW and now < starts_at:
        raise MoveNotAllowed(
            _("The visit has not begun yet. From its start on you can mark that nobody came.")
        )


_HERE = frozenset({VisitStatus.ARRIVED, VisitStatus.IN_SESSION})


def check_is_over(ends_at: datetime, *, now: datetime) -> None:
    """Raise MoveNotAllowed before the booked end of a visit: until then each of its steps is marked as it happens."""
    if now < ends_at:
        raise MoveNotAllowed(_("This visit is not over yet. Mark each step as it happens."))


def cancel_until(starts_at: datetime, settings: BookingSettings) -> datetime:
    """The last moment at which the client may cancel or move a confirmed visit online."""
    return starts_at - timedelta(hours=settings.cancel_notice_hours)


def check_client_may_cancel(
    status: VisitStatus, starts_at: datetime, *, now: datetime, settings: BookingSettings
) -> None:
    """Raise MoveNotAllowed or CancelTooLate where the client may not cancel this visit online now.

    A visit that is not confirmed, or suspended, can be given up until it starts.
    """
    if status not in _CLIENT_MAY_CANCEL:
        raise MoveNotAllowed(
            _(
                "This visit is marked “%(status)s” and can no longer be cancelled.",
                status=client_label(status),
            )
        )
    until = cancel_until(starts_at, settings) if status is VisitStatus.CONFIRMED else starts_at
    if now > until:
        raise CancelTooLate()


def check_client_may_move(
    status: VisitStatus, starts_at: datetime, *, now: datetime, settings: BookingSettings
) -> None:
    """Raise MoveNotAllowed or CancelTooLate where the client may not move this visit online now.

    Only a confirmed visit is moved; one that waits to be confirmed is given up and booked anew.
    """
    if status is not VisitStatus.CONFIRMED:
        raise MoveNotAllowed(
            _("Only a confirmed visit can be moved. You can cancel this one and book again.")
        )
    if now > cancel_until(starts_at, settings):
        raise CancelTooLate()


def may_client_cancel(
    status: VisitStatus, starts_at: datetime, *, now: datetime, settings: BookingSettings
) -> bool:
    """Whether `check_client_may_cancel` lets it pass: for showing the button."""
    try:
        check_client_may_cancel(status, starts_at, now=now, settings=settings)
    except (MoveNotAllowed, CancelTooLate):
        return False
    return True


def may_client_move(
    status: VisitStatus, starts_at: datetime, *, now: datetime, settings: BookingSettings
) -> bool:
    """Whether `check_client_may_move` lets it pass: for showing the button."""
    try:
        check_client_may_move(status, starts_at, now=now, settings=settings)
    except (MoveNotAllowed, CancelTooLate):
        return False
    return True


_CLIENT_MAY_CANCEL = frozenset(
    {VisitStatus.HELD, VisitStatus.PENDING, VisitStatus.CONFIRMED, VisitStatus.SUSPENDED}
)
