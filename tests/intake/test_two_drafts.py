"""What two records (or two pages) wait with unsigned becomes one draft: neither word is lost to the other."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest

from clinic.booking.services import people
from clinic.intake import queries as intake
from clinic.intake.models import IntakeDraft
from clinic.intake.services import intakes
from clinic.rules import check_in
from clinic.rules.answers import Answers
from clinic.rules.errors import InvalidInput
from clinic.shared.database import db
from tests.at_once import Deeds, deeds
from tests.booking import world as w
from tests.conftest import NOW

__all__ = ["deeds"]
pytestmark = pytest.mark.usefixtures("now")
MINUTE = dt.timedelta(minutes=1)
BAD, MILD = {"present": True, "worsening": True}, {"present": True, "worsening": False}


def two() -> tuple[int, int]:
    both = w.person(), w.person()
    for one in both:
        w.sign(one)
    return both


def signed(client: int, answers: Answers) -> int:
    """Signed as the page does it, which has read them from what was typed."""
    return intakes.submit_intake(
        client, answers, intakes.Signature("Ann"), writer="client", source="online", consents={}, by=None,
        now=NOW + MINUTE, today=w.TODAY, of_draft=True,
    )  # fmt: skip


def merged(keep: int, lose: int, writer: str, world: w.World) -> IntakeDraft:
    people.merge_clients(keep, lose, by=world.desk_id, now=NOW + 2 * MINUTE)
    db.session.rollback()
    found = intake.draft(keep, writer)
    assert found is not None
    return found


@pytest.mark.parametrize("writer", ["client", "tablet", check_in.BEGUN])
@pytest.mark.parametrize("told", [(BAD, MILD), (MILD, BAD)])
def test_what_two_say_differently_is_asked_again(
    world: w.World, writer: str, told: tuple[dict[str, bool], dict[str, bool]]
) -> None:
    both = two()
    for one, said in zip(both, told, strict=True):
        intakes.save_draft(one, writer, "full", {"heart_failure": said}, now=NOW + MINUTE)
    found = merged(*both, writer, world)
    assert found.answered["heart_failure"] == {"present": True, "not_sure": True}


def test_what_only_one_says_stays_as_it_was_said(world: w.World) -> None:
    keep, lose = two()
    intakes.save_draft(keep, "client", "full", {"heart_failure": BAD}, now=NOW + MINUTE)
    intakes.save_draft(
        lose, "client", "full", {"heart_failure": {"present": False}, "cancer": MILD}, now=NOW + MINUTE
    )
    found = merged(keep, lose, "client", world)
    assert (found.answered["heart_failure"], found.answered["cancer"]) == (BAD, MILD)


def test_marks_of_both_stay_on_the_chart(world: w.World) -> None:
    keep, lose = two()
    for one, site in ((keep, ["neck", "face"]), (lose, ["left_knee", "neck"])):
        intakes.save_draft(one, "client", "full", {"chart_avoid": {"present": True, "site": site}}, now=NOW)
    found = merged(keep, lose, "client", world)
    assert found.answered["chart_avoid"] == {"present": True, "site": ["face", "left_knee", "neck"]}


@pytest.mark.parametrize("is_half_on_the_one_that_stays", [True, False])
def test_a_question_that_one_has_half_typed_is_open(
    world: w.World, is_half_on_the_one_that_stays: bool
) -> None:
    keep, lose = two()
    half, whole = (keep, lose) if is_half_on_the_one_that_stays else (lose, keep)
    typed = {"c.heart_failure": ["yes"], "f.heart_failure.worsening": ["yes"]}
    intakes.save_draft(half, "client", "full", {}, now=NOW + MINUTE, asked=["heart_failure"], half=typed)
    intakes.save_draft(whole, "client", "full", {"heart_failure": MILD}, now=NOW + MINUTE)
    found = merged(keep, lose, "client", world)
    assert "heart_failure" not in found.answered
    assert found.half_answered == typed
    assert intake.has_unsigned(keep)


def test_details_alone_do_not_displace_a_yes(world: w.World) -> None:
    keep, lose = two()
    intakes.save_draft(keep, "client", "full", {"heart_failure": MILD}, now=NOW)
    typed = {"f.heart_failure.worsening": ["yes"]}
    intakes.save_draft(lose, "client", "full", {}, now=NOW, asked=["heart_failure"], half=typed)
    found = merged(keep, lose, "client", world)
    assert found.half_answered == {**typed, "c.heart_failure": ["yes"]}


@pytest.mark.parametrize("is_half", [True, False])
def test_nothing_is_signed_away_that_came_in_between(world: w.World, is_half: bool) -> None:
    """The page read the answers; what another tab or a merge adds before they are signed is signed by nobody."""
    keep, _lose = two()
    read = w.answers()
    if is_half:
        more: dict[str, dict[str, bool]] = {}
        half = {"c.heart_failure": ["yes"]}
        intakes.save_draft(keep, "client", "full", {}, now=NOW, asked=["heart_failure"], half=half)
    else:
        more = {"heart_failure": BAD}
        intakes.save_draft(keep, "client", "full", {**read, **more}, now=NOW)
    sign = partial(signed, keep)
    with pytest.raises(InvalidInput):
        sign(answers=read)
    assert len(intake.versions(keep)) == 1
    assert intake.has_unsigned(keep)
    if not is_half:
        sign(answers={**read, **more})
        assert not intake.has_unsigned(keep)


def test_what_is_ticked_to_sign_takes_no_answer_away(deeds: Deeds, world: w.World) -> None:
    keep, _lose = two()
    intakes.save_draft(keep, "client", "full", {"cancer": MILD}, now=NOW)
    deeds.stop_in(IntakeDraft, "write")
    ticks = partial(intakes.keep_signing, keep, "client", {"name": ["Ann"]}, now=NOW)
    says = partial(intakes.save_draft, keep, "client", "full", {"heart_failure": BAD}, now=NOW)
    assert deeds.do(ticks, says) == ("done", "done")
    found = intake.draft(keep, "client")
    assert found is not None
    assert (found.answered["heart_failure"], found.answered["cancer"]) == (BAD, MILD)


def test_what_was_ticked_to_sign_is_ticked_anew(world: w.World) -> None:
    keep, lose = two()
    intakes.save_draft(keep, "client", "full", {"heart_failure": MILD}, now=NOW)
    intakes.keep_signing(keep, "client", {"name": ["Ann"]}, now=NOW)
    intakes.save_draft(lose, "client", "full", {"cancer": MILD}, now=NOW)
    assert merged(keep, lose, "client", world).signing == {}


def test_signed_twice_at_one_moment_it_is_one_version(deeds: Deeds, world: w.World) -> None:
    keep, _lose = two()
    intakes.save_draft(keep, "client", "full", w.answers(), now=NOW)
    deeds.stop_in(intakes, "check_signer")
    sign = partial(signed, keep, w.answers())
    assert deeds.do(sign, sign) == ("done", "done")
    assert len(intake.versions(keep)) == 2


def test_milder_answers_are_not_signed_over_what_another_tab_has_just_signed(world: w.World) -> None:
    keep, _lose = two()
    read, more = w.answers(), {"heart_failure": BAD}
    intakes.save_draft(keep, "client", "full", {**read, **more}, now=NOW)
    sign = partial(signed, keep)
    sign(answers={**read, **more})
    with pytest.raises(InvalidInput):
        sign(answers=read)
    assert [one.answers["heart_failure"]["present"] for one in intake.versions(keep)][:1] == [True]
    assert len(intake.versions(keep)) == 2
