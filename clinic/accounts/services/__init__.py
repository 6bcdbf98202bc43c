"""What people do with accounts. Each function is one deed: it opens its own transaction and writes its trace."""

from __future__ import annotations

from clinic.accounts.services.links import ask_for_link, send_welcome_link, set_password_by_link
from clinic.accounts.services.pins import open_by_pin, remove_pin, set_pin
from clinic.accounts.services.signing_in import (
    change_password,
    choose_language,
    end_session,
    note_activity,
    sign_in,
)
from clinic.accounts.services.team import (
    begin_owner,
    change_member,
    invite,
    lift_lock,
    make_account,
    switch_off,
    switch_on,
)

__all__ = [
    "ask_for_link",
    "begin_owner",
    "change_member",
    "change_password",
    "choose_language",
    "end_session",
    "invite",
    "lift_lock",
    "make_account",
    "note_activity",
    "open_by_pin",
    "remove_pin",
    "send_welcome_link",
    "set_password_by_link",
    "set_pin",
    "sign_in",
    "switch_off",
    "switch_on",
]
