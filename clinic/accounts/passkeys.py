"""Passkeys: what a browser is asked to make or to sign, and whether what comes back is right.

py_webauthn does the checking; it takes a third of a second to import, so that happens where it is first needed.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.accounts.models import Passkey, PasskeyChallenge, User
from clinic.accounts.steps import new_token
from clinic.rules.errors import RuleViolation
from clinic.rules.language import N_

log = structlog.get_logger()

CHALLENGE_LASTS = dt.timedelta(minutes=5)
MOST = 10  # of one account


class WrongPasskey(RuleViolation):
    """What came back was not signed by a passkey of this account, or not for this page and moment."""

    default_sentence = N_("This passkey did not work here. Try again, or use another way.")


@dataclass(frozen=True)
class Site:
    """The address of the clinic, to which browsers bind a passkey, and what it is called."""

    public_url: str
    name: str

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or ""

    @property
    def origin(self) -> str:
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def has_passkeys(self) -> bool:
        """Browsers bind passkeys to a name: at an address of numbers there are none."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return True
        return False


@dataclass(frozen=True)
class Signed:
    """What a browser sent back for a challenge, as the text that it sent."""

    text: str
    challenge: str
    site: Site


def new_challenge(session: Session, now: dt.datetime) -> str:
    """Something to sign that nobody could know before; what is too old goes."""
    session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.made_at < now - CHALLENGE_LASTS))
    row = PasskeyChallenge(challenge=new_token(), made_at=now)
    session.add(row)
    return row.challenge


def use_up(session: Session, challenge: str, now: dt.datetime) -> None:
    """Each challenge serves once, whatever becomes of it. Raises WrongPasskey for one that is used or too old."""
    gone = delete(PasskeyChallenge).where(
        PasskeyChallenge.challenge == challenge, PasskeyChallenge.made_at >= now - CHALLENGE_LASTS
    )
    if session.scalar(gone.returning(PasskeyChallenge.challenge)) is None:
        raise WrongPasskey


def to_make(session: Session, user: User, challenge: str, site: Site) -> str:
    """What the browser needs to make a passkey, as JSON: one that is found without a name, behind a PIN or finger."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name or "Clinic",
        user_id=_handle(user.id),
        user_name=user.email,
        user_display_name=user.name,
        challenge=_bytes(challenge),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_known(session, user.id),
    )
    return options_to_json(options)


def to_sign(session: Session, user_id: int | None, challenge: str, site: Site) -> str:
    """What the browser needs to sign, as JSON; without a user any passkey of this site will do."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=site.host,
        challenge=_bytes(challenge),
        allow_credentials=_known(session, user_id) if user_id is not None else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add(session: Session, user_id: int, signed: Signed, name: str, now: dt.datetime) -> Passkey:
    """Keep the public half of a new passkey. Raises WrongPasskey."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        made = verify_registration_response(
            credential=signed.text,
            expected_challenge=_bytes(signed.challenge),
            expected_rp_id=signed.site.host,
            expected_origin=signed.site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        log.warning("passkey_refused", reason=type(error).__name__)
        raise WrongPasskey from error
    taken = session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id))
    if taken is not None or len(_known(session, user_id)) >= MOST:
        raise WrongPasskey
    row = Passkey(
        user_id=user_id, credential_id=made.credential_id, public_key=made.credential_public_key,
        sign_count=made.sign_count, name=name, made_at=now,
    )  # fmt: skip
    session.add(row)
    return row


def owner_of(session: Session, signed: Signed) -> int:
    """Whose passkey it claims to be; nothing is proven yet. Raises WrongPasskey."""
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        claimed = parse_authentication_credential_json(signed.text).raw_id
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        raise WrongPasskey from error
    user_id = session.scalar(select(Passkey.user_id).where(Passkey.credential_id == claimed))
    if user_id is None:
        raise WrongPasskey
    return user_id


def check(session: Session, signed: Signed, now: dt.datetime, *, user_id: int) -> None:
    """Whether a passkey of this account signed the challenge, here, with its owner's PIN or finger, and has not been
    copied: its counter never goes back. Raises WrongPasskey."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        claimed = parse_authentication_credential_json(signed.text)
        row = session.scalars(
            select(Passkey).where(Passkey.credential_id == claimed.raw_id, Passkey.user_id == user_id)
        ).one_or_none()
        if row is None or claimed.response.user_handle not in (None, b"", _handle(user_id)):
            raise WrongPasskey
        right = verify_authentication_response(
            credential=claimed,
            expected_challenge=_bytes(signed.challenge),
            expected_rp_id=signed.site.host,
            expected_origin=signed.site.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, LookupError, TypeError) as error:
        log.warning("passkey_refused", reason=type(error).__name__)
        raise WrongPasskey from error
    row.sign_count, row.used_at = right.new_sign_count, now


def _known(session: Session, user_id: int) -> list[Any]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    ids = session.scalars(
        select(Passkey.credential_id).where(Passkey.user_id == user_id).order_by(Passkey.id)
    )
    return [PublicKeyCredentialDescriptor(id=one) for one in ids]


def _handle(user_id: int) -> bytes:
    """What a passkey calls the account: it says nothing about the person."""
    return f"account {user_id}".encode()


def _bytes(challenge: str) -> bytes:
    return base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
