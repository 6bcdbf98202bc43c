"""Therapists: profile, licence, skills, working hours, breaks and time off."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.accounts.models import User
from clinic.clients.models import Client
from clinic.premises.models import Location, Resource
from clinic.rules.licence import Days
from clinic.shared.crypto import Sealed, SealedRow
from clinic.shared.database import NEVER_TWICE, Base


class Therapist(Resource):
    """`licence_expires_on` is the last day on which the licence is good."""

    __tablename__ = "therapist"
    id: Mapped[int] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), unique=True)
    name: Mapped[str]
    bio: Mapped[str] = mapped_column(default="")
    gender: Mapped[str] = mapped_column(default="")
    tint: Mapped[int] = mapped_column(default=1)
    licence_kind: Mapped[str] = mapped_column(default="LMT")
    licence_number: Mapped[str] = mapped_column(default="")
    licence_expires_on: Mapped[dt.date]
    is_active: Mapped[bool] = mapped_column(default=True)
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("picture.id"))
    most_minutes_a_day: Mapped[int | None]  # of treatment, turnover not counted; None: no limit
    most_intense_minutes_a_day: Mapped[int | None]  # of services that are hard on the hands
    most_visits_a_day: Mapped[int | None]
    pause_minutes: Mapped[int | None]  # the least time free between two visits; None: none is asked for
    skill_rows: Mapped[list[TherapistSkill]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    user: Mapped[User | None] = relationship()
    __mapper_args__ = {"polymorphic_identity": "therapist"}  # noqa: RUF012

    @property
    def skills(self) -> frozenset[str]:
        return frozenset(row.skill for row in self.skill_rows)

    def skills_on(self, day: dt.date) -> frozenset[str]:
        return frozenset(row.skill for row in self.skill_rows if row.days.hold(day))

    def skills_from(self, day: dt.date) -> frozenset[str]:
        """Those that are not over by then."""
        return frozenset(row.skill for row in self.skill_rows if row.ends_on is None or row.ends_on >= day)


class TherapistSkill(Base):
    """`starts_on` and `ends_on` are the first and the last day on which it counts, such as those of a certificate."""

    __tablename__ = "therapist_skill"
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"), primary_key=True)
    skill: Mapped[str] = mapped_column(primary_key=True)
    starts_on: Mapped[dt.date | None]
    ends_on: Mapped[dt.date | None]
    __table_args__ = (CheckConstraint("ends_on >= starts_on", name="order"),)

    @property
    def days(self) -> Days:
        return Days(self.starts_on, self.ends_on)


class WorkingHours(Base):
    """Weekly hours (`work`) and breaks (`break`) as wall-clock time; 0 is Monday; `ends` at or before `starts`
    is the next day."""

    __tablename__ = "working_hours"
    id: Mapped[int] = mapped_column(primary_key=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    kind: Mapped[str] = mapped_column(default="work")
    weekday: Mapped[int]
    starts: Mapped[dt.time]
    ends: Mapped[dt.time]
    location: Mapped[Location] = relationship()
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("kind IN ('work', 'break')", name="kind"),
    )


class DatedHours(Base):
    """Hours on one date. Where a therapist has any on a date, they work these on that day and no weekly ones, at every
    place; `ends` at or before `starts` is the next day."""

    __tablename__ = "dated_hours"
    id: Mapped[int] = mapped_column(primary_key=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    day: Mapped[dt.date]
    starts: Mapped[dt.time]
    ends: Mapped[dt.time]
    location: Mapped[Location] = relationship()
    __table_args__ = (Index("ix_dated_hours_therapist_id_day", "therapist_id", "day"),)


class TimeOff(Base):
    """A time when the therapist cannot be booked: `off` (holiday, illness), or a block such as a meeting or
    laundry. Rows may overlap each other and visits. `note` is for staff.

    Whole days (`first_day` to `last_day`) hold at every place on its own clock: the moments are then the widest span,
    from the first midnight of any place to the last. Else the moments hold everywhere; `location_id` is the place by
    whose clock they were typed (None: the first one), `starts_wall` and `ends_wall` as in Closure."""

    __tablename__ = "time_off"
    id: Mapped[int] = mapped_column(primary_key=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"), index=True)
    kind: Mapped[str] = mapped_column(default="off")
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    starts_wall: Mapped[str | None]
    ends_wall: Mapped[str | None]
    first_day: Mapped[dt.date | None]
    last_day: Mapped[dt.date | None]
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    therapist: Mapped[Therapist] = relationship()
    location: Mapped[Location | None] = relationship()

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """The first and the last of whole days."""
        return (self.first_day, self.last_day) if self.first_day and self.last_day else None

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        CheckConstraint("kind IN ('off', 'meeting', 'laundry', 'other')", name="kind"),
        CheckConstraint(
            "(first_day IS NULL AND last_day IS NULL) OR (last_day >= first_day AND location_id IS NULL)",
            name="days",
        ),
        NEVER_TWICE,
    )


class RunningLate(Base):
    """A therapist said on this day how many minutes late they are; the newest row of the day holds, 0 is on time."""

    __tablename__ = "running_late"
    id: Mapped[int] = mapped_column(primary_key=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"))
    day: Mapped[dt.date]
    minutes: Mapped[int]
    said_at: Mapped[dt.datetime]
    said_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 0 AND 240", name="minutes"),
        Index("ix_running_late_day_therapist_id", "day", "therapist_id"),
    )


class NeverTogether(SealedRow, Base):
    """This client and this therapist are never booked together; only the owner reads why."""

    __tablename__ = "never_together"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"), index=True)
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    reason_sealed: Mapped[bytes]
    reason = Sealed()
    client: Mapped[Client] = relationship()
    therapist: Mapped[Therapist] = relationship()


class TherapistRestriction(SealedRow, Base):
    """A therapist who treats this client raised the verdict: never lower than the rules say, only higher.

    `services` are columns of the table, empty for all; `verdict` is caution, clearance or block; `until` is the
    last day on which it holds, None until it is withdrawn.
    """

    __tablename__ = "therapist_restriction"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"), index=True)
    services: Mapped[list[str]]
    verdict: Mapped[str]
    until: Mapped[dt.date | None]
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason_sealed: Mapped[bytes]
    reason = Sealed()
    client: Mapped[Client] = relationship()
    therapist: Mapped[Therapist] = relationship()
    __table_args__ = (CheckConstraint("verdict IN ('caution', 'clearance', 'block')", name="verdict"),)
