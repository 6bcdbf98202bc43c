"""A key for each person, so that what is kept about one can be made unreadable everywhere at once.

The key lies in a table of its own, wrapped by the installation's key, and seals all that is about them. The table is in
no backup of the database: its rows stand in one file beside the backups, of which there is only the newest. Whoever is
erased is taken out of both, and nothing that was ever sealed for them can be opened again.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    FromClause,
    Integer,
    Join,
    String,
    UniqueConstraint,
    and_,
    bindparam,
    cast,
    event,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from clinic.shared.database import WRITES, Base, connection_of, db
from clinic.shared.keyring import CannotOpen, Key, ring, sealed_by
from clinic.shared.statements import rows

BigId = BigInteger().with_variant(Integer, "sqlite")
MOST_IN_MEMORY = 50_000
_PREFIX = "p"  # of the name of a person's key; the installation's begin with another letter
_MADE = "person_keys_made"
# What begins the `ring` of a row that holds no key:
_ERASED = "erased"  # it says when somebody was erased
_DESTROYED = "destroyed"  # it was one, and another one can take its place
_FORGOTTEN = "forgotten"  # the same, of somebody who was never in the clinic's book


class KeyDestroyed(CannotOpen):
    """The person was erased: what their key sealed is lost on purpose."""


class PersonKey(Base):
    """A person's key under one key of the installation. `client_id` is no foreign key: the row outlives the person.
    Nothing in `wrapped`: the key was destroyed, here and in every copy that is older, or the row says no more than that
    they were erased (`note_erased`)."""

    __tablename__ = "person_key"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    client_id: Mapped[int]
    ring: Mapped[str]  # the name of the installation's key
    wrapped: Mapped[bytes]
    __table_args__ = (UniqueConstraint("client_id", "ring"),)


_TABLE = Base.metadata.tables["person_key"]
_BY_NAME = select(_TABLE).where(_TABLE.c.id == bindparam("key", type_=BigId))
_BY_PERSON = select(_TABLE).where(
    _TABLE.c.client_id == bindparam("client"), _TABLE.c.ring == bindparam("ring")
)
READ_ALONG = _TABLE.c.id.label("key_id"), _TABLE.c.wrapped.label("key")
"""For a statement that reads what is sealed about people: their keys, which are then known (`with_keys`, `note`)."""


class _Known:
    """Keys that this process has opened and that are in the database for sure."""

    by_name: dict[str, Key] = {}  # noqa: RUF012 - one for the process
    by_person: dict[tuple[int, str], Key] = {}  # noqa: RUF012


def forget_known() -> None:
    """Let go of every key in memory."""
    _Known.by_name.clear()
    _Known.by_person.clear()


def named(sealed: bytes) -> Key | None:
    """The person's key that sealed this value; None when it was the installation's. Raises CannotOpen."""
    name = sealed_by(sealed)
    if not name.startswith(_PREFIX):
        return None
    found = _made(db.session()).get(name) or _Known.by_name.get(name)
    if found is None:
        row = next(iter(rows(_BY_NAME, {"key": _number(name)})), None)
        if row is None:
            raise CannotOpen(f"no key {name}")
        if not row.wrapped:
            raise KeyDestroyed(f"key {name} was destroyed")
        found = _unwrapped(row.id, row.wrapped)
        _know({name: found})
    return found


def are_here(names: Collection[str]) -> bool:
    """Whether each of these names is of a key that opens something now, or of a person's that was destroyed. Raises
    CannotOpen for a damaged one."""
    theirs = {_number(name) for name in names if name.startswith(_PREFIX)}
    stored = db.session.execute(select(_TABLE.c.id, _TABLE.c.ring, _TABLE.c.wrapped == b"")).all()
    here = {  # of two keys of one person the second one's ring has more behind its name (`without_clashes`)
        key_id
        for key_id, wraps, is_destroyed in stored
        if is_destroyed or wraps.partition(" ")[0] in ring().keys
    }
    return theirs <= here and all(name in ring().keys for name in names if not name.startswith(_PREFIX))


def _number(name: str) -> int:
    """The number of the person's key of this name, as its row has it."""
    try:
        found = int(name.removeprefix(_PREFIX), 16)
    except ValueError as error:
        raise CannotOpen("the name of a key is damaged") from error
    if not 0 <= found < 2**63:  # more than a database keeps as a number
        raise CannotOpen("the name of a key is damaged")
    return found


