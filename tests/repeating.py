"""What many tests begin with is made once: rows step by step, and later copied; folders by one process for all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from clinic.accounts.models import User
from clinic.premises.models import Clinic
from clinic.shared.database import db, transaction

Made = TypeVar("Made")
Rows = dict[str, list[dict[str, Any]]]

_made: dict[tuple[str, Hashable], tuple[Any, Rows]] = {}


def rows_of(what: Hashable, make: Callable[[], Made]) -> Made:
    """What MAKE returns, with all rows that it writes: the first time on a database by MAKE itself, later as copies.

    MAKE returns nothing that a session holds, and its rows say nothing of the clock. A database that has a clinic or
    people already is not what it was made on: there MAKE is always called.
    """
    if db.session.scalar(select(Clinic.id).limit(1)) or db.session.scalar(select(User.id).limit(1)):
        return make()
    url = db.engine.url
    key = (
        "sqlite" if url.drivername == "sqlite" else str(url),
        what,
    )  # PostgreSQL counts on: its ids are its own
    if key not in _made:
        before = _all_rows()
        made = make()
        _made[key] = made, _more(before, _all_rows())
        return made
    made, rows = _made[key]
    with transaction() as session:
        for table in db.metadata.sorted_tables:
            if table.name in rows:
                session.execute(table.insert(), rows[table.name])
    return made


def _all_rows() -> Rows:
    """Every row of every table."""
    db.session.rollback()
    found = {
        table.name: [dict(row) for row in db.session.execute(select(table)).mappings()]
        for table in db.metadata.sorted_tables
    }
    db.session.rollback()
    return found


def _more(before: Rows, after: Rows) -> Rows:
    """The rows that came. None may have gone or changed."""
    for name, rows in before.items():
        assert all(row in after[name] for row in rows), f"a row of {name} was changed"
    came = {name: [row for row in rows if row not in before[name]] for name, rows in after.items()}
    return {name: rows for name, rows in came.items() if rows}


def folder_of(name: str, factory: pytest.TempPathFactory, make: Callable[[Path], None]) -> Path:
    """The folder that MAKE fills, once for all processes of this run. Nobody changes it afterwards."""
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / name).exists():
            unfinished = factory.mktemp(name) / "data"
            make(unfinished)
            unfinished.rename(place / name)
    return place / name
