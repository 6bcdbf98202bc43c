"""The application as the commands use it, on a database that is fit to be used."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from clinic.checkup import Finding


def make_app(*, as_json: bool = False, **overrides: object) -> Flask:
    """The application, with logs as lines on standard error: plain ones, or JSON."""
    gc.disable()  # what is loaded stays: to look for waste in it would take a fifth of the start
    from clinic.app import create_app
    from clinic.shared.logs import set_up_logs

    set_up_logs(as_json=as_json)
    try:
        return create_app(overrides)
    except ValueError as error:  # a key file that is none
        sys.exit(f"{error}. Put its copy there; nothing was started.")
    finally:
        gc.freeze()
        gc.enable()


def make_app_to_migrate() -> Flask:
    """The application as `flask db` uses it (`make migration`)."""
    return able_to_migrate(make_app())


def able_to_migrate(app: Flask) -> Flask:
    """Let Flask-Migrate know the application. Apart from the factory: what only serves stays without Alembic."""
    from flask_migrate import Migrate

    from clinic.paths import ROOT
    from clinic.shared.database import db

    Migrate(app, db, directory=str(ROOT / "migrations"))
    return app


def upgrade_app(app: Flask) -> None:
    """Bring the database up to date, and end the program when it is newer than this, or away."""
    from sqlalchemy.exc import OperationalError

    from clinic.checkup.database import here_now, versions
    from clinic.shared.database import db

    with app.app_context():
        try:
            if here_now() != versions()[1]:
                _upgrade(app)
        except OperationalError as error:
            sys.exit(
                f"Cannot reach the database. Is it running, and is CLINIC_DATABASE_URL right? ({error.orig})"
            )
        finally:
            db.session.remove()


def _upgrade(app: Flask) -> None:
    from alembic.util import CommandError
    from flask_migrate import upgrade

    able_to_migrate(app)
    try:
        upgrade()
    except CommandError as error:
        sys.exit(f"This database belongs to a newer version of the program: update the program. ({error})")


def migrate_app(app: Flask) -> None:
    """Bring the database up to date; refuse one that lacks its guards."""
    from clinic.checkup.database import schema
    from clinic.shared import clock
    from clinic.shared.database import db

    upgrade_app(app)
    with app.app_context():
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
