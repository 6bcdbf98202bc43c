"""Somebody who was erased but for what a law keeps comes back, and the law's time ends."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from clinic import cli
from clinic.accounts.models import User
from clinic.booking.models import Visit
from clinic.booking.services import checkout, visits
from clinic.booking.services import people as merging
from clinic.cli import retention
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.steps import Details
from clinic.intake.models import Intake
from clinic.intake.services import intakes
from clinic.keeping.models import Erasure, KeepingPeriod
from clinic.keeping.queries.due_people import people_due
from clinic.keeping.services import erasing, expiring
from clinic.rules.permissions import Role
from clinic.shared.database import db, transaction
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
YEAR = dt.timedelta(days=366)


@pytest.fixture
def world(app: Flask) -> w.World:
    factories.save(KeepingPeriod(kind="law", amount=1))
    return w.build()


def somebody(name: str, email: str, user_id: int | None = None) -> int:
    acts = {user_id: "self"} if user_id is not None else {}
    born_on = dt.date(1985, 5, 5)
    return factories.make_client(first_name=name, last_name="C", born_on=born_on, email=email, acts=acts).id


def book(world: w.World, client_id: int, days: int, now: dt.datetime) -> int:
    """At the desk, so many days after the start."""
    with time_machine.travel(now, tick=False):
        w.sign(client_id, now=now)
        booked = visits.book_visit(
            w.choice("relaxation"), client_id, w.at(days), request_key=f"{client_id}:{days}", source="desk",
            by=world.desk_id, now=now, reconfirmed=True,
        )  # fmt: skip
    assert booked.visit_id
    return booked.visit_id


def treated(world: w.World, client_id: int, days: int = 0) -> None:
    visit_id = book(world, client_id, days, NOW + dt.timedelta(days=days))
    with transaction() as session:
        session.get_one(Visit, visit_id).status = "done"


def erase(app: Flask, client_id: int) -> None:
    db.session.rollback()
    erasing.erase_person(client_id, settings=app.config, by=None, now=NOW)


def remove_due(app: Flask, now: dt.datetime) -> int:
    db.session.rollback()
    with time_machine.travel(now, tick=False):
        return expiring.remove_due(now, settings=app.config)


def test_one_with_a_visit_ahead_is_left_and_the_others_go(
    app: Flask, world: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = somebody("Ann", "ann@x.example"), somebody("Bob", "bob@x.example")
    for one in (ann, bob):
        treated(world, one)
        erase(app, one)
    later = NOW + YEAR
    with transaction() as session:  # as records were before those who were erased took nothing more
        session.get_one(Client, ann).erased_at = None
    ahead = book(world, ann, YEAR.days + 5, later)
    monkeypatch.setattr(retention, "make_working_app", lambda: app)
    with time_machine.travel(later, tick=False):
        said = CliRunner().invoke(cli.main, ["retention", "--dry-run"])
    assert f"Left until a visit is over: record {ann}." in said.output
    assert remove_due(app, later) == 1
    assert [db.session.get_one(Client, one).first_name for one in (ann, bob)] == ["Ann", "Erased"]
    with transaction() as session:
        session.get_one(Visit, ahead).status = "cancelled"
    assert remove_due(app, later) == 1
    assert db.session.get_one(Client, ann).first_name == "Erased"


@pytest.mark.parametrize("keeps_old", [False, True])
def test_whoever_is_a_client_again_stays(app: Flask, world: w.World, *, keeps_old: bool) -> None:
    """Merged into the new record, the old one goes alone; where the desk kept the old one, it is theirs again."""
    user_id = factories.make_user(email="new@x.example", roles=[Role.CLIENT], name="Ann C").id
    old = somebody("Ann", "old@x.example")
    treated(world, old)
    erase(app, old)
    new = somebody("Ann", "new@x.example", user_id)
    treated(world, new, days=101)
    kept, lost = (old, new) if keeps_old else (new, old)
    merging.merge_clients(kept, lost, by=world.desk_id, now=NOW + dt.timedelta(days=102))
    after = NOW + dt.timedelta(days=101) + YEAR
    assert remove_due(app, after) == (0 if keeps_old else 1)
    client = db.session.get_one(Client, kept)
    assert (client.first_name, client.email) == ("Ann", "new@x.example")
    assert db.session.get_one(User, user_id).is_active
    counted = select(Intake.client_id, func.count()).group_by(Intake.client_id)
    signed = dict(db.session.execute(counted).tuples().all())
    if keeps_old:
        assert signed == {old: 1, new: 1}
        much_later = after + 11 * YEAR
        with transaction() as session:
            session.get_one(Client, kept).created_at = NOW
        assert [one.id for one in people_due(much_later)] == [old]
    else:
        assert signed == {new: 1}
        row, gone = db.session.scalars(select(Erasure)).one(), db.session.get_one(Client, old)
        assert (row.finished_at, gone.first_name, gone.merged_into_id) == (after, "Erased", None)
        assert clients.look_alikes(client) == []
    assert remove_due(app, after) == 0


def test_what_was_typed_as_a_guest_goes_though_a_law_keeps_the_treatment(app: Flask, world: w.World) -> None:
    """Somebody who has been treated books as a guest, signs in on the way, and asks to be erased."""
    user_id = factories.make_user(email="ann@x.example", roles=[Role.CLIENT]).id
    ann = somebody("Ann", "ann@x.example", user_id)
    treated(world, ann)
    who = Details("Ann", "C", dt.date(1985, 5, 5), email="ann@x.example", phone="(212) 555-3000")
    token = checkout.hold_slot(None, w.choice("swedish"), w.at(3), first_visit=True, user_id=None, now=NOW)
    guest = checkout.name_person(token, who, relation="self", now=NOW)
    intakes.save_draft(guest, "client", "intake", {"fever": {"present": True}}, now=NOW)
    checkout.choose_person(token, ann, user_id=user_id, now=NOW)
    checkout.leave(token, now=NOW)
    erase(app, ann)
    db.session.rollback()
    left = {one.id: (one.first_name, one.phone) for one in db.session.scalars(select(Client))}
    assert left == {ann: ("Ann", None), guest: ("Erased", None)}
