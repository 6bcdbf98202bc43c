"""The keys of the installation, and how a value is sealed by one: AES-256-GCM, bound to its table, column and row.

A sealed value is b"1" + length of the key's name + its name + 12-byte nonce + ciphertext. The keys lie in a file
outside the database's folder; several may be there at once, so that rows can be sealed anew while the site runs.
"""

from __future__ import annotations

import base64
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinic.shared.new_file import make_private

log = structlog.get_logger()

_FORMAT = b"1"
_NONCE_BYTES = 12


class CannotOpen(Exception):
    """The value was sealed for another row or by a key that is not here, or it was changed."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by id; `current` seals, all of them open. `links`: by purpose what opens links that keys signed which are
    gone by now (clinic/shared/signed.py); it opens nothing else. `gone`: the ids of keys that were dropped; one that is
    among `keys` still is about to be, and opens what is left."""

    current: str
    keys: dict[str, bytes]
    links: dict[str, list[bytes]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read the key file. Raises FileNotFoundError, or ValueError when it is not a key file."""
        try:
            data = json.loads(path.read_text(encoding="ascii"))
            keys = {name: base64.b64decode(key, validate=True) for name, key in data["keys"].items()}
            links = {
                purpose: [base64.b64decode(key, validate=True) for key in several]
                for purpose, several in data.get("links", {}).items()
            }
            ring = cls(data["current"], keys, links, frozenset(data.get("gone", ())))
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError, ValueError) as error:
            raise ValueError(f"{path} is not a key file") from error
        if ring.current not in keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError(f"{path} is not a key file")
        return ring

    @classmethod
    def load_or_make(cls, path: Path) -> KeyRing:
        """Read the key file, or make one with a fresh key, readable by its owner alone (mode 0600)."""
        if not path.exists():
            name = "k" + secrets.token_hex(4)
            key = base64.b64encode(AESGCM.generate_key(256)).decode("ascii")
            make_private(path, json.dumps({"current": name, "keys": {name: key}}))
        return cls.load(path)

    def seal(self, plain: bytes, *, table: str, column: str, row_id: int) -> bytes:
        """Encrypt under the current key."""
        key = Key(self.current, self.keys[self.current])
        return key.seal(plain, table=table, column=column, row_id=row_id)

    def open(self, sealed: bytes, *, table: str, column: str, row_id: int) -> bytes:
        """Decrypt. Raises CannotOpen when the value was moved, changed, or its key is gone."""
        name = sealed_by(sealed)
        if name not in self.keys:
            raise CannotOpen(f"no key {name}")
        return Key(name, self.keys[name]).open(sealed, table=table, column=column, row_id=row_id)


@dataclass(frozen=True)
class Key:
    """One key and its name."""

    name: str
    secret: bytes

    def seal(self, plain: bytes, *, table: str, column: str, row_id: int) -> bytes:
        """Encrypt, bound to this place."""
        name, nonce = self.name.encode("ascii"), secrets.token_bytes(_NONCE_BYTES)
        bound = _bound_to(table, column, row_id, self.name)
        return _FORMAT + bytes([len(name)]) + name + nonce + AESGCM(self.secret).encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, *, table: str, column: str, row_id: int) -> bytes:
        """Decrypt what this key sealed. Raises CannotOpen when the value was moved or changed."""
        start = 2 + sealed[1]
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return AESGCM(self.secret).decrypt(nonce, body, _bound_to(table, column, row_id, self.name))
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"{table}.{column}") from error


def sealed_by(sealed: bytes) -> str:
    """The name of the key that sealed this value. Raises CannotOpen when it is no sealed value."""
    if sealed[:1] != _FORMAT or len(sealed) < 2:
        raise CannotOpen("not a sealed value")
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")


def _bound_to(table: str, column: str, row_id: int, key: str) -> bytes:
    return json.dumps([table, column, row_id, key]).encode()


class _Ring:
    """The process's key ring, put in place by the application factory, and the file that it is of, as it was read."""

    ring: KeyRing | None = None
    path: Path | None = None
    stamp: tuple[int, int] | None = None


def use(ring: KeyRing, path: Path | None = None) -> None:
    """Set the key ring of this process. With `path` it follows that file from here on."""
    _Ring.path, _Ring.stamp = path, _stamp(path)
    _Ring.ring = ring


def ring() -> KeyRing:
    """The key ring in use. What its file has by now opens, and a key that was dropped there seals no more: nobody could
    ever open that. Raises RuntimeError when the factory has not set one."""
    if _Ring.path is not None:
        _follow(_Ring.path)
    if _Ring.ring is None:
        raise RuntimeError("no keys loaded")
    return _Ring.ring


def _follow(path: Path) -> None:
    stamp = _stamp(path)
    if stamp in (None, _Ring.stamp):
        return
    with suppress(ValueError, OSError):  # half copied: the next look reads it whole
        found, before = KeyRing.load(path), _Ring.ring
        _Ring.stamp = stamp
        if before is None or before.current in found.gone:
            _Ring.ring = found
        elif before.current in found.keys:
            # sealed by as before until the next start: another host may not have the new key yet
            _Ring.ring = replace(found, current=before.current)
        else:
            log.error(
                "key_file_is_anothers"
            )  # whatever was sealed by it could not be read once it is put right


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What changes with each version of the file; None while there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino) if found is not None else None
