"""A row of the outbox as a mail: plain words and the same as a page, with an identity that never changes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid

from clinic.rules.contact import for_mail_servers
from clinic.shared.mail.models import OutgoingMail
from clinic.shared.mail.texts import as_page, stop_address

LONGEST_LINE = 998  # of a mail, by its standard


@dataclass(frozen=True)
class Letterhead:
    """Who writes: name and address of the clinic, its colour, and its logo as a PNG, JPEG or WebP."""

    name: str
    sender: str
    colour: str = ""
    logo: bytes | None = None
    logo_mime: str = ""


def one_line(text: str) -> str:
    """A header's value: control characters and line breaks become spaces. `=?` would begin an encoded word, which the
    library reads even where somebody typed it as a name: line breaks and whole headers can be written in it."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).replace("=?", "= ?").strip()


def stamp_of(key: str) -> str:
    """What stands for a message's key where other programs read it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class WholeHeaders(EmailPolicy):
    """A header stays one line, as long as lines may be: where the library breaks one before a word with an umlaut, mail
    programs show two spaces there."""

    def fold(self, name: str, value: str) -> str:
        return str(self._whole().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self._whole().fold_binary(name, value)

    def _whole(self) -> EmailPolicy[EmailMessage]:
        return EmailPolicy(max_line_length=LONGEST_LINE, linesep=self.linesep, utf8=self.utf8)


def message_of(row: OutgoingMail, head: Letterhead) -> EmailMessage:
    """The mail. Sent again it is the same one: the Message-ID follows from the row's key."""
    message = EmailMessage(policy=WholeHeaders())
    message["Subject"] = one_line(row.subject)
    sender = for_mail_servers(head.sender)
    message["From"] = Address(one_line(head.name), addr_spec=sender)
    message["To"] = for_mail_servers(row.to)
    message["Date"] = format_datetime(row.due_at)
    domain = sender.rpartition("@")[2]
    message["Message-ID"] = f"<{stamp_of(row.key)}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if row.stop_key:
        message["List-Unsubscribe"] = f"<{stop_address(row.stop_key)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(row.text)
    logo = make_msgid("logo", domain=domain) if head.logo else ""
    page = as_page(row.text, head=head, subject=row.subject, logo=logo.strip("<>"))
    message.add_alternative(page, subtype="html")
    if head.logo:
        parts = message.get_payload()
        kind = head.logo_mime.removeprefix("image/")
        parts[1].add_related(head.logo, "image", kind, cid=logo, disposition="inline")  # type: ignore[index, union-attr]
    return message
