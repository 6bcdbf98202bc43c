"""Who is at the screen, and whether this page is open to them. Closed unless declared open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, abort, redirect, request, url_for
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user
from werkzeug.wrappers import Response

from clinic.accounts import queries
from clinic.rules.permissions import STAFF, Permission, Role, may
from clinic.shared import clock
from clinic.shared.web import clean_text, needs_of


@dataclass(frozen=True, eq=False)
class SignedIn(UserMixin):
    """The signed-in person of this request: plain values, so that no transaction can expire them."""

    id: int
    name: str
    email: str
    roles: frozenset[Role]
    given: frozenset[Permission]
    session_id: int
    token: str

    def may(self, permission: Permission) -> bool:
        return may(self.roles, permission, self.given)

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)

    def get_id(self) -> str:
        """What the cookie holds: the key of the session row, so that ending the row signs out."""
        return self.token


class PasserBy(AnonymousUserMixin):
    """Somebody who has not signed in."""

    id = None
    name = ""
    is_staff = False

    def may(self, permission: Permission) -> bool:
        return may((), permission)


def who() -> int | None:
    """The id of the acting user, for services and the audit; None for somebody not signed in."""
    user_id: int | None = current_user.id
    return user_id


def open_the_door(app: Flask) -> None:
    """Load the signed-in person, and refuse every page that does not declare what it needs."""
    manager = LoginManager()
    manager.anonymous_user = PasserBy
    manager.session_protection = None  # our session rows are the truth; a browser update must not sign out
    manager.init_app(app)

    @manager.user_loader
    def load(token: str) -> SignedIn | None:
        found = queries.signed_in(token, clock.now())
        return SignedIn(**found, token=token) if found else None

    @app.before_request
    def check_access() -> Response | None:
        if request.endpoint is None or request.endpoint == "static":
            return None
        clean_text(request.args)
        clean_text(request.form)
        need = needs_of(app).get(request.endpoint)
        if need is None:
            abort(404)
        if current_user.may(Permission(need)):
            return None
        if current_user.is_authenticated:
            abort(403)
        ahead = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=ahead), code=303)
