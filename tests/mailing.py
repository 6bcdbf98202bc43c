"""Sending in tests: what would have left, without a mail server."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from typing import Any

from clinic.booking.services import sending
from clinic.shared import mail

HEAD = mail.Letterhead("Still Waters", "hello@stillwaters.example")


def sent_at(now: dt.datetime, *, texts: list[tuple[str, str]] | None = None) -> list[EmailMessage]:
    """Write what is due at this moment and send all that waits. `texts` takes what leaves by SMS."""
    letters: list[EmailMessage] = []
    sms = None if texts is None else lambda to, text: texts.append((to, text))
    sending.write_due(now, by_sms=texts is not None)
    mail.drain(
        mail.Senders(letters.append, sms), lambda: HEAD, now,
        is_wanted=lambda session, row: sending.is_wanted(session, row, now),
    )  # fmt: skip
    return letters


def words_of(message: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail, or its page."""
    part: Any = message.get_body((kind,))
    return str(part.get_content())
