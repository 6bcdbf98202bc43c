"""What a client answered: append-only versions, sealed; consents; the stop after a warning sign; clearances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.shared.crypto import BigId, Sealed, SealedBytes, SealedRow
from clinic.shared.database import Base


class Intake(SealedRow, Base):
    """One signed version of a client's answers. Rows are added, never edited (the database refuses it).

    `kind` is `full`, `confirm` (still right) or `checkin`. `completed_on` is the day of the last full intake
    that these answers rest on, in the clinic's zone. `answers` is a mapping as rules/screening.py reads it.
    """

    __tablename__ = "intake"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    version: Mapped[int]
    kind: Mapped[str]
    question_version: Mapped[str]
    shown_version: Mapped[str | None]
    """The wording that was shown, where it was a translation; it is kept beside the English one."""
    shown_in: Mapped[str | None]  # its language, such as de
    completed_on: Mapped[dt.date]
    answered_on: Mapped[dt.date]
    signed_at: Mapped[dt.datetime]
    source: Mapped[str]  # online, desk, tablet or paper
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    renewal: Mapped[bool] = mapped_column(default=False)
    """Something big happened (an operation, a stay in hospital, …): only a new full intake holds from here on."""
    softens: Mapped[bool]  # an earlier answer was taken back or weakened: both count until it is reviewed
    answers_sealed: Mapped[bytes]
    signature_sealed: Mapped[bytes]
    asked_sealed: Mapped[bytes | None]
    answers = Sealed()
    signature = Sealed()  # {"name", "relation", "points" or null}
    asked = Sealed()
    """The conditions that a check-in asked about, which follow from what the person had declared; None for the whole
    form, and where it was not kept."""
    __table_args__ = (
        UniqueConstraint("client_id", "version"),
        Index(
            "ix_intake_softens",
            "signed_at",
            sqlite_where=text("softens = 1"),
            postgresql_where=text("softens"),
        ),
    )


class QuestionSet(Base):
    """The wording of one version of the questions, written when it is first answered; a later program may ask
    otherwise. Never edited, never deleted (the database refuses both)."""

    __tablename__ = "question_set"
    version: Mapped[str] = mapped_column(primary_key=True)
    kept_at: Mapped[dt.datetime]
    wording: Mapped[dict[str, Any]]  # as rules/question_set.py makes it


class SoftenedReview(SealedRow, Base):
    """Somebody with clinical review looked at a weakened answer: accepted, it stands alone from then on."""

    __tablename__ = "softened_review"
    about = "intake_id"
    intake_id: Mapped[int] = mapped_column(ForeignKey("intake.id"), unique=True)
    accepted: Mapped[bool]
    decided_at: Mapped[dt.datetime]
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    note_sealed: Mapped[bytes]
    note = Sealed()


HALF_TYPED = "half_typed"
"""Beside the conditions in a draft's answers; no condition is called so."""
SIGNING = "s."
"""How names of what was typed to sign begin there; those of questions begin with c. and f."""


class IntakeDraft(SealedRow, Base):
    """Answers being typed, kept on every page so that nothing is lost. One for each client and writer."""

    __tablename__ = "intake_draft"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"))
    writer: Mapped[str]  # "client", "tablet", "user:<id>" or rules/check_in.BEGUN
    kind: Mapped[str]
    updated_at: Mapped[dt.datetime]
    answers_sealed: Mapped[bytes]
    answers = Sealed()  # with HALF_TYPED beside the answers, where there is any
    __table_args__ = (UniqueConstraint("client_id", "writer"),)

    @property
    def answered(self) -> dict[str, Any]:
        """The answers that are whole, as rules/screening.py reads them."""
        return {key: value for key, value in self.answers.items() if key != HALF_TYPED}

    @property
    def half_typed(self) -> dict[str, list[str]]:
        """What was typed under questions that have no answer yet, by form name."""
        found: dict[str, list[str]] = self.answers.get(HALF_TYPED, {})
        return found

    def write(self, answered: Mapping[str, Any], half_typed: Mapping[str, list[str]]) -> None:
        """Keep these in place of what was typed before."""
        self.answers = {**answered, **({HALF_TYPED: dict(half_typed)} if half_typed else {})}

    @property
    def half_answered(self) -> dict[str, list[str]]:
        """The same without what was ticked and written to sign."""
        return {name: typed for name, typed in self.half_typed.items() if not name.startswith(SIGNING)}

    @property
    def signing(self) -> dict[str, list[str]]:
        """What was ticked and written to sign, by field."""
        return {
            name.removeprefix(SIGNING): typed
            for name, typed in self.half_typed.items()
            if name.startswith(SIGNING)
        }


OWN_CONSENTS = "treatment", "privacy"
"""What everybody who signs the health questions agrees to."""


