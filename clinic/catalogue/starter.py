"""Reads the catalogue that a new clinic begins with (starter.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from clinic.catalogue.models import Addon, Service, ServiceLength, ServiceMode

FILE = Path(__file__).with_name("starter.toml")
_TEXTS = ("what_happens", "what_to_expect", "aftercare", "good_for", "techniques")


def starter_rows() -> tuple[list[Service], list[Addon]]:
    """The seven services and two add-ons as new rows, not yet in a session. TypeError for an unknown field."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    addons = [
        Addon(**_trimmed(entry), position=position) for position, entry in enumerate(data["addons"], start=1)
    ]
    by_key = {addon.key: addon for addon in addons}
    services = [
        _service(_trimmed(entry), by_key, position)
        for position, entry in enumerate(data["services"], start=1)
    ]
    return services, addons


def _service(entry: dict[str, Any], addons: dict[str, Addon], position: int) -> Service:
    modes = entry.pop("modes", [])
    lengths = _lengths(entry.pop("lengths"), mode=None)
    chosen = [addons[key] for key in entry.pop("addons", [])]
    for mode in modes:
        lengths += _lengths(mode.pop("lengths"), mode=mode["key"])
    row = Service(**entry, position=position)
    row.lengths = lengths
    row.modes = [ServiceMode(**_trimmed(mode), position=at) for at, mode in enumerate(modes, start=1)]
    row.addons = chosen
    return row


def _lengths(prices: dict[str, int], mode: str | None) -> list[ServiceLength]:
    return [ServiceLength(mode=mode, minutes=int(minutes), price=price) for minutes, price in prices.items()]


def _trimmed(entry: dict[str, Any]) -> dict[str, Any]:
    """Texts without the line break that opens a long TOML string."""
    return {name: value.strip() if name in _TEXTS else value for name, value in entry.items()}
