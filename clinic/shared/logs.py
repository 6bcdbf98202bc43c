"""Logs: one line an event, on standard error, with the request's id and never what a person typed."""

from __future__ import annotations

import sys

import structlog


def set_up_logs() -> None:
    """Plain key=value lines with a UTC time."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
