"""Steps inside a transaction: keep a picture that everybody may see, and let one go; wait for a place."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from clinic.premises.models import Location, Picture
from clinic.shared.pictures import Drawn


def keep_picture(session: Session, drawn: Drawn, *, by: int | None, now: dt.datetime) -> int:
    """Keep it. Returns its id, which no earlier picture has that is still there."""
    row = Picture(
        mime=drawn.mime, content=drawn.content, digest=drawn.digest, width=drawn.width, height=drawn.height,
        made_at=now, made_by_id=by,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def drop_picture(session: Session, picture_id: int | None) -> None:
    """Delete it, once nothing points at it any more. Nothing to do where there was none."""
    old = session.get(Picture, picture_id) if picture_id is not None else None
    if old is not None:
        session.flush()
        session.delete(old)


def lock_place(session: Session, location_id: int) -> Location | None:
    """The place, until the commit. Whoever closes it and whoever adds a room there see each other: a room that the
    closure does not know of would be booked while the place is shut. Visits are booked there meanwhile."""
    return session.get(Location, location_id, with_for_update={"key_share": True}, populate_existing=True)
