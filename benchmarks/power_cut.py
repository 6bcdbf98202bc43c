"""Cut the power while bookings are made on SQLite: `python -m benchmarks.power_cut [--bookings 160] [--cuts 500]`.

What SQLite writes and syncs is recorded once (tests/power_cut.py). Then the files are made as they may lie on the disk
after so many cuts at random moments, in each of four ways, and opened anew: nothing that was said may be missing,
nothing may be broken. The same without waiting for the disk has to lose some, or the cuts prove nothing.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import time_machine

from tests import power_cut
from tests.booking.power import book_on, lost_after
from tests.conftest import NOW
from tests.web import app_on, migrate, sqlite_address


def cut(bookings: int, cuts: int, synchronous: str, chance: random.Random) -> int:
    """Book and cut; prints a line for each way, returns how many cuts lost something. Raises where one broke it."""
    with tempfile.TemporaryDirectory(prefix="clinic-cuts") as name, time_machine.travel(NOW, tick=False):
        folder = Path(name) / "data"
        app = app_on(sqlite_address(folder), folder)
        migrate(app)
        with app.app_context():
            disk = book_on(app, bookings, synchronous=synchronous)
            bad = 0
            for mode in power_cut.MODES:
                moments = chance.choices(disk.moments(), k=cuts)
                lost = [lost_after(app, disk, moment, mode, chance) for moment in moments]
                bad += sum(one > 0 for one in lost)
                print(
                    f"synchronous {synchronous or 'as set'}, unsynced writes {mode}: {cuts} cuts,"
                    f" {sum(one > 0 for one in lost)} lost some, {max(lost)} at most, 0 broken",
                    flush=True,
                )
    return bad


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bookings", type=int, default=160)
    parser.add_argument("--cuts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    chance = random.Random(asked.seed)
    if cut(asked.bookings, asked.cuts, "", chance):
        sys.exit("a booking that was said is lost")
    if not cut(asked.bookings, max(1, asked.cuts // 10), "NORMAL", chance):
        sys.exit("nothing is lost without waiting for the disk: these cuts prove nothing")


if __name__ == "__main__":
    main()
