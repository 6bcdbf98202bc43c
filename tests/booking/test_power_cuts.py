"""The power goes in the middle of booking: what was said is there, whole. Short here; `make soak` cuts 500 times in
each way."""

from __future__ import annotations

import random

import pytest
from flask import Flask

from tests import power_cut
from tests.booking.power import book_on, lost_after

BOOKINGS, CUTS = 12, 6
ONLY_SQLITE = pytest.mark.parametrize(
    "database", ["sqlite"], indirect=True
)  # PostgreSQL has its own way to files


@ONLY_SQLITE
@pytest.mark.usefixtures("now", "database")
def test_nothing_that_was_said_is_lost_in_a_power_cut(app: Flask) -> None:
    disk = book_on(app, BOOKINGS)
    chance = random.Random()
    files = {one.name for one in disk.happened if one.kind == "sync"}
    assert files == {"clinic.db", "clinic.db-wal"}  # the log also went into the database meanwhile
    cuts = [(moment, mode) for moment in chance.sample(disk.moments(), CUTS) for mode in power_cut.MODES]
    cuts.append((len(disk.happened), power_cut.LOST))
    assert [(*cut, lost_after(app, disk, *cut, chance)) for cut in cuts] == [(*cut, 0) for cut in cuts]


@ONLY_SQLITE
@pytest.mark.usefixtures("now", "database")
def test_without_waiting_for_the_disk_bookings_would_be_lost(app: Flask) -> None:
    disk = book_on(app, 3, synchronous="NORMAL")
    told = [number + 1 for number, one in enumerate(disk.happened) if one.kind == "said"]
    assert max(lost_after(app, disk, moment, power_cut.LOST, random.Random()) for moment in told) > 0
