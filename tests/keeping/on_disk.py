"""What lies on the disk of a clinic, to look for words in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from flask import Flask

from clinic.shared.database import db
from tests.postgres import find_binaries


def everything(app: Flask) -> bytes:
    """All that lies on the disk: the database, whole, and every file of the data folder."""
    db.session.rollback()
    folder = Path(app.config["CLINIC_DATA_DIR"])
    files = [one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()]
    if db.engine.dialect.name == "postgresql":
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        tool = (find_binaries() or Path()) / "pg_dump"
        files.append(subprocess.run([tool, url], capture_output=True, check=True).stdout)
    return b"\n".join(files)
