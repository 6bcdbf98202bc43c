"""A page that asks again every few seconds whether it is still as it stands: answered in a word when it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, make_response, render_template, request

from clinic.shared.web import Answer


def live_page(mark: str, template: str, read: Callable[[], dict[str, Any]]) -> Answer:
    """The page with its mark as ETag; 304 without reading or drawing anything when the browser has it.

    The mark is taken before the page is read: what changes in between is seen by the next question at the latest.
    """
    if request.if_none_match.contains_weak(mark):
        unchanged = Response(status=304)
        unchanged.set_etag(mark)
        return unchanged
    page = make_response(render_template(template, page_mark=mark, **read()))
    page.set_etag(mark)
    return page
