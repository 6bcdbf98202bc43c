"""Days, times, lengths and money as people read them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.rules import language, words


@pytest.mark.parametrize(
    ("time", "twelve", "twenty_four"),
    [
        (dt.time(0, 0), "12:00 am", "00:00"),
        (dt.time(0, 5), "12:05 am", "00:05"),
        (dt.time(11, 59), "11:59 am", "11:59"),
        (dt.time(12, 0), "12:00 pm", "12:00"),
        (dt.time(13, 30), "1:30 pm", "13:30"),
        (dt.time(23, 59), "11:59 pm", "23:59"),
    ],
)
def test_times_follow_the_clinics_convention(time: dt.time, twelve: str, twenty_four: str) -> None:
    assert words.time_words(time, uses_24_hours=False) == twelve
    assert words.time_words(time, uses_24_hours=True) == twenty_four


@pytest.mark.parametrize(
    ("hour", "twelve", "twenty_four"),
    [
        (0, "12 am", "00:00"),
        (8, "8 am", "08:00"),
        (12, "12 pm", "12:00"),
        (17, "5 pm", "17:00"),
        (24, "12 am", "00:00"),
    ],
)
def test_hours_on_the_edge_of_the_grid(hour: int, twelve: str, twenty_four: str) -> None:
    assert words.hour_words(hour, uses_24_hours=False) == twelve
    assert words.hour_words(hour, uses_24_hours=True) == twenty_four


def test_the_year_is_said_when_it_is_not_this_one() -> None:
    day = dt.date(2026, 6, 9)
    assert words.day_words(day, today=dt.date(2026, 1, 1)) == "Tuesday 9 June"
    assert words.day_words(day, today=dt.date(2025, 12, 31)) == "Tuesday 9 June 2026"
    assert words.day_words(day) == "Tuesday 9 June 2026"
    assert words.short_day(day) == "Tue 9 Jun"


def test_english_has_the_month_first_where_the_clinic_writes_so(monkeypatch: pytest.MonkeyPatch) -> None:
    day, this_year = dt.date(2026, 6, 9), dt.date(2026, 1, 1)

    def said() -> list[str]:
        return [
            words.day_words(day, today=this_year),
            words.day_words(day),
            words.date_words(day),
            words.short_day(day),
        ]

    monkeypatch.setattr(language._Spoken, "month_first", lambda: True)
    assert said() == ["Tuesday, June 9", "Tuesday, June 9, 2026", "June 9, 2026", "Tue, Jun 9"]
    monkeypatch.setattr(language._Spoken, "language", lambda: "de")
    assert said()[2] == "9 Juni 2026"  # the pattern of the language, which is translated elsewhere


def test_what_is_a_name_keeps_its_capital_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"Deep tissue massage": "deep tissue massage", "Hot stones": "hot stones", "A scent": "a scent"}
    names = ("Swedish massage", "Thai massage", "TMJ massage", "")
    assert {text: words.in_sentence(text) for text in (*said, *names)} == said | {one: one for one in names}
    monkeypatch.setattr(words, "spoken", lambda: "de")
    assert words.in_sentence("Massage mit Öl") == "Massage mit Öl"


def test_the_parts_of_a_day_stand_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    autumn, spring = dt.date(2026, 11, 26), dt.date(2026, 3, 9)
    assert (words.short_weekday(autumn), words.short_month(autumn)) == ("Thu", "Nov")
    monkeypatch.setattr(words, "spoken", lambda: "de")
    assert (words.short_weekday(autumn), words.short_month(autumn)) == ("Do", "Nov")
    assert (words.short_weekday(spring), words.short_month(spring)) == ("Mo", "Mär")


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "1 minute"),
        (45, "45 minutes"),
        (60, "1 hour"),
        (75, "1 hour 15 minutes"),
        (120, "2 hours"),
        (0, "0 minutes"),
    ],
)
def test_lengths(minutes: int, text: str) -> None:
    assert words.length_words(minutes) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (8500, "USD", "$85"),
        (7250, "EUR", "€72.50"),
        (105, "GBP", "£1.05"),
        (123456700, "CHF", "CHF 1,234,567"),
        (900, "JPY", "¥900"),
        (900, "SEK", "SEK 9"),
    ],
)
def test_money(amount: int, currency: str, text: str) -> None:
    assert words.money_words(amount, currency) == text


def test_a_moment_is_said_in_the_clinics_zone() -> None:
    moment = dt.datetime(2026, 6, 9, 2, 30, tzinfo=dt.UTC)
    said = words.moment_words(moment, "America/New_York", uses_24_hours=False)
    assert said == "Monday 8 June 2026 at 10:30 pm"
    said = words.moment_words(moment, "America/New_York", uses_24_hours=True)
    assert said == "Monday 8 June 2026 at 22:30"


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ((14, 17), "Monday 8 June 2026, 2:00 pm to 5:00 pm"),
        ((0, 24), "Monday 8 June 2026, the whole day"),
        ((14, 24), "Monday 8 June 2026 from 2:00 pm to the end of the day"),
        ((14, 33), "Monday 8 June 2026 at 2:00 pm to Tuesday 9 June 2026 at 9:00 am"),
    ],
)
def test_a_span_says_its_day_once(hours: tuple[int, int], said: str) -> None:
    midnight = dt.datetime(2026, 6, 8, tzinfo=ZoneInfo("America/New_York"))
    start, end = (midnight + dt.timedelta(hours=one) for one in hours)
    utc = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    assert words.span_words(*utc, "America/New_York", uses_24_hours=False) == said


def test_a_zone_is_said_by_its_city() -> None:
    assert words.zone_words("America/New_York") == "New York"
    assert words.zone_words("America/Indiana/Indianapolis") == "Indianapolis"


def test_words_are_joined_as_people_do() -> None:
    assert [words.join_words(list("abc")[:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert words.join_words(["a", "b"], "or") == "a or b"


@pytest.mark.parametrize(
    ("words_said", "shown"),
    [
        ("Tuesday 3 June 2026 at 2:15 pm", "Tuesday 3_June 2026 at 2:15_pm"),
        ("1 hour 30 minutes", "1_hour 30_minutes"),
        ("CHF 85", "CHF_85"),
        ("Tue 3 Jun", "Tue 3_Jun"),
        ("Tue, Jun 13, 9:00 am", "Tue, Jun_13, 9:00_am"),
        ("3 June 2026, Tue 3 Jun 9:00 am", "3_June 2026, Tue 3_Jun 9:00_am"),
        ("2 people at 14:15", "2 people at 14:15"),
    ],
)
def test_a_number_stays_with_its_unit(words_said: str, shown: str) -> None:
    assert words.unbroken(words_said) == shown.replace("_", "\N{NO-BREAK SPACE}")


def test_thousands_are_grouped_as_the_language_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.grouped(12345) == "12,345"
    monkeypatch.setattr(words, "spoken", lambda: "de")
    assert (words.grouped(999), words.grouped(12345)) == ("999", "12.345")


def test_am_and_pm_are_english_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "spoken", lambda: "de")
    assert words.time_words(dt.time(12, 15), uses_24_hours=False) == "12:15"
    assert words.time_words(dt.time(14, 15), uses_24_hours=False) == "14:15"
    assert words.hour_words(17, uses_24_hours=False) == "17:00"


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Australia/Lord_Howe", ("01:30 UTC+11", "01:30 UTC+10:30")),  # by half an hour, at two
        ("America/New_York", ("01:30", "01:30")),
    ],
)
def test_of_two_equal_times_each_is_told_by_its_zones_name_or_distance(
    zone: str, said: tuple[str, str]
) -> None:
    both = [dt.datetime(2027, 4, 4, 1, 30, fold=fold, tzinfo=ZoneInfo(zone)) for fold in (0, 1)]
    assert tuple(words.wall_text(one) for one in both) == said
    assert words.wall_text(both[1] + dt.timedelta(hours=2)) == "03:30"
