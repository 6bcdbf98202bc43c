"""What every template can use: the clinic's name and numbers, the navigation, words for days and money."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from babel import negotiate_locale
from flask import Flask, current_app, g, has_app_context, has_request_context, request, session, url_for
from flask_login import current_user

from clinic.accounts.access import TABLET, is_text_large
from clinic.accounts.views.comfort import chosen_language
from clinic.diary.queries.first_steps import first_steps, steps_of_places
from clinic.keeping.queries.requests import waiting_ids
from clinic.premises import queries as premises
from clinic.rules import body_figure, finding_words, words
from clinic.rules.colours import Theme
from clinic.rules.errors import NotOpenYet
from clinic.rules.kinds import ASKED_FOR, WITH_ASKED
from clinic.rules.language import ENGLISH, N_, _, spoken
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.languages import LANGUAGES, awaits_review, is_right_to_left
from clinic.shared.web import comes_back_to


@dataclass(frozen=True)
class NavItem:
    href: str
    label: str
    icon: str
    current: bool


# endpoint, label, icon, what it needs, the start of the paths under it
PUBLIC_NAV = (
    ("catalogue.services", N_("Services"), "flower2", Permission.SITE_ANY_READ, "/services"),
    ("booking.choose_service", N_("Book a visit"), "calendar-plus", Permission.SITE_ANY_READ, "/book"),
)
OWN_NAV = (("booking.my_visits", N_("My visits"), "calendar-check", Permission.VISIT_OWN_WRITE, "/my"),)
STAFF_NAV = (
    ("diary.my_day", N_("My day"), "calendar3", Permission.DIARY_OWN_READ, "/diary"),
    ("diary.desk_day", N_("Day"), "grid-3x2-gap", Permission.DIARY_ANY_READ, "/desk"),
    ("diary.to_do", N_("To do"), "clipboard-check", Permission.DIARY_ANY_READ, "/todo"),
    ("clients.search", N_("Clients"), "people", Permission.CLIENT_ANY_READ, "/clients"),
    ("intake.reviews", N_("Reviews"), "clipboard-heart", Permission.CLINICAL_REVIEW, "/reviews"),
    ("premises.owner_home", N_("Clinic"), "gear", Permission.CLINIC_ANY_WRITE, "/owner"),
)


def navigation() -> list[NavItem]:
    """The pages this person may open: staff see their work, everybody else the booking, and who holds a device that was
    handed to them nothing."""
    if TABLET in session:
        return []
    items = STAFF_NAV if current_user.is_staff else PUBLIC_NAV + OWN_NAV
    return [
        NavItem(url_for(endpoint), _(label), icon, request.path.startswith(start))
        for endpoint, label, icon, need, start in items
        if current_user.may(need) and endpoint in current_app.view_functions
    ]


def the_clinic() -> Any:
    """The clinic as plain values, read once for each request; None before `clinic init`."""
    if "clinic" not in g:
        g.clinic = premises.clinic_facts()
    return g.clinic


def the_open_clinic() -> Any:
    """The clinic. Raises NotOpenYet before `clinic init`."""
    if the_clinic() is None:
        raise NotOpenYet()
    return the_clinic()


def clinic_name() -> str:
    """What the clinic is called; empty before `clinic init`."""
    clinic = the_clinic()
    return clinic.name if clinic else ""


def theme_href() -> str:
    """Where the clinic's own colours are; empty where it has none. A change of them is a change of the address."""
    clinic = the_clinic()
    if not clinic or clinic.theme == Theme():
        return ""
    mark = f"{clinic.theme.brand}{clinic.theme.accent}".replace("#", "")
    return url_for("premises.theme", v=mark)


def logo_href() -> str:
    """Where the clinic's logo is; empty where it has none."""
    clinic = the_clinic()
    return url_for("premises.picture", picture_id=clinic.logo.id) if clinic and clinic.logo else ""


def language_of_reader() -> str:
    """What the person at the screen reads: what they chose, else what their browser asks for, else what the clinic
    speaks. Outside a request there is nobody at the screen."""
    if not has_request_context():
        return ENGLISH
    clinic = the_clinic()
    first = clinic.language if clinic else ENGLISH
    if clinic and not clinic.offers_languages:
        return first
    chosen = chosen_language()
    if chosen in LANGUAGES:
        return chosen
    return negotiate_locale(request.accept_languages.values(), LANGUAGES, sep="-") or first


def writes_month_first() -> bool:
    """Whether this clinic writes dates in English as June 3."""
    clinic = the_clinic() if has_app_context() else None
    return bool(clinic and clinic.month_first)


