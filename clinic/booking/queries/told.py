"""Whether a client knows already that a visit of theirs stands."""

from __future__ import annotations

from sqlalchemy import select

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.shared.database import db
from clinic.shared.mail import OutgoingMail

STANDS = ("visit_booked", "visit_confirmed_now")
WAITS = ("visit_waiting", "visit_on_hold", "couple_invited", "couple_apart")


def knows_it_stands(visit: Visit) -> bool:
    """By the last mail that said how it stands. Where there is none, since one mail told of several visits or nobody
    could be mailed, by how it was booked online: what waited for an unseen look alone was shown as booked. What the
    desk books may have waited openly for a word as well; rather told twice than never."""
    last = db.session.scalars(
        select(OutgoingMail.kind)
        .where(OutgoingMail.visit_id == visit.id, OutgoingMail.kind.in_((*STANDS, *WAITS)))
        .order_by(OutgoingMail.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None:
        return last in STANDS
    judged = visits.screenings_of(visit.id) if visit.source == "online" else []
    return (
        bool(judged) and not judged[-1].permits and bool(judged[-1].findings.get("alone", {}).get("permits"))
    )
