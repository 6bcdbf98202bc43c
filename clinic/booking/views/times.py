"""What, how long and when: open to everybody, no account needed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for

from clinic.accounts.access import who
from clinic.booking.forms.choice import Wish, moment_of, read_wish
from clinic.booking.queries import checkouts, free_times, visits
from clinic.booking.queries.availability import Ask, holds_rules_for_new
from clinic.booking.queries.checkouts import Step
from clinic.booking.queries.free_times import Window
from clinic.booking.services.checkout import choose_person, hold_slot
from clinic.booking.services.nearest_changes import Change, nearest_changes
from clinic.booking.views import client_kit as kit
from clinic.booking.views.blueprint import pages
from clinic.booking.views.strip import strip_of
from clinic.catalogue import queries as catalogue
from clinic.catalogue.queries import VisitPlan
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.premises.queries import PlaceFacts
from clinic.rules.body_areas import FULL_BODY
from clinic.rules.booking_policy import BookingSettings, latest_start
from clinic.rules.errors import RuleViolation, SlotTaken
from clinic.rules.kinds import ASKED_FOR, genders_to_choose
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.rules.wall_time import local_day
from clinic.rules.words import day_words, length_words, zone_words
from clinic.shared import clock, replica
from clinic.shared.web import Answer, found
from clinic.therapists import queries as therapists
from clinic.therapists.queries import EligibleTherapist


@pages.get("/book", needs=Permission.SITE_ANY_READ)
def choose_service() -> Answer:
    """All services as cards."""
    cards = catalogue.cards_of(catalogue.services_on_offer())
    return render_template("booking/services.html", cards=cards, under_way=kit.under_way())


@pages.get("/book/<service>", needs=Permission.SITE_ANY_READ)
def choose_options(service: str) -> Answer:
    """Length, way, add-ons, area and therapist of one service."""
    return _options_page(service, read_wish(service, request.args), [])


def _options_page(service: str, wish: Wish, errors: list[tuple[str, str]]) -> Answer:
    row = catalogue.service_by_key(service)
    if row is None:
        name = found(catalogue.name_if_not_offered(service))
        return render_template("catalogue/not_offered.html", name=name), 404
    modes = _modes(row)
    mode = wish.mode if wish.mode in modes else next(iter(modes), None)
    lengths = [one for one in row.lengths if one.mode == mode]
    kept = replace(wish, minutes=None, mode=None, addons=(), areas=(FULL_BODY,))
    return render_template(
        "booking/options.html",
        service=row,
        wish=wish,
        mode=mode,
        ways=_ways(row, wish, mode),
        lengths=lengths,
        addons=[one for one in row.addons if one.is_active],
        kept=kept.query(),
        area_groups=kit.area_groups(),
        first_visit_minutes=row.first_visit_minutes,
        errors=errors,
        steps=kit.STEPS,
        under_way=kit.under_way(),
    )


def _modes(row: Any) -> list[str | None]:
    """The modes that have a length, the ordinary way first, then in the owner's order."""
    order = [None, *(mode.key for mode in row.modes)]
    return [key for key in order if any(length.mode == key for length in row.lengths)]


def _ways(row: Any, wish: Wish, mode: str | None) -> list[dict[str, Any]]:
    """The ways of one card: those of the service itself and those of its sisters; none when there is only one."""
    ways = []
    for service in [row, *catalogue.sisters_of(row)]:
        for key in _modes(service):
            way = next((one for one in service.modes if one.key == key), None)
            ways.append(
                {
                    "href": url_for(
                        "booking.choose_options", service=service.key, **wish.query(mode=key, minutes=None)
                    ),
                    "name": way.name if way else service.usual_way or service.name,
                    "text": way.summary if way else service.summary,
                    "current": service.key == row.key and key == mode,
                }
            )
    return ways if len(ways) > 1 else []


