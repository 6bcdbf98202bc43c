"""The application as the commands use it, on a database that is fit to be used."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import click

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
        sys.exit(f"{error}. Put its copy there; nothing was done.")
    finally:
        gc.freeze()
        gc.enable()


def make_working_app() -> Flask:
    """The application for a command that asks or changes the clinic's database, which has to be of this version."""
    from clinic import checkup
    from clinic.shared import clock

    app = make_app()
    with app.app_context():
        found = checkup.before_work(app, now=clock.now())
    refuse(found)
    return app


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


def upgrade_app(app: Flask, *, restores: bool = False, until: str | None = None) -> None:
    """Bring the database up to date, or to an older version, and end the program when it is newer than this, or when a
    restore into it was broken off: its tables, made here, would pass for the backup's. Nor is it brought up to date
    with the keys of another clinic: what a migration seals with those could not be read once the right ones are there.
    """
    from clinic.checkup.database import here_now, restored, sealed, version, versions
    from clinic.shared import clock
    from clinic.shared.database import db

    with app.app_context():
        try:
            if not restores:
                refuse(list(restored(app, clock.now())))
            here, (known, newest) = here_now(), versions()
            if here is not None and here not in known:
                refuse(list(version(app, clock.now())))
            wanted = until or newest
            if here is not None and wanted is not None and here >= wanted:
                return
            if here is not None and until is None:
                refuse(list(sealed(app, clock.now())))
                db.session.remove()  # a migration waits for whoever reads
            _upgrade(app, wanted)
        finally:
            db.session.remove()


def _upgrade(app: Flask, wanted: str | None) -> None:
    from flask_migrate import upgrade

    able_to_migrate(app)
    upgrade(revision=wanted or "head")


def migrate_app(app: Flask, *, restores: bool = False) -> None:
    """Bring the database up to date; refuse one that lacks its guards."""
    from clinic.checkup.database import schema
    from clinic.shared import clock
    from clinic.shared.database import db

    upgrade_app(app, restores=restores)
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


def refuse_lost_queue(app: Flask) -> None:
    """End the program when a worker would find no queue."""
    from clinic import checkup
    from clinic.shared import clock

    with app.app_context():
        found = checkup.before_worker(app, now=clock.now())
    refuse(found)


def refuse(found: list[Finding]) -> None:
    """End the program with all that is wrong, and how to mend it."""
    from clinic.checkup import Grade

    wrong = [one for one in found if one.grade is Grade.WRONG]
    if wrong:
        lines = [f"{one.says}\n  To mend it: {one.mend}" for one in wrong]
        sys.exit("\n".join([*lines, "Nothing was done."]))


class Commands(click.Group):
    """The commands. A database that is away or damaged, and a folder or file that may not be used, end each of them
    with a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:
                raise
            sys.exit(f"{error.filename}: {error.strerror}. Is it the program's own, and has the disk room?")
        except Exception as error:
            refuse(_of_database(error))
            raise


def _of_database(error: Exception) -> list[Finding]:
    if "sqlalchemy" not in sys.modules:  # as for `clinic screen`, which needs none
        return []
    from sqlalchemy.exc import DBAPIError

    from clinic import checkup

    return [checkup.unreachable(error)] if isinstance(error, DBAPIError) else []
