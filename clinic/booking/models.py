"""Visits, what they claim, and the judgement each rests on.

Two promises are kept by the database itself (migrations/versions/0002_add_guards.py): no two claims on one
resource overlap, and a confirmed visit references a screening of this client, this day and this very treatment
that permits it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.catalogue.models import Service, ServiceMode
from clinic.clients.models import Client
from clinic.premises.models import Location, Room
from clinic.rules.visit_status import VisitStatus
from clinic.shared.crypto import BigId, Sealed, SealedRow
from clinic.shared.database import NEVER_TWICE, Base
from clinic.therapists.models import Therapist

NEEDS_PERMIT = "('confirmed', 'arrived', 'in_session', 'done')"
WAITING = "('held', 'pending', 'suspended')"


def rare(table: str, column: str) -> Index:
    """An index of the few rows that have this at all. One of all rows tells SQLite that nothing is found by it, and it
    reads the whole table instead."""
    has_one = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, sqlite_where=has_one, postgresql_where=has_one)


class Screening(SealedRow, Base):
    """One judgement, kept for ever: what was judged, on which answers and rules, and what came out."""

    __tablename__ = "screening"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    judged_key: Mapped[str]  # hash of client, service, mode, add-ons, areas, minutes and day
    day: Mapped[dt.date]
    permits: Mapped[bool]
    service: Mapped[str]
    mode: Mapped[str | None]
    addons: Mapped[list[str]]
    areas: Mapped[list[str]]
    minutes: Mapped[int]
    verdict: Mapped[str]
    outcome: Mapped[str]
    urgency: Mapped[str]
    rules_version: Mapped[str]
    basis: Mapped[
        str | None
    ]  # hash of what was judged by, besides the answers: rules, columns, the gates' settings
    question_version: Mapped[str | None]
    intake_ids: Mapped[list[int]]  # every answers version that was read
    clearance_ids: Mapped[list[int]]  # every clearance that made something weaker
    door: Mapped[str]  # online, desk, move, answers, merge, …
    visit_id: Mapped[int | None] = mapped_column(BigId, index=True)
    judged_at: Mapped[dt.datetime]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    findings_sealed: Mapped[bytes]
    findings = Sealed()
    __table_args__ = (
        UniqueConstraint("id", "client_id", "judged_key", "day", "permits", name="uq_screening_judged"),
        Index("ix_screening_client_id_judged_at", "client_id", "judged_at"),
        Index("ix_screening_judged_at", "judged_at"),
    )


class Series(Base):
    """Visits that were booked together, such as every second Tuesday: each is judged and claimed by itself."""

    __tablename__ = "series"
    id: Mapped[int] = mapped_column(primary_key=True)
    every_weeks: Mapped[int]
    request_key: Mapped[str | None] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    __table_args__ = (CheckConstraint("every_weeks > 0", name="every_weeks"),)


class Couple(Base):
    """Two visits at the same time in one room: both are confirmed or neither. Ended when one of them is over, or
    goes on alone."""

    __tablename__ = "couple"
    id: Mapped[int] = mapped_column(primary_key=True)
    request_key: Mapped[str | None] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]


class Visit(SealedRow, Base):
    """A visit from its hold in the checkout to its end. `minutes` is the treatment that was chosen; the time
    from `starts_at` to `ends_at` is what the client spends, with add-on and first-visit minutes."""

    __tablename__ = "visit"
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    therapist_id: Mapped[int] = mapped_column(ForeignKey("therapist.id"))
    room_id: Mapped[int] = mapped_column(ForeignKey("room.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    mode: Mapped[str | None]
    addons: Mapped[list[str]]
    areas: Mapped[list[str]]
    minutes: Mapped[int]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    free_at: Mapped[dt.datetime]  # end of turnover: therapist, room and devices are claimed until then
    day: Mapped[dt.date]
    local_time: Mapped[dt.time]
    fold: Mapped[int] = mapped_column(default=0)
    zone: Mapped[str]
    status: Mapped[str]
    deadline_at: Mapped[dt.datetime | None]
    hold_until: Mapped[dt.datetime | None]  # a hold is never renewed past this
    waiting_for: Mapped[
        str | None
    ]  # neutral: clearance, consent, intake, review, rules, therapist, another_therapist, partner
    judged_key: Mapped[str | None]
    screening_id: Mapped[int | None] = mapped_column(BigId)
    permits: Mapped[bool | None]
    first_visit: Mapped[bool] = mapped_column(default=False)
    price: Mapped[int]
    currency: Mapped[str]
    source: Mapped[str]  # online, desk, walk_in
    any_therapist: Mapped[bool] = mapped_column(default=True)
    asked_gender: Mapped[str] = mapped_column(default="")
    """Of any therapist only those of this gender, as the client wished; empty: it does not matter."""
    to_reconfirm: Mapped[bool] = mapped_column(default=False)
    """Booked on earlier answers: confirmed only when the person has said since what has changed."""
    request_key: Mapped[str | None] = mapped_column(unique=True)
    request_asked: Mapped[str | None]  # by a program: a hash of what the request of this key asked for
    manage_hash: Mapped[str | None] = mapped_column(unique=True)
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    couple_id: Mapped[int | None] = mapped_column(ForeignKey("couple.id"))
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    revision: Mapped[int] = mapped_column(default=1)  # goes up with every change: two tabs are told apart
    note_sealed: Mapped[bytes | None]
    note = Sealed()
    client: Mapped[Client | None] = relationship(foreign_keys=[client_id])
    therapist: Mapped[Therapist] = relationship(foreign_keys=[therapist_id])
    room: Mapped[Room] = relationship(foreign_keys=[room_id])
    service: Mapped[Service] = relationship()
    location: Mapped[Location] = relationship()
    __table_args__ = (
        ForeignKeyConstraint(
            ["screening_id", "client_id", "judged_key", "day", "permits"],
            [
                "screening.id",
                "screening.client_id",
                "screening.judged_key",
                "screening.day",
                "screening.permits",
            ],
            name="fk_visit_screening",
        ),
        CheckConstraint(
            f"status NOT IN {NEEDS_PERMIT} OR (permits IS TRUE AND screening_id IS NOT NULL"
            " AND client_id IS NOT NULL AND judged_key IS NOT NULL)",
            name="permit",
        ),
        CheckConstraint(f"status NOT IN {WAITING} OR permits IS NULL", name="no_permit_while_waiting"),
        CheckConstraint("status = 'held' OR status = 'released' OR client_id IS NOT NULL", name="client"),
        CheckConstraint(
            "status IN ('" + "', '".join(sorted(status.value for status in VisitStatus)) + "')", name="status"
        ),
        CheckConstraint("ends_at > starts_at AND free_at >= ends_at", name="order"),
        Index("ix_visit_location_id_starts_at", "location_id", "starts_at"),
        Index("ix_visit_location_id_day_starts_at", "location_id", "day", "starts_at"),
        Index("ix_visit_day_starts_at", "day", "starts_at"),
        Index("ix_visit_location_id_created_at", "location_id", "created_at"),
        Index("ix_visit_therapist_id_starts_at", "therapist_id", "starts_at"),
        Index("ix_visit_client_id_starts_at", "client_id", "starts_at"),
        Index("ix_visit_status_deadline_at", "status", "deadline_at"),
        rare("visit", "series_id"),
        rare("visit", "couple_id"),
    )

    @property
    def is_waiting(self) -> bool:
        return self.status in ("pending", "suspended")

    @property
    def way(self) -> Service | ServiceMode:
        """The mode in which it is given, with its own kit and skills; else the service's ordinary way."""
        return next((one for one in self.service.modes if one.key == self.mode), self.service)

    @property
    def whole_minutes(self) -> int:
        """From start to end: what was booked, with add-ons and what a first visit takes."""
        return round((self.ends_at - self.starts_at).total_seconds() / 60)


