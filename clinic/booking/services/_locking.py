"""Steps inside a transaction: what is waited for, and in which order, so that nobody waits in a ring: people before
visits, visits before times, and of several all at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services._judging import client_of, client_to_judge, wait_for_answers
from clinic.premises.models import Resource
from clinic.rules.errors import MoveNotAllowed, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.locks import lock_in_order


def check_as_seen(looked_at: Sequence[Visit], seen: Sequence[int] | None) -> None:
    """Raise MoveNotAllowed where these visits, locked, are no longer of the revisions that were `seen`; None asks
    nothing."""
    if seen is not None and [one.revision for one in looked_at] != list(seen):
        raise MoveNotAllowed(_("This visit was changed meanwhile. Please look at it again."))


def wait_for_places(session: Session, asks: Sequence[Ask], also: Collection[int] = ()) -> None:
    """Keep everybody and everything that these wishes could take (and `also`) from others until the commit.

    A second wait inside one transaction would be out of the order that all keep, and could close a ring.
    """
    wanted = set(also)
    for ask in asks:
        able = look(ask).eligible
        wanted.update(able.therapists, able.rooms, *able.device_groups)
        if ask.client_id is not None:
            wanted.add(ask.client_id)
    lock_in_order(session, Resource.__table__, wanted, first=asks[0].client_id)


def lock_visit(session: Session, visit_id: int) -> Visit | None:
    """The visit, locked: people are waited for before visits, and visits before times, so that nobody waits in a ring.
    What is only held is judged by nobody else, and who confirms it has its row before the person's."""
    couple_id = select(Visit.couple_id).where(Visit.id == visit_id).scalar_subquery()
    booked = Visit.status != VisitStatus.HELD, Visit.client_id.is_not(None)
    either = select(Visit.client_id).where(or_(Visit.id == visit_id, Visit.couple_id == couple_id), *booked)
    people = [one for one in session.scalars(either) if one is not None]
    if len(people) == 1:
        client_to_judge(session, people[0])
    elif people:  # of two who come together the other one is told, and judged, as well
        wait_for_answers(session, *map(client_of, people))
    return session.get(Visit, visit_id, with_for_update=True, populate_existing=True)


def waited_for(session: Session, visit_id: int) -> Visit:
    """The visit of somebody, locked as by `lock_visit`, to be judged in another form. Raises NotFound."""
    visit = lock_visit(session, visit_id)
    if visit is None or visit.client_id is None:
        raise NotFound()
    return visit
