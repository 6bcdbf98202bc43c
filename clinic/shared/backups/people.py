"""The keys of people, in no backup: one file beside the backups and beside the key of backups, only ever the newest.

A backup has everything but these keys, so that a person whose key is destroyed here cannot be read in any backup,
however old. The file is an `age` file like the backups, and its keys are wrapped by the installation's besides.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from clinic.shared.backups.dumps import BackupFailed
from clinic.shared.database import Base
from clinic.shared.new_file import put_in_place, write_private
from clinic.shared.person_keys import (
    Gone,
    PersonKey,
    end_earlier,
    gone,
    last_number,
    together,
    without_clashes,
)
from clinic.shared.turns import alone_with

TABLE = Base.metadata.tables[PersonKey.__tablename__]
NAME = "people.clinic-keys"
Rows = dict[int, dict[str, Any]]


def keep(engine: Engine, folder: Path, key_file: Path, key: str) -> None:
    """Bring the file up to date: keys that it knows and the database does not stay, for older backups; those that one
    of the two knows to be destroyed are destroyed in both. One at a time: what another one read before somebody was
    erased must not be written after it."""
    places = _places(folder, key_file)
    try:
        with alone_with(key_file.with_name(f"{NAME}.turn")):
            _bring_up_to_date(engine, places, key)
    except TimeoutError as error:
        raise BackupFailed(f"{places[0]} is being written by another process, for too long.") from error


def _bring_up_to_date(engine: Engine, places: list[Path], key: str) -> None:
    with engine.connect() as connection:
        here = {row["id"]: dict(row) for row in connection.execute(select(TABLE)).mappings()}
    written = {path: _read(path, key) for path in _there(places)}
    rows = together(*written.values(), here)
    end_earlier(rows, {key_id for key_id, row in here.items() if row["wrapped"]})
    if lost := [row for key_id, row in here.items() if row["wrapped"] and not rows[key_id]["wrapped"]]:
        with engine.begin() as connection:  # put back from an older file
            for row in lost:
                connection.execute(update(TABLE).where(TABLE.c.id == row["id"]).values(rows[row["id"]]))
    for path in places:
        # a folder that is not there at the moment learns it when it is back
        if path.parent.is_dir() and written.get(path) != rows:
            _write(path, rows, key)


def lags(engine: Engine, folder: Path, key_file: Path, key: str) -> bool:
    """Whether one of the copies still holds a key that the database knows to be destroyed. Raises BackupFailed."""
    with engine.connect() as connection:
        ended = set(connection.execute(select(TABLE.c.id).where(TABLE.c.wrapped == b"")).scalars())
    copies = [_read(path, key) for path in _there(_places(folder, key_file))]
    return any(row["wrapped"] for copy in copies for key_id, row in copy.items() if key_id in ended)


def is_kept(folder: Path, key_file: Path) -> bool:
    """Whether there is a copy of the keys at all."""
    return bool(_there(_places(folder, key_file)))


def _places(folder: Path, key_file: Path) -> list[Path]:
    return [one / NAME for one in dict.fromkeys((folder, key_file.parent))]


def _there(places: list[Path]) -> list[Path]:
    return [one for one in places if one.exists()]


def find(folder: Path, key_file: Path) -> list[Path]:
    """Where the file is, for a backup in FOLDER: a copy of it may lie beside the backup, and the newest beside the key
    of backups. Raises BackupFailed when it is nowhere."""
    places = _places(folder, key_file)
    found = _there(places)
    if not found:
        raise BackupFailed(
            f"{places[0]} is missing. The keys of people are in it: put it beside the backup first."
        )
    return found


def _write(path: Path, rows: Rows, key: str) -> None:
    import pyrage

    plain = [{**row, "wrapped": base64.b64encode(row["wrapped"]).decode()} for row in rows.values()]
    recipient = pyrage.x25519.Identity.from_str(key).to_public()
    draft = path.with_name(f"{NAME}.new")
    write_private(draft, pyrage.encrypt(json.dumps(plain).encode(), [recipient]))
    if _read(draft, key) != rows:
        raise BackupFailed(f"{draft} does not read back as it was written.")
    put_in_place(draft, path)


def put_back(engine: Engine, paths: list[Path], key: str) -> list[Gone]:
    """Put the keys into a restored database; returns the people who were erased. No record that comes from now on gets
    the number of one that these keys know, and that came and went after the backup. Raises BackupFailed."""
    rows = together(*(_read(path, key) for path in paths))
    with engine.begin() as connection:
        there = {row.id: (row.client_id, row.ring) for row in connection.execute(select(TABLE))}
        missing = [row for key_id, row in rows.items() if key_id not in there]
        if missing:
            connection.execute(insert(TABLE), without_clashes(missing, there.values()))
        _use_up(connection, last_number(rows.values()))
    return gone(rows.values())


def _use_up(connection: Connection, number: int) -> None:
    """Numbers go on behind this one."""
    resource = Base.metadata.tables["resource"]
    if number <= (connection.execute(select(func.max(resource.c.id))).scalar() or 0):
        return
    connection.execute(insert(resource), {"id": number, "kind": "gone"})
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.setval(func.pg_get_serial_sequence("resource", "id"), number)))


def _read(path: Path, key: str) -> Rows:
    import pyrage

    try:
        plain = pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(key)])
        return {row["id"]: {**row, "wrapped": base64.b64decode(row["wrapped"])} for row in json.loads(plain)}
    except (pyrage.DecryptError, ValueError, KeyError) as error:
        raise BackupFailed(f"{path} is damaged, or was made with another key.") from error
