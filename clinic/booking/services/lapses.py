"""Clearances that end: visits resting on one are judged again, and everybody hears of it two weeks before."""

from __future__ import annotations

import datetime as dt

from clinic.booking.queries import lapses
from clinic.booking.queries.lapses import Lapse
from clinic.booking.services._judging import wait_for_answers
from clinic.booking.services.judging import judge_visits_of
from clinic.clients import queries as clients
from clinic.clients.steps import speaking_to
from clinic.premises import queries as premises
from clinic.premises.queries import ClinicFacts
from clinic.rules import words
from clinic.shared.database import db, transaction, tried_again
from clinic.shared.mail import queue_mail


def keep_clearances(now: dt.datetime) -> int:
    """Judge the visits of everybody again who has one that rests on a clearance which no longer holds; returns how
    many people. A net below the judging at each change: safe to run twice, or in two processes."""
    facts = premises.clinic_facts()
    if facts is None:
        return 0
    due = lapses.resting_on_ended(now)
    db.session.rollback()
    for client_id in due:
        _judge_again(client_id, now)
    return len(due)


@tried_again
def _judge_again(client_id: int, now: dt.datetime) -> None:
    with transaction() as session:
        client = clients.client(client_id)
        if client is not None:
            wait_for_answers(session, client)
            judge_visits_of(session, client, door="lapse", by=None, now=now)


def warn_of_lapses(now: dt.datetime) -> int:
    """Mail everybody whose clearance ends within 14 days while visits are booked, once for each last day; returns how
    many such clearances there are. The desk reads the same list."""
    facts = premises.clinic_facts()
    if facts is None:
        return 0
    due = lapses.lapsing(now)
    if due:
        _warn(due, facts, now)
    return len(due)


@tried_again
def _warn(due: list[Lapse], facts: ClinicFacts, now: dt.datetime) -> None:
    once: dict[
        tuple[int, dt.date], int
    ] = {}  # a letter may clear several things: the first of them stands for all
    for one in due:
        once.setdefault((one.client.id, one.last_day), one.clearance_id)
    told = [(clearance_id, *key) for key, clearance_id in once.items()]
    with transaction() as session:
        for clearance_id, client_id, last_day in told:
            client = clients.client(client_id)
            if client is not None:
                with speaking_to(client):
                    queue_mail(
                        session, "papers_run_out", client.email, key=f"papers_run_out:{clearance_id}", now=now,
                        name=client.first_name, until=words.day_words(last_day), clinic=facts.name,
                        phone=facts.phone,
                    )  # fmt: skip
