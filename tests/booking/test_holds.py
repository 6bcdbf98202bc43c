"""Times that a program keeps: for whom, until when, kept longer, given back."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from clinic.booking.models import Claim, StatusChange, Visit
from clinic.booking.services import checkout, visits
from clinic.booking.services.holds import give_back, keep_longer, keep_time
from clinic.rules.errors import HoldExpired, NotFound
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
MINUTE = dt.timedelta(minutes=1)


def keep(client: int | None, when: dt.datetime, *, source: str = "api") -> int:
    return keep_time(w.choice("relaxation"), when, client_id=client, source=source, by=None, now=NOW)


def row(visit: int) -> Visit:
    db.session.rollback()
    return db.session.get_one(Visit, visit)


def ends(visit: int) -> set[dt.datetime | None]:
    """When the visit and its claims run out."""
    claims = select(Claim.expires_at).where(Claim.visit_id == visit)
    return {row(visit).deadline_at, *db.session.scalars(claims)}


def claimed(visit: int) -> set[int]:
    return set(db.session.scalars(select(Claim.resource_id).where(Claim.visit_id == visit)))


def how_many(kind: type[Visit] | type[Claim]) -> int:
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_time_is_kept_for_whoever_is_named(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    new = keep(client, w.at(2))
    assert (row(new).client_id, row(new).first_visit, row(new).source) == (client, True, "api")
    assert claimed(new) == {client, row(new).therapist_id, row(new).room_id}
    give_back(new, now=NOW)
    been = w.at_desk(world, client, "relaxation", when=w.at(0, 10)).visit_id or 0
    for status in ("arrived", "in_session", "done"):
        visits.mark_visit(
            been, VisitStatus(status), revision=row(been).revision, by=world.desk_id, now=w.at(0, 12)
        )
    again = keep(client, w.at(2))
    assert (row(again).client_id, row(again).first_visit) == (client, False)
    assert row(new).ends_at > row(again).ends_at, "the first visit takes longer"
    nobody = keep(None, w.at(3))
    assert (row(nobody).client_id, row(nobody).first_visit) == (None, True)
    assert claimed(nobody) == {row(nobody).therapist_id, row(nobody).room_id}


def test_for_somebody_unknown_nothing_is_kept(world: w.World) -> None:
    with pytest.raises(NotFound):
        keep(987_654, w.at(2))
    assert (how_many(Visit), how_many(Claim)) == (0, 0)


def test_it_is_kept_longer_while_somebody_works_but_not_for_ever(world: w.World) -> None:
    hold = keep(None, w.at(2))
    assert ends(hold) == {NOW + 10 * MINUTE}
    keep_longer(hold, now=NOW + 6 * MINUTE)
    assert ends(hold) == {NOW + 16 * MINUTE}, "the claims too, or somebody else could book it"
    for minute in (15, 24):
        keep_longer(hold, now=NOW + minute * MINUTE)
    longest = ends(hold)
    keep_longer(hold, now=NOW + 28 * MINUTE)
    assert ends(hold) == longest == {NOW + 30 * MINUTE}
    with pytest.raises(HoldExpired):
        keep_longer(hold, now=NOW + 30 * MINUTE)
    row(hold).deadline_at = None  # what has no end is no hold of a program's
    db.session.commit()
    with pytest.raises(HoldExpired):
        keep_longer(hold, now=NOW)


def test_given_back_it_is_free_and_stays_so(world: w.World) -> None:
    hold = keep(None, w.at(2))
    for _time in range(2):
        give_back(hold, now=NOW)
        assert (row(hold).status, how_many(Claim)) == ("released", 0)
    ended = db.session.execute(
        select(StatusChange.at, StatusChange.reason).where(StatusChange.status == "released")
    ).all()
    assert [tuple(one) for one in ended] == [(NOW, "left")], "once"
    with pytest.raises(HoldExpired):
        keep_longer(hold, now=NOW)


def test_what_is_no_programs_hold_is_left_alone(world: w.World) -> None:
    client = w.person()
    w.sign(client)
    booked = w.at_desk(world, client, "relaxation", when=w.at(3)).visit_id or 0
    row(booked).source = "api"
    db.session.commit()
    checkout.hold_slot(None, w.choice("relaxation"), w.at(3, 15), first_visit=True, user_id=None, now=NOW)
    by_hand = db.session.scalars(select(Visit.id).where(Visit.status == "held")).one()
    for visit in (booked, by_hand, 987_654):
        with pytest.raises(NotFound):
            give_back(visit, now=NOW)
    with pytest.raises(HoldExpired):
        keep_longer(booked, now=NOW)
    assert (row(booked).status, row(by_hand).status) == ("confirmed", "held")