@pages.get("/book/<service>/times", needs=Permission.SITE_ANY_READ)
def times(service: str) -> Answer:
    """Free times: the soonest three, the days, one day's times."""
    wish = read_wish(service, request.args)
    plan = _plan(wish)
    if wish.location_id is None and (elsewhere := _given_elsewhere(wish)) is not None:
        return redirect(kit.times_url(wish, location_id=elsewhere), 303)
    errors = _gaps(wish, plan)
    if errors or plan is None:
        page = _options_page(service, wish, errors)
        return (page, 422) if isinstance(page, str) else page
    return times_page(wish, plan)


def _plan(wish: Wish) -> VisitPlan | None:
    if wish.minutes is None:
        return None
    return catalogue.plan_for(
        wish.service, wish.mode, wish.addons, wish.minutes, first_visit=is_first_visit(wish)
    )


def is_first_visit(wish: Wish, at: dt.datetime | None = None) -> bool:
    """Whether to plan for a first visit at that moment (None: now): yes, unless this browser's account has somebody who
    has been here before it."""
    whom = kit.person_known(wish) or next(iter(kit.own_people()), None)
    return whom is None or not visits.has_been_before(whom, at or clock.now())


def _gaps(wish: Wish, plan: VisitPlan | None) -> list[tuple[str, str]]:
    if wish.minutes is None:
        return [("minutes-0", _("Choose how long the visit should be."))]
    if plan is None:
        return [("minutes-0", _("This is not on offer in this form. Please choose again."))]
    if not wish.areas:
        return [("where-0", _("Choose at least one area, or the whole body."))]
    return []


def _first_day(wish: Wish) -> dt.date:
    """Today, or the day before which this is not possible."""
    today = kit.local_today(wish.location_id)
    return max(today, wish.not_before) if wish.not_before is not None else today


def _opens_on(wish: Wish, rules: BookingSettings) -> dt.date | None:
    """When times from the wished day on can be booked online; None when they can be now."""
    if wish.not_before is None or wish.not_before <= _horizon(wish, rules):
        return None
    return wish.not_before - dt.timedelta(days=rules.horizon_days)


def _who_may_treat(wish: Wish, plan: VisitPlan, client_id: int | None) -> list[EligibleTherapist]:
    """Who gives this, and has the skills that a known person's answers ask for: only they have times. Everybody who
    gives it, where somebody else was chosen already: the page says that they have none, and not why."""
    needed = intake.skills_needed(client_id) if client_id is not None else frozenset()
    able = therapists.eligible(plan.skills | needed, plan.licence_kind)
    if needed and wish.therapist_id not in (None, *(one.id for one in able)):
        return therapists.eligible(plan.skills, plan.licence_kind)
    return able


def _who_works_there(wish: Wish, place: PlaceFacts, able: list[EligibleTherapist]) -> list[EligibleTherapist]:
    """Without those who have no hours at this place, where there are several; whoever was chosen stays in sight."""
    if len(premises.places()) < 2:
        return able
    working = therapists.working_at(kit.local_today(place.id))
    return [one for one in able if one.id == wish.therapist_id or place.id in working.get(one.id, ())]


def _ask(wish: Wish, plan: VisitPlan) -> Ask:
    """Fourteen days from today, or from the day that is asked for when it lies further ahead."""
    now, today = clock.now(), _first_day(wish)
    first = today
    if wish.day is not None and wish.day >= today + dt.timedelta(days=free_times.DAYS_SHOWN):
        ahead = (wish.day - today).days
        first = today + dt.timedelta(days=ahead - ahead % free_times.DAYS_SHOWN)
    now_at = kit.standing()
    client_id, _granted = kit.whose_times(wish)
    return Ask(
        plan=plan, location_id=kit.place_of(wish).id, first_day=first, days=free_times.DAYS_SHOWN, now=now,
        therapist_id=wish.therapist_id, client_id=client_id, rested_areas=wish.areas, by_history=True,
        gender=wish.gender, people=kit.own_people() if client_id is None else (),
        instead_of=now_at.visit.id if now_at is not None and now_at.is_held else None,
    )  # fmt: skip


