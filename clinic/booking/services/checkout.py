"""The client's booking from the chosen time to the result. Every step may be done twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.booking.models import Checkout, Visit
from clinic.booking.queries import open_questions, visits
from clinic.booking.queries.checkouts import (
    CHOSEN_BY,
    GUEST,
    IN_TURN,
    NAMED_BEFORE,
    all_before,
    chosen_by,
    guest_of,
    has_reconfirmed,
    in_turn,
    named_before,
    person_of,
)
from clinic.booking.queries.visits import plan_of
from clinic.booking.services._claims import claim_best, client_first, keep_longer_until
from clinic.booking.services._deciding import decide, keep_place, keep_room, keep_therapist, tell
from clinic.booking.services._forgetting import (
    drop_open_questions,
    forget_guest,
    forget_if_bare,
    note_open_questions,
)
from clinic.booking.services._judging import Judged, client_to_judge, judge
from clinic.booking.services._keeping import keep_for
from clinic.booking.services._placing import claim_anew, hand_on_aim, place_person, seat
from clinic.booking.services._steps import ask_for, first_status, order_of, plan_without, set_plan, set_status
from clinic.booking.services.resting import check_rested
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.clients.steps import Details, add_client, check_details, who_stands, write_details
from clinic.intake import queries as intake
from clinic.intake.steps import ask_anew, carry_over, say_it_now
from clinic.premises import queries as premises
from clinic.rules import booking_policy
from clinic.rules.contact import name_key
from clinic.rules.errors import BarredOnline, HoldExpired, InvalidInput, NotFound
from clinic.rules.language import _
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import leave_trace
from clinic.shared.database import db, transaction, tried_again


@dataclass(frozen=True)
class Choice:
    """What is wanted. No `therapist_id`: any of them, or of those of this `gender`; no `location_id`: the first place.
    `areas` are body-area keys."""

    service: str
    minutes: int
    mode: str | None = None
    addons: tuple[str, ...] = ()
    areas: tuple[str, ...] = ("full_body",)
    therapist_id: int | None = None
    location_id: int | None = None
    gender: str = ""

    def record(self) -> dict[str, Any]:
        return {
            "service": self.service, "minutes": self.minutes, "mode": self.mode, "addons": list(self.addons),
            "areas": list(self.areas), "therapist_id": self.therapist_id,
            "location_id": self.location_id, "gender": self.gender,
        }  # fmt: skip

    @classmethod
    def of(cls, record: dict[str, Any]) -> Choice:
        return cls(
            record["service"], record["minutes"], record["mode"], tuple(record["addons"]),
            tuple(record["areas"]), record["therapist_id"], record.get("location_id"),
            record.get("gender", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class Result:
    """How a confirmation ended. `judged` is None when the visit had been decided before (a double click).
    `unsafe_addons` is filled when nothing was decided yet because these add-ons must come off first, and `rest` is
    what is left without them."""

    visit_id: int
    status: VisitStatus
    judged: Judged | None = None
    unsafe_addons: tuple[str, ...] = ()
    unsafe_addon_names: tuple[str, ...] = ()
    rest: VisitPlan | None = None


@tried_again
def hold_slot(
    token: str | None,
    choice: Choice,
    starts_at: dt.datetime,
    *,
    first_visit: bool,
    user_id: int | None,
    now: dt.datetime,
    keeper: str = "",
) -> str:
    """Keep this time for the person who is choosing; an earlier hold of the same checkout is given up.

    Returns the checkout's token: the given one, or a new one when there was none or its booking is finished. A
    page gives its token out before the first hold, so that a double click is one checkout. Raises SlotTaken with
    the nearest free times, InvalidInput when the choice is not on offer, TooManyKept by this `keeper`.
    """
    with transaction() as session:
        token, checkout = _open_checkout(session, token, choice, now)
        person = _whose(session, checkout)
        held = session.get(Visit, checkout.visit_id) if checkout.visit_id else None
        if held is not None and held.status == VisitStatus.HELD:
            same = held.starts_at == starts_at and checkout.choice == choice.record()
            if same and held.deadline_at is not None and held.deadline_at > now:
                return token
            set_status(session, held, VisitStatus.RELEASED, by=user_id, now=now, reason="another time chosen")
        keep_for(session, checkout, keeper, has_account=user_id is not None, now=now)
        if person is not None:
            client_first(session, person.id)
        people = [one.client_id for one in clients.people_of(user_id)] if user_id is not None else []
        visit = new_hold(
            session, choice, starts_at, first_visit=first_visit, user_id=user_id, now=now, people=people
        )
        checkout.choice, checkout.visit_id = choice.record(), visit.id
        checkout.updated_at = now
        if person is None:
            checkout.user_id = user_id
        else:
            place_person(session, visit, person, now=now)
        hand_on_aim(held, visit)
        return token


def _whose(session: Session, checkout: Checkout) -> Client | None:
    """Whom the checkout is for, kept from a merge until the commit. It is for nobody yet again where what was typed
    without signing in became another record."""
    if checkout.client_id is None:
        return None
    who_stands(session, checkout.client_id, is_judged=False)
    person = person_of(checkout)
    if person is None or person.id != checkout.client_id:
        said = {**(checkout.details or {}), IN_TURN: in_turn(checkout)}
        if checkout.user_id is None:  # what was said there may concern whoever is named next
            said[NAMED_BEFORE] = [*named_before(checkout), checkout.client_id]
        else:
            said[CHOSEN_BY] = chosen_by(checkout)
        checkout.client_id = person.id if person is not None else None
        checkout.details = said  # sealed anew, for whom it is now
    return person


def _open_checkout(
    session: Session, token: str | None, choice: Choice, now: dt.datetime
) -> tuple[str, Checkout]:
    """The checkout under this token, locked; a new one where there is none that is still open."""
    row = visits.checkout(token, to_change=True) if token else None
    if row is not None and row.finished_at is not None:
        row, token = None, None
    token = token or new_token()
    if row is None:
        row = Checkout(token_hash=hash_of(token), created_at=now, updated_at=now, choice=choice.record())
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # the other half of a double click was first: go on with its checkout
            there = visits.checkout(token, to_change=True)
            if there is None:
                raise
            row = there
    return token, row


def new_hold(
    session: Session,
    choice: Choice,
    starts_at: dt.datetime,
    *,
    first_visit: bool,
    user_id: int | None,
    now: dt.datetime,
    people: Iterable[int] = (),
) -> Visit:
    """A time that is kept; `people`: who it may be for, as far as is known."""
    facts, settings = premises.clinic_facts(), premises.booking_settings()
    plan = catalogue.plan_for(
        choice.service, choice.mode, choice.addons, choice.minutes, first_visit=first_visit
    )
    if facts is None or plan is None:
        raise InvalidInput("service", _("This is not on offer in this form. Please choose again."))
    until = booking_policy.hold_deadline(now, now=now, settings=settings)
    place_id, zone = premises.where(facts, choice.location_id)
    visit = Visit(
        location_id=place_id, client_id=None, areas=sorted(choice.areas), zone=zone,
        starts_at=starts_at, status=VisitStatus.HELD, deadline_at=until,
        hold_until=now + dt.timedelta(minutes=settings.hold_longest_minutes),
        first_visit=first_visit, currency=facts.currency, source="online",
        any_therapist=choice.therapist_id is None, asked_gender=choice.gender, created_at=now, created_by_id=user_id,
    )  # fmt: skip
    set_plan(visit, plan)
    ask = ask_for(visit, plan, now=now, by_staff=False, therapist_id=choice.therapist_id)
    claim_best(session, visit, replace(ask, people=tuple(people)), expires_at=until)
    first_status(session, visit, by=user_id, now=now)
    return visit


def _working(token: str, now: dt.datetime) -> tuple[Checkout, Visit]:
    """The checkout and its visit, both locked: the worker may be giving the time back at this moment. Raises
    HoldExpired when there is none."""
    checkout = visits.checkout(token, to_change=True)
    visit_id = checkout.visit_id if checkout is not None else None
    visit: Visit | None = None
    if visit_id is not None:
        visit = db.session.get(Visit, visit_id, with_for_update=True, populate_existing=True)
    if checkout is None or visit is None or checkout.updated_at < now - dt.timedelta(days=1):
        raise HoldExpired()
    return checkout, visit


@tried_again
def choose_person(token: str, client_id: int, *, user_id: int, now: dt.datetime) -> None:
    """A signed-in account says who the visit is for. Raises NotFound for somebody it may not act for, BarredOnline,
    and SlotTaken when the time does not fit this person: who they are is kept all the same."""
    with transaction() as session:
        checkout, visit = _working(token, now)
        stands = who_stands(session, client_id)  # nobody joins them with a record that waits meanwhile
        client = clients.client_of(user_id, stands.id) if stands is not None else None
        if client is None:
            raise NotFound()
        _refuse_barred(client)
        if client.is_unproven and not (
            clients.may_be_another(client, user_id)
            or open_questions.about(client, clients.look_alikes(client))
        ):
            client.is_unproven = False  # the account proved the e-mail, and nobody else looks like them
        typed_before = checkout.client_id
        said = {**(checkout.details or {})}
        typed = typed_before if checkout.user_id is None else said.get(GUEST)
        if typed_before not in (None, client.id):
            said[IN_TURN] = in_turn(checkout)
            if chosen := chosen_by(checkout):
                said[CHOSEN_BY] = chosen
        before = [one for one in named_before(checkout) if _may_be(session, one, client)]
        tellers = [one for one in (*before, typed) if one not in (None, client.id)]
        checkout.client_id, checkout.user_id, checkout.updated_at = client.id, user_id, now
        refusal = seat(session, visit, client, now=now)
        told = [one for one in tellers if carry_over(session, one, client.id, now=now)]
        if told:  # it goes along to whomever else they choose, too
            said[GUEST] = told[-1]
        if said:  # sealed anew, for whom it is now: the key of who was typed before may be gone in a moment
            checkout.details = {**said}
        if typed_before is not None and typed_before not in (client.id, *told):
            session.flush()
            forget_if_bare(session, typed_before)
            is_typed = typed == typed_before  # and not whom the account chose before
            if is_typed and session.get(Client, typed_before) is not None:
                checkout.details = {**said, NAMED_BEFORE: [*named_before(checkout), typed_before]}
    if refusal is not None:
        raise refusal


@tried_again
def name_person(token: str, details: Details, *, relation: str, now: dt.datetime) -> int:
    """Somebody not signed in says who the visit is for: always a record of its own, never an existing one.

    Typed again it corrects that record, unless health questions were answered for it and it is another person now:
    those answers are not this person's. Whoever was named for this booking before, by this name and birth date, has
    their own record and answers again. Returns the client's id. Raises InvalidInput naming the field, SlotTaken as
    `choose_person` does.
    """
    facts = premises.clinic_facts()
    if facts is None:
        raise HoldExpired()
    if not details.email.strip():
        raise InvalidInput("email", _("Enter your e-mail address: we send the confirmation there."))
    if not details.phone.strip():
        raise InvalidInput("phone", _("Enter your phone number, so that we can reach you."))
    with transaction() as session:
        checkout, visit = _working(token, now)
        last, before = _whose(session, checkout), named_before(checkout)
        turns, chosen = in_turn(checkout), chosen_by(checkout)
        if checkout.user_id is not None:  # whom an account chose is not written over
            before, last = [*before, *([guest] if (guest := guest_of(checkout)) else [])], None
        client = _named_already(session, before, details)
        if last is not None and (client is None or _is_theirs(last, details)) and _may_correct(last, details):
            client = last
        if client is None:
            client = add_client(session, details, region=facts.phone_region, by=None, now=now, unproven=True)
        else:
            _correct(session, client, details, region=facts.phone_region, now=now)
        if last is not None:
            before = [*before, last.id]
        before = [one for one in dict.fromkeys(before) if one != client.id]
        checkout.client_id, checkout.updated_at, checkout.user_id = client.id, now, None
        others = {NAMED_BEFORE: before, CHOSEN_BY: chosen, IN_TURN: turns}
        checkout.details = {"relation": relation} | {key: ids for key, ids in others.items() if ids}
        client_id, refusal = client.id, seat(session, visit, client, now=now)
    if refusal is not None:
        raise refusal
    return client_id


def _correct(session: Session, client: Client, details: Details, *, region: str, now: dt.datetime) -> None:
    """Write over what was typed before for this booking. Raises InvalidInput."""
    check_details(details, today=now.date() + dt.timedelta(days=1))
    if not _is_same_person(client, details):
        ask_anew(session, client.id)
    before = _found_by(client)
    write_details(client, details, region=region)
    if _found_by(client) != before:
        say_it_now(client.id, now=now)


def _may_correct(client: Client, details: Details) -> bool:
    """Whether what was typed now may be written over the record that this checkout made. Where nothing is signed, a
    name or a day alone may be a slip; where both are others, what was answered is somebody else's."""
    if not client.is_unproven:
        return False
    same = _has_their_name(client, details), client.born_on == details.born_on
    if intake.newest(client.id) is not None or intake.stops_in_force(client.id):
        return all(same)
    return any(same) or not intake.drafts(client.id)


