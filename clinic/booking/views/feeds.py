"""Calendar feeds: the pages on which their private addresses are made and ended, and the feed itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from limits import RateLimitItemPerMinute

from clinic.accounts.access import who
from clinic.booking.forms.time_off import KINDS
from clinic.booking.queries import feeds, visits
from clinic.booking.queries.feeds import Owner
from clinic.booking.services import feeds as services
from clinic.booking.views.blueprint import pages
from clinic.booking.views.calendar_file import Entry, calendar_text, visit_entry
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.shared import clock
from clinic.shared.web import Answer, Asks, found
from clinic.therapists import queries as therapists

WRONG_PER_MINUTE = 30
"""With addresses that open nothing, from one computer."""
READ_PER_MINUTE = 30
OWN, DIARY, ANY = Permission.VISIT_OWN_WRITE, Permission.DIARY_OWN_READ, Permission.THERAPIST_ANY_WRITE


@dataclass(frozen=True)
class Door:
    """Whose feed a page is about, and the addresses of the page. `kind` is own, diary or owner."""

    owner: Owner
    kind: str
    name: str
    here: str
    end: str
    page: str
    """The endpoint of the page itself."""


def _own() -> Door:
    return Door(
        Owner(user_id=who()), "own", "", url_for("booking.my_calendar"), url_for("booking.end_my_calendar"),
        "booking.my_calendar",
    )  # fmt: skip


def _diary() -> Door:
    me = found(therapists.therapist_of_user(who() or 0))
    return Door(
        Owner(therapist_id=me.id), "diary", me.name, url_for("booking.diary_calendar"),
        url_for("booking.end_diary_calendar"), "booking.diary_calendar",
    )  # fmt: skip


def _of_therapist(therapist_id: int) -> Door:
    row = found(therapists.therapist(therapist_id))
    return Door(
        Owner(therapist_id=row.id), "owner", row.name,
        url_for("booking.therapist_calendar", therapist_id=row.id),
        url_for("booking.end_therapist_calendar", therapist_id=row.id), "booking.therapist_calendar",
    )  # fmt: skip


def _asks_to_make(door: Door) -> Asks | None:
    """Nothing for the first address, nor where another one was made since the page was opened."""
    stands = _stands(feeds.made_at(door.owner))
    if not stands or request.form.get("stands", stands) != stands:
        return None
    follows = N_("The address used so far stops working.")
    return Asks(N_("Make a new address?"), N_("Make a new address"), door.page, follows, door.name)


def _asks_to_end(door: Door) -> Asks | None:
    if feeds.made_at(door.owner) is None:
        return None
    follows = N_("Calendars that use it get nothing any more.")
    return Asks(N_("End the address?"), N_("End the address"), door.page, follows, door.name)


@pages.get("/my/calendar", needs=OWN)
def my_calendar() -> Answer:
    """A client's own feed."""
    return _page(_own())


@pages.post("/my/calendar", needs=OWN, asks=lambda: _asks_to_make(_own()))
def make_my_calendar() -> Answer:
    """A new address, shown this once."""
    return _make(_own())


@pages.post("/my/calendar/end", needs=OWN, asks=lambda: _asks_to_end(_own()))
def end_my_calendar() -> Answer:
    """The address opens nothing any more."""
    return _end(_own())


@pages.get("/diary/calendar", needs=DIARY)
def diary_calendar() -> Answer:
    """A therapist's own feed."""
    return _page(_diary())


@pages.post("/diary/calendar", needs=DIARY, asks=lambda: _asks_to_make(_diary()))
def make_diary_calendar() -> Answer:
    """A new address, shown this once."""
    return _make(_diary())


@pages.post("/diary/calendar/end", needs=DIARY, asks=lambda: _asks_to_end(_diary()))
def end_diary_calendar() -> Answer:
    """The address opens nothing any more."""
    return _end(_diary())


@pages.get("/owner/therapists/<int:therapist_id>/calendar", needs=ANY)
def therapist_calendar(therapist_id: int) -> Answer:
    """The feed of any therapist, for the owner."""
    return _page(_of_therapist(therapist_id))


@pages.post(
    "/owner/therapists/<int:therapist_id>/calendar",
    needs=ANY,
    asks=lambda therapist_id: _asks_to_make(_of_therapist(therapist_id)),
)
def make_therapist_calendar(therapist_id: int) -> Answer:
    """A new address, shown this once."""
    return _make(_of_therapist(therapist_id))


