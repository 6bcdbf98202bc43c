"""Every door to a visit, one small function each, to be tried with every rule: a new one is one more line below.

There are two kinds. A *knock* is tried by somebody whose answers are on file (ON_FILE) or on a visit that was good
until they answered (AFTERWARDS): several are tried on one person. Whatever has to begin before the answers is a
*way*: it stops once, at `yield`, with the client who then answers, and returns the visit it made, if any (WAYS).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass

from clinic.booking.models import Visit
from clinic.booking.services import checkout, visits
from clinic.booking.services.checkout import Choice
from clinic.clients.steps import Details
from clinic.intake.services import checkins
from clinic.rules.errors import MoveNotAllowed
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from tests import factories
from tests.booking import world as w
from tests.booking.every_door.cases import PLACE, Case, Try
from tests.conftest import NOW

Steps = Generator[int, None, int | None]
OTHER = Choice("relaxation", 60, areas=("left_hand",))
"""What somebody has before they ask for something else: it touches no place that is declared."""


@dataclass(frozen=True)
class Asked:
    """One person's wish at a door."""

    world: w.World
    case: Case
    wanted: Try
    when: dt.datetime
    number: int

    @property
    def choice(self) -> Choice:
        return w.choice(self.wanted.service, areas=(PLACE,))


def by_phone(one: Asked, client: int, user: int) -> int | None:
    return _at_desk(one, client, "desk")


def walk_in(one: Asked, client: int, user: int) -> int | None:
    return _at_desk(one, client, "walk_in")


def online_signed_in(one: Asked, client: int, user: int) -> int | None:
    """Hold, choose who comes, say it is all still right, confirm."""
    token = _hold(one, user)
    checkout.choose_person(token, client, user_id=user, now=NOW)
    return checkout.confirm(token, user_id=user, now=NOW).visit_id


def marked_confirmed(one: Asked, client: int, visit_id: int) -> None:
    """The desk presses "back to confirmed" on a visit that the answers have put on hold."""
    with suppress(MoveNotAllowed):
        visits.mark_visit(
            visit_id, VisitStatus.CONFIRMED, revision=_revision(visit_id), by=one.world.desk_id, now=NOW
        )


def says_it_has_not_changed(one: Asked, client: int, visit_id: int) -> None:
    """The check-in of the day, "nothing has changed", after the answers that forbid it: it opens nothing."""
    checkins.take_check_in(
        client, None, w.signature(client), source="online", by=None, now=NOW, today=w.TODAY
    )


def moved_by_the_client(one: Asked, client: int, visit_id: int) -> None:
    """By an hour, on the client's own page or the mailed link: both are this service."""
    _change(visit_id, starts_at=one.when + dt.timedelta(hours=1), by=None, by_client=True)


def moved_by_the_desk(one: Asked, client: int, visit_id: int) -> None:
    _change(visit_id, starts_at=one.when + dt.timedelta(hours=2), by=one.world.desk_id)


ON_FILE = (by_phone, walk_in, online_signed_in)
AFTERWARDS = (marked_confirmed, says_it_has_not_changed, moved_by_the_client, moved_by_the_desk)


def with_answers_on_file(one: Asked) -> Steps:
    """What is refused is tried at every door, one after another; else the first visit stands in the others' way."""
    client, user = _with_account(one)
    yield client
    made = None
    for knock in ON_FILE if one.wanted.end == "refused" else ON_FILE[one.number % len(ON_FILE) :][:1]:
        made = knock(one, client, user)
    return made


def with_answers_afterwards(one: Asked) -> Steps:
    """A visit that was good when it was booked, and all that is tried with it when it no longer is."""
    client = w.person(one.case.born_on)
    w.sign(client)
    visit_id = _at_desk(one, client, "desk")
    yield client
    for knock in AFTERWARDS if visit_id is not None else ():  # a child is refused by age alone
        knock(one, client, visit_id or 0)
    return visit_id


def a_hold_that_outlives_the_answers(one: Asked) -> Steps:
    """Everything is done but the last button; then the answers change, in another tab or at the desk."""
    client, user = _with_account(one)
    w.sign(client)
    token = _hold(one, user)
    checkout.choose_person(token, client, user_id=user, now=NOW)
    yield client
    return checkout.confirm(token, user_id=user, now=NOW).visit_id


def online_anonymous(one: Asked) -> Steps:
    """Somebody nobody knows: hold, name, answer, confirm."""
    token = _hold(one, None)
    number = w.new_number()
    details = Details(
        first_name="Only", last_name=f"Online{number}", born_on=one.case.born_on, guardian_name="Gil Guardian",
        email=f"door{number}@people.example", phone=f"(212) 555-{2000 + number % 7000}",
    )  # fmt: skip
    yield checkout.name_person(token, details, relation="self", now=NOW)
    return checkout.confirm(token, user_id=None, now=NOW).visit_id


def _at_desk(one: Asked, client: int, source: str, choice: Choice | None = None) -> int | None:
    return visits.book_visit(
        choice or one.choice, client, one.when, request_key=f"{source}-{client}", source=source,
        by=one.world.desk_id, now=NOW, reconfirmed=True,
    ).visit_id  # fmt: skip


def _with_account(one: Asked) -> tuple[int, int]:
    number = w.new_number()
    user = factories.make_user(email=f"account{number}@people.example", roles=[]).id
    return w.person(one.case.born_on, acts={user: "self"}), user


def _hold(one: Asked, user: int | None) -> str:
    return checkout.hold_slot(None, one.choice, one.when, first_visit=True, user_id=user, now=NOW)


def changed_at_the_desk(one: Asked) -> Steps:
    """The visit is for something else at another place; the desk changes it into what is wanted."""
    client = w.person(one.case.born_on)
    w.sign(client)
    visit_id = _at_desk(one, client, "desk", OTHER)
    yield client
    return _change(visit_id, choice=one.choice, by=one.world.desk_id)


def _change(
    visit_id: int | None,
    *,
    by: int | None,
    starts_at: dt.datetime | None = None,
    choice: Choice | None = None,
    by_client: bool = False,
) -> int | None:
    """Pressed on the page as it stands. Whatever comes of it, the visit is the one to look at."""
    if visit_id is not None:  # a child is refused by age alone
        with suppress(MoveNotAllowed):
            visits.change_visit(
                visit_id, revision=_revision(visit_id), starts_at=starts_at, choice=choice, by=by, by_client=by_client,
                now=NOW,
            )  # fmt: skip
    return visit_id


def _revision(visit_id: int) -> int:
    db.session.rollback()
    return db.session.get_one(Visit, visit_id).revision


Way = Callable[[Asked], Steps]

WAYS: tuple[Way, ...] = (
    with_answers_on_file,
    with_answers_afterwards,
    online_anonymous,
    a_hold_that_outlives_the_answers,
    changed_at_the_desk,
)
