"""A copy of everything that the clinic keeps about one person: every row of every table that is about them.

The rows are found by the columns that point at a person, or at something of theirs, so that a table that is added
later is in the copy from the start. What is left out: search keys and secrets, who of the staff did it, and what is
about somebody else as well.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, false, func, or_, select
from sqlalchemy.orm import lazyload

from clinic.accounts.models import User
from clinic.booking.models import Screening, StatusChange, Visit
from clinic.booking.queries import checkouts, unfinished, visits
from clinic.catalogue.models import Service
from clinic.clients import queries as clients
from clinic.clients.models import Client
from clinic.premises.models import Location
from clinic.rules.keeping import NOT_COPIED, NOT_TOLD
from clinic.rules.language import N_, _
from clinic.rules.messages import KINDS
from clinic.rules.visit_status import VisitStatus
from clinic.shared.audit import AuditRow
from clinic.shared.crypto import Sealed, SealedBytes
from clinic.shared.database import Base, db, read_as_one
from clinic.shared.mail import OutgoingMail
from clinic.therapists.models import Therapist

POINTERS = {  # column → the table whose rows it names; the first that a row fills in decides
    "client_id": "client",
    "resource_id": "client",
    "visit_id": "visit",
    "intake_id": "intake",
    "letter_id": "clearance_letter",
    "wish_id": "waitlist_wish",
    "instead_of_id": "visit",
}
LAST = ("outgoing_mail", "audit_row")
NAMED = {"therapist_id": Therapist, "service_id": Service, "location_id": Location}
LEFT_OUT = re.compile(
    r"_sealed$|_hash$|_by_id$|^user_id$|^other_id$|^merged_into_id$|^couple_id$|^request_|_key$|^alike_|^lease_until$"
    r"|^credential_id$|^by_user_id$"
    r"|^is_unproven$|^was_proven$|^screening_id$"  # whether they are taken for somebody who is known
)
SECRETS = {"secret", "codes"}  # sealed, and to be known by nobody
KEPT_BACK = N_("kept back: it is about somebody else as well")
BACK = {("never_together", "reason"), ("client_note:bar", "text")}
TOLD_ONCE = {"screening": {"id", "judged_at", "door"}, "status_change": {"id", "at", "reason"}}
"""Of one visit, a row that says what the one before says but for these is left out: it came of others' answers."""
UNTOLD = (
    "visit.judged",  # the judgements tell it, but for those of others
    "client.two_people",  # that they look like somebody who is known
)
JUDGED = ("permits", "verdict", "outcome", "clearance_ids")
LINK = re.compile(r"https?://\S+")
MAILS = select(OutgoingMail.id, OutgoingMail.key, OutgoingMail.kind, OutgoingMail.to)
AT_ONCE = 50


@dataclass(frozen=True)
class Copied:
    """One table's rows, as plain values, read while they are taken."""

    table: str
    rows: Iterator[dict[str, Any]]


def copy_of(client_id: int, user_id: int | None) -> Iterator[Copied]:
    """Every table with something about them, in the order in which the tables build on each other. `user_id`: their
    own account, None where somebody else's acts for them."""
    read_as_one()
    client = db.session.get_one(Client, client_id)
    own = clients.own_account_ids(client.id)
    whose = Whose(client, *(own if user_id in own else [user_id]))
    for cls in copied_classes():
        rows = whose.rows(cls)
        first = next(rows, None)
        if first is not None:
            yield Copied(cls.__tablename__, _with(first, rows))


def personal_classes() -> list[type[Any]]:
    """What is about people, the person first: what is reached from a client, then accounts, mails and deeds."""
    by_table = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    order = [table.name for table in Base.metadata.sorted_tables]
    found = [name for name in order if name in by_table and is_personal(name)]
    last = {name for name in found if name in LAST or is_of_an_account(name)}
    return [by_table[name] for name in sorted(found, key=lambda name: (name in last, name != "client"))]


def copied_classes() -> list[type[Any]]:
    """Those of them that a person reads in their copy."""
    return [one for one in personal_classes() if one.__tablename__ not in NOT_TOLD]


def is_personal(table: str) -> bool:
    """Whether rows of this table can be about a person who is treated."""
    if table in NOT_COPIED:
        return False
    return table in ("client", *LAST) or is_of_an_account(table) or _points_at_a_person(table)


def is_of_an_account(table: str) -> bool:
    """Whether its rows belong to an account, whoever it acts for."""
    columns = Base.metadata.tables[table].columns.keys()
    return table == "user" or (
        "user_id" in columns and table != "therapist" and not _points_at_a_person(table)
    )