def _has_their_name(client: Client, details: Details) -> bool:
    return client.name_key == name_key(details.first_name, details.last_name)


def _is_theirs(client: Client, details: Details) -> bool:
    return _has_their_name(client, details) and client.born_on == details.born_on


def _named_already(session: Session, before: Iterable[int], details: Details) -> Client | None:
    """The record of whoever was named for this booking by this name and birth date, while nobody has joined it with
    another one."""
    for number in before:
        named = session.get(Client, number)
        if named is None or not _is_theirs(named, details):
            continue
        stands = who_stands(session, number, is_judged=False)
        if (
            stands is not None
            and stands.id == number
            and stands.is_unproven
            and not clients.aliases([number])
        ):
            return stands
    return None


def _may_be(session: Session, client_id: int, client: Client) -> bool:
    """Whether who was named before may be this person: another name and another day are somebody else."""
    named = session.get(Client, client_id)
    return named is not None and (named.name_key == client.name_key or named.born_on == client.born_on)


def _is_same_person(client: Client, details: Details) -> bool:
    """Beyond doubt: two people share a last name and a day, or both names, but hardly a first name and a day."""
    first_names = {name_key(one.first_name, "") for one in (client, details)}
    return len(first_names) == 1 and client.born_on == details.born_on


def _found_by(client: Client) -> tuple[Any, ...]:
    """By what others are found who look like this record."""
    return client.name_key, client.born_on, client.email_key, client.phone_key


