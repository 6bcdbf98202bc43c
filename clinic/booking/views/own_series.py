"""A series as the account sees it that may act for its client: every visit, and what is left of it cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, render_template, request, url_for
from flask_login import current_user

from clinic.booking.queries import series as reading
from clinic.booking.queries import visits
from clinic.booking.services.series_ending import cancel_rest
from clinic.booking.views.blueprint import pages
from clinic.clients import queries as clients
from clinic.premises import queries as premises
from clinic.rules.booking_policy import may_client_cancel
from clinic.rules.language import _, ngettext
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go

NEED = Permission.VISIT_OWN_WRITE


def _own(series_id: int) -> Sequence[Any]:
    """The visits of the series, when this account may act for their client; else 404, as if it were not there."""
    rows = reading.visits_of_series(series_id)
    client_id = rows[0].client_id if rows else None
    found(clients.client_of(current_user.id, client_id) if client_id else None)
    return rows


@pages.get("/my/series/<int:series_id>", needs=NEED)
def my_series(series_id: int) -> Answer:
    """Every visit of a series."""
    rows = _own(series_id)
    left = _left(rows)
    return render_template(
        "booking/my_series.html",
        visits=rows,
        series_id=series_id,
        seen_as=visits.seen_as,
        left=len(left),
        seen=_mark(left),
    )


def _mark(left: Sequence[Any]) -> str:
    """Of what would be cancelled, as it stands."""
    return mark_of([(one.id, one.revision) for one in left])


def _left(rows: Sequence[Any]) -> list[Any]:
    """What may still be cancelled online."""
    now, settings = clock.now(), premises.booking_settings()
    return [
        one
        for one in rows
        if may_client_cancel(visits.seen_as(one), one.starts_at, now=now, settings=settings)
    ]


@pages.post("/my/series/<int:series_id>/cancel", needs=NEED)
def cancel_my_series(series_id: int) -> Answer:
    """Ask whether it is meant where no dialog has; then cancel every visit that may still be cancelled online."""
    left = _left(_own(series_id))
    seen, now_seen = request.form.get("seen"), _mark(left)
    if left and ("sure" not in request.form or seen != now_seen):  # or one was moved meanwhile
        return render_template(
            "booking/cancel_check.html", visits=left, companion=None, asked_by="", shown_as=("seen", now_seen),
            has_changed=seen not in (None, now_seen),
            action=url_for("booking.cancel_my_series", series_id=series_id),
            title=ngettext("Cancel one visit?", "Cancel %(num)d visits?", len(left)),
            button=_("Cancel the rest of the series"), keep=_("Keep my visits"),
            home=url_for("booking.my_series", series_id=series_id), back=_("Back to the series"),
        )  # fmt: skip
    done = cancel_rest(series_id, by=current_user.id, by_clinic=False, by_client=True, now=clock.now())
    number = len(done.cancelled) + len(done.late)
    if number:
        flash(ngettext("%(num)d visit is cancelled.", "%(num)d visits are cancelled.", number), "success")
    if done.kept:
        flash(_("What is too near to be cancelled online stays. Please call us about it."), "care")
    return go("booking.my_series", series_id=series_id)
