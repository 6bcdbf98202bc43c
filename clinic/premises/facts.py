"""What an owner enters about the clinic, as plain values that forms, services and queries share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True)
class ClinicSettings:
    """The settings of the whole clinic; units are in the names."""

    name: str
    mail_sender: str
    currency: str
    phone_region: str
    uses_24_hours: bool
    month_first: bool
    language: str
    offers_languages: bool
    emergency_number: str
    health_line_name: str
    health_line_number: str
    slot_step_minutes: int
    lead_time_minutes: int
    horizon_days: int
    cancel_notice_hours: int
    hold_minutes: int
    hold_max_minutes: int
    pending_days: int
    pending_hours_before: int
    pending_short_hours_before: int
    turnover_may_overrun: bool
    adult_age: int
    guardian_in_room_age: int
    intake_valid_days: int
    minor_intake_valid_days: int
    treated_days_back: int
    treated_days_ahead: int
    check_in_needed: bool
    minds_rest: bool
    new_lead_time_minutes: int | None
    new_horizon_days: int | None
    gaps: str
    travel_minutes: int
    offer_minutes: int
    draft_days: int
    tablet_idle_minutes: int
    quiet_from: time
    quiet_until: time


@dataclass(frozen=True)
class LocationFacts:
    """A place of the clinic. `zone` is an IANA name; `address` has one line for each line of an envelope."""

    name: str
    address: str
    phone: str
    zone: str
    is_active: bool


@dataclass(frozen=True)
class RoomFacts:
    """`room_kind` is what services ask for; `tables` is how many people can be treated at once."""

    location_id: int
    name: str
    room_kind: str
    tables: int
    is_active: bool


@dataclass(frozen=True)
class DeviceFacts:
    """`device_kind` is what services ask for."""

    location_id: int
    name: str
    device_kind: str
    is_active: bool
