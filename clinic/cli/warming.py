"""What a server does before it opens: it asks the first questions itself, and sees to it that it stays small."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

TIMES = 12
"""A connection to PostgreSQL prepares a statement that comes for the sixth time; five times later it keeps the plan."""

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # <malloc.h> of glibc
_LARGE = 1024 * 1024


def leave_out_tools() -> None:
    """To be called before anything is loaded. structlog takes `rich` in wherever a tool of the developers' has brought
    it along, 3 MB for tracebacks that no server prints; SQLAlchemy `greenlet`, 1 MB to be waited for with await."""
    for name in ("rich", "greenlet"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # which is how a module is said not to be there


def stay_small() -> None:
    """Let the threads take memory from one place. Else the C library of Linux gives each thread a place of its own,
    which stays as large as the largest answer that this thread ever gave. What is large (a file that somebody sends,
    a picture that is drawn anew) goes back to the machine at once, also after many of them."""
    with contextlib.suppress(OSError, AttributeError):  # elsewhere there is nothing to set
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def warm_up(app: Flask) -> None:
    """Look for free times as the first visitor would, who then need not wait until statements are put into words and
    a connection is open. An empty clinic, or a database that is away, is no reason not to start."""
    from sqlalchemy.exc import SQLAlchemyError

    from clinic.api import queries as api
    from clinic.rules.errors import RuleViolation
    from clinic.shared import clock
    from clinic.shared.database import db

    with app.app_context():
        try:
            for _ in range(TIMES):
                api.caller("nobody", clock.now())
                _ask()
                db.session.remove()
        except (SQLAlchemyError, RuleViolation, LookupError):
            db.session.remove()
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(
            0
        )  # what starting took and nobody needs any more goes back to the machine
    gc.freeze()  # what is there now stays: it is not gone through again each time that waste is looked for


def _ask() -> None:
    """Free times of tomorrow for the first service, of anybody and of one therapist."""
    import datetime as dt

    from clinic.booking.queries.bookable import Wish
    from clinic.booking.services import offering
    from clinic.catalogue import queries as catalogue
    from clinic.shared import clock
    from clinic.therapists import queries as therapists

    now = clock.now()
    lengths = [(service.key, one) for service in catalogue.services_on_offer() for one in service.lengths][:1]
    people = [None, *(one.id for one in therapists.active_therapists()[:1])]
    for key, one in lengths:
        for person in people:
            wish = Wish(
                key, one.minutes, one.mode, (), ("full_body",), now.date() + dt.timedelta(1), 1, person, None
            )
            offering.starts(wish, now=now)
