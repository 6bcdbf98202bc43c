"""Somebody known whose record was joined with one that waits: known again once there is nothing to decide any more."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clinic.booking.queries import open_questions
from clinic.clients import queries as clients
from clinic.clients.models import Client


def know_again(session: Session, client: Client) -> bool:
    """Whether this person, locked with those who look like them, is known again. Staff have compared them with those
    for whom they wait, or what they wait for was called off and the link that led to it has ended; and no record that
    nobody proved, and that is likely theirs too, says more than "no"."""
    if not (client.is_unproven and client.was_proven) or client.merged_into_id is not None:
        return False
    alike = clients.look_alikes(client)
    if open_questions.about(client, alike):
        return False
    likely = [one.id for one in alike if one.is_unproven and open_questions.is_likely_same(client, one)]
    if open_questions.who_speak(likely):
        return False
    client.is_unproven = False
    session.flush()
    return True
