"""A page that asks again every few seconds whether it is still as it stands: answered in a word when it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from flask import Response, make_response, render_template, request

from clinic.shared.web import Answer

TOKEN = re.compile(r'name="csrf_token" value="[^"]*"')  # another in each answer


def live_page(mark: str, template: str, read: Callable[[], dict[str, Any]]) -> Answer:
    """The page with its mark as ETag; 304 without reading or drawing anything when the browser has it.

    The mark is taken before the page is read: what changes in between is seen by the next question at the latest.
    Where something was done that the page does not show, what it shows is the same as before: 304 too, with the new
    mark. So a page with health data that is open all day is not written down as shown at each deed of the clinic.
    """
    has = [
        one for one in request.if_none_match.as_set(include_weak=True) if one
    ]  # an empty one is read as None
    for one in has:
        if one.partition("~")[0] == mark:
            return _unchanged(one)
    drawn = render_template(template, page_mark=mark, **read())
    before, attribute, rest = drawn.partition(f'data-live="{mark}"')
    look = hashlib.sha256(TOKEN.sub("", rest).encode()).hexdigest()
    full = f"{mark}~{look}"
    if any(one.partition("~")[2] == look for one in has):
        return _unchanged(full)
    page = make_response(before + attribute.replace(mark, full) + rest)
    page.set_etag(full)
    return page


def _unchanged(mark: str) -> Response:
    answer = Response(status=304)
    answer.set_etag(mark)
    return answer