class Claim(Base):
    """This resource is taken from `starts_at` to `ends_at`, turnover included: by a visit, by a couple (the room that
    two visits share), or (neither) by time off or a closure. `expires_at`: a hold's; once past, the claim gives way
    to the next that asks."""

    __tablename__ = "claim"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)
    couple_id: Mapped[int | None] = mapped_column(ForeignKey("couple.id"))
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        CheckConstraint("visit_id IS NULL OR couple_id IS NULL", name="owner"),
        rare("claim", "couple_id"),
        # every column that free times ask for: they are read from the index alone, which has start and end as one
        # number as well (migrations 0037 and 0038)
        Index("ix_claim_read_alone", "resource_id", "ends_at", "starts_at", "expires_at", "visit_id"),
    )


class ClaimHistory(Base):
    """A claim that lies in the past, moved here so that the table of claims stays small. Never edited."""

    __tablename__ = "claim_history"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource_id: Mapped[
        int
    ]  # no index: SQLite took it for the guard of claims, who then read years of a room
    visit_id: Mapped[int | None] = mapped_column(BigId, index=True)
    couple_id: Mapped[int | None]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    __table_args__ = (rare("claim_history", "couple_id"),)


class StatusChange(Base):
    """The life of a visit, one row a step, never edited."""

    __tablename__ = "status_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    status: Mapped[str]
    at: Mapped[dt.datetime]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reason: Mapped[str] = mapped_column(default="")  # neutral words, never a health detail


class RestPass(SealedRow, Base):
    """A visit was booked or moved sooner than the rules of rest advise: by whom, what they were told, and why. One row
    each time, never edited; it is about the visit at this start. `reason` is None where another program booked."""

    __tablename__ = "rest_pass"
    about = "visit_id"
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    starts_at: Mapped[dt.datetime]
    passed: Mapped[list[str]]  # the rules, in the words of that day
    passed_at: Mapped[dt.datetime]
    passed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # None: a program
    reason_sealed: Mapped[bytes | None]
    reason = Sealed()


