"""Days, times, lengths and money in words, the same on pages, in mails and in messages."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names, get_month_names
from babel.numbers import format_decimal

from clinic.rules.language import ENGLISH, N_, _, gettext, has_month_first, ngettext, spoken

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SIGNS = {"USD": "$", "CAD": "$", "AUD": "$", "NZD": "$", "EUR": "€", "GBP": "£", "CHF": "CHF ", "JPY": "¥"}
_MONTHS = (*MONTHS, *(month[:3] for month in MONTHS))
_UNITS = ("am", "pm", "minute", "minutes", "hour", "hours", *_MONTHS)
_INSIDE = re.compile(rf"(?<=\d) (?=(?:{'|'.join(_UNITS)})\b)|(?<=\b[A-Z]{{3}}) (?=\d)")
_BEFORE_DAY = re.compile(rf"\b({'|'.join(_MONTHS)}) (?=\d\d?\b(?!:))")
OF_A_COUNTRY = frozenset(
    (
        "Swedish",
        "Thai",
        "Hawaiian",
        "Balinese",
        "Indian",
        "Chinese",
        "Japanese",
        "Turkish",
        "Russian",
        "Finnish",
    )
)
"""Words of services that have a capital wherever they stand."""
WITHOUT_CENTS = frozenset({"JPY", "KRW", "CLP", "ISK", "VND"})


def day_words(day: dt.date, *, today: dt.date | None = None) -> str:
    """`Tuesday 3 June`, at some clinics `Tuesday, June 3`; with the year when it is not this one."""
    if today is not None and today.year == day.year:
        # Translators: a pattern of CLDR for a day, such as Tuesday 3 June. EEEE is the weekday, MMMM the month.
        return _in_order(day, _("EEEE d MMMM"), "EEEE, MMMM d")
    # Translators: the same with the year, such as Tuesday 3 June 2026.
    return _in_order(day, _("EEEE d MMMM y"), "EEEE, MMMM d, y")


def _in_order(day: dt.date, day_first: str, month_first: str) -> str:
    """By the pattern of the language, or by that of an English that has the month first."""
    return _formatted(day, month_first if has_month_first() else day_first, spoken())


@lru_cache(maxsize=4096)
def _formatted(day: dt.date, pattern: str, language: str) -> str:
    # a page of free times names the same few days ninety times
    return str(format_date(day, pattern, language))


def date_words(day: dt.date) -> str:
    """`3 June 2026`, for dates whose weekday says nothing."""
    # Translators: a pattern of CLDR for a date without its weekday, such as 3 June 2026.
    return _in_order(day, _("d MMMM y"), "MMMM d, y")


def weekday_words(weekday: int) -> str:
    """`Monday` for 0."""
    return str(get_day_names("wide", "stand-alone", spoken())[weekday])


def weekdays() -> list[str]:
    """`Monday` and the others."""
    return [weekday_words(number) for number in range(7)]


def in_sentence(text: str) -> str:
    """What begins with a capital, inside an English sentence: `Swedish massage` and `TMJ massage` keep theirs. In
    other languages a capital may have to stay."""
    first = text.partition(" ")[0]
    keeps = spoken() != ENGLISH or first in OF_A_COUNTRY or (len(first) > 1 and first.isupper())
    return text if keeps else f"{text[:1].lower()}{text[1:]}"


def capital(text: str) -> str:
    """With a capital at its beginning; the rest stays as it is."""
    return f"{text[:1].upper()}{text[1:]}"


def months() -> list[str]:
    """`January` and the others."""
    names = get_month_names("wide", "stand-alone", spoken())
    return [names[number] for number in range(1, 13)]


def short_day(day: dt.date) -> str:
    """`Tue 3 Jun`."""
    # Translators: a pattern of CLDR for a day in short, such as Tue 3 Jun.
    return _in_order(day, _("EEE d MMM"), "EEE, MMM d")


def short_weekday(day: dt.date) -> str:
    """`Tue`, standing by itself."""
    return _formatted(day, "ccc", spoken())


def short_month(day: dt.date) -> str:
    """`Jun`, standing by itself."""
    return _formatted(day, "LLL", spoken())


def has_24_hours(uses_24_hours: bool) -> bool:
    """Whether times go to 24 in the language of the moment: `am` and `pm` are English, whatever the clinic chose."""
    return uses_24_hours or spoken() != ENGLISH


def time_words(time: dt.time, *, uses_24_hours: bool) -> str:
    """`2:15 pm` or `14:15`."""
    if has_24_hours(uses_24_hours):
        return f"{time.hour:02}:{time.minute:02}"
    return f"{time.hour % 12 or 12}:{time.minute:02} {'am' if time.hour < 12 else 'pm'}"


def hour_words(hour: int, *, uses_24_hours: bool) -> str:
    """`2 pm` or `14:00`, for the edge of a day's grid; 24 is midnight."""
    if has_24_hours(uses_24_hours):
        return f"{hour % 24:02}:00"
    return f"{hour % 12 or 12} {'am' if hour % 24 < 12 else 'pm'}"


