"""Listing free times reads claims through an index that begins at the first day asked for: the past is not touched."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from clinic.booking.queries.availability import Ask, look
from clinic.catalogue.queries import plan_for
from clinic.shared.database import db
from tests.booking import world
from tests.conftest import NOW


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_claims_are_found_by_resource_and_end(app: Flask, now: object) -> None:
    clinic = world.build()
    plan = plan_for("swedish", None, (), 60, first_visit=False)
    assert plan is not None
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    assert look(Ask(plan, clinic.place_id, world.TODAY, 30, NOW)).starts()
    event.remove(db.engine, "before_cursor_execute", note)
    of_claims = [(statement, given) for statement, given in sent if "FROM claim" in statement]
    assert len(of_claims) == 1
    statement, given = of_claims[0]
    with db.engine.connect() as connection:
        steps = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
    about_claims = [step for step in steps if " claim" in step and "SUBQUERY" not in step]
    assert about_claims
    assert [one for one in about_claims if not one.startswith("SEARCH claim")] == [], steps
    assert [one for one in about_claims if "(resource_id=? AND ends_at>?" not in one] == [], steps
