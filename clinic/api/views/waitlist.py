"""The waitlist: wishes, and the answer to a time that is kept for one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from clinic.api import shapes, waiting
from clinic.api.paging import part_of
from clinic.api.repeats import done_anew
from clinic.api.views import kit
from clinic.api.views.blueprint import api
from clinic.booking.queries import visits as reading
from clinic.booking.queries import waitlist
from clinic.booking.services import answering
from clinic.booking.services import waitlist as services
from clinic.rules.api_scopes import Scope
from clinic.rules.errors import NotFound
from clinic.rules.language import N_, _
from clinic.rules.waitlist import When
from clinic.shared import clock

PENDING = {202: N_("Kept, and not confirmed yet: `waiting_for` says what is still needed.")}


@api.door("GET", "/waitlist", Scope.WAITLIST_READ, waiting.WaitlistPageOut, query=waiting.WaitlistQuery)
def list_wishes(query: waiting.WaitlistQuery) -> dict[str, Any]:
    """Who waits, first in line first; of one `client` or of all."""
    rows, total = waitlist.page(client_id=query.client, page=query.page, per_page=query.per_page)
    return part_of(_all_json(rows), total, query)


@api.door("GET", "/waitlist/<int:wish_id>", Scope.WAITLIST_READ, waiting.WaitlistOut)
def read_wish(wish_id: int) -> dict[str, Any]:
    """One wish, also after it has ended; with the time that is kept for it, if there is one."""
    return _shown(wish_id)


@api.door(
    "POST",
    "/waitlist",
    Scope.WAITLIST_WRITE,
    waiting.WaitlistOut,
    body=waiting.WaitlistIn,
    status=201,
    once=done_anew,
)
def join(body: waiting.WaitlistIn) -> dict[str, Any]:
    """Put a client on the waitlist. The same wish twice is one.

    What becomes free is offered to the first in line whom the gate lets book it; nothing is offered to others, and
    they are not told why.
    """
    when = When(
        body.first_day, body.last_day, frozenset(body.weekdays), frozenset(body.parts), body.notice_hours
    )
    kit.check_therapist(body.therapist)
    wish_id, _key = services.join(
        kit.choice_at(body, body.location),
        when,
        body.client,
        source="api",
        by=None,
        now=clock.now(),
    )
    return _shown(wish_id)


@api.door("DELETE", "/waitlist/<int:wish_id>", Scope.WAITLIST_WRITE, waiting.WaitlistOut)
def withdraw(wish_id: int) -> dict[str, Any]:
    """Take a wish off the list; a time that was kept for it goes to the next in line."""
    services.withdraw(wish_id, by=None, now=clock.now())
    return _shown(wish_id)


@api.door(
    "POST",
    "/waitlist/<int:wish_id>/accept",
    Scope.WAITLIST_WRITE,
    shapes.VisitOut,
    also=PENDING,
    once=done_anew,
)
def accept(wish_id: int) -> Any:
    """Say yes to the time that is kept: judged like any booking. Asking what has changed is the duty of the program."""
    done = answering.accept(_offer_of(wish_id), by=None, now=clock.now(), reconfirmed=True)
    facts = reading.facts(done.visit_id)
    if facts is None:
        raise NotFound(_("There is no such visit."))
    shown = kit.visit_json(facts)
    return shown, 202 if shown["code"] else 200


@api.door("POST", "/waitlist/<int:wish_id>/decline", Scope.WAITLIST_WRITE, waiting.WaitlistOut)
def decline(wish_id: int) -> dict[str, Any]:
    """Say no: the time goes to the next in line, and the wish stays on the list."""
    answering.decline(_offer_of(wish_id), by=None, now=clock.now())
    return _shown(wish_id)


def _offer_of(wish_id: int) -> int:
    """The newest offer of this wish, open or not: a second yes is answered like the first."""
    found = waitlist.newest_offer(wish_id)
    if found is None:
        raise NotFound(_("No time is kept for this wish."))
    return found


def _shown(wish_id: int) -> dict[str, Any]:
    found = waitlist.wish(wish_id)
    if found is None:
        raise NotFound(_("There is no such wish."))
    return _all_json([found])[0]


def _all_json(wishes: Collection[Any]) -> list[dict[str, Any]]:
    offers = waitlist.offers_of_wishes([one.id for one in wishes])
    return [_json(one, offers.get(one.id)) for one in wishes]


def _json(wish: Any, offer: Any) -> dict[str, Any]:
    return {
        "id": wish.id,
        "status": wish.ended_as or ("offered" if offer is not None else "waiting"),
        "client": wish.client_id,
        "service": wish.service.key,
        "mode": wish.mode,
        "minutes": wish.minutes,
        "addons": wish.addons,
        "areas": wish.areas,
        "therapist": wish.therapist_id,
        "gender": wish.asked_gender,
        "location": wish.location_id,
        "first_day": wish.first_day,
        "last_day": wish.last_day,
        "weekdays": wish.weekdays,
        "parts": wish.parts,
        "notice_hours": wish.notice_hours,
        "made_at": wish.made_at.astimezone(ZoneInfo(wish.location.zone)),
        "offer": _offer_json(offer) if offer is not None else None,
    }


def _offer_json(offer: Any) -> dict[str, Any]:
    """The offer, its times with the offset of the place."""
    zone = ZoneInfo(offer.visit.zone)
    return {
        "id": offer.id,
        "starts_at": offer.starts_at.astimezone(zone),
        "ends_at": offer.ends_at.astimezone(zone),
        "therapist": offer.visit.therapist_id,
        "room": offer.visit.room_id,
        "made_at": offer.made_at.astimezone(zone),
        "expires_at": offer.expires_at.astimezone(zone),
    }
