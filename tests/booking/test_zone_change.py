"""A place gets another time zone: what stands in the database before and after, and that the guards hold."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update

from clinic import cli
from clinic.booking.models import CheckinLink, Claim, Offer, RestPass, Screening, Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.services import _claims, time_off, visits, zone_change
from clinic.booking.services.couples import Half, book_couple
from clinic.booking.services.resting import RestSaid
from clinic.booking.services.zone_change import ZoneClash, change_zone, preview_zone
from clinic.catalogue import queries as catalogue
from clinic.cli import zones
from clinic.premises.models import Closure, Location, OpeningHours
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.wall_time import moment
from clinic.shared import rotation
from clinic.shared.audit import AuditRow
from clinic.shared.database import db, transaction
from clinic.shared.guards import missing_guards
from clinic.therapists.models import TimeOff, WorkingHours
from tests import factories
from tests.at_once import Deeds, deeds
from tests.booking import world as w
from tests.booking.world import healthy
from tests.conftest import NOW

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
LONDON = "Europe/London"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def here(app: Flask) -> w.World:
    made = w.build(therapists=2)
    with transaction() as session:  # around the clock
        session.execute(update(OpeningHours).values(opens=dt.time(), closes=dt.time()))
        session.execute(update(WorkingHours).values(starts=dt.time(), ends=dt.time()))
    return made


def booked(here: w.World, when: dt.datetime, client: int | None = None, **values: Any) -> int:
    values.setdefault("therapist_id", here.therapists[0])
    visit_id = w.at_desk(here, client or healthy(), "swedish", when=when, **values).visit_id
    assert visit_id is not None
    return visit_id


def times(kind: Any, *columns: str) -> dict[int, tuple[Any, ...]]:
    db.session.rollback()
    rows = db.session.scalars(select(kind).order_by(kind.id))
    return {row.id: tuple(getattr(row, one) for one in columns) for row in rows}


def claims() -> set[tuple[Any, ...]]:
    db.session.rollback()
    return {
        (row.resource_id, row.visit_id, row.starts_at, row.ends_at)
        for row in db.session.scalars(select(Claim))
    }


MOMENTS = ("starts_at", "ends_at", "free_at", "deadline_at")


LATER = w.at(1, 10, 30)


def full_book(here: w.World) -> dict[str, int]:
    """Two visits back to back, whose claims cross while they move; one waits, one has begun at LATER, one is cancelled;
    time off, of which one has begun too, and a closure."""
    ana, ben = here.therapists
    waiting = w.at_desk(here, w.person(), "swedish", when=w.at(6, 10)).visit_id
    found = {
        "begun": booked(here, w.at(1, 10)), "first": booked(here, w.at(3, 10)), "second": booked(here, w.at(3, 11, 30)),
        "gone": booked(here, w.at(4, 10)), "waiting": waiting or 0,
    }  # fmt: skip
    visits.cancel_visit(found["gone"], by=here.desk_id, by_clinic=True, now=NOW)
    time_off.add_time_off(ana, "off", w.at(3, 9), w.at(3, 14), "", by=here.desk_id, now=NOW)
    time_off.add_time_off(ben, "meeting", w.at(1, 9), w.at(1, 12), "", by=here.desk_id, now=NOW)
    time_off.add_closure(here.place_id, None, w.at(5, 0), w.at(6, 0), "Holiday", by=here.desk_id, now=NOW)
    return found


def earlier(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(at - 5 * HOUR if at else None for at in row)


def test_visits_move_with_all_that_hangs_on_them_and_stay_on_the_wall(here: w.World) -> None:
    book = full_book(here)
    link = CheckinLink(visit_id=book["first"], token_hash="h", made_at=NOW, expires_at=w.at(3, 10))
    link_id = factories.save(link).id
    offer = Offer(
        kind="given", visit_id=book["first"], starts_at=w.at(3, 10), ends_at=w.at(3, 11), expires_at=w.at(3, 10),
        token_hash="o", made_at=NOW,
    )  # fmt: skip
    offer_id = factories.save(offer).id
    before, judged, old_claims = times(Visit, *MOMENTS), times(Screening, "day", "judged_key"), claims()
    previewed = preview_zone("Main Street", LONDON, now=LATER)
    assert times(Visit, *MOMENTS) == before
    done = change_zone(str(here.place_id), LONDON, by=None, now=LATER)
    assert done.lines() == previewed.lines()
    begun = book["begun"]
    assert times(Visit, *MOMENTS) == {
        one: row if one == begun else earlier(row) for one, row in before.items()
    }
    for one, (day, wall, zone, starts) in times(Visit, "day", "local_time", "zone", "starts_at").items():
        assert zone == (w.ZONE if one == begun else LONDON)
        local = starts.astimezone(ZoneInfo(zone))
        assert (local.date(), local.time()) == (day, wall)
    assert [row[0] for row in times(Visit, "revision", "id").values() if row[1] == book["first"]] == [2]
    assert times(Screening, "day", "judged_key") == judged
    assert {row[1:] for row in claims() if row[1]} == {
        (one, *((starts, ends) if one == begun else earlier((starts, ends))))
        for _resource, one, starts, ends in old_claims
        if one
    }
    assert times(CheckinLink, "expires_at")[link_id] == earlier((w.at(3, 10),))
    assert times(Offer, "starts_at", "ends_at", "expires_at")[offer_id] == earlier(
        (w.at(3, 10), w.at(3, 11), w.at(3, 10))
    )
    assert not missing_guards(db.session())
    last = db.session.scalars(select(AuditRow).order_by(AuditRow.sequence.desc()).limit(1)).one()
    said = (last.deed, last.detail["was"], last.detail["zone"], last.detail["visits"])
    assert said == ("location.zone_changed", w.ZONE, LONDON, 4)


def test_time_off_and_closures_move_and_all_can_be_turned_back(here: w.World) -> None:
    """By an hour, and back: a claim that moves lands where the next one has not moved yet."""
    full_book(here)
    spans = {kind: times(kind, "starts_at", "ends_at") for kind in (TimeOff, Closure)}
    before, old_claims = times(Visit, *MOMENTS), claims()
    change_zone("Main Street", "America/Chicago", by=None, now=LATER)
    off, old = list(times(TimeOff, "starts_at", "ends_at").values()), list(spans[TimeOff].values())
    begun = old[1]
    assert off == [tuple(at + HOUR for at in old[0]), (begun[0], begun[1] + HOUR)]  # what has begun began
    assert list(times(Closure, "starts_at", "ends_at").values()) == [(w.at(5, 1), w.at(6, 1))]
    again = change_zone("Main Street", "America/Chicago", by=None, now=LATER)
    moved = [one.by for one in again.visits] + [one.by for one in (*again.time_off, *again.closures)]
    assert set(moved) == {dt.timedelta()}
    change_zone("Main Street", w.ZONE, by=None, now=LATER)
    assert times(Visit, *MOMENTS) == before
    assert claims() == old_claims
    assert {kind: times(kind, "starts_at", "ends_at") for kind in (TimeOff, Closure)} == spans


def test_time_off_and_closures_go_on_keeping_their_time_free(here: w.World) -> None:
    ana = here.therapists[0]
    visit = booked(here, w.at(3, 10))
    time_off.add_time_off(ana, "off", w.at(3, 9), w.at(3, 14), "", by=here.desk_id, now=NOW)
    change_zone("Main Street", LONDON, by=None, now=NOW)
    plan = catalogue.plan_for("swedish", None, (), 60, first_visit=False)
    assert plan is not None
    found = look(
        Ask(plan, here.place_id, w.TODAY + dt.timedelta(days=3), 1, NOW, therapist_id=ana, by_staff=True)
    )
    free = {moment(one.starts_at).astimezone(ZoneInfo(LONDON)).strftime("%H:%M") for one in found.starts()}
    assert {"07:45", "14:00"} <= free
    assert not {one for one in free if "07:45" < one < "14:00"}
    visits.cancel_visit(visit, by=here.desk_id, by_clinic=True, now=NOW)
    found = look(
        Ask(plan, here.place_id, w.TODAY + dt.timedelta(days=3), 1, NOW, therapist_id=ana, by_staff=True)
    )
    assert not {one for one in found.starts() if w.at(3, 4) <= moment(one.starts_at) < w.at(3, 9)}


def test_it_is_refused_whole_where_a_visit_could_not_take_place(here: w.World) -> None:
    ana, ben = here.therapists
    lord_howe = dt.datetime(2026, 10, 4, 2, 15, tzinfo=ZoneInfo(w.ZONE)).astimezone(dt.UTC)
    missing, soon = booked(here, lord_howe), booked(here, w.at(0, 11), therapist_id=ben)
    other = factories.make_location(zone=w.ZONE, name="Harbour")
    mine, theirs = booked(here, w.at(3, 10)), booked(here, w.at(3, 5), therapist_id=ana)
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == theirs).values(location_id=other.id))
    before, taken = times(Visit, *MOMENTS, "zone"), claims()
    with pytest.raises(ZoneClash) as london:
        change_zone("Main Street", LONDON, by=None, now=NOW)
    change = london.value.change
    assert [one.id for one in change.begun] == [soon]
    assert change.clashing == ((min(mine, theirs), max(mine, theirs)),)
    with pytest.raises(ZoneClash) as island:
        change_zone("Main Street", "Australia/Lord_Howe", by=None, now=NOW)
    assert [one.id for one in island.value.change.missing] == [missing]
    assert (times(Visit, *MOMENTS, "zone"), claims()) == (before, taken)
    assert db.session.get_one(Location, here.place_id).zone == w.ZONE
    for place, zone, error in (
        ("Nowhere", LONDON, NotFound), ("0", LONDON, NotFound), ("Main Street", "Mars/Olympus", InvalidInput),
    ):  # fmt: skip
        with pytest.raises(error):
            preview_zone(place, zone, now=NOW)


def test_a_time_that_exists_twice_is_listed_and_the_meant_one_taken(here: w.World) -> None:
    night = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(w.ZONE)).astimezone(dt.UTC)
    visit = booked(here, night)
    change = change_zone("Main Street", "Europe/Berlin", by=None, now=NOW)
    assert [one.id for one in change.twice] == [visit]
    assert times(Visit, "starts_at", "fold")[visit] == (dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), 0)


def test_new_rules_of_the_same_zone_are_worked_out_from_what_was_meant(
    here: w.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the country gave up summer time: what was typed as 10:00 stays 10:00."""
    ana = here.therapists[0]
    visit = booked(here, w.at(3, 10))
    time_off.add_time_off(ana, "off", w.at(4, 10), w.at(4, 12), "", by=here.desk_id, now=NOW)
    real = ZoneInfo
    monkeypatch.setattr(
        zone_change, "ZoneInfo", lambda key: real("Etc/GMT+5") if key == w.ZONE else real(key)
    )
    monkeypatch.setattr(zone_change, "wall_text", lambda at, _zone: at.astimezone(real("Etc/GMT+5")).replace(
        tzinfo=None).isoformat())  # fmt: skip
    change = change_zone("Main Street", w.ZONE, by=None, now=NOW)
    assert [one.by for one in change.visits] + [one.by for one in change.time_off] == [HOUR, HOUR]
    assert times(Visit, "starts_at")[visit] == (w.at(3, 11),)
    assert list(times(TimeOff, "starts_at", "ends_at").values()) == [(w.at(4, 11), w.at(4, 13))]


