"""The one thing that must happen with every new answer: future visits are judged again, in its transaction.

Visits live in a folder above this one, so the application factory hands the judging in (docs/adr/0005).
Without it no answer can be saved: saving answers that nobody judges would be the unsafe failure.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from sqlalchemy.orm import Session


class JudgeAgain(Protocol):
    """Judge every future visit of this client again, inside the caller's transaction."""

    def __call__(self, session: Session, client_id: int, *, by: int | None, now: dt.datetime) -> None: ...


class _Given:
    judge: JudgeAgain | None = None


def use(judge: JudgeAgain) -> None:
    """Set by the application factory."""
    _Given.judge = judge


def judge_again(session: Session, client_id: int, *, by: int | None, now: dt.datetime) -> None:
    """Run the judging. Raises RuntimeError when the factory has not set it."""
    if _Given.judge is None:
        raise RuntimeError("new answers cannot be saved: nobody judges the visits")
    _Given.judge(session, client_id, by=by, now=now)
