"""What every page shares: the declared need, security headers, the request's id, plain errors."""

from __future__ import annotations

import errno
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit, urlunsplit

import structlog
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.globals import request_ctx
from flask.sansio.app import App
from markupsafe import escape
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError, IntegerConverter, RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from clinic.rules.errors import NotFound, NotOpenYet, RuleViolation
from clinic.rules.language import N_, _
from clinic.shared.database import db
from clinic.shared.logs import place_of

log = structlog.get_logger()

Answer = str | AnyResponse | tuple[str, int]
View = Callable[..., Answer]


@dataclass(frozen=True)
class Asks:
    """What is asked before a deed that cannot be taken back: a question, the button, and what follows, in a sentence.

    `stays` is the page of whoever would rather not, where the browser does not say which one they came from; `about`
    says in the clinic's own words whom or what it is about.
    """

    question: str
    deed: str
    stays: str
    follows: str = ""
    about: str = ""


AsksFor = Asks | Callable[..., Asks | None]
"""The same for whatever the address names, or what makes it of that; None where there is nothing to ask, so that the
deed itself says why."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none';"
        " manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: the CSRF check on https wants to see where a form came from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
HSTS = "max-age=63072000; includeSubDomains"


class PlainNumber(IntegerConverter):
    """A number in an address, in the digits that programs write: a row has one address, not one in each script."""

    regex = "[0-9]+"


class Pages(Blueprint):
    """A blueprint whose routes say what they need: `@pages.get("/desk", needs=Permission.DIARY_ANY_READ)`.

    A route without `needs` is refused at import, so that it cannot be forgotten. `takes` is the size in bytes of
    the files that a page takes, where it takes any; `proof` is what it asks for again (rules/proofs.py); `reads` is
    what a page shows health data of (`visit`, or `list` of several): each showing is recorded (shared/reading.py);
    `asks` is what it asks before it acts, unless a dialog has: that sends `sure`.
    """

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.needs: dict[str, str] = {}
        self.takes: dict[str, int] = {}
        self.reads: dict[str, str] = {}
        self.proofs: dict[str, str] = {}

    def get(self, rule: str, *, needs: str, **options: Any) -> Callable[[View], View]:  # type: ignore[override]
        return self._page(rule, "GET", needs, options)

    def post(self, rule: str, *, needs: str, **options: Any) -> Callable[[View], View]:  # type: ignore[override]
        return self._page(rule, "POST", needs, options)

    def route(self, rule: str, **options: Any) -> Any:
        """Use get or post: a page that reads and one that writes are two functions with a need each."""
        raise TypeError(f"{rule}: declare it with get(…, needs=…) or post(…, needs=…)")

    def _page(self, rule: str, method: str, needs: str, options: dict[str, Any]) -> Callable[[View], View]:
        takes, proof = options.pop("takes", 0), options.pop("proof", "")
        reads, asks = options.pop("reads", ""), options.pop("asks", None)

        def add(view: View) -> View:
            endpoint = options.pop("endpoint", None) or view.__name__
            if self.needs.get(endpoint, needs) != needs:
                raise TypeError(f"{self.name}.{endpoint} has two different needs")
            self.needs[endpoint] = needs
            if takes:
                self.takes[endpoint] = takes
            if reads:
                self.reads[endpoint] = reads
            if proof:
                self.proofs[endpoint] = proof
            shown = view if asks is None else _asking(view, asks)
            self.add_url_rule(rule, endpoint, shown, methods=[method], **options)
            return view

        return add

    def register(self, app: App, options: dict[str, Any]) -> None:
        super().register(app, options)
        name = options.get("name", self.name)
        needs_of(app).update({f"{name}.{endpoint}": need for endpoint, need in self.needs.items()})
        takes: dict[str, int] = app.extensions.setdefault("clinic_takes", {})
        takes.update({f"{name}.{endpoint}": size for endpoint, size in self.takes.items()})
        reads: dict[str, str] = app.extensions.setdefault("clinic_reads", {})
        reads.update({f"{name}.{endpoint}": thing for endpoint, thing in self.reads.items()})
        proofs_of(app).update({f"{name}.{endpoint}": proof for endpoint, proof in self.proofs.items()})


def _asking(view: View, asks: AsksFor) -> View:
    """The view, behind its question. Whoever may not do it, or has to prove first who they are, never gets here."""

    @wraps(view)
    def ask_or_act(**values: Any) -> Answer:
        if "sure" in request.form:
            return view(**values)
        question = asks(**values) if callable(asks) else asks
        return view(**values) if question is None else _ask_first(question)

    return ask_or_act


def _ask_first(question: Asks) -> Answer:
    """The page that asks, with everything that was sent but what proved who it was (accounts/views/proving.py)."""
    if request.files:
        abort(400)  # nothing that asks takes files: they could not be kept
    sent = request.form.items(multi=True)
    typed = [(name, value) for name, value in sent if name != "csrf_token" and not name.startswith("proof_")]
    return render_template(
        "ask_first.html",
        asks=question,
        typed=typed,
        action=request.full_path.removesuffix("?"),
        back=comes_back_to() or _page_above(question.stays),
    )


def _page_above(endpoint: str) -> str:
    """The address of this page, for what of the address at hand it is about."""
    takes = next(current_app.url_map.iter_rules(endpoint)).arguments
    given = (request.view_args or {}).items()
    return url_for(endpoint, **{name: value for name, value in given if name in takes})


def needs_of(app: App) -> dict[str, str]:
    """What each endpoint needs."""
    needs: dict[str, str] = app.extensions.setdefault("clinic_needs", {})
    return needs


def proofs_of(app: App) -> dict[str, str]:
    """What an endpoint asks for again before it acts; the others ask for nothing."""
    proofs: dict[str, str] = app.extensions.setdefault("clinic_proofs", {})
    return proofs


def security_headers(app: Flask) -> dict[str, str]:
    """The headers of every answer, of a file as well."""
    is_https = app.config["CLINIC_PUBLIC_URL"].startswith("https:")
    return SECURITY_HEADERS | ({"Strict-Transport-Security": HSTS} if is_https else {})


def secure_answers(app: Flask) -> None:
    """Put the security headers on every answer; private pages are never kept by a cache."""

    @app.before_request
    def name_request() -> None:
        g.request_id = _request_id(believed=bool(app.config["CLINIC_TRUSTED_PROXIES"]))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @app.before_request
    def refuse_half_an_address() -> None:
        """No browser says so where it was; whoever compares addresses, as the check of forms does, fails at it."""
        try:
            urlsplit(request.referrer or "").port  # noqa: B018 - it is only read when it is asked for
        except ValueError:
            abort(400)

    @app.after_request
    def add_headers(response: Response) -> Response:
        if "token" in (request.view_args or ()):  # the address is a key: the next request says nothing of it
            response.headers["Referrer-Policy"] = "strict-origin"
        wanted = security_headers(app) | {"X-Request-Id": getattr(g, "request_id", "")}
        if request.endpoint != "static" or response.status_code >= 400:
            wanted["Cache-Control"] = "no-store"
        there = {name.lower() for name, _value in response.headers}
        response.headers.extend((name, value) for name, value in wanted.items() if name.lower() not in there)
        return response


def _request_id(*, believed: bool) -> str:
    """The name of this request in logs and on error pages: what a proxy of our own calls it, or one made here."""
    given = request.headers.get("X-Request-Id", "") if believed else ""
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


_ERROR_PAGES = frozenset({400, 403, 404, 405, 409, 413, 429, 500, 503})
_BARE = (
    "<!doctype html><html lang=en><title>Please try again</title><h1>Please try again</h1>"
    "<p>{}</p><p>Reference: {}</p></html>"
)
BARE_SENTENCE = "Something does not work at the moment. Try again in a minute, or call the clinic."
DISK_FULL = N_(
    "Nothing can be saved at the moment, as the clinic's system has no room left. What was booked before stays"
    " booked. Please call the clinic, which can mend this."
)


def plain_errors(app: Flask) -> None:
    """Every failure is a calm page with a way on, never a stack trace."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Answer | HTTPException:
        code = error.code or 500
        return error if code < 400 else error_page(code, error=error)

    @app.errorhandler(RuleViolation)
    def rule_stands_against_it(error: RuleViolation) -> Answer:
        if isinstance(error, NotFound):
            return error_page(404)
        if isinstance(error, NotOpenYet):
            return error_page(503, error.sentence)
        return error_page(409, error.sentence)

    @app.errorhandler(RecursionError)
    @app.errorhandler(UnicodeError)
    def malformed(_error: Exception) -> Answer:
        return error_page(400)

    @app.errorhandler(OverflowError)
    @app.errorhandler(DataError)
    def too_large(_error: Exception) -> Answer:
        """A number no row can have, or a day outside the calendar: there is nothing there."""
        db.session.rollback()
        return error_page(404)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Answer:
        if app.testing and app.config["PROPAGATE_EXCEPTIONS"] is not False:
            raise error
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            log.error("disk_full", endpoint=request.endpoint)
            return error_page(503, _(DISK_FULL))
        # The text of an error may hold what a person typed: log its kind and place, never its words.
        where = place_of(error.__traceback__)
        log.error("unexpected_error", kind=type(error).__name__, where=where, endpoint=request.endpoint)
        return error_page(500)


