"""What people do with accounts. Each function is one deed: it opens its own transaction and writes its trace."""

from __future__ import annotations

from clinic.accounts.services.emails import ask_for_new_email, confirm_email
from clinic.accounts.services.factors import (
    add_passkey,
    begin_app,
    confirm_app,
    passkey_to_make,
    remove_app,
    remove_passkey,
    rename_passkey,
    renew_codes,
    reset_factors,
    unlock,
)
from clinic.accounts.services.links import DeadLink, ask_for_link, send_welcome_link, set_password_by_link
from clinic.accounts.services.locking import lock_screen, reopen_screen
from clinic.accounts.services.mailed_sign_in import sign_in_by_link
from clinic.accounts.services.pins import open_by_pin, remove_pin, set_pin
from clinic.accounts.services.second_step import (
    challenge_for,
    finish_sign_in,
    prove_by_factor,
    prove_by_password,
    sign_in_by_passkey,
)
from clinic.accounts.services.signing_in import (
    change_password,
    choose_language,
    end_other_sessions,
    end_session,
    note_activity,
    sign_in,
    sign_out_everybody,
)
from clinic.accounts.services.team import (
    begin_owner,
    change_member,
    invite,
    lift_lock,
    mark_of_rights,
    switch_off,
    switch_on,
)

__all__ = [
    "DeadLink",
    "add_passkey",
    "ask_for_link",
    "ask_for_new_email",
    "begin_app",
    "begin_owner",
    "challenge_for",
    "change_member",
    "change_password",
    "choose_language",
    "confirm_app",
    "confirm_email",
    "end_other_sessions",
    "end_session",
    "finish_sign_in",
    "invite",
    "lift_lock",
    "lock_screen",
    "mark_of_rights",
    "note_activity",
    "open_by_pin",
    "passkey_to_make",
    "prove_by_factor",
    "prove_by_password",
    "remove_app",
    "remove_passkey",
    "remove_pin",
    "rename_passkey",
    "renew_codes",
    "reopen_screen",
    "reset_factors",
    "send_welcome_link",
    "set_password_by_link",
    "set_pin",
    "sign_in",
    "sign_in_by_link",
    "sign_in_by_passkey",
    "sign_out_everybody",
    "switch_off",
    "switch_on",
    "unlock",
]
