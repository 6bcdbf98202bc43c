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
    coming, me = _coming(), found(therapists.therapist_of_user(who() or 0))
    first = [str(one.id) for one in coming[: services.TOLD_AT_FIRST]]
    said = queries.minutes_late(premises.today(clock.now())).get(me.id, 15)
    return _page(LateForm(data={"minutes": said, "tell": first}), coming)


@pages.post("/diary/late", needs=NEED)
def say_late() -> Answer:
    """Keep it and tell them; `minutes=0` is on time again."""
    me, now = found(therapists.therapist_of_user(who() or 0)), clock.now()
    therapist_id = me.id
    if request.form.get("minutes") == "0":
        said = services.say_late(therapist_id, 0, [], by=who() or 0, now=now)
        flash(_("The desk sees that you are on time again."), "success")
        if said.believe_late:
            names = words.join_words(said.believe_late)
            flash(_("Told before that you are late, and may come later: %(names)s.", names=names), "care")
        return go("diary.my_day")
    form, coming = LateForm(request.form), _coming()
    _with_choices(form, coming)
    told: list[services.Said] = []

    def save() -> None:
        chosen = [int(one) for one in form.tell.data or ()]
        told.append(services.say_late(therapist_id, form.minutes.data, chosen, by=who() or 0, now=now))

    try:
        is_saved = saves(form, save)
    except NotFound as error:
        form.add_error("", error.sentence)
        is_saved = False
    if not is_saved:
        return _page(form, _coming()), 422
    _say_who_is_told(told[0])
    return go("diary.my_day")


def _say_who_is_told(said: services.Said) -> None:
    if said.told:
        flash(_("The desk sees it. Told by e-mail: %(names)s.", names=words.join_words(said.told)), "success")
    else:
        flash(_("The desk sees it. No client is told."), "success")
    if said.unreached:
        names = words.join_words(said.unreached)
        flash(_("No e-mail address: %(names)s. Ask the desk to call.", names=names), "care")


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
