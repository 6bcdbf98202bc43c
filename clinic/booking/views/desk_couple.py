"""Two people at once, at the desk: booked in one room, moved together, and parted."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import flash, render_template, request
from werkzeug.datastructures import MultiDict

from clinic.accounts.access import who
from clinic.booking.forms.choice import VISIT_DIGITS, day_of, number_of, whole_number
from clinic.booking.forms.desk import CoupleForm, RestForm, WhatForm, read_moment
from clinic.booking.queries import couples as reading
from clinic.booking.queries import next_steps
from clinic.booking.queries.couples import OpenForTwo
from clinic.booking.queries.desk_times import SHOWN_EVERY_MINUTES, FreeTime
from clinic.booking.services import alternatives, couple_changes
from clinic.booking.services.couples import Half, asks_for_two, book_couple
from clinic.booking.services.resting import RestShort
from clinic.booking.services.visits import CHANGEABLE
from clinic.booking.views import desk_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.desk_new import person
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import NONE_NEAR, InvalidInput, RuleViolation, SlotTaken
from clinic.rules.language import N_, _
from clinic.rules.permissions import Permission
from clinic.rules.wall_time import moment
from clinic.shared import clock
from clinic.shared.fields import choose
from clinic.shared.web import Answer, Asks, found, go

NEED = Permission.VISIT_ANY_WRITE
NOT_BOTH = N_(
    "Not both of them can be booked like this. Nothing was booked, and nothing was said to either of them."
)


@dataclass
class Forms:
    """The page's forms: who and when, and what each of the two wants. `people`: who may come along, as found."""

    couple: CoupleForm
    first: WhatForm
    second: WhatForm
    people: list[dict[str, Any]]
    has_more: bool = False


@dataclass
class Shown:
    """What the page shows besides the forms."""

    times: Sequence[FreeTime] | None = None
    trouble: str = ""
    nearest: Sequence[FreeTime] = ()
    rest: dict[str, Any] | None = None
    start: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)


@pages.get("/clients/<int:client_id>/couple/new", needs=NEED)
def desk_new_couple(client_id: int) -> Answer:
    """The page, for this client and somebody who comes along."""
    client = found(clients.client(client_id))
    forms = _forms(client_id, MultiDict([("day", premises.today(clock.now()).isoformat())]))
    forms.couple.request_key.data = secrets.token_urlsafe(16)
    return _page(client, forms, Shown())


@pages.post("/clients/<int:client_id>/couple/new", needs=NEED)
def desk_book_couple(client_id: int) -> Answer:
    """Show the times that are free for both, or book the one that was pressed. What was typed is kept."""
    client = found(clients.client(client_id))
    forms = _forms(client_id, request.form)
    if forms.couple.searches_anew():
        forms.couple.other.data = None
    is_right = not [one for one in (forms.couple, forms.first, forms.second) if not one.validate()]
    starts_at = read_moment(request.form.get("start", ""))
    if is_right and starts_at is None and forms.couple.other_id is None:
        only = forms.people if len(forms.people) == 1 else []
        forms.couple.other.data = str(only[0]["id"]) if only else None  # the page shows them as chosen
    halves = _halves(client.id, forms) if is_right else None
    if halves is None:
        return _page(client, forms, Shown(), 422 if starts_at is not None or not is_right else 200)
    try:
        if starts_at is not None:
            return _book(client_id, forms, halves, starts_at)
        return _page(client, forms, Shown(times=_times(halves, forms)))
    except InvalidInput as error:
        return _page(found(clients.client(client_id)), forms, Shown(trouble=error.sentence), 422)


def _forms(client_id: int, typed: MultiDict[str, str]) -> Forms:
    couple = CoupleForm(typed)
    found_rows, has_more = kit.people_found(couple.q.data)
    people = [person(one) for one in found_rows if one.id != client_id]
    forms = Forms(couple, WhatForm(typed, prefix="one"), WhatForm(typed, prefix="two"), people, has_more)
    choose(forms.couple.place, [(one.id, one.name) for one in premises.places()])
    kit.with_choices(forms.first)
    kit.with_choices(forms.second)
    return forms


def _halves(client_id: int, forms: Forms) -> tuple[Half, Half] | None:
    """Both wishes; None while somebody or something is not chosen yet, with the message at its field."""
    other_id = forms.couple.other_id
    wishes = [kit.choice_of(form) if form.what.data else None for form in (forms.first, forms.second)]
    if other_id is None or wishes[0] is None or wishes[1] is None:
        return None
    one, other = (replace(wish, location_id=forms.couple.place_id) for wish in wishes if wish is not None)
    return Half(client_id, one), Half(other_id, other)


def _zone(forms: Forms) -> str:
    """The zone of the chosen place."""
    return premises.where(kit.clinic(), forms.couple.place_id)[1]


