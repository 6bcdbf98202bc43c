"""Who is at the screen, and whether this page is open to them. Closed unless declared open."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from flask import (
    Flask,
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from clinic.accounts import queries, services, steps
from clinic.accounts.browsers import browser_words
from clinic.accounts.entering import Entered
from clinic.accounts.forms import ReopenForm
from clinic.accounts.passkeys import Site
from clinic.accounts.queries import Halfway
from clinic.accounts.tries import Origin
from clinic.rules.language import _
from clinic.rules.permissions import STAFF, Permission, Role, may
from clinic.rules.proofs import needs_second_step
from clinic.rules.session_rules import SessionRules
from clinic.shared import clock
from clinic.shared.web import check_readable, go, needs_of, page_before

log = structlog.get_logger()

ACTIVITY_EVERY = dt.timedelta(minutes=1)
OPEN_WHEN_LOCKED = frozenset(
    {
        "accounts.lock_screen",
        "accounts.reopen_screen",
        "accounts.sign_out",
        "accounts.text_size",
        "premises.picture",  # the logo above it; pictures are anybody's
        "premises.theme",
    }
)
LOCKED = 423  # the answer of a page whose screen is locked
TABLET = "tablet"  # where a browser that was handed to a client keeps its pass: it opens nothing else
TAKEN_BACK = "taken_back"  # in `g`, while a device is locked: says where whoever takes it back goes
READ_BEFORE = (
    "read_before"  # the language that the team had chosen in a browser before it was handed to a client
)
LARGE_BEFORE = "large_before"  # the same of the size of its text
LANGUAGE = "language"  # the name of the cookie that keeps it
TEXT = "text"  # the cookie's name; static/js/app.js sets it too
LARGE = "large"
LOOKS_KEPT_FOR = dt.timedelta(days=365)
MARK = re.compile(r"[\w-]{43}", re.ASCII)  # what a browser is known again by: a random key
MARK_LASTS = dt.timedelta(days=400)  # as long as browsers keep any cookie; it is renewed at each sign-in
HALFWAY = "halfway"  # the key of a sign-in that owes its second step: no session's, so it opens nothing else
AHEAD = "ahead"  # where somebody halfway in wants to go
# Where people go first, by what they may do: the first that fits.
FIRST_PAGES = (
    (Permission.DIARY_ANY_READ, "diary.desk_day"),
    (Permission.DIARY_OWN_READ, "diary.my_day"),
    (Permission.VISIT_OWN_WRITE, "booking.my_visits"),
)
CHECKOUT = "checkout"  # the key of a booking in the making: it survives signing in


@dataclass(frozen=True, eq=False)
class SignedIn(UserMixin):  # type: ignore[misc] # flask_login has no types
    """The signed-in person of this request: plain values, so that no transaction can expire them."""

    id: int
    name: str
    email: str
    language: str | None
    roles: frozenset[Role]
    given: frozenset[Permission]
    session_id: int
    last_seen_at: dt.datetime
    is_locked: bool
    proved_at: dt.datetime
    factor_at: dt.datetime | None
    token: str = field(repr=False)  # the key to the session: it never gets into a page or a log by accident

    def may(self, permission: Permission) -> bool:
        return may(self.roles, permission, self.given)

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF)

    def get_id(self) -> str:
        """What the cookie holds: the key of the session row, so that ending the row signs out."""
        return self.token


class PasserBy(AnonymousUserMixin):  # type: ignore[misc]
    """Somebody who has not signed in, or not yet whole: then the second step alone is open to them."""

    id = None
    session_id = None
    name = ""
    language = None
    is_staff = False
    is_locked = False

    def may(self, permission: Permission) -> bool:
        return may((), permission) or (permission == Permission.FACTOR_OWN_WRITE and halfway() is not None)


def who() -> int | None:
    """The id of the acting user, for services and the audit; None for somebody not signed in."""
    user_id: int | None = current_user.id
    return user_id


def is_named(permission: Permission) -> bool:
    """Whether the owner gave this permission to the person at the screen by name, beside what their role brings."""
    return permission in getattr(current_user, "given", ())


def origin() -> Origin:
    """Where this request comes from. A proxy's headers are not believed: anybody can write them."""
    return Origin(
        address=request.remote_addr or "",
        browser=browser_words(request.user_agent.string),
        secret=str(current_app.config["SECRET_KEY"]),
        device=known_mark(),
    )


