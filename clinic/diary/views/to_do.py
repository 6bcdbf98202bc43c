"""The desk's list of work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask_login import current_user

from clinic.accounts.access import who
from clinic.booking.queries import changes, taking_back
from clinic.diary.queries.to_do import to_do as read_list
from clinic.diary.views.blueprint import pages
from clinic.rules.permissions import Permission
from clinic.rules.taking_back import SHOWN_SECONDS
from clinic.shared import clock
from clinic.shared.live_page import live_page
from clinic.shared.web import Answer


@pages.get("/todo", needs=Permission.DIARY_ANY_READ)
def to_do() -> Answer:
    """What waits for somebody at the desk; for those with clinical review that, too. It keeps itself up to date."""
    now, may_review = clock.now(), current_user.may(Permission.CLINICAL_REVIEW)

    def read() -> dict[str, Any]:
        shown = read_list(now, may_review=may_review)
        step = taking_back.last_step_of(who() or 0, now)
        return {
            "list": shown,
            "last_call": _just_made(shown.called, now),
            "last_step": step if step and step.deed == "marked" else None,
        }

    return live_page(changes.list_mark(now), "diary/to_do.html", read)


def _just_made(called: Sequence[Any], now: dt.datetime) -> tuple[Any, int] | None:
    """The call that this person has ticked off a moment ago, and for how many seconds the bar still offers it back."""
    mine = next((one for one in called if one.done_by_id == who()), None)
    left = SHOWN_SECONDS - round((now - mine.done_at).total_seconds()) if mine else 0
    return (mine, left) if left > 0 else None
