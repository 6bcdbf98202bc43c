"""The application as the commands use it, on a database that is fit to be used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from clinic.checkup import Finding


def make_app(*, as_json: bool = False, **overrides: object) -> Flask:
    """The application, with logs as lines on standard error: plain ones, or JSON."""
    from clinic.app import create_app
    from clinic.shared.logs import set_up_logs

    set_up_logs(as_json=as_json)
    try:
        return create_app(overrides)
    except ValueError as error:  # a key file that is none
        sys.exit(f"{error}. Put its copy there; nothing was started.")


def migrate_app(app: Flask) -> None:
    """Bring the database up to date; refuse one that is newer than this program, or that lacks its guards."""
    from alembic.util import CommandError
    from flask_migrate import upgrade
    from sqlalchemy.exc import OperationalError

    from clinic.checkup.database import here_now, schema, versions
    from clinic.shared import clock
    from clinic.shared.database import db

    with app.app_context():
        try:
            if here_now() != versions()[1]:
                upgrade()
        except CommandError as error:
            sys.exit(
                f"This database belongs to a newer version of the program: update the program. ({error})"
            )
        except OperationalError as error:
            sys.exit(
                f"Cannot reach the database. Is it running, and is CLINIC_DATABASE_URL right? ({error.orig})"
            )
        found = list(schema(app, clock.now()))
        db.session.remove()
    refuse(found)


def refuse_what_is_unsafe(app: Flask) -> None:
    """End the program when settings, keys or folders are not fit for real people."""
    from clinic import checkup
    from clinic.shared import clock

    with app.app_context():
        found = checkup.of_settings(app, now=clock.now())
    refuse(found)


def refuse_unfit_database(app: Flask) -> None:
    """End the program when the database lacks its guards, is another version's, or cannot be read with these keys."""
    from clinic import checkup
    from clinic.shared import clock
    from clinic.shared.database import db

    with app.app_context():
        found = checkup.before_opening(app, now=clock.now())
        db.session.remove()
    refuse(found)


def refuse(found: list[Finding]) -> None:
    """End the program with all that is wrong, and how to mend it."""
    from clinic.checkup import Grade

    wrong = [one for one in found if one.grade is Grade.WRONG]
    if wrong:
        lines = [f"{one.says}\n  To mend it: {one.mend}" for one in wrong]
        sys.exit("\n".join([*lines, "Nothing was started."]))
