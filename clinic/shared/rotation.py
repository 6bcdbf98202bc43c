"""Changing the key: a new one seals from now on, old values are sealed anew while the site runs, old keys go.

Every step can be broken off and run again.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Table, delete, func, inspect, null, select, text, update

from clinic.shared.crypto import CannotOpen, KeyRing, ring, seal, unseal
from clinic.shared.database import Base, db, transaction
from clinic.shared.keyring import sealed_by
from clinic.shared.new_file import put_in_place, write_private
from clinic.shared.person_keys import KeyDestroyed, PersonKey, are_here, key_name
from clinic.shared.signed import outliving

TRIED = 20  # values of a column
LONGEST_NAME = 64  # bytes in which the name of the key that sealed a value ends
BATCH = 200
BATCH_OF_FILES = 4  # each may be some megabytes, and a batch lies in memory at once


def add_key(path: Path) -> KeyRing:
    """Put a fresh key into the key file; it seals from the next start on, the others still open."""
    old = KeyRing.load(path)
    name = "k" + secrets.token_hex(4)
    return _write(path, KeyRing(name, {**old.keys, name: AESGCM.generate_key(256)}, old.links, old.gone))


class KeysChanged(Exception):
    """The key file names another current key than the one under which everything was sealed anew."""


def _still(path: Path, current: str | None) -> KeyRing:
    """The key file, which keeps that current key. Raises KeysChanged."""
    found = KeyRing.load(path)
    if current is not None and found.current != current:
        raise KeysChanged(found.current)
    return found


def retire_old_keys(path: Path, current: str | None = None) -> KeyRing:
    """Nobody seals with an old key from now on, and all of them still open: what is under way may hold what one of them
    has sealed. Nothing is lost by stopping here. Raises KeysChanged where the current key is another one than that."""
    old = _still(path, current)
    return _write(path, replace(old, gone=old.gone | (old.keys.keys() - {old.current})))


def drop_old_keys(path: Path, current: str | None = None, *, ends_links: bool = False) -> KeyRing:
    """Keep the current key alone. What an old one sealed cannot be opened afterwards, in backups neither; the links
    that it signed in mails can, unless they are to end too. Raises KeysChanged where it is another than `current`."""
    old = _still(path, current)
    dropped = old.keys.keys() - {old.current}
    links = {} if ends_links else outliving(old, dropped)
    return _write(path, KeyRing(old.current, {old.current: old.keys[old.current]}, links, old.gone | dropped))


def are_all_over(seconds: float) -> bool:
    """Whether each transaction that is open now ends within so many seconds: until then something may lie in it that
    was sealed before a key was dropped. SQLite has one writer, whom everybody waits for in any case."""
    if db.engine.dialect.name == "sqlite":
        return True
    ends, begun = time.monotonic() + seconds, db.session.scalar(text("SELECT clock_timestamp()"))
    while _open_since(begun):
        db.session.rollback()
        if time.monotonic() > ends:
            return False
        time.sleep(0.2)
    db.session.rollback()
    return True


def _open_since(begun: Any) -> bool:
    asked = text(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND xact_start <= :begun)"
    )
    return bool(db.session.scalar(asked, {"begun": begun}))


def _write(path: Path, new: KeyRing) -> KeyRing:
    """Write the whole file beside the old one and put it in its place in one step."""
    keys = {name: base64.b64encode(key).decode("ascii") for name, key in new.keys.items()}
    links = {
        purpose: [base64.b64encode(key).decode("ascii") for key in several]
        for purpose, several in new.links.items()
    }
    draft = path.with_name(path.name + ".new")
    content = {"current": new.current, "keys": keys, "links": links, "gone": sorted(new.gone)}
    write_private(draft, json.dumps(content).encode("ascii"))
    put_in_place(draft, path)
    return KeyRing.load(path)


def sealed_columns() -> list[tuple[Table, str]]:
    """Every column that holds sealed values, in a fixed order."""
    return [
        (table, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_sealed")
    ]


def columns_that_stay_closed(*, looks_at_all: bool = False) -> list[str]:
    """Sealed columns with a value that the keys at hand do not open; empty when the right keys are there. A few values
    of each are tried, and what a key sealed that was destroyed on purpose tells nothing. `looks_at_all`: of every
    value the name of its key is looked at as well. A database of an older version has not all of the columns yet."""
    tables = {table.name for table, _column in sealed_columns()}
    inspector = inspect(db.session.connection())
    there = {
        (table, column["name"])
        for (_schema, table), columns in inspector.get_multi_columns(filter_names=sorted(tables)).items()
        for column in columns
    }
    return [
        f"{table.name}.{column}"
        for table, column in sealed_columns()
        if (table.name, column) in there
        and (_stays_closed(table, column) or (looks_at_all and _lacks_a_key(table, column)))
    ]


def _stays_closed(table: Table, column: str) -> bool:
    some = select(table.c.id, table.c[column]).where(table.c[column].is_not(None))
    for row_id, sealed in db.session.execute(some.order_by(table.c.id.desc()).limit(TRIED)):
        try:
            unseal(bytes(sealed), table=table.name, column=column, row_id=row_id)
        except KeyDestroyed:
            continue
        except CannotOpen:
            return True
    return False


def _lacks_a_key(table: Table, column: str) -> bool:
    """Whether the name of a key that is not here stands before a value, without opening any."""
    begins = func.substr(table.c[column], 1, LONGEST_NAME).label("begins")
    found = db.session.execute(select(begins).where(table.c[column].is_not(None))).scalars()
    try:
        return not are_here({sealed_by(bytes(one)) for one in found})
    except CannotOpen:
        return True


def forget_old_person_keys() -> None:
    """Delete people's keys that an old key wrapped, once nothing is sealed by them any more. Of those that were
    destroyed it stays known that they were."""
    with transaction() as session:
        session.execute(delete(PersonKey).where(PersonKey.ring != ring().current, PersonKey.wrapped != b""))


def seal_anew() -> int:
    """Seal everything under the current key of its person that another one sealed, and what is nobody's under that of
    the installation; returns how many values. Short transactions."""
    return sum(_seal_column(table, column) for table, column in sealed_columns())


def _seal_column(table: Table, column: str) -> int:
    done, last = 0, 0
    batch = BATCH_OF_FILES if table.c[column].info.get("is_file") else BATCH
    wanted = (
        select(table.c.id, table.c[column], _person(table))
        .where(table.c[column].is_not(None))
        .order_by(table.c.id)
        .limit(batch)
        .with_for_update(of=table)
    )
    while True:
        with transaction() as session:
            rows = session.execute(wanted.where(table.c.id > last)).all()
            people = {person for _id, _sealed, person in rows if person is not None}
            theirs = select(PersonKey.client_id, PersonKey.id).where(
                PersonKey.client_id.in_(people), PersonKey.ring == ring().current
            )
            names = {person: key_name(key_id) for person, key_id in session.execute(theirs)}
            for row_id, sealed, person in rows:
                if sealed_by(bytes(sealed)) == (ring().current if person is None else names.get(person)):
                    continue
                place = {"table": table.name, "column": column, "row_id": row_id}
                try:
                    plain = unseal(bytes(sealed), **place)
                except KeyDestroyed:
                    continue  # of somebody who was erased: it stays lost, and keeps nobody's from being sealed
                new = seal(plain, client_id=person, **place)
                session.execute(update(table).where(table.c.id == row_id).values({column: new}))
                done += 1
        if not rows:
            return done
        last = rows[-1][0]


def _person(table: Table) -> ColumnElement[Any]:
    """The person whom a row of this table is about, for a statement that reads it."""
    about = next(one.class_.about for one in Base.registry.mappers if one.class_.__tablename__ == table.name)
    if about == "client_id":
        return table.c.client_id if "client_id" in table.c else null()
    (key,) = table.c[about].foreign_keys
    parent = key.column.table
    return select(parent.c.client_id).where(parent.c.id == table.c[about]).scalar_subquery()
