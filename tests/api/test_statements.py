"""How much one booking asks of the database."""

from __future__ import annotations

from flask import Flask

from tests.api.conftest import Program
from tests.api.test_visits import healthy, wish
from tests.statements import counted


def test_a_booking_sends_few_statements(app: Flask, desk: Program) -> None:
    """Screening, claims and audit included."""
    client = healthy()
    with counted() as sent:
        answer = desk.post("/visits", wish(client), Idempotency_Key="counted")
    assert answer.status_code == 201, answer.get_json()
    assert len(sent) <= 15, "\n".join(sent)