def known_mark() -> str:
    """The mark by which this browser is known again; a fresh one where it has none. `let_in` lets it keep it."""
    if "browser_mark" not in g:
        kept = request.cookies.get(_mark_cookie(), "")
        g.browser_mark = kept if MARK.fullmatch(kept) else steps.new_token()
    mark: str = g.browser_mark
    return mark


def _mark_cookie() -> str:
    return "__Host-browser" if current_app.config["SESSION_COOKIE_SECURE"] else "browser"


def _read_as_before(language: str, is_text_large: bool) -> Callable[[Response], Response]:
    """What a client chose on the tablet is neither the language nor the type of whoever takes it back, nor of the next
    client."""

    def choose(answer: Response) -> Response:
        keep_language(answer, language)
        keep_text_size(answer, is_large=is_text_large)
        return answer

    return choose


def keep_text_size(answer: Response, *, is_large: bool) -> None:
    """Let this browser show larger text on every page, or as usual."""
    _keep(answer, TEXT, LARGE if is_large else "")


def is_text_large() -> bool:
    """Whether this browser asked for larger text."""
    return request.cookies.get(TEXT) == LARGE


def keep_language(answer: Response, language: str) -> None:
    """Let this browser be read in that language; in none of its own when it is empty."""
    _keep(answer, LANGUAGE, language)


def _keep(answer: Response, cookie: str, value: str) -> None:
    """How pages look in this browser: says nothing about anybody, and an empty value is none."""
    if not value:
        answer.delete_cookie(cookie)
        return
    is_https = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(cookie, value, max_age=LOOKS_KEPT_FOR, samesite="Lax", secure=is_https)


def _keep_mark(answer: Response) -> Response:
    is_https = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(
        _mark_cookie(), known_mark(), max_age=MARK_LASTS, secure=is_https, httponly=True, samesite="Lax"
    )
    return answer


def clinic_name() -> str:
    """What the clinic is called, which no password may hold."""
    name: str = current_app.extensions["clinic_name"]()
    return name


def is_demo() -> bool:
    """Whether everything here is invented: then alone staff get in without a second step."""
    return bool(current_app.config["CLINIC_DEMO"])


def site() -> Site:
    """The address that passkeys are bound to. It is the configured one, whatever a request calls itself."""
    return Site(current_app.config["CLINIC_PUBLIC_URL"], clinic_name())


def carry_on(entered: Entered, ahead: str) -> Response:
    """After the password: into the session and on to the page that was wanted, or to the second step first."""
    if entered.is_whole:
        let_in(entered.token)
        return redirect(ahead or first_page(), code=303)
    logout_user()  # whoever was signed in here before is not any more
    session[HALFWAY], session[AHEAD] = entered.token, ahead
    return go("accounts.second_step")


def first_page() -> str:
    """Where the person who is signed in goes first; the front door for who is not. Whoever has just taken a device back
    goes to whom it was handed to, by whichever way they came in: the intake says where, it lies above."""
    leads_to: Callable[[], str] | None = g.get(TAKEN_BACK)
    if (
        leads_to is not None
        and TABLET not in session
        and current_user.is_authenticated
        and (href := leads_to())
    ):
        return href
    return next((url_for(endpoint) for need, endpoint in FIRST_PAGES if current_user.may(need)), "/")


def halfway() -> Halfway | None:
    """Who has given the right password in this browser, and owes the second step."""
    if "halfway" not in g:
        key = session.get(HALFWAY)
        g.halfway = queries.halfway(key, clock.now()) if key else None
    found: Halfway | None = g.halfway
    return found


def let_in(token: str) -> None:
    """Give this browser the key of its new session; all it held before is dropped but the booking it is making.

    A browser that was handed to a client goes back to the team alone: anybody else's session ends at once.
    """
    person = _load(token)
    g.pop("halfway", None)
    if TABLET in session:
        if person is not None and not person.is_staff:
            services.end_session(person.id, person.session_id, clock.now())
            session.pop(HALFWAY, None)
            flash(
                _("This device belongs to our team: only they can sign in here. Please hand it back."), "care"
            )
            return
        after_this_request(_read_as_before(session.get(READ_BEFORE, ""), session.get(LARGE_BEFORE, False)))
    forget_browser(but_the_booking=True)
    if person is not None:
        login_user(person)
        after_this_request(_keep_mark)


def forget_browser(*, but_the_booking: bool = False) -> None:
    """Leave nothing of the person in this browser's cookie; the booking it is making may stay."""
    checkout = session.get(CHECKOUT) if but_the_booking else None
    logout_user()
    session.clear()
    if checkout is not None:
        session[CHECKOUT] = checkout


