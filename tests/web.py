"""How tests make the application and visit its pages.

The application is imported where it is made, so that the tests of the rules start without it.
"""

from __future__ import annotations

import contextvars
from pathlib import Path
from types import CodeType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.test import TestResponse

from clinic.cli.making import upgrade_app
from clinic.shared import replica
from clinic.shared.database import db
from clinic.shared.logs import set_up_logs
from clinic.shared.mail import texts as mail_texts


class CompiledTemplates(BytecodeCache):
    """Each template is compiled once for a whole run: every test has an application of its own, and compiling the
    same pages for each of them took a third of the suite's time."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Hand out what was compiled from this very source."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


COMPILED = CompiledTemplates()
COMPILED_MAILS = CompiledTemplates()


def app_on(database: str, data_folder: Path, **settings: object) -> Flask:
    """The application on DATABASE, without CSRF tokens unless SETTINGS ask for them."""
    from clinic.app import create_app

    app = create_app(
        {
            "TESTING": True,
            "WTF_CSRF_ENABLED": False,
            "SQLALCHEMY_DATABASE_URI": database,
            "CLINIC_DATA_DIR": data_folder,
            **settings,
        }
    )
    app.jinja_env.bytecode_cache = COMPILED
    keep_mails_compiled()
    return app


def keep_mails_compiled() -> None:
    """Every application gives the process an environment of its own for the texts of mails."""
    environment = mail_texts._Texts.environment
    assert environment is not None
    environment.bytecode_cache = COMPILED_MAILS


def start_afresh(app: Flask) -> None:
    """Let an application read its keys anew and forget what it counted in memory."""
    from clinic.app import use_in_this_process

    set_up_logs()  # a test that read standard error took the stream away with it
    use_in_this_process(app)
    keep_mails_compiled()
    replica.set_up(app)
    with app.app_context():
        app.extensions["clinic_api_limiter"].storage.reset()
        db.engine.dispose()


class ReadyApplications:
    """One application for each database and settings, made once in a run and put back before each test.

    Making one takes longer than most tests: hundreds of addresses are compiled. What a test can change in an
    application is its settings and what is counted in memory; everything else lies in the data folder.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, Path, str], tuple[Flask, dict[str, Any]]] = {}

    def on(self, database: str, data_folder: Path, settings: dict[str, object]) -> Flask:
        """The application, as if it had just been made. DATA_FOLDER holds new data, under the same name."""
        key = (database, data_folder, repr(sorted(settings.items())))
        if key not in self._made:
            app = app_on(database, data_folder, **settings)
            self._made[key] = app, dict(app.config)
            return app
        app, config = self._made[key]
        app.config.clear()
        app.config.update(config)
        app.test_client_class = None
        start_afresh(app)
        return app


def sqlite_address(data_folder: Path) -> str:
    """Where the SQLite database of a data folder lies, as config.py has it."""
    return f"sqlite:///{data_folder}/database/clinic.db"


def migrate(app: Flask) -> None:
    """Bring the application's database up to date, and let go of it."""
    upgrade_app(app)
    with app.app_context():
        db.engine.dispose()


class Visitor(FlaskClient):
    """A test client whose requests stand apart from the test, as those of another process would.

    Flask reuses an open application context for a request, and with it `g`, the signed-in person and the
    database session; the test's own context would hide mistakes. After each request the test's rows are read
    afresh. Pages are read as people read them: a blank that does not break is a blank.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Make the request in an empty context."""
        response = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.rollback()
        if response.mimetype == "text/html" and not response.content_encoding:
            response.data = response.data.replace("\N{NO-BREAK SPACE}".encode(), b" ")
        return response