def _points_at_a_person(table: str) -> bool:
    columns = Base.metadata.tables[table].columns.keys()
    return any(name in columns for name in POINTERS if name != "resource_id" or "visit_id" in columns)


def _with(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


class Whose:
    """Which rows are this person's."""

    def __init__(self, client: Client, *user_ids: int | None) -> None:
        """`user_ids`: the accounts that are their own; a person whose records were merged may have several."""
        session = db.session
        accounts = [one for one in user_ids if one is not None]
        emails = select(User.email).where(User.id.in_(accounts))
        self.account_emails = set(session.scalars(emails)) if accounts else set()
        self.reached_at = [one for one in (client.email, client.phone_key) if one]
        self.is_unproven = client.is_unproven
        records = clients.all_ids(client.id)
        self.guests = unfinished.guests_of(records)
        self.ids: dict[str, list[int]] = {"client": [*records, *self.guests]}
        for table in ("visit", "intake", "clearance_letter", "clearance", "waitlist_wish"):
            cls = next(one for one in personal_classes() if one.__tablename__ == table)
            self.ids[table] = list(session.scalars(select(cls.id).where(self.is_theirs(cls))).all())
        series = select(Visit.series_id).where(Visit.id.in_(self.ids["visit"]), Visit.series_id.is_not(None))
        self.ids["series"] = list(session.scalars(series.distinct()))
        self.ids["user"] = accounts
        self.names = {
            column: dict(session.execute(select(cls.id, cls.name)).tuples().all())  # type: ignore[attr-defined]
            for column, cls in NAMED.items()
        }

    def rows(self, cls: type[Any]) -> Iterator[dict[str, Any]]:
        """Their rows of one table, oldest first."""
        told: dict[object, dict[str, Any]] = {}
        for values in map(self._plain, self._found(cls)):
            if (but_for := TOLD_ONCE.get(cls.__tablename__)) is not None:
                said = {name: value for name, value in values.items() if name not in but_for}
                if told.get(values["visit_id"]) == said:
                    continue
                told[values["visit_id"]] = said
            yield values

    def _found(self, cls: type[Any]) -> Iterator[Any]:
        columns = cls.__table__.columns
        when = [one for one in columns if re.search(r"(^|_)at$", one.name) and not one.nullable]
        by_time = [
            *when[:1],
            *cls.__table__.primary_key.columns,
        ]  # numbers are drawn by lot: they tell no order
        found = select(cls).where(self.is_theirs(cls)).order_by(*by_time).options(lazyload("*"))
        for row in db.session.scalars(found.execution_options(yield_per=AT_ONCE)):
            if not isinstance(row, OutgoingMail) or self.is_about_theirs(row):
                yield row

    def count(self, cls: type[Any]) -> int:
        """How many rows of one table are theirs."""
        if cls.__tablename__ in TOLD_ONCE:
            return sum(1 for _row in self.rows(cls))
        if cls is OutgoingMail:
            told = db.session.execute(MAILS.where(self.is_theirs(cls)))
            return sum(self.is_about_theirs(row) for row in told)
        return db.session.scalar(select(func.count()).select_from(cls).where(self.is_theirs(cls))) or 0

    def is_theirs(self, cls: type[Any]) -> ColumnElement[bool]:
        columns, table = cls.__table__.columns, cls.__tablename__
        if table == "client":
            return Client.id.in_(self.ids["client"])
        if table == "audit_row":
            of_theirs = or_(*(
                and_(AuditRow.thing == thing, AuditRow.thing_id.in_(self.ids[thing])) for thing in ("client", "visit")
            ))  # fmt: skip
            return and_(of_theirs, AuditRow.deed.not_in(UNTOLD))
        if table == "outgoing_mail":
            return or_(
                OutgoingMail.to.in_(self.reached_at),
                OutgoingMail.visit_id.in_(self.ids["visit"]),
                *(OutgoingMail.key.contains(f":{one}:") for one in self.ids["user"]),
                *(OutgoingMail.key.startswith(named) for named in self._named_in_keys()),
            )
        if is_of_an_account(table):
            column: ColumnElement[Any] = columns["id" if table == "user" else "user_id"]
            return column.in_(self.ids["user"]) if self.ids["user"] else false()
        theirs: list[ColumnElement[bool]] = []
        unsaid: list[ColumnElement[bool]] = []
        for name, parent in POINTERS.items():
            if name in columns:
                theirs.append(and_(*unsaid, columns[name].in_(self.ids.get(parent, []))))
                if name == "client_id":
                    unsaid.append(columns[name].is_(None))
        return or_(*theirs)

    def _named_in_keys(self) -> Iterator[str]:
        """How keys of mails begin that are about no visit: what went to an earlier address of theirs is theirs too."""
        for kind, said in KINDS.items():
            if said.about not in ("visit", "user"):
                yield from (f"{kind}:{one}" for one in self.ids.get(said.about, []))

    def is_about_theirs(self, mail: Row[Any] | OutgoingMail) -> bool:
        """Whose a mail is, its key says and not its address: several people may share one, and an earlier one of
        theirs is nobody's any more. Numbers of different tables may be the same. Mails about an account had no number
        in their key once: those go by the address."""
        kind = KINDS.get(mail.kind)
        if ":" not in mail.key:
            return kind is not None and kind.about == "user" and mail.to in self.account_emails
        about = self.ids.get(kind.about if kind is not None else "visit", [])
        return mail.key.split(":")[1] in map(str, about)

    def _plain(self, row: Any) -> dict[str, Any]:
        """A row as values that a program and a person can read."""
        table = row.__tablename__
        values: dict[str, Any] = {}
        for column in row.__table__.columns:
            name, value = column.key, getattr(row, column.key)
            if name in self.names:
                values[name.removesuffix("_id")] = self.names[name].get(value)
            elif not LEFT_OUT.search(name):
                values[name] = value
        for name, kept in vars(type(row)).items():
            if isinstance(kept, Sealed | SealedBytes) and name not in SECRETS:
                values[name] = getattr(row, name)
        for place, name in BACK:
            if table == place or f"{table}:{values.get('kind')}" == place:
                values[name] = KEPT_BACK
        return self._without_others(row, values)

    def _without_others(self, row: Any, values: dict[str, Any]) -> dict[str, Any]:
        """What a row says of other people, or what is kept from whoever cannot be sure to be this person."""
        table = row.__tablename__
        if table == "screening":
            findings = values["findings"] or {}
            values["findings"] = {"own": findings.get("own", []), "stopped": findings.get("stopped", [])}
            values["intake_ids"] = [one for one in values["intake_ids"] if one in self.ids["intake"]]
            values = {name: value for name, value in values.items() if name not in JUDGED}
            values |= findings.get(
                "alone", {}
            )  # by their own answers: not kept of judgements of earlier days
        elif table == "checkout":
            told = {**(values["details"] or {})}
            values["details"] = {k: told[k] for k in told if k not in {"manage", *checkouts.OF_OTHERS}}
        elif table == "outgoing_mail":
            values = {k: values[k] for k in ("to", "subject", "due_at", "sent_at")} | {
                "text": LINK.sub("[a link]", row.text)
            }
        elif table == "audit_row":
            values = {k: values[k] for k in ("at", "deed", "thing", "thing_id")}
            values["by"] = "you" if row.by_user_id in self.ids["user"] else _("the clinic")
        elif table == "visit" and row.status == VisitStatus.PENDING:
            values["waiting_for"] = visits.told_wait(row)
            if visits.is_hidden_wait(row):
                values |= {"status": visits.seen_as(row).value, "deadline_at": None, "permits": True}
        elif table == "status_change" and values["status"] == "pending" and self._waited_for_others(row):
            values["status"] = "confirmed"
        return values

    def _waited_for_others(self, change: Any) -> bool:
        """Whether a visit waited at this moment only because they, or whoever comes along, may be somebody else, also
        once that is settled."""
        visit = db.session.get(Visit, change.visit_id)
        later = select(StatusChange.id).where(
            StatusChange.visit_id == change.visit_id,
            StatusChange.status == "pending",
            StatusChange.at > change.at,
        )
        if (visit is not None and visit.to_reconfirm) or db.session.scalar(later.limit(1)) is not None:
            return False  # it waited for something of theirs first
        couple_id = visit.couple_id if visit is not None else None
        of_two = select(Visit.id).where(Visit.couple_id == couple_id)
        ids = db.session.scalars(of_two).all() if couple_id is not None else [change.visit_id]
        kept = [self._judged_by_then(one, change.at) for one in ids]
        alone = [one.findings.get("alone") if one is not None else None for one in kept]
        if not all(alone):
            return bool(self.is_unproven)
        by_own = all(one["permits"] for one in alone if one is not None)
        return by_own and not all(one.permits for one in kept if one is not None)

    def _judged_by_then(self, visit_id: int, at: dt.datetime) -> Screening | None:
        """The judgement that stood at this moment."""
        return db.session.scalars(
            select(Screening)
            .where(Screening.visit_id == visit_id, Screening.judged_at <= at)
            .order_by(Screening.judged_at.desc())
        ).first()
