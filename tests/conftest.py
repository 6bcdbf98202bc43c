"""What every test may ask for. A test that asks for `app` runs twice: on SQLite and on PostgreSQL.

`app`       the application on an empty, migrated database, with its context open: use rows and services directly
`client`    a browser without JavaScript for that application, signed out
`world`     a small clinic to book in (tests/booking/world.py); `desk` a browser of its front desk
`now`       the clock stands still at this moment (a Tuesday, 09:00 in New York)
`settings`  extra settings for `app`; override it in a test file, for example to switch CSRF on
`database`  the address of the empty, migrated database; one only: parametrize("database", ["sqlite"], indirect=True)

What visits pages with Chromium is in tests/journeys/conftest.py, the throw-away server in tests/postgres.py.
"""

from __future__ import annotations

import datetime as dt
import gc
import importlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, event, select, text

from clinic.shared import languages
from clinic.shared.database import db
from clinic.site import writes_month_first
from scripts.messages import compile_all
from tests.browser import NO_CHROMIUM, find_chromium
from tests.postgres import find_binaries, throw_away_postgres
from tests.web import ReadyApplications, Visitor, app_on, migrate, sqlite_address

if TYPE_CHECKING:
    from tests.booking.world import World

NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)
if hypothesis.settings.get_current_profile_name() == "default":  # a mutation run brings its own
    # A test is never timed: on a busy machine an example may take as long as it likes.
    hypothesis.settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("untimed")

DATABASES = ("sqlite", "postgresql")
ENOUGH_WAYS = 3
NO_POSTGRES = "no PostgreSQL here: `make test` installs it, or set CLINIC_TEST_PG_BINDIR"


def pytest_configure() -> None:
    """Translations are read compiled; here nobody has to remember to do that."""
    compile_all()


