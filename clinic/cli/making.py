"""The application as the commands use it, on a database that is fit to be used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def make_app(**overrides: object) -> Flask:
    """The application, with logs as plain lines on standard error."""
    from clinic.app import create_app
    from clinic.shared.logs import set_up_logs

    set_up_logs()
    return create_app(overrides)


def migrate_app(app: Flask) -> None:
    """Bring the database up to date; refuse one that is newer than this program, or that lacks its guards."""
    from alembic.util import CommandError
    from flask_migrate import upgrade
    from sqlalchemy.exc import OperationalError

    from clinic.shared.database import db
    from clinic.shared.guards import missing_guards

    with app.app_context():
        try:
            upgrade()
        except CommandError as error:
            sys.exit(
                f"This database belongs to a newer version of the program: update the program. ({error})"
            )
        except OperationalError as error:
            sys.exit(
                f"Cannot reach the database. Is it running, and is CLINIC_DATABASE_URL right? ({error.orig})"
            )
        missing = missing_guards(db.session())
        db.session.remove()
    if missing:
        sys.exit(
            f"The database lacks its guards ({', '.join(missing)}), which keep visits safe. Restore it from a"
            " backup, or call for help; nothing was started."
        )
