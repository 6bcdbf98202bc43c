"""Whom to call: proposals for a new clinic by its country. The owner confirms them; pages show what was confirmed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CallNumbers:
    """The emergency number, and the line for advice the same day (both empty when there is none)."""

    emergency: str
    health_line_name: str = ""
    health_line: str = ""


# Countries with one number for every emergency, ambulance included. Elsewhere whoever sets up the clinic types it.
_ONE_NUMBER = {
    "911": "CA CR EC MX PA PH UY AS GU MP PR US VI",
    "112": (
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK IN TR"
    ),
    "999": "GB GG IM JE",
    "000": "AU",
    "111": "NZ",
}
_HEALTH_LINES = {
    "AU": ("healthdirect", "1800 022 222"),
    "CA": ("Health 811", "811"),
    "DE": ("the medical on-call service", "116117"),
    "GB": ("NHS 111", "111"),
    "NZ": ("Healthline", "0800 611 116"),
}


def call_numbers(country: str) -> CallNumbers | None:
    """What to propose in this country (ISO 3166); None where nothing certain is known."""
    for number, countries in _ONE_NUMBER.items():
        if country in countries.split():
            return CallNumbers(number, *_HEALTH_LINES.get(country, ("", "")))
    return None