@pages.post(
    "/owner/therapists/<int:therapist_id>/calendar/end",
    needs=ANY,
    asks=lambda therapist_id: _asks_to_end(_of_therapist(therapist_id)),
)
def end_therapist_calendar(therapist_id: int) -> Answer:
    """The address opens nothing any more."""
    return _end(_of_therapist(therapist_id))


def _page(door: Door, address: str = "") -> Answer:
    made_at = feeds.made_at(door.owner)
    return render_template(
        "booking/calendar.html", door=door, address=address, made_at=made_at, stands=_stands(made_at)
    )


def _stands(made_at: dt.datetime | None) -> str:
    """Which address stands, by when it was made: the form names it, so that sent again it makes no other one."""
    return made_at.isoformat() if made_at else ""


def _make(door: Door) -> Answer:
    stands = _stands(feeds.made_at(door.owner))
    if request.form.get("stands", stands) != stands:
        flash(
            _("An address was made already. It was shown once; if nobody copied it, make a new one."), "care"
        )
        return redirect(door.here, 303)
    token = services.make_feed(door.owner, by=who(), now=clock.now())
    path = url_for("booking.calendar_feed", token=token)
    return _page(door, f"{current_app.config['CLINIC_PUBLIC_URL'].rstrip('/')}{path}")


def _end(door: Door) -> Answer:
    services.end_feed(door.owner, by=who(), now=clock.now())
    flash(_("The address is ended. Calendars that use it get nothing any more."), "success")
    return redirect(door.here, 303)


@pages.get("/calendar/<token>.ics", needs=Permission.SITE_ANY_READ)
def calendar_feed(token: str) -> Answer:
    """The feed. Its address is the only key; whoever guesses is soon slowed down."""
    address = request.remote_addr or ""
    if not _may("wrong", address, WRONG_PER_MINUTE, counts=False):
        return _too_many()
    owner = feeds.owner_of(token)
    if owner is None:
        _may("wrong", address, WRONG_PER_MINUTE)
        abort(404)
    if not _may(owner.kind, str(owner.number), READ_PER_MINUTE):
        return _too_many()
    answer = Response(_text(owner), mimetype="text/calendar")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _may(kind: str, whose: str, per_minute: int, *, counts: bool = True) -> bool:
    """Within the limit; counted by the same limiter as the requests of programs."""
    limiter = current_app.extensions["clinic_api_limiter"]
    ask = limiter.hit if counts else limiter.test
    return bool(ask(RateLimitItemPerMinute(per_minute), "feed", kind, whose))


def _too_many() -> Response:
    return Response(_("Too many requests."), 429, {"Retry-After": "60"}, mimetype="text/plain")


def _text(owner: Owner) -> bytes:
    facts, now = premises.clinic_facts(), clock.now()
    rows = feeds.visits_in_feed(owner, now)
    name = facts.name if facts else ""
    if owner.therapist_id:
        me = found(therapists.therapist(owner.therapist_id))
        entries = [_to_treat(one) for one in rows] + [
            Entry("off", one.id, one.starts_at, one.ends_at, KIND_WORDS[one.kind], "", days=one.days)
            for one in feeds.time_off_in_feed(owner, now)
        ]
        return calendar_text(f"{name}: {me.name}", entries, facts)
    several = len(clients.people_of(owner.user_id or 0)) > 1
    return calendar_text(
        _("%(name)s: my visits", name=name), [_to_come(one, name, several) for one in rows], facts
    )


KIND_WORDS = dict(KINDS)


def _initials(client: Any) -> str:
    """Enough to know who comes, and no name for whoever looks over the shoulder."""
    if client is None:
        return ""
    return " ".join(f"{name[0].upper()}." for name in (client.first_name, client.last_name) if name)


def _to_treat(visit: Any) -> Entry:
    title = _("Visit %(client)s", client=_initials(visit.client)).strip()
    return visit_entry(visit, title, visit.room.name, reminds=False, status=VisitStatus(visit.status))


def _to_come(visit: Any, clinic: str, several: bool) -> Entry:
    title = _("Visit at %(clinic)s", clinic=clinic) + (f" ({_initials(visit.client)})" if several else "")
    place = visit.location.address_line
    return visit_entry(visit, title, place, reminds=True, status=visits.seen_as(visit))
