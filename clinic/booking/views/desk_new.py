"""A new visit at the desk, by keyboard alone: find or add the client, say what, take the first time that fits."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from clinic.accounts.access import who
from clinic.booking.forms.desk import NEW, NewVisitForm, read_moment, what_value
from clinic.booking.queries import visits
from clinic.booking.queries.availability import Ask
from clinic.booking.queries.desk_times import FreeTime, FreeTimes, free_times
from clinic.booking.queries.why_no_times import Explained
from clinic.booking.services import alternatives
from clinic.booking.services.aims import say_aim
from clinic.booking.services.checkout import Choice
from clinic.booking.services.visits import Outcome, book_visit
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.catalogue import queries as catalogue
from clinic.clients import queries as clients
from clinic.clients.services import create_client
from clinic.clients.steps import Details
from clinic.premises import queries as premises
from clinic.rules.body_areas import AREAS
from clinic.rules.contact import as_names, is_like_a_name
from clinic.rules.errors import InvalidInput, NotFound, SlotTaken, TooSoon
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, go


@dataclass
class Shown:
    """What the page shows besides the form."""

    people: list[dict[str, Any]] = field(default_factory=list)
    has_more: bool = False
    chosen: dict[str, Any] | None = None
    times: FreeTimes | None = None
    why: Explained | None = None
    minutes: int = 0
    is_refused: bool = False
    """Whether the gate would refuse this to the client on the day that is shown."""
    trouble: str = ""
    nearest: list[dict[str, Any]] = field(default_factory=list)
    unsafe: tuple[str, ...] = ()
    rest: dict[str, Any] | None = None
    alike: list[dict[str, Any]] = field(default_factory=list)


@pages.get("/desk/visits/new", needs=Permission.VISIT_ANY_WRITE)
def desk_new() -> Answer:
    """The page; `?client=`, `?day=`, `?at=`, `?therapist=` and `?walk_in=1` fill it in."""
    typed = MultiDict(request.args)
    form = _form(typed)
    form.day.data = form.day.data or premises.today(clock.now(), kit.zone_of(form))
    form.request_key.data = secrets.token_urlsafe(16)
    return _page(form, _look(form))


@pages.post("/desk/visits/new", needs=Permission.VISIT_ANY_WRITE)
def desk_book() -> Answer:
    """Find the client and the times, or book when a time was pressed. What was typed is kept."""
    form = _form(request.form)
    starts_at = read_moment(request.form.get("start", ""))
    is_right = form.validate()
    if starts_at is not None and form.client_id is None and form.is_new:
        is_right = form.names_somebody() and is_right
    if not is_right or starts_at is None:
        return _page(form, _look(form), 200 if is_right else 422)
    if request.args.get("without"):
        gone = request.args["without"].split(",")
        form.addons.data = [one for one in form.addons.data or () if one not in gone]
    return _book(form, starts_at)


def _form(typed: MultiDict[str, str]) -> NewVisitForm:
    form = NewVisitForm(typed)
    form.region = kit.clinic().phone_region
    kit.with_choices(form)
    choose(form.place, [(one.id, one.name) for one in premises.places()])
    if form.place_id is not None:
        premises.place_in_use(form.place_id)
    return form


def _choice_of(form: NewVisitForm) -> Choice | None:
    """What was chosen, and where."""
    choice = kit.choice_of(form)
    return replace(choice, location_id=form.place_id) if choice is not None else None


def _as_last_time(form: NewVisitForm) -> None:
    """A known client comes for what they came for last."""
    for visit in visits.visits_of([form.client_id or 0])[:1]:
        form.what.data = what_value(visit.service.key, visit.mode, visit.minutes)
        form.areas.data = list(visit.areas)


def _as_typed(form: NewVisitForm) -> None:
    """Nobody is called that: the name that was searched for is that of somebody new."""
    typed = form.q.data or ""
    if typed and not form.first_name.data and not form.last_name.data and is_like_a_name(typed):
        form.first_name.data, form.last_name.data = as_names(typed)


def _look(form: NewVisitForm) -> Shown:
    """People found, and free times as far as what is wanted is known."""
    shown = Shown()
    chosen = clients.client(form.client_id) if form.client_id else None
    found, shown.has_more = kit.people_found(form.q.data)
    if chosen is None and len(found) == 1 and form.client.data != NEW:
        chosen = found[0]
    if chosen is not None:
        form.client.data = str(chosen.id)
        if not form.what.data:
            _as_last_time(form)
        shown.chosen = person(chosen)
        found = [chosen, *(one for one in found if one.id != chosen.id)]
    elif form.q.data and not found:
        _as_typed(form)
    shown.people = [person(one) for one in found]
    choice = _choice_of(form)
    if choice is not None:
        _add_times(form, shown, choice, chosen.id if chosen else None)
    return shown


def person(client: Any) -> dict[str, Any]:
    """How a client is told from others of the same name: birth date and phone."""
    return {"id": client.id, "name": client.name, "born_on": client.born_on, "phone": client.phone or ""}


def _add_times(form: NewVisitForm, shown: Shown, choice: Choice, client_id: int | None) -> None:
    now = clock.now()
    day = form.day.data or premises.today(now, kit.zone_of(form))
    is_first = client_id is None or not visits.has_been_before(client_id, now)
    plan = catalogue.plan_for(
        choice.service, choice.mode, choice.addons, choice.minutes, first_visit=is_first
    )
    if plan is None:
        return
    ask = Ask(
        plan=plan, location_id=form.place_id, first_day=day, days=1, now=now,
        therapist_id=choice.therapist_id, gender=choice.gender, client_id=client_id, by_staff=True, by_history=True,
        rested_areas=tuple(choice.areas),
    )  # fmt: skip
    shown.times = free_times(ask, form.at.data, since=now)
    shown.why = kit.why(ask, shown.times, form.at.data, is_asked=bool(request.values.get("why")))
    shown.minutes = plan.total_minutes
    if client_id is not None:
        shown.is_refused = alternatives.preview(client_id, choice, day, now=now).refuses


def _book(form: NewVisitForm, starts_at: dt.datetime) -> Answer:
    key = (form.request_key.data or "")[:64] or secrets.token_urlsafe(16)
    done = visits.visit_by_request(key)
    if done is not None:
        return go("booking.desk_visit", visit_id=done.id)
    choice = _choice_of(form)
    if choice is None:
        if not form.what.errors and not form.addons.errors and not form.areas.errors:
            form.what.errors = [_("Choose a service and a length.")]
        return _page(form, _look(form), 422)
    client_id = _client_for(form)
    if client_id is None:
        return _page(form, _look_alikes(form), 422)
    try:
        outcome = book_visit(
            choice, client_id, starts_at, request_key=key, source="walk_in" if form.walk_in.data else "desk",
            by=who() or 0, now=clock.now(), rest=kit.rest_said(form), at_desk=True,
        )  # fmt: skip
    except (SlotTaken, TooSoon, NotFound, InvalidInput) as error:
        return _not_possible(form, error)
    return _answer(form, choice, client_id, starts_at, outcome)


def _client_for(form: NewVisitForm) -> int | None:
    """The client's id; somebody new is added first. None, with the message at its field, when nobody is named."""
    if form.client_id is not None:
        return form.client_id
    if not form.client.data and form.born_on.data and not kit.people_found(form.q.data)[0]:
        _as_typed(form)  # a time was pressed before the page had heard that nobody is called that
    if not form.is_new:
        form.client.errors = [_("Choose the client, or add somebody new.")]
        return None
    if not form.nobody_known.data and _found_alike(form):
        form.client.errors = [
            _("Somebody like this is in the book already. Choose them, or say it is somebody else.")
        ]
        return None
    try:
        return create_client(
            _details(form),
            region=kit.clinic().phone_region,
            by=who(),
            now=clock.now(),
            is_somebody_else=bool(form.nobody_known.data),
        )
    except InvalidInput as error:
        kit.put_error(form, error)
        return None


