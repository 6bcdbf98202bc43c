"""People who are treated, and who may act for them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from clinic.accounts.models import User
from clinic.premises.models import Resource
from clinic.rules import contact
from clinic.shared.crypto import Sealed, SealedRow
from clinic.shared.database import Base

WAS_MERGED = text("merged_into_id IS NOT NULL")


class Client(Resource):
    """A person who is treated. `*_key` columns are what duplicates are found by; `alike_*` follow from them."""

    __tablename__ = "client"
    id: Mapped[int] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    name_key: Mapped[str] = mapped_column(index=True)  # folded "first last"
    born_on: Mapped[dt.date]
    alike_name: Mapped[str]
    email: Mapped[str | None]
    email_key: Mapped[str | None] = mapped_column(index=True)
    alike_email: Mapped[str | None] = mapped_column(index=True)
    phone: Mapped[str | None]
    phone_key: Mapped[str | None] = mapped_column(index=True)  # E.164
    language: Mapped[str | None]  # of mails; None: nobody has chosen one
    emergency_contact: Mapped[str] = mapped_column(default="")
    guardian_name: Mapped[str] = mapped_column(default="")
    guardian_relation: Mapped[str] = mapped_column(default="")
    guardian_phone: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    is_unproven: Mapped[bool] = mapped_column(default=False)  # typed online by somebody not signed in
    was_proven: Mapped[bool] = mapped_column(default=False)  # before it was joined with a record that waits
    is_barred_online: Mapped[bool] = mapped_column(default=False)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    merged_at: Mapped[dt.datetime | None]
    erased_at: Mapped[dt.datetime | None]  # also of one of whom a law keeps the records
    __mapper_args__ = {"polymorphic_identity": "client"}  # noqa: RUF012
    __table_args__ = (
        Index("ix_client_alike_name_born_on", "alike_name", "born_on"),
        # Not of those who were not merged, nearly everybody: SQLite would leave better ways to find them aside.
        Index(
            "ix_client_merged_into_id", "merged_into_id", sqlite_where=WAS_MERGED, postgresql_where=WAS_MERGED
        ),
        Index(
            "ix_client_was_proven",
            "was_proven",
            sqlite_where=text("was_proven = 1"),
            postgresql_where=text("was_proven"),
        ),
    )

    @validates("name_key")
    def _name_looks_like(self, _name: str, key: str) -> str:
        self.alike_name = contact.alike_name(key)
        return key

    @validates("email_key")
    def _email_looks_like(self, _name: str, key: str | None) -> str | None:
        self.alike_email = contact.alike_email(key)
        return key

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_heard(self) -> bool:
        """Whether what is said for this record counts for those who look like it whenever it is said: a record that
        waits and was joined with theirs makes nobody a stranger."""
        return self.was_proven or not self.is_unproven

    @property
    def is_erased(self) -> bool:
        """Whether they were erased, be it but for what a law keeps: their record takes nothing more."""
        return self.erased_at is not None

    @property
    def is_nameless(self) -> bool:
        """Whether nothing is left of them but a number: everybody else has a name to be found by."""
        return not self.name_key

    def age_on(self, day: dt.date) -> int:
        """Whole years on that day; born on 29 February counts from 1 March in other years."""
        before = (day.month, day.day) < (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - before


class ClientNote(SealedRow, Base):
    """Something staff wrote about a client; `kind` is `note` (staff) or `bar` (only the owner reads it)."""

    __tablename__ = "client_note"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    kind: Mapped[str] = mapped_column(default="note")
    written_at: Mapped[dt.datetime]
    written_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    text_sealed: Mapped[bytes]
    text = Sealed()


class ClientAccess(Base):
    """This account may act for this client: as `self`, `parent`, `partner` or `carer`."""

    __tablename__ = "client_access"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), primary_key=True, index=True)
    relation: Mapped[str]
    since: Mapped[dt.datetime]
    client: Mapped[Client] = relationship()
    user: Mapped[User] = relationship()


class MessageChoice(Base):
    """A client, or somebody of the team, wants a kind of message, or not. No row: as the kind is by itself."""

    __tablename__ = "message_choice"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str]
    is_wanted: Mapped[bool]
    chosen_at: Mapped[dt.datetime]
    __table_args__ = (
        CheckConstraint("(client_id IS NULL) <> (user_id IS NULL)", name="of_one"),
        UniqueConstraint("client_id", "kind"),
        UniqueConstraint("user_id", "kind"),
    )


class NotSamePerson(Base):
    """Staff looked at two look-alike records and found two people: they are not offered as a match again."""

    __tablename__ = "not_same_person"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("client.id"), primary_key=True)
    decided_at: Mapped[dt.datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
