"""Whoever came once, and later only cancelled or did not come, goes on the day counted from their last visit."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from clinic.booking.models import Visit
from clinic.clients.models import Client
from clinic.keeping.queries import due_people
from clinic.keeping.services import expiring
from clinic.rules.keeping import PERIODS
from clinic.rules.years import years_after
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")


@pytest.mark.parametrize("never_came", [30, 3650])
@pytest.mark.parametrize("later", ["cancelled", "no_show"])
@pytest.mark.parametrize("days_later", [0, 7])
def test_they_go_on_the_day_of_their_last_visit(
    app: Flask, never_came: int, later: str, days_later: int
) -> None:
    world = w.build()
    client_id = w.person(created_at=NOW)
    w.sign(client_id)
    done, missed = (
        w.at_desk(world, client_id, "relaxation", when=when).visit_id
        for when in (w.at(0), w.at(days_later, 14))
    )
    with transaction() as session:
        session.get_one(Visit, done).status = "done"
        session.get_one(Visit, missed).status = later
    amounts = {one.kind: one.usual for one in PERIODS}
    expiring.save_periods({**amounts, "records": 1, "no_visit": never_came}, by=world.desk_id, now=NOW)
    expiring.let_go_by_periods(by=world.desk_id, now=NOW)
    day = dt.datetime.combine(years_after(w.TODAY, 1), dt.time(16), dt.UTC)
    assert [one.id for one in due_people.people_due(day)] == [client_id]
    assert due_people.people_due(day - dt.timedelta(days=1)) == []
    db.session.rollback()
    expiring.remove_due(day, settings=app.config)
    db.session.rollback()
    assert db.session.get_one(Client, client_id).first_name == "Erased"
