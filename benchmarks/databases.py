"""The databases that a measurement runs on, one after the other, and what must never stand in one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.booking import DURABLE
from tests.postgres import throw_away_postgres
from tests.web import sqlite_address

OVERLAPS = (
    "SELECT count(*) FROM claim a JOIN claim b ON a.resource_id = b.resource_id AND a.id < b.id"
    " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
)


def each_database(names: str) -> Iterator[tuple[str, str, Path]]:
    """A new and durable one for each of NAMES: its name, its address, and a folder for data. Gone afterwards."""
    for name in names.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clinic-"))) / "data"
            folder.mkdir()
            address = sqlite_address(folder)
            if name == "PostgreSQL":
                address = stack.enter_context(throw_away_postgres(DURABLE))
            yield name, address, folder
