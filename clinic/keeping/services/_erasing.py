"""The step that erases a person inside a transaction, and what follows it outside of the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from clinic.accounts.models import User
from clinic.booking.models import Couple, Screening, Series, Visit
from clinic.booking.queries import open_questions, unfinished
from clinic.clients import queries as clients
from clinic.clients.erased import let_erase
from clinic.clients.models import Client
from clinic.clients.steps import locked
from clinic.keeping.models import Erasure, ErasurePass
from clinic.keeping.queries import people, requests
from clinic.records.queries.own_copy import MAILS, Whose, personal_classes
from clinic.rules.errors import KeysLeft, NotFound, RuleViolation
from clinic.rules.keeping import Fate, fate_of
from clinic.rules.language import N_, _
from clinic.rules.visit_status import VisitStatus
from clinic.shared import backups, mail, person_keys
from clinic.shared.audit import leave_trace
from clinic.shared.database import Base, TryAgain, db
from clinic.shared.mail import OutgoingMail

NOBODY = {
    "name_key": "", "email": None, "email_key": None, "phone": None, "phone_key": None, "emergency_contact": "",
    "guardian_name": "", "guardian_relation": "", "guardian_phone": "", "language": None,
}  # fmt: skip
NO_BIRTHDAY = dt.date(1900, 1, 1)
NOTHING_FOUND: dict[str, list[Any]] = {"own": [], "strictest": [], "stopped": []}
BATCH = 500
INVITED = "couple_invited"
"""The one kind of mail to somebody that names another client."""


class VisitsAhead(RuleViolation):
    """Something of theirs is still to come: it is cancelled or finished first, by a person who tells them."""

    default_sentence = N_("Cancel or finish their visits first. Then everything about them can be erased.")


def erase(
    session: Session, client: Client, row: Erasure, *, until: dt.date | None, by: int | None, now: dt.datetime
) -> list[str]:
    """Erase somebody; with `until` but for what a law makes the clinic keep until then. Returns the keys of mails that
    went. Raises VisitsAhead, and nothing is changed."""
    wait_for(session, client)
    # Whoever adds a person to one of their accounts, or writes it a link, is done first.
    ids = [*clients.own_account_ids(client.id), *people.accounts_of_nobody(client.id)]
    session.execute(select(User.id).where(User.id.in_(ids)).order_by(User.id).with_for_update())
    whose = Whose(client, *people.accounts_that_go(client.id))
    _check_nothing_is_ahead(client, whose, now)
    invitations = _invitations(session, whose)
    with let_delete(session):
        for cls in _children_first():
            fate = fate_of(cls.__tablename__).fate
            if fate is Fate.GOES or (fate is Fate.WITH_RECORDS and not until):
                _delete(session, cls, whose)
        mails = _mails(session, whose, invitations)  # the worker was waited for, which may have written one
        blank = {**_contact(), "erased_at": now}
        session.execute(update(Client).where(Client.id.in_(whose.ids["client"])).values(blank))
        for user_id in whose.ids["user"]:
            _blank_account(session, user_id)
        if whose.guests:  # what they typed as a guest of a booking is no record of a treatment
            person_keys.destroy(session, whose.guests)
            session.execute(update(Client).where(Client.id.in_(whose.guests)).values(_nameless()))
        if until is None:
            _blank_records(session, whose)
    person_keys.note_erased(session, whose.ids["client"], at=now, until=until)
    row.client_id = client.id  # it may have been asked for on a record that was merged into theirs
    row.erased_at, row.erased_by_id, row.kept_until = now, by, until
    row.finished_at = now if until is None else None
    for other in requests.open_requests_of(whose.ids["client"]):  # made on a record that was merged
        if other is not row:
            other.erased_at, other.erased_by_id, other.finished_at = now, by, now
    if until is None:
        _part(session, client, whose, now)
    leave_trace(
        session,
        "client.erased" if until is None else "client.erased_but_records",
        "client",
        client.id,
        by=by,
        now=now,
    )
    return mails


def wait_for(session: Session, client: Client) -> None:
    """Nobody signs or books for these records meanwhile, and none is joined with another: what came in between would
    stay. Raises TryAgain where one has just been."""
    ids, part_of = clients.all_ids(client.id), client.merged_into_id
    locked(session, ids)
    session.expire_all()
    joined = session.scalars(select(Client.id).where(Client.merged_into_id.in_(ids))).all()
    if client.merged_into_id != part_of or not set(joined) <= set(ids):
        raise TryAgain(lambda: NotFound("These records are being joined with another one."))


def _children_first() -> list[type[Any]]:
    order = [table.name for table in Base.metadata.sorted_tables]
    return sorted(personal_classes(), key=lambda cls: order.index(cls.__tablename__), reverse=True)


def _delete(session: Session, cls: type[Any], whose: Whose) -> None:
    if cls is not OutgoingMail:  # gone already: whose a mail is, its key says
        session.execute(
            delete(cls).where(whose.is_theirs(cls)), execution_options={"synchronize_session": False}
        )


def _check_nothing_is_ahead(client: Client, whose: Whose, now: dt.datetime) -> None:
    if people.visits_ahead(whose.ids["client"]):
        raise VisitsAhead()
    if open_questions.is_waited_for(client):
        raise VisitsAhead(
            _(
                "Somebody’s visit waits for what was said in this record. Compare the two records first. Then this one"
                " can be erased."
            )
        )
    if unfinished.is_named(whose.ids["client"], now):
        raise VisitsAhead(
            _(
                "A booking is being made in which this person was named first. It is over tomorrow at the latest. Then"
                " this record can be erased."
            )
        )


def _invitations(session: Session, whose: Whose) -> set[int]:
    """Mails that named them to whoever they wanted to come with."""
    couples = select(Visit.couple_id).where(Visit.id.in_(whose.ids["visit"]), Visit.couple_id.is_not(None))
    sent = select(OutgoingMail.id).join(Visit, Visit.id == OutgoingMail.visit_id)
    return set(session.scalars(sent.where(OutgoingMail.kind == INVITED, Visit.couple_id.in_(couples))))


def _mails(session: Session, whose: Whose, also: Collection[int]) -> list[str]:
    """Delete the mails to and about them (and `also`), whoever shares their address keeps their own; returns their
    keys."""
    gone = [row for row in session.execute(MAILS) if row.id in also or whose.is_about_theirs(row)]
    for start in range(0, len(gone), BATCH):
        ids = [row.id for row in gone[start : start + BATCH]]
        session.execute(delete(OutgoingMail).where(OutgoingMail.id.in_(ids)))
    return [row.key for row in gone]


def _contact() -> dict[str, Any]:
    """What is blanked in any case. `alike_*` are what duplicates are found by."""
    kept = {"name_key", "guardian_name", "guardian_relation"}
    return {name: value for name, value in NOBODY.items() if name not in kept} | {"alike_email": None}


def _blank_records(session: Session, whose: Whose) -> None:
    """Visits stay for the clinic's books, and nothing in them says whose they were. The key goes last of all."""
    ids = whose.ids["client"]
    kept = select(Visit.screening_id).where(Visit.client_id.in_(ids), Visit.screening_id.is_not(None))
    without = {"note_sealed": None, "manage_hash": None, "request_key": None, "request_asked": None,
               "series_id": None, "couple_id": None, "created_by_id": None, "asked_gender": ""}  # fmt: skip
    for several, of_theirs in ((Series, Visit.series_id), (Couple, Visit.couple_id)):
        whole = several.id.in_(select(of_theirs).where(Visit.client_id.in_(ids), of_theirs.is_not(None)))
        session.execute(update(several).where(whole).values(request_key=None))
    session.execute(update(Visit).where(Visit.client_id.in_(ids)).values(without))
    never = Visit.client_id.in_(ids), Visit.status == VisitStatus.RELEASED
    session.execute(update(Visit).where(*never).values(client_id=None, screening_id=None, permits=None))
    session.execute(
        delete(Screening).where(Screening.client_id.in_(ids), Screening.id.not_in(kept)),
        execution_options={"synchronize_session": False},
    )
    person_keys.destroy(session, ids)
    session.expire_all()
    for screening in session.scalars(select(Screening).where(Screening.client_id.in_(ids))):
        screening.findings = NOTHING_FOUND
    session.execute(update(Client).where(Client.id.in_(ids)).values(_nameless()))


