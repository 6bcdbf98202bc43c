"""The desk's list of work."""

from __future__ import annotations

from flask_login import current_user

from clinic.diary.queries import changes
from clinic.diary.queries.to_do import to_do as read_list
from clinic.diary.views.blueprint import pages
from clinic.diary.views.live import live_page
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer


@pages.get("/todo", needs=Permission.DIARY_ANY_READ)
def to_do() -> Answer:
    """What waits for somebody at the desk; for those with clinical review that, too. It keeps itself up to date."""
    now, may_review = clock.now(), current_user.may(Permission.CLINICAL_REVIEW)
    return live_page(
        changes.list_mark(now), "diary/to_do.html", lambda: {"list": read_list(now, may_review=may_review)}
    )