def test_a_couple_moves_with_its_room(here: w.World) -> None:
    w.add_room_for_two(here)
    halves = Half(healthy(), w.choice("swedish")), Half(healthy(), w.choice("swedish"))
    couple = book_couple(
        halves, w.at(3), request_key=None, source="desk", by=here.desk_id, now=NOW, reconfirmed=True
    )
    assert couple.couple_id is not None
    shared = select(Claim.starts_at).where(Claim.couple_id == couple.couple_id)
    assert db.session.scalars(shared).one() == w.at(3)
    change_zone("Main Street", "America/Chicago", by=None, now=NOW)
    assert db.session.scalars(shared).one() == w.at(3) + HOUR
    assert set(times(Visit, "starts_at").values()) == {(w.at(3) + HOUR,)}
    assert {starts for _resource, _visit, starts, _ends in claims()} == {w.at(3) + HOUR}


def test_a_passed_rest_is_still_passed(app: Flask) -> None:
    here = w.build(therapists=1, minds_rest=True)
    client = healthy()
    booked(here, w.at(3, 10), client)
    visit = visits.book_visit(
        w.choice("swedish"), client, w.at(3, 18), request_key="k", source="desk", by=here.desk_id, now=NOW,
        rest=RestSaid(reason="leaves the country", seen=""), reconfirmed=True,
    )  # fmt: skip
    if visit.visit_id is None:
        assert visit.rest is not None
        visit = visits.book_visit(
            w.choice("swedish"), client, w.at(3, 18), request_key="k", source="desk", by=here.desk_id, now=NOW,
            rest=RestSaid(reason="leaves the country", seen=visit.rest.seen), reconfirmed=True,
        )  # fmt: skip
    change_zone("Main Street", LONDON, by=None, now=NOW)
    starts = times(Visit, "starts_at")[visit.visit_id or 0][0]
    rows = db.session.scalars(select(RestPass).where(RestPass.starts_at == starts)).all()
    assert [row.reason for row in rows] == ["leaves the country"]


