"""Changing the catalogue. Nothing is deleted: booked visits go on naming what they were booked as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict, fields
from itertools import chain, count

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from clinic.catalogue import queries
from clinic.catalogue.facts import AddonFacts, Length, ServiceFacts
from clinic.catalogue.models import Addon, Service, ServiceLength
from clinic.catalogue.starter import starter_rows
from clinic.rules.errors import InvalidInput, NotFound
from clinic.rules.kinds import key_of
from clinic.rules.language import N_, _
from clinic.rules.verdicts import ADDONS, SERVICES
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.seen import check_seen

SERVICE_EXISTS = N_("There is a service of this name. Choose another name, or change that one.")
ADDON_EXISTS = N_("There is an add-on of this name. Choose another name, or change that one.")


def add_starter_catalogue(session: Session) -> None:
    """Add the seven services and two add-ons of a new clinic; part of the caller's transaction."""
    services, addons = starter_rows()
    session.add_all([*addons, *services])
    session.flush()


@tried_again
def add_service(facts: ServiceFacts, judged_as: Collection[str], *, by: int | None, now: dt.datetime) -> int:
    """A new service, judged by these columns of the contraindication table (the strictest holds). Returns its id.

    The columns stay for good: booked visits were judged by them. Raises InvalidInput.
    """
    columns = [column for column in SERVICES if column in judged_as]
    if not columns or len(columns) != len(set(judged_as)):
        raise InvalidInput("judged_as", _("Choose at least one service that this is like for the body."))
    with transaction() as session:
        if _is_taken(session, Service, facts.name):
            raise InvalidInput("name", _(SERVICE_EXISTS))
        key = _free_key(session, Service, facts.name)
        row = Service(key=key, family=key, judged_as=columns)
        _write_service(session, row, facts)
        session.add(row)
        session.flush()
        leave_trace(session, "service.added", "service", row.id, by=by, now=now)
        return row.id


@tried_again
def change_service(
    service_id: int, facts: ServiceFacts, *, seen: str, by: int | None, now: dt.datetime
) -> None:
    """Change a service; booked visits keep their time, length and price.

    Raises InvalidInput, NotFound, ChangedMeanwhile.
    """
    with transaction() as session:
        row = session.get(Service, service_id)
        if row is None:
            raise NotFound(_("There is no such service."))
        check_seen(session, row, lambda: asdict(queries.service_facts(row)), seen)
        before = queries.service_facts(row)
        if facts.name != row.name and _is_taken(session, Service, facts.name, row.id):
            raise InvalidInput("name", _(SERVICE_EXISTS))
        _write_service(session, row, facts)
        changed = _changed(before, facts)
        leave_trace(session, "service.changed", "service", row.id, by=by, now=now, fields=changed)


def _write_service(session: Session, row: Service, facts: ServiceFacts) -> None:
    _check_lengths(facts.lengths, {mode.key for mode in row.modes})
    addons = {one.key: one for one in session.scalars(select(Addon).order_by(Addon.position, Addon.id))}
    if not set(facts.addons) <= set(addons):
        raise InvalidInput("addons", _("Choose add-ons from the list."))
    for name, value in asdict(facts).items():
        if name not in ("addons", "lengths"):
            setattr(row, name, list(value) if isinstance(value, tuple) else value)
    row.addons = [one for key, one in addons.items() if key in facts.addons]
    kept = {Length(one.mode, one.minutes, one.price): one for one in row.lengths}
    row.lengths = [
        kept.get(one) or ServiceLength(mode=one.mode, minutes=one.minutes, price=one.price)
        for one in facts.lengths
    ]


def _check_lengths(lengths: Collection[Length], modes: Collection[str]) -> None:
    """Each length of each way once, and at least one for the ordinary way."""
    pairs = [(one.mode, one.minutes) for one in lengths]
    if not any(mode is None for mode, _ in pairs):
        raise InvalidInput("lengths", _("Enter at least one length with its price."))
    if len(pairs) != len(set(pairs)):
        raise InvalidInput("lengths", _("One length stands there twice. Leave one of them out."))
    if any(mode is not None and mode not in modes for mode, _ in pairs):
        raise InvalidInput("lengths", _("Choose a way from the list."))
    if any(not 5 <= one.minutes <= 480 or one.price < 0 for one in lengths):
        raise InvalidInput("lengths", _("Lengths go from 5 to 480 minutes; prices are not below zero."))


@tried_again
def add_addon(facts: AddonFacts, judged_as: str, *, by: int | None, now: dt.datetime) -> int:
    """A new add-on, judged by one of the two columns for add-ons, for good. Returns its id. Raises InvalidInput."""
    if judged_as not in ADDONS:
        raise InvalidInput("judged_as", _("Choose which add-on this is like for the body."))
    with transaction() as session:
        if _is_taken(session, Addon, facts.name):
            raise InvalidInput("name", _(ADDON_EXISTS))
        key = _free_key(session, Addon, facts.name)
        row = Addon(key=key, judged_as=judged_as)
        _write_addon(row, facts)
        session.add(row)
        session.flush()
        leave_trace(session, "addon.added", "addon", row.id, by=by, now=now)
        return row.id


@tried_again
def change_addon(addon_id: int, facts: AddonFacts, *, seen: str, by: int | None, now: dt.datetime) -> None:
    """Change an add-on; booked visits stay as they are. Raises InvalidInput, NotFound, ChangedMeanwhile."""
    with transaction() as session:
        row = session.get(Addon, addon_id)
        if row is None:
            raise NotFound(_("There is no such add-on."))
        check_seen(session, row, lambda: asdict(queries.addon_facts(row)), seen)
        before = queries.addon_facts(row)
        if facts.name != row.name and _is_taken(session, Addon, facts.name, row.id):
            raise InvalidInput("name", _(ADDON_EXISTS))
        _write_addon(row, facts)
        changed = _changed(before, facts)
        leave_trace(session, "addon.changed", "addon", row.id, by=by, now=now, fields=changed)


def _write_addon(row: Addon, facts: AddonFacts) -> None:
    for name, value in asdict(facts).items():
        setattr(row, name, list(value) if isinstance(value, tuple) else value)


def _is_taken(session: Session, kind: type[Service | Addon], name: str, but_id: int = 0) -> bool:
    """Whether another one on offer is called so: people could not tell which they book. For a new one those that are
    switched off count, too: they can be switched on again."""
    counts = kind.is_active if but_id else true()
    others = session.scalars(select(kind.name).where(counts, kind.id != but_id))
    return _bare(name) in {_bare(other) for other in others}


def _bare(name: str) -> str:
    """The letters and digits of a name, of any script: what is the same to whoever reads it."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _free_key(session: Session, kind: type[Service | Addon], name: str) -> str:
    """A key that nothing has yet, after the name as far as it is written with a to z. Raises InvalidInput for a name
    without a letter or digit of any script."""
    if not _bare(name):
        raise InvalidInput("name", _("Use at least one letter or digit in the name."))
    base = key_of(name) or kind.__tablename__
    taken = set(session.scalars(select(kind.key)))
    return next(one for one in chain([base], (f"{base}_{n}" for n in count(2))) if one not in taken)


def _changed(before: ServiceFacts | AddonFacts, after: ServiceFacts | AddonFacts) -> str:
    """The names of the fields that differ, for the audit."""
    return ", ".join(
        one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)
    )
