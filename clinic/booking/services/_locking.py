"""Steps inside a transaction: whoever claims more than once waits for all of it at once, before the first claim."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from clinic.booking.queries.availability import Ask, look
from clinic.premises.models import Resource
from clinic.shared.locks import lock_in_order


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
