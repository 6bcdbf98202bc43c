"""What visits are judged by besides the answers, and which coming visits were judged by something older.

The rules, the columns that a service and its add-ons are judged as, and the settings of the gates: their hash is
kept with every judgement, so that one made by anything else is found by comparing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from functools import cache

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import joinedload

from clinic.booking.models import Screening, Visit
from clinic.catalogue import queries as catalogue
from clinic.intake import queries as intake
from clinic.premises import queries as premises
from clinic.rulebook import queries as rulebook
from clinic.rules.gates import GateSettings, GuardianConsent
from clinic.rules.visit_status import VisitStatus
from clinic.shared.database import db
from clinic.shared.statements import spelt_out

JUDGED_AGAIN = (VisitStatus.PENDING, VisitStatus.CONFIRMED, VisitStatus.ARRIVED, VisitStatus.SUSPENDED)
"""A hold is judged when it is confirmed; what has begun is left to the therapist."""

DAYS_BETWEEN_WALLS = dt.timedelta(days=2)
"""So many days apart two places can be: half past midnight on Kiritimati is two dates after Pago Pago's evening."""

AT_ONCE = 500
RULES = "rules"
"""What a visit waits for that the rules no longer allow: that staff confirm its cancellation."""


def lies_ahead(now: dt.datetime) -> ColumnElement[bool]:
    """Visits that are judged again: those of today at the clinic's first place, and whatever is not over. At a place
    further west a coming visit may still be one of yesterday, and one past midnight is anywhere."""
    today = premises.today(now)
    return and_(Visit.day >= today - DAYS_BETWEEN_WALLS, or_(Visit.day >= today, Visit.ends_at > now))


def rules_version() -> str:
    """The version of the rules that judge now."""
    return rulebook.in_force().version


def gate_settings() -> GateSettings:
    """The clinic's ages and lengths, as the gates read them."""
    rules = premises.clinic()
    return GateSettings(
        guardian_age=rules.adult_age,
        in_room_age=rules.guardian_in_room_age,
        intake_days=rules.intake_valid_days,
        minor_intake_days=rules.minor_intake_valid_days,
    )


def basis_of(
    judged_as: Collection[str], addon_columns: Collection[str], gates: GateSettings, *, rules: str
) -> str:
    """A hash of all that a judgement is made by, besides the person's own facts. `rules` is their version."""
    what = [rules, sorted(judged_as), sorted(addon_columns), asdict(gates)]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def out_of_date(now: dt.datetime, client_id: int | None = None) -> list[tuple[int, int]]:
    """(client, visit) of each coming visit whose judgement was made by something older, the soonest first.

    Five statements, whatever the number of visits, which are read bit by bit: whoever asks is in a transaction.
    """
    rules = rules_version()
    columns, addons, gates = catalogue.columns_of_services(), catalogue.columns_of_addons(), gate_settings()
    wanted = (
        select(Visit.client_id, Visit.id, Visit.service_id, Visit.addons, Screening.basis)
        .outerjoin(Screening, Screening.id == Visit.screening_id)
        .where(lies_ahead(now), Visit.status.in_(JUDGED_AGAIN), Visit.client_id.is_not(None))
        .order_by(Visit.starts_at, Visit.id)
        .execution_options(yield_per=AT_ONCE)
    )
    if client_id is not None:
        wanted = wanted.where(Visit.client_id == client_id)

    @cache  # most visits are of a few kinds
    def present(service: int, keys: tuple[str, ...]) -> str:
        judged_as = [addons[key] for key in keys if key in addons]
        return basis_of(columns.get(service, ()), judged_as, gates, rules=rules)

    return [
        (client, visit)
        for client, visit, service, keys, basis in db.session.execute(wanted)
        if basis != present(service, tuple(keys))
    ]


def coming_visits(now: dt.datetime) -> Sequence[Visit]:
    """Every visit that another version of the rules would judge again, the soonest first."""
    return db.session.scalars(
        select(Visit)
        .where(lies_ahead(now), Visit.status.in_(JUDGED_AGAIN), Visit.client_id.is_not(None))
        .order_by(Visit.starts_at, Visit.id)
        .options(joinedload(Visit.client), joinedload(Visit.service), joinedload(Visit.therapist))
    ).all()


def no_longer_safe() -> list[tuple[Visit, Screening | None]]:
    """Visits that wait until staff confirm their cancellation, the soonest first, with what judged them."""
    rows = db.session.execute(
        select(Visit, Screening)
        .outerjoin(Screening, Screening.id == Visit.screening_id)
        .where(
            Visit.waiting_for == RULES,
            Visit.status.in_(spelt_out(VisitStatus.PENDING, VisitStatus.SUSPENDED)),
        )
        .order_by(Visit.starts_at, Visit.id)
    )
    return [(row[0], row[1]) for row in rows]


def guardian_consent(client_id: int, *, without: int | None = None) -> GuardianConsent | None:
    """What parents or guardians agreed to, as the gate reads it; None when nothing stands."""
    given = [
        GuardianConsent(
            signed_on=row.given_on,
            will_be_in_room=row.detail["will_be_in_room"],
            services=frozenset(row.detail["services"]),
        )
        for row in intake.guardian_consents(client_id)
        if row.id != without
    ]
    return replace(given[0], also=tuple(given[1:])) if given else None
