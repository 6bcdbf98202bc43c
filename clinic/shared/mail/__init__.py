"""Outgoing messages: a row in the deed's own transaction, delivered afterwards with a fixed Message-ID.

Texts are templates/mail/<kind>.txt: the first line is the subject. No health word goes in.
"""

from clinic.shared.mail.letters import Letterhead, stamp_of
from clinic.shared.mail.models import WAITS, OutgoingMail, OwnText
from clinic.shared.mail.outbox import About, delete_left_files, drain, drop_mail, known_keys, queue_mail
from clinic.shared.mail.sending import Refused, Senders, delete_files, sender_for, sms_sender_for
from clinic.shared.mail.texts import places_of, standard_text, use_texts, written

__all__ = [
    "WAITS", "About", "Letterhead", "OutgoingMail", "OwnText", "Refused", "Senders", "delete_files",
    "delete_left_files", "drain", "drop_mail", "known_keys", "places_of", "queue_mail", "sender_for",
    "sms_sender_for", "stamp_of", "standard_text", "use_texts", "written",
]  # fmt: skip
