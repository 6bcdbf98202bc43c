"""A request that is sent again under its `Idempotency-Key` gets the first answer, and nothing happens a second time."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial, wraps
from typing import Any

from flask import Response, make_response, request

from clinic.api import services
from clinic.api.problems import of_rule, problem
from clinic.api.queries import Caller, KeptAnswer
from clinic.booking.queries import visits
from clinic.clients import queries as clients
from clinic.rules.errors import KeyUsed, NotFound, RuleViolation
from clinic.rules.language import _
from clinic.shared import clock
from clinic.shared.crypto import ring

View = Callable[..., Any]
Kept = dict[str, Any]
Read = Callable[[Kept], dict[str, Any]]
REPLAYED = {"Idempotency-Replayed": "true"}
OF_VISITS = ("visit_id", "hold_id", "first", "second")
OF_NOBODY = ("type", "title", "status", "detail", "code", "request", "nearest", "plan")


def request_key() -> str | None:
    """The `Idempotency-Key` of this request."""
    return request.headers.get("Idempotency-Key")


def visit_key(caller: Caller) -> str | None:
    """The key under which a visit is booked once: program, `Idempotency-Key`, and what was asked, in this order. A hash
    of that tells nothing: the visit says it all itself."""
    named = _named(caller)
    return f"{named}:{_fingerprint()}" if named is not None else None


def group_key(caller: Caller) -> str | None:
    """The same for what books several visits, where a reason may be given that is sealed elsewhere."""
    named = _named(caller)
    return f"{named}:{_mark()}" if named is not None else None


def _named(caller: Caller) -> str | None:
    """The program and its `Idempotency-Key`."""
    key = request_key()
    return f"api:{caller.token_id}:{hashlib.sha256(key.encode()).hexdigest()}" if key is not None else None


def done_once(
    view: View,
    caller: Callable[[], Caller],
    read: Read | None = None,
    keeps: tuple[str, ...] = ("id",),
    *,
    adds_person: bool = False,
    begins_anew: bool = False,
) -> View:
    """The key is taken before anything is done, and what was answered is kept with it. `read`: of an answer about new
    people, or several, only what is named by `keeps` is kept, and a repetition is answered with what this makes of it
    then: nothing of who was erased. `adds_person`: the answer is about whoever was put into the book, and goes with
    them. `begins_anew`: what was broken off, and may have been done, is simply done again; elsewhere a repetition is
    told that nobody knows."""

    @wraps(view)
    def done(*args: Any, **kwargs: Any) -> Response:
        key = request_key()
        if key is None:
            return _answer(view, *args, **kwargs)
        if _is_booked(caller()):
            return _another_request()
        who, now = caller().token_id, clock.now()
        earlier = services.begin_answer(who, key, _mark(), begins_anew=begins_anew, now=now)
        if earlier is not None:
            return _again(earlier, read)
        try:
            response = _answer(view, *args, **kwargs)
        except BaseException:
            if begins_anew:  # elsewhere the key stays taken: it may have failed after the deed
                services.end_answer(who, key, 500, None)
            raise
        body = response.get_json()
        if read is not None and response.status_code < 400:
            bare = {name: _without_words(body[name]) for name in keeps}
            services.end_answer(
                who, key, response.status_code, bare, client_id=body["id"] if adds_person else None
            )
        else:
            whom, kept = _to_keep(kwargs, response.status_code, body)
            try:
                services.end_answer(who, key, response.status_code, kept, client_id=whom)
            except NotFound:  # erased since: a repetition asks about somebody who is not here any more
                services.end_answer(who, key, 500, None)
        return response

    return done


done_anew = partial(done_once, begins_anew=True)
"""For what comes to the same when it is done twice, or keeps its key itself."""


def booked_once(view: View, caller: Callable[[], Caller]) -> View:
    """The visit itself carries the key, so that booking costs no transaction more; only a refusal is kept beside it.

    Where two different requests came under one key at the same moment there may be both: then the visit stands for the
    key, and the refused request is another one.
    """

    @wraps(view)
    def booked(*args: Any, **kwargs: Any) -> Response:
        who, key = caller(), request_key()
        if who.earlier is not None and not _is_booked(who):
            return _again(who.earlier)
        try:
            response = make_response(view(*args, **kwargs))
        except KeyUsed:
            return _another_request()
        except RuleViolation as error:
            response = of_rule(error)
        if key is None or not 400 <= response.status_code < 500:
            return response
        whom, kept = _to_keep(kwargs, response.status_code, response.get_json())
        try:
            first = services.keep_answer(
                who.token_id, key, _mark(), response.status_code, kept, client_id=whom, now=clock.now()
            )
        except NotFound:  # erased since
            return response
        if _is_booked(who):  # meanwhile: ask once more, for what the visit has to say
            return booked(*args, **kwargs)
        return response if first is None else _again(first)

    return booked


def _to_keep(kwargs: dict[str, Any], status: int, body: Any) -> tuple[int | None, Any]:
    """Whom an answer is about, whose key seals it so that it is erased with them, and what is kept. A refusal of two
    people, or of somebody who is not known here, is kept without what it says of anybody."""
    asked = request.get_json(silent=True) if request.is_json else None
    people = set(_people_in([asked, body, {"client": kwargs.get("client_id")}]))
    said = {**(asked if isinstance(asked, dict) else {}), **kwargs}
    numbers = [said[name] for name in OF_VISITS if isinstance(said.get(name), int)]
    people |= {one.client_id for one in map(visits.visit, numbers) if one is not None and one.client_id}
    known = {one.id: one for one in map(clients.client, people) if one is not None}  # by the number of today
    one = next(iter(known.values())) if len(known) == 1 else None
    if one is not None and (status < 400 or not one.is_erased):
        return one.id, body
    is_about_somebody = people or any(name.endswith("_id") for name in kwargs)
    if status < 400 or not is_about_somebody:
        return None, body
    return None, {name: body[name] for name in OF_NOBODY if name in body}


def _without_words(said: Any) -> Any:
    """What came of the parts of a request, but for the sentences, which may say something of somebody."""
    if isinstance(said, list):
        return [_without_words(one) for one in said]
    return {name: said[name] for name in said if name != "detail"} if isinstance(said, dict) else said


def _people_in(said: Any) -> Iterator[int]:
    """Whom a request or an answer names, however deep."""
    inside: Iterable[Any] = said if isinstance(said, list) else ()
    if isinstance(said, dict):
        if isinstance(said.get("client"), int):
            yield said["client"]
        inside = said.values()
    for one in inside:
        yield from _people_in(one)


def _is_booked(caller: Caller) -> bool:
    """Whether there is a visit under the key of this request, whatever was asked for."""
    return visits.visit_by_request(_named(caller) or "") is not None


def _another_request() -> Response:
    """The answer to a key that was used for something else."""
    field = {"field": "Idempotency-Key", "message": "was used for another request"}
    return problem(409, KeyUsed.default_sentence, errors=[field])


def _answer(view: View, *args: Any, **kwargs: Any) -> Response:
    try:
        return make_response(view(*args, **kwargs))
    except RuleViolation as error:
        return of_rule(error)


def _fingerprint() -> str:
    said = b"\n".join([request.method.encode(), request.path.encode(), request.get_data()])
    return hashlib.sha256(said).hexdigest()


def _mark() -> str:
    """The same under the key of the program, which is kept as a hash alone: whoever has the database could try which
    answers to the health questions come out like this. It stays the same when the keys of the clinic are changed."""
    sent = request.authorization
    if sent is None or not sent.token:
        raise LookupError("asked before the key was read")
    return _marked(sent.token.encode(), _fingerprint())


def _marked(key: bytes, said: str) -> str:
    return hmac.digest(key, said.encode(), "sha256").hex()


def _is_repeated(earlier: KeptAnswer) -> bool:
    """Whether this very request was answered then, also by the version of before: that marked under a key of the
    clinic, and those before it with the hash alone."""
    said = _fingerprint()
    marks = (_mark(), *(_marked(key, said) for key in ring().keys.values()), said)
    return any(hmac.compare_digest(earlier.fingerprint, mark) for mark in marks)


def _again(earlier: KeptAnswer, read: Read | None = None) -> Response:
    if not _is_repeated(earlier):
        return _another_request()
    if earlier.is_abandoned:
        sentence = _(
            "It is not known whether this was done. Look it up, and send it with a new key if it was not."
        )
        return problem(409, sentence, code="not_known")
    if earlier.status is None:
        return problem(409, code="in_progress", headers={"Retry-After": "1"})
    body, is_good = earlier.body, earlier.status < 400
    if read is not None and is_good:
        try:
            body = read(body)
        except RuleViolation as error:
            return of_rule(error)
    kind = "application/json" if is_good else "application/problem+json"
    response = Response(json.dumps(body), earlier.status, content_type=kind)
    response.headers.update(REPLAYED)
    return response
