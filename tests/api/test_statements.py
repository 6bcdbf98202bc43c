"""How much one booking asks of the database."""

from __future__ import annotations

from flask import Flask

from clinic.shared import person_keys
from tests.api.conftest import Program
from tests.api.test_visits import wish
from tests.booking.world import healthy
from tests.statements import counted


def test_a_booking_sends_few_statements(app: Flask, desk: Program) -> None:
    """Screening, claims and audit included, and the key of a person who is not known to this process yet."""
    client = healthy()
    person_keys.forget_known()
    with counted() as sent:
        answer = desk.post("/visits", wish(client), Idempotency_Key="counted")
    assert answer.status_code == 201, answer.get_json()
    assert len(sent) <= 14, "\n".join(sent)


def test_free_times_of_a_person_cost_no_more_for_many_days(app: Flask, desk: Program) -> None:
    """Each day is judged, but what it is judged by is read once, and what there is nothing of is not asked for."""
    asked = {"service": "swedish", "minutes": 60, "from": "2026-06-12", "client": healthy()}
    sent = []
    desk.get("/availability", **asked)  # a new connection is asked who it is
    for days in (1, 30):
        with counted() as found:
            assert desk.get("/availability", **asked, days=days).get_json()["starts"]
        sent.append(len(found))
    assert sent == [5, 5]
