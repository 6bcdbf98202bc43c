"""Steps inside a transaction: give a held time to the person it is for, and claim it anew when the order changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.booking.models import Visit
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask, holds_rules_for_new
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._claims import claim_back, claim_best, client_first, give_up
from clinic.booking.services._programs import PROGRAM
from clinic.booking.services._steps import ask_for, set_plan, set_status
from clinic.catalogue.queries import VisitPlan
from clinic.clients.models import Client
from clinic.premises import queries as premises
from clinic.rules.booking_policy import earliest_start, latest_start
from clinic.rules.errors import SlotTaken
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus


def place_person(session: Session, visit: Visit, client: Client, *, now: dt.datetime) -> None:
    """The visit is for this person: their own other visits, their first-visit minutes, and who they are never
    booked with now count, so the place is claimed anew. Raises SlotTaken, leaving the hold as it was."""
    first_visit = not visits.has_been_before(client.id, visit.starts_at, besides=visit.id)
    if visit.client_id == client.id and visit.first_visit == first_visit:
        return
    _check_new_here(visit, client, now)
    client_first(session, client.id)
    with session.begin_nested():
        give_to(visit, client.id, is_same_person=_is_same_person(visit.client, client))
        visit.first_visit = first_visit
        claim_anew(session, visit, plan_of(visit), expires_at=visit.deadline_at, now=now)


def _is_same_person(before: Client | None, client: Client) -> bool:
    """Whether a guest said who they are by signing in: another record of the same name and birth date."""
    return before is not None and (before.alike_name, before.born_on) == (client.alike_name, client.born_on)


def give_to(visit: Visit, client_id: int, *, is_same_person: bool = False) -> None:
    """The visit is this record's from now on. What was written about its aim is sealed anew under their key; of
    somebody else it is not theirs, and goes. `is_same_person`: both records were about one."""
    said = visit.note if is_same_person or visit.client_id in (None, client_id) else None
    visit.client_id = client_id
    visit.note = said


def hand_on_aim(held: Visit | None, visit: Visit) -> None:
    """What was written about the aim goes from the time that was kept to what is booked in its place, for the same
    record only: it is sealed under that one's key."""
    if held is None or held.id == visit.id or not held.note:
        return
    if held.client_id == visit.client_id:
        visit.note = held.note
    held.note = None


def _check_new_here(visit: Visit, client: Client, now: dt.datetime) -> None:
    """Raise SlotTaken where the online rules for new clients keep this person from the kept time: an account with
    somebody who has been here may name somebody who has not. The notice counts from when the time was kept."""
    plan, settings = plan_of(visit), premises.booking_settings()
    ask = replace(ask_for(visit, plan, now=now, by_staff=False, therapist_id=None), client_id=client.id)
    if not holds_rules_for_new(ask, settings):
        return
    if plan.known_clients_only:
        raise SlotTaken(
            _(
                "This treatment is booked online only by people who have been here before."
                " Please choose another one, or call us."
            )
        )
    rules, zone = settings.for_new(), ZoneInfo(visit.zone)
    first, last = earliest_start(visit.created_at, rules), latest_start(now, zone, rules)
    if not first <= visit.starts_at <= last:
        raise SlotTaken(
            _("This time cannot be booked online for somebody who is new here. Please choose another one.")
        )


def seat(session: Session, visit: Visit, client: Client, *, now: dt.datetime) -> SlotTaken | None:
    """Give the held time to this person. When it does not fit them it is given back, and the refusal is returned:
    the caller keeps who they are before raising it."""
    if visit.status == VisitStatus.RELEASED and visit.client_id != client.id:
        if visit.screening_id is None:
            give_to(visit, client.id, is_same_person=_is_same_person(visit.client, client))
        else:  # it was judged for somebody, and stays theirs
            visit.note = None
    if visit.status != VisitStatus.HELD:
        return None
    try:
        place_person(session, visit, client, now=now)
    except SlotTaken as error:
        set_status(session, visit, VisitStatus.RELEASED, by=None, now=now, reason="does not fit this person")
        return error
    return None


def claim_anew(
    session: Session, visit: Visit, plan: VisitPlan, *, expires_at: dt.datetime | None, now: dt.datetime
) -> None:
    """Claim what this plan takes at the same start: with the same therapist first, whom the person has read on
    the page; with another only where any therapist was asked for. As long as the time is kept, time off and closures
    that were entered meanwhile do not take it away. Raises SlotTaken."""
    is_kept = visit.status == VisitStatus.HELD and visit.deadline_at is not None and visit.deadline_at > now
    room, free_at = visit.room_id, visit.free_at
    taken = give_up(session, visit, now)
    set_plan(visit, plan)
    session.flush()
    ask = ask_for(visit, plan, now=now, by_staff=True, therapist_id=visit.therapist_id)
    if visit.source == PROGRAM:
        ask = replace(ask, rested_areas=None)  # it is warned when it books, as staff are
    others = replace(ask, by_staff=visit.source not in ("online", PROGRAM))
    try:
        _claim_with_somebody(session, visit, ask, others, expires_at)
    except SlotTaken:
        is_within = is_kept and visit.free_at <= free_at
        if not is_within or not claim_back(
            session, visit, ask, taken, expires_at=expires_at, room_first=room
        ):
            raise


def _claim_with_somebody(
    session: Session, visit: Visit, ask: Ask, others: Ask, expires_at: dt.datetime | None
) -> None:
    """The therapist of this wish first."""
    try:
        claim_best(session, visit, ask, expires_at=expires_at, others=others)
    except SlotTaken:
        if not visit.any_therapist:
            raise
        ask, others = (replace(one, therapist_id=None) for one in (ask, others))
        claim_best(session, visit, ask, expires_at=expires_at, others=others)
