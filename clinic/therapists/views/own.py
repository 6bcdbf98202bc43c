"""What a therapist says about themself: a few sentences, and their gender if they like."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request

from clinic.accounts.access import who
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, found, go
from clinic.therapists import queries, services
from clinic.therapists.forms import OwnWordsForm
from clinic.therapists.views.blueprint import pages


@pages.get("/therapists/me", needs=Permission.THERAPIST_OWN_WRITE)
def own_words() -> Answer:
    """As they are."""
    me = _me()
    return _page(me, OwnWordsForm(data={"bio": me.bio, "gender": me.gender, "seen": _mark(me)}))


@pages.post("/therapists/me", needs=Permission.THERAPIST_OWN_WRITE)
def save_own_words() -> Answer:
    """Show clients these from now on."""
    me, form = _me(), OwnWordsForm(request.form)

    def save() -> None:
        bio, gender, seen = form.bio.data or "", form.gender.data or "", form.seen.data or ""
        services.say_of_oneself(who() or 0, bio, gender, seen=seen, now=clock.now())

    if not saves(form, save, seen_now=lambda: _mark(_me())):
        return _page(me, form), 422
    flash(_("Saved. Clients see it from now on."), "success")
    return go("diary.own_profile")


def _me() -> Any:
    return found(queries.therapist_of_user(who() or 0))


def _mark(me: Any) -> str:
    return mark_of([me.bio, me.gender])


def _page(me: Any, form: OwnWordsForm) -> str:
    return render_template("therapists/own.html", me=me, form=form)
