"""Whether people come, and how long ahead they book."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict

from clinic.reports.queries.reading import BOOKED, Counted, Read
from clinic.reports.tables import Column, Headline, Table, bars_of, percent, visits_words
from clinic.rules.language import N_, _, ngettext
from clinic.rules.report_counts import LEAD_WORDS, lead_words, middle
from clinic.rules.report_period import steps_of
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.rules.words import short_day

SOURCES = {
    "online": N_("Online"),
    "desk": N_("At the desk"),
    "walk_in": N_("Walk-in"),
    "waitlist": N_("From the waitlist"),
    "api": N_("By a program"),
}


def missed(read: Read) -> Table:
    """Week by week, over a long time month by month, how many visits were kept, missed and cancelled."""
    steps = steps_of(read.period)
    begins = [one.first for one in steps]
    of_step: dict[int, Counter[VisitStatus]] = defaultdict(Counter)
    for one in read.visits:
        of_step[bisect(begins, one.day) - 1][one.status] += 1
    rows, bars = [], []
    for number, step in enumerate(steps):
        counts = of_step[number]
        kept = sum(counts[status] for status in BOOKED)
        no_show, late = counts[VisitStatus.NO_SHOW], counts[VisitStatus.LATE_CANCELLED]
        share = _share(no_show + late, kept + no_show + late)
        rows.append((step.first, step.last, kept, no_show, late, counts[VisitStatus.CANCELLED], share))
        words = _(
            "%(share)s · %(no_show)s did not come, %(late)s cancelled late",
            share=percent(share),
            no_show=no_show,
            late=late,
        )
        bars.append(
            (_("%(day)s to %(day2)s", day=short_day(step.first), day2=short_day(step.last)), share, words)
        )
    return Table(
        key="missed",
        title=_("No-shows and late cancels"),
        lede=_(
            "The share of visits whose time was lost, week by week, over a long time month by month. A visit that was"
            " cancelled in time is not counted as lost, nor one whose late cancellation the desk let pass."
        ),
        columns=(
            Column(_("From"), "day"),
            Column(_("To"), "day"),
            Column(_("Kept or coming")),
            Column(_("Did not come")),
            Column(_("Cancelled late")),
            Column(_("Cancelled in time")),
            Column(_("Lost"), "share"),
        ),
        rows=tuple(rows) if read.visits else (),
        bars=bars_of(bars, longest=1),
    )


def ahead(read: Read) -> Table:
    """How many days before the visit it was booked, by where."""
    booked = [one for one in read.visits if one.status is not VisitStatus.HELD]
    found = Counter((lead_words(_lead(one, read)), one.source) for one in booked)
    used = [one for one in SOURCES if any(source == one for _words, source in found)]
    others = sorted({source for _words, source in found} - set(SOURCES))
    sources = [*used, *others]
    total = len(booked)
    rows, bars = [], []
    for words in LEAD_WORDS:
        each = [found[words, source] for source in sources]
        rows.append((words, *each, sum(each), _share(sum(each), total)))
        bars.append((words, sum(each), f"{visits_words(sum(each))} · {percent(_share(sum(each), total))}"))
    return Table(
        key="ahead",
        title=_("How long ahead people book"),
        lede=_("Days between the booking and the visit, of all visits in the period."),
        columns=(
            Column(_("Booked"), "text"),
            *(Column(SOURCES.get(one, one.capitalize())) for one in sources),
            Column(_("All")),
            Column(_("Share"), "share"),
        ),
        rows=tuple(rows) if total else (),
        bars=bars_of(bars) if total else (),
    )


def headlines(read: Read) -> list[Headline]:
    """The share of visits that were lost, and the middle of the days ahead."""
    lost = [one for one in read.visits if one.status in (VisitStatus.NO_SHOW, VisitStatus.LATE_CANCELLED)]
    kept = [one for one in read.visits if one.status in BOOKED]
    half = middle([max(_lead(one, read), 0) for one in read.visits])
    return [
        Headline(
            percent(_share(len(lost), len(lost) + len(kept))),
            _("of visits lost to no-shows and late cancels"),
        ),
        Headline(
            "–" if half is None else ngettext("%(num)d day", "%(num)d days", round(half)),
            _("ahead is when half of the visits are booked"),
        ),
    ]


def _lead(one: Counted, read: Read) -> int:
    booked_on = moment(one.booked_at).astimezone(read.place_of(one.location_id).clock.zone).date()
    return (one.day - booked_on).days


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
