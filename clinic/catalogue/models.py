"""What the clinic offers: services with their modes, lengths and prices, and add-ons."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.shared.database import Base


class Service(Base):
    """A bookable service. `judged_as` names the columns of the contraindication table that judge it
    (several: the strictest holds). Prices are in the smallest unit of the clinic's currency."""

    __tablename__ = "service"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    family: Mapped[str]  # services of one family share a card: the two vacuum services
    judged_as: Mapped[list[str]]
    summary: Mapped[str]
    good_for: Mapped[str] = mapped_column(default="")
    what_happens: Mapped[str] = mapped_column(default="")
    what_to_expect: Mapped[str] = mapped_column(default="")
    aftercare: Mapped[str] = mapped_column(default="")
    techniques: Mapped[str] = mapped_column(default="")
    pressure: Mapped[str] = mapped_column(default="")  # for the comparison, in words
    how_often: Mapped[str] = mapped_column(default="")
    usual_way: Mapped[str] = mapped_column(default="")  # what the ordinary way is called beside the modes
    other_names: Mapped[list[str]] = mapped_column(default=list)
    icon: Mapped[str] = mapped_column(default="flower1")
    skills: Mapped[list[str]] = mapped_column(default=list)
    licence_kind: Mapped[str] = mapped_column(default="LMT")
    room_kind: Mapped[str] = mapped_column(default="treatment")
    device_kinds: Mapped[list[str]] = mapped_column(default=list)
    turnover_minutes: Mapped[int] = mapped_column(default=15)
    first_visit_minutes: Mapped[int] = mapped_column(default=15)
    asks_area: Mapped[bool] = mapped_column(default=False)  # one chosen area rather than the whole body
    is_intense: Mapped[bool] = mapped_column(default=False)  # hard on the therapist's hands: limited a day
    known_clients_only: Mapped[bool] = mapped_column(default=False)  # online, not for a first visit
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    modes: Mapped[list[ServiceMode]] = relationship(
        cascade="all, delete-orphan", order_by="ServiceMode.position", lazy="selectin"
    )
    lengths: Mapped[list[ServiceLength]] = relationship(
        cascade="all, delete-orphan", order_by="ServiceLength.minutes", lazy="selectin"
    )
    addons: Mapped[list[Addon]] = relationship(
        secondary="service_addon", order_by="Addon.position", lazy="selectin"
    )
    __table_args__ = (CheckConstraint("turnover_minutes >= 0", name="turnover"),)


class ServiceMode(Base):
    """Another way of giving a service (`interval`: the chamber), with its own kit and turnover."""

    __tablename__ = "service_mode"
    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    key: Mapped[str]
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    what_to_expect: Mapped[str] = mapped_column(default="")
    skills: Mapped[list[str]] = mapped_column(default=list)
    room_kind: Mapped[str] = mapped_column(default="treatment")
    device_kinds: Mapped[list[str]] = mapped_column(default=list)
    turnover_minutes: Mapped[int] = mapped_column(default=20)
    position: Mapped[int] = mapped_column(default=0)
    __table_args__ = (UniqueConstraint("service_id", "key"),)


class ServiceLength(Base):
    """One length and its price; `mode` is null for the ordinary way."""

    __tablename__ = "service_length"
    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    mode: Mapped[str | None]
    minutes: Mapped[int]
    price: Mapped[int]
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 5 AND 480", name="minutes"),
        CheckConstraint("price >= 0", name="price"),
    )


class Addon(Base):
    """Something added to a service; judged apart under `judged_as` (hot_stone or aromatherapy)."""

    __tablename__ = "addon"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    judged_as: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    aftercare: Mapped[str] = mapped_column(default="")
    minutes: Mapped[int] = mapped_column(default=0)
    turnover_minutes: Mapped[int] = mapped_column(default=5)
    price: Mapped[int]
    skills: Mapped[list[str]] = mapped_column(default=list)
    device_kinds: Mapped[list[str]] = mapped_column(default=list)
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class ServiceAddon(Base):
    __tablename__ = "service_addon"
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
    addon_id: Mapped[int] = mapped_column(ForeignKey("addon.id"), primary_key=True)
