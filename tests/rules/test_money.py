"""Amounts as people type them."""

from __future__ import annotations

import pytest

from clinic.rules.money import LARGEST, parse_money, typed_money


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("85", 8500),
        ("72.5", 7250),
        ("72,50", 7250),
        ("$72.50", 7250),
        ("€ 85", 8500),
        ("85 USD", 8500),
        ("1,200", 120000),
        ("1.200,50", 120050),
        ("1 200", 120000),
        ("0", 0),
    ],
)
def test_amount_is_read_as_people_write_it(typed: str, cents: int) -> None:
    assert parse_money(typed, "USD") == cents


@pytest.mark.parametrize(
    "typed", ["", "abc", "-5", "8 5", "1e5", "85.123.4", "12,34,56", "1000001", "9" * 400]
)
def test_what_is_no_amount_is_none(typed: str) -> None:
    assert parse_money(typed, "USD") is None


def test_the_largest_amount_is_taken() -> None:
    assert parse_money("1,000,000", "USD") == LARGEST


def test_a_currency_without_cents_takes_none() -> None:
    assert parse_money("8,500", "JPY") == 8500
    assert parse_money("85.50", "JPY") is None


@pytest.mark.parametrize(
    ("amount", "currency", "typed"), [(8500, "USD", "85"), (7205, "USD", "72.05"), (8500, "JPY", "8500")]
)
def test_what_is_shown_is_read_back_as_the_same(amount: int, currency: str, typed: str) -> None:
    assert typed_money(amount, currency) == typed
    assert parse_money(typed, currency) == amount
