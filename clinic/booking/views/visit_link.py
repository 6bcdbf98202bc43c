"""The page behind the mailed link: this one visit, and nothing about health. Its key is the only permission."""

from __future__ import annotations

from flask import url_for

from clinic.booking.queries import check_ins, next_steps, visits
from clinic.booking.views import manage
from clinic.booking.views.blueprint import pages
from clinic.booking.views.calendar_file import calendar_file
from clinic.booking.views.manage import Door
from clinic.booking.views.visit_health import where_to_go_on
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.web import Answer, found


def _door(token: str) -> Door:
    visit = found(visits.visit_by_key(token, clock.now()))
    is_asked = check_ins.waits_for_first_answers(visit, clock.now())
    health, has_begun = where_to_go_on(token, visit.client) if is_asked else ("", False)
    return Door(
        visit=visit,
        by=None,
        home=url_for("booking.visit_by_link", token=token),
        move=url_for("booking.move_by_link", token=token),
        cancel=url_for("booking.cancel_by_link", token=token),
        file=url_for("booking.file_by_link", token=token),
        letter=url_for("booking.letter_by_link", token=token),
        check_in=url_for("booking.check_in_by_link", token=token),
        health=health,
        has_begun=has_begun,
        alone=url_for("booking.come_alone_by_link", token=token) if next_steps.is_left_alone(visit) else "",
    )


@pages.get("/visit/<token>", needs=Permission.SITE_ANY_READ)
def visit_by_link(token: str) -> Answer:
    """The visit."""
    return manage.show(_door(token))


@pages.get("/visit/<token>/move", needs=Permission.SITE_ANY_READ)
def move_by_link(token: str) -> Answer:
    """Free times to move it to."""
    return manage.show_move(_door(token))


@pages.post("/visit/<token>/move", needs=Permission.SITE_ANY_READ)
def take_move_by_link(token: str) -> Answer:
    """Move it."""
    return manage.take_move(_door(token))


@pages.post("/visit/<token>/cancel", needs=Permission.SITE_ANY_READ)
def cancel_by_link(token: str) -> Answer:
    """Cancel it."""
    return manage.take_cancel(_door(token))


@pages.post("/visit/<token>/alone", needs=Permission.SITE_ANY_READ)
def come_alone_by_link(token: str) -> Answer:
    """The two visits cannot go ahead together, and this client comes without the other one."""
    return manage.take_alone(_door(token))


@pages.get("/visit/<token>/visit.ics", needs=Permission.SITE_ANY_READ)
def file_by_link(token: str) -> Answer:
    """Its calendar file."""
    return calendar_file(_door(token).visit)
