"""The search box of the desk: the same page with and without JavaScript."""

from __future__ import annotations

from flask import render_template, request

from clinic.diary.queries.find import Found, find
from clinic.diary.views.blueprint import pages
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import stripped
from clinic.shared.web import Answer

LONGEST_SEARCH = 80


@pages.get("/desk/search", needs=Permission.DIARY_ANY_READ)
def search() -> Answer:
    """Clients and visits by name, phone, e-mail or day."""
    text = stripped(request.args.get("q", ""))[:LONGEST_SEARCH]
    found = find(text, clock.now()) if text else Found()
    return render_template("diary/search.html", q=text, found=found)
