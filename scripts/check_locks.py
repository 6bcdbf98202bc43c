"""Refuse a lock that names a host or a path: it would tie every checkout to one machine's registry."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOST_OR_PATH = re.compile(r"://|^--|\bfile:|@ /")
COMMENT = re.compile(r"^\s*#")


def faults() -> list[str]:
    """Every offending line as file:line: text."""
    found = []
    for path in sorted(ROOT.glob("requirements/*.lock")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines:
            found.append(f"{path.name}: is empty")
        for number, line in enumerate(lines, start=1):
            if HOST_OR_PATH.search(line) and not COMMENT.match(line):
                found.append(f"{path.name}:{number}: {line.strip()}")
    for number, line in enumerate(
        (ROOT / "package-lock.json").read_text(encoding="utf-8").splitlines(), start=1
    ):
        if '"resolved"' in line:
            found.append(f"package-lock.json:{number}: {line.strip()}")
    return found


if __name__ == "__main__":
    if bad := faults():
        sys.exit("Locks must not name a host or a path:\n" + "\n".join(bad))
    print("Locks name no host and no path.")
