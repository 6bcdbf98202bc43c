"""Outgoing mail: a row in the deed's own transaction, delivered afterwards with a fixed Message-ID.

Texts are templates/mail/<name>.txt: the first line is the subject. No health word goes in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import smtplib
from collections.abc import Callable, Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic.rules.language import ENGLISH
from clinic.shared.database import Base, transaction
from clinic.shared.languages import speaking, teach

log = structlog.get_logger()

LEASE = dt.timedelta(minutes=5)
BACK_OFF_MINUTES = (1, 5, 15, 60, 120, 240)


class OutgoingMail(Base):
    """One mail to send. `key` is unique, so that a deed done twice sends once."""

    __tablename__ = "outgoing_mail"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    due_at: Mapped[dt.datetime] = mapped_column(index=True)
    lease_until: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[dt.datetime | None]


class _Texts:
    environment: Environment | None = None


def use_texts(folder: Path, **known: object) -> None:
    """Where the mail templates lie, and what every one of them knows (`public_url`, for links)."""
    # S701: plain text, nothing to escape.
    _Texts.environment = Environment(  # noqa: S701
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    _Texts.environment.globals.update(known)
    teach(_Texts.environment)


def one_line(text: str) -> str:
    """A header's value: control characters and line breaks become spaces."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).strip()


def queue_mail(
    session: Session,
    template: str,
    to: str | None,
    *,
    key: str,
    now: dt.datetime,
    language: str = ENGLISH,
    not_before: dt.datetime | None = None,
    **values: object,
) -> None:
    """Write the mail into the caller's transaction; nothing happens without an address or when `key` exists.

    `not_before`: it is kept until then, and may be dropped again.
    """
    if not to or session.scalar(select(OutgoingMail.id).where(OutgoingMail.key == key)) is not None:
        return
    if _Texts.environment is None:
        raise RuntimeError("mail templates are not set")
    with speaking(language):
        rendered = _Texts.environment.get_template(f"{template}.txt").render(**values)
    subject, _, text = rendered.partition("\n")
    session.add(
        OutgoingMail(
            key=key, to=one_line(to), subject=one_line(subject), text=text.strip() + "\n",
            due_at=not_before or now,
        )
    )  # fmt: skip


def drop_mail(session: Session, key: str) -> bool:
    """Take back a mail that has not left yet; returns whether it had not. One on its way is not stopped."""
    gone = delete(OutgoingMail).where(
        OutgoingMail.key == key, OutgoingMail.sent_at.is_(None), OutgoingMail.lease_until.is_(None)
    )
    return session.execute(gone.returning(OutgoingMail.id)).first() is not None


Send = Callable[[EmailMessage], None]


def sender_for(url: str | None, folder: Path) -> Send:
    """`smtp://user:password@host:port` or `smtps://…` sends; without a URL mails become files in `folder`."""
    return _smtp(url) if url else _to_folder(folder)


def _smtp(url: str) -> Send:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("CLINIC_MAIL_URL must look like smtp://user:password@host:587")
    host, secure = parts.hostname, parts.scheme == "smtps"
    port = parts.port or (465 if secure else 587)

    def send(message: EmailMessage) -> None:
        server = (smtplib.SMTP_SSL if secure else smtplib.SMTP)(host, port, timeout=20)
        with server:
            if not secure and server.has_extn("starttls"):
                server.starttls()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)

    return send


def _to_folder(folder: Path) -> Send:
    def send(message: EmailMessage) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = re.sub(r"[^a-z0-9]+", "-", str(message["Subject"]).lower()).strip("-")[:40]
        stamp = str(message["Message-ID"]).strip("<>").split("@")[0]
        (folder / f"{name}-{stamp}.eml").write_bytes(message.as_bytes())

    return send


def stamp_of(key: str) -> str:
    """What stands for a mail's key where other programs read it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def delete_files(keys: Iterable[str], folder: Path) -> None:
    """Delete the files that these mails became, where no server sends them."""
    stamps = {stamp_of(key) for key in keys}
    for path in folder.glob("*.eml") if stamps else ():
        if path.stem.rpartition("-")[2] in stamps:
            path.unlink(missing_ok=True)


def _message(row: OutgoingMail, sender_name: str, sender_address: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = row.subject
    message["From"] = Address(one_line(sender_name), addr_spec=sender_address)
    message["To"] = row.to
    message["Date"] = format_datetime(row.due_at)
    domain = sender_address.rpartition("@")[2]
    message["Message-ID"] = f"<{stamp_of(row.key)}@{domain}>"
    message.set_content(row.text)
    return message


def drain(send: Send, sender: Callable[[], tuple[str, str]], now: dt.datetime) -> int:
    """Send what is due; returns how many went out. Safe to run in several processes: a row is leased first."""
    sent = 0
    for mail_id in _due(now):
        row = _lease(mail_id, now)
        if row is None:
            continue
        try:
            send(_message(row, *sender()))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            log.warning("mail_not_sent", mail=mail_id, reason=type(error).__name__)
            _put_back(mail_id, now)
            continue
        _mark_sent(mail_id, now)
        sent += 1
    return sent


def _due(now: dt.datetime) -> list[int]:
    with transaction() as session:
        free = or_(OutgoingMail.lease_until.is_(None), OutgoingMail.lease_until < now)
        waiting = select(OutgoingMail.id).where(
            OutgoingMail.sent_at.is_(None), OutgoingMail.due_at <= now, free
        )
        return list(session.scalars(waiting.order_by(OutgoingMail.due_at, OutgoingMail.id).limit(100)))


def _lease(mail_id: int, now: dt.datetime) -> OutgoingMail | None:
    with transaction() as session:
        row = session.get(OutgoingMail, mail_id, with_for_update=True)
        if row is None or row.sent_at or (row.lease_until and row.lease_until >= now):
            return None
        row.lease_until = now + LEASE
        row.attempts += 1
        session.flush()
        session.refresh(row)
        session.expunge(row)
        return row


def _put_back(mail_id: int, now: dt.datetime) -> None:
    with transaction() as session:
        row = session.get_one(OutgoingMail, mail_id)
        wait = BACK_OFF_MINUTES[min(row.attempts, len(BACK_OFF_MINUTES)) - 1]
        row.lease_until, row.due_at = None, now + dt.timedelta(minutes=wait)


def _mark_sent(mail_id: int, now: dt.datetime) -> None:
    with transaction() as session:
        row = session.get_one(OutgoingMail, mail_id)
        row.sent_at, row.lease_until = now, None
        row.text = ""  # it may carry the key of a link, which is kept nowhere but in the person's mailbox
