"""Making accounts, and what an owner does with the team."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from clinic.accounts import factors, steps, tries
from clinic.accounts.models import User, UserGrant, UserRole
from clinic.accounts.tries import Origin
from clinic.rules.errors import ChangedMeanwhile, InvalidInput, LastOwner, NotFound
from clinic.rules.language import _
from clinic.rules.permissions import GIVEN_BY_NAME, STAFF, Permission, Role
from clinic.shared.audit import leave_trace
from clinic.shared.database import transaction, tried_again
from clinic.shared.seen import mark_of


def begin_owner(email: str, name: str, now: dt.datetime) -> str:
    """Add the clinic's first owner; returns the key of the link that sets the password, good for 24 hours."""
    with transaction() as session:
        token = steps.begin_owner(session, email=email, name=name, now=now)
        leave_trace(session, "owner_begun", "user", None, by=None, now=now)
        return token


@tried_again
def invite(
    email: str,
    name: str,
    roles: Collection[Role],
    given: Collection[Permission],
    *,
    by: int,
    now: dt.datetime,
) -> int:
    """Add somebody to the team and mail them a link, good for 24 hours; returns the account's id.

    A client's account is taken over, but needs a new password and second step: staff have longer ones, and nobody gets
    in before the link has proved the mailbox. Raises InvalidInput.
    """
    _check_roles(roles)
    with transaction() as session:
        user = steps.user_with_email(session, email, is_locked=True)
        if user is None:
            user = steps.add_user(session, email=email, name=name, roles=(), now=now)
        elif user.roles & STAFF:
            raise InvalidInput("email", _("This person is in your team already. Find them in the list."))
        user.password_hash, user.is_active = None, True
        factors.drop_all(session, user.id)
        steps.end_sessions(session, user.id, now)
        steps.end_links(session, user.id, now)
        _set_roles(user, {*(user.roles & {Role.CLIENT}), *roles})
        _set_given(user, given)
        session.flush()
        steps.mail_welcome(session, user, steps.new_link(session, user, "welcome", now), now)
        leave_trace(session, "invited", "user", user.id, by=by, now=now, roles=_words(roles))
        return user.id


def mark_of_rights(roles: Collection[Role], given: Collection[Permission]) -> str:
    """A mark of what somebody of the team may do, the same for the same rights."""
    return mark_of([sorted({*roles} - {Role.CLIENT}), sorted(given)])


@tried_again
def change_member(
    user_id: int,
    roles: Collection[Role],
    given: Collection[Permission],
    *,
    by: int,
    now: dt.datetime,
    seen: str | None = None,
) -> None:
    """Set somebody's roles and given permissions; it acts on their next request. `seen`: the mark of those that were
    shown (`mark_of_rights`).

    Raises NotFound, InvalidInput for `roles`, LastOwner, or ChangedMeanwhile where another owner has set them since.
    """
    _check_roles(roles)
    with transaction() as session:
        _one_change_at_a_time(session)
        user = _of_team(session, user_id)
        if seen not in (None, mark_of_rights(user.roles, user.given)):
            raise ChangedMeanwhile
        if Role.OWNER in user.roles and Role.OWNER not in roles:
            _check_another_owner(session, user_id)
        _set_roles(user, {*(user.roles & {Role.CLIENT}), *roles})
        _set_given(user, given)
        leave_trace(
            session,
            "roles_changed",
            "user",
            user_id,
            by=by,
            now=now,
            roles=_words(roles),
            given=_words(given),
        )


@tried_again
def switch_off(user_id: int, *, by: int, now: dt.datetime) -> None:
    """End somebody's access now: sessions and links too. Raises NotFound or LastOwner."""
    with transaction() as session:
        _one_change_at_a_time(session)
        user = _of_team(session, user_id)
        if Role.OWNER in user.roles:
            _check_another_owner(session, user_id)
        user.is_active = False
        steps.end_sessions(session, user_id, now)
        steps.end_links(session, user_id, now)
        leave_trace(session, "switched_off", "user", user_id, by=by, now=now)


@tried_again
def switch_on(user_id: int, *, by: int, now: dt.datetime) -> None:
    """Let somebody sign in again. Raises NotFound."""
    with transaction() as session:
        _of_team(session, user_id).is_active = True
        leave_trace(session, "switched_on", "user", user_id, by=by, now=now)


def lift_lock(user_id: int, *, origin: Origin, by: int, now: dt.datetime) -> None:
    """Let somebody of the team try to sign in at once after too many wrong passwords. Raises NotFound."""
    with transaction() as session:
        user = _of_team(session, user_id)
        for limit in (tries.SIGN_IN_ACCOUNT, tries.FACTOR_ACCOUNT):
            tries.forget(session, origin.of_account(limit, user.email))
        leave_trace(session, "lock_lifted", "user", user_id, by=by, now=now)


def _of_team(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None or not user.roles & STAFF:
        raise NotFound
    return user


def _owners() -> Select[tuple[int]]:
    return select(User.id).where(User.role_rows.any(UserRole.role == Role.OWNER)).order_by(User.id)


def _one_change_at_a_time(session: Session) -> None:
    """Lock the owners before anything is read, so that two of them cannot remove each other at once."""
    session.execute(_owners().with_for_update()).all()


def _check_another_owner(session: Session, user_id: int) -> None:
    """An owner who never set a password does not count: nobody could sign in any more."""
    others = _owners().where(User.id != user_id, User.is_active, User.password_hash.is_not(None))
    if session.scalars(others.limit(1)).first() is None:
        raise LastOwner


def _check_roles(roles: Collection[Role]) -> None:
    if not roles or not STAFF.issuperset(roles):
        raise InvalidInput("roles", _("Choose at least one role."))


def _set_roles(user: User, roles: Collection[Role]) -> None:
    kept = {row.role: row for row in user.role_rows}
    user.role_rows = [kept.get(role) or UserRole(role=role) for role in sorted(roles)]


def _set_given(user: User, given: Collection[Permission]) -> None:
    kept = {row.permission: row for row in user.grant_rows}
    wanted = sorted(GIVEN_BY_NAME.intersection(given))
    user.grant_rows = [kept.get(permission) or UserGrant(permission=permission) for permission in wanted]


def _words(names: Collection[str]) -> str:
    return " ".join(sorted(names))
