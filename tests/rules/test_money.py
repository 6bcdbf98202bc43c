"""Amounts as people type them."""

from __future__ import annotations

import pytest

from clinic.rules.money import LARGEST, parse_money, price_without, typed_money


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


@pytest.mark.parametrize(
    ("what", "addons", "rest", "price"),
    [
        ("nothing has changed", 2500, 9000, 9000),
        ("the treatment is dearer", 2500, 12000, 9000),
        ("the treatment is cheaper", 2500, 5000, 9000),
        ("its length has left the list", 2500, 0, 9000),
        ("the add-on costs nothing any more", 0, 9000, 11500),
        ("the add-on is a little dearer", 3000, 9000, 8500),
        ("the add-on costs as much as all of it did", 11500, 9000, 9000),
        ("the add-on is much dearer", 30000, 9000, 9000),
        ("both are much dearer", 30000, 40000, 11500),
        ("the add-on is much dearer, and the length gone", 30000, 0, 0),
    ],
)
def test_without_an_add_on_a_visit_costs_what_was_said_less_the_add_on(
    what: str, addons: int, rest: int, price: int
) -> None:
    assert price_without(11500, addons, rest) == price, what


def test_without_an_add_on_a_visit_that_was_free_stays_free() -> None:
    assert price_without(0, 2500, 9000) == 0