def dress_pages(app: Flask) -> None:
    """Add globals and filters to the templates."""

    @app.context_processor
    def facts() -> dict[str, Any]:
        return {
            "clinic": the_clinic(),
            "theme_href": theme_href(),
            "logo_href": logo_href(),
            "is_demo": app.config["CLINIC_DEMO"],
            "nav": navigation(),
            "search_href": url_for("diary.search") if current_user.may(Permission.DIARY_ANY_READ) else "",
            "may": current_user.may,
            "Permission": Permission,
            "today": local_today(),
            "text_is_large": is_text_large(),
            "page_lang": spoken(),
            "page_dir": "rtl" if is_right_to_left() else "ltr",
            "awaits_review": awaits_review(),
            "comes_back_to": comes_back_to(),
            "languages": LANGUAGES if the_clinic() and the_clinic().offers_languages else {},
        }

    app.jinja_env.globals.update(
        body_views=body_figure.VIEWS,
        first_steps=first_steps,
        steps_of_places=lambda: steps_of_places(local_today()),
        waiting_to_be_erased=waiting_ids,
    )
    filters = app.jinja_env.filters
    filters["day"] = lambda day: words.unbroken(words.day_words(day, today=local_today()))
    filters["date"] = lambda day: words.unbroken(words.date_words(day))
    filters["capital"] = lambda text: words.capital(str(text))
    filters["reason"] = finding_words.reason
    filters["what_would_change"] = finding_words.what_would_change
    filters["staff_note"] = finding_words.staff_note
    filters["listed"] = lambda several: words.join_words([str(one) for one in several])
    filters["in_sentence"] = lambda text: words.in_sentence(str(text))
    filters["short_day"] = lambda day: words.unbroken(words.short_day(day))
    filters["clock"] = clock_time
    # `length` is Jinja's own.
    filters["duration"] = lambda minutes: words.unbroken(words.length_words(minutes))
    filters["wall"] = wall
    filters["wall_hour"] = lambda hour: words.unbroken(
        words.hour_words(hour, uses_24_hours=the_clinic().uses_24_hours)
    )
    filters["in_24_hours"] = words.has_24_hours
    filters["whom"] = lambda gender: _(ASKED_FOR[gender])
    filters["with_whom"] = lambda gender: _(WITH_ASKED[gender])
    filters["money"] = lambda amount: words.unbroken(words.money_words(amount, the_clinic().currency))
    filters["zone_name"] = words.zone_words
    filters["moment"] = moment
    filters["span"] = span
    filters["local_day"] = lambda at: at.astimezone(ZoneInfo(the_clinic().zone)).date()
    filters["local_time"] = local_time
    filters["when"] = when
    filters["day_and_time"] = day_and_time
    filters["at_place"] = at_place


def clock_time(time: dt.time) -> str:
    """A time of day as the clinic writes it."""
    return words.unbroken(words.time_words(time, uses_24_hours=the_clinic().uses_24_hours))


def wall(text: str) -> str:
    """The time of a `wall_text` as the clinic writes it, with what tells it apart from the same one an hour later."""
    time, _space, which = text.partition(" ")
    return words.unbroken(f"{clock_time(dt.time.fromisoformat(time))} {which}".rstrip())


def local_time(at: dt.datetime, zone: str = "") -> str:
    """The time of a moment, in a zone as for `moment`; where the wall shows it twice, which of the two."""
    clinic = the_open_clinic()
    local = at.astimezone(ZoneInfo(zone or clinic.zone))
    return words.unbroken(words.local_time_words(local, uses_24_hours=clinic.uses_24_hours))


def moment(at: dt.datetime, zone: str = "") -> str:
    """A moment in words: in the zone of a visit's place, or in the clinic's, which is named where places differ."""
    clinic = the_open_clinic()
    said = words.moment_words(at, zone or clinic.zone, uses_24_hours=clinic.uses_24_hours)
    is_unclear = not zone and any(one.zone != clinic.zone for one in several_places().values())
    return words.unbroken(f"{said} ({words.zone_words(clinic.zone)})" if is_unclear else said)


def span(starts_at: dt.datetime, ends_at: dt.datetime, zone: str) -> str:
    """From one moment to another by the wall of a zone."""
    clock_words = {"uses_24_hours": the_open_clinic().uses_24_hours}
    return words.unbroken(words.span_words(starts_at, ends_at, zone or the_open_clinic().zone, **clock_words))


def when(visit: Any) -> str:
    """The start of a visit in the zone of its own place, and where it is."""
    return f"{moment(visit.starts_at, visit.zone)}{at_place(visit.location_id)}"


def day_and_time(visit: Any) -> str:
    """The same in short, for rows of a list."""
    day = words.unbroken(words.short_day(visit.day))
    return f"{day}, {local_time(visit.starts_at, visit.zone)}{at_place(visit.location_id)}"


def at_place(location_id: int | None) -> str:
    """`, Main Street` where the clinic has more than one place; else nothing."""
    place = several_places().get(location_id or 0)
    return f", {place.name}" if place else ""


@dataclass(frozen=True)
class ShownPlace:
    """What a page says of a place beside a time."""

    name: str
    zone: str


def several_places() -> dict[int, ShownPlace]:
    """Every place that is or was used, read once for each request; empty where there is only one to think of."""
    if "several_places" not in g:
        rows = premises.locations()
        g.several_places = {one.id: ShownPlace(one.name, one.zone) for one in rows} if len(rows) > 1 else {}
    found: dict[int, ShownPlace] = g.several_places
    return found


def local_today() -> dt.date:
    """Today in the clinic's zone (in UTC before the clinic is set up)."""
    clinic = the_clinic()
    return clock.now().astimezone(ZoneInfo(clinic.zone) if clinic else dt.UTC).date()
