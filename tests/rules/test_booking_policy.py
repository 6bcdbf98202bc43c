"""Lead time, horizon, deadlines, moving and cancelling: each at, just before and just after its edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import pytest

from clinic.rules import errors
from clinic.rules.booking_policy import (
    BookingSettings,
    cancel_until,
    cancelled_status,
    check_client_may_cancel,
    check_client_may_move,
    check_may_mark,
    check_not_past,
    check_start,
    desk_deadline,
    earliest_start,
    hold_deadline,
    is_on_step,
    is_past,
    latest_start,
    may_client_cancel,
    may_client_move,
    renewed_hold,
    unsafe_deadline,
    waiting_deadline,
)
from clinic.rules.visit_status import VisitStatus, client_label

if TYPE_CHECKING:
    from clinic.rules.screening import Screening

BERLIN = ZoneInfo("Europe/Berlin")
DEFAULT = BookingSettings()
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))


def test_the_defaults_are_the_clinics_own() -> None:
    assert replace(DEFAULT, lead_minutes=0, horizon_days=0) == BookingSettings(
        lead_minutes=0,
        horizon_days=0,
        slot_step_minutes=15,
        turnover_may_overrun=True,
        hold_minutes=10,
        hold_longest_minutes=30,
        pending_days=7,
        pending_ends_hours_before=24,
        pending_near_ends_hours_before=2,
        pending_per_client=1,
        cancel_notice_hours=24,
    )


# ── when a visit may start ────────────────────────────────────────────────────────────────────────────────


def test_the_lead_time_is_included_and_a_second_less_is_too_soon() -> None:
    first = NOW + 2 * HOUR
    assert earliest_start(NOW, DEFAULT) == first
    check_start(first, now=NOW, zone=BERLIN, settings=DEFAULT)
    with pytest.raises(errors.TooSoon):
        check_start(first - SECOND, now=NOW, zone=BERLIN, settings=DEFAULT)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    ("step", "wall", "expected"),
    [
        (60, "09:00", True),
        (60, "09:15", False),
        (60, "09:45", False),
        (20, "09:40", True),
        (20, "09:30", False),
    ],
)
def test_steps_are_counted_on_the_wall(zone: str, step: int, wall: str, expected: bool) -> None:
    start = datetime.fromisoformat(f"2026-06-12T{wall}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    settings = replace(DEFAULT, slot_step_minutes=step)
    assert is_on_step(start, ZoneInfo(zone), settings) is expected


def test_the_horizon_ends_with_the_last_local_date() -> None:
    last = datetime(2026, 7, 31, 21, 59, tzinfo=UTC)  # 31 July, 23:59 in Berlin
    assert latest_start(NOW, BERLIN, DEFAULT) == last
    check_start(last, now=NOW, zone=BERLIN, settings=DEFAULT)
    with pytest.raises(errors.TooFarAhead, match="up to 60 days ahead"):
        check_start(last + MINUTE, now=NOW, zone=BERLIN, settings=DEFAULT)


@pytest.mark.parametrize(
    ("zone", "now", "days", "expected"),
    [
        (
            "Europe/Berlin",
            datetime(2026, 6, 1, 22, 30, tzinfo=UTC),
            0,
            datetime(2026, 6, 2, 21, 59, tzinfo=UTC),
        ),
        (
            "Europe/Berlin",
            datetime(2026, 3, 28, 12, 0, tzinfo=UTC),
            1,
            datetime(2026, 3, 29, 21, 59, tzinfo=UTC),
        ),
        (
            "Europe/Berlin",
            datetime(2026, 10, 24, 12, 0, tzinfo=UTC),
            1,
            datetime(2026, 10, 25, 22, 59, tzinfo=UTC),
        ),
        (
            "Asia/Kathmandu",
            datetime(2026, 6, 1, 18, 20, tzinfo=UTC),
            0,
            datetime(2026, 6, 2, 18, 14, tzinfo=UTC),
        ),
        (
            "America/Sao_Paulo",
            datetime(2018, 11, 2, 12, 0, tzinfo=UTC),
            1,
            datetime(2018, 11, 4, 2, 59, tzinfo=UTC),
        ),
    ],
)
def test_the_horizon_counts_local_dates(zone: str, now: datetime, days: int, expected: datetime) -> None:
    assert latest_start(now, ZoneInfo(zone), replace(DEFAULT, horizon_days=days)) == expected


def test_the_desk_may_book_from_this_very_moment_on() -> None:
    check_not_past(NOW, now=NOW)
    with pytest.raises(errors.TooSoon) as refused:
        check_not_past(NOW - SECOND, now=NOW)
    assert refused.value.sentence == "This time has already passed. Please choose a later one."


# ── how long a time is kept ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("worked_on_after", "kept_until_after"),
    [(0, 10), (5, 15), (20, 30), (21, 30), (29, 30)],
)
def test_a_hold_lasts_ten_minutes_from_the_last_work_and_thirty_at_most(
    worked_on_after: int, kept_until_after: int
) -> None:
    now = NOW + worked_on_after * MINUTE
    assert hold_deadline(NOW, now=now, settings=DEFAULT) == NOW + kept_until_after * MINUTE


def test_a_hold_is_renewed_up_to_its_last_second_and_never_shortened() -> None:
    expires = NOW + 10 * MINUTE
    renewed = renewed_hold(NOW, expires, now=expires - SECOND, settings=DEFAULT)
    assert renewed == NOW + 20 * MINUTE - SECOND
    with pytest.raises(errors.HoldExpired):
        renewed_hold(NOW, expires, now=expires, settings=DEFAULT)
    far = NOW + 25 * MINUTE
    assert renewed_hold(NOW, far, now=NOW + MINUTE, settings=DEFAULT) == far


def test_a_deadline_is_the_first_moment_that_is_too_late() -> None:
    assert [is_past(NOW, now=NOW + shift * SECOND) for shift in (-1, 0, 1)] == [False, True, True]


@pytest.mark.parametrize(
    ("start_in", "kept_until"),
    [
        (30 * DAY, 7 * DAY),
        (8 * DAY, 7 * DAY),
        (8 * DAY - SECOND, 7 * DAY - SECOND),
        (25 * HOUR, 1 * HOUR),
        (24 * HOUR + SECOND, SECOND),
        (24 * HOUR, 22 * HOUR),
        (3 * HOUR, 1 * HOUR),
        (2 * HOUR + SECOND, SECOND),
        (2 * HOUR, 2 * HOUR),
        (10 * MINUTE, 10 * MINUTE),
    ],
)
def test_a_visit_that_waits_keeps_its_time_until(start_in: timedelta, kept_until: timedelta) -> None:
    assert waiting_deadline(NOW + start_in, since=NOW, settings=DEFAULT) - NOW == kept_until


@pytest.mark.parametrize(
    ("start_in", "kept_until"),
    [(30 * DAY, 7 * DAY), (30 * MINUTE, 30 * MINUTE), (29 * MINUTE, 30 * MINUTE), (-5 * MINUTE, 30 * MINUTE)],
)
def test_who_is_here_already_has_half_an_hour_to_sign(start_in: timedelta, kept_until: timedelta) -> None:
    assert desk_deadline(NOW + start_in, since=NOW, settings=DEFAULT) - NOW == kept_until


@pytest.mark.parametrize(("hours", "before"), [(24, 24), (2, 24), (48, 48)])
def test_what_new_rules_forbid_is_cancelled_a_day_before_at_the_latest(hours: int, before: int) -> None:
    settings = replace(DEFAULT, pending_ends_hours_before=hours)
    assert unsafe_deadline(NOW + 5 * DAY, settings) == NOW + 5 * DAY - before * HOUR


def test_the_waiting_deadline_never_passes_the_start() -> None:
    for minutes in range(0, 12 * 24 * 60, 7):
        start = NOW + minutes * MINUTE
        assert NOW <= waiting_deadline(start, since=NOW, settings=DEFAULT) <= start


# ── moving and cancelling ─────────────────────────────────────────────────────────────────────────────────

S = VisitStatus


@pytest.mark.parametrize(
    ("status", "start_in", "by_clinic", "expected"),
    [
        (S.CONFIRMED, 24 * HOUR + SECOND, False, S.CANCELLED),
        (S.CONFIRMED, 24 * HOUR, False, S.CANCELLED),
        (S.CONFIRMED, 24 * HOUR - SECOND, False, S.LATE_CANCELLED),
        (S.CONFIRMED, HOUR, True, S.CANCELLED),
        (S.ARRIVED, timedelta(0), False, S.LATE_CANCELLED),
        (S.ARRIVED, timedelta(0), True, S.CANCELLED),
        (S.PENDING, HOUR, False, S.CANCELLED),
        (S.SUSPENDED, HOUR, False, S.CANCELLED),
        (S.HELD, HOUR, False, S.CANCELLED),
    ],
)
def test_a_cancellation_is_late_only_inside_the_notice_and_only_for_the_client(
    status: VisitStatus, start_in: timedelta, by_clinic: bool, expected: VisitStatus
) -> None:
    became = cancelled_status(status, NOW + start_in, now=NOW, by_clinic=by_clinic, settings=DEFAULT)
    assert became is expected


def test_the_notice_is_in_hours_that_pass_not_hours_on_the_wall() -> None:
    monday_noon = datetime(2026, 3, 30, 10, 0, tzinfo=UTC)  # a day after Berlin's clock went forward
    two_days = replace(DEFAULT, cancel_notice_hours=48)
    assert cancel_until(monday_noon, two_days) == datetime(2026, 3, 28, 10, 0, tzinfo=UTC)


CANCELLING = [
    (S.CONFIRMED, 24 * HOUR, None),
    (S.CONFIRMED, 24 * HOUR - SECOND, errors.CancelTooLate),
    (S.PENDING, HOUR, None),
    (S.PENDING, timedelta(0), None),
    (S.PENDING, -SECOND, errors.CancelTooLate),
    (S.SUSPENDED, HOUR, None),
    (S.HELD, HOUR, None),
    (S.ARRIVED, 48 * HOUR, errors.MoveNotAllowed),
    (S.IN_SESSION, 48 * HOUR, errors.MoveNotAllowed),
    (S.DONE, 48 * HOUR, errors.MoveNotAllowed),
    (S.NO_SHOW, 48 * HOUR, errors.MoveNotAllowed),
    (S.CANCELLED, 48 * HOUR, errors.MoveNotAllowed),
    (S.LATE_CANCELLED, 48 * HOUR, errors.MoveNotAllowed),
    (S.RELEASED, 48 * HOUR, errors.MoveNotAllowed),
]


@pytest.mark.parametrize(("status", "start_in", "refusal"), CANCELLING)
def test_what_the_client_may_cancel_online(
    status: VisitStatus, start_in: timedelta, refusal: type[errors.RuleViolation] | None
) -> None:
    start = NOW + start_in
    assert may_client_cancel(status, start, now=NOW, settings=DEFAULT) is (refusal is None)
    if refusal is None:
        check_client_may_cancel(status, start, now=NOW, settings=DEFAULT)
    else:
        with pytest.raises(refusal):
            check_client_may_cancel(status, start, now=NOW, settings=DEFAULT)


def test_a_visit_that_is_over_says_how_it_is_marked() -> None:
    with pytest.raises(errors.MoveNotAllowed) as refused:
        check_client_may_cancel(S.DONE, NOW + DAY, now=NOW, settings=DEFAULT)
    marked = f"This visit is marked “{client_label(S.DONE)}” and can no longer be cancelled."
    assert refused.value.sentence == marked


@pytest.mark.parametrize("status", list(VisitStatus))
def test_only_a_confirmed_visit_may_be_moved_online_and_only_before_the_notice(status: VisitStatus) -> None:
    far, near = NOW + 24 * HOUR, NOW + 24 * HOUR - SECOND
    confirmed = status is S.CONFIRMED
    assert may_client_move(status, far, now=NOW, settings=DEFAULT) is confirmed
    assert may_client_move(status, near, now=NOW, settings=DEFAULT) is False
    with pytest.raises(errors.CancelTooLate if confirmed else errors.MoveNotAllowed) as refused:
        check_client_may_move(status, near, now=NOW, settings=DEFAULT)
    way_on = "Only a confirmed visit can be moved. You can cancel this one and book again."
    assert refused.value.sentence == (errors.CancelTooLate.default_sentence if confirmed else way_on)


# ── what is said ──────────────────────────────────────────────────────────────────────────────────────────


def family(of: type[errors.RuleViolation]) -> list[type[errors.RuleViolation]]:
    return [one for child in of.__subclasses__() for one in (child, *family(child))]


def test_every_refusal_has_a_calm_sentence_of_its_own() -> None:
    every: list[type[errors.RuleViolation]] = [errors.RuleViolation, *family(errors.RuleViolation)]
    # Features have refusals of their own, known or not by what other tests have imported.
    refusals = [one for one in every if one.__module__ == errors.__name__]
    sentences = [refusal.default_sentence for refusal in refusals]
    assert len(set(sentences)) == len(sentences)
    for sentence in sentences:
        assert sentence.endswith(".")
        assert not any(word in sentence.lower() for word in ("denied", "rejected", "contraindicat", "error"))


def test_a_refusal_shows_the_given_sentence_or_its_own() -> None:
    assert errors.SlotTaken().sentence == str(errors.SlotTaken()) == errors.SlotTaken.default_sentence
    assert errors.SlotTaken("Gone.").sentence == "Gone."
    wrong = errors.InvalidInput("email", "Write the whole address.")
    assert (wrong.field, wrong.sentence) == ("email", "Write the whole address.")
    assert errors.InvalidInput("email").sentence == errors.InvalidInput.default_sentence
    assert list(errors.SlotTaken().nearest) == []


def test_a_refusal_of_the_gate_carries_its_screening() -> None:
    screening = cast("Screening", object())
    assert errors.ScreeningRefuses(screening).screening is screening
    assert errors.ScreeningRefuses(screening).sentence == errors.ScreeningRefuses.default_sentence
    assert errors.ScreeningRefuses(screening, "Not today.").sentence == "Not today."


# ── marking what happened ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("here", [S.ARRIVED, S.IN_SESSION])
def test_nobody_arrives_before_the_local_day_of_the_visit(here: VisitStatus) -> None:
    starts_at = datetime(2026, 6, 2, 7, 0, tzinfo=UTC)  # 2 June, 09:00 in Berlin
    midnight = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
    check_may_mark(S.CONFIRMED, here, starts_at, now=midnight, zone=BERLIN)
    check_may_mark(S.CONFIRMED, here, starts_at, now=starts_at + 3 * DAY, zone=BERLIN)
    with pytest.raises(errors.MoveNotAllowed) as refused:
        check_may_mark(S.CONFIRMED, here, starts_at, now=midnight - SECOND, zone=BERLIN)
    assert refused.value.sentence == "This visit is on a later day. It can be started on that day."


def test_the_day_of_the_visit_is_the_clinics_day_too() -> None:
    late = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)  # 2 June, 00:30 in Berlin
    with pytest.raises(errors.MoveNotAllowed):
        check_may_mark(
            S.CONFIRMED, S.ARRIVED, late, now=datetime(2026, 6, 1, 21, 59, tzinfo=UTC), zone=BERLIN
        )


def test_nobody_is_missed_before_the_visit_begins() -> None:
    check_may_mark(S.CONFIRMED, S.NO_SHOW, NOW, now=NOW, zone=BERLIN)
    with pytest.raises(errors.MoveNotAllowed) as refused:
        check_may_mark(S.CONFIRMED, S.NO_SHOW, NOW, now=NOW - SECOND, zone=BERLIN)
    assert refused.value.sentence == (
        "The visit has not begun yet. From its start on you can mark that nobody came."
    )


@pytest.mark.parametrize("new", [S.CANCELLED, S.DONE, S.CONFIRMED])
def test_any_other_mark_knows_no_day(new: VisitStatus) -> None:
    check_may_mark(S.CONFIRMED, new, NOW + 5 * DAY, now=NOW, zone=BERLIN)


def test_what_is_done_is_opened_again_on_its_own_day_only() -> None:
    starts_at = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)  # 2 June, 00:30 in Berlin
    check_may_mark(S.DONE, S.IN_SESSION, starts_at, now=starts_at + timedelta(hours=20), zone=BERLIN)
    for now in (starts_at - timedelta(hours=1), starts_at + timedelta(hours=24)):
        with pytest.raises(errors.MoveNotAllowed):
            check_may_mark(S.DONE, S.IN_SESSION, starts_at, now=now, zone=BERLIN)
