"""Logs: one line an event, on standard error, with the request's id and never what a person typed."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
# In what libraries say: addresses of pages, which can hold keys, of mailboxes, and of databases with their passwords.
PRIVATE = re.compile(r"\S*[/@]\S*")


LOST = (OSError, ValueError)
"""No room, or nobody who reads on; ValueError is what a closed file says."""


class Careful:
    """Where lines go. One that cannot be written is lost: no request fails for a line."""

    def __init__(self, where: TextIO) -> None:
        self.where = where

    def write(self, line: str) -> None:
        """Write it if that can be."""
        with contextlib.suppress(*LOST):
            self.where.write(line)

    def flush(self) -> None:
        """What was written leaves, if it can."""
        with contextlib.suppress(*LOST):
            self.where.flush()


def set_up_logs(*, as_json: bool = False) -> None:
    """Lines with a UTC time: key=value for who sits before them, or JSON for who collects them from a server. On a
    server what libraries say comes in the same form, and without what could be private."""
    plain = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    render: Processor = structlog.processors.JSONRenderer() if as_json else plain
    structlog.configure(
        processors=[*COMMON, render],
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Careful(sys.stderr))),
    )
    if as_json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[*COMMON, without_what_is_private],
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
            )
        )
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
        logging.getLogger("waitress.queue").setLevel(
            logging.ERROR
        )  # it tells of each request that waits its turn


def without_what_is_private(_logger: object, _method: str, event: EventDict) -> EventDict:
    """What a library says, with its addresses blotted out, and of an error only its kind and place."""
    record: logging.LogRecord = event["_record"]
    event["event"] = PRIVATE.sub("(left out)", str(event["event"]))
    event["logger"] = record.name
    if record.exc_info and record.exc_info[1] is not None:
        event["kind"] = type(record.exc_info[1]).__name__
        event["where"] = place_of(record.exc_info[2])
    record.exc_info, record.exc_text, record.stack_info = None, None, None
    event.pop("exc_info", None)
    return event


def place_of(trace: TracebackType | None) -> str:
    """The file and line where an error came up; never its words, which may hold what a person typed."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
