"""Changing the clinic, its places, rooms and devices. Nothing is deleted: what is no longer used is switched off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.premises import queries
from clinic.premises.blocked_again import block_again
from clinic.premises.facts import ClinicSettings, DeviceFacts, LocationFacts, RoomFacts
from clinic.premises.models import Clinic, DatedOpening, Device, Location, OpeningHours, Room
from clinic.premises.steps import drop_picture, keep_picture, lock_place
from clinic.rules.colours import Theme, is_colour, is_readable_accent, is_readable_brand
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.gaps import Gaps
from clinic.rules.language import N_, _
from clinic.rules.wall_time import STEPS_MINUTES, WeeklyHours, local_day
from clinic.rules.week import check_day, week_problems
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.languages import LANGUAGES
from clinic.shared.pictures import Drawn
from clinic.shared.seen import check_seen

Place = LocationFacts | RoomFacts | DeviceFacts


@tried_again
def save_settings(settings: ClinicSettings, *, seen: str, by: int | None, now: dt.datetime) -> None:
    """Change the clinic's settings. `seen` is the mark of the settings the form showed.

    Raises InvalidInput, or ChangedMeanwhile when they are no longer those.
    """
    check_settings(settings)
    with transaction() as session:
        row = queries.clinic()
        _check_seen(session, row, settings, seen)
        changed = _write(row, settings)
        leave_trace(session, "clinic.settings_changed", "clinic", row.id, by=by, now=now, fields=changed)


@tried_again
def save_look(
    theme: Theme,
    logo: Drawn | None,
    *,
    drop_logo: bool = False,
    seen: str | None = None,
    by: int | None,
    now: dt.datetime,
) -> None:
    """Change the two colours, and the logo where there is a new one or it is to go. `seen` is the mark of the look that
    the form showed.

    Raises InvalidInput (brand, accent) for a colour in which words cannot be read, or ChangedMeanwhile.
    """
    check_theme(theme)
    with transaction() as session:
        row = queries.clinic()
        if seen:
            check_seen(session, row, lambda: queries.look_of(row), seen)
        old = row.logo_id
        row.brand_colour, row.accent_colour = theme.brand, theme.accent
        if logo is not None or drop_logo:
            row.logo_id = keep_picture(session, logo, by=by, now=now) if logo is not None else None
            drop_picture(session, old)
        leave_trace(session, "clinic.look_changed", "clinic", row.id, by=by, now=now, logo=row.logo_id != old)


UNREADABLE = {
    "brand": N_("Words in the main colour are hard to read. Choose a darker one."),
    "accent": N_("Words in the second colour are hard to read. Choose a darker one."),
}


def check_theme(theme: Theme) -> None:
    """Raise InvalidInput for a colour in which words cannot be read."""
    for field, colour, is_good in (
        ("brand", theme.brand, is_readable_brand),
        ("accent", theme.accent, is_readable_accent),
    ):
        if colour and not is_colour(colour):
            raise InvalidInput(field, _("Choose a colour."))
        if colour and not is_good(colour):
            raise InvalidInput(field, _(UNREADABLE[field]))


def check_settings(settings: ClinicSettings) -> None:
    """Raise InvalidInput for settings that contradict each other."""
    if settings.slot_step_minutes not in STEPS_MINUTES:
        raise InvalidInput("slot_step_minutes", _("Choose one of the steps."))
    if settings.language not in LANGUAGES:
        raise InvalidInput("language", _("Choose one from the list."))
    if settings.gaps not in tuple(Gaps):
        raise InvalidInput("gaps", _("Choose one from the list."))
    if (
        settings.new_lead_time_minutes is not None
        and settings.new_lead_time_minutes < settings.lead_time_minutes
    ):
        raise InvalidInput("new_lead_time_minutes", _("This cannot be shorter than for everybody."))
    if settings.new_horizon_days is not None and settings.new_horizon_days > settings.horizon_days:
        raise InvalidInput("new_horizon_days", _("This cannot be longer than for everybody."))
    if settings.hold_max_minutes < settings.hold_minutes:
        raise InvalidInput("hold_max_minutes", _("This cannot be shorter than the first keeping time."))
    if settings.pending_short_hours_before > settings.pending_hours_before:
        raise InvalidInput(
            "pending_short_hours_before", _("This cannot be longer than the ordinary time before.")
        )
    if settings.guardian_in_room_age > settings.adult_age:
        raise InvalidInput("guardian_in_room_age", _("This cannot be above the adult age."))
    if bool(settings.health_line_name) != bool(settings.health_line_number):
        raise InvalidInput("health_line_number", _("Enter the health line's name and number, or neither."))


@tried_again
def save_location(
    location_id: int | None, facts: LocationFacts, *, seen: str, by: int | None, now: dt.datetime
) -> int:
    """A new place (no id) or a changed one. Returns its id.

    The zone of a place that has rooms or closures stays: booked visits, and closures, are kept in it. Raises
    InvalidInput, NotFound, ChangedMeanwhile.
    """
    if facts.zone not in available_timezones():
        raise InvalidInput("zone", _("Choose a time zone from the list."))
    with transaction() as session:
        if location_id and not facts.is_active:
            _one_change_at_a_time(session)
        row = session.get(Location, location_id) if location_id else Location()
        if (
            row is not None
            and location_id
            and facts.zone != row.zone
            and queries.is_kept_in_its_zone(location_id)
        ):
            raise InvalidInput(
                "zone",
                _(
                    "The time zone of a place with rooms or closures is changed by the command"
                    " `clinic zone change`."
                ),
            )
        if row is not None and location_id and not facts.is_active:
            _check_not_last(location_id)
        saved = _save(session, row, facts, seen if location_id else None, "location", by, now)
        block_again(session, None, now)  # a whole day off begins and ends by the clock of each place in use
        return saved


def _one_change_at_a_time(session: Session) -> None:
    """Lock the places before anything is read, so that two of them cannot be switched off at once."""
    session.scalars(select(Location).order_by(Location.id).with_for_update(key_share=True)).all()


def _check_not_last(location_id: int) -> None:
    if not any(place.is_active and place.id != location_id for place in queries.locations()):
        raise InvalidInput("is_active", _("The clinic needs at least one place that is in use."))


@tried_again
def save_room(room_id: int | None, facts: RoomFacts, *, seen: str, by: int | None, now: dt.datetime) -> int:
    """A new room (no id) or a changed one. Returns its id. A room stays at its place.

    Raises InvalidInput, NotFound, ChangedMeanwhile.
    """
    with transaction() as session:
        row = session.get(Room, room_id) if room_id else Room()
        _check_place(session, row, facts)
        saved = _save(session, row, facts, seen if room_id else None, "room", by, now)
        if not room_id:
            block_again(session, saved, now)
        return saved


@tried_again
def save_device(
    device_id: int | None, facts: DeviceFacts, *, seen: str, by: int | None, now: dt.datetime
) -> int:
    """A new device (no id) or a changed one. Returns its id. A device stays at its place.

    Raises InvalidInput, NotFound, ChangedMeanwhile.
    """
    with transaction() as session:
        row = session.get(Device, device_id) if device_id else Device()
        _check_place(session, row, facts)
        return _save(session, row, facts, seen if device_id else None, "device", by, now)


def _check_place(session: Session, row: Room | Device | None, facts: RoomFacts | DeviceFacts) -> None:
    """Booked visits lie in the zone and the house of their room, so it cannot be moved to another."""
    if lock_place(session, facts.location_id) is None:
        raise InvalidInput("location_id", _("Choose a place from the list."))
    if row is not None and row.location_id not in (None, facts.location_id):
        raise InvalidInput(
            "location_id", _("This stays at its place. Switch it off here and add it at the other place.")
        )


@tried_again
def save_opening_hours(
    location_id: int, hours: Sequence[WeeklyHours], *, seen: str, by: int | None, now: dt.datetime
) -> None:
    """Replace the week of a place. Booked visits stay as they are.

    Raises InvalidInput (its field is `work.<row>`), NotFound, ChangedMeanwhile.
    """
    for problem in week_problems(hours, may_be_whole_day=True):
        raise InvalidInput(f"work.{problem.row}", problem.sentence)
    with transaction() as session:
        place = session.get(Location, location_id)
        if place is None:
            raise NotFound(_("There is no such place."))
        check_seen(session, place, lambda: queries.week_of(location_id), seen)
        for old in queries.opening_hours(location_id):
            session.delete(old)
        session.add_all(
            OpeningHours(location_id=location_id, weekday=row.weekday, opens=row.starts, closes=row.ends)
            for row in hours
        )
        leave_trace(session, "location.hours_changed", "location", location_id, by=by, now=now)


@tried_again
def set_opening_of_day(
    location_id: int, day: dt.date, hours: Sequence[WeeklyHours], *, by: int | None, now: dt.datetime
) -> None:
    """Open on this day as said instead of the weekly hours. Booked visits stay as they are. A day without any hours is
    a closure instead. Raises InvalidInput (day, starts, starts_again), NotFound."""
    with transaction() as session:
        place = lock_place(session, location_id)
        if place is None:
            raise NotFound(_("There is no such place."))
        check_day(
            day, hours, today=local_day(now, ZoneInfo(place.zone)),
            uses_24_hours=queries.clinic_settings().uses_24_hours,
        )  # fmt: skip
        session.execute(_day_of(location_id, day))
        session.add_all(
            DatedOpening(location_id=location_id, day=day, opens=row.starts, closes=row.ends) for row in hours
        )
        leave_trace(session, "location.day_set", "location", location_id, by=by, now=now, day=day.isoformat())


@tried_again
def drop_opening_of_day(location_id: int, day: dt.date, *, by: int | None, now: dt.datetime) -> None:
    """The weekly hours hold again on this day; done twice it changes nothing."""
    with transaction() as session:
        if session.scalars(_day_of(location_id, day).returning(DatedOpening.id)).all():
            leave_trace(
                session, "location.day_dropped", "location", location_id, by=by, now=now, day=day.isoformat()
            )


def _day_of(location_id: int, day: dt.date) -> Any:
    return delete(DatedOpening).where(DatedOpening.location_id == location_id, DatedOpening.day == day)


def _save(
    session: Session,
    row: Location | Room | Device | None,
    facts: Place,
    seen: str | None,
    thing: str,
    by: int | None,
    now: dt.datetime,
) -> int:
    """Write the facts on a new row (`seen` is None) or on the one that was shown; leave a trace."""
    if row is None:
        raise NotFound(_("There is no such %(thing)s.", thing=thing))
    if seen is not None:
        _check_seen(session, row, facts, seen)
    if facts.name != row.name:
        _check_name(session, row, facts)
    changed = _write(row, facts)
    session.add(row)
    session.flush()
    deed = f"{thing}.changed" if seen is not None else f"{thing}.added"
    leave_trace(session, deed, thing, row.id, by=by, now=now, fields=changed)
    return row.id


def _check_name(session: Session, row: Location | Room | Device, facts: Place) -> None:
    """Two rooms of one name at a place cannot be told apart in the diary, nor two places on a mail."""
    kind: Any = type(row)
    where = getattr(facts, "location_id", None)
    for one in session.scalars(select(kind).where(kind.is_active).order_by(kind.id)):
        is_here = getattr(one, "location_id", None) == where
        if one is not row and is_here and one.name.casefold() == facts.name.casefold():
            raise InvalidInput("name", _("There is one of this name already. Choose another name."))


def _check_seen(session: Session, row: Any, facts: Place | ClinicSettings, seen: str) -> None:
    check_seen(session, row, lambda: asdict(queries.facts_of(row, type(facts))), seen)


def _write(row: Clinic | Location | Room | Device, facts: Place | ClinicSettings) -> str:
    """Put the facts on the row; the names of the columns that changed, for the audit."""
    names = [field.name for field in fields(facts)]
    changed = [name for name in names if getattr(row, name) != getattr(facts, name)]
    for name in changed:
        setattr(row, name, getattr(facts, name))
    return ", ".join(changed)
