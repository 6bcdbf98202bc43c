"""Files with keys: whole and on the disk before they have their name."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path


def make_private(path: Path, content: str) -> None:
    """Write a file that is not there yet, readable by its owner alone (0600). What the key seals afterwards is on the
    disk at once, and so is the key. Whoever comes second keeps what the first one wrote. Raises OSError, and leaves
    nothing then."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        write_private(draft, content.encode("ascii"), os.O_EXCL)
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_private(path: Path, content: bytes, how: int = os.O_TRUNC) -> None:
    """Write a file that its owner alone reads (0600), down to the disk. `how`: what becomes of one that is there.
    Raises OSError with the name of the file: of a full disk the system does not say which."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def put_in_place(draft: Path, path: Path) -> None:
    """Give a file that is whole its name, in place of what has it now: down to the disk. Raises OSError."""
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The names in it are on the disk, too, where the file system can say so of a folder: some network disks cannot."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(handle)