class Checkout(SealedRow, Base):
    """What somebody is booking, kept on the server from step to step so that nothing typed is lost.

    `choice` is the plain order; `details` who they said they are. Found by a token in the browser's session.
    """

    __tablename__ = "checkout"
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime] = mapped_column(index=True)
    choice: Mapped[dict[str, Any]]
    keeper_hash: Mapped[str] = mapped_column(default="", index=True)  # of the account, or else of the address
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    finished_at: Mapped[dt.datetime | None]
    details_sealed: Mapped[bytes | None]
    details = Sealed()
    __table_args__ = (rare("checkout", "client_id"), rare("checkout", "visit_id"))


class OpenQuestion(Base):
    """What was typed for this record, and looked at by nobody, may concern whoever this visit is for: another name was
    typed for it first. Their visits wait for somebody with clinical review, and the record is kept, until all of them
    are over."""

    __tablename__ = "open_question"
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), primary_key=True, index=True)


class CheckinLink(Base):
    """A mailed way to the check-in of one visit, without an account; it ends when the visit starts."""

    __tablename__ = "checkin_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    __table_args__ = (UniqueConstraint("visit_id", "expires_at"),)


class CallRequest(Base):
    """Somebody is to be called. `about` is neutral: they asked about a booking, letter, visit; or news of a visit,
    or a new phone number to save."""

    __tablename__ = "call_request"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("client.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    phone: Mapped[str]
    about: Mapped[str]
    asked_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    client: Mapped[Client | None] = relationship()
    visit: Mapped[Visit | None] = relationship()
    __table_args__ = (
        rare("call_request", "client_id"),
        rare("call_request", "visit_id"),
        Index(
            "ix_call_request_open",
            "asked_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        NEVER_TWICE,
    )


class WaitlistWish(Base):
    """Somebody on the waitlist: what they would like, when they could come, and since when. Never edited but to end it.

    `ended_as` is booked, withdrawn or over (its last day has passed).
    """

    __tablename__ = "waitlist_wish"
    id: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    therapist_id: Mapped[int | None] = mapped_column(ForeignKey("therapist.id"))  # None: any
    asked_gender: Mapped[str] = mapped_column(default="")  # of the therapist; empty: any
    mode: Mapped[str | None]
    addons: Mapped[list[str]]
    areas: Mapped[list[str]]
    minutes: Mapped[int]
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    weekdays: Mapped[list[int]]
    parts: Mapped[list[str]]
    notice_hours: Mapped[int]
    source: Mapped[str]  # online, desk, api
    key_hash: Mapped[str | None] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    ended_as: Mapped[str | None]
    location: Mapped[Location] = relationship()
    client: Mapped[Client] = relationship()
    service: Mapped[Service] = relationship()
    therapist: Mapped[Therapist | None] = relationship()
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="order"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
        Index("ix_waitlist_wish_ended_at_made_at", "ended_at", "made_at"),
        NEVER_TWICE,
    )


OPEN = text("ended_at IS NULL")


class Offer(Base):
    """A time that is kept for somebody until they have said yes or no: `visit` holds it.

    `kind` wish: from the waitlist. move: another time for the visit `instead_of`, which stays until the answer is yes.
    given: `visit` is booked and was given to another therapist; no answer means yes. `ended_as` is accepted, declined,
    expired, withdrawn, set_aside (by the desk, for somebody else), blocked (its therapist is off, or it is shut) or
    not_possible (the gate, when it was accepted).
    """

    __tablename__ = "offer"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    wish_id: Mapped[int | None] = mapped_column(ForeignKey("waitlist_wish.id"), index=True)
    instead_of_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    ended_as: Mapped[str | None]
    wish: Mapped[WaitlistWish | None] = relationship()
    visit: Mapped[Visit] = relationship(foreign_keys=[visit_id])
    instead_of: Mapped[Visit | None] = relationship(foreign_keys=[instead_of_id])
    __table_args__ = (
        CheckConstraint(
            "(kind = 'wish') = (wish_id IS NOT NULL) AND (kind = 'move') = (instead_of_id IS NOT NULL)"
            " AND kind IN ('wish', 'move', 'given')",
            name="kind",
        ),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
        Index("ix_offer_ended_at_expires_at", "ended_at", "expires_at"),
        # One open offer for each wish, each kept time, and each visit that is to be moved.
        Index("uq_offer_open_wish", "wish_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("uq_offer_open_visit", "visit_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("uq_offer_open_move", "instead_of_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )


class CalendarFeed(Base):
    """A private address under which a calendar program reads visits, without an account: of one therapist, or of the
    people that one account acts for. Kept hashed; whoever has the address can read until it is ended."""

    __tablename__ = "calendar_feed"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    therapist_id: Mapped[int | None] = mapped_column(ForeignKey("therapist.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    __table_args__ = (CheckConstraint("(therapist_id IS NULL) <> (user_id IS NULL)", name="of_one"),)
