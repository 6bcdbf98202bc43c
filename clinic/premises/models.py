"""The clinic itself: its settings, its places, rooms, devices, opening hours and closures."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.shared.database import NEVER_TWICE, Base


def one_line(address: str) -> str:
    """An address as one line."""
    return ", ".join(line.strip() for line in address.splitlines() if line.strip())


def _domain_of_sender(context: DefaultExecutionContext) -> str:
    sender: str = context.get_current_parameters()["mail_sender"]  # type: ignore[no-untyped-call]
    return sender.rpartition("@")[2]


class Clinic(Base):
    """One row: what the owner sets for the whole clinic. Times in minutes, hours or days as named."""

    __tablename__ = "clinic"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    mail_sender: Mapped[str]
    currency: Mapped[str] = mapped_column(default="USD")  # ISO 4217
    emergency_number: Mapped[str]  # differs from country to country: always chosen, never assumed
    health_line_name: Mapped[str] = mapped_column(default="")
    health_line_number: Mapped[str] = mapped_column(default="")
    phone_region: Mapped[str] = mapped_column(default="US")  # ISO 3166, for phone numbers without a country
    uses_24_hours: Mapped[bool] = mapped_column(default=False)
    month_first: Mapped[bool] = mapped_column(default=False)  # in English: June 3, not 3 June
    language: Mapped[str] = mapped_column(default="en")  # of whoever has chosen none
    offers_languages: Mapped[bool] = mapped_column(default=True)  # people may choose another one
    slot_step_minutes: Mapped[int] = mapped_column(default=15)
    lead_time_minutes: Mapped[int] = mapped_column(default=120)
    horizon_days: Mapped[int] = mapped_column(default=60)
    cancel_notice_hours: Mapped[int] = mapped_column(default=24)
    hold_minutes: Mapped[int] = mapped_column(default=10)
    hold_max_minutes: Mapped[int] = mapped_column(default=30)
    pending_days: Mapped[int] = mapped_column(default=7)
    pending_hours_before: Mapped[int] = mapped_column(default=24)
    pending_short_hours_before: Mapped[int] = mapped_column(default=2)
    turnover_may_overrun: Mapped[bool] = mapped_column(default=True)
    adult_age: Mapped[int] = mapped_column(default=18)
    guardian_in_room_age: Mapped[int] = mapped_column(default=15)
    intake_valid_days: Mapped[int] = mapped_column(default=365)
    minor_intake_valid_days: Mapped[int] = mapped_column(default=182)
    treated_days_back: Mapped[int] = mapped_column(default=30)
    treated_days_ahead: Mapped[int] = mapped_column(default=60)
    check_in_needed: Mapped[bool] = mapped_column(default=True)
    minds_rest: Mapped[bool] = mapped_column(default=True)
    travel_minutes: Mapped[int] = mapped_column(default=30)  # of a therapist, from one place to another
    new_lead_time_minutes: Mapped[int | None]  # for who has not been treated here yet; None: as for everybody
    new_horizon_days: Mapped[int | None]
    gaps: Mapped[str] = mapped_column(default="any")  # any, first, only: rules/gaps.py
    offer_minutes: Mapped[int] = mapped_column(default=60)
    draft_days: Mapped[int] = mapped_column(default=30)
    tablet_idle_minutes: Mapped[int] = mapped_column(default=5)
    quiet_from: Mapped[dt.time] = mapped_column(default=dt.time(21))  # by the clock of each place
    quiet_until: Mapped[dt.time] = mapped_column(default=dt.time(8))
    reminder_hours: Mapped[str] = mapped_column(
        default="48, 3"
    )  # before a visit; rules/messages.py reads them
    asks_for_answers: Mapped[bool] = mapped_column(default=True)
    sends_aftercare: Mapped[bool] = mapped_column(default=True)
    sends_digests: Mapped[bool] = mapped_column(default=True)
    brand_colour: Mapped[str] = mapped_column(default="")  # #rrggbb; empty: that of the house
    accent_colour: Mapped[str] = mapped_column(default="")
    logo_id: Mapped[int | None] = mapped_column(ForeignKey("picture.id"))
    calendar_domain: Mapped[str] = mapped_column(default=_domain_of_sender)
    """What entries in people's calendars are known by: that of the first sender of mails, never changed."""


class Picture(Base):
    """A picture that everybody may see: the logo, a therapist's face. Drawn anew from what was sent, in one of our
    own sizes. Rows are added; what no longer points at one is of no use to anybody."""

    __tablename__ = "picture"
    id: Mapped[int] = mapped_column(primary_key=True)
    mime: Mapped[str]
    content: Mapped[bytes]
    digest: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    __table_args__ = NEVER_TWICE


class Location(Base):
    """A place of the clinic, with its own zone, hours and rooms."""

    __tablename__ = "location"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str]  # lines separated by line breaks
    phone: Mapped[str]
    zone: Mapped[str]  # IANA name
    is_active: Mapped[bool] = mapped_column(default=True)

    @property
    def address_line(self) -> str:
        """Where it is in one line; its name while nobody has entered an address."""
        return one_line(self.address) or self.name


class OpeningHours(Base):
    """Weekly opening hours as wall-clock time; 0 is Monday. `closes` at or before `opens` is the next day."""

    __tablename__ = "opening_hours"
    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    weekday: Mapped[int]
    opens: Mapped[dt.time]
    closes: Mapped[dt.time]
    __table_args__ = (CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),)


class DatedOpening(Base):
    """Opening hours on one date, instead of the weekly ones of that day."""

    __tablename__ = "dated_opening"
    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    day: Mapped[dt.date]
    opens: Mapped[dt.time]
    closes: Mapped[dt.time]
    __table_args__ = (Index("ix_dated_opening_location_id_day", "location_id", "day"),)


GONE = "gone"


class Resource(Base):
    """Whatever can be claimed for a time. Therapists, rooms, devices and clients share one series of ids,
    so that one constraint on claims guards them all. A number is never given twice: the row of a record that went stays
    as `gone`, since keys, the audit and older backups know it by its number."""

    __tablename__ = "resource"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": GONE}  # noqa: RUF012 (SQLAlchemy reads a plain dict)


class Room(Resource):
    __tablename__ = "room"
    id: Mapped[int] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    name: Mapped[str]
    room_kind: Mapped[str]
    tables: Mapped[int] = mapped_column(default=1)
    is_active: Mapped[bool] = mapped_column(default=True)
    location: Mapped[Location] = relationship()
    __mapper_args__ = {"polymorphic_identity": "room"}  # noqa: RUF012


class Device(Resource):
    __tablename__ = "device"
    id: Mapped[int] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    name: Mapped[str]
    device_kind: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    location: Mapped[Location] = relationship()
    __mapper_args__ = {"polymorphic_identity": "device"}  # noqa: RUF012


class Closure(Base):
    """A time when a place, or one room or device of it, is shut. Rows may overlap each other and visits.

    `starts_wall` and `ends_wall` are what the clock on the wall was meant to show, as 2026-12-24T09:00:00: they stay
    when the place gets another zone.
    """

    __tablename__ = "closure"
    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resource.id"), index=True)
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    starts_wall: Mapped[str | None]
    ends_wall: Mapped[str | None]
    reason: Mapped[str]
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="order"), NEVER_TWICE)
