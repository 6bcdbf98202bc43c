"""Ask the JSON API everything its document allows and much that it does not: schemathesis with all its checks.

`python -m benchmarks.fuzz [--examples 50] [--seed N]` serves the demo clinic with the production server, on SQLite and
on a throw-away PostgreSQL, and asks with a key of either role. It fails when any answer is not one that the document
describes, when something allowed is refused as malformed, or when something malformed is taken.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from waitress.server import create_server

from clinic.api.services import make_token
from clinic.demo import fill_if_empty
from clinic.rules.api_scopes import ApiRole
from clinic.shared import clock
from clinic.shared.logs import set_up_logs
from tests.postgres import throw_away_postgres
from tests.web import app_on, migrate, sqlite_address

SCHEMATHESIS = (sys.executable, "-m", "schemathesis.cli")


def fuzz(name: str, address: str, folder: Path, asked: argparse.Namespace) -> bool:
    """One database; whether everything went as the document says, for a key of each role."""
    app = app_on(address, folder, WTF_CSRF_ENABLED=True, TESTING=False, CLINIC_DEMO=True)
    migrate(app)
    with app.app_context():
        fill_if_empty(clock.now())
        keys = {role: make_token("fuzz", role, (), per_minute=0, now=clock.now()) for role in ApiRole}
    server = create_server(app, host="127.0.0.1", port=0, threads=8, connection_limit=1000)
    threading.Thread(target=server.run, daemon=True).start()
    good = True
    for role, key in keys.items():
        print(f"{name}, a key of role {role}", flush=True)
        command = [
            *SCHEMATHESIS, "run", f"http://127.0.0.1:{server.effective_port}/api/openapi.json",
            "--header", f"Authorization: Bearer {key}", "--checks", "all", "--continue-on-failure",
            "--max-examples", str(asked.examples), "--generation-database", "none", "--warnings", "off",
            *(["--seed", str(asked.seed)] if asked.seed else []),
        ]  # fmt: skip
        good &= subprocess.run(command, check=False, cwd=folder).returncode == 0
    server.close()
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=50, help="for each operation and phase")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    set_up_logs()
    logging.disable(logging.WARNING)  # thousands of refused requests are what is wanted
    good = True
    with ExitStack() as stack:
        for name in ("SQLite", "PostgreSQL"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clinic-fuzz")))
            address = sqlite_address(folder)
            if name == "PostgreSQL":
                address = stack.enter_context(throw_away_postgres())
            good &= fuzz(name, address, folder, asked)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