ErrorAnswer = Callable[[int, str, HTTPException | None], Response]


def other_errors(app: Flask, is_theirs: Callable[[str], bool], answer: ErrorAnswer) -> None:
    """Under the paths that are theirs errors are answered by `answer(status, sentence, error)` instead of a page: for
    programs."""
    app.extensions.setdefault("clinic_other_errors", []).append((is_theirs, answer))


def error_page(code: int, message: str | None = None, *, error: HTTPException | None = None) -> Answer:
    """The page for this status. When even that cannot be made (no database), a bare one."""
    others: list[tuple[Callable[[str], bool], ErrorAnswer]]
    others = current_app.extensions.get("clinic_other_errors", [])
    for is_theirs, answer in others:
        if is_theirs(request.path):
            return answer(code, message or "", error)
    page = code if code in _ERROR_PAGES else (400 if code < 500 else 500)
    headers = {"Retry-After": "10"} if code == 503 else {}
    # Not on the others: what is not yours and what is not there look the same to the letter.
    reference = getattr(g, "request_id", "") if code >= 500 else ""
    try:
        if g.get("database_is_away") or request_ctx.url_adapter is None:
            raise SQLAlchemyError  # the page would ask it for the clinic's name, or link from a host that is not ours
        again = request.path if _may_be_opened_again(code) else ""
        body = render_template(
            f"errors/{page}.html", code=code, message=message, reference=reference, again=again
        )
    except (SQLAlchemyError, BuildError):
        body = _BARE.format(escape(message or BARE_SENTENCE), reference)
    return Response(body, status=code, headers=headers)