def with_keys(table: FromClause) -> Join:
    """The table with the key that seals now for the person of each row; `ring` is the installation's key."""
    is_theirs = and_(_TABLE.c.client_id == table.c.client_id, _TABLE.c.ring == bindparam("ring"))
    return table.outerjoin(_TABLE, is_theirs)


def note(client_id: int, key_id: int | None, wrapped: bytes | None) -> None:
    """The person's key was read along with something else: nobody has to read it again."""
    session = db.session()
    if key_id is not None and wrapped and not _known(session, client_id):
        _keep(session, client_id, _opened(key_id, wrapped))


def _known(session: Session, client_id: int) -> Key | None:
    """Whoever writes does not rely on what this process read before: another one may have destroyed the key since, and
    what it seals now could never be read."""
    place = (client_id, ring().current)
    here = _made(session).get(place)
    return here if here is not None or session.info.get(WRITES) else _Known.by_person.get(place)


def current(client_id: int) -> Key | None:
    """The key that seals for this person now, made where there is none; None outside a transaction that may make it."""
    session = db.session()
    found = _known(session, client_id)
    if found is not None:
        return found
    row = next(iter(rows(_BY_PERSON, {"client": client_id, "ring": ring().current})), None)
    if row is None:
        return _make(session, client_id) if session.info.get(WRITES) else None
    return _keep(session, client_id, _opened(row.id, row.wrapped))


def _keep(session: Session, client_id: int, key: Key) -> Key:
    """In memory; what a transaction that writes has read may be its own work, and counts when it is committed."""
    keys = {key.name: key, (client_id, ring().current): key}
    if session.info.get(WRITES):
        _made(session).update(keys)
    else:
        _know(keys)
    return key


def _make(session: Session, client_id: int) -> Key:
    key_id, plain = _new_id(), AESGCM.generate_key(256)
    values = {
        "id": key_id, "client_id": client_id, "ring": ring().current,
        "wrapped": ring().seal(plain, table="person_key", column="wrapped", row_id=key_id),
    }  # fmt: skip
    _insert(session, values)
    (row,) = rows(_BY_PERSON, {"client": client_id, "ring": ring().current})  # or another's
    return _keep(session, client_id, _opened(row.id, row.wrapped))


def _insert(session: Session, values: dict[str, Any]) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    connection_of(session).execute(insert(_TABLE).values(values).on_conflict_do_nothing())


def _new_id() -> int:
    return secrets.randbits(52) | 1 << 51


def key_name(key_id: int) -> str:
    """By what name a person's key is found in what it sealed."""
    return f"{_PREFIX}{key_id:x}"


def _opened(key_id: int, wrapped: bytes) -> Key:
    """A key that stands in the database now; it is unwrapped once."""
    return _Known.by_name.get(key_name(key_id)) or _unwrapped(key_id, wrapped)


def _unwrapped(key_id: int, wrapped: bytes) -> Key:
    plain = ring().open(bytes(wrapped), table="person_key", column="wrapped", row_id=key_id)
    return Key(key_name(key_id), plain)


def _know(keys: Mapping[Any, Key]) -> None:
    if len(_Known.by_name) > MOST_IN_MEMORY:
        forget_known()
    for place, key in keys.items():
        known: dict[Any, Key] = _Known.by_name if isinstance(place, str) else _Known.by_person
        known[place] = key


def _made(session: Session) -> dict[Any, Key]:
    """Keys made in this transaction: they are worth nothing when it is taken back."""
    made: dict[Any, Key] = session.info.setdefault(_MADE, {})
    return made


@event.listens_for(Session, "after_soft_rollback")
def _forget_made(session: Session, _previous: SessionTransaction) -> None:
    session.info.pop(_MADE, None)


@event.listens_for(Session, "after_commit")
def _know_made(session: Session) -> None:
    if session.get_nested_transaction() is None:
        _know(session.info.pop(_MADE, {}))


def whose(row: Any, about: str) -> int | None:
    """The person whom a row is about; it says so itself, or names a row of another table that does."""
    value: int | None = getattr(row, about, None)
    if about == "client_id" or value is None:
        if value is None and getattr(row, "client", None) is not None:
            return int(row.client.id) if row.client.id is not None else None
        return value
    (key,) = row.__table__.columns[about].foreign_keys
    for one in db.session.new:
        if one.__tablename__ == key.column.table.name and one.id == value:
            return whose(one, "client_id")
    parent = key.column.table
    return db.session.connection().execute(select(parent.c.client_id).where(parent.c.id == value)).scalar()


