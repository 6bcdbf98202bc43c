"""The drill with a large clinic: `python -m benchmarks.restoring [VISITS] [--databases SQLite,PostgreSQL]`.

A clinic with so many visits (100,000) that are over is served, and six programs book all the while. SQLite's file is
written anew, as after each erasure; a backup is made; then it is put back on an empty machine, until a server answers
there. Prints the seconds, what the longest request waited, and whether every table has the same rows. A backup with one
bit turned has to be refused.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine, func, select

from benchmarks.booking import free_port
from benchmarks.crowd import Clinic, Crowd, faults
from benchmarks.hardships import book_on
from benchmarks.own_postgres import own_postgres
from clinic.app import create_app
from clinic.keeping.services._erasing import compact
from clinic.shared.database import Base
from tests.postgres import find_binaries
from tests.web import sqlite_address

LONGEST_WAIT_S, LONGEST_RESTORE_S = 15, 30 * 60


def command(clinic: Clinic, *words: str) -> tuple[int, float]:
    """Run `clinic WORDS`; how it ended, and the seconds."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "clinic", *words], env=clinic.environment, stdout=subprocess.DEVNULL,
        stderr=clinic.log.open("ab"), check=False,
    )  # fmt: skip
    return done.returncode, time.monotonic() - began


def rows(address: str) -> dict[str, int]:
    """How many rows each table has."""
    engine = create_engine(address)
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return found


def busy(clinic: Clinic, address: str, folder: Path) -> tuple[dict[str, object], list[str]]:
    """Write the file anew and make a backup while programs book; the figures, and what is wrong."""
    figures: dict[str, object] = {}
    clinic.start()
    with Crowd(clinic).at_work() as crowd:
        time.sleep(5)
        figures["longest_request_before_s"], crowd.longest = round(crowd.longest, 1), 0.0
        if address.startswith("sqlite"):
            with create_app({"CLINIC_DATA_DIR": folder}).app_context():
                began = time.monotonic()
                compact()
                figures["written_anew_s"] = round(time.monotonic() - began, 1)
            time.sleep(2)
            figures["longest_request_meanwhile_s"], crowd.longest = round(crowd.longest, 1), 0.0
        code, seconds = command(clinic, "backup")
        figures |= {
            "backup_s": round(seconds, 1),
            "longest_request_during_backup_s": round(crowd.longest, 1),
        }
    clinic.end()
    wrong = faults(address, crowd) + [f"answers: {one}" for one in crowd.met if one not in ("201", "409")]
    longest = float(str(figures.get("longest_request_meanwhile_s", 0)))
    wrong += ["bookings waited too long"] if max(longest, crowd.longest) > LONGEST_WAIT_S else []
    return figures, wrong + ([] if code == 0 else ["no backup"])


def drill(name: str, stack: ExitStack, visits: int) -> bool:
    """One database, from a busy clinic to a new machine."""
    folder, elsewhere = (Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data" for _ in range(2))
    addresses = [sqlite_address(one) for one in (folder, elsewhere)]
    if name == "PostgreSQL":
        addresses = [stack.enter_context(own_postgres()).address for _ in range(2)]
    folder.mkdir()
    clinic = book_on(addresses[0], folder, visits)
    clinic.environment["CLINIC_PG_BINDIR"] = str(find_binaries() or "")
    figures, wrong = busy(clinic, addresses[0], folder)
    command(clinic, "backup")  # nothing is written any more: what is put back must be the same
    saved = max((folder / "backups").glob("clinic-*"))
    (elsewhere / "keys").mkdir(parents=True, mode=0o700)
    for key in ("clinic.key", "backup.key"):
        (folder / "keys" / key).rename(elsewhere / "keys" / key)
    there = replace(
        clinic, port=free_port(), process=None,
        environment={
            **clinic.environment, "CLINIC_DATA_DIR": str(elsewhere),
            "CLINIC_DATABASE_URL": addresses[1].replace("+psycopg", ""),
        },
    )  # fmt: skip
    code, seconds = command(there, "restore", str(saved))
    before, after = rows(addresses[0]), rows(addresses[1])  # before its worker goes on
    figures |= {"backup_mb": saved.stat().st_size // 1_000_000, "restore_s": round(seconds, 1)}
    figures["answers_after_s"] = round(seconds + there.start(), 1)
    there.end()
    wrong += [] if code == 0 and seconds < LONGEST_RESTORE_S else ["not restored in time"]
    wrong += [
        f"{one}: {before[one]} rows, then {after.get(one)}" for one in before if before[one] != after.get(one)
    ]
    wrong += [] if command(there, "audit", "verify")[0] == 0 else ["the audit is not as it was"]
    turned = bytearray(saved.read_bytes())
    turned[len(turned) // 2] ^= 1
    saved.write_bytes(turned)
    wrong += [] if command(there, "backup", "--check", str(saved))[0] else ["a turned bit was not noticed"]
    print(json.dumps({"what": f"{name}, {visits} visits", **figures, "wrong": wrong}), flush=True)
    return not wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("visits", nargs="?", type=int, default=100_000)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    asked = parser.parse_args()
    good = True
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            good &= drill(name, stack, asked.visits)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
