"""Keeping therapists: what is refused, what is kept, what is written down."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace

import pytest
from sqlalchemy import select

from clinic.rules.errors import ChangedMeanwhile, InvalidInput, NotFound
from clinic.rules.permissions import Role
from clinic.rules.wall_time import WeeklyHours
from clinic.shared.audit import AuditRow
from clinic.shared.database import db
from clinic.shared.seen import mark_of
from clinic.therapists import queries, services
from clinic.therapists.facts import TherapistFacts
from clinic.therapists.models import NeverTogether
from tests.factories import make_client, make_hours, make_location, make_therapist, make_user
from tests.owners import deeds

pytestmark = pytest.mark.usefixtures("app")
NOW = dt.datetime(2026, 6, 9, 13, tzinfo=dt.UTC)
FACTS = TherapistFacts(
    name="Ana Ruiz",
    bio="Likes calm.",
    gender="woman",
    tint=2,
    licence_kind="LMT",
    licence_number="NY-1",
    licence_expires_on=dt.date(2027, 1, 31),
    skills=("cupping", "sports"),
    user_id=None,
    is_active=True,
)

AT_ELM_STREET = (
    "This overlaps the hours at Elm Street: 09:00 to 17:00 on Monday by the clock of New York, for the first time"
    " on 15 June 2026. Change one of them."
)


def week(*rows: tuple[int, int, int]) -> list[WeeklyHours]:
    return [WeeklyHours(day, dt.time(starts), dt.time(ends % 24)) for day, starts, ends in rows]


def add(**values: object) -> int:
    return services.add_therapist(replace(FACTS, **values), by=None, now=NOW)  # type: ignore[arg-type]


def shown(therapist_id: int) -> TherapistFacts:
    row = queries.therapist(therapist_id)
    assert row is not None
    return queries.therapist_facts(row)


def change(therapist_id: int, **values: object) -> None:
    old = shown(therapist_id)
    facts = replace(old, **values)  # type: ignore[arg-type]
    services.change_therapist(therapist_id, facts, seen=mark_of(asdict(old)), by=None, now=NOW)


def save_week(
    therapist_id: int, place: int, hours: list[WeeklyHours], breaks: list[WeeklyHours] | None = None
) -> None:
    seen = mark_of(queries.week_of(therapist_id, place))
    services.save_weekly_hours(therapist_id, place, hours, breaks or [], seen=seen, by=None, now=NOW)


def test_new_therapist_is_eligible_as_entered() -> None:
    therapist_id = add()
    assert shown(therapist_id) == FACTS
    assert [one.id for one in queries.eligible({"cupping"}, "LMT")] == [therapist_id]
    assert deeds() == [("therapist.added", "")]


def test_the_same_therapist_is_not_added_twice() -> None:
    add()
    with pytest.raises(InvalidInput) as refused:
        add(name="ANA RUIZ", bio="Another one.")
    assert refused.value.field == "licence_number"
    assert add(licence_number="NY-2") != add(name="Ben Ruiz")
    assert len(queries.all_therapists()) == 3


def test_change_names_fields_and_takes_skills_away() -> None:
    therapist_id = add()
    change(therapist_id, skills=("sports", "traction"), licence_expires_on=dt.date(2028, 1, 31))
    assert shown(therapist_id).skills == ("sports", "traction")
    assert queries.eligible({"cupping"}, "LMT") == []
    assert deeds()[1] == ("therapist.changed", "licence_expires_on, skills")


def test_change_over_a_newer_one_is_noticed() -> None:
    therapist_id = add()
    change(therapist_id, name="First Tab")
    with pytest.raises(ChangedMeanwhile):
        services.change_therapist(therapist_id, FACTS, seen=mark_of(asdict(FACTS)), by=None, now=NOW)
    assert shown(therapist_id).name == "First Tab"


def test_account_is_a_therapists_and_nobody_elses() -> None:
    desk = make_user(email="desk@clinic.example", roles=[Role.FRONT_DESK]).id
    ann = make_user(email="ann@clinic.example", roles=[Role.THERAPIST]).id
    for user_id in (desk, 999):
        with pytest.raises(InvalidInput) as refused:
            add(user_id=user_id)
        assert refused.value.field == "user_id"
    therapist_id = add(user_id=ann)
    change(therapist_id, bio="Still the same account.")
    with pytest.raises(InvalidInput):
        add(name="Other", user_id=ann)


@pytest.mark.parametrize("tint", [0, 7])
def test_tint_is_one_of_six(tint: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(tint=tint)
    assert refused.value.field == "tint"


def test_week_is_replaced_as_a_whole() -> None:
    place = make_location(zone="UTC", opens=None).id
    therapist_id = add()
    save_week(therapist_id, place, week((0, 9, 17), (4, 20, 26)), week((0, 12, 13)))
    save_week(therapist_id, place, week((1, 9, 17)))
    assert queries.week_of(therapist_id, place) == {"work": week((1, 9, 17)), "break": []}
    assert [deed for deed, _ in deeds()] == [
        "therapist.added",
        "therapist.hours_changed",
        "therapist.hours_changed",
    ]


@pytest.mark.parametrize(
    ("hours", "breaks", "field"),
    [
        ([(0, 9, 13), (0, 12, 17)], [], "work.1"),
        ([(0, 9, 17)], [(0, 8, 10)], "break.0"),
        ([(0, 9, 9)], [], "work.0"),
        ([(0, 17, 9)], [], "work.0"),
    ],
)
def test_week_that_cannot_be_is_refused_whole(
    hours: list[tuple[int, int, int]], breaks: list[tuple[int, int, int]], field: str
) -> None:
    place = make_location(zone="UTC", opens=None).id
    therapist_id = add()
    with pytest.raises(InvalidInput) as refused:
        save_week(therapist_id, place, week(*hours), week(*breaks))
    assert refused.value.field == field
    assert queries.week_of(therapist_id, place) == {"work": [], "break": []}


def test_nobody_works_at_two_places_at_once() -> None:
    here, there = make_location(zone="UTC", opens=None, name="Here"), make_location(zone="UTC", opens=None)
    ann = make_therapist(name="Ann", skills=[])
    make_hours(ann, here, starts="09:00", ends="13:00", weekdays=[0])
    ann_id, there_id = ann.id, there.id
    with pytest.raises(InvalidInput) as refused:
        save_week(ann_id, there_id, week((0, 12, 18)))
    assert refused.value.sentence == (
        "This overlaps the hours at Here: 09:00 to 13:00 on Monday. Change one of them."
    )
    save_week(ann_id, there_id, week((0, 13, 18)))


def test_hours_at_places_with_other_clocks_are_compared_as_moments() -> None:
    east = make_location(zone="America/New_York", opens=None, name="Elm Street")
    west = make_location(zone="America/Los_Angeles", opens=None, name="Sunset Boulevard").id
    ann = make_therapist(name="Ann", skills=[])
    make_hours(ann, east, starts="09:00", ends="17:00", weekdays=[0])
    ann_id = ann.id
    with pytest.raises(InvalidInput) as refused:
        save_week(ann_id, west, week((0, 8, 9)))
    assert (refused.value.field, refused.value.sentence) == (
        "work",
        AT_ELM_STREET,
    )
    assert queries.week_of(ann_id, west)["work"] == []
    save_week(ann_id, west, week((0, 15, 21)))
    assert queries.week_of(ann_id, west)["work"] == week((0, 15, 21))


def test_hours_of_a_day_are_compared_with_the_days_beside_it() -> None:
    east = make_location(zone="America/New_York", opens=None, name="Elm Street")
    far = make_location(zone="Asia/Tokyo", opens=None, name="Ginza")
    ann = make_therapist(name="Ann", skills=[])
    make_hours(ann, east, starts="09:00", ends="17:00", weekdays=[0, 1])
    ann_id, east_id, far_id = ann.id, east.id, far.id
    tuesday = dt.date(2026, 6, 16)

    def set_day(place: int, day: dt.date, starts: int, ends: int) -> None:
        hours = [WeeklyHours(day.weekday(), dt.time(starts), dt.time(ends))]
        services.set_hours_of_day(ann_id, place, day, hours, by=None, now=NOW)

    with pytest.raises(InvalidInput) as refused:  # Monday from 3 pm to 5 pm in New York
        set_day(far_id, tuesday, 4, 6)
    assert (refused.value.field, refused.value.sentence) == (
        "starts",
        AT_ELM_STREET,
    )
    assert queries.days_ahead(ann_id, tuesday) == []
    set_day(far_id, tuesday, 6, 22)  # what is worked elsewhere on the same date gives way
    with pytest.raises(InvalidInput) as refused:  # Tuesday from 6 am in Tokyo
        set_day(east_id, tuesday - dt.timedelta(days=1), 17, 20)
    assert "Ginza: 06:00 to 22:00 on Tuesday by the clock of Tokyo" in refused.value.sentence
    set_day(east_id, tuesday - dt.timedelta(days=1), 9, 11)  # and the week, where a date has hours of its own
    set_day(far_id, tuesday, 4, 6)
    assert queries.days_ahead(ann_id, tuesday) == [(tuesday, far_id, week((1, 4, 6)))]


def test_a_week_is_compared_with_single_days_at_other_places() -> None:
    """Wednesday 17 June from 1 to 9 in Auckland is Tuesday from 6 to 14 in Los Angeles."""
    west = make_location(zone="America/Los_Angeles", opens=None, name="Sunset Boulevard").id
    far = make_location(zone="Pacific/Auckland", opens=None, name="Queen Street").id
    ann_id, wednesday = add(), dt.date(2026, 6, 17)
    services.set_hours_of_day(ann_id, far, wednesday, week((2, 1, 9)), by=None, now=NOW)
    with pytest.raises(InvalidInput) as refused:
        save_week(ann_id, west, week((1, 8, 16)))
    assert (refused.value.field, "Queen Street: 01:00 to 09:00 on Wednesday" in refused.value.sentence) == (
        "work", True,
    )  # fmt: skip
    save_week(ann_id, west, week((1, 14, 16), (2, 8, 16)))  # on the date itself these are not worked
    services.drop_hours_of_day(ann_id, wednesday, by=None, now=NOW)
    save_week(ann_id, west, week((1, 8, 16)))


@pytest.mark.parametrize("kind", ["week", "day"])
def test_hours_at_a_place_that_is_used_no_more_are_in_nobodys_way(kind: str) -> None:
    old = make_location(zone="UTC", opens=None, name="Old", is_active=False)
    here = make_location(zone="America/New_York", opens=None, name="Here").id
    ann = make_therapist(name="Ann", skills=[])
    ann_id, old_id, monday = ann.id, old.id, dt.date(2026, 6, 15)
    if kind == "week":
        make_hours(ann, old, starts="09:00", ends="17:00", weekdays=[0, 1])
    else:
        services.set_hours_of_day(ann_id, old_id, monday, week((0, 9, 23)), by=None, now=NOW)
    save_week(ann_id, here, week((0, 8, 16), (6, 8, 16)))
    services.set_hours_of_day(ann_id, here, monday, week((0, 5, 16)), by=None, now=NOW)


def test_week_changed_by_another_tab_is_not_overwritten() -> None:
    place = make_location(zone="UTC", opens=None).id
    therapist_id = add()
    stale = mark_of(queries.week_of(therapist_id, place))
    save_week(therapist_id, place, week((0, 9, 17)))
    with pytest.raises(ChangedMeanwhile):
        services.save_weekly_hours(therapist_id, place, [], [], seen=stale, by=None, now=NOW)
    assert queries.week_of(therapist_id, place)["work"] == week((0, 9, 17))


def test_what_is_not_there_cannot_be_changed() -> None:
    place = make_location(zone="UTC", opens=None).id
    therapist_id = add()
    with pytest.raises(NotFound):
        services.change_therapist(999, FACTS, seen="", by=None, now=NOW)
    with pytest.raises(NotFound):
        save_week(999, place, [])
    with pytest.raises(NotFound):
        save_week(therapist_id, 999, [])
    with pytest.raises(NotFound):
        services.keep_apart(999, therapist_id, "Why.", by=None, now=NOW)


def test_pair_is_kept_apart_with_a_sealed_reason() -> None:
    eva = make_client(first_name="Eva", last_name="Low", born_on=dt.date(1990, 1, 1)).id
    therapist_id = add()
    services.keep_apart(eva, therapist_id, "  They were married.  ", by=None, now=NOW)
    assert queries.never_together(eva) == {therapist_id}
    row = db.session.scalars(select(NeverTogether)).one()
    assert row.reason == "They were married."
    assert b"married" not in row.reason_sealed
    trace = db.session.scalars(select(AuditRow).where(AuditRow.deed == "pair.kept_apart")).one()
    assert trace.detail == {"client": eva}


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
def test_pair_needs_a_reason(reason: str) -> None:
    eva = make_client(first_name="Eva", last_name="Low", born_on=dt.date(1990, 1, 1)).id
    therapist_id = add()
    with pytest.raises(InvalidInput) as refused:
        services.keep_apart(eva, therapist_id, reason, by=None, now=NOW)
    assert refused.value.field == "reason"
    assert queries.never_together(eva) == set()


def test_pair_is_made_once_ended_once_and_can_be_made_again() -> None:
    eva = make_client(first_name="Eva", last_name="Low", born_on=dt.date(1990, 1, 1)).id
    therapist_id, other_id = add(), add(name="Other")
    pair_id = services.keep_apart(eva, therapist_id, "Why.", by=None, now=NOW)
    with pytest.raises(InvalidInput):
        services.keep_apart(eva, therapist_id, "Again.", by=None, now=NOW)
    with pytest.raises(NotFound):
        services.end_keeping_apart(pair_id, other_id, by=None, now=NOW)
    services.end_keeping_apart(pair_id, therapist_id, by=None, now=NOW)
    assert queries.never_together(eva) == set()
    with pytest.raises(NotFound):
        services.end_keeping_apart(pair_id, therapist_id, by=None, now=NOW)
    assert services.keep_apart(eva, therapist_id, "Again.", by=None, now=NOW) != pair_id
