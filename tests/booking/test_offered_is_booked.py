"""What is offered can be booked, and what can be booked is offered: every start of a day is tried, through the door of
programs, whose offers are bound by all rules of booking online."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from clinic.accounts.queries import hash_of
from clinic.booking.models import Visit
from clinic.booking.queries.bookable import Wish
from clinic.booking.services import holds, offering, time_off, visits
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import RestSaid
from clinic.booking.services.series import book_series
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.services.series_plan import plan_starts
from clinic.booking.services.series_starts import OneStart
from clinic.catalogue.models import Service
from clinic.clients.models import Client
from clinic.premises.models import Clinic, Location
from clinic.rules.errors import RuleViolation, SlotTaken
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared.database import db, transaction
from clinic.therapists.models import Therapist, WorkingHours
from tests import factories
from tests.booking import world as w
from tests.booking.world import healthy
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

DAY = w.TODAY + dt.timedelta(days=3)
ZONE = ZoneInfo(w.ZONE)
GRID = [dt.time(minute // 60, minute % 60) for minute in range(8 * 60, 15 * 60, 30)]
BLOCKED = {"bleeding_disorder": {"type": "haemophilia", "bleed_last_4_weeks": False}}
SERVICES = ("swedish", "deep_tissue")


def at(wall: dt.time, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, wall, ZONE).astimezone(dt.UTC)


@pytest.fixture
def team(app: Flask) -> list[int]:
    return a_team()


def a_team() -> list[int]:
    """Two therapists and two rooms, open from nine to half past two; an hour is booked on the half hour."""
    factories.make_clinic(lead_time_minutes=60, slot_step_minutes=30, minds_rest=True)
    place = factories.make_location(zone=w.ZONE, opens="09:00", closes="14:30")
    for number in (1, 2):
        factories.make_room(place, name=f"Room {number}")
    for key in SERVICES:
        factories.make_service(key=key, prices={60: 9000}, first_visit_minutes=30)
    found = []
    for name in ("Ana", "Ben"):
        one = factories.make_therapist(name=name, skills=w.SKILLS)
        factories.make_hours(one, place, starts="09:00", ends="14:30", weekdays=range(7))
        factories.make_hours(one, place, starts="12:00", ends="12:30", weekdays=range(7), kind="break")
        found.append(one.id)
    return found


def offered(client: int, service: str = "swedish", therapist: int | None = None) -> list[dt.datetime]:
    wish = Wish(service, 60, None, (), ("upper_back",), DAY, 1, therapist, client)
    return [moment(one.starts_at) for one in offering.starts(wish, now=NOW).starts]


def book(
    client: int, starts_at: dt.datetime, service: str = "swedish", therapist: int | None = None
) -> int | None:
    choice = Choice(service, 60, areas=("upper_back",), therapist_id=therapist)
    try:
        return visits.book_visit(
            choice, client, starts_at, request_key=None, source="api", by=None, now=NOW,
            rest=RestSaid(books_anyway=True), reconfirmed=True,
        ).visit_id  # fmt: skip
    except RuleViolation:
        return None


def bookable(
    client: int, service: str = "swedish", therapist: int | None = None, grid: Sequence[dt.time] = GRID
) -> list[dt.datetime]:
    """Every start that can be booked: booked, and given up again."""
    found = []
    for starts_at in map(at, grid):
        visit = book(client, starts_at, service, therapist)
        if visit is not None:
            found.append(starts_at)
            assert visits.cancel_visit(visit, by=None, by_clinic=True, now=NOW) is VisitStatus.CANCELLED
    return found


def test_every_client_is_offered_what_they_can_book(team: list[int]) -> None:
    ana, _ben = team
    new = healthy()
    halfway = healthy()  # their first visit is at ten: one that comes before it takes longer
    assert book(halfway, at(dt.time(10)), therapist=ana)
    apart = healthy()
    factories.make_never_together(db.session.get_one(Client, apart), db.session.get_one(Therapist, ana))
    refused = w.person()
    w.sign_answers(refused, BLOCKED)
    soon = healthy()  # the day after deep work on the same area: staff are warned, and book
    assert book(soon, at(dt.time(13), DAY - dt.timedelta(days=1)), "deep_tissue")
    people = {"new": new, "halfway": halfway, "apart": apart, "soon": soon}
    seen = {name: offered(client) for name, client in people.items()}
    assert {name: bookable(client) for name, client in people.items()} == seen
    longer = [at(dt.time(*one)) for one in ((9, 0), (9, 30), (10, 0), (10, 30), (12, 30), (13, 0))]
    assert (seen["new"], seen["apart"]) == (longer, longer)
    assert seen["halfway"] == [*longer[4:], at(dt.time(13, 30))]
    assert seen["soon"] == sorted([*longer, at(dt.time(11)), at(dt.time(13, 30))])
    assert offered(refused, "deep_tissue") == bookable(refused, "deep_tissue") == []
    assert offered(apart, therapist=ana) == bookable(apart, therapist=ana, grid=[dt.time(9)]) == []


def test_a_made_up_book_offers_what_can_be_booked(team: list[int]) -> None:
    """Time off that overlaps, a closed room, visits of others: drawn from a seed."""
    draw = random.Random(20261126)
    desk = factories.make_user(email="d@clinic.example", roles=[]).id
    for therapist in team:
        for _ in range(2):
            first = draw.choice(GRID)
            time_off.add_time_off(
                therapist, "other", at(first), at(first) + dt.timedelta(minutes=draw.choice([20, 45])), "",
                by=desk, now=NOW,
            )  # fmt: skip
    for _ in range(3):
        book(healthy(), at(draw.choice(GRID)), draw.choice(SERVICES), draw.choice([None, *team]))
    client = healthy()
    total = 0
    for whom in (None, *team):
        found = offered(client, therapist=whom)
        assert found == bookable(client, therapist=whom)
        total += len(found)
    assert 0 < total < 3 * len(GRID)


def test_stricter_settings_bind_offers_and_bookings_alike(team: list[int]) -> None:
    """Limits of a therapist, no unusable gaps, more notice from new clients, a service for known ones."""
    ana, ben = team
    known, new = healthy(), healthy()
    earlier = book(known, at(dt.time(9), DAY - dt.timedelta(days=2)), therapist=ben)
    assert earlier is not None
    with transaction() as session:
        session.execute(update(Visit).where(Visit.id == earlier).values(status="done"))
        session.execute(update(Clinic).values(gaps="only", new_lead_time_minutes=3 * 1440 + 120))
        limited = session.get_one(Therapist, ana)
        limited.most_minutes_a_day, limited.most_intense_minutes_a_day = 150, 90
        session.get_one(Therapist, ben).pause_minutes, limited.most_visits_a_day = 40, 2
        session.execute(
            update(Service)
            .where(Service.key == "deep_tissue")
            .values(is_intense=True, known_clients_only=True)
        )
    assert book(healthy(), at(dt.time(10, 30)), therapist=ana) is None  # new: three days and two hours before
    assert visits.book_visit(
        Choice("deep_tissue", 60, areas=("upper_back",), therapist_id=ana), healthy(), at(dt.time(12, 30)),
        request_key="desk", source="desk", by=factories.make_user(email="d@clinic.example", roles=[]).id, now=NOW,
    ).visit_id  # fmt: skip
    seen = {}
    for client, service, whom in (
        (known, "swedish", None), (known, "swedish", ana), (known, "deep_tissue", ana), (known, "deep_tissue", ben),
        (new, "swedish", ben), (new, "deep_tissue", None),
    ):  # fmt: skip
        seen[client, service, whom] = offered(client, service, whom)
        assert seen[client, service, whom] == bookable(client, service, whom), (service, whom)
    assert seen[new, "deep_tissue", None] == seen[known, "deep_tissue", ana] == []
    assert seen[known, "swedish", ana]
    assert seen[known, "swedish", None]
    assert not set(seen[new, "swedish", ben]) & {at(dt.time(9)), at(dt.time(10, 30))}


def test_times_without_a_gap_are_those_of_the_clinic_whoever_asks(team: list[int]) -> None:
    """Which starts leave no hole does not hang on the person's own visits, nor on a first visit taking longer."""
    ana, ben = team
    with transaction() as session:
        session.execute(update(Clinic).values(gaps="only", slot_step_minutes=15, lead_time_minutes=0))
        session.execute(update(Service).values(first_visit_minutes=15, turnover_minutes=0))
        session.execute(delete(WorkingHours).where(WorkingHours.kind == "break"))
        place = session.scalars(select(Location.id)).one()
    desk = factories.make_user(email="d@clinic.example", roles=[]).id
    time_off.add_time_off(ana, "off", at(dt.time(12, 30)), at(dt.time(14, 30)), "", by=desk, now=NOW)
    time_off.add_closure(place, None, at(dt.time(12, 15)), at(dt.time(12, 30)), "Repair", by=desk, now=NOW)
    halfway = healthy()
    grid = [dt.time(minute // 60, minute % 60) for minute in range(9 * 60, 14 * 60, 15)]
    assert book(halfway, at(dt.time(10)), therapist=ben)
    new = healthy()
    assert offered(halfway, therapist=ana) == bookable(halfway, therapist=ana, grid=grid) == []
    free = offered(new)
    assert bookable(new, grid=grid) == free
    kept = []
    for starts_at in map(at, grid):
        try:
            wish = Choice("swedish", 60, areas=("upper_back",))
            hold = holds.keep_time(wish, starts_at, client_id=new, source="api", by=None, now=NOW)
        except SlotTaken:
            continue
        kept.append(starts_at)
        holds.give_back(hold, now=NOW)
    assert kept == free


def test_a_move_is_offered_only_to_days_on_which_the_visit_could_stand(
    app: Flask, team: list[int], now: dt.datetime
) -> None:
    """The answers hold for two more days after the visit; after that somebody has to ask again."""
    signed = NOW - dt.timedelta(days=365 - 5)
    person, fine = w.person(), healthy()
    w.sign(person, now=signed)
    for client, last in ((person, w.TODAY + dt.timedelta(days=5)), (fine, w.TODAY + dt.timedelta(days=13))):
        visit = book(client, at(dt.time(9 if client == person else 13)))
        assert visit is not None
        with transaction() as session:
            session.get_one(Visit, visit).manage_hash = hash_of(f"key{client}")
        address = f"/visit/key{client}/move"
        asked = [w.TODAY + dt.timedelta(days=more) for more in range(14)]
        pages = {day: app.test_client().get(f"{address}?day={day.isoformat()}").text for day in asked}
        on = {
            day: set(re.findall(rf'name="slot" value="({day.isoformat()}T[^"]+)"', page))
            for day, page in pages.items()
        }
        assert [day for day in asked if on[day]] == [day for day in asked if day <= last]
        assert ("Some days are left out" in pages[last]) == (client == person)
        for day in (last + dt.timedelta(days=1), last)[client == fine :]:
            sent = {"slot": at(dt.time(10), day).strftime("%Y-%m-%dT%H:%MZ"), "revision": "1", "sure": "1"}
            assert app.test_client().post(address, data=sent).status_code == (303 if day <= last else 409)


def test_time_off_under_a_visit_is_not_offered_for_its_move(
    app: Flask, team: list[int], now: dt.datetime
) -> None:
    """Where the visit stands, what is off or shut under it is not claimed: it can be moved out of it, not within it."""
    ana, _ben = team
    desk = factories.make_user(email="d@clinic.example", roles=[]).id
    visit = book(healthy(), at(dt.time(9, 30)), therapist=ana) or 0
    with transaction() as session:
        session.get_one(Visit, visit).manage_hash = hash_of("key")
        place = session.scalars(select(Location.id)).one()
    time_off.add_time_off(ana, "off", at(dt.time(9)), at(dt.time(10, 30)), "", by=desk, now=NOW)
    time_off.add_closure(place, None, at(dt.time(10, 30)), at(dt.time(11)), "Repair", by=desk, now=NOW)
    page = app.test_client().get(f"/visit/key/move?day={DAY.isoformat()}").text
    shown = set(re.findall(rf'name="slot" value="({DAY.isoformat()}T[^"]+)"', page))
    moved = []
    for start in map(at, GRID):
        revision = db.session.get_one(Visit, visit).revision
        db.session.rollback()
        try:
            visits.change_visit(visit, revision=revision, starts_at=start, by=None, by_client=True, now=NOW)
        except RuleViolation:
            continue
        moved.append(start)
    assert moved == [at(dt.time(12, 30)), at(dt.time(13))]
    assert shown == {one.strftime("%Y-%m-%dT%H:%MZ") for one in moved}


def moved_to(
    visit: int, grid: Sequence[dt.time], day: dt.date = DAY, choice: Choice | None = None
) -> list[dt.datetime]:
    """The starts at which a program can put this visit, tried one after the other. It is moved about by that, and its
    own place is never in its way."""
    found = []
    for start in (at(wall, day) for wall in grid):
        revision = db.session.get_one(Visit, visit).revision
        db.session.rollback()
        try:
            done = visits.change_visit(
                visit, revision=revision, starts_at=start, choice=choice, by=None, by_program=True, now=NOW,
                rest=RestSaid(books_anyway=True),
            )  # fmt: skip
        except RuleViolation:
            continue
        if done.visit_id is not None:
            found.append(start)
    return found


def offered_for(visit: int, *, days: int = 1, length: int = 60, **values: object) -> list[dt.datetime]:
    wish = Wish("swedish", length, None, (), (), DAY, days, None, None, visit_id=visit)
    found = offering.starts(replace(wish, **values), now=NOW).starts  # type: ignore[arg-type]
    return [moment(one.starts_at) for one in found]


@pytest.mark.parametrize("gaps", ["any", "only"])
def test_a_program_moves_a_visit_to_what_it_is_offered(team: list[int], gaps: str) -> None:
    """By the rules for booking: step, gaps, time off under the visit, the therapist who was asked for, or anybody."""
    ana, ben = team
    desk = factories.make_user(email="d@clinic.example", roles=[]).id
    assert book(healthy(), at(dt.time(12, 30)), therapist=ana)
    visit = book(healthy(), at(dt.time(9, 30)), therapist=ana) or 0
    anybodys = book(healthy(), at(dt.time(9))) or 0
    with transaction() as session:
        session.execute(update(Clinic).values(gaps=gaps))
        place = session.scalars(select(Location.id)).one()
    time_off.add_closure(place, None, at(dt.time(9)), at(dt.time(9, 50)), "Repair", by=desk, now=NOW)
    time_off.add_time_off(ben, "off", at(dt.time(10)), at(dt.time(12)), "", by=desk, now=NOW)
    grid = [dt.time(minute // 60, minute % 60) for minute in range(8 * 60, 15 * 60, 15)]
    seen = {}
    for one, whom in ((visit, None), (visit, ben), (anybodys, None)):
        choice = Choice("swedish", 60, areas=("upper_back",), therapist_id=whom) if whom else None
        seen[one, whom] = offered_for(one, therapist_id=whom)
        assert seen[one, whom] == moved_to(one, grid, choice=choice), (one, whom)
    assert all(seen.values())
    assert at(dt.time(9, 30)) not in seen[visit, None]  # closed: it stands there, and would not come back
    assert offering.reasons(
        Wish("swedish", 60, None, (), (), DAY, 1, None, None, visit_id=anybodys), now=NOW
    ).free == len(offered_for(anybodys))


def test_a_program_is_bound_in_time_when_it_moves_and_not_when_the_visit_stays(team: list[int]) -> None:
    ana, ben = team
    with transaction() as session:
        session.execute(update(Clinic).values(lead_time_minutes=4 * 1440, horizon_days=4))
    desk = factories.make_user(email="d@clinic.example", roles=[]).id
    visit = visits.book_visit(
        Choice("swedish", 60, areas=("upper_back",), therapist_id=ana), healthy(), at(dt.time(9, 5)),
        request_key="desk", source="desk", by=desk, now=NOW, reconfirmed=True,
    ).visit_id or 0  # fmt: skip
    on = [DAY + dt.timedelta(days=more) for more in range(3)]
    free = offered_for(visit, days=3)
    assert {one.astimezone(ZONE).date() for one in free} == {on[1]}  # after the notice, within the horizon
    assert [one for day in on for one in moved_to(visit, GRID, day)] == free
    with transaction() as session:  # too near for a new time: another therapist at its own is no new time
        session.execute(update(Clinic).values(lead_time_minutes=9 * 1440))
        start, revision = session.get_one(Visit, visit).starts_at, session.get_one(Visit, visit).revision
    choice = Choice("swedish", 60, areas=("upper_back",), therapist_id=ben)
    for starts_at in (None, start):
        done = visits.change_visit(
            visit, revision=revision, starts_at=starts_at, choice=choice, by=None, by_program=True, now=NOW
        )
        assert done.facts is not None
        assert (done.facts.starts_at, done.facts.therapist_id) == (start, ben)
        revision = done.facts.revision


def test_a_confirmed_visit_is_offered_no_day_on_which_it_would_wait(team: list[int]) -> None:
    signed = NOW - dt.timedelta(days=365 - 4)
    person = w.person()
    w.sign(person, now=signed)
    visit = book(person, at(dt.time(9))) or 0
    free = offered_for(visit, days=4)
    assert {one.astimezone(ZONE).date() for one in free} == {DAY, DAY + dt.timedelta(days=1)}
    assert moved_to(visit, GRID, DAY + dt.timedelta(days=2)) == []
    assert moved_to(visit, GRID, DAY + dt.timedelta(days=1)) == [
        one for one in free if one >= at(dt.time(0), DAY + dt.timedelta(days=1))
    ]


def test_what_is_no_longer_on_offer_can_be_moved_and_is_offered_for_that(team: list[int]) -> None:
    visit = book(healthy(), at(dt.time(9)), therapist=team[0]) or 0
    with transaction() as session:
        session.execute(update(Service).values(is_active=False))
    assert offered_for(visit)
    assert offered_for(visit) == moved_to(visit, GRID)


@pytest.mark.parametrize("rule", [{"gaps": "only"}, {"new_lead_time_minutes": 5 * 1440}])
def test_a_series_by_a_program_begins_at_what_it_is_offered(team: list[int], rule: dict[str, object]) -> None:
    ana, _ben = team
    assert book(healthy(), at(dt.time(10)), therapist=ana)
    with transaction() as session:
        session.execute(update(Clinic).values(**rule, slot_step_minutes=15, horizon_days=5))
    client = healthy()
    walls = [dt.time(minute // 60, minute % 60) for minute in range(9 * 60, 14 * 60, 15)]
    for day in (DAY, DAY + dt.timedelta(days=2)):
        free = [
            moment(one.starts_at)
            for one in offering.starts(
                Wish("swedish", 60, None, (), ("upper_back",), day, 1, ana, client), now=NOW
            ).starts
        ]
        fits, booked = [], []
        choice = Choice("swedish", 60, areas=("upper_back",), therapist_id=ana)
        for start in (at(wall, day) for wall in walls):
            one = [OneStart(start, ana)]
            planned = plan_starts(choice, client, one, source="api", now=NOW)
            fits += [start] if planned[0].fits else []
            try:
                done = book_series(
                    choice, client, one, every_weeks=2, request_key=None, source="api", by=None, now=NOW,
                    reconfirmed=True,
                )  # fmt: skip
            except RuleViolation:
                continue
            booked.append(start)
            cancel_rest(done.series_id or 0, by=None, by_clinic=True, now=NOW)
        assert fits == booked == free
        if free and "gaps" not in rule:  # the second one lies beyond the horizon: it follows the first
            far = [OneStart(free[0], ana), OneStart(free[0] + dt.timedelta(days=14), ana)]
            assert all(one.fits for one in plan_starts(choice, client, far, source="api", now=NOW))
            assert book_series(
                choice, client, far, every_weeks=2, request_key=None, source="api", by=None, now=NOW, reconfirmed=True
            ).series_id  # fmt: skip
