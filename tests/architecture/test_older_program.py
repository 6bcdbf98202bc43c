"""While processes are restarted one after the other, the program of before goes on with the database of after.

So a migration adds: what it takes away, renames or demands anew would break those that still run. What has to go goes
in the version after. What cannot keep to this is named here, and the changelog says to stop everything first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import inspect

from clinic.cli.making import able_to_migrate
from clinic.shared.database import db
from tests.web import app_on, sqlite_address

RELEASED = "0023"  # the newest migration of the version of before
# Nobody signs in by the program of before.
STOPS_EVERYTHING = frozenset({"user_session.proved_at is demanded"})

Columns = dict[tuple[str, str], dict[str, Any]]


def columns() -> Columns:
    """Every column of every table there is."""
    found = inspect(db.engine)
    return {
        (table, column["name"]): dict(column)
        for table in found.get_table_names()
        for column in found.get_columns(table)
    }


def breaks(before: Columns, after: Columns) -> list[str]:
    """What a program that knows BEFORE cannot do with AFTER: read what is gone, or leave out what is demanded."""
    tables = {table for table, _ in before}
    gone = [f"{table}.{name} is gone" for table, name in before.keys() - after.keys()]
    demanded = [
        f"{table}.{name} is demanded"
        for (table, name), column in after.items()
        if table in tables
        and not (column["nullable"] or column["default"] is not None or column["primary_key"])
        and before.get((table, name), {"nullable": True})["nullable"]
    ]
    return sorted(gone + demanded)


def test_the_program_of_before_goes_on_with_the_database_of_after(tmp_path: Path) -> None:
    app = able_to_migrate(app_on(sqlite_address(tmp_path), tmp_path))
    with app.app_context():
        upgrade(revision=RELEASED)
        before = columns()
        upgrade()
        found = breaks(before, columns())
        db.session.remove()
        db.engine.dispose()
    assert set(found) == STOPS_EVERYTHING


def test_what_would_break_it_is_seen() -> None:
    old: Columns = {("a", "x"): {"nullable": True, "default": None, "primary_key": 0}}
    must = {"nullable": False, "default": None, "primary_key": 0}
    assert breaks(old, {}) == ["a.x is gone"]
    assert breaks(old, {("a", "x"): must}) == ["a.x is demanded"]
    assert breaks(old, {**old, ("a", "y"): must}) == ["a.y is demanded"]
    assert breaks(old, {**old, ("a", "y"): {**must, "default": "1"}, ("b", "z"): must}) == []
