"""The book and a model of it that knows nothing of intervals, indexes or transactions go through the same days: booked,
moved, cancelled, time off entered and taken back, in any order. After each step they say the same.

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
from clinic.booking.services import time_off, visits
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

    def minutes_of(self, resource: int) -> range:
        """The minutes for which it keeps this resource busy."""
        length = {self.client: MINUTES}.get(resource, MINUTES + TURNOVER)
        return range(self.start, self.start + length) if resource in self.all else range(0)

    @property
    def all(self) -> tuple[int, int, int]:
        """Whom and what it needs."""
        return self.therapist, self.room, self.client


@dataclass(frozen=True)
class Place:
    """Where the machine works."""

    desk: int
    location: int
    therapists: tuple[int, ...]
    rooms: tuple[int, ...]
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

    def free(self, resource: int, wanted: range, *, but: int | None = None) -> bool:
        """Whether the resource has nothing to do in any of these minutes."""
        busy = {
            minute for key, one in self.visits.items() if key != but for minute in one.minutes_of(resource)
        }
        busy |= {minute for therapist, span in self.off.values() if therapist == resource for minute in span}
        return busy.isdisjoint(wanted)

    def therapists_at(self, start: int, among: Iterable[int], *, but: int | None = None) -> set[int]:
        """Which of these could begin then, in a room."""
        claim = range(start, start + MINUTES + TURNOVER)
        if not any(self.free(room, claim, but=but) for room in self.place.rooms):
            return set()
        return {one for one in among if self.free(one, claim, but=but)}

    def visit_at(self, which: int) -> int:
        """One of the visits, by when it was written: its number is drawn, and would be another one next time."""
        return list(self.visits)[which % len(self.visits)]

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

    @precondition(lambda self: self.visits)
    @rule(start=STARTS, which=st.integers(0, 99))
    def move(self, start: int, which: int) -> None:
        """A visit is moved; its therapist stays where that can be."""
        key = self.visit_at(which)
        old = self.visits[key]
        could = self.therapists_at(start, self.place.therapists, but=key)
        if not self.free(old.client, range(start, start + MINUTES), but=key):
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

    @precondition(lambda self: self.visits)
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        """A visit is called off."""
        key = self.visit_at(which)
        visits.cancel_visit(key, by=self.place.desk, by_clinic=True, now=NOW)
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
    def the_same_is_claimed(self) -> None:
        first = self.moment(0)
        rows = db.session.execute(
            select(Claim.visit_id, Claim.resource_id, Claim.starts_at, Claim.ends_at).where(
                Claim.visit_id.is_not(None),
                Claim.starts_at >= first,
                Claim.starts_at < first + dt.timedelta(1),
            )
        )
        claimed = {tuple(row) for row in rows}
        db.session.rollback()
        assert claimed == {
            (key, resource, self.moment(minutes.start), self.moment(minutes.stop))
            for key, one in self.visits.items()
            for resource in one.all
            for minutes in (one.minutes_of(resource),)
        }

    def moment(self, minute: int) -> dt.datetime:
        return w.at(self.day, minute // 60, minute % 60)

    def note(self, key: int | None, could: set[int]) -> None:
        """What the book chose must have been free; the model then holds it too."""
        assert key is not None
        row = db.session.get_one(Visit, key)
        wall = row.starts_at.astimezone(ZoneInfo(w.ZONE))
        assert row.room_id is not None
        assert row.client_id is not None
        one = Booked(row.therapist_id, row.room_id, row.client_id, wall.hour * 60 + wall.minute)
        db.session.rollback()
        assert one.therapist in could
        assert self.free(one.room, one.minutes_of(one.room))
        self.visits[key] = one


def test_the_book_and_its_model_agree(app: Flask, now: dt.datetime) -> None:
    world = w.build(therapists=3)
    clients = tuple(w.person() for _ in range(3))
    for one in clients:
        w.sign(one)
    with transaction() as session:
        session.execute(update(Clinic).values(horizon_days=3000))
        session.execute(update(Service).values(turnover_minutes=TURNOVER, first_visit_minutes=0))
        session.execute(update(Room).where(Room.name == "Room 3").values(is_active=False))
    rooms = tuple(db.session.scalars(select(Room.id).where(Room.name.in_(("Room 1", "Room 2")))))
    db.session.rollback()
    place = Place(world.desk_id, world.place_id, world.therapists, rooms, clients)
    run_state_machine_as_test(
        type("OnThisDatabase", (Calendar,), {"place": place}),
        settings=settings(
            max_examples=RUNS, stateful_step_count=STEPS if RUNS < 100 else 50, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