def _nameless() -> dict[str, Any]:
    named = {"first_name": "Erased", "last_name": "", "alike_name": "", "alike_email": None}
    return {**NOBODY, **named, "born_on": NO_BIRTHDAY, "is_barred_online": True}


def _part(session: Session, client: Client, whose: Whose, now: dt.datetime) -> None:
    """Nothing waits for a law any more; and a record without a name is no part of one that goes on."""
    waits = Erasure.client_id.in_(whose.ids["client"]), Erasure.erased_at.is_not(None)
    for row in session.scalars(select(Erasure).where(*waits, Erasure.finished_at.is_(None))):
        row.finished_at = now
    session.execute(update(Client).where(Client.id == client.id).values(merged_into_id=None, merged_at=None))


def _blank_account(session: Session, user_id: int) -> None:
    blank = {
        "email": f"erased-{user_id}@erased.invalid",
        "name": "Erased",
        "password_hash": None,
        "pin_hash": None,
        "language": None,
    }
    session.execute(update(User).where(User.id == user_id).values(**blank, is_active=False))


@contextmanager
def let_delete(session: Session) -> Iterator[None]:
    """Inside, rows that are otherwise never deleted may be."""
    session.flush()
    given = session.execute(insert(ErasurePass).returning(ErasurePass.id)).scalar_one()
    with let_erase(session):
        yield
        session.flush()
    session.execute(delete(ErasurePass).where(ErasurePass.id == given))


def clean_up(mails: list[str], settings: Mapping[str, Any]) -> None:
    """What is outside of the database, or left in it where no statement reaches. Raises KeysLeft."""
    mail.delete_files(mails, settings["CLINIC_MAIL_DIR"])
    try:
        backups.keep_keys(db.engine, settings)
    except backups.BackupFailed as error:
        raise KeysLeft from error
    finally:  # neither waits for the other
        compact()


def compact() -> None:
    """Write an SQLite file anew: what was deleted still stands in its free pages. PostgreSQL does so by itself."""
    if db.engine.dialect.name != "sqlite":
        return
    db.session.rollback()
    with db.engine.connect().execution_options(sqlite_begin="DEFERRED") as connection:
        raw: Any = connection.connection.driver_connection
        connection.rollback()
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