def times_page(wish: Wish, plan: VisitPlan, taken: SlotTaken | None = None) -> Answer:
    """The page of free times; after a clash with the nearest free ones on top."""
    place, ask = kit.place_of(wish), _ask(wish, plan)
    rules = _rules(ask)
    # Whoever has begun a booking reads the database itself: their own hold has to be seen.
    has_begun = kit.standing() is not None or who() is not None or taken is not None
    free = replica.read(lambda: free_times.window(ask), fresh=has_begun)
    day = wish.day if wish.day in free.days and free.free_on(wish.day) else free.first_free_day
    given = _given_at(wish, look=free.first_free_day is None)
    people = _who_works_there(wish, place, _who_may_treat(wish, plan, ask.client_id))
    whom, said = kit.with_whom(wish, people)
    length = length_words(plan.total_minutes)
    nearest = free_times.plain_times(taken.nearest.starts, place.zone) if taken is not None else ()
    page = render_template(
        "booking/times.html",
        wish=wish, plan=plan, day=day, people=people, whom=whom, said=said, taken=taken,
        soon=kit.slots(nearest or free.soonest, length, said),
        is_soonest=bool(nearest) or ask.first_day == _first_day(wish),
        soon_title=_("Nearest free times") if nearest else _("Soonest"),
        strip=strip_of(free, day, lambda one: kit.times_url(wish, day=one)),
        parts=kit.parts_of_day(free.on(day), length, said) if day else [],
        free_that_day=free.free_on(day) if day else 0,
        person_choices=_person_choices(wish, people),
        earlier=_other_days(free, wish, rules, -1), further=_other_days(free, wish, rules, 1),
        opens_on=_opens_on(wish, rules), helps=_what_helps(wish, ask, rules, free),
        empty_day=wish.day if wish.day in free.days and not free.free_on(wish.day) else None,
        left_out=free.left_out, here=kit.times_url(wish), is_granted=kit.whose_times(wish)[1],
        place=place, place_choices=_place_choices(wish, place, given),
        is_given_here=given is None or place.id in given, zone=zone_words(place.zone),
        steps=kit.STEPS, options_href=kit.options_url(wish),
        refresh=kit.times_url,
        wait_href=url_for("booking.ask_to_wait", service=wish.service, **wish.query()),
        under_way=kit.under_way() if taken is None else None,
    )  # fmt: skip
    return (page, 409) if taken is not None else page


def _given_at(wish: Wish, *, look: bool) -> list[int] | None:
    """The places where this service is given; None where there is only one to think of, unless it has no free time."""
    if len(premises.places()) < 2 and not look:
        return None
    today = kit.local_today()
    return therapists.given_at([found(catalogue.service_by_key(wish.service))], today)[wish.service]


def _given_elsewhere(wish: Wish) -> int | None:
    """Where this service is given, when that is not at the first place: whoever named none is led there."""
    given = _given_at(wish, look=False)
    return given[0] if given and kit.place_of(wish).id not in given else None


def _place_choices(wish: Wish, here: PlaceFacts, given: list[int] | None) -> list[dict[str, Any]]:
    """Asked only where there is a choice; a place that is still being set up is none."""
    shown = [one for one in premises.places() if one == here or one.id in (given or ())]
    return [
        {"href": kit.times_url(wish, location_id=one.id, day=None), "label": one.name, "current": one == here}
        for one in shown
        if len(shown) > 1
    ]


def _person_choices(wish: Wish, people: list[Any]) -> list[dict[str, Any]]:
    def choice(key: int | None, gender: str, label: str, **more: Any) -> dict[str, Any]:
        href = kit.times_url(wish, therapist_id=key, gender=gender)
        current = (key, gender) == (wish.therapist_id, wish.gender)
        return {"href": href, "label": label, "current": current, **more}

    anybody = ASKED_FOR[""]
    # In sight, however many there are.
    chosen_first = sorted(people, key=lambda one: one.id != wish.therapist_id)
    return [
        choice(None, "", _(anybody)),
        *(
            choice(None, key, _(words))
            for key, words in genders_to_choose(one.gender for one in people).items()
        ),
        *(choice(one.id, "", one.name, tint=one.tint, picture=one.picture_id) for one in chosen_first),
    ]


