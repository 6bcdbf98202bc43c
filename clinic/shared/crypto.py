"""Health data at rest: sealed under a key of the person it is about, or of the installation where it is nobody's yet.

The person's key lies in the database, wrapped by the installation's (clinic/shared/person_keys.py); without it nothing
about them can be read, in no backup either.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared import keyring, person_keys
from clinic.shared.keyring import CannotOpen, KeyRing, ring
from clinic.shared.person_keys import BigId, KeyDestroyed

__all__ = [
    "BigId", "CannotOpen", "KeyRing", "Sealed", "SealedBytes", "SealedRow", "new_row_id", "ring", "unseal", "use",
]  # fmt: skip


def use(ring: KeyRing, path: Path | None = None) -> None:
    """Set the key ring of this process, which follows the file at `path`; what was opened with another is let go."""
    keyring.use(ring, path)
    person_keys.forget_known()


def unseal(sealed: bytes, *, table: str, column: str, row_id: int) -> bytes:
    """Decrypt with whichever key sealed it. Raises CannotOpen when the value was moved, changed, or its key is gone."""
    key = person_keys.named(sealed)
    opener = key if key is not None else ring()
    return opener.open(sealed, table=table, column=column, row_id=row_id)


def seal(plain: bytes, *, client_id: int | None, table: str, column: str, row_id: int) -> bytes:
    """Encrypt for this person; for nobody yet, under the installation's key."""
    key = person_keys.current(client_id) if client_id is not None else None
    sealer = key if key is not None else ring()
    return sealer.seal(plain, table=table, column=column, row_id=row_id)


def new_row_id() -> int:
    """A random 52-bit id: known before the row is written, so that a sealed value can be bound to it."""
    return secrets.randbits(52) | 1 << 51


class SealedRow:
    """Mixin for tables with sealed columns: the id is there from the start, and whom the row is about before anything
    is sealed. `about` is the column that says it: a person, or a row of another table that names one."""

    __tablename__: str
    about: ClassVar[str] = "client_id"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)

    def __init__(self, **values: Any) -> None:
        self.id = values.pop("id", None) or new_row_id()
        to_seal = {name: values.pop(name) for name in list(values) if isinstance(_kept(self, name), _Kept)}
        super().__init__(**values)
        for name, value in to_seal.items():
            setattr(self, name, value)


def _kept(row: SealedRow, name: str) -> Any:
    return vars(type(row)).get(name)


class _Kept:
    """A value kept encrypted in the column `<name>_sealed` of a SealedRow; None stays None."""

    def __set_name__(self, owner: type[SealedRow], name: str) -> None:
        self.owner, self.column = owner, f"{name}_sealed"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        sealed = getattr(row, self.column)
        if sealed is None:
            return None
        try:
            return self.opened(sealed, row.id)
        except KeyDestroyed:  # whoever it was sealed for was erased: there is nothing any more
            if row.__table__.c[self.column].nullable:
                return None
            raise

    def opened(self, sealed: bytes, row_id: int) -> Any:
        """What was read from the column of the row with this id."""
        return self.plain(unseal(sealed, table=self.owner.__tablename__, column=self.column, row_id=row_id))

    def __set__(self, row: Any, value: Any) -> None:
        sealed = None
        if value is not None:
            sealed = seal(
                self.packed(value),
                client_id=person_keys.whose(row, row.about),
                table=row.__tablename__, column=self.column, row_id=row.id,
            )  # fmt: skip
        setattr(row, self.column, sealed)

    def packed(self, value: Any) -> bytes:
        raise NotImplementedError

    def plain(self, content: bytes) -> Any:
        raise NotImplementedError


class SealedBytes(_Kept):
    """A file."""

    def packed(self, value: bytes) -> bytes:
        return value

    def plain(self, content: bytes) -> bytes:
        return content


class Sealed(_Kept):
    """A JSON value."""

    def packed(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")

    def plain(self, content: bytes) -> Any:
        return json.loads(content)
