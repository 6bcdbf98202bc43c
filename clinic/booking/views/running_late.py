"""A therapist says that they run late: two taps, and nobody waits without knowing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.booking.forms.running_late import LateForm
from clinic.booking.queries import running_late as queries
from clinic.booking.services import running_late as services
from clinic.booking.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules import words
from clinic.rules.errors import NotFound
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import choose, saves
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries as therapists

NEED = Permission.VISIT_TREATED_WRITE


@pages.get("/diary/late", needs=NEED)
def late() -> Answer:
    """How late, and who is told: the next two at first."""
    coming = _coming()
    first = [str(one.id) for one in coming[: services.TOLD_AT_FIRST]]
    return _page(LateForm(data={"minutes": 15, "tell": first}), coming)


@pages.post("/diary/late", needs=NEED)
def say_late() -> Answer:
    """Keep it and tell them; `minutes=0` is on time again."""
    me, now = found(therapists.therapist_of_user(who() or 0)), clock.now()
    therapist_id = me.id
    if request.form.get("minutes") == "0":
        services.say_late(therapist_id, 0, [], by=who() or 0, now=now)
        flash(_("The desk sees that you are on time again."), "success")
        return go("diary.my_day")
    form, coming = LateForm(request.form), _coming()
    _with_choices(form, coming)
    unreached: list[str] = []

    def save() -> None:
        chosen = [int(one) for one in form.tell.data or ()]
        unreached.extend(services.say_late(therapist_id, form.minutes.data, chosen, by=who() or 0, now=now))

    try:
        is_saved = saves(form, save)
    except NotFound as error:
        form.add_error("", error.sentence)
        is_saved = False
    if not is_saved:
        return _page(form, _coming()), 422
    flash(_("The desk sees it, and the clients you chose are told."), "success")
    if unreached:
        flash(
            _("No e-mail address: %(names)s. Ask the desk to call.", names=words.join_words(unreached)),
            "care",
        )
    return go("diary.my_day")


def _coming() -> Sequence[Any]:
    me, now = found(therapists.therapist_of_user(who() or 0)), clock.now()
    return queries.coming_visits(me.id, premises.today(now), now)


def _with_choices(form: LateForm, coming: Sequence[Any]) -> None:
    choose(form.minutes, [(one, words.length_words(one)) for one in services.MINUTES])
    choose(form.tell, [(one.id, f"{_clock(one)}, {one.client.name}") for one in coming])


def _clock(visit: Any) -> str:
    local = visit.starts_at.astimezone(ZoneInfo(visit.zone))
    return words.local_time_words(local, uses_24_hours=found(premises.clinic_facts()).uses_24_hours)


def _page(form: LateForm, coming: Sequence[Any]) -> str:
    _with_choices(form, coming)
    return render_template("booking/running_late.html", form=form, coming=coming)
