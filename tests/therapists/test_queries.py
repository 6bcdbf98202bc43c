"""Who may give a treatment, and when they work."""

from __future__ import annotations

import datetime as dt

import pytest

from clinic.rules.permissions import Role
from clinic.rules.wall_time import WeeklyHours
from clinic.therapists import queries
from clinic.therapists.queries import EligibleTherapist
from tests.factories import (
    LATER_THAN_ANY_TEST,
    make_client,
    make_hours,
    make_location,
    make_never_together,
    make_service,
    make_therapist,
    make_time_off,
    make_user,
)
from tests.statements import counted

pytestmark = pytest.mark.usefixtures("app")


def at(hour: int) -> dt.datetime:
    return dt.datetime(2026, 6, 9, hour, tzinfo=dt.UTC)


def test_eligible_have_every_skill_the_licence_and_are_active() -> None:
    both = make_therapist(name="Bo Both", skills=["cupping", "hot_stone"], tint=3)
    make_therapist(name="Al One", skills=["cupping"])
    make_therapist(name="Cy Switched Off", skills=["cupping", "hot_stone"], is_active=False)
    make_therapist(name="Di Other Licence", skills=["cupping", "hot_stone"], licence_kind="PT")
    assert queries.eligible({"cupping", "hot_stone"}, "LMT") == [
        EligibleTherapist(both.id, "Bo Both", 3, LATER_THAN_ANY_TEST)
    ]


def test_eligible_without_skills_is_everybody_with_the_licence_by_name() -> None:
    make_therapist(name="Zoe", skills=[])
    make_therapist(name="Ann", skills=["sports"])
    assert [one.name for one in queries.eligible((), "LMT")] == ["Ann", "Zoe"]
    assert queries.eligible((), "RMT") == []


def test_eligible_takes_the_same_statements_for_one_and_for_three() -> None:
    sent = []
    for names in (["Ann"], ["Bob", "Cid"]):
        for name in names:
            make_therapist(name=name, skills=["sports"])
        with counted() as found:
            assert queries.eligible({"sports"}, "LMT")
        sent.append(len(found))
    assert sent[0] == sent[1] == 1


def test_weekly_hours_are_of_one_place_in_the_order_of_the_week() -> None:
    here, there = make_location(zone="UTC", opens=None), make_location(zone="UTC", opens=None)
    ann, bob, cid = (make_therapist(name=name, skills=[]) for name in ("Ann", "Bob", "Cid"))
    make_hours(ann, here, starts="14:00", ends="18:00", weekdays=[1, 0])
    make_hours(ann, here, starts="09:00", ends="12:00", weekdays=[0])
    make_hours(ann, here, starts="10:00", ends="10:15", weekdays=[0], kind="break")
    make_hours(ann, there, starts="09:00", ends="12:00", weekdays=[3])
    make_hours(bob, here, starts="09:00", ends="12:00", weekdays=[6])
    make_hours(cid, here, starts="09:00", ends="12:00", weekdays=[6])
    ids, place_id = [ann.id, bob.id], here.id
    with counted() as sent:
        rows = queries.weekly_hours(ids, place_id)
    assert len(sent) == 1
    assert [(row.therapist_id, row.kind, row.weekday, row.starts.hour) for row in rows] == [
        (ids[0], "work", 0, 9),
        (ids[0], "break", 0, 10),
        (ids[0], "work", 0, 14),
        (ids[0], "work", 1, 14),
        (ids[1], "work", 6, 9),
    ]
    assert queries.week_of(ids[0], place_id)["break"] == [WeeklyHours(0, dt.time(10), dt.time(10, 15))]


def test_time_off_between_counts_overlaps_and_not_touching() -> None:
    ann, bob = make_therapist(name="Ann", skills=[]), make_therapist(name="Bob", skills=[])
    for start, end in ((8, 9), (9, 10), (11, 12), (12, 13)):
        make_time_off(ann, starts_at=at(start), ends_at=at(end))
    make_time_off(bob, starts_at=at(9), ends_at=at(12))
    found = queries.time_off_between([ann.id], at(9), at(12))
    assert [(row.starts_at.hour, row.ends_at.hour) for row in found] == [(9, 10), (11, 12)]


def test_never_together_counts_only_what_has_not_ended() -> None:
    ann, bob = make_therapist(name="Ann", skills=[]), make_therapist(name="Bob", skills=[])
    eva = make_client(first_name="Eva", last_name="Low", born_on=dt.date(1990, 1, 1))
    make_never_together(eva, ann)
    make_never_together(eva, bob)
    assert queries.never_together(eva.id) == {ann.id, bob.id}
    from clinic.shared.database import transaction
    from clinic.therapists.models import NeverTogether

    with transaction() as session:
        session.query(NeverTogether).filter_by(therapist_id=bob.id).one().ended_at = at(9)
    assert queries.never_together(eva.id) == {ann.id}
    assert [row.client.name for row in queries.never_together_of(ann.id)] == ["Eva Low"]
    assert list(queries.never_together_of(bob.id)) == []


def test_therapist_is_found_by_the_account() -> None:
    user = make_user(email="ann@clinic.example", roles=[Role.THERAPIST])
    ann = make_therapist(name="Ann", skills=[], user_id=user.id)
    found = queries.therapist_of_user(user.id)
    assert found is not None
    assert found.id == ann.id
    assert queries.therapist_of_user(user.id + 1) is None


def test_accounts_to_choose_from_are_those_of_therapists() -> None:
    make_user(email="desk@clinic.example", roles=[Role.FRONT_DESK])
    make_user(email="gone@clinic.example", roles=[Role.THERAPIST], is_active=False)
    ann = make_user(email="ann@clinic.example", roles=[Role.THERAPIST, Role.OWNER], name="Ann")
    assert queries.accounts_of_therapists() == [(ann.id, "Ann, ann@clinic.example")]


def test_public_page_shows_who_can_be_booked_and_works() -> None:
    place = make_location(zone="UTC", opens=None)
    zoe, ann = make_therapist(name="Zoe", skills=[]), make_therapist(name="Ann", skills=[])
    off = make_therapist(name="Off", skills=[], is_active=False)
    make_therapist(name="No Hours", skills=[])
    for one in (zoe, ann, off):
        make_hours(one, place, starts="09:00", ends="17:00")
    assert [row.name for row in queries.therapists_to_show()] == ["Ann", "Zoe"]
    assert [row.name for row in queries.active_therapists()] == ["Ann", "No Hours", "Zoe"]
    assert [row.name for row in queries.all_therapists()] == ["Ann", "No Hours", "Zoe", "Off"]


def test_skills_to_tick_are_known_asked_for_or_had() -> None:
    make_service(key="swedish", prices={60: 1}, skills=["hot_towel"])
    make_therapist(name="Ann", skills=["gua_sha", "cupping"])
    assert queries.skills()[-2:] == ["hot_towel", "gua_sha"]
    assert queries.skills().count("cupping") == 1
