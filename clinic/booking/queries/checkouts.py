"""Where a booking in the making stands: who, for what, and which step comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select

from clinic.booking.models import Checkout, Visit
from clinic.booking.queries import judged_by, visits
from clinic.booking.queries.visits import plan_of
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.intake import queries as intake
from clinic.intake.models import HealthStop
from clinic.rules.contact import name_key
from clinic.rules.gates import is_consent_given, is_intake_in_date
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import local_day
from clinic.shared.database import db
from clinic.shared.seen import mark_of

NOT_BOOKED = "not booked"
LEFT = ("left", "another time chosen", "does not fit this person")
LASTS = dt.timedelta(days=1)

GUEST = "guest"
"""In the details of a checkout: the record that was typed before whoever books signed in."""
NAMED_BEFORE = "named_before"
"""The same: others who were named first, and for whom questions were answered. Whoever signs in may be one of them."""
CHOSEN_BY = "chosen_by"
"""The same: whom an account had chosen before somebody else, and which account. Their records are not for whoever types
another name."""
IN_TURN = "in_turn"
"""The same: everybody this booking was for before, first to last; `in_turn` adds whom it is for now."""
OLD_CHOSEN = "chosen_before"
"""The same of bookings of before the order was kept: whom an account had chosen, by the records alone."""
COMPANION = "companion"
"""The same of a visit for two: the record of whoever was typed as the second person, a mark of the name, and one
of the first name of whoever asked them along, which they were told."""
OF_OTHERS = frozenset({GUEST, NAMED_BEFORE, CHOSEN_BY, IN_TURN, OLD_CHOSEN, COMPANION})
"""What is noted of other records, and told to nobody."""


def count_kept_by(keeper: str, now: dt.datetime) -> int:
    """How many times are kept now for bookings that this account began, or somebody at this address."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Checkout)
            .join(Visit, Visit.id == Checkout.visit_id)
            .where(Checkout.keeper_hash == keeper, Visit.status == VisitStatus.HELD, Visit.deadline_at > now)
        )
        or 0
    )


class Step(StrEnum):
    """The step that a booking waits at."""

    TIMES = "times"
    WHO = "who"
    STOPPED = "stopped"
    HEALTH = "health"
    CONSENT = "consent"
    CHECK = "check"
    REFUSED = "refused"
    DONE = "done"
    ELSEWHERE = "elsewhere"
    """Booked, and read by the visit's own link alone: it is on the record of somebody by now whom nobody has proved."""


OVER = frozenset({Step.TIMES, Step.REFUSED, Step.DONE, Step.ELSEWHERE})
"""Nothing is kept for it and typed for it any more."""


@dataclass(frozen=True)
class Standing:
    """A booking in the making, with its rows."""

    checkout: Checkout
    visit: Visit
    plan: VisitPlan
    client: Client | None
    step: Step
    still_right: bool = False
    """Whether earlier answers still hold, so that one question is enough."""
    urgency: str = ""
    """How soon a doctor is needed for the warning sign that ended this very booking; empty where none did."""

    @property
    def client_id(self) -> int:
        """Whom it is for, by the number of today; 0 for nobody yet."""
        return self.client.id if self.client is not None else 0

    @property
    def is_held(self) -> bool:
        return self.visit.status == VisitStatus.HELD

    @property
    def is_signed_in(self) -> bool:
        return self.checkout.user_id is not None


def standing(token: str | None, user_id: int | None, now: dt.datetime) -> Standing | None:
    """The booking of this browser; None when there is none, it is too old, or another account began it."""
    checkout = visits.checkout(token) if token else None
    visit = visits.visit(checkout.visit_id) if checkout and checkout.visit_id else None
    if checkout is None or visit is None or checkout.updated_at < now - LASTS:
        return None
    if checkout.user_id is not None and checkout.user_id != user_id:
        return None
    client = person_of(checkout)
    plan = plan_of(visit)
    still_right = False
    step = _booked_or_lost(checkout, visit)
    if client is None and checkout.client_id is not None:
        if step is Step.DONE:
            step = Step.ELSEWHERE
        elif step is Step.REFUSED:
            step = Step.TIMES
    urgency = _ended_by(checkout, client) if step is Step.TIMES and client is not None else ""
    if urgency:
        step = Step.STOPPED
    if step is None:
        step, still_right = _next_step(checkout, visit, plan, client, now)
    return Standing(checkout, visit, plan, client, step, still_right, urgency)


def person_of(checkout: Checkout) -> Client | None:
    """Whom the booking is for, by the record of today. None as well where what somebody typed without signing in was
    merged with another record, whichever of the two stayed: what is known of that person is not for whoever knew a name
    and a birth date."""
    client = clients.client(checkout.client_id) if checkout.client_id else None
    if client is None or checkout.user_id is not None:
        return client
    return client if client.id == checkout.client_id and not clients.aliases([client.id]) else None


def guest_of(checkout: Checkout) -> int | None:
    """The record that whoever makes this booking typed before they said by signing in who they are; what was told for
    it was taken over (`services/checkout.choose_person`)."""
    guest_id: int | None = (checkout.details or {}).get(GUEST)
    return guest_id if guest_id != checkout.client_id else None


def named_before(checkout: Checkout) -> list[int]:
    """The records of others who were named for this booking first, oldest first."""
    return list((checkout.details or {}).get(NAMED_BEFORE, ()))


def chosen_by(checkout: Checkout) -> dict[int, int | None]:
    """The records that an account chose for this booking, with that account."""
    found: dict[int, int | None] = {
        int(one): user_id for one, user_id in (checkout.details or {}).get(CHOSEN_BY, {}).items()
    }
    if checkout.client_id is not None and checkout.user_id is not None:
        found[checkout.client_id] = checkout.user_id
    return found


