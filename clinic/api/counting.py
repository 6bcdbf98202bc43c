"""Where requests are counted: in this process, in Redis, or in the clinic's database for all processes and hosts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from clinic.api.models import RequestCount
from clinic.shared import clock
from clinic.shared.database import db
from clinic.shared.turns import turn_to_write

log = structlog.get_logger()

SCHEME = "clinic-database"


def limiter_for(where: str) -> FixedWindowRateLimiter:
    """`where`: empty for this process alone, `database`, or the address of Redis."""
    if where.startswith("redis"):
        redis = storage_from_string(where, wrap_exceptions=True, socket_timeout=1, socket_connect_timeout=1)
        return FixedWindowRateLimiter(OrHere(redis))
    return FixedWindowRateLimiter(storage_from_string(f"{SCHEME}://" if where else "memory://"))


class OrHere(MemoryStorage):
    """Counts in Redis; for as long as that does not answer, in this process: a booking does not fail for a count."""

    def __init__(self, shared: Any) -> None:
        super().__init__()
        self.shared = shared

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        try:
            return int(self.shared.incr(key, expiry, amount))
        except StorageError:
            log.warning("counts_are_kept_apart")
            return super().incr(key, expiry, amount)

    def get(self, key: str) -> int:
        try:
            return int(self.shared.get(key))
        except StorageError:
            return super().get(key)


class InDatabase(Storage):
    """Counts in the table request_count, each in a transaction of its own, so that nothing else waits for it."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the library reads a plain list

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = clock.now()
        add = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
        row = add(RequestCount).values(key=key, count=amount, ends_at=now + dt.timedelta(seconds=expiry))
        is_over = RequestCount.ends_at <= now
        counted = row.on_conflict_do_update(
            index_elements=[RequestCount.key],
            set_={
                "count": case((is_over, row.excluded.count), else_=RequestCount.count + row.excluded.count),
                "ends_at": case((is_over, row.excluded.ends_at), else_=RequestCount.ends_at),
            },
        ).returning(RequestCount.count)
        with turn_to_write(db.engine), db.engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # a count may be lost in a power cut
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            return int(connection.execute(counted).scalar_one())

    def get(self, key: str) -> int:
        found = self._standing(key)
        return found.count if found is not None else 0

    def get_expiry(self, key: str) -> float:
        found = self._standing(key)
        return found.ends_at.timestamp() if found is not None else clock.now().timestamp()

    def check(self) -> bool:
        with db.engine.connect() as connection:
            return bool(connection.execute(select(1)).scalar_one() == 1)

    def reset(self) -> int:
        with turn_to_write(db.engine), db.engine.begin() as connection:
            return connection.execute(delete(RequestCount)).rowcount

    def clear(self, key: str) -> None:
        with turn_to_write(db.engine), db.engine.begin() as connection:
            connection.execute(delete(RequestCount).where(RequestCount.key == key))

    def _standing(self, key: str) -> Any:
        wanted = select(RequestCount.count, RequestCount.ends_at).where(
            RequestCount.key == key, RequestCount.ends_at > clock.now()
        )
        with db.engine.connect() as connection:
            return connection.execute(wanted).one_or_none()
