"""How pages look in this browser, whoever uses it: kept in a cookie that says nothing about anybody."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from flask import current_app, redirect, request
from werkzeug.wrappers import Response

from clinic.accounts.views.blueprint import pages
from clinic.rules.permissions import Permission
from clinic.shared.web import Answer, safe_next

TEXT = "text"  # the cookie's name; static/js/app.js sets it too
LARGE = "large"
KEPT_FOR = dt.timedelta(days=365)


@pages.post("/text-size", needs=Permission.SITE_ANY_READ)
def text_size() -> Answer:
    """Larger text on every page, or as usual again. With JavaScript the page does this itself."""
    answer: Response = redirect(came_from(), code=303)
    if request.form.get("size") != LARGE:
        answer.delete_cookie(TEXT)
        return answer
    is_https = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(TEXT, LARGE, max_age=KEPT_FOR, samesite="Lax", secure=is_https)
    return answer


def came_from() -> str:
    """The page of this site that was being read, by what the browser says. It stands in no page: an address may be a
    key, or hold what somebody typed."""
    before = urlsplit(request.referrer or "")
    path = f"{before.path}?{before.query}".rstrip("?")
    return safe_next(path, "/") if before.netloc == request.host else "/"


def is_text_large() -> bool:
    """Whether this browser asked for larger text."""
    return request.cookies.get(TEXT) == LARGE
