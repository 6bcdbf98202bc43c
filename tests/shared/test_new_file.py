"""A file with a key: on the disk before anything is sealed with it, whole or not there at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clinic.shared import backups
from clinic.shared.keyring import KeyRing
from clinic.shared.new_file import make_private, put_in_place

both_keys = pytest.mark.parametrize(
    "make", [KeyRing.load_or_make, backups.load_or_make_key], ids=["health", "backups"]
)


def full_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full, and has room the next time."""
    sync = os.fsync

    def full(_handle: int) -> None:
        monkeypatch.setattr(os, "fsync", sync)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)


@both_keys
def test_a_new_key_is_on_the_disk_before_it_has_its_name(
    make: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sealed with it is there at once, also after a power cut."""
    path, sync = tmp_path / "one.key", os.fsync
    synced: list[tuple[int, bool]] = []

    def noted(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, path.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    made = make(path)
    assert synced == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert make(path) == made
    assert list(tmp_path.iterdir()) == [path]


@both_keys
def test_a_full_disk_leaves_nothing_and_the_next_key_is_whole(
    make: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_once(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        make(tmp_path / "one.key")
    assert list(tmp_path.iterdir()) == []
    assert make(tmp_path / "one.key") == make(tmp_path / "one.key")


def test_an_empty_key_of_backups_is_made_anew(tmp_path: Path) -> None:
    """Nothing was ever sealed with it."""
    path = tmp_path / "backup.key"
    path.touch()
    key = backups.load_or_make_key(path)
    assert path.read_text().strip() == key
    assert backups.load_or_make_key(path) == key


def test_an_empty_key_ring_is_not_replaced(tmp_path: Path) -> None:
    """What lies in the database may have been sealed with what stood there."""
    path = tmp_path / "clinic.key"
    path.touch()
    with pytest.raises(ValueError, match="is not a key file"):
        KeyRing.load_or_make(path)
    assert path.read_bytes() == b""


def test_whoever_comes_second_keeps_what_is_there(tmp_path: Path) -> None:
    for content in ("first", "second"):
        make_private(tmp_path / "folder" / "one.key", content)
    assert [one.read_text() for one in (tmp_path / "folder").iterdir()] == ["first"]
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


def test_a_new_name_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, draft = tmp_path / "people", tmp_path / "people.new"
    path.write_text("before")
    draft.write_text("now")
    synced: list[tuple[int, str]] = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append((os.fstat(handle).st_ino, path.read_text()))
    )
    put_in_place(draft, path)
    assert synced == [(tmp_path.stat().st_ino, "now")]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_network_disk_that_knows_no_syncing_of_folders_will_do(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails is another thing."""

    def refused(_handle: int) -> None:
        raise OSError(code, os.strerror(code))

    draft, path = tmp_path / "people.new", tmp_path / "people"
    draft.write_text("now")
    monkeypatch.setattr(os, "fsync", refused)
    if code == errno.EIO:
        with pytest.raises(OSError, match="Input/output error"):
            put_in_place(draft, path)
    else:
        put_in_place(draft, path)
    assert path.read_text() == "now"