def _may_be_opened_again(code: int) -> bool:
    """Whether what was sent came from a page that stands at the same address: there what was typed before is kept,
    and the form is a fresh one."""
    return code in (400, 413) and request.method == "POST" and _is_page(request.path)


def _is_page(path: str) -> bool:
    """Whether a page stands at this address, and not only what answers a form: there a name that is looked up may seem
    to fit, as a service's in `/book/person`."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None or not adapter.test(path, "GET"):
        return False
    try:
        shown = adapter.match(path, "GET", return_rule=True)[0]
        return not adapter.test(path, "POST") or (
            adapter.match(path, "POST", return_rule=True)[0].rule == shown.rule
        )
    except RequestRedirect:  # an address that is only written like one of ours
        return False


def safe_next(target: str | None, otherwise: str) -> str:
    """A path on this site to go on to, or `otherwise`: never another host."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return otherwise
    if any(ord(char) < 32 or char == "\\" for char in target):
        return otherwise
    parts = urlsplit(target)
    return target if not parts.netloc and not parts.scheme else otherwise


def referrer() -> SplitResult:
    """Where the browser says that it was; empty for what is no address, as on the page that refuses it."""
    try:
        return urlsplit(request.referrer or "")
    except ValueError:
        return urlsplit("")


def page_before() -> str:
    """The page of this site that was being read, by what the browser says, without what its address says after it;
    empty where there is none, or it only answers to forms."""
    before = referrer()
    path = safe_next(before.path, "") if before.netloc == request.host else ""
    return path if path and _is_page(path) else ""


def comes_back_to() -> str:
    """For a page that answers a form: where Back shall lead once it has been left, since a browser cannot show such an
    answer again. The page at its own address, else the one the form stood on; empty where neither is known."""
    if request.method != "POST":
        return ""
    if _is_page(request.path):
        return request.full_path.removesuffix("?")
    before = referrer()
    return urlunsplit(("", "", before.path, before.query, "")) if page_before() not in ("", "/") else ""


def go(endpoint: str, **values: Any) -> AnyResponse:
    """After a write: see the page by a fresh GET, so that the back button repeats nothing."""
    return redirect(url_for(endpoint, **values), code=303)


def found(row: Any) -> Any:
    """The row, or 404: what is not yours and what is not there look the same."""
    return row if row is not None else abort(404)


_UNTYPED = re.compile("[\0\ud800-\udfff]")


def check_readable() -> None:
    """Refuse with 400 what no keyboard types, in the address and in whatever was sent, before anything reads it: bytes
    that are no UTF-8 (UnicodeDecodeError is answered so), and NUL and lone surrogates, which break databases."""
    unquote_to_bytes(request.query_string).decode()
    if request.mimetype == "application/x-www-form-urlencoded":
        unquote_to_bytes(request.get_data()).decode()
    sent = (pair for given in (request.args, request.form) for pair in given.items(multi=True))
    texts = (request.path.replace("\ufffd", "\0"), *(text for pair in sent for text in pair))
    if any(map(_UNTYPED.search, texts)):
        abort(400)
