"""A client's card at the desk: contact, visits, and whether the health questions are in date. No answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clinic.accounts import queries as accounts
from clinic.booking.models import Visit
from clinic.booking.queries import fell_out, unfinished, visits
from clinic.clients import queries as clients
from clinic.clients.models import Client, ClientNote
from clinic.intake import queries as intake
from clinic.intake.models import Consent, HealthStop
from clinic.premises import queries as premises
from clinic.rules.gates import GateSettings, is_intake_in_date
from clinic.rules.visit_status import AHEAD


@dataclass(frozen=True)
class IntakeState:
    """`kind` is missing, in_date or out_of_date; `valid_until` is the last day on which the intake holds."""

    kind: str
    signed_on: dt.date | None = None
    valid_until: dt.date | None = None
    stopped_by: str = ""
    is_unsigned: bool = False
    is_taken_back: bool = False
    warned: intake.Warned | None = None
    """They were told to see a doctor, and nobody with clinical review has looked at it; or today, where it passes."""
    is_warned_today: bool = False


@dataclass(frozen=True)
class ClientCard:
    """What the desk reads about a client."""

    client: Client
    age: int
    is_minor: bool
    intake: IntakeState
    consent: Consent | None
    agreed_to: Sequence[Consent]
    coming: Sequence[Visit]
    past: Sequence[Visit]
    notes: Sequence[ClientNote]
    writers: dict[int, str]
    may_act: Sequence[tuple[int, str, str, str]]
    alike: Sequence[Client]
    fell_out: Sequence[Visit]


def _comes(visit: Visit, now: dt.datetime) -> bool:
    return visit.ends_at > now and visit.status in AHEAD


def client_card(client_id: int, now: dt.datetime) -> ClientCard | None:
    """The card; None when there is no such client."""
    client = clients.client(client_id)
    if client is None:
        return None
    today = premises.today(now)
    rules = premises.clinic()
    age = client.age_on(today)
    ids = clients.all_ids(client.id)
    found = visits.visits_of(ids)
    notes = clients.notes(client.id)
    is_minor = age < rules.adult_age
    return ClientCard(
        client=client,
        age=age,
        is_minor=is_minor,
        intake=intake_state(client, today),
        consent=intake.guardian_consent(client.id) if is_minor else None,
        agreed_to=[one for one in intake.consents_shown(client.id) if one.kind != "guardian"],
        coming=sorted((one for one in found if _comes(one, now)), key=lambda one: one.starts_at),
        past=[one for one in found if not _comes(one, now)],
        notes=notes,
        writers=accounts.names_of({one.written_by_id for one in notes if one.written_by_id}),
        may_act=clients.may_act_for(client.id),
        alike=unfinished.look_alikes(client),
        fell_out=fell_out.still_to_answer(now, ids),
    )


def intake_state(client: Client, today: dt.date) -> IntakeState:
    """Whether the health questions are signed and hold today, as the gate reads it."""
    rules = premises.clinic()
    settings = GateSettings(
        guardian_age=rules.adult_age,
        intake_days=rules.intake_valid_days,
        minor_intake_days=rules.minor_intake_valid_days,
    )
    stops = intake.stops_in_force(client.id)
    told = [one for one in stops if _is_to_be_looked_at(one, today)]
    state = IntakeState(
        "missing",
        stopped_by=_stopped_by(stops, today),
        warned=intake.told_by(told),
        is_warned_today=any(one.raised_on >= today for one in told),
        is_unsigned=intake.has_unsigned(client.id),
    )
    sources = intake.in_force(client.id)
    if not sources:
        return state
    age = client.age_on(today)
    days = settings.intake_days if age >= settings.guardian_age else settings.minor_intake_days
    completed_on = sources[0].completed_on
    in_date = is_intake_in_date(completed_on, today, age, settings)
    return replace(
        state,
        kind="in_date" if in_date else "out_of_date",
        signed_on=completed_on,
        valid_until=completed_on + dt.timedelta(days=days) if completed_on else None,
        is_taken_back=intake.is_taken_back(client.id),
    )


def _is_to_be_looked_at(stop: HealthStop, today: dt.date) -> bool:
    return stop.ended_at is None and (stop.needs == "review" or stop.raised_on >= today)


def _stopped_by(stops: Sequence[HealthStop], today: dt.date) -> str:
    """What has to happen before anything is booked, "" where nothing stops them: a look by clinical review, another
    day (a fever), or new answers."""
    if any(one.needs == "review" and one.ended_at is None for one in stops):
        return "review"
    if any(one.needs == "new_answer" and one.raised_on >= today for one in stops):
        return "another_day"
    return "answers" if stops else ""
