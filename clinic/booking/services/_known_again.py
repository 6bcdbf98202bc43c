"""Somebody known whose record was joined with one that waits: known again once there is nothing to decide any more."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clinic.booking.queries import open_questions
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.therapists import queries as therapists


def know_again(session: Session, client: Client) -> bool:
    """Whether this person, locked with those who look like them, is known again from now on."""
    if not may_be_known_again(client):
        return False
    client.is_unproven = False
    session.flush()
    return True


def may_be_known_again(client: Client) -> bool:
    """Whether somebody who was known is to be known again. Staff have compared them with those for whom they wait, or
    all that waits is over; and nothing of anybody who looks like them, on whichever of the cards that were joined,
    would count for them: what is taken for theirs until now is let go by a decision alone."""
    if not (client.is_unproven and client.was_proven) or client.merged_into_id is not None:
        return False
    alike = clients.look_alikes(client)
    if open_questions.about(client, alike):
        return False
    ids = [one.id for one in alike]
    if any(one.is_barred_online for one in alike) or therapists.restrictions_of(clients.all_ids(*ids)):
        return False
    return not open_questions.who_speak(ids)
