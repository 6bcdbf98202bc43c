"""How pages look in this browser, whoever uses it: kept in a cookie that says nothing about anybody."""

from __future__ import annotations

from flask import abort, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response

from clinic.accounts import services
from clinic.accounts.access import LANGUAGE, LARGE, keep_language, keep_text_size
from clinic.accounts.views.blueprint import pages
from clinic.rules.permissions import Permission
from clinic.shared.languages import LANGUAGES
from clinic.shared.web import Answer, referrer, safe_next


@pages.post("/text-size", needs=Permission.SITE_ANY_READ)
def text_size() -> Answer:
    """Larger text on every page, or as usual again. With JavaScript the page does this itself."""
    answer: Response = redirect(came_from(), code=303)
    keep_text_size(answer, is_large=request.form.get("size") == LARGE)
    return answer


@pages.post("/language", needs=Permission.SITE_ANY_READ)
def choose_language() -> Answer:
    """Read on in another language. Whoever is signed in gets mails in it, too."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    if current_user.is_authenticated:
        services.choose_language(current_user.id, chosen)
    answer: Response = redirect(came_from(), code=303)
    keep_language(answer, chosen)
    return answer


def came_from() -> str:
    """The page of this site that was being read, by what the browser says. It stands in no page, since an address may
    hold what somebody typed. Only where it is a key the page names it itself: browsers tell it to nobody."""
    before = referrer()
    path = f"{before.path}?{before.query}".rstrip("?")
    return safe_next(request.form.get("back"), safe_next(path, "/") if before.netloc == request.host else "/")


def chosen_language() -> str:
    """The language that was chosen in this browser, or in another one by the person who is signed in; or empty."""
    return request.cookies.get(LANGUAGE) or current_user.language or ""
