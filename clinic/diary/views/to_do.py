"""The desk's list of work."""

from __future__ import annotations

from flask import render_template

from clinic.diary.queries.to_do import to_do as read_list
from clinic.diary.views.blueprint import pages
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer


@pages.get("/todo", needs=Permission.DIARY_ANY_READ)
def to_do() -> Answer:
    """What waits for somebody at the desk."""
    return render_template("diary/to_do.html", list=read_list(clock.now()))
