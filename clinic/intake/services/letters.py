"""Letters of clinicians on their way in: asked for, sent, kept sealed. None of it changes a judgement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from clinic.clients.steps import speaking_to
from clinic.intake.models import ClearanceDocument, ClearanceLetter
from clinic.intake.queries import clearances as queries
from clinic.intake.services._locked import client_who_stands
from clinic.premises import queries as premises
from clinic.rules.errors import InvalidInput
from clinic.rules.language import N_, _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.file_kinds import kind_of
from clinic.shared.mail import queue_mail

MOST_FILES = 5
MOST_BYTES = 10 * 1024 * 1024
MOST_WAITING = 5
WRONG_KIND = N_(
    "Send a PDF or a photo (JPEG, PNG or HEIC). A PDF that holds a program or other files cannot be taken."
)
TOO_LARGE = N_("All pages together may have at most 10 MB. Send fewer pages, or smaller photos.")


@tried_again
def send_letter(
    client_id: int, files: Sequence[bytes], *, source: str, by: int | None, now: dt.datetime
) -> int:
    """Keep the pages of a letter, sealed, for somebody with clinical review to look at; returns the letter's id.

    It changes no judgement. The very same pages sent again while nobody has looked at them are one letter. Raises
    InvalidInput for no file, a wrong or broken one, too many or too large ones. Only a letter that staff have read on
    paper (`review`) may have no pages.
    """
    kinds = _checked(files, needed=source != "review")
    with transaction() as session:
        client = client_who_stands(session, client_id)
        there = queries.waiting_with(client.id, files) if files else None
        if there is not None:
            return there
        waiting, size = queries.pending_size(client.id)
        if waiting >= MOST_WAITING:
            raise InvalidInput("pages", _("We have several letters of yours already. We look at them first."))
        if size + sum(len(one) for one in files) > MOST_BYTES:
            raise InvalidInput("pages", TOO_LARGE)
        letter = ClearanceLetter(client_id=client.id, sent_at=now, sent_by_id=by, source=source)
        session.add(letter)
        session.flush()
        for position, (kind, content) in enumerate(zip(kinds, files, strict=True), start=1):
            page = ClearanceDocument(letter_id=letter.id, position=position, kind=kind, size=len(content))
            page.content = content
            session.add(page)
        leave_trace(
            session, "letter.sent", "client", client.id, by=by, now=now, source=source, pages=len(files)
        )
        return letter.id


def _checked(files: Sequence[bytes], *, needed: bool) -> list[str]:
    if needed and not files:
        raise InvalidInput("pages", _("Choose the letter: a PDF, or a photo of each page."))
    if len(files) > MOST_FILES:
        raise InvalidInput("pages", _("Send at most %(most_files)s files at once.", most_files=MOST_FILES))
    if sum(len(one) for one in files) > MOST_BYTES:
        raise InvalidInput("pages", TOO_LARGE)
    if not all(files):
        raise InvalidInput("pages", _("There is nothing in this file. Choose it again, or take a new photo."))
    kinds = [kind_of(one) for one in files]
    if None in kinds:
        raise InvalidInput("pages", WRONG_KIND)
    return [one for one in kinds if one is not None]


@tried_again
def ask_for_letter(client_id: int, *, by: int, now: dt.datetime) -> None:
    """Mail the client that a paper is needed: no reason, a link to sign in; once a day at most. Raises InvalidInput
    without an e-mail address."""
    with transaction() as session:
        client = client_who_stands(session, client_id)
        facts = premises.clinic_facts()
        if not client.email or facts is None:
            raise InvalidInput("email", _("There is no e-mail address on the client’s card."))
        with speaking_to(client):
            queue_mail(
                session, "papers_needed", client.email, key=f"papers_needed:{client.id}:{now.date()}", now=now,
                name=client.first_name, clinic=facts.name, phone=facts.phone,
            )  # fmt: skip
        leave_trace(session, "letter.asked", "client", client.id, by=by, now=now)


@tried_again
def note_look(client_id: int, *, by: int | None, now: dt.datetime) -> None:
    """Record that somebody opened a letter or a page of it."""
    with transaction() as session:
        leave_trace(session, "letter.read", "client", client_id, by=by, now=now)
