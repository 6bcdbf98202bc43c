"""The health questions: whether they are signed in time, what came out, and what was taken instead.

Numbers about health are about people, in steps of five, and about fewer than five people nothing is said at all. No
name, no diagnosis and no single judgement leaves this file.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import load_only

from clinic.booking.models import Screening, StatusChange, Visit
from clinic.booking.taken_back import REASON as TAKEN_BACK
from clinic.clients.models import Client
from clinic.intake.models import Intake
from clinic.premises import queries as premises
from clinic.reports.queries.reading import BOOKED, COUNTED, LOST, Read
from clinic.reports.tables import Column, Headline, Table, bars_of, percent, visits_words
from clinic.rulebook import queries as rulebook
from clinic.rules.language import N_, _
from clinic.rules.report_counts import (
    BOOKED_WITHIN,
    FEWEST_PEOPLE,
    INTAKE_WORDS,
    MISSING,
    Guarded,
    guarded,
    intake_words,
    is_soon_after,
)
from clinic.rules.rule_table import RuleTable
from clinic.rules.verdicts import ADDONS
from clinic.rules.visit_status import VisitStatus
from clinic.rules.wall_time import moment
from clinic.rules.words import grouped
from clinic.rules.years import age_on
from clinic.shared.database import db

KEPT_APART = N_(
    "Numbers are people, in steps of %(fewest)s. What is about fewer than %(fewest)s people is left out."
)
TOGETHER, OTHERWISE = N_("Several things together"), N_("Age, consent or what a therapist asked for")
REFUSED = ("refuse", "refuse_urgent")
OUTCOMES = {
    "allow": N_("Could be booked"),
    "allow_flag_therapist": N_("Could be booked, with care"),
    "hold_until_clearance": N_("Waits for a clinician’s letter"),
    "needs_guardian_consent": N_("Waits for a parent or guardian"),
    "needs_intake": N_("Waits for the health questions"),
    "needs_review": N_("Waits for a look by staff"),
    "refuse": N_("Not possible that day"),
    "refuse_urgent": N_("To see a doctor first"),
}
_PERSON = func.coalesce(Client.merged_into_id, Client.id)


def intakes(read: Read) -> Table:
    """When the health questions were signed, of all visits that were booked, those that lapsed for want of them too."""
    counts = _intake_counts(read)
    total = counts.total()
    rows = (
        tuple((words, counts[words], _share(counts[words], total)) for words in INTAKE_WORDS) if total else ()
    )
    bars = [(words, count, f"{visits_words(count)} · {percent(share)}") for words, count, share in rows]
    return Table(
        key="intakes",
        title=_("Health questions in time"),
        lede=_(
            "When the questions of each visit were signed. Visits that were given back because they were not are"
            " counted, too."
        ),
        columns=(Column(_("Health questions"), "text"), Column(_("Visits")), Column(_("Share"), "share")),
        rows=rows,
        bars=bars_of(bars),
    )


def intake_headline(table: Table) -> Headline:
    """The share that was signed in time."""
    missing = next((share for words, _count, share in table.rows if words == MISSING), None)
    share = 1 - missing if isinstance(missing, float) else None
    return Headline(percent(share), _("of visits with the health questions signed in time"))


def _intake_counts(read: Read) -> Counter[str]:
    """Two statements: the visits, and every signature of those who have one."""
    rows = db.session.execute(
        select(_PERSON, Client.born_on, Visit.created_at, Visit.starts_at, Visit.day)
        .join(Client, Client.id == Visit.client_id)
        .where(*_in(read), or_(Visit.status.in_(BOOKED | LOST), _lapsed()))
    ).all()
    signed: dict[int, list[dt.datetime]] = defaultdict(list)
    people = select(Visit.client_id).where(*_in(read))
    for person, at in db.session.execute(
        select(_PERSON, Intake.signed_at)
        .join(Client, Client.id == Intake.client_id)
        .where(Intake.kind == "full", or_(Client.id.in_(people), Client.merged_into_id.in_(people)))
    ):
        signed[person].append(at)
    rules = premises.clinic()
    found: Counter[str] = Counter()
    for person, born_on, booked_at, starts_at, day in rows:
        is_adult = age_on(born_on, day) >= rules.adult_age
        valid = rules.intake_valid_days if is_adult else rules.minor_intake_valid_days
        found[intake_words(booked_at, starts_at, signed[person], valid)] += 1
    return found


def _lapsed() -> ColumnElement[bool]:
    """Booked, then given back at its deadline: not a hold that somebody let go, nor a booking that the desk undid."""
    waited = select(StatusChange.id).where(
        StatusChange.visit_id == Visit.id, StatusChange.status == VisitStatus.PENDING
    )
    undone = select(StatusChange.id).where(
        StatusChange.visit_id == Visit.id, StatusChange.reason == TAKEN_BACK
    )
    return (Visit.status == VisitStatus.RELEASED) & waited.exists() & ~undone.exists()


def _in(read: Read) -> tuple[ColumnElement[bool], ...]:
    return (
        Visit.location_id.in_([one.id for one in read.places]),
        Visit.day.between(read.period.first, read.period.last),
    )


def outcomes(read: Read) -> Table:
    """What the health check said of the bookings that were tried in the period."""
    return _about_people(
        "outcomes",
        _("What the health check said"),
        _("Of everybody who tried to book in the period. Somebody may be in several rows."),
        "Outcome",
        guarded({OUTCOMES.get(key, key): ids for key, ids in _people_by_outcome(read).items()}),
    )


def reasons(read: Read) -> Table:
    """Which group of questions stood against a booking."""
    return _about_people(
        "reasons",
        _("Which questions stood against a booking"),
        _(
            "Of everybody whose booking waited or was not possible, by the page of the health questions. Never which"
            " answer."
        ),
        _("Page of the questions"),
        guarded(_people_by_page(read, rulebook.in_force())),
    )


def alternatives(read: Read) -> Table:
    """How many of those who could not have what they wanted booked something else soon after. Two statements."""
    refusals: dict[int, list[dt.datetime]] = defaultdict(list)
    for person, at in db.session.execute(
        select(_PERSON, Screening.judged_at)
        .join(Client, Client.id == Screening.client_id)
        .where(*_judged_in(read), Screening.outcome.in_(REFUSED))
    ):
        refusals[person].append(at)
    start, end = _moments(read)
    booked = db.session.execute(
        select(_PERSON, Visit.created_at)
        .join(Client, Client.id == Visit.client_id)
        .where(
            Visit.location_id.in_([one.id for one in read.places]),
            Visit.created_at.between(start, end + BOOKED_WITHIN),
            Visit.status.in_(COUNTED),
        )
    )
    took = {person for person, at in booked if is_soon_after(at, refusals.get(person, []))}
    return _about_people(
        "alternatives",
        _("Something safe instead"),
        _("People whose booking was not possible, and those of them who booked something else within a day."),
        _("People"),
        guarded({"Could not have what they wanted": set(refusals), "Booked something safe instead": took}),
    )


def _about_people(key: str, title: str, lede: str, first: str, found: Guarded) -> Table:
    bars = [
        (words, count, _("%(count)s or more people", count=grouped(count))) for words, count in found.shown
    ]
    note = _(KEPT_APART, fewest=FEWEST_PEOPLE)
    if not found.shown:
        note = (
            _("Too few people to say anything. %(kept_apart)s", kept_apart=note)
            if found.is_some_hidden
            else ""
        )
    return Table(
        key=key,
        title=title,
        lede=lede,
        columns=(Column(first, "text"), Column(_("People, at least"))),
        rows=tuple(found.shown),
        bars=bars_of(bars),
        note=note,
    )


def _judged_in(read: Read) -> list[ColumnElement[bool]]:
    """Judged in the period. What was refused at the desk never became a visit and so has no place: it counts where all
    places are looked at."""
    start, end = _moments(read)
    wanted: list[ColumnElement[bool]] = [Screening.judged_at >= start, Screening.judged_at < end]
    if not read.is_everywhere:
        here = select(Visit.id).where(Visit.location_id.in_([one.id for one in read.places]))
        wanted.append(Screening.visit_id.in_(here))
    return wanted


def _moments(read: Read) -> tuple[dt.datetime, dt.datetime]:
    bounds = [one.bounds for one in read.places]
    return moment(min(one[0] for one in bounds)), moment(max(one[1] for one in bounds))


def _people_by_outcome(read: Read) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for outcome, client in db.session.execute(
        select(Screening.outcome, _PERSON)
        .join(Client, Client.id == Screening.client_id)
        .where(*_judged_in(read))
        .distinct()
    ):
        found[outcome].add(client)
    return found


def _people_by_page(read: Read, table: RuleTable) -> Mapping[str, set[int]]:
    titles = {one.key: one.title for one in table.pages}
    pages = {key: titles[one.page] for key, one in table.conditions.items()}
    pages |= {one.key: TOGETHER for one in table.combinations}
    found: dict[str, set[int]] = defaultdict(set)
    rows = db.session.execute(
        select(Screening, _PERSON)
        .options(load_only(Screening.findings_sealed))
        .join(Client, Client.id == Screening.client_id)
        .where(*_judged_in(read), Screening.permits.is_(False))
    )
    for row, person in rows:
        for one in row.findings["own"]:
            if one["verdict"] in ("clearance", "block") and one["column"] not in ADDONS:
                found[pages.get(one["rule"], OTHERWISE)].add(person)
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
