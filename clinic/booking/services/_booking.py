"""Steps inside a transaction: a visit is booked at once, by staff or by a program. Judged first, claimed next."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.next_steps import RECONFIRM
from clinic.booking.queries.on_file import note_what_is_not_there
from clinic.booking.queries.visits import VisitFacts
from clinic.booking.services._chosen import new_visit
from clinic.booking.services._claims import claim_best
from clinic.booking.services._deciding import has_to_reconfirm, is_skilled
from clinic.booking.services._from_hold import Kept, claimed_by
from clinic.booking.services._judging import Judged, Order, client_to_judge, judge
from clinic.booking.services._programs import PROGRAM, check_online_start, kept_since, take_over
from clinic.booking.services._steps import (
    booked_mail,
    first_status,
    new_manage_key,
    rest_on,
    tell_client,
    wait_for,
)
from clinic.booking.services._taking_back import Step, remember, told_by, told_from
from clinic.booking.services.checkout import Choice
from clinic.booking.services.resting import RestSaid, Warned, is_passed, keep_pass, warn
from clinic.catalogue.queries import VisitPlan
from clinic.rules.errors import InvalidInput, KeyUsed, NotQualified, SlotTaken
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace


@dataclass(frozen=True)
class Outcome:
    """What came of a deed that the gate judged. `visit_id` is None when nothing was booked or changed; with
    `unsafe_addons` (columns) nothing was decided: these add-ons must come off first."""

    visit_id: int | None
    status: VisitStatus | None
    judged: Judged | None
    unsafe_addons: tuple[str, ...] = ()
    rest: Warned | None = None
    """Too little rest between visits. With `visit_id` None nothing was booked or changed yet: staff may pass it."""
    facts: VisitFacts | None = None
    """The visit as it was booked just now."""
    is_repeated: bool = False
    """This very request booked or moved it before."""


@dataclass(frozen=True)
class Booking:
    """What is to be booked, for whom, and how it came in."""

    choice: Choice
    client_id: int
    starts_at: dt.datetime
    request_key: str | None
    source: str
    hold_id: int | None
    by: int | None
    now: dt.datetime
    rest: RestSaid
    reconfirmed: bool
    at_desk: bool = False
    """It can be taken back for a moment, and until then nobody is told."""

    @property
    def by_staff(self) -> bool:
        return self.source != PROGRAM

    @property
    def key(self) -> str | None:
        """What names the request. That of a program ends in a hash of what it asked for, which is kept apart."""
        if self.by_staff or self.request_key is None:
            return self.request_key
        return self.request_key.rpartition(":")[0]

    @property
    def asked(self) -> str | None:
        """The hash of what a program asked for."""
        return None if self.by_staff or self.request_key is None else self.request_key.rpartition(":")[2]


def booked_before(wish: Booking) -> Outcome | None:
    """What this very request made before. Raises KeyUsed where the key stands for another one."""
    done = visits.visit_by_request(wish.key) if wish.key else None
    if done is None:
        return None
    if done.asked != wish.asked:
        raise KeyUsed()
    return Outcome(done.id, VisitStatus(done.status), None, facts=visits.facts(done.id), is_repeated=True)


def book(session: Session, wish: Booking) -> Outcome:
    """Book as `book_visit` says, in the caller's transaction."""
    now, by = wish.now, wish.by
    client = client_to_judge(session, wish.client_id)
    note_what_is_not_there(client, request_key=wish.key, now=now)
    done = booked_before(wish)
    if done is not None:
        return done
    wish = replace(wish, choice=_choice_kept(session, wish.hold_id, wish.choice))
    since = kept_since(session, wish.hold_id, wish.starts_at, wish.choice.minutes, client.id, now=now)
    if not wish.by_staff:
        check_online_start(wish.starts_at, since or now, wish.choice.location_id, client_id=client.id)
    visit, plan = new_visit(wish.choice, client, wish.starts_at, source=wish.source, by=by, now=now)
    visit.request_key, visit.request_asked = wish.key, wish.asked
    order = Order(plan, tuple(sorted(wish.choice.areas)), visit.day)
    judged = judge(session, client, order, door="desk", visit_id=visit.id, by=by, now=now)
    if judged.refuses or judged.unsafe_addons:
        leave_trace(session, "visit.refused", "client", client.id, by=by, now=now, door="desk")
        return Outcome(None, None, judged, () if judged.refuses else judged.unsafe_addons)
    warned = warn(visit, client, order, wish.starts_at)
    if warned is not None and not is_passed(warned, wish.rest):
        return Outcome(None, None, judged, rest=warned)
    visit.to_reconfirm = not wish.reconfirmed
    is_good = not has_to_reconfirm(visit) and judged.permits
    rest_or_wait(session, visit, judged, is_good=is_good, now=now)
    visit.status = VisitStatus.CONFIRMED if is_good else VisitStatus.PENDING
    token = new_manage_key(visit)
    kept: Kept | None = None
    if wish.hold_id is not None:  # refused, the time stays kept: for what is safe instead
        claimed = claimed_by(session, wish.hold_id)
        kept = Kept(take_over(session, wish.hold_id, wish.starts_at, client.id, by=by, now=now), claimed)
    _claim(session, visit, plan, wish, since, kept)
    first_status(session, visit, by=by, now=now)
    template = booked_mail(visit)
    tell_client(
        session, visit, template, now=now, token=token, not_before=told_from(now) if wish.at_desk else None
    )
    if wish.at_desk:
        remember(session, [Step(visit, {}, told_by(visit, template))], "booked", by=by, now=now)
    keep_pass(session, visit, warned, wish.rest, by=by, now=now)
    leave_trace(
        session, "visit.booked", "visit", visit.id, by=by, now=now, status=visit.status, door=wish.source
    )
    facts = visits.facts_as_booked(visit, plan.key)
    return Outcome(visit.id, VisitStatus(visit.status), judged, rest=warned, facts=facts)