def in_turn(checkout: Checkout) -> list[int]:
    """Everybody whom this booking was for at some moment, first to last: whoever was named once more after others
    stands there twice, at the first and at the last time."""
    said = checkout.details or {}
    guest = [said[GUEST]] if GUEST in said else []
    before = said.get(IN_TURN, [*guest, *said.get(OLD_CHOSEN, ()), *named_before(checkout)])
    ids = [one for one in (*before, checkout.client_id) if one is not None]
    return [one for at, one in enumerate(ids) if one not in ids[:at] or one not in ids[at + 1 :]]


def all_before(checkout: Checkout) -> list[int]:
    """Everybody else whom this booking was for at some moment: what was told then may be true of whom it is for now."""
    return [one for one in dict.fromkeys(in_turn(checkout)) if one != checkout.client_id]


def named_with(people: Collection[Client]) -> dict[int, tuple[set[int], set[int]]]:
    """Of each of these: who was named before them in the same booking, also where they themselves were named first and
    once more later, and who only after them; also where it was left or made for another one. The people of one account
    are not each other. Whoever is named by typing has a record from that moment on, or an older one of theirs."""
    found: dict[int, tuple[set[int], set[int]]] = {one.id: (set(), set()) for one in people}
    for checkout in _in_which_were_named(people):
        turns, chosen = in_turn(checkout), chosen_by(checkout)
        for one in found.keys() & set(turns):
            last = len(turns) - turns[::-1].index(one)
            account = chosen.get(one)
            others = {other for other in turns if account is None or chosen.get(other) != account}
            before = others.intersection(turns[:last])
            found[one][0].update(before)
            found[one][1].update(others - before)
    return found


def _in_which_were_named(people: Collection[Client]) -> list[Checkout]:
    own = select(Checkout).where(Checkout.client_id.in_([one.id for one in people]))
    at_the_time = [
        and_(
            Checkout.updated_at.between(one.created_at, one.created_at + 2 * LASTS),
            Checkout.created_at <= one.created_at,
        )
        for one in people
    ]
    found = [*db.session.scalars(own)]
    for first in range(0, len(at_the_time), 50):
        found += db.session.scalars(select(Checkout).where(or_(*at_the_time[first : first + 50])))
    return list(dict.fromkeys(found))


def who_is_asked(client: Client) -> str:
    """A mark of the person whom pages of questions ask, where whoever books without signing in may correct who that is:
    by first name and birth date. "" for everybody else, whom one record names for good."""
    if not client.is_unproven:
        return ""
    return mark_of({"first_name": name_key(client.first_name, ""), "born_on": client.born_on.isoformat()})


def _ended_by(checkout: Checkout, client: Client) -> str:
    """The urgency of the warning sign that was named in this booking, whose time was given back for it."""
    stops = intake.stops_in_force(client.id)
    named = [one for one in stops if one.ended_at is None and one.raised_at >= checkout.created_at]
    return named[-1].urgency if named else ""


def _booked_or_lost(checkout: Checkout, visit: Visit) -> Step | None:
    """The end of it, when it has one: booked, refused, or its time given back. None while it goes on."""
    if checkout.finished_at is not None or visit.status not in (VisitStatus.HELD, VisitStatus.RELEASED):
        return Step.DONE
    if visit.status == VisitStatus.HELD:
        return None
    last = visits.history(visit.id)[-1]
    if last.reason == NOT_BOOKED:
        return Step.REFUSED
    return Step.TIMES if last.reason in LEFT else None


def _next_step(
    checkout: Checkout, visit: Visit, plan: VisitPlan, client: Client | None, now: dt.datetime
) -> tuple[Step, bool]:
    if client is None:
        return Step.WHO, False
    stops = intake.stops_in_force(client.id)
    today = now.astimezone(ZoneInfo(visit.zone)).date()
    if any(_holds_today(stop, today) for stop in stops):
        return Step.STOPPED, False
    if intake.has_unsigned(client.id):
        return Step.HEALTH, False
    if stops or not has_reconfirmed(checkout, client.id, visit.zone):
        newest = intake.newest(client.id)
        in_date = (
            newest is not None
            and not intake.needs_new_form(client.id)
            and is_intake_in_date(
                newest.completed_on, visit.day, client.age_on(visit.day), judged_by.gate_settings()
            )
        )
        return Step.HEALTH, in_date and not stops and checkout.user_id is not None
    put_off = (checkout.details or {}).get("consent_later") == checkout.client_id
    return (Step.CHECK if put_off or has_consent(client, visit, plan) else Step.CONSENT), False


def has_reconfirmed(checkout: Checkout, client_id: int, zone: str) -> bool:
    """Whether the person said in this very booking how it is, also on a record that became theirs: earlier answers
    alone confirm nothing."""
    since = checkout.created_at
    return intake.is_reconfirmed(client_id, since=since, since_day=local_day(since, ZoneInfo(zone)))


def _holds_today(stop: HealthStop, today: dt.date) -> bool:
    """Whether nothing can be done about this stop online today; on a later day new answers may end some."""
    if stop.needs == "new_answer":
        return stop.raised_on >= today
    return stop.ended_at is None


def has_consent(client: Client, visit: Visit, plan: VisitPlan, *, without: int | None = None) -> bool:
    """Whether the guardian's consent that this visit asks for is there; true for adults. `without`: one that does not
    count, as if it were taken back."""
    consent = judged_by.guardian_consent(client.id, without=without)
    columns = (*plan.judged_as, *plan.addon_columns)
    return is_consent_given(consent, columns, visit.day, client.age_on(visit.day), judged_by.gate_settings())
