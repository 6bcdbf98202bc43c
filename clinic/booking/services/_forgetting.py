"""Steps inside a transaction: forget a record that a booking in the making left, and on which nothing rests.

A "yes" that was typed for such a record and looked at by nobody may concern a visit that stands or waits: it was typed
for that visit first, under another name, or by the same person in a booking that was given up. Then that visit rests on
the record (`OpenQuestion`): it waits for somebody with clinical review, and the record stays until all that was booked
for the person is over, or longer where it was decided about the two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clinic.booking.models import Checkout, OpenQuestion, Visit
from clinic.booking.queries import open_questions, unfinished, visits
from clinic.booking.queries.checkouts import guest_of, named_before
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.premises.models import GONE, Resource
from clinic.rules import screening
from clinic.rules.errors import NotFound
from clinic.rules.page_reading import warnings_ticked
from clinic.shared import person_keys
from clinic.shared.database import TryAgain


def note_open_questions(session: Session, visit: Visit, client: Client) -> None:
    """Before the visit is judged: whoever was named first for it and said "yes" to something, and whoever may be the
    same person by what they typed elsewhere and gave up. Somebody proven has said who they are. All of them have been
    waited for. Asked anew at each end that this booking comes to: it may be for somebody else by now."""
    drop_open_questions(session, visit)
    ask_as_before(session, visit, client)


def ask_of_before(session: Session, visit: Visit, client: Client, before: Collection[int]) -> None:
    """Those of these records, named first in the booking of this visit, for which something was said."""
    if client.is_unproven:
        _ask(session, [visit], open_questions.who_speak(before) - {client.id})


def ask_as_before(session: Session, visit: Visit, client: Client) -> None:
    """Something is booked for somebody who may be the same person as one who typed it and gave it up, or whose visits
    wait already, on this record or another one that nobody has proved: it waits by itself, whatever becomes of the
    others. A time that stands in for a visit waits for what that one waits for."""
    before = visits.as_booked(visit.id)[1:] if client.is_unproven else ()
    if before:
        _ask(session, [visit], {one.id for one in open_questions.of_booked(before)} - {client.id})
    else:
        ask_of_order(session, visit, client)


def ask_of_order(session: Session, visit: Visit, client: Client) -> None:
    """What is booked now, or what stood and is for another treatment from now on."""
    if client.is_unproven:
        asked = {one.id for one in open_questions.about(client, clients.look_alikes(client))}
        _ask(session, [visit], (asked | unfinished.alike_and_unsigned(client)) - {client.id})


def ask_of_all(session: Session, client: Client, asked: Collection[int], now: dt.datetime) -> None:
    """What waits for these of one record holds whatever is ahead of the person on another one, too, also what was
    called off and may be taken back."""
    ahead = select(Visit).where(
        Visit.client_id.in_(clients.all_ids(client.id)), open_questions.is_not_over(now)
    )
    _ask(session, session.scalars(ahead.order_by(Visit.id)).all(), {*asked} - {client.id})


def drop_open_questions(session: Session, visit: Visit) -> None:
    """Nothing was booked, and the time was given back."""
    session.execute(delete(OpenQuestion).where(OpenQuestion.visit_id == visit.id))


def _ask(session: Session, held: Sequence[Visit], client_ids: Collection[int]) -> None:
    if not client_ids:
        return
    there = select(Client.id).where(Client.id.in_(client_ids)).order_by(Client.id)
    if len(session.scalars(there.with_for_update(read=True, key_share=True)).all()) < len({*client_ids}):
        raise TryAgain(NotFound)  # one was forgotten at this moment: what waited for it is over
    for visit in held:
        for one in sorted(client_ids):
            if session.get(OpenQuestion, (visit.id, one)) is None:
                session.add(OpenQuestion(visit_id=visit.id, client_id=one))
    session.flush()


def forget_guest(session: Session, checkout: Checkout) -> None:
    """The booking ends, and whoever made it has said by signing in who they are: the record that they typed as a guest
    is nobody's, and what was told for it stands with the person by now, a warning sign too. The same of others whom
    they named before, but that a warning sign of theirs may stand nowhere else."""
    guest_id = guest_of(checkout)
    if guest_id is not None:
        forget_if_bare(session, guest_id, told_elsewhere=True)
    for one in named_before(checkout):
        if one not in (guest_id, checkout.client_id):
            forget_if_bare(session, one)


def forget_if_bare(session: Session, client_id: int, *, told_elsewhere: bool = False) -> None:
    """The record goes with its half-typed answers; times that were given back stay, with nobody's name on them.

    Answers in which a warning sign stands are kept, though nobody pressed the button: they may be asked for. Not so
    where they were taken over by another record (`told_elsewhere`).
    """
    client = unfinished.can_be_forgotten(client_id)
    if client is None:
        return
    if held := open_questions.waiting_for(client):
        _ask(session, held, [client_id])
        return
    draft = intake.draft(client_id, "client")
    if draft is not None:
        told = {**warnings_ticked(draft.half_typed), **draft.answered}
        if not told_elsewhere and screening.red_flags_in(told, draft.updated_at.date()):
            return
        session.delete(draft)
    session.execute(update(Visit).where(Visit.client_id == client_id).values(client_id=None))
    session.flush()
    person_keys.forget(session, [client_id])
    session.expunge(client)
    session.execute(delete(Client).where(Client.id == client_id))
    session.execute(update(Resource).where(Resource.id == client_id).values(kind=GONE))
