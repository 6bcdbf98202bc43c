"""When somebody who is signed in has to show again that it is them, and who needs a second step to sign in at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from enum import StrEnum

from clinic.rules.permissions import STAFF, Permission, Role

LASTS = dt.timedelta(minutes=10)


class Proof(StrEnum):
    """What a page asks for beside its permission: `@pages.post("/…", needs=…, proof=Proof.RECENT)`."""

    RECENT = "recent"  # the password or the second step, within the last ten minutes
    SECOND_STEP = "second_step"  # the second step, with this very deed


def is_proven(proof: Proof, proved_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether what was shown last still serves. The second step of a deed is always asked for with the deed."""
    return proof == Proof.RECENT and now - proved_at <= LASTS


def needs_second_step(roles: Collection[Role], given: Collection[Permission]) -> bool:
    """Whoever works here may do nothing with a password alone; to clients the second step is offered."""
    return bool(given) or not STAFF.isdisjoint(roles)