def _other_days(free: Window, wish: Wish, rules: BookingSettings, direction: int) -> str:
    """The page with the days before or after these; nothing before today or past the last bookable day."""
    today = _first_day(wish)
    first = free.days[0] + dt.timedelta(days=direction * free_times.DAYS_SHOWN)
    return kit.times_url(wish, day=first) if today <= first <= _horizon(wish, rules) else ""


def _rules(ask: Ask) -> BookingSettings:
    """What holds for whoever asks: for somebody new the last day may be sooner, and no page leads past it."""
    settings = premises.booking_settings()
    return settings.for_new() if holds_rules_for_new(ask, settings) else settings


def _horizon(wish: Wish, rules: BookingSettings) -> dt.date:
    zone = ZoneInfo(kit.zone(wish.location_id))
    return local_day(latest_start(clock.now(), zone, rules), zone)


def _what_helps(wish: Wish, ask: Ask, rules: BookingSettings, free: Window) -> list[dict[str, Any]]:
    """The nearest changes that bring free times, where the days shown, or the very day asked for, have none."""
    if wish.day in free.days and not free.free_on(wish.day):
        ask = replace(ask, first_day=wish.day, days=1)
    elif free.times:
        return []
    found = nearest_changes(
        kit.choice_of(wish), ask, first_visit=is_first_visit(wish), horizon=_horizon(wish, rules)
    )
    return [_help(wish, one) for one in found]


def _help(wish: Wish, change: Change) -> dict[str, Any]:
    """A button that carries the changed order on."""
    slot = kit.slots((change.time,), "", "")[0]
    carried = replace(kit.wish_of(change.choice), not_before=wish.not_before)
    day = day_words(change.time.local.date(), today=kit.local_today(wish.location_id))
    return {
        "text": change.text,
        "when": f"{day}, {slot.text} {slot.note}".strip(),
        "slot": slot.value,
        "fields": carried.query(),
    }


@pages.post("/book/<service>/times", needs=Permission.SITE_ANY_READ)
def hold(service: str) -> Answer:
    """Keep the chosen time, and go on to whatever comes next."""
    wish = read_wish(service, request.form)
    found(catalogue.service_by_key(service))
    plan, starts_at = _plan(wish), moment_of(request.form.get("slot"))
    if plan is None or not wish.areas:
        return redirect(kit.times_url(wish), 303)
    if starts_at is None:
        flash(_("Choose one of the times."), "care")
        return redirect(kit.times_url(wish), 303)
    try:
        key = hold_slot(
            kit.token() if kit.standing() else None,
            kit.choice_of(wish),
            starts_at,
            first_visit=is_first_visit(wish, starts_at),
            user_id=who(),
            now=clock.now(),
            keeper=kit.keeper(),
        )
    except SlotTaken as error:
        return times_page(wish, plan, error)
    except RuleViolation as error:
        flash(error.sentence, "care")
        return redirect(kit.times_url(wish), 303)
    kit.remember(key)
    return _name_whom_we_know(wish, plan, key)


def _name_whom_we_know(wish: Wish, plan: VisitPlan, key: str) -> Answer:
    """Somebody whose account says whom it is for is not asked; the card at the end says it, with a way to change it."""
    user_id, whom, now_at = who(), kit.person_known(wish), checkouts.standing(key, who(), clock.now())
    if user_id is not None and whom is not None and now_at is not None and now_at.step is Step.WHO:
        try:
            choose_person(key, whom, user_id=user_id, now=clock.now())
        except SlotTaken as error:
            return times_page(wish, plan, error)
        except RuleViolation as error:
            return render_template(
                "booking/call_us.html", sentence=error.sentence, phone=kit.place_of(wish).phone
            ), 409
    return redirect(url_for("booking.checkout"), 303)
