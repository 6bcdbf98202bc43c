"""How much of the time was booked: by therapist, by room, and by hour of the week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from clinic.premises import queries as premises
from clinic.premises.models import Room
from clinic.reports.queries.reading import BOOKED, LOST, Counted, PlaceRead, Read, working
from clinic.reports.tables import Column, Square, Table, WeekPicture, bars_of, hours_words, percent
from clinic.rules.capacity import Use, bookable, by_hour_of_week, use_of
from clinic.rules.intervals import Interval, intersect, union
from clinic.rules.language import N_, _
from clinic.rules.words import hour_words, weekday_words
from clinic.therapists.models import Therapist

ABOUT_HOURS = N_(
    "Counted with the weekly hours as they are now, less breaks, time off and closures. Booked time includes the time"
    " to get ready for the next visit."
)
USE_COLUMNS = (
    Column(N_("Visits")), Column(N_("Minutes that could be booked"), "minutes"),
    Column(N_("Minutes booked"), "minutes"),
    Column(N_("In use"), "share"), Column(N_("Minutes booked outside these hours"), "minutes"),
)  # fmt: skip


def total_use(read: Read) -> Use:
    """Of all therapists together."""
    return sum((_of_therapist(one, read)[0] for one in read.therapists), Use())


def by_therapist(read: Read) -> Table:
    """Each therapist with hours or visits in the period, by name."""
    rows, bars = [], []
    for one in read.therapists:
        use, visits, lost = _of_therapist(one, read)
        if not (use.capacity or visits or lost):
            continue
        rows.append((one.name, visits, use.capacity, use.booked, use.share, use.outside, lost))
        bars.append((one.name, use.share, _in_words(use)))
    return Table(
        key="therapists",
        title=_("Use of each therapist’s time"),
        lede=ABOUT_HOURS,
        columns=(
            Column(_("Therapist"), "text"),
            *USE_COLUMNS,
            Column(_("Minutes lost to no-shows and late cancels"), "minutes"),
        ),
        rows=tuple(rows),
        bars=bars_of(bars, longest=1),
    )


def by_room(read: Read) -> Table:
    """Each room that is in use or was, by place and name."""
    rows, bars = [], []
    for room in sorted(read.rooms, key=lambda one: one.location_id):
        place = read.place_of(room.location_id)
        mine = [one for one in read.visits if one.room_id == room.id and one.status in BOOKED]
        use = use_of(_open(room, place), _inside(mine, place))
        if not (use.capacity or mine):
            continue
        name = room.name if len(read.places) == 1 else f"{room.name}, {place.name}"
        rows.append((name, len(mine), use.capacity, use.booked, use.share, use.outside))
        bars.append((name, use.share, _in_words(use)))
    return Table(
        key="rooms",
        title=_("Use of each room"),
        lede=_(
            "Counted while the place is open, less closures. Two people in one room at the same time count once."
        ),
        columns=(Column(_("Room"), "text"), *USE_COLUMNS),
        rows=tuple(rows),
        bars=bars_of(bars, longest=1),
    )


def by_hour(read: Read) -> Table:
    """All therapists together in each hour of the week."""
    capacity: dict[tuple[int, int], int] = defaultdict(int)
    booked: dict[tuple[int, int], int] = defaultdict(int)
    for place in read.places:
        for one in read.therapists:
            free = _bookable(one, place, read)
            mine = [
                visit
                for visit in read.visits_of.get(one.id, [])
                if visit.location_id == place.id and visit.status in BOOKED
            ]
            _add(capacity, by_hour_of_week(place.clock, free))
            _add(booked, by_hour_of_week(place.clock, intersect(free, union(_inside(mine, place)))))
    week = tuple(sorted(hour for hour, minutes in capacity.items() if minutes))
    shares = {one: booked[one] / capacity[one] for one in week}
    facts = premises.clinic_facts()
    busiest = max(week, key=lambda one: shares[one], default=None)
    return Table(
        key="hours",
        title=_("Use by hour of the week"),
        lede=_(
            "All therapists together, by the clock on the wall. The fuller an hour, the darker its square."
        ),
        columns=(
            Column(_("Day"), "text"),
            Column(_("Hour"), "hour"),
            Column(_("Minutes that could be booked"), "minutes"),
            Column(_("Minutes booked"), "minutes"),
            Column(_("In use"), "share"),
        ),
        rows=tuple(
            (weekday_words(day), hour, capacity[day, hour], booked[day, hour], shares[day, hour])
            for day, hour in week
        ),
        week=_week(shares),
        says=_(
            "The fullest hour is %(weekdays)s from %(busiest)s, %(shares)s.",
            weekdays=weekday_words(busiest[0]),
            busiest=hour_words(busiest[1], uses_24_hours=bool(facts and facts.uses_24_hours)),
            shares=percent(shares[busiest]),
        )
        if busiest
        else "",
    )


def _week(shares: dict[tuple[int, int], float]) -> WeekPicture | None:
    if not shares:
        return None
    hours = [hour for _day, hour in shares]
    return WeekPicture(
        hours=tuple(range(min(hours), max(hours) + 1)),
        weekdays=tuple(sorted({day for day, _hour in shares})),
        squares={one: Square(share) for one, share in shares.items()},
    )


def _add(total: dict[tuple[int, int], int], more: dict[tuple[int, int], int]) -> None:
    for hour, minutes in more.items():
        total[hour] += minutes


def _of_therapist(one: Therapist, read: Read) -> tuple[Use, int, int]:
    """What they could have given, what they gave, in how many visits; and the minutes that were lost."""
    use, mine = Use(), read.visits_of.get(one.id, [])
    booked = [visit for visit in mine if visit.status in BOOKED]
    for place in read.places:
        here = [visit for visit in booked if visit.location_id == place.id]
        use += use_of(_bookable(one, place, read), _inside(here, place))
    lost = sum(visit.free - visit.start for visit in mine if visit.status in LOST)
    return use, len(booked), lost


def _bookable(one: Therapist, place: PlaceRead, read: Read) -> list[Interval]:
    return bookable(working(one, place, read), place.opening, [*place.shut, *read.off.get(one.id, [])])


def _open(room: Room, place: PlaceRead) -> list[Interval]:
    if not room.is_active:
        return []
    return bookable(place.opening, place.opening, [*place.shut, *place.shut_kit.get(room.id, [])])


def _inside(visits: Iterable[Counted], place: PlaceRead) -> list[Interval]:
    """A visit counts where it begins; what runs past the end of the period is cut."""
    return [(one.start, min(one.free, place.bounds[1])) for one in visits]


def _in_words(use: Use) -> str:
    return _(
        "%(share)s · %(booked)s of %(capacity)s",
        share=percent(use.share),
        booked=hours_words(use.booked),
        capacity=hours_words(use.capacity),
    )