def test_the_command_previews_first(here: w.World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(here, w.at(3, 10))
    monkeypatch.setattr(zones, "make_working_app", lambda: app)
    run = CliRunner().invoke
    shown = run(cli.main, ["zone", "change", "Main Street", LONDON])
    assert shown.exit_code == 0, shown.output
    assert "1 visit: the moment moves 5 hours earlier" in shown.output
    assert "To do it, add --apply" in shown.output
    assert db.session.get_one(Location, here.place_id).zone == w.ZONE
    done = run(cli.main, ["zone", "change", "Main Street", LONDON, "--apply"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "Done.")
    db.session.rollback()
    assert db.session.get_one(Location, here.place_id).zone == LONDON
    booked(here, w.at(0, 14))
    refused = run(cli.main, ["zone", "change", "Main Street", "Asia/Tokyo", "--apply"])
    assert refused.exit_code == 1
    assert "WOULD ALREADY HAVE BEGUN" in refused.output
    assert run(cli.main, ["zone", "change", "Main Street", "Moon"]).exit_code == 1


def test_a_visit_that_is_being_booked_meanwhile_moves_too(
    here: w.World, app: Flask, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zones, "make_working_app", lambda: app)
    client, said = healthy(), []

    def change() -> None:
        said.append(CliRunner().invoke(cli.main, ["zone", "change", "Main Street", LONDON, "--apply"]))

    deeds.stop_in(_claims, "lock_in_order")  # the zone was read, nothing is written yet
    assert deeds.do(lambda: booked(here, w.at(3, 10), client), change) == ("done", "done")
    assert (said[0].exit_code, said[0].output.splitlines()[-1]) == (0, "Done.")
    visit = db.session.scalars(select(Visit).where(Visit.client_id == client)).one()
    assert (visit.zone, visit.starts_at, visit.local_time) == (LONDON, w.at(3, 10) - 5 * HOUR, dt.time(10))
    taken = db.session.scalars(select(Claim.starts_at).where(Claim.visit_id == visit.id)).all()
    assert set(taken) == {visit.starts_at}


def test_the_command_says_when_it_could_not_wait_for_all(
    here: w.World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zones, "make_working_app", lambda: app)
    monkeypatch.setattr(rotation, "are_all_over", lambda _seconds: False)
    found = CliRunner().invoke(cli.main, ["zone", "change", "Main Street", LONDON, "--apply"])
    assert found.exit_code == 1
    assert "run this again when it is over" in found.output


def test_the_command_says_that_the_zone_is_changed_where_what_came_late_cannot_move(
    here: w.World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at ten o'clock: one was booked by the new clock, the other by somebody who had still read the old one."""
    monkeypatch.setattr(zones, "make_working_app", lambda: app)

    def meanwhile(_seconds: float) -> bool:
        db.session.rollback()
        booked(here, w.at(3, 10) - 5 * HOUR)
        late = booked(here, w.at(3, 10))
        with transaction() as session:
            by_old_clock = {"zone": w.ZONE, "local_time": dt.time(10), "fold": 0}
            session.execute(update(Visit).where(Visit.id == late).values(**by_old_clock))
        return True

    monkeypatch.setattr(rotation, "are_all_over", meanwhile)
    found = CliRunner().invoke(cli.main, ["zone", "change", "Main Street", LONDON, "--apply"])
    assert found.exit_code == 1
    assert "The zone is changed" in found.output
    db.session.rollback()
    assert db.session.get_one(Location, here.place_id).zone == LONDON
