"""How Alembic reaches the database. Migrations are numbered files: versions/NNNN_verb_object.py.

SQLite needs its foreign keys off while a table is rebuilt, since the rebuild would otherwise delete the children
by ON DELETE CASCADE. The switch has to come before the first BEGIN: inside a transaction it does nothing.
Each run is one transaction on both databases, so that a failing migration leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.types import TypeDecorator

import clinic.app  # noqa: F401 - every table is known once the application is imported
from clinic.shared.database import db

ONE_AT_A_TIME = 7_264_101  # any number of our own: the PostgreSQL lock that two starting servers queue for


def run() -> None:
    """Bring the database of the running application up or down, in one transaction."""
    with db.engine.connect() as plain, foreign_keys_off(plain):
        connection = plain.execution_options(sqlite_begin="IMMEDIATE")
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            render_item=render_item,
            include_object=is_compared,
            process_revision_directives=number_the_file,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
            context.run_migrations()
            refuse_orphans(connection)


@contextmanager
def foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Switch SQLite's foreign keys off and on again, past SQLAlchemy, which would begin a transaction first."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise RuntimeError("the database closed the connection")
    cursor = driver.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()


def refuse_orphans(connection: Connection) -> None:
    """Undo the run when it left a row without its parent, which SQLite could not notice meanwhile."""
    if connection.dialect.name == "sqlite":
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
        if orphans:
            raise RuntimeError(f"the migration leaves rows without their parents: {orphans}")


def is_compared(_item: object, name: str | None, *_more: object) -> bool:
    """Whether models and database are compared there: one index has a number more (migrations 0037 and 0038), and one
    column is kept empty for the version of before (0044)."""
    return name not in ("ix_claim_read_alone", "asked")


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own column types as the plain ones below them: a migration never imports today's models."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def number_the_file(
    _context: MigrationContext, _revision: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Give the new file the number after the newest one; write none where models and database agree."""
    if not directives:
        return
    script = directives[0]
    compared = getattr(context.config.cmd_opts, "autogenerate", False)
    if compared and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives.clear()
        print("Models and database agree: no migration is needed.")  # noqa: T201 - answers `make migration`
        return
    script.rev_id = f"{int(context.script.get_current_head() or 0) + 1:04}"


if context.is_offline_mode():
    raise SystemExit("Migrations look at the database, so they cannot be written out as SQL alone.")
run()