@dataclass(frozen=True)
class Gone:
    """Somebody who was erased. `at`: when, where that is known; `until`: a law keeps their records until then, and
    with them the key."""

    client_id: int
    at: dt.datetime | None = None
    until: dt.date | None = None


def note_erased(
    session: Session, client_ids: Collection[int], *, at: dt.datetime, until: dt.date | None
) -> None:
    """Beside the keys it stands who was erased, for nothing else outlives an older backup: not everybody has a key, and
    that of somebody whose records a law keeps is still there."""
    said = f"{_ERASED} {at.isoformat()} {until or ''}"
    for one in client_ids:
        _insert(session, {"id": _new_id(), "client_id": one, "ring": said, "wrapped": b""})


def gone(rows: Iterable[Mapping[str, Any]]) -> list[Gone]:
    """The people who were erased, as these rows of the table say; of each the last time."""
    found: dict[int, Gone] = {}
    for row in sorted(rows, key=lambda row: str(row["ring"])):
        word, _space, rest = row["ring"].partition(" ")
        if word == _ERASED and rest:
            at, _space, until = rest.partition(" ")
            moment, day = dt.datetime.fromisoformat(at), dt.date.fromisoformat(until) if until else None
            last = found.get(row["client_id"])
            if last is None or last.at is None or last.at < moment:
                found[row["client_id"]] = Gone(row["client_id"], moment, day)
        elif word != _FORGOTTEN and not row["wrapped"]:
            found.setdefault(row["client_id"], Gone(row["client_id"]))
    return [found[one] for one in sorted(found)]


def destroy(session: Session, client_ids: Collection[int]) -> None:
    """Destroy the keys of these people: what they sealed is lost for good. What is sealed for them later, when their
    record is somebody's again, gets a key of its own."""
    _end(session, client_ids, _DESTROYED)


def forget(session: Session, client_ids: Collection[int]) -> None:
    """Destroy the keys of records that nobody needed: no restore has to erase those."""
    _end(session, client_ids, _FORGOTTEN)


def _end(session: Session, client_ids: Collection[int], word: str) -> None:
    theirs = PersonKey.client_id.in_(client_ids), PersonKey.wrapped != b""
    said = literal(f"{word} ").concat(cast(PersonKey.id, String))
    session.execute(update(PersonKey).where(*theirs).values(wrapped=b"", ring=said))
    session.info.pop(_MADE, None)
    forget_known()


def together(*several: Mapping[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What each of these copies of the table knows, by id. A key that one of them knows to be destroyed is destroyed,
    and takes no place of a living one."""
    found: dict[int, dict[str, Any]] = {}
    for copy in several:
        for key_id, row in copy.items():
            if row["wrapped"]:
                found.setdefault(key_id, row)
            elif row["ring"].partition(" ")[0] in (_ERASED, _DESTROYED, _FORGOTTEN):
                found[key_id] = row
            else:  # of a version before
                found[key_id] = {**row, "ring": f"{_DESTROYED} {key_id}"}
    return found


def end_earlier(known: dict[int, dict[str, Any]], living: Collection[int]) -> None:
    """Destroy in `known` the earlier keys of people who were erased, or of whom one was destroyed: those from before
    the installation's key was changed stand in no database any more. `living`: the ids of those that do."""
    words = (_DESTROYED, _FORGOTTEN)
    ended = {row["client_id"] for row in known.values() if row["ring"].partition(" ")[0] in words}
    ended |= {one.client_id for one in gone(known.values()) if one.until is None}  # also who had no key left
    for key_id, row in known.items():
        if row["wrapped"] and key_id not in living and row["client_id"] in ended:
            known[key_id] = {**row, "wrapped": b"", "ring": f"{_DESTROYED} {key_id}"}


def without_clashes(
    added: Iterable[dict[str, Any]], there: Iterable[tuple[int, str]]
) -> list[dict[str, Any]]:
    """Rows to add to a table with these (person, ring). Of two keys of one person, made by two databases of one origin,
    the second still opens what it sealed, and seals nothing any more."""
    taken, found = set(there), []
    for row in sorted(added, key=lambda row: int(row["id"])):
        place = row["client_id"], row["ring"]
        found.append({**row, "ring": f"{row['ring']} {row['id']}"} if place in taken else row)
        taken.add(place)
    return found


def last_number(rows: Iterable[Mapping[str, Any]]) -> int:
    """The highest number of a record that these rows of the table know."""
    return max((row["client_id"] for row in rows), default=0)
