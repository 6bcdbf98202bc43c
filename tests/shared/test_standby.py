"""How far a real standby of PostgreSQL is behind, as `clinic/shared/replica.py` asks it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from clinic.shared.replica import BEHIND
from tests.postgres import SETTINGS, Place, find_binaries, prepare, run, served, throw_away_postgres

NOTICED = 1.0  # seconds


@pytest.fixture
def primary() -> Iterator[str]:
    if find_binaries() is None:
        pytest.skip("no PostgreSQL here")
    with throw_away_postgres() as url:
        yield url


@pytest.fixture
def standby(primary: str) -> Iterator[str]:
    """A copy that follows the primary."""
    folder = Path(tempfile.mkdtemp(prefix="clpg"))
    binaries = find_binaries()
    assert binaries is not None
    try:
        place: Place = prepare(folder, binaries)
        source = primary.rpartition("=")[2]
        data = str(folder / "data")
        assert (
            run(place, "pg_basebackup", "-h", source, "-U", "postgres", "-D", data, "-R", "-c", "fast") == 0
        )
        with served(place, SETTINGS):
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_standby_is_behind_when_it_has_not_caught_up_and_only_then(primary: str, standby: str) -> None:
    there, here = (create_engine(url, isolation_level="AUTOCOMMIT") for url in (standby, primary))

    def write(value: int) -> None:
        with here.connect() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS note (value int)"))
            connection.execute(text(f"INSERT INTO note VALUES ({value})"))

    def behind() -> float:
        with there.connect() as connection:
            return float(connection.execute(BEHIND).scalar_one())

    def soon(wanted: bool) -> bool:
        give_up_at = time.monotonic() + 60
        while (behind() > NOTICED) != wanted and time.monotonic() < give_up_at:
            time.sleep(0.2)
        return (behind() > NOTICED) == wanted

    write(1)
    assert soon(False)
    with there.connect() as connection:
        connection.execute(text("SELECT pg_wal_replay_pause()"))
    time.sleep(NOTICED)
    write(2)
    assert soon(True)
    with there.connect() as connection:
        connection.execute(text("SELECT pg_wal_replay_resume()"))
    assert soon(False)
    for engine in (there, here):
        engine.dispose()
