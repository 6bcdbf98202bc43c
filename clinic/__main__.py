"""Makes every command also reachable as `python -m clinic …`."""

from __future__ import annotations

from clinic.cli import main

if __name__ == "__main__":
    main(prog_name="clinic")
