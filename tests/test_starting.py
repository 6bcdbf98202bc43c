"""`clinic init`: what is asked, and what stands in the database of the new clinic."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from clinic.cli import main
from clinic.premises.models import Clinic
from clinic.rules.errors import InvalidInput
from clinic.shared.database import db
from clinic.starting import Begun, _habits, begin_clinic
from tests.conftest import NOW
from tests.web import app_on, sqlite_address

BEGUN = {
    "name": "Still Waters", "zone": "Europe/London", "country": "GB", "emergency_number": "999",
    "health_line_number": "111", "owner_name": "Olive", "owner_email": "olive@clinic.example",
}  # fmt: skip


def numbers() -> tuple[str, str, str, str]:
    row = db.session.get_one(Clinic, 1)
    return row.emergency_number, row.health_line_name, row.health_line_number, row.phone_region


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({}, ("999", "NHS 111", "111", "GB")),
        ({"health_line_number": ""}, ("999", "", "", "GB")),
        ({"health_line_number": "0800 1"}, ("999", "the health advice line", "0800 1", "GB")),
        ({"country": "JP", "emergency_number": "119", "health_line_number": ""}, ("119", "", "", "JP")),
    ],
)
def test_a_new_clinic_has_the_numbers_that_were_chosen(
    app: Flask, changes: dict[str, str], stored: tuple[str, ...]
) -> None:
    begin_clinic(Begun(**{**BEGUN, **changes}), now=NOW)
    assert numbers() == stored


def test_a_new_clinic_counts_in_the_money_and_by_the_clock_of_its_country(app: Flask) -> None:
    begin_clinic(Begun(**{**BEGUN, "country": "DE"}), now=NOW)
    row = db.session.get_one(Clinic, 1)
    assert (row.currency, row.uses_24_hours, row.month_first) == ("EUR", True, False)
    assert _habits("US") == {"currency": "USD", "uses_24_hours": False, "month_first": True}
    assert _habits("TA") == {"currency": "GBP", "uses_24_hours": False, "month_first": False}
    assert _habits("TR") == {"uses_24_hours": True, "month_first": False}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("country", "England"), ("country", ""), ("emergency_number", ""), ("emergency_number", "call us"),
        ("health_line_number", "1" * 41), ("zone", "London"), ("owner_email", "olive"), ("name", " "),
        ("name", "x" * 81), ("owner_name", ""), ("owner_name", "x" * 81),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_made(app: Flask, field: str, typed: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        begin_clinic(Begun(**{**BEGUN, field: typed}), now=NOW)
    assert refusal.value.field == field
    db.session.rollback()
    assert db.session.get(Clinic, 1) is None


def init(data_folder: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str]) -> Result:
    monkeypatch.setenv("CLINIC_DATA_DIR", str(data_folder))
    monkeypatch.delenv("CLINIC_DATABASE_URL", raising=False)
    return CliRunner().invoke(main, ["init"], input="\n".join(typed) + "\n")


@pytest.mark.parametrize(
    ("country", "emergency", "line", "stored"),
    [
        ("gb", "", "", ("999", "NHS 111", "111", "GB")),
        ("US", "", "", ("911", "", "", "US")),
        ("FR", "", "", ("112", "", "", "FR")),
        ("JP", "119", "", ("119", "", "", "JP")),
    ],
)
def test_init_proposes_the_numbers_of_the_country(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, country: str, emergency: str, line: str,
    stored: tuple[str, ...],
) -> None:  # fmt: skip
    result = init(
        data_folder, monkeypatch,
        ["Still Waters", "Europe/London", country, emergency, line, "Olive", "olive@clinic.example"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    with app_on(sqlite_address(data_folder), data_folder).app_context():
        assert numbers() == stored
        db.session.remove()
        db.engine.dispose()


def test_init_assumes_no_number_where_it_knows_none(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = init(data_folder, monkeypatch, ["Still Waters", "Asia/Tokyo", "JP", "", ""])
    assert asked.exit_code == 1
    assert "911" not in asked.output


def test_what_cannot_be_is_asked_for_again_at_once(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after the last question, when all has to be typed again."""
    result = init(
        data_folder, monkeypatch,
        [
            "Still Waters", "London", "Europe/London", "England", "gb", "1", "999", "", "Olive", "olive",
            " olive@clinic.example ",
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.output.count("Error: ") == 4
    assert "There is no time zone 'London'." in result.output
