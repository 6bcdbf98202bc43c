"""Changing the key: a new one seals from now on, old values are sealed anew while the site runs, old keys go.

Every step can be broken off and run again.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Table, select, update

from clinic.shared.crypto import CannotOpen, KeyRing, ring
from clinic.shared.database import Base, db, transaction

BATCH = 200
BATCH_OF_FILES = 4  # each may be some megabytes, and a batch lies in memory at once


def add_key(path: Path) -> KeyRing:
    """Put a fresh key into the key file; it seals from the next start on, the others still open."""
    old = KeyRing.load(path)
    name = "k" + secrets.token_hex(4)
    return _write(path, KeyRing(name, {**old.keys, name: AESGCM.generate_key(256)}))


def drop_old_keys(path: Path) -> KeyRing:
    """Keep the current key alone. What an old one sealed cannot be opened afterwards, in backups neither."""
    old = KeyRing.load(path)
    return _write(path, KeyRing(old.current, {old.current: old.keys[old.current]}))


def _write(path: Path, new: KeyRing) -> KeyRing:
    """Write the whole file beside the old one and put it in its place in one step."""
    keys = {name: base64.b64encode(key).decode("ascii") for name, key in new.keys.items()}
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump({"current": new.current, "keys": keys}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return KeyRing.load(path)


def sealed_columns() -> list[tuple[Table, str]]:
    """Every column that holds sealed values, in a fixed order."""
    return [
        (table, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_sealed")
    ]


def columns_that_stay_closed() -> list[str]:
    """Sealed columns whose newest value the keys at hand do not open; empty when the right keys are there."""
    closed = []
    for table, column in sealed_columns():
        newest = select(table.c.id, table.c[column]).where(table.c[column].is_not(None))
        row = db.session.execute(newest.order_by(table.c.id.desc()).limit(1)).one_or_none()
        try:
            if row:
                ring().open(bytes(row[1]), table=table.name, column=column, row_id=row[0])
        except CannotOpen:
            closed.append(f"{table.name}.{column}")
    return closed


def seal_anew() -> int:
    """Seal everything under the current key that another one sealed; returns how many values. Short transactions."""
    return sum(_seal_column(table, column) for table, column in sealed_columns())


def _seal_column(table: Table, column: str) -> int:
    done, last = 0, 0
    batch = BATCH_OF_FILES if table.c[column].info.get("is_file") else BATCH
    while True:
        with transaction() as session:
            rows = session.execute(
                select(table.c.id, table.c[column])
                .where(table.c.id > last, table.c[column].is_not(None))
                .order_by(table.c.id)
                .limit(batch)
                .with_for_update()
            ).all()
            for row_id, sealed in rows:
                if sealed_by(bytes(sealed)) == ring().current:
                    continue
                plain = ring().open(bytes(sealed), table=table.name, column=column, row_id=row_id)
                new = ring().seal(plain, table=table.name, column=column, row_id=row_id)
                session.execute(update(table).where(table.c.id == row_id).values({column: new}))
                done += 1
        if not rows:
            return done
        last = rows[-1][0]


def sealed_by(sealed: bytes) -> str:
    """The id of the key that sealed this value."""
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")
