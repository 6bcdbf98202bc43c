"""A disk that remembers what SQLite asked of it and when, so that the power can be cut at any moment afterwards.

While `recorded(PATH)` lasts, SQLite's own way to its files is left as it is, but each write, each new length and each
`fsync` of the database and its log is noted in order, between what the program said that it had done. `after_a_cut`
then makes the files as they may lie on a disk whose power went before one of these moments: what was synced is there,
of the rest anything may be.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTOR = 512
LOST, KEPT, SOME, TORN = "lost", "kept", "some", "torn"
MODES = (LOST, KEPT, SOME, TORN)
"""What becomes of writes that were not synced: none is there, all are, some are, or some and one of them in part."""
POINTER, NUMBER = ctypes.c_void_p, ctypes.c_int64
METHODS = (
    "close", "read", "write", "truncate", "sync", "file_size", "lock", "unlock", "check_reserved", "file_control",
    "sector_size", "characteristics", "shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch",
)  # fmt: skip
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, ctypes.c_int, NUMBER)
TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, NUMBER)
SYNC = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_int)
OPEN = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, POINTER, ctypes.c_int, POINTER)


class FileMethods(ctypes.Structure):
    """`sqlite3_io_methods`: what can be done with an open file."""

    _fields_ = [("version", ctypes.c_int), *((name, POINTER) for name in METHODS)]


class OpenFile(ctypes.Structure):
    """The part of `sqlite3_file` that everybody may know."""

    _fields_ = [("methods", ctypes.POINTER(FileMethods))]


class FileSystem(ctypes.Structure):
    """The first part of `sqlite3_vfs`: how files are opened."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", POINTER),
        ("name", ctypes.c_char_p),
        ("data", POINTER),
        ("open", POINTER),
    ]


@dataclass(frozen=True)
class Happened:
    """One moment. `name` of the file, or of what was said; `data` None with a `place`: the file's new length."""

    kind: str  # write, sync, said
    name: str
    place: int = 0
    data: bytes | None = None


@dataclass
class Disk:
    """The files as they lay there first, and everything since."""

    first: dict[str, bytes]
    happened: list[Happened] = field(default_factory=list)

    def say(self, what: str) -> None:
        """The program told somebody that this is done."""
        self.happened.append(Happened("said", what))

    def moments(self) -> list[int]:
        """The moments before which the power may go: before each write and each sync, and at the end."""
        touched = [number for number, one in enumerate(self.happened) if one.kind != "said"]
        return [*touched, len(self.happened)]

    def said_before(self, moment: int) -> list[str]:
        """What had been told by then."""
        return [one.name for one in self.happened[:moment] if one.kind == "said"]

    def after_a_cut(self, moment: int, mode: str, chance: random.Random) -> dict[str, bytes]:
        """The files as they may lie there when the power went before this moment."""
        files = {name: bytearray(data) for name, data in self.first.items()}
        waiting: list[Happened] = []
        for one in self.happened[:moment]:
            if one.kind == "write":
                waiting.append(one)
            elif one.kind == "sync":
                for write in (each for each in waiting if each.name == one.name):
                    _apply(files[one.name], write)
                waiting = [each for each in waiting if each.name != one.name]
        for write in _surviving(waiting, mode, chance):
            _apply(files[write.name], write)
        return {name: bytes(data) for name, data in files.items()}


def _apply(file: bytearray, write: Happened) -> None:
    if write.data is None:
        del file[write.place :]
        return
    if len(file) < write.place:
        file.extend(bytes(write.place - len(file)))
    file[write.place : write.place + len(write.data)] = write.data


def _surviving(waiting: list[Happened], mode: str, chance: random.Random) -> list[Happened]:
    """Those of the writes that reached the disk though nobody had waited for it."""
    if mode in (LOST, KEPT):
        return waiting if mode == KEPT else []
    there = [one for one in waiting if chance.random() < 0.5]
    torn = chance.randrange(len(there)) if there and mode == TORN else None
    if torn is not None and (data := there[torn].data):
        part = data[: chance.randrange(0, len(data), SECTOR)]
        there[torn] = Happened("write", there[torn].name, there[torn].place, part)
    return there


@contextmanager
def recorded(path: Path) -> Iterator[Disk]:
    """Note what happens to the database at PATH and its log. Nobody may have it open before or after."""
    names = {str(path): path.name, f"{path}-wal": f"{path.name}-wal"}
    disk = Disk({Path(full).name: Path(full).read_bytes() if Path(full).exists() else b"" for full in names})
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(FileSystem)
    system = library.sqlite3_vfs_find(None).contents
    usual = system.open
    kept: list[Any] = []  # whoever calls from C does not keep them alive

    def open_file(vfs: int, name: int | None, file: int, flags: int, told: int) -> int:
        code = OPEN(usual)(vfs, name, file, flags, told)  # it keeps this very address of the name
        known = names.get(ctypes.string_at(name).decode()) if name else None
        if code == 0 and known is not None:
            opened = ctypes.cast(file, ctypes.POINTER(OpenFile)).contents
            methods, calls = _noting(opened.methods.contents, known, disk)
            kept.extend([methods, *calls])
            opened.methods = ctypes.pointer(methods)
        return int(code)

    ours = OPEN(open_file)
    system.open = ctypes.cast(ours, POINTER)
    try:
        yield disk
    finally:
        system.open = usual


def _noting(usual: FileMethods, name: str, disk: Disk) -> tuple[FileMethods, list[Any]]:
    """The methods of a file, three of which also note that they were called."""
    methods = FileMethods.from_buffer_copy(usual)

    def write(file: int, data: int, length: int, place: int) -> int:
        disk.happened.append(Happened("write", name, place, ctypes.string_at(data, length)))
        return int(WRITE(usual.write)(file, data, length, place))

    def truncate(file: int, length: int) -> int:
        disk.happened.append(Happened("write", name, length))
        return int(TRUNCATE(usual.truncate)(file, length))

    def sync(file: int, flags: int) -> int:
        code = int(SYNC(usual.sync)(file, flags))
        disk.happened.append(Happened("sync", name))
        return code

    calls: list[tuple[str, Any]] = [
        ("write", WRITE(write)), ("truncate", TRUNCATE(truncate)), ("sync", SYNC(sync)),
    ]  # fmt: skip
    for method, call in calls:
        setattr(methods, method, ctypes.cast(call, POINTER))
    return methods, [call for _method, call in calls]