@event.listens_for(Engine, "connect")
def from_the_back(connection: Any, _record: Any) -> None:
    """Here SQLite gives rows that no ORDER BY puts in order from the back, where PostgreSQL mostly gives them from the
    front: what leans on an order it has not asked for fails on one of the two."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA reverse_unordered_selects = ON")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Of a whole run each process reads in a share of the test files before it collects them all: what one of them
    has compiled the others need not compile again."""
    if "PYTEST_XDIST_WORKER" not in os.environ or session.config.args != session.config.getini("testpaths"):
        return
    number, of = int(os.environ["PYTEST_XDIST_WORKER"][2:]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    for file in files[number * len(files) // of : (number + 1) * len(files) // of]:
        with suppress(Exception):  # the collection says what is wrong with a file
            importlib.import_module(
                ".".join(file.relative_to(Path(__file__).parents[1]).with_suffix("").parts)
            )


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """In a whole run a story that is told in three ways or more is told in each way on one of the two databases, in
    turn: the story is told on both, and so is each word of it where there are several. Not so what happens at one
    moment (`deeds`), and where the file says `every_way_on_both`. Of a file that says `stories_in_turn` every second
    story is told on the one, the others on the other. Every way that is asked for by file or by name is told on both
    (docs/adr/0029)."""
    if session.config.args != session.config.getini("testpaths"):
        return
    stories: dict[str, dict[tuple[int, ...], dict[str, pytest.Item]]] = {}
    enough: dict[str, int] = {}
    words: dict[tuple[str, str], list[str]] = {}
    for item in items:
        case = getattr(item, "callspec", None)
        if case is None or "database" not in case.params or item.get_closest_marker("every_way_on_both"):
            continue
        if isinstance(item, pytest.Function) and "deeds" in item.fixturenames:
            continue
        story, way = item.nodeid.partition("[")[0], []
        for name, word in sorted(case.params.items()):
            if name != "database":
                known = words.setdefault((story, name), [])
                if repr(word) not in known:
                    known.append(repr(word))
                way.append(known.index(repr(word)))
        stories.setdefault(story, {}).setdefault(tuple(way), {})[case.params["database"]] = item
        enough[story] = 1 if item.get_closest_marker("stories_in_turn") else ENOUGH_WAYS
    left_out = {
        id(told["sqlite" if (number + sum(way)) % 2 else "postgresql"])
        for number, (story, ways) in enumerate(stories.items())
        if len(ways) >= enough[story]
        for way, told in ways.items()
        if len(told) == len(DATABASES)
    }
    items[:] = [item for item in items if id(item) not in left_out]


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look for waste in all of it, again and again, took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture
def now() -> Iterator[dt.datetime]:
    """The moment at which the clock stands still for this test."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture(scope="session")
def empty_clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with keys and a migrated, empty SQLite database; copied for each test, never used itself."""
    folder = tmp_path_factory.mktemp("template") / "data"
    app = app_on(sqlite_address(folder), folder)
    migrate(app)
    return folder


@pytest.fixture(scope="session")
def postgres_url(empty_clinic: Path) -> Iterator[str]:
    """The address of a migrated database on a throw-away PostgreSQL: one server per worker process."""
    if find_binaries() is None:
        if os.environ.get("CLINIC_REQUIRE_PG"):
            pytest.fail(NO_POSTGRES)
        pytest.skip(NO_POSTGRES)
    with throw_away_postgres() as url:
        migrate(app_on(url, empty_clinic))
        yield url


@pytest.fixture(scope="session")
def put_back(postgres_url: str) -> Iterator[Callable[[], None]]:
    """Deletes every row of the PostgreSQL database but the few that migrations put into an empty one."""
    engine = create_engine(postgres_url, pool_pre_ping=True)
    with engine.connect() as connection:
        found = {
            table: connection.execute(select(table)).mappings().all() for table in db.metadata.sorted_tables
        }
    first_rows = {table: [dict(row) for row in rows] for table, rows in found.items() if rows}

    def put_back_rows() -> None:
        with engine.begin() as connection:
            # As a replica the server runs no triggers, which forbid some deletes.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(";".join(f'DELETE FROM "{name}"' for name in sorted(db.metadata.tables))))
            for table, rows in first_rows.items():
                connection.execute(table.insert(), rows)

    yield put_back_rows
    engine.dispose()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, data_folder: Path) -> Iterator[str]:
    """The address of an empty, migrated database."""
    if request.param == "sqlite":
        yield sqlite_address(data_folder)
        return
    put_back = request.getfixturevalue("put_back")
    yield request.getfixturevalue("postgres_url")
    put_back()


@pytest.fixture(scope="session")
def data_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the data folder of each test lies, one after the other."""
    return tmp_path_factory.mktemp("clinic") / "data"


@pytest.fixture
def data_folder(empty_clinic: Path, data_place: Path) -> Path:
    """A data folder of this test's own; the next test of this process finds a new one under the same name."""
    shutil.rmtree(data_place, ignore_errors=True)
    return Path(shutil.copytree(empty_clinic, data_place))


@pytest.fixture(scope="session")
def ready_applications() -> ReadyApplications:
    """The applications that were made so far."""
    return ReadyApplications()


@pytest.fixture
def settings() -> dict[str, object]:
    """Settings for `app` beside the usual ones of a test."""
    return {}


@pytest.fixture
def app(
    database: str, data_folder: Path, settings: dict[str, object], ready_applications: ReadyApplications
) -> Iterator[Flask]:
    """The application on an empty database, with its context open."""
    made = ready_applications.on(database, data_folder, settings)
    languages.listen(writes_month_first)  # an application is used again: whatever a test without one has set
    with made.app_context():
        yield made
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, signed out."""
    app.test_client_class = Visitor
    return app.test_client()


@pytest.fixture
def world(app: Flask) -> World:
    """A small clinic to book in."""
    from tests.booking.world import build  # its moments are built from the one above

    return build()


@pytest.fixture
def desk(app: Flask, world: World) -> FlaskClient:
    """A browser in which the front desk of that clinic is signed in."""
    from tests.booking.desk import desk_browser

    return desk_browser(app, world)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud, under the results, what this machine lacks and which tests therefore did not run."""
    if find_binaries() is None:
        terminalreporter.write_line(f"NOT TESTED ON POSTGRESQL: {NO_POSTGRES}", red=True)
    if find_chromium() is None:
        terminalreporter.write_line(f"NOT TESTED IN A BROWSER: {NO_CHROMIUM}", red=True)
