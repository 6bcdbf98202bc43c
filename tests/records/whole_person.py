"""Somebody with a row in every table that is about people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask
from sqlalchemy import JSON, Boolean, Column, Date, Integer, LargeBinary, select
from sqlalchemy.inspection import inspect

from clinic.api.models import ApiToken
from clinic.catalogue.models import Service
from clinic.premises.models import Room
from clinic.records.queries.own_copy import POINTERS, personal_classes
from clinic.rules.permissions import Role
from clinic.shared.audit import leave_trace
from clinic.shared.crypto import Sealed, SealedBytes
from clinic.shared.database import UtcDateTime, db, transaction
from tests import factories
from tests.booking import world as w
from tests.conftest import NOW
from tests.owners import browser_of

SAID: dict[tuple[str, str], Any] = {  # what the database asks for
    ("visit", "status"): "cancelled", ("visit", "local_time"): dt.time(10),
    ("visit", "zone"): "America/New_York", ("visit", "ends_at"): NOW + dt.timedelta(hours=1),
    ("visit", "free_at"): NOW + dt.timedelta(hours=2), ("claim", "ends_at"): NOW + dt.timedelta(hours=1),
    ("claim_history", "ends_at"): NOW + dt.timedelta(hours=1), ("offer", "kind"): "wish",
    ("offer", "instead_of_id"): None, ("calendar_feed", "therapist_id"): None,
    ("status_change", "status"): "cancelled", ("client_note", "kind"): "note", ("visit", "source"): "online",
    ("message_choice", "user_id"): None, ("visit", "currency"): "USD", ("erasure", "source"): "clinic",
    ("status_change", "reason"): "by the client", ("user_grant", "permission"): "clinical:any:review",
    ("therapist_restriction", "verdict"): "caution", ("outgoing_mail", "kind"): "papers_needed",
}  # fmt: skip


class Person:
    """An account and its person, with a row in every table that is about them. Every text says `word`."""

    def __init__(self, app: Flask, world: w.World, word: str, relation: str = "self", age: int = 40) -> None:
        email = f"{word}@people.example"
        user = factories.make_user(email=email, roles=[Role.CLIENT], name=word)
        self.user, self.word, self.place_id, self.therapist_id = (
            user,
            word,
            world.place_id,
            world.therapists[0],
        )
        client = factories.make_client(
            first_name="Ann", last_name=word, born_on=dt.date(NOW.year - age, 3, 3), email=email,
            phone="(212) 555-0199", acts={user.id: relation},
        )  # fmt: skip
        self.looks_alike = factories.make_client(
            first_name="Anna", last_name="Alike", born_on=dt.date(1970, 1, 2)
        ).id
        self.made: dict[str, Any] = {"client": client.id, "user": user.id}
        self.token_id = factories.save(
            ApiToken(
                name="x",
                token_hash=f"of {user.id}",
                role="front_desk",
                scopes=[],
                per_minute=0,
                created_at=NOW,
            )
        ).id
        for cls in personal_classes():
            if cls.__tablename__ not in ("client", "client_access", "user", "user_role", "audit_row"):
                self._add(cls)
        self.browser = browser_of(app, user)
        with transaction() as session:
            leave_trace(session, "client.changed", "client", client.id, by=None, now=NOW)

    def _add(self, cls: type[Any]) -> None:
        columns = [one for one in cls.__table__.columns if not one.key.endswith("_sealed")]
        values = {one.key: self._value(cls.__tablename__, one) for one in columns}
        with transaction() as session:
            row = cls(**{name: value for name, value in values.items() if value is not None})
            for name, kept in vars(cls).items():
                if isinstance(kept, Sealed | SealedBytes):
                    setattr(
                        row, name, {"said": self.word} if isinstance(kept, Sealed) else self.word.encode()
                    )
            session.add(row)
            session.flush()
            self.made[cls.__tablename__] = inspect(row).identity[0]

    def _value(self, table: str, column: Column[Any]) -> Any:
        name = column.key
        if (table, name) in SAID:
            return SAID[table, name]
        client_id = self.made["client"]
        known = {
            "user_id": self.user.id, "therapist_id": self.therapist_id, "location_id": self.place_id,
            "token_id": self.token_id, "service_id": first_of(Service), "room_id": first_of(Room),
            "other_id": self.looks_alike,
            "to": self.user.email, "key": f"papers_needed:{client_id}:{self.word}",
            **{pointer: self.made.get(parent) for pointer, parent in POINTERS.items()},
        }  # fmt: skip
        if name in known:
            return known[name]
        if (
            (column.primary_key and isinstance(column.type, Integer))
            or column.nullable
            or column.default is not None
            or column.server_default is not None
        ):
            return None
        if name.endswith("_by_id"):
            return self.user.id
        kinds: list[tuple[type[Any], Any]] = [
            (UtcDateTime, NOW), (Date, w.TODAY), (Boolean, False), (Integer, 1), (JSON, []),
            (LargeBinary, self.word.encode()),
        ]  # fmt: skip
        return next((value for kind, value in kinds if isinstance(column.type, kind)), self.word)


def first_of(cls: type[Any]) -> int:
    return db.session.scalars(select(cls.id).order_by(cls.id)).first() or 0