def _details(form: NewVisitForm) -> Details:
    return Details(
        first_name=form.first_name.data or "", last_name=form.last_name.data or "",
        born_on=form.born_on.data or dt.date.max, phone=form.phone.data or "", email=form.email.data or "",
    )  # fmt: skip


def _found_alike(form: NewVisitForm) -> list[dict[str, Any]]:
    details = _details(form)
    try:
        found = clients.like(
            details.first_name, details.last_name, details.born_on, email=details.email, phone=details.phone,
            region=kit.clinic().phone_region,
        )  # fmt: skip
    except InvalidInput:
        return []
    return [person(one) for one in found]


def _look_alikes(form: NewVisitForm) -> Shown:
    shown = _look(form)
    if form.is_new and form.born_on.data and not form.nobody_known.data:
        shown.alike = _found_alike(form)
    return shown


def _not_possible(form: NewVisitForm, error: SlotTaken | TooSoon | NotFound | InvalidInput) -> Answer:
    """The time went, or cannot be: fresh times, nearest first, and everything typed is kept."""
    shown = _look(form)
    shown.trouble = error.sentence
    if isinstance(error, SlotTaken):
        names = kit.therapist_names()
        times = [FreeTime(moment(one.starts_at), one.therapists) for one in error.nearest]
        shown.nearest = kit.slots(times, names, shown.minutes, kit.zone_of(form))
    return _page(form, shown, 409)