class Consent(SealedRow, Base):
    """One dated consent (`treatment`, `privacy`, `guardian`); withdrawn, it stays as a fact of the past.

    For a guardian's consent `detail` holds {"name", "relation", "services", "will_be_in_room"}.
    """

    __tablename__ = "consent"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    kind: Mapped[str]
    text_version: Mapped[str]
    given_at: Mapped[dt.datetime]
    given_on: Mapped[dt.date]
    withdrawn_at: Mapped[dt.datetime | None]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    detail_sealed: Mapped[bytes]
    detail = Sealed()


class HealthStop(SealedRow, Base):
    """A warning sign was declared: nothing can be booked for this person while it holds.

    `needs` is `review` (somebody with clinical review records how it ended, and a new intake is signed after
    that) or `new_answer` (a new intake signed on a later day: fever, a catching illness, alcohol).
    """

    __tablename__ = "health_stop"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    raised_at: Mapped[dt.datetime]
    raised_on: Mapped[dt.date]  # the clinic's day
    question_version: Mapped[str | None]  # None: declared before it was kept
    needs: Mapped[str]
    urgency: Mapped[str]
    source: Mapped[str]
    ended_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ending: Mapped[str | None]  # assessed or entered_in_error
    answers_sealed: Mapped[bytes]
    note_sealed: Mapped[bytes | None]
    answers = Sealed()
    note = Sealed()  # who assessed it, on which day; or why it was an error


class AnswersOpening(SealedRow, Base):
    """Somebody who does not treat this client opened the answers, with a reason: for a quarter of an hour."""

    __tablename__ = "answers_opening"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    opened_at: Mapped[dt.datetime] = mapped_column(index=True)
    ends_at: Mapped[dt.datetime]
    reason_sealed: Mapped[bytes]
    reason = Sealed()  # what somebody writes in a hurry may name an illness


class TabletPass(Base):
    """Staff handed the tablet over: one client's intake and nothing else, until it is signed, left alone, or it runs
    out. The device stays locked after that until whoever handed it over takes it back."""

    __tablename__ = "tablet_pass"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    signed_in_at: Mapped[dt.datetime | None]  # with the password: a PIN lasts as long as that would have
    seen_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class ClearanceLetter(SealedRow, Base):
    """What a clinician wrote, as it came in: waiting until somebody with clinical review has decided, once.

    Waiting or refused it changes nothing. `source` is client, desk or review (read on paper, nothing uploaded);
    `decision` is verified or refused; `note` the reason of a refusal.
    """

    __tablename__ = "clearance_letter"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    sent_at: Mapped[dt.datetime]
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    source: Mapped[str]
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decision: Mapped[str | None]
    note_sealed: Mapped[bytes | None]
    note = Sealed()

    @property
    def state(self) -> str:
        return self.decision or "pending"


class ClearanceDocument(SealedRow, Base):
    """One page or file of a letter. Its name is not kept: `kind` (pdf, jpeg, png, heic) is what it really is."""

    __tablename__ = "clearance_document"
    about = "letter_id"
    letter_id: Mapped[int] = mapped_column(ForeignKey("clearance_letter.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str]
    size: Mapped[int]
    content_sealed: Mapped[bytes] = mapped_column(deferred=True, info={"is_file": True})
    content = SealedBytes()


class Clearance(SealedRow, Base):
    """What was verified from a letter about one condition; never edited, at most withdrawn, once.

    `statement` holds {"condition", "services", "modes", "areas", "limits", "clinician", "role",
    "register_number", "contact", "how"}; `lapses_on` is the first day on which it is too late; `intake_id` the
    answers that were read beside it.
    """

    __tablename__ = "clearance"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("clearance_letter.id"), index=True)
    intake_id: Mapped[int] = mapped_column(ForeignKey("intake.id"))
    issued_on: Mapped[dt.date]
    ends_on: Mapped[dt.date | None]
    lapses_on: Mapped[dt.date] = mapped_column(index=True)
    verified_at: Mapped[dt.datetime]
    verified_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    statement_sealed: Mapped[bytes]
    withdrawal_sealed: Mapped[bytes | None]
    statement = Sealed()
    withdrawal = Sealed()


class BadReaction(SealedRow, Base):
    """Something went wrong during or after a treatment. Rows are added, never edited (the database refuses it).

    It ends every clearance from before it, and only a whole new intake holds from then on. `visit_id` is a number
    alone: visits lie in a folder above this one.
    """

    __tablename__ = "bad_reaction"
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(BigId, index=True)
    happened_on: Mapped[dt.date]
    recorded_at: Mapped[dt.datetime]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    what_happened_sealed: Mapped[bytes]
    what_happened = Sealed()
