"""How a request of a program comes in: its key and scope, how often, its body, and its repetition.

`Doors` is to programs what `Pages` is to people: an operation without a scope cannot be declared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, cast

import structlog
from apiflask import APIBlueprint, HTTPTokenAuth
from flask import Response, current_app, g, request
from flask.sansio.app import App
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter
from pydantic import BaseModel

from clinic.api import queries
from clinic.api.problems import problem
from clinic.api.queries import Caller
from clinic.api.repeats import done_once, request_key
from clinic.rules.api_scopes import Scope
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import needs_of

View = Callable[..., Any]
Once = Callable[[View, Callable[[], Caller]], View]
LONGEST_KEY = 200
KEY = f"^[!-~]{{1,{LONGEST_KEY}}}$"
TRIES_PER_MINUTE = 6000
"""With keys that open nothing, from one address. Nobody guesses a key of 256 bits: this keeps noise from the database,
and is more than a program that checks the interface asks without a key."""

auth = HTTPTokenAuth(scheme="Bearer", description="A key made by `clinic token create`.")


class TooMany(Exception):
    """More requests than this key, or this address, may make in a minute."""


def limiter() -> FixedWindowRateLimiter:
    """Counts requests: in this process, or for all of them together (CLINIC_LIMITS_URL)."""
    found: FixedWindowRateLimiter = current_app.extensions["clinic_api_limiter"]
    return found


def caller() -> Caller:
    """The program behind this request."""
    found = auth.current_user
    if found is None:
        raise LookupError("asked before the key was read")
    return cast("Caller", found)


@auth.verify_token  # type: ignore[untyped-decorator]
def _verify(token: str) -> Caller | None:
    found = queries.caller(token, clock.now(), key=request_key()) if token else None
    if found is None:
        _count("address", request.remote_addr or "", TRIES_PER_MINUTE)
        return None
    structlog.contextvars.bind_contextvars(token=found.token_id)
    if found.per_minute:
        _count("token", str(found.token_id), found.per_minute)
    return found


@auth.get_user_roles  # type: ignore[untyped-decorator]
def _scopes(found: Caller) -> list[str]:
    return list(found.scopes)


@auth.error_handler  # type: ignore[untyped-decorator]
def _refused(status: int) -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="clinic"'} if status == 401 else None
    return problem(status, headers=headers)


def _count(kind: str, who: str, per_minute: int) -> None:
    if not limiter().hit(RateLimitItemPerMinute(per_minute), kind, who):
        raise TooMany()


class Doors(APIBlueprint):
    """The operations of the API."""

    def register(self, app: App, options: dict[str, Any]) -> None:
        """Every operation is open to whoever holds a key; what the key may do is asked in the door itself."""
        super().register(app, options)
        for endpoint in app.view_functions:
            if endpoint.startswith(f"{self.name}."):
                needs_of(app)[endpoint] = Permission.API_TOKEN_USE

    def door(
        self,
        method: str,
        rule: str,
        scope: Scope,
        out: type[BaseModel],
        *,
        status: int = 200,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        also: Mapping[int, str] | None = None,
        once: Once | None = done_once,
    ) -> Callable[[View], View]:
        """Declare one operation. `once`: how a POST is done once under one `Idempotency-Key`, None where it changes
        nothing; with `done_anew` what was broken off may simply be done again. `also`: other answers than errors, with
        what they mean."""

        def declare(view: View) -> View:
            inner = self.output(out, status_code=status)(view)
            if method == "POST" and once is not None:
                inner = once(inner, caller)
            if body is not None:
                inner = self.input(body, arg_name="body")(inner)
            if query is not None:
                inner = self.input(query, location="query", arg_name="query")(inner)
            inner = _readable(inner, has_body=body is not None, has_query=query is not None)
            inner = self.auth_required(auth, roles=[scope.value])(inner)
            self.doc(responses=dict(also or {}), extensions={"x-scope": scope.value})(inner)
            self.add_url_rule(rule, view.__name__, inner, methods=[method])
            return view

        return declare


def _readable(view: View, *, has_body: bool, has_query: bool) -> View:
    """Before an operation: whatever is said twice, or cannot be kept by every part of the program, is refused.

    Raises BadRequest, UnsupportedMediaType or RequestEntityTooLarge; RecursionError for a body nested too deep.
    """

    @wraps(view)
    def read(*args: Any, **kwargs: Any) -> Any:
        g.says_what_it_wishes = has_body or has_query
        twice = [name for name, values in request.args.lists() if len(values) > 1]
        if twice:
            return problem(422, errors=[{"field": name, "message": "is given twice"} for name in twice])
        if has_body and (wrong := _wrong_body()):
            return problem(400, wrong)
        key = request_key()
        if key is not None and re.fullmatch(KEY, key) is None:
            return problem(422, f"An Idempotency-Key has 1 to {LONGEST_KEY} visible characters of ASCII.")
        return view(*args, **kwargs)

    return read


def _wrong_body() -> str:
    request.get_json()
    try:
        read = json.loads(request.get_data(), object_pairs_hook=_each_name_once)
    except KeyError:
        return "The body names a field twice."
    text = json.dumps(read, ensure_ascii=False)
    text.encode("utf-8")  # a lone surrogate cannot be stored: UnicodeEncodeError, answered with 400
    return "The body holds a character that cannot be stored." if "\\u0000" in text else ""


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise KeyError
    return found