def _refuse_barred(client: Client) -> None:
    if client.is_barred_online:
        raise BarredOnline()


@tried_again
def renew_hold(token: str, *, now: dt.datetime) -> dt.datetime:
    """The person is still working: keep the time a little longer, up to its limit. Returns the new deadline.

    Raises HoldExpired when it ran out.
    """
    with transaction() as session:
        _checkout, visit = _working(token, now)
        if visit.status != VisitStatus.HELD or visit.deadline_at is None:
            raise HoldExpired()
        until = booking_policy.renewed_hold(
            visit.created_at, visit.deadline_at, now=now, settings=premises.booking_settings()
        )
        keep_longer_until(session, visit, until)
        return until


@tried_again
def leave(token: str, *, now: dt.datetime) -> None:
    """Give the held time back (a warning sign, or the person changed their mind). What was typed stays."""
    with transaction() as session:
        checkout = visits.checkout(token, to_change=True)
        visit = session.get(Visit, checkout.visit_id) if checkout and checkout.visit_id else None
        if visit is not None and visit.status == VisitStatus.HELD:
            set_status(session, visit, VisitStatus.RELEASED, by=None, now=now, reason="left")


@tried_again
def drop_addons(token: str, columns: tuple[str, ...], *, now: dt.datetime) -> None:
    """The person agreed to come without these add-ons (named by the columns that judge them)."""
    with transaction() as session:
        checkout, visit = _working(token, now)
        if visit.status != VisitStatus.HELD:
            return
        plan = plan_without(visit, plan_of(visit), columns)
        claim_anew(session, visit, plan, expires_at=visit.deadline_at, now=now)
        checkout.choice = {**checkout.choice, "addons": list(plan.addons)}
        visit.revision += 1


