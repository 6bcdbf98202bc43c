"""Steps inside a transaction: the ways that mails opened for somebody, made anew."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.booking.models import CheckinLink, Offer, Visit, WaitlistWish
from clinic.booking.queries import visits
from clinic.booking.services._line import TOLD_BY
from clinic.booking.services._mailing import tell_of_several
from clinic.booking.services._steps import booked_mail, new_manage_key, tell_client
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.rules.visit_status import UPCOMING


def send_new_links(session: Session, client: Client, *, now: dt.datetime) -> None:
    """Nothing that was mailed to this person opens a page any more: of their visits (also of one that stayed with a
    record that was merged into theirs), of the questions before one, of an offer, of a wish. What is to come, and what
    waits for their answer, is mailed again to the address of now; the questions before a visit ask themselves again.
    Whoever is here already knows of their visit."""
    ahead = visits.visits_ahead(client.id, now)
    coming = [one for one in ahead if one.manage_hash is not None and one.status in UPCOMING]
    is_theirs = Visit.client_id.in_(clients.all_ids(client.id))
    theirs = select(Visit.id).where(is_theirs)
    session.execute(delete(CheckinLink).where(CheckinLink.visit_id.in_(theirs)))
    session.execute(update(Visit).where(is_theirs).values(manage_hash=None))
    session.execute(update(WaitlistWish).where(WaitlistWish.client_id == client.id).values(key_hash=None))
    open_offers = select(Offer).where(Offer.visit_id.in_(theirs), Offer.ended_at.is_(None)).order_by(Offer.id)
    for offer in session.scalars(open_offers).all():
        token = new_token()
        offer.token_hash = hash_of(token)
        tell_client(
            session, offer.visit, TOLD_BY[offer.kind], now=now, token=token,
            about=f"offer-{offer.id}-{offer.token_hash}",
        )  # fmt: skip
    _tell_of_visits(session, coming, now=now)


def tell_again(session: Session, visit: Visit, *, now: dt.datetime) -> None:
    """Mail how a visit stands, with a link to its own page; the one sent before stops working."""
    visit.revision += 1  # each change tells the client once; this one is told again on purpose
    tell_client(session, visit, booked_mail(visit), now=now, token=new_manage_key(visit))


def _tell_of_visits(session: Session, coming: Sequence[Visit], *, now: dt.datetime) -> None:
    """One mail for each, and for a whole series."""
    series: defaultdict[int, list[Visit]] = defaultdict(list)
    for visit in coming:
        if visit.series_id is not None and visit.client is not None and visit.client.email:
            visit.revision += 1
            series[visit.series_id].append(visit)
        else:
            tell_again(session, visit, now=now)
    for number, several in series.items():
        key = f"series_booked:{number}:{hash_of(new_token())}"
        tell_of_several(session, "series_booked", several, key=key, now=now)
