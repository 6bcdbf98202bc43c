"""What the client's booking pages share: the token in the browser, the present moment, pieces for templates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import session, url_for

from clinic.accounts.access import CHECKOUT, origin, who
from clinic.booking.forms.choice import Wish, moment_text
from clinic.booking.queries import checkouts
from clinic.booking.queries.checkouts import Standing
from clinic.booking.queries.free_times import Time
from clinic.booking.queries.visits import plan_of
from clinic.booking.services import checkout as checkout_services
from clinic.booking.services.checkout import Choice
from clinic.catalogue.queries import VisitPlan
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.premises.queries import PlaceFacts
from clinic.rules import words
from clinic.rules.body_areas import AREAS
from clinic.rules.booking_policy import cancel_until
from clinic.rules.errors import HoldExpired, InvalidInput
from clinic.rules.kinds import ASKED_FOR, WITH_ASKED
from clinic.rules.language import N_, _
from clinic.shared import clock

STEPS = 5
CHANGED = N_("Your booking was changed meanwhile, perhaps in another tab. This is how it stands now.")
PARTS_OF_DAY = (
    (N_("Morning"), "sunrise", 0, 12),
    (N_("Afternoon"), "sun", 12, 17),
    (N_("Evening"), "moon", 17, 24),
)

AREA_GROUPS = (
    (N_("Upper body"), ("head_neck", "shoulders", "upper_back", "mid_back", "lower_back", "buttocks")),
    (N_("Arms"), ("left_arm", "right_arm")),
    (N_("Front"), ("chest", "abdomen")),
    (N_("Legs"), ("left_leg", "right_leg", "lower_legs", "feet")),
)


def keeper() -> str:
    """Whose kept times the one of this booking counts with."""
    return origin().keeper(who())


def token() -> str | None:
    """The key of the booking that this browser is making."""
    kept = session.get(CHECKOUT)
    return kept if isinstance(kept, str) and len(kept) < 100 else None


def remember(key: str) -> None:
    """Keep the key in the browser's signed cookie."""
    session[CHECKOUT] = key


def standing() -> Standing | None:
    """The booking of this browser."""
    return checkouts.standing(token(), who(), clock.now())


def renew() -> None:
    """The person is still working: keep the time a little longer. When it ran out, the work goes on all the same."""
    key = token()
    if key is None:
        return
    try:
        checkout_services.renew_hold(key, now=clock.now())
    except HoldExpired:
        return


def may_book_several(now_at: Standing) -> bool:
    """Whether more than one visit at once may be booked online for this person: by an account, and not only by the
    desk. Offered whoever they look like: a button that is missing would tell that they are known."""
    client = now_at.client
    return now_at.is_signed_in and client is not None and not client.is_barred_online


def may_book_couple(now_at: Standing) -> bool:
    """Whether two people at once may be booked: where a room has two tables."""
    return may_book_several(now_at) and bool(premises.rooms_for_two())


def area_words(areas: list[str]) -> str:
    """`Upper back and left leg`; the whole body in words."""
    names = [_(AREAS[area]) for area in areas if area in AREAS]
    if not names:
        return ""
    return words.join_words([names[0], *(name[0].lower() + name[1:] for name in names[1:])])


def area_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The areas to choose from, as (heading, [(key, name)])."""
    return [(title, [(key, AREAS[key]) for key in keys]) for title, keys in AREA_GROUPS]


def zone(location_id: int | None = None) -> str:
    """The zone by which days are counted: that of a place, or of the clinic's first one. Raises NotFound."""
    facts = premises.clinic_facts()
    return premises.where(facts, location_id)[1] if facts else "UTC"


def local_today(location_id: int | None = None) -> dt.date:
    """Today at a place, or at the clinic's first one."""
    return premises.today(clock.now(), zone(location_id))


def place_of(wish: Wish) -> PlaceFacts:
    """Where the times are: the wished place, or the first one. Raises NotFound for one that is not in use."""
    if wish.location_id is not None:
        return premises.place_in_use(wish.location_id)
    places = premises.places()
    if not places:
        raise InvalidInput("service", _("The clinic is not set up yet."))
    return places[0]


def wish_of(choice: Choice, day: dt.date | None = None) -> Wish:
    """A choice as the addresses of the pages carry it."""
    return Wish(
        choice.service, choice.minutes, choice.mode, choice.addons, choice.areas, choice.therapist_id, day,
        location_id=choice.location_id, gender=choice.gender,
    )  # fmt: skip


def choice_of(wish: Wish) -> Choice:
    """A complete wish as the services take it."""
    return Choice(
        wish.service,
        wish.minutes or 0,
        wish.mode,
        wish.addons,
        wish.areas,
        wish.therapist_id,
        wish.location_id,
        wish.gender,
    )


def with_whom(wish: Wish, people: Iterable[Any]) -> tuple[str, str]:
    """With whom, as the summary names it and as a button says it; of the people who may be asked for."""
    name = next((one.name for one in people if one.id == wish.therapist_id), "")
    if name:
        return name, _("with %(name)s", name=name)
    return _(ASKED_FOR[wish.gender]), _(WITH_ASKED[wish.gender])


def times_url(wish: Wish, **changes: Any) -> str:
    """The page of free times for this wish, with some of it changed."""
    service = changes.pop("service", wish.service)
    return url_for("booking.times", service=service, **wish.query(**changes))


