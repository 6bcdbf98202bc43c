"""The waitlist: wishes come and go, what becomes free is offered in line, and what runs out goes to the next."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.accounts import tries
from clinic.accounts.queries import hash_of
from clinic.accounts.steps import new_token
from clinic.accounts.tries import Origin
from clinic.booking.models import Offer, WaitlistWish
from clinic.booking.queries import waitlist
from clinic.booking.services._line import (
    Line,
    end_and_pass_on,
    end_offer,
    offer_to,
    stand_in_line,
)
from clinic.booking.services.checkout import Choice
from clinic.catalogue import queries as catalogue
from clinic.clients.models import Client
from clinic.clients.steps import Details, add_client, lead_to_account, speaking_to, who_stands
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.models import Location
from clinic.rules import words
from clinic.rules.contact import email_key
from clinic.rules.errors import BarredOnline, InvalidInput, MoveNotAllowed, NotFound, SlotTaken
from clinic.rules.language import _
from clinic.rules.waitlist import When, words_of
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import queue_mail
from clinic.shared.mail.texts import part
from clinic.therapists import queries as therapists

MOST_WISHES = 5
"""One person's open wishes: whoever wants more is looking for any time, which one wish says as well."""


@tried_again
def join(
    choice: Choice, when: When, client_id: int, *, source: str, by: int | None, now: dt.datetime
) -> tuple[int, str]:
    """Put a known person on the list; the same wish said twice is one. Returns the wish's id and the key of its page.

    Raises InvalidInput naming the field, NotFound, and for somebody who does this online BarredOnline.
    """
    with transaction() as session:
        client = who_stands(session, client_id, is_judged=False)
        if client is None:
            raise NotFound(_("There is no such client."))
        if source == "online" and client.is_barred_online:
            raise BarredOnline()
        return _join(session, choice, when, client, source=source, by=by, now=now)


@tried_again
def join_as(
    choice: Choice, when: When, details: Details, *, relation: str, origin: Origin, now: dt.datetime
) -> tuple[int, str]:
    """Somebody not signed in puts a person on the list: always a record of its own, with the way to an account, where
    they answer the health questions. The e-mail may be anybody's, so how often is counted.

    Raises InvalidInput naming the field, or TooManyTries.
    """
    facts = premises.clinic_facts()
    if facts is None:
        raise NotFound()
    if not details.email.strip():
        raise InvalidInput("email", _("Enter your e-mail address: we send the offer there."))
    with transaction() as session:
        key = email_key(details.email) or ""
        limits = [origin.of_account(tries.STRANGER_EMAIL, key), origin.of_address(tries.STRANGER_ADDRESS)]
        tries.count(session, limits, now)
        client = add_client(session, details, region=facts.phone_region, by=None, now=now, unproven=True)
        lead_to_account(session, client, relation, now=now)
        return _join(session, choice, when, client, source="online", by=None, now=now)


def _join(
    session: Session,
    choice: Choice,
    when: When,
    client: Client,
    *,
    source: str,
    by: int | None,
    now: dt.datetime,
) -> tuple[int, str]:
    wish = _new_wish(choice, when, client, source=source, by=by, now=now)
    when.check(today=premises.today(now, premises.place_in_use(wish.location_id).zone))
    token = new_token()
    mine = waitlist.wishes_of([client.id])
    same = next((one for one in mine if _is_same(one, wish)), None)
    if same is not None:
        same.key_hash = hash_of(token)  # a double click: the page that opens now is the one that works
        return same.id, token
    if len(mine) >= MOST_WISHES:
        raise InvalidInput(
            "client",
            _(
                "Somebody can be on the waitlist with %(most_wishes)s wishes at once.",
                most_wishes=MOST_WISHES,
            ),
        )
    wish.key_hash = hash_of(token)
    session.add(wish)
    session.flush()
    _tell_joined(session, wish, client, token, now)
    leave_trace(session, "waitlist.joined", "client", client.id, by=by, now=now, source=source)
    return wish.id, token


