"""Amounts of money as people type them, and back; what a visit costs without an add-on."""

from __future__ import annotations

import re

from clinic.rules.words import WITHOUT_CENTS

LARGEST = 100_000_000
"""In the smallest unit: beyond any price of a visit, below what a column holds."""

_AMOUNT = re.compile(
    r"(?P<whole>\d{1,3}(?P<group>[ ,.'’])\d{3}(?:(?P=group)\d{3})*|\d+)(?:(?!(?P=group))[.,](?P<cents>\d{1,2}))?"
)
"""Digits, perhaps in groups of three, perhaps with one or two decimals after the other kind of mark."""


def parse_money(text: str, currency: str) -> int | None:
    """`85`, `$72.50`, `1,200` or `72,5` in the smallest unit of the currency; None for anything else."""
    plain = re.sub(r"^[^\d\-+]{0,4}|[^\d]{0,4}$", "", text.strip())
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        return None
    whole = int(re.sub(r"\D", "", found["whole"])[:12])
    if currency in WITHOUT_CENTS:
        amount = None if found["cents"] else whole
    else:
        amount = whole * 100 + int((found["cents"] or "0").ljust(2, "0"))
    return amount if amount is not None and amount <= LARGEST else None


def typed_money(amount: int, currency: str) -> str:
    """The amount as one would type it: `85` or `72.50`."""
    if currency in WITHOUT_CENTS:
        return str(amount)
    whole, cents = divmod(amount, 100)
    return f"{whole}.{cents:02}" if cents else str(whole)


def price_without(said: int, addons: int, rest: int) -> int:
    """What a visit costs of which add-ons come off: `said` was the price of it all when it was booked; `addons` and
    `rest` are what these and what is left cost today.

    What each part cost then is not kept. The add-ons come off at their price of today, so that the rest goes on costing
    what was said. Where they would leave nothing they have become dearer since, and the rest costs what it does today;
    never more than was said.
    """
    return said - addons if addons < said else min(rest, said)