def person_known(wish: Wish) -> int | None:
    """Whom the account at the screen books for, as far as that is known before it is asked: the person named in the
    address, or the only one. Nobody is known of somebody who is not signed in."""
    people = own_people()
    if wish.person_id in people:
        return wish.person_id
    return people[0] if len(people) == 1 else None


def whose_times(wish: Wish) -> tuple[int | None, bool]:
    """The client whose free times are shown, and whether that is only taken for granted."""
    now_at = standing()
    if now_at is not None and now_at.client is not None and not now_at.checkout.finished_at:
        return now_at.client.id, False
    known = person_known(wish)
    return known, known is not None


def own_people() -> tuple[int, ...]:
    """The clients whom the account at the screen acts for."""
    user_id = who()
    return tuple(one.client_id for one in clients.people_of(user_id)) if user_id is not None else ()


def same_again(visit: Any) -> Wish:
    """The wish for the same visit once more: the same person and place, what was booked, and whoever was asked for by
    name. A place that is not in use any more is left out."""
    plan = plan_of(visit)
    in_use = any(one.id == visit.location_id for one in premises.places())
    return Wish(
        plan.key, plan.minutes, plan.mode, plan.addons, tuple(visit.areas),
        None if visit.any_therapist else visit.therapist_id,
        location_id=visit.location_id if in_use else None, person_id=visit.client_id,
        gender=visit.asked_gender,
    )  # fmt: skip


def options_url(wish: Wish) -> str:
    """The page on which this wish is chosen, as it stands."""
    return url_for("booking.choose_options", service=wish.service, **wish.query(day=None))


def until_when_it_is_free(starts_at: dt.datetime, zone: str) -> dict[str, Any]:
    """Until when a visit that begins then can be cancelled without charge, in words, and whether that is over."""
    until, facts = cancel_until(starts_at, premises.booking_settings()), premises.clinic_facts()
    said = words.moment_words(until, zone, uses_24_hours=bool(facts and facts.uses_24_hours))
    return {"until": words.unbroken(said), "is_late": until <= clock.now()}


def as_shown(plan: VisitPlan) -> list[Any]:
    """What a page shows of a treatment before it is booked, for the mark of that page."""
    return [plan.name, plan.mode, sorted(plan.addons), plan.total_minutes, plan.price]


@dataclass(frozen=True)
class Slot:
    """A free time as a button: read aloud in full. Without a value it cannot be chosen."""

    value: str
    text: str
    day: str
    label: str
    note: str = ""


WithWhom = str | Callable[[Time], str]
"""How a button says with whom: the same at every time, or as it is then."""


def slots(times: list[Time] | tuple[Time, ...], length: str, with_whom: WithWhom) -> list[Slot]:
    """Times as buttons."""
    facts = premises.clinic_facts()
    uses_24_hours = facts is not None and facts.uses_24_hours
    made = []
    for one in times:
        text = words.unbroken(words.time_words(one.local.time(), uses_24_hours=uses_24_hours))
        day = words.day_words(one.local.date())
        said = f"{text} {one.twice}".strip()
        whom = with_whom if isinstance(with_whom, str) else with_whom(one)
        label = f"{said} {whom}, {length}, {day}"
        made.append(
            Slot(
                moment_text(one.starts_at),
                text,
                words.unbroken(words.short_day(one.local.date())),
                label,
                one.twice,
            )
        )
    return made


def parts_of_day(times: list[Time], length: str, with_whom: WithWhom) -> list[dict[str, Any]]:
    """One day's times in morning, afternoon and evening; empty parts are left out."""
    parts = []
    for label, icon, start, end in PARTS_OF_DAY:
        inside = [one for one in times if start <= one.local.hour < end]
        if inside:
            parts.append({"label": label, "icon": icon, "slots": slots(inside, length, with_whom)})
    return parts


def hold_of(now_at: Standing) -> dict[str, Any]:
    """What the hold clock shows: until when, and whether it is over."""
    visit, now = now_at.visit, clock.now()
    until = visit.deadline_at
    facts = premises.clinic_facts()
    is_over = not now_at.is_held or until is None or until <= now
    text = ""
    if until is not None and facts is not None:
        local = until.astimezone(ZoneInfo(visit.zone))
        text = words.unbroken(words.time_words(local.time(), uses_24_hours=facts.uses_24_hours))
    return {
        "over": is_over,
        "until": text,
        "deadline": until.isoformat() if until else "",
        "now": now.isoformat(),
    }


def under_way() -> dict[str, Any] | None:
    """What a page beside the checkout says of the booking that this browser is making, while its time is kept."""
    now_at = standing()
    if now_at is None or now_at.step in checkouts.OVER:
        return None
    shown = flow(now_at)
    return None if shown["hold"]["over"] else shown


def flow(now_at: Standing) -> dict[str, Any]:
    """What every page of the checkout shows beside its own: the visit, its clock, the way back to the times."""
    visit, plan = now_at.visit, now_at.plan
    wish = wish_of(Choice.of(now_at.checkout.choice), visit.day)
    return {
        "visit": visit,
        "plan": plan,
        "hold": hold_of(now_at),
        "times_href": times_url(wish),
        "options_href": options_url(wish),
        "steps": STEPS,
    }