def _times(halves: tuple[Half, Half], forms: Forms) -> list[FreeTime]:
    now = clock.now()
    day = forms.couple.day.data or premises.today(now, _zone(forms))
    return _thinned(reading.look_for_two(*asks_for_two(halves, day, 1, by_staff=True, now=now)), now)


def _thinned(open_for_two: OpenForTwo, now: dt.datetime) -> list[FreeTime]:
    """Each quarter of an hour from now on."""
    return [
        FreeTime(moment(one.starts_at), one.therapists)
        for one in open_for_two.starts()
        if one.starts_at % SHOWN_EVERY_MINUTES == 0 and moment(one.starts_at) >= now
    ]


def _book(client_id: int, forms: Forms, halves: tuple[Half, Half], starts_at: dt.datetime) -> Answer:
    key = (forms.couple.request_key.data or "")[:64] or secrets.token_urlsafe(16)
    try:
        outcome = book_couple(
            halves, starts_at, request_key=key, source="desk", by=who(), now=clock.now(),
            rest=kit.rest_said(forms.couple), at_desk=True,
        )  # fmt: skip
    except InvalidInput:
        raise
    except RestShort as error:
        names = [found(clients.client(one.client_id)).name for one in halves]
        rest = kit.rest_warning(forms.couple, *error.warned, names=names)
        shown = Shown(
            times=_times(halves, forms), rest=rest, start=starts_at.isoformat(), nearest=_nearest(error)
        )
        return _page(found(clients.client(client_id)), forms, shown, 409)
    except RuleViolation as error:
        shown = Shown(times=_times(halves, forms), trouble=error.sentence, nearest=_nearest(error))
        return _page(found(clients.client(client_id)), forms, shown, 409)
    if outcome.couple_id is None:
        answers = _answers([one.client_id for one in halves], outcome.judged)
        return _page(
            found(clients.client(client_id)), forms, Shown(trouble=_(NOT_BOTH), answers=answers), 409
        )
    kit.say_in_the_book(_("Both are in the book."), reading.visits_of_couple(outcome.couple_id))
    return go("booking.desk_couple", couple_id=outcome.couple_id)


def _nearest(error: RuleViolation) -> list[FreeTime]:
    near = error.nearest if isinstance(error, SlotTaken) else NONE_NEAR
    return [FreeTime(moment(one.starts_at), one.therapists) for one in near]


def _answers(client_ids: Sequence[int], judged: Sequence[Any]) -> list[dict[str, Any]]:
    """For each of the two what came out and what to do, never why."""
    return [
        {
            "client": clients.client(client_id),
            "is_fine": not (one.refuses or one.unsafe_addons),
            "urgency": alternatives.urgency_of(one),
            "look_again_on": alternatives.look_again_on(one),
            "is_addon": bool(one.unsafe_addons) and not one.refuses,
        }
        for client_id, one in zip(client_ids, judged, strict=True)
    ]


def _page(client: Any, forms: Forms, shown: Shown, status: int = 200) -> Answer:
    other = clients.client(forms.couple.other_id) if forms.couple.other_id else None
    seen = [one for one in forms.people if other is None or one["id"] != other.id]
    people = [*([person(other)] if other else []), *seen]
    choose(forms.couple.other, [(str(one["id"]), one["name"]) for one in people])
    names, zone = kit.therapist_names(), _zone(forms)
    minutes = max((form.parts[2] for form in (forms.first, forms.second) if form.parts), default=0)
    page = render_template(
        "booking/desk_couple_new.html",
        client=client,
        other=other,
        people=people,
        forms=forms,
        shown=shown,
        zone=zone,
        nearest=kit.slots(shown.nearest, names, minutes, zone),
        parts=kit.parts_of_day(kit.slots(shown.times, names, minutes, zone)) if shown.times else [],
        area_groups=kit.area_groups(),
    )
    return page, status


# ── the two visits ───────────────────────────────────────────────────────────────────────────────────────


@pages.get("/desk/couples/<int:couple_id>", needs=NEED)
def desk_couple(couple_id: int) -> Answer:
    """Both visits, what is to be done, and the times of a day to move them to (`?day=`)."""
    return _couple_page(couple_id)


def _couple_page(
    couple_id: int,
    trouble: str = "",
    nearest: Sequence[FreeTime] = (),
    status: int = 200,
    short: RestShort | None = None,
) -> Answer:
    pair = reading.visits_of_couple(couple_id)
    found(pair[0] if pair else None)
    steps = next_steps.next_steps(pair)
    may_move = len(pair) == 2 and all(one.status in CHANGEABLE for one in pair)
    day = day_of(request.values.get("day"))
    times = couple_changes.times_to_move(couple_id, day, now=clock.now()) if may_move and day else None
    free = _thinned(times, clock.now()) if times is not None else []
    theirs = {one.therapist_id for one in pair}  # where they stand already is no time to move to
    free = [one for one in free if one.starts_at != pair[0].starts_at or not theirs <= set(one.therapists)]
    names, form = kit.therapist_names(), RestForm(request.form)
    rest = (
        kit.rest_warning(form, *short.warned, names=[one.client.name for one in pair if one.client])
        if short
        else None
    )
    minutes = max(one.whole_minutes for one in pair)
    page = render_template(
        "booking/desk_couple.html",
        pair=pair,
        couple_id=couple_id,
        last_step=kit.last_step(*(one.id for one in pair)),
        steps=steps,
        may_move=may_move,
        day=day,
        trouble=trouble,
        rest=rest,
        form=form,
        start=request.form.get("start", ""),
        nearest=kit.slots(nearest, names, minutes, pair[0].zone),
        parts=kit.parts_of_day(kit.slots(free, names, minutes, pair[0].zone)),
    )
    return page, status


