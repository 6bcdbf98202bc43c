"""What an owner enters about services and add-ons, as plain values that forms, services and queries share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Length(NamedTuple):
    """One length on offer: `mode` is None for the ordinary way, `price` in the currency's smallest unit."""

    mode: str | None
    minutes: int
    price: int


@dataclass(frozen=True)
class ServiceFacts:
    """Everything of a service that can be changed. Texts have one paragraph or list item a line."""

    name: str
    summary: str
    good_for: str
    what_happens: str
    what_to_expect: str
    aftercare: str
    techniques: str
    pressure: str
    how_often: str
    usual_way: str
    other_names: tuple[str, ...]
    skills: tuple[str, ...]
    licence_kind: str
    room_kind: str
    device_kinds: tuple[str, ...]
    turnover_minutes: int
    first_visit_minutes: int
    asks_area: bool
    position: int
    is_active: bool
    addons: tuple[str, ...]
    lengths: tuple[Length, ...]
    is_intense: bool = False
    known_clients_only: bool = False


@dataclass(frozen=True)
class AddonFacts:
    """Everything of an add-on that can be changed; `minutes` and `turnover_minutes` are added to the visit's."""

    name: str
    summary: str
    aftercare: str
    minutes: int
    turnover_minutes: int
    price: int
    skills: tuple[str, ...]
    device_kinds: tuple[str, ...]
    position: int
    is_active: bool
