"""Whoever sits in a session that ends at this moment leaves no way in behind."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from clinic.accounts import factors, services, steps
from clinic.accounts.models import (
    Authenticator,
    HalfSignIn,
    MailedLink,
    Passkey,
    RecoveryCode,
    User,
    UserSession,
)
from clinic.accounts.passkeys import Signed, Site
from clinic.accounts.queries import hash_of
from clinic.accounts.services import second_step, team
from clinic.accounts.services.factors import AtScreen
from clinic.rules.permissions import Role
from clinic.shared.database import db
from tests import factories
from tests.accounts.passkeys import Phone
from tests.accounts.people import APP_SECRET, ORIGIN, OTHER_PASSWORD, PASSWORD, make_person
from tests.at_once import Deeds, deeds
from tests.conftest import NOW

pytestmark = pytest.mark.every_way_on_both

__all__ = ["deeds"]

LATER = NOW + dt.timedelta(minutes=5)
SITE = Site("http://localhost", "Still Waters")


def ways_in(user_id: int) -> list[object]:
    """What opens this account besides its password."""
    db.session.rollback()
    links = MailedLink.user_id == user_id, MailedLink.used_at.is_(None)
    return [
        *db.session.scalars(select(Passkey.name).where(Passkey.user_id == user_id)),
        *db.session.scalars(select(MailedLink.new_email).where(*links)),
        *db.session.scalars(select(RecoveryCode.code_hash).where(RecoveryCode.user_id == user_id)),
        *db.session.scalars(select(Authenticator.secret_sealed).where(Authenticator.user_id == user_id)),
    ]


@pytest.mark.parametrize("deed", ["passkey", "email", "codes", "take away"])
def test_a_session_that_ends_meanwhile_changes_no_way_in(app: Flask, deeds: Deeds, deed: str) -> None:
    """The owner chooses a new password, which signs out everywhere, while a thief waits for the same account."""
    user_id = make_person("ann@people.example").id
    if deed in ("codes", "take away"):
        factories.save(Authenticator(user_id=user_id, secret=APP_SECRET, made_at=NOW, confirmed_at=NOW))
    at = dict.fromkeys(("created_at", "last_seen_at", "proved_at"), NOW)
    own, stolen = (
        factories.save(UserSession(user_id=user_id, token_hash=one, **at)).id for one in ("own", "stolen")
    )
    challenge, asked = services.passkey_to_make(user_id, site=SITE, now=LATER)
    signed = Signed(Phone().make(json.loads(asked)), challenge, SITE)
    before = ways_in(user_id)
    todo: dict[str, Callable[[], object]] = {
        "passkey": lambda: services.add_passkey(
            AtScreen(user_id, session_id=stolen), signed, "thief", origin=ORIGIN, now=LATER
        ),
        "email": lambda: services.ask_for_new_email(
            user_id, stolen, "thief@people.example", origin=ORIGIN, now=LATER
        ),
        "codes": lambda: services.renew_codes(user_id, stolen, LATER),
        "take away": lambda: services.remove_app(user_id, stolen, LATER),
    }
    deeds.stop_in(steps, "store_password")

    def change() -> None:
        services.change_password(
            user_id, PASSWORD, OTHER_PASSWORD, session_id=own, clinic_name="x", origin=ORIGIN, now=LATER
        )

    assert deeds.do(change, todo[deed]) == ("done", "SignedOut")
    assert ways_in(user_id) == before


def test_switched_off_while_they_give_their_second_step(
    app: Flask, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One locks the half sign-in first, the other one the account: what the database breaks off is done anew."""
    owner = factories.make_user(email="a@owners.example", roles=[Role.OWNER], password_hash="x").id
    member = factories.make_user(email="m@team.example", roles=[Role.FRONT_DESK], password_hash="x").id
    factories.save(HalfSignIn(user_id=member, token_hash=hash_of("half"), made_at=NOW, replaces_id=None))
    checked, real = list[str](), second_step.half_sign_in

    def with_the_half(*arguments: Any) -> HalfSignIn:
        row = real(*arguments)
        second_step.stop_here()  # type: ignore[attr-defined]
        return row

    monkeypatch.setattr(factors, "check", lambda *_given: checked.append("second step"))
    monkeypatch.setattr(second_step, "stop_here", lambda: None, raising=False)
    monkeypatch.setattr(second_step, "half_sign_in", with_the_half)
    deeds.stop_in(second_step, "stop_here")
    shown: Any = None
    came = deeds.do(
        lambda: second_step._finish("half", shown, [], ORIGIN, NOW),
        lambda: team.switch_off(member, by=owner, now=LATER),
    )
    assert came[1] == "done"
    assert not db.session.get_one(User, member).is_active
    live = select(UserSession.id).where(UserSession.user_id == member, UserSession.ended_at.is_(None))
    assert db.session.scalars(live).all() == []


def test_two_owners_who_invite_one_client_at_once_do_it_one_after_the_other(app: Flask, deeds: Deeds) -> None:
    owner = factories.make_user(email="a@owners.example", roles=[Role.OWNER], password_hash="x").id
    factories.make_user(email="new@people.example", roles=[Role.CLIENT])
    deeds.stop_in(team, "leave_trace")

    def invite(role: Role) -> Callable[[], object]:
        return lambda: team.invite("new@people.example", "New", [role], [], by=owner, now=NOW)

    assert deeds.do(invite(Role.THERAPIST), invite(Role.FRONT_DESK)) == ("done", "InvalidInput")
    invited = db.session.scalars(select(User).where(User.email == "new@people.example")).one()
    assert invited.roles == {Role.CLIENT, Role.THERAPIST}
