"""What new answers make of somebody's coming visits, in numbers: a page behind a mailed link says no more of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clinic.booking.queries import visits
from clinic.clients import queries as clients
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.web import found


@dataclass(frozen=True)
class Others:
    """How many coming visits the same answers called off, and how many they put on hold."""

    cancelled: int
    waiting: int


def others_of(client_id: int, *, besides: int | None = None, by_key: bool = False) -> Callable[[], Others]:
    """Looks which visits stand now; what is returned looks again, when the answers are kept. `by_key`: the reader
    has only a mailed link, which says nothing of what the record of its visit became."""
    if by_key and clients.aliases([client_id]):
        return lambda: Others(0, 0)
    ahead = visits.visits_ahead(client_id, clock.now())
    stood = [one.id for one in ahead if one.id != besides and visits.seen_as(one) is VisitStatus.CONFIRMED]

    def since() -> Others:
        after = [visits.seen_as(found(visits.visit(one))) for one in stood]
        waiting = (VisitStatus.PENDING, VisitStatus.SUSPENDED)
        return Others(after.count(VisitStatus.CANCELLED), sum(one in waiting for one in after))

    return since