def moment_words(moment: dt.datetime, zone: str, *, uses_24_hours: bool) -> str:
    """`Tuesday 3 June 2026 at 2:15 pm` in that zone; of a time that exists twice that day also which of the two."""
    local = moment.astimezone(ZoneInfo(zone))
    time = local_time_words(local, uses_24_hours=uses_24_hours)
    return _("%(day)s at %(time)s", day=day_words(local.date()), time=time)


def span_words(starts_at: dt.datetime, ends_at: dt.datetime, zone: str, *, uses_24_hours: bool) -> str:
    """`Tuesday 3 June 2026, 2:15 pm to 5:00 pm` in that zone: a day stands once, and nobody has to know that a day ends
    at midnight of the next."""
    first, last = (moment.astimezone(ZoneInfo(zone)) for moment in (starts_at, ends_at))
    if (last - dt.timedelta(microseconds=1)).date() != first.date():
        moments = [moment_words(one, zone, uses_24_hours=uses_24_hours) for one in (starts_at, ends_at)]
        return _("%(moment)s to %(moment2)s", moment=moments[0], moment2=moments[1])
    day = day_words(first.date())
    start, end = (local_time_words(one, uses_24_hours=uses_24_hours) for one in (first, last))
    if last.date() == first.date():
        return _("%(day)s, %(start)s to %(end)s", day=day, start=start, end=end)
    if first.time() == dt.time():
        return _("%(day)s, the whole day", day=day)
    return _("%(day)s from %(start)s to the end of the day", day=day, start=start)


def local_time_words(local: dt.datetime, *, uses_24_hours: bool) -> str:
    """`2:15 pm` of a moment on a wall; `1:30 am EDT` in the night in which the clock shows it twice."""
    return f"{time_words(local.time(), uses_24_hours=uses_24_hours)} {which_of_two(local)}".rstrip()


def which_of_two(local: dt.datetime) -> str:
    """The name that the zone has at this moment, where the wall shows the same time twice that day; else nothing."""
    other = local.replace(fold=1 - local.fold)
    if other.utcoffset() == local.utcoffset():
        return ""
    name = local.tzname() or ""
    if name[:1] not in ("+", "-"):
        return name
    return f"UTC{name[:3]}:{name[3:]}".rstrip(":")  # a zone without letters of its own, such as Lord Howe


def wall_text(local: dt.datetime) -> str:
    """`14:15`, as a day is drawn by; `01:30 EDT` in the night in which the clock shows it twice."""
    return f"{local:%H:%M} {which_of_two(local)}".rstrip()


def length_words(minutes: int) -> str:
    """`45 minutes`, `1 hour`, `1 hour 30 minutes`."""
    hours, rest = divmod(minutes, 60)
    parts = [ngettext("%(num)d hour", "%(num)d hours", hours)] if hours else []
    if rest or not hours:
        parts.append(ngettext("%(num)d minute", "%(num)d minutes", rest))
    return " ".join(parts)


def grouped(number: int) -> str:
    """`12,345`, or `12.345` in German."""
    return format_decimal(number, "#,##0", spoken())


def money_words(amount: int, currency: str) -> str:
    """`$85`, `€72.50`; `amount` is in the currency's smallest unit."""
    sign = SIGNS.get(currency, f"{currency} ")
    whole, cents = (amount, 0) if currency in WITHOUT_CENTS else divmod(amount, 100)
    figures = format_decimal(whole + cents / 100, "#,##0.00" if cents else "#,##0", spoken())
    # Translators: a price. The sign may end with a space (CHF ).
    return _("%(sign)s%(figures)s", sign=sign, figures=figures).strip()


def unbroken(text: str) -> str:
    """Times, lengths, days and prices that no page breaks over two lines: `2:15 pm`, `3 June`, `June 3`."""
    return _BEFORE_DAY.sub("\\1\N{NO-BREAK SPACE}", _INSIDE.sub("\N{NO-BREAK SPACE}", text))


def zone_words(zone: str) -> str:
    """`New York` for America/New_York."""
    return zone.rpartition("/")[2].replace("_", " ")


def join_words(words: list[str], last: str = N_("and")) -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {gettext(last)} {words[-1]}"
