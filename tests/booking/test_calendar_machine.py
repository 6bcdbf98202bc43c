"""The book and a model of it that knows nothing of intervals, indexes or transactions go through the same days: visits
and couples booked, moved, cancelled, time off entered and taken back, in any order. After each step they say the same.

A few steps here; `make soak` takes ten thousand on each database (CLINIC_MACHINE_RUNS).
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from clinic.booking.models import Claim, Visit
from clinic.booking.queries.availability import Ask, look
from clinic.booking.queries.couples import look_for_two
from clinic.booking.services import couple_changes, time_off, visits
from clinic.booking.services.couples import Half, asks_for_two, book_couple
from clinic.catalogue.models import Service
from clinic.catalogue.queries import plan_for
from clinic.premises.models import Clinic, Room
from clinic.rules.errors import SlotTaken
from clinic.rules.wall_time import moment
from clinic.shared.database import db, transaction
from tests.booking import world as w
from tests.conftest import NOW

SERVICE, MINUTES, TURNOVER, STEP = "relaxation", 60, 15, 15
OPENS, CLOSES = 8 * 60, 20 * 60
RUNS, STEPS = int(os.environ.get("CLINIC_MACHINE_RUNS", "2")), 12
STARTS = st.integers(0, 16).map(lambda number: OPENS + STEP * number)  # a crowded morning
_days = itertools.count(3)


@dataclass(frozen=True)
class Booked:
    """A visit in the model: minutes of its day."""

    therapist: int
    room: int
    client: int
    start: int
    couple: int | None = None

    def minutes_of(self, resource: int) -> range:
        """The minutes for which it keeps this resource busy."""
        length = {self.client: MINUTES}.get(resource, MINUTES + TURNOVER)
        return range(self.start, self.start + length) if resource in self.all else range(0)

    @property
    def all(self) -> tuple[int, int, int]:
        """Whom and what it needs."""
        return self.therapist, self.room, self.client

    @property
    def own(self) -> tuple[int, ...]:
        """What it claims itself: the room of a couple is claimed by both together."""
        return self.all if self.couple is None else (self.therapist, self.client)


@dataclass(frozen=True)
class Place:
    """Where the machine works."""

    desk: int
    location: int
    therapists: tuple[int, ...]
    rooms: tuple[int, ...]
    room_for_two: int
    clients: tuple[int, ...]


class Calendar(RuleBasedStateMachine):
    """One day that nobody has used yet, in the book and in the model."""

    place: Place

    def __init__(self) -> None:
        super().__init__()
        self.day = next(_days)
        self.visits: dict[int, Booked] = {}
        self.off: dict[int, tuple[int, range]] = {}

    # ── the model ──

    def free(self, resource: int, wanted: range, *, but: Iterable[int] = ()) -> bool:
        """Whether the resource has nothing to do in any of these minutes."""
        busy = {
            minute
            for key, one in self.visits.items()
            if key not in but
            for minute in one.minutes_of(resource)
        }
        busy |= {minute for therapist, span in self.off.values() if therapist == resource for minute in span}
        return busy.isdisjoint(wanted)

    def therapists_at(self, start: int, among: Iterable[int], *, but: Iterable[int] = ()) -> set[int]:
        """Which of these could begin then, in a room."""
        claim = range(start, start + MINUTES + TURNOVER)
        if not any(self.free(room, claim, but=but) for room in self.place.rooms):
            return set()
        return {one for one in among if self.free(one, claim, but=but)}

    def can_come_as_two(self, start: int, people: Iterable[int], *, but: Iterable[int] = ()) -> bool:
        """Whether both could begin then, each with a therapist, in the room that has two tables."""
        claim = range(start, start + MINUTES + TURNOVER)
        return (
            self.free(self.place.room_for_two, claim, but=but)
            and all(self.free(one, range(start, start + MINUTES), but=but) for one in people)
            and sum(self.free(one, claim, but=but) for one in self.place.therapists) > 1
        )

    def alone(self) -> list[int]:
        """The visits that belong to no couple, by when they were written: numbers are others next time."""
        return [key for key, one in self.visits.items() if one.couple is None]

    def couples(self) -> dict[int, list[int]]:
        """The two visits of each couple, by when they were written."""
        found: dict[int, list[int]] = {}
        for key, one in self.visits.items():
            if one.couple is not None:
                found.setdefault(one.couple, []).append(key)
        return found

    # ── what people do ──

    @rule(start=STARTS, client=st.integers(0, 2), therapist=st.integers(0, 3))
    def book(self, start: int, client: int, therapist: int) -> None:
        """Somebody books with one therapist, or with anybody."""
        client_id = self.place.clients[client]
        named = self.place.therapists[therapist] if therapist < len(self.place.therapists) else None
        could = self.therapists_at(start, [named] if named else self.place.therapists)
        if not self.free(client_id, range(start, start + MINUTES)):
            could = set()
        try:
            visit = visits.book_visit(
                w.choice(SERVICE, therapist_id=named), client_id, self.moment(start),
                request_key=f"m{w.new_number()}", source="desk", by=self.place.desk, now=NOW, reconfirmed=True,
            ).visit_id  # fmt: skip
        except SlotTaken:
            assert could == set()
            return
        self.note(visit, could)

    @precondition(lambda self: self.alone())
    @rule(start=STARTS, which=st.integers(0, 99))
    def move(self, start: int, which: int) -> None:
        """A visit is moved; its therapist stays where that can be."""
        alone = self.alone()
        key = alone[which % len(alone)]
        old = self.visits[key]
        could = self.therapists_at(start, self.place.therapists, but=[key])
        if not self.free(old.client, range(start, start + MINUTES), but=[key]):
            could = set()
        revision = db.session.scalars(select(Visit.revision).where(Visit.id == key)).one()
        db.session.rollback()
        try:
            visits.change_visit(
                key, revision=revision, starts_at=self.moment(start), by=self.place.desk, now=NOW
            )
        except SlotTaken:
            assert old.therapist not in could
            return
        del self.visits[key]
        self.note(key, could)

    @precondition(lambda self: self.alone())
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        """A visit is called off."""
        alone = self.alone()
        key = alone[which % len(alone)]
        visits.cancel_visit(key, by=self.place.desk, by_clinic=True, now=NOW)
        del self.visits[key]

    @rule(start=STARTS, left_out=st.integers(0, 2))
    def book_two(self, start: int, left_out: int) -> None:
        """Two people book together: both get a place, or neither."""
        people = self.people_but(left_out)
        could = self.can_come_as_two(start, people)
        try:
            couple = book_couple(
                self.halves(people), self.moment(start), request_key=None, source="desk",
                by=self.place.desk, now=NOW, reconfirmed=True,
            ).couple_id  # fmt: skip
        except SlotTaken:
            assert not could
            return
        assert could
        self.note_two(couple)

    @precondition(lambda self: self.couples())
    @rule(start=STARTS, which=st.integers(0, 99))
    def move_two(self, start: int, which: int) -> None:
        """A couple is moved: both, or neither."""
        couple, pair = list(self.couples().items())[which % len(self.couples())]
        could = self.can_come_as_two(start, [self.visits[key].client for key in pair], but=pair)
        try:
            couple_changes.move_couple(couple, self.moment(start), by=self.place.desk, now=NOW)
        except SlotTaken:
            assert not could
            return
        assert could
        for key in pair:
            del self.visits[key]
        self.note_two(couple)

    @precondition(lambda self: self.couples())
    @rule(which=st.integers(0, 99))
    def cancel_two(self, which: int) -> None:
        """A couple calls off."""
        couple, pair = list(self.couples().items())[which % len(self.couples())]
        couple_changes.cancel_couple(couple, by=self.place.desk, by_clinic=True, now=NOW)
        for key in pair:
            del self.visits[key]

    @rule(start=STARTS, steps=st.integers(1, 8), therapist=st.integers(0, 2))
    def enter_time_off(self, start: int, steps: int, therapist: int) -> None:
        """A therapist is away: nothing new, and what is booked stays."""
        therapist_id, end = self.place.therapists[therapist], start + STEP * steps
        row = time_off.add_time_off(
            therapist_id, "off", self.moment(start), self.moment(end), "", by=self.place.desk, now=NOW
        )
        self.off[row] = therapist_id, range(start, end)

    @precondition(lambda self: self.off)
    @rule(which=st.integers(0, 99))
    def take_time_off_back(self, which: int) -> None:
        """The therapist is there after all."""
        row = list(self.off)[which % len(self.off)]
        time_off.remove_time_off(row, self.off.pop(row)[0], by=self.place.desk, now=NOW)

    # ── what must be so after each ──

    @invariant()
    def the_same_times_are_free(self) -> None:
        plan = plan_for(SERVICE, None, (), MINUTES, first_visit=False)
        assert plan is not None
        day = w.TODAY + dt.timedelta(days=self.day)
        found = look(Ask(plan, self.place.location, day, 1, NOW)).starts()
        db.session.rollback()
        offered = {moment(one.starts_at): set(one.therapists) for one in found}
        expected = {
            self.moment(start): could
            for start in range(OPENS, CLOSES - MINUTES + 1, STEP)
            if (could := self.therapists_at(start, self.place.therapists))
        }
        assert offered == expected

    @invariant()
    def the_same_times_are_free_for_two(self) -> None:
        people = self.people_but(2)
        day = w.TODAY + dt.timedelta(days=self.day)
        found = look_for_two(*asks_for_two(self.halves(people), day, 1, by_staff=False, now=NOW)).starts()
        db.session.rollback()
        assert [moment(one.starts_at) for one in found] == [
            self.moment(start)
            for start in range(OPENS, CLOSES - MINUTES + 1, STEP)
            if self.can_come_as_two(start, people)
        ]
        for couple, pair in self.couples().items():
            free = couple_changes.times_to_move(couple, day, now=NOW)
            assert free is not None
            offered = {moment(one.starts_at) for one in free.starts()}
            db.session.rollback()
            theirs = [self.visits[key].client for key in pair]
            for start in range(OPENS, CLOSES - MINUTES + 1, STEP):
                assert (self.moment(start) in offered) == self.can_come_as_two(start, theirs, but=pair)

    @invariant()
    def the_same_is_claimed(self) -> None:
        first = self.moment(0)
        rows = db.session.execute(
            select(Claim.visit_id, Claim.couple_id, Claim.resource_id, Claim.starts_at, Claim.ends_at).where(
                Claim.visit_id.is_not(None) | Claim.couple_id.is_not(None),
                Claim.starts_at >= first,
                Claim.starts_at < first + dt.timedelta(1),
            )
        )
        claimed = {tuple(row) for row in rows}
        db.session.rollback()
        of_visits = {
            (key, None, resource, self.moment(minutes.start), self.moment(minutes.stop))
            for key, one in self.visits.items()
            for resource in one.own
            for minutes in (one.minutes_of(resource),)
        }
        of_couples = {
            (None, one.couple, one.room, self.moment(minutes.start), self.moment(minutes.stop))
            for one in self.visits.values()
            if one.couple is not None
            for minutes in (one.minutes_of(one.room),)
        }
        assert claimed == of_visits | of_couples

    def moment(self, minute: int) -> dt.datetime:
        return w.at(self.day, minute // 60, minute % 60)

    def people_but(self, left_out: int) -> tuple[int, int]:
        one, other = (client for at, client in enumerate(self.place.clients) if at != left_out)
        return one, other

    def halves(self, people: tuple[int, int]) -> tuple[Half, Half]:
        """The same treatment for both, each by anybody."""
        one, other = (Half(client, w.choice(SERVICE, areas=("upper_back",))) for client in people)
        return one, other

    def note(self, key: int | None, could: set[int]) -> None:
        """What the book chose must have been free; the model then holds it too."""
        assert key is not None
        one = self.as_booked(key)
        assert one.therapist in could
        assert self.free(one.room, one.minutes_of(one.room))
        self.visits[key] = one

    def note_two(self, couple: int | None) -> None:
        """The same for a couple: two therapists, who were free, and the room with two tables."""
        assert couple is not None
        keys = db.session.scalars(select(Visit.id).where(Visit.couple_id == couple).order_by(Visit.id)).all()
        pair = {key: self.as_booked(key) for key in keys}
        assert {one.room for one in pair.values()} == {self.place.room_for_two}
        assert len({one.therapist for one in pair.values()}) == 2
        assert all(self.free(what, one.minutes_of(what)) for one in pair.values() for what in one.all)
        self.visits.update(pair)

    def as_booked(self, key: int) -> Booked:
        """A visit of the book as the model holds it."""
        row = db.session.get_one(Visit, key)
        wall = row.starts_at.astimezone(ZoneInfo(w.ZONE))
        assert row.client_id is not None
        one = Booked(
            row.therapist_id, row.room_id, row.client_id, wall.hour * 60 + wall.minute, row.couple_id
        )
        db.session.rollback()
        return one


def test_the_book_and_its_model_agree(app: Flask, now: dt.datetime) -> None:
    world = w.build(therapists=3)
    clients = tuple(w.person() for _ in range(3))
    for one in clients:
        w.sign(one)
    with transaction() as session:
        session.execute(update(Clinic).values(horizon_days=3000))
        session.execute(update(Service).values(turnover_minutes=TURNOVER, first_visit_minutes=0))
        session.execute(update(Room).where(Room.name == "Room 3").values(is_active=False))
        session.execute(update(Room).where(Room.name == "Room 2").values(tables=2))
    names = ("Room 1", "Room 2")
    rooms = tuple(db.session.scalars(select(Room.id).where(Room.name.in_(names)).order_by(Room.name)))
    db.session.rollback()
    place = Place(world.desk_id, world.place_id, world.therapists, rooms, rooms[1], clients)
    run_state_machine_as_test(
        type("OnThisDatabase", (Calendar,), {"place": place}),
        settings=settings(
            max_examples=RUNS, stateful_step_count=STEPS if RUNS < 100 else 50, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