@tried_again
def put_off_consent(token: str, *, now: dt.datetime) -> None:
    """The parent or guardian is not there to sign: the visit is asked for without it, and waits for it."""
    with transaction() as session:
        checkout, _visit = _working(token, now)
        checkout.details = {**(checkout.details or {}), "consent_later": checkout.client_id}
        session.flush()


@tried_again
def confirm(token: str, *, user_id: int | None, now: dt.datetime) -> Result:
    """Judge and decide: confirmed, waiting, or not booked with the time given back.

    Done twice it answers with what the first one made. Raises HoldExpired or SlotTaken when the time went
    meanwhile, BarredOnline, TooManyPending, InvalidInput when nobody has been named yet.
    """
    with transaction() as session:
        checkout, visit = _working(token, now)
        if visit.status != VisitStatus.HELD:
            if visit.status == VisitStatus.RELEASED:
                raise HoldExpired()
            return Result(visit.id, VisitStatus(visit.status))
        client = _to_confirm(session, checkout, visit)
        if (
            user_id is not None
            and checkout.user_id == user_id
            and clients.client_of(user_id, client.id) is None
        ):
            raise NotFound()
        _refuse_barred(client)
        keep_place(session, visit, now)
        keep_room(session, visit, now)
        plan = plan_of(visit)
        note_open_questions(session, visit, client)
        judged = judge(
            session, client, order_of(visit, plan), door="online", visit_id=visit.id, by=user_id, now=now
        )
        if judged.unsafe_addons and not judged.refuses:
            named = dict(zip(plan.addon_columns, plan.addon_names, strict=True))
            names = tuple(named[column] for column in judged.unsafe_addons if column in named)
            rest = plan_without(visit, plan, judged.unsafe_addons)
            return Result(visit.id, VisitStatus.HELD, judged, judged.unsafe_addons, names, rest)
        if judged.permits and not has_reconfirmed(checkout, client.id, visit.zone):
            raise InvalidInput(
                "answers", _("Please tell us first whether your health answers are still right.")
            )
        if not judged.refuses:
            check_rested(visit, client, plan)
            keep_therapist(session, visit, now)
        refusal = decide(session, visit, client, judged, user_id=user_id, now=now)
        if refusal is None:
            _finish(session, checkout, visit, client, user_id=user_id, now=now)
        if visit.status == VisitStatus.RELEASED:
            drop_open_questions(session, visit)
        result = Result(visit.id, VisitStatus(visit.status), judged)
    if refusal is not None:
        raise refusal
    return result


def _to_confirm(session: Session, checkout: Checkout, visit: Visit) -> Client:
    """Whom the visit is for, waited for with everybody whom this booking was for before. Raises InvalidInput."""
    before = all_before(checkout)
    client = client_to_judge(session, checkout.client_id, before) if checkout.client_id else None
    if client is None or visit.client_id != client.id or person_of(checkout) is None:
        raise InvalidInput("person", _("Please say who this visit is for."))
    return client


def _finish(
    session: Session,
    checkout: Checkout,
    visit: Visit,
    client: Client,
    *,
    user_id: int | None,
    now: dt.datetime,
) -> None:
    if visit.status != VisitStatus.RELEASED:
        checkout.finished_at = now
        forget_guest(session, checkout)
        tell(session, visit, client, checkout, now=now)
    else:
        drop_open_questions(session, visit)
    leave_trace(
        session, "visit.booked", "visit", visit.id, by=user_id, now=now, status=visit.status, door="online"
    )
