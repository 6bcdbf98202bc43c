"""A clinic that is busy for hours: `python -m benchmarks.endurance [--hours 2] [--people 6] [--history 10000]`.

The visitors and programs of mixed.py ask two `clinic serve` all the while. Once a minute it is looked at how much
memory each server holds and how many files it has open. The growth is the slope of a straight line through the second
half of those minutes: the first fills what is kept on purpose. Ends with 1 when memory grows by a MiB an hour or more,
files by more than ten, or anything was no good answer. It needs no quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import Counter
from pathlib import Path

from benchmarks.asking import Questions
from benchmarks.booking import orders, served
from benchmarks.databases import each_database
from benchmarks.mixed import GOOD, Mix, a_book_on

MOST_MIB_AN_HOUR, MOST_FILES = 1.0, 10
MINUTE = 60
KIB_IN_MIB = 1024


def memory_and_files(pid: int | str) -> tuple[float, int]:
    """MiB of resident memory, and open files; of this process: "self"."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / KIB_IN_MIB, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def growth(samples: list[float]) -> float:
    """What one a minute grew by in an hour, in their second half."""
    half = samples[len(samples) // 2 :]
    return statistics.linear_regression(range(len(half)), half).slope * 60


def endure(name: str, address: str, folder: Path, minutes: int, people: int, history: int) -> bool:
    """Print what one database's servers held at first, in the middle and at last; whether they stand still."""
    environment, work, loaded = a_book_on(address, folder, history)
    answers: Counter[str] = Counter()
    with served(environment, 2) as (urls, pids):
        ports = [int(url.rpartition(":")[2]) for url in urls]
        wanted = orders(work, loaded, how_many=len(loaded["clients"]))
        mix = Mix(ports, loaded["token"], Questions(work, loaded), wanted, people)
        looks = []
        for minute in range(minutes):
            answers.update(mix.run(MINUTE)["answers"])
            looks.append([memory_and_files(pid) for pid in pids])
            print(f"{name}, minute {minute + 1}: {looks[-1]}, {answers.total():,} answers", flush=True)
    bad = {one: count for one, count in answers.items() if int(one) not in GOOD}
    good = not bad
    for server in range(len(pids)):
        memory = [look[server][0] for look in looks]
        files = [look[server][1] for look in looks]
        slope = growth(memory)
        good &= slope < MOST_MIB_AN_HOUR and max(files[len(files) // 2 :]) <= files[0] + MOST_FILES
        print(
            f"{name}, server {server + 1}: {memory[0]:.1f}, {memory[len(memory) // 2]:.1f}, {memory[-1]:.1f} MiB,"
            f" {slope:+.2f} MiB an hour in the second half; files {files[0]}, most {max(files)}, last {files[-1]}",
            flush=True,
        )
    print(f"{name}: {minutes} minutes, {answers.total():,} answers, not good: {bad or 'none'}", flush=True)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--history", type=int, default=10_000)
    parser.add_argument("--databases", default="SQLite,PostgreSQL")
    asked = parser.parse_args()
    minutes = round(asked.hours * 60)
    good = [
        endure(name, address, folder, minutes, asked.people, asked.history)
        for name, address, folder in each_database(asked.databases)
    ]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