def _new_wish(
    choice: Choice, when: When, client: Client, *, source: str, by: int | None, now: dt.datetime
) -> WaitlistWish:
    """The wish, checked against the catalogue and the team. Not in the session yet."""
    plan = catalogue.plan_for(choice.service, choice.mode, choice.addons, choice.minutes, first_visit=False)
    if plan is None:
        raise InvalidInput("service", _("This is not on offer in this form. Please choose again."))
    if not choice.areas:
        raise InvalidInput("areas", _("Choose at least one area, or the whole body."))
    able = {one.id for one in therapists.eligible(plan.skills, plan.licence_kind)}
    if choice.therapist_id is not None and choice.therapist_id not in able:
        raise InvalidInput("therapist", _("This therapist does not offer this. Please choose another one."))
    facts = premises.clinic_facts()
    if facts is None:
        raise NotFound(_("The clinic is not set up yet."))
    return WaitlistWish(
        location_id=premises.where(facts, choice.location_id)[0], client_id=client.id,
        service_id=plan.service_id, therapist_id=choice.therapist_id, asked_gender=choice.gender, mode=choice.mode,
        addons=sorted(choice.addons), areas=sorted(choice.areas), minutes=choice.minutes,
        first_day=when.first_day, last_day=when.last_day, weekdays=sorted(when.weekdays),
        parts=sorted(when.parts), notice_hours=when.notice_hours, source=source, made_at=now, made_by_id=by,
    )  # fmt: skip


_SAME = (
    "location_id", "service_id", "therapist_id", "asked_gender", "mode", "addons", "areas", "minutes",
    "first_day", "last_day", "weekdays", "parts", "notice_hours",
)  # fmt: skip


def _is_same(one: WaitlistWish, other: WaitlistWish) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _SAME)


def _tell_joined(session: Session, wish: WaitlistWish, client: Client, token: str, now: dt.datetime) -> None:
    facts = premises.clinic_facts()
    if facts is None:
        return
    with speaking_to(client):
        queue_mail(
            session, "waitlist_joined", client.email, key=f"waitlist_joined:{wish.id}", now=now,
            name=client.first_name, first=words.day_words(wish.first_day), last=words.day_words(wish.last_day),
            when=words_of(waitlist.when_of(wish)), token=token, is_one_day=wish.first_day == wish.last_day,
            hint=part("answer_first") if intake.newest(client.id) is None else "",
            clinic=facts.name, phone=session.get_one(Location, wish.location_id).phone or facts.phone,
        )  # fmt: skip


@tried_again
def withdraw(wish_id: int, *, by: int | None, now: dt.datetime) -> None:
    """Take a wish off the list; done twice it stays off. What was offered to it goes to the next. Raises NotFound."""
    with transaction() as session:
        stand_in_line(session)
        wish = session.get(WaitlistWish, wish_id, with_for_update=True, populate_existing=True)
        if wish is None:
            raise NotFound(_("There is no such wish on the waitlist."))
        if wish.ended_at is not None:
            return
        wish.ended_at, wish.ended_as = now, "withdrawn"
        session.flush()
        for offer in session.scalars(
            select(Offer).where(Offer.wish_id == wish_id, Offer.ended_at.is_(None))
        ).all():
            end_and_pass_on(session, offer, "withdrawn", by=by, now=now)
        leave_trace(session, "waitlist.left", "client", wish.client_id, by=by, now=now)


@tried_again
def give_to_somebody_else(offer_id: int, *, by: int, now: dt.datetime) -> dt.datetime:
    """The desk ends an offer to give its time to somebody who is not on the list: for a while it is offered to nobody.
    Returns the time. Raises NotFound, MoveNotAllowed when the offer was answered meanwhile."""
    with transaction() as session:
        stand_in_line(session)
        offer = session.get(Offer, offer_id, with_for_update=True)
        if offer is None or offer.kind == "given":
            raise NotFound()
        if offer.ended_as == "set_aside":
            return offer.starts_at
        if offer.ended_at is not None:
            raise MoveNotAllowed(_("This offer has been answered, or has run out. Look at the list again."))
        end_offer(session, offer, "set_aside", by=by, now=now)
        leave_trace(session, "waitlist.set_aside", "offer", offer.id, by=by, now=now)
        return offer.starts_at


@tried_again
def offer_now(wish_id: int, *, by: int, now: dt.datetime) -> int:
    """The desk offers the soonest free time that fits to this very person, whoever else is in line. Returns the offer's
    id; the one that stands already, if there is one. Raises NotFound, SlotTaken when nothing fits."""
    with transaction() as session:
        stand_in_line(session)
        wish = session.get(WaitlistWish, wish_id, with_for_update=True, populate_existing=True)
        if wish is None or wish.ended_at is not None:
            raise NotFound(_("This wish is not on the list any more."))
        there = session.scalar(select(Offer.id).where(Offer.wish_id == wish_id, Offer.ended_at.is_(None)))
        if there is not None:
            return there
        line = Line(now)
        fit = line.fit(wish, line.days_of(wish))
        made = offer_to(session, wish, fit, by=by, now=now) if fit is not None else None
        if made is None:
            raise SlotTaken(line.why_none(wish))
        return made.id
