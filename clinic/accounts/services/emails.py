"""Going by another e-mail address: it counts when the link that was mailed to it is used."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.exc import IntegrityError

from clinic.accounts import queries, steps, tries
from clinic.accounts.models import User
from clinic.accounts.notices import Notice, tell
from clinic.accounts.services.links import live_link, use_link
from clinic.accounts.tries import Origin
from clinic.rules.contact import email_key
from clinic.rules.errors import InvalidInput, RuleViolation
from clinic.rules.language import N_, _
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.mail import queue_mail


class EmailTaken(RuleViolation):
    """Said only to whoever reads the mails of that address."""

    default_sentence = N_(
        "Another account has this e-mail address already. Sign in with it, or call the clinic."
    )


@tried_again
def ask_for_new_email(user_id: int, session_id: int, email: str, *, origin: Origin, now: dt.datetime) -> None:
    """Mail a link to the new address, whether or not it has an account: only its reader learns that.

    Raises InvalidInput for `email`, TooManyTries, or SignedOut.
    """
    key = email_key(email)
    with transaction() as session:
        email_now = session.get_one(User, user_id).email
        if key is None or key == email_now:
            raise InvalidInput("email", _("Please write another e-mail address than the one you have now."))
        limits = [origin.of_account(tries.LINK_ACCOUNT, email_now), origin.of_address(tries.LINK_ADDRESS)]
        tries.count(session, limits, now)
        user = steps.own_account(session, user_id, session_id)  # after the counts, as whoever asks for a link
        token = steps.new_link(session, user, "email", now, new_email=key)
        queue_mail(
            session,
            "email_confirm",
            key,
            key=f"email:{user_id}:{queries.hash_of(token)}",
            now=now,
            language=user.language,
            name=user.name,
            token=token,
        )
        leave_trace(session, "new_email_asked", "user", user_id, by=user_id, now=now)


def confirm_email(token: str, *, origin: Origin, now: dt.datetime) -> None:
    """The account goes by its new address: signed out everywhere, with a notice to both addresses.

    Raises DeadLink, EmailTaken, or TooManyTries after many dead links.
    """
    link = live_link(token, {"email"}, origin=origin, now=now)
    try:
        _confirm(link, now)
    except (
        IntegrityError
    ) as error:  # out here, where the transaction is over: a refusal is said in a language
        raise EmailTaken from error


@tried_again
def _confirm(link: queries.LiveLink, now: dt.datetime) -> None:
    with transaction() as session:
        user = use_link(session, link, now)
        before, user.email = user.email, link.new_email or user.email
        session.flush()
        steps.end_sessions(session, user.id, now)
        steps.end_links(session, user.id, now)
        for address in (before, user.email):
            tell(session, Notice.EMAIL_CHANGED, user, now=now, to=address, new_email=user.email)
        leave_trace(session, "email_changed", "user", user.id, by=user.id, now=now)
