"""How long it takes to seal everything anew under a new key: `python -m benchmarks.resealing [VALUES]`.

In a folder of its own, on SQLite, with sealed notes of a hundred people; a tenth of them is read meanwhile.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import select

from clinic.app import create_app
from clinic.cli.making import upgrade_app
from clinic.clients.models import Client, ClientNote
from clinic.shared import clock, crypto, rotation
from clinic.shared.database import db, transaction

PEOPLE = 100


def main(values: int) -> None:
    """Make them, change the key, seal anew, drop the old key; print the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"CLINIC_DATA_DIR": folder})
        upgrade_app(app)
        with app.app_context():
            _fill(values, clock.now())
            path = Path(app.config["CLINIC_KEY_FILE"])
            crypto.use(rotation.add_key(path))
            begun = time.perf_counter()
            done = rotation.seal_anew()
            taken = time.perf_counter() - begun
            rotation.forget_old_person_keys()
            crypto.use(rotation.drop_old_keys(path))
            read = sum(bool(row.text) for row in db.session.scalars(select(ClientNote)))
            db.session.remove()
            db.engine.dispose()
    print(f"{done} values sealed anew in {taken:.1f} s; {read} of {values} read with the new key alone")


def _fill(values: int, now: dt.datetime) -> None:
    with transaction() as session:
        people = [
            Client(
                first_name="A",
                last_name=str(n),
                name_key=f"a {n}",
                born_on=dt.date(1980, 1, 1),
                created_at=now,
            )
            for n in range(PEOPLE)
        ]
        session.add_all(people)
        session.flush()
        for number in range(values):
            session.add(
                ClientNote(client_id=people[number % PEOPLE].id, written_at=now, text=f"note {number}")
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