def _answer(
    form: NewVisitForm, choice: Choice, client_id: int, starts_at: dt.datetime, outcome: Outcome
) -> Answer:
    form.client.data = str(client_id)  # somebody new has a record now, whatever came out
    if outcome.unsafe_addons:
        shown = _look(form)
        shown.unsafe = outcome.unsafe_addons
        return _page(form, shown, 409, start=starts_at.isoformat())
    if outcome.visit_id is None and outcome.rest is not None:
        shown = _look(form)
        shown.rest = kit.rest_warning(form, outcome.rest)
        return _page(form, shown, 409, start=starts_at.isoformat())
    if outcome.visit_id is None:
        return _refused(form, choice, client_id, starts_at, outcome)
    if form.aim.data:
        say_aim(outcome.visit_id, form.aim.data, by=who(), now=clock.now())
    if outcome.status == VisitStatus.PENDING:
        flash(_("The time is kept. The visit is not confirmed yet: see what is still needed."), "care")
    else:
        flash(_("Booked and confirmed."), "success")
    return go("booking.desk_visit", visit_id=outcome.visit_id)


def _refused(
    form: NewVisitForm, choice: Choice, client_id: int, starts_at: dt.datetime, outcome: Outcome
) -> Answer:
    """What came out, what to say and what is safe instead: never why."""
    now = clock.now()
    zone = kit.zone_of(form)
    day = starts_at.astimezone(ZoneInfo(zone)).date()
    names = kit.therapist_names()
    safe = alternatives.safe_instead(client_id, choice, day, now=now)
    page = render_template(
        "booking/desk_refused.html",
        form=form,
        client=clients.client(client_id),
        urgency=kit.urgency_of(outcome),
        look_again_on=alternatives.look_again_on(outcome.judged) if outcome.judged else None,
        safe=[
            (one, kit.slots(one.times, names, one.choice.minutes, zone), kit.value_of(one.choice))
            for one in safe
        ],
    )
    return page, 409


def _from_when_rested(form: NewVisitForm, shown: Shown, zone: str) -> str:
    """The same wish on the first day with rest enough."""
    if shown.rest is None:
        return ""
    day = shown.rest["fine_from"].astimezone(ZoneInfo(zone)).date()
    wish = {name: form[name].data for name in ("client", "what", "addons", "areas", "therapist", "place")}
    return url_for("booking.desk_new", day=day, **{name: value for name, value in wish.items() if value})


def _page(form: NewVisitForm, shown: Shown, status: int = 200, start: str = "") -> Answer:
    names, zone = kit.therapist_names(), kit.zone_of(form)
    times = shown.times
    page = render_template(
        "booking/desk_new.html",
        form=form,
        shown=shown,
        start=start,
        start_at=read_moment(start),
        rested_href=_from_when_rested(form, shown, zone),
        zone=zone,
        unsafe=kit.addons_in(shown.unsafe, form),
        soonest=kit.slots((times.rested or times.on_day)[:3], names, shown.minutes, zone) if times else [],
        asked=kit.slots(times.asked, names, shown.minutes, zone) if times else [],
        later=kit.slots(times.later, names, shown.minutes, zone) if times else [],
        parts=kit.parts_of_day(kit.slots(times.on_day, names, shown.minutes, zone)) if times else [],
        area_groups=kit.area_groups(),
        area_words=[_(AREAS.get(one, one)) for one in form.areas.data or ()],
        back=url_for("diary.desk_day", day=form.day.data, place=form.place_id),
    )
    return page, status
