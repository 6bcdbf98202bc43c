"""Health data at rest: AES-256-GCM, each value bound to its table, column and row.

A sealed value is b"1" + key id length + key id + 12-byte nonce + ciphertext. The keys lie in a file outside
the database's folder; several may be there at once, so that rows can be sealed anew while the site runs.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

_FORMAT = b"1"
_NONCE_BYTES = 12


class CannotOpen(Exception):
    """The value was sealed for another row or by a key that is not here, or it was changed."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by id; `current` seals, all of them open."""

    current: str
    keys: dict[str, bytes]

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read the key file. Raises FileNotFoundError, or ValueError when it is not a key file."""
        try:
            data = json.loads(path.read_text(encoding="ascii"))
            keys = {name: base64.b64decode(key, validate=True) for name, key in data["keys"].items()}
            ring = cls(data["current"], keys)
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, ValueError) as error:
            raise ValueError(f"{path} is not a key file") from error
        if ring.current not in keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError(f"{path} is not a key file")
        return ring

    @classmethod
    def load_or_make(cls, path: Path) -> KeyRing:
        """Read the key file, or make one with a fresh key, readable by its owner alone (mode 0600)."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = "k" + secrets.token_hex(4)
            key = base64.b64encode(AESGCM.generate_key(256)).decode("ascii")
            text = json.dumps({"current": name, "keys": {name: key}})
            draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
            with suppress(FileExistsError):  # another process was first: its key is as good
                os.link(draft, path)
            draft.unlink()
        return cls.load(path)

    def seal(self, plain: bytes, *, table: str, column: str, row_id: int) -> bytes:
        """Encrypt under the current key."""
        name = self.current.encode("ascii")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        bound = _bound_to(table, column, row_id, self.current)
        sealed = AESGCM(self.keys[self.current]).encrypt(nonce, plain, bound)
        return _FORMAT + bytes([len(name)]) + name + nonce + sealed

    def open(self, sealed: bytes, *, table: str, column: str, row_id: int) -> bytes:
        """Decrypt. Raises CannotOpen when the value was moved, changed, or its key is gone."""
        if sealed[:1] != _FORMAT or len(sealed) < 2:
            raise CannotOpen("not a sealed value")
        start = 2 + sealed[1]
        name = sealed[2:start].decode("ascii", "replace")
        if name not in self.keys:
            raise CannotOpen(f"no key {name}")
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return AESGCM(self.keys[name]).decrypt(nonce, body, _bound_to(table, column, row_id, name))
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"{table}.{column}") from error


def _bound_to(table: str, column: str, row_id: int, key: str) -> bytes:
    return json.dumps([table, column, row_id, key]).encode()


class _Ring:
    """The process's key ring, put in place by the application factory."""

    ring: KeyRing | None = None


def use(ring: KeyRing) -> None:
    """Set the key ring of this process."""
    _Ring.ring = ring


def ring() -> KeyRing:
    """The key ring in use. Raises RuntimeError when the factory has not set one."""
    if _Ring.ring is None:
        raise RuntimeError("no keys loaded")
    return _Ring.ring


BigId = BigInteger().with_variant(Integer, "sqlite")


def new_row_id() -> int:
    """A random 52-bit id: known before the row is written, so that a sealed value can be bound to it."""
    return secrets.randbits(52) | 1 << 51


class SealedRow:
    """Mixin for tables with sealed columns: the id is there from the start."""

    __tablename__: str

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)

    def __init__(self, **values: Any) -> None:
        self.id = values.pop("id", None) or new_row_id()
        super().__init__(**values)


class SealedBytes:
    """A file kept encrypted in the column `<name>_sealed` of a SealedRow; None stays None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.column = f"{name}_sealed"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        sealed = getattr(row, self.column)
        if sealed is None:
            return None
        return ring().open(sealed, table=row.__tablename__, column=self.column, row_id=row.id)

    def __set__(self, row: Any, value: bytes | None) -> None:
        sealed = None
        if value is not None:
            sealed = ring().seal(value, table=row.__tablename__, column=self.column, row_id=row.id)
        setattr(row, self.column, sealed)


class Sealed:
    """A JSON value kept encrypted in the column `<name>_sealed` of a SealedRow; None stays None."""

    def __set_name__(self, owner: type[SealedRow], name: str) -> None:
        self.owner, self.column = owner, f"{name}_sealed"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        sealed = getattr(row, self.column)
        return None if sealed is None else self.opened(sealed, row.id)

    def opened(self, sealed: bytes, row_id: int) -> Any:
        """What was read from the column of the row with this id."""
        return json.loads(
            ring().open(sealed, table=self.owner.__tablename__, column=self.column, row_id=row_id)
        )

    def __set__(self, row: Any, value: Any) -> None:
        if value is None:
            setattr(row, self.column, None)
            return
        plain = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
        sealed = ring().seal(plain, table=row.__tablename__, column=self.column, row_id=row.id)
        setattr(row, self.column, sealed)