@pages.post("/desk/couples/<int:couple_id>/move", needs=NEED)
def desk_move_couple(couple_id: int) -> Answer:
    """Move both to the time that was pressed."""
    found(reading.couple(couple_id))
    starts_at = read_moment(request.form.get("start", ""))
    if starts_at is None:
        return _couple_page(couple_id, _("Choose the time to move both visits to."), status=422)
    try:
        outcome = couple_changes.move_couple(
            couple_id,
            starts_at,
            seen=_seen(),
            rest=kit.rest_said(RestForm(request.form)),
            by=who(),
            now=clock.now(),
            at_desk=True,
        )
    except RestShort as error:
        return _couple_page(couple_id, nearest=_nearest(error), status=409, short=error)
    except RuleViolation as error:
        return _couple_page(couple_id, error.sentence, _nearest(error), 409)
    if outcome.couple_id is None:
        return _couple_page(
            couple_id, _("Not both of them can have it on that day. Both keep their time."), status=409
        )
    flash(_("Both are moved."), "success")
    return go("booking.desk_couple", couple_id=couple_id)


def _seen() -> list[int]:
    """The revisions of both visits that the page showed."""
    return [whole_number(one) or 0 for one in request.form.getlist("revision")]


def _asks_to_cancel(couple_id: int) -> Asks:
    found(reading.couple(couple_id))
    names = {one.id: found(one.client).name for one in reading.visits_of_couple(couple_id)}
    visit_id, stays = number_of(request.form.get("visit"), digits=VISIT_DIGITS), "booking.desk_couple"
    if visit_id is None:
        by_clinic = request.form.get("cancelled_by") == "clinic"
        deed = _("Cancel both from our side") if by_clinic else _("Cancel both at the clients’ request")
        about = words.join_words(list(names.values()))
        return Asks(_("Cancel both visits?"), deed, stays, _("Both people are told."), about)
    gone = found(names.pop(visit_id, None))
    (left,) = names.values()
    return Asks(
        _("Cancel the visit of %(name)s?", name=gone),
        _("Cancel %(name)s, keep %(name2)s", name=gone, name2=left),
        stays,
        _("%(name)s goes on alone, in the same room.", name=left),
    )


@pages.post("/desk/couples/<int:couple_id>/cancel", needs=NEED, asks=_asks_to_cancel)
def desk_cancel_couple(couple_id: int) -> Answer:
    """Cancel both, or the one that `visit` names: the other one goes on alone then."""
    both = found(reading.couple(couple_id))
    by_clinic = request.form.get("cancelled_by") == "clinic"
    visit_id = number_of(request.form.get("visit"), digits=VISIT_DIGITS)
    seen = _seen() or None
    try:
        if visit_id is None:
            couple_changes.cancel_couple(
                couple_id, by=who(), by_clinic=by_clinic, now=clock.now(), at_desk=True, seen=seen
            )
            flash(_("Both visits are cancelled."), "success")
            return go("booking.desk_couple", couple_id=couple_id)
        found(visit_id if visit_id in {one.id for one in both.visits} else None)
        couple_changes.cancel_one(
            visit_id, by=who(), by_clinic=by_clinic, now=clock.now(), at_desk=True, seen=seen
        )
    except RuleViolation as error:
        flash(error.sentence, "care")
        return go("booking.desk_couple", couple_id=couple_id)
    flash(_("One visit is cancelled. The other one goes on alone, in the same room."), "success")
    other = next(one.id for one in both.visits if one.id != visit_id)
    return go("booking.desk_visit", visit_id=other)


@pages.post("/desk/visits/<int:visit_id>/alone", needs=NEED)
def desk_alone(visit_id: int) -> Answer:
    """The client said that they come alone."""
    try:
        status = couple_changes.go_on_alone(visit_id, by=who(), now=clock.now())
    except RuleViolation as error:
        flash(error.sentence, "care")
    else:
        is_on = status == "confirmed"
        flash(
            _("Confirmed: they come alone.") if is_on else _("The visit still waits: see what is needed."),
            "success" if is_on else "care",
        )
    return kit.back_to(visit_id)