def _choice_kept(session: Session, hold_id: int | None, choice: Choice) -> Choice:
    """The wish at the place where the time is kept, where none is named. Raises InvalidInput for another one."""
    held = session.get(Visit, hold_id) if hold_id is not None else None
    if held is None or held.source != PROGRAM or choice.location_id == held.location_id:
        return choice
    if choice.location_id is not None:
        raise InvalidInput("location", _("A time at another place was kept under this hold."))
    return replace(choice, location_id=held.location_id)


def _claim(
    session: Session,
    visit: Visit,
    plan: VisitPlan,
    wish: Booking,
    since: dt.datetime | None,
    kept: Kept | None,
) -> None:
    """Rest was asked about before: staff, or the program, know. `since`: the time has been kept for it since then, as
    `kept`, with the therapist and room that the person was told."""
    wanted, held = wish.choice.therapist_id, kept.held if kept is not None else None
    ask = staff_ask(visit, plan, wanted, now=wish.now, by_staff=wish.by_staff)
    suits = wanted is None and wish.choice.gender in ("", held.therapist.gender if held is not None else "")
    told: Ask | None = None
    if held is not None and (suits or wanted == held.therapist_id):
        told = replace(ask, therapist_id=held.therapist_id, kept_since=since)
        with suppress(SlotTaken):
            claim_best(session, visit, told, expires_at=None, room_first=held.room_id)
            return
    try:
        claim_best(session, visit, ask, expires_at=None)
    except SlotTaken as error:
        if (
            since is not None
            and told is not None
            and kept is not None
            and kept.claim_for(session, visit, told)
        ):
            return  # nobody else was free
        if wanted is not None and not is_skilled(wanted, wish.client_id, visit.day):
            raise SlotTaken(NotQualified.default_sentence) from error
        raise


def staff_ask(
    visit: Visit, plan: VisitPlan, therapist_id: int | None, *, now: dt.datetime, by_staff: bool = True
) -> Ask:
    """The wish that finds a place for a visit for which the rest was asked about before."""
    return Ask(
        plan=plan, location_id=visit.location_id, first_day=visit.day, days=1, now=now,
        therapist_id=therapist_id, client_id=visit.client_id, by_staff=by_staff, instead_of=visit.id,
        gender=visit.asked_gender,
    )  # fmt: skip


def rest_or_wait(session: Session, visit: Visit, judged: Judged, *, is_good: bool, now: dt.datetime) -> None:
    """The visit rests on its judgement, or waits for what is still missing."""
    if is_good and judged.row is not None:
        rest_on(visit, judged.row)
    else:
        wait_for(session, visit, judged, now=now, what=RECONFIRM if judged.permits else None)