def session_rules() -> SessionRules:
    """How long people stay signed in here, by the settings."""
    config = current_app.config
    return SessionRules(
        staff_idle=dt.timedelta(minutes=config["CLINIC_STAFF_IDLE_MINUTES"]),
        client_idle=dt.timedelta(days=config["CLINIC_CLIENT_IDLE_DAYS"]),
        client_longest=dt.timedelta(days=config["CLINIC_CLIENT_DAYS"]),
    )


def _load(token: str) -> SignedIn | None:
    found = queries.signed_in(token, session_rules(), clock.now())
    if found is None:
        return None
    person = SignedIn(**found, token=token)
    owes = needs_second_step(person.roles, person.given) and person.factor_at is None
    return None if owes and not is_demo() else person


def open_the_door(app: Flask, clinic_name: Callable[[], str]) -> None:
    """Load the signed-in person, and refuse every page that does not declare what it needs.

    `clinic_name` says what the clinic is called: accounts lie below the premises and cannot ask them.
    """
    manager = LoginManager()
    manager.anonymous_user = PasserBy
    manager.session_protection = None  # our session rows are the truth; a browser update must not sign out
    manager.init_app(app)
    manager.user_loader(_load)
    app.extensions["clinic_name"] = clinic_name
    app.context_processor(_doors)

    @app.before_request
    def check_access() -> Response | None:
        if request.endpoint is None or request.endpoint == "static":
            return None
        check_readable()
        need = needs_of(app).get(request.endpoint)
        if need is None:
            abort(404)
        person = current_user._get_current_object()  # noqa: SLF001 - each look through the proxy finds it anew
        if person.is_locked and request.endpoint not in OPEN_WHEN_LOCKED:
            return make_response(locked_screen(ReopenForm(data={"next": _here()})), LOCKED)
        # Neither a page that asks by itself nor what a locked screen loads is anybody at the keys.
        if person.is_authenticated and not person.is_locked and "X-Poll" not in request.headers:
            _note_activity(person)
        if person.may(Permission(need)):
            return None
        if person.is_authenticated:
            abort(403)
        return _to_sign_in()


def _to_sign_in() -> Response:
    """Where to sign in. What was pressed is not done then: the page says so, and leads back to where that was. What
    htmx asked for is no part of the open page: the browser goes there itself."""
    pressed = request.method != "GET" and request.endpoint != "accounts.sign_out"
    href = url_for(
        "accounts.sign_in",
        next=(page_before() if pressed else "") or _here(),
        undone="y" if pressed else None,
    )
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": href})
    return redirect(href, code=303)


def _here() -> str | None:
    """Where to go on after signing in: what was sent to a page cannot be sent again by an address."""
    return request.full_path.rstrip("?") if request.method == "GET" else None


def locked_screen(form: ReopenForm) -> str:
    """In the place of whatever was asked for: nothing of it, and where to type the PIN or password."""
    return render_template("accounts/locked.html", form=form, refusal=None)


def _note_activity(person: SignedIn) -> None:
    """At most one small write a minute; a page does not fail because it could not be written."""
    now = clock.now()
    if now - person.last_seen_at < ACTIVITY_EVERY:
        return
    try:
        services.note_activity(person.session_id, now)
    except SQLAlchemyError as error:
        log.warning("activity_not_noted", kind=type(error).__name__)


def _doors() -> dict[str, Any]:
    """What the frame of every page shows about signing in and out."""
    own = [{"href": url_for("accounts.account"), "label": _("Your account"), "icon": "person"}]
    if current_user.may(Permission.TEAM_ANY_WRITE):
        own.append({"href": url_for("accounts.team"), "label": _("Team"), "icon": "people"})
    elif current_user.may(Permission.CLIENT_ANY_ERASE) and not current_user.may(Permission.CLIENT_ANY_READ):
        # Who sees clients finds it there; a therapist who was named has no other way in.
        own.append(
            {"href": url_for("keeping.erasures"), "label": _("Requests to be erased"), "icon": "person-x"}
        )
    return {
        # On a device that was handed to a client no mailed link helps, and the PIN may.
        "is_handed_over": TABLET in session,
        "sign_in_href": "" if TABLET in session else url_for("accounts.sign_in"),
        "sign_out_href": url_for("accounts.sign_out"),
        "account_nav": own,
        "lock_after": session_rules().staff_idle if current_user.is_staff else None,
    }
